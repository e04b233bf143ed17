"""Where functions and classes of the project are defined.

Not what names point at them (`bindings`). Invariant: a place is a component
path and a unit, however its module is called and by whatever name it is held.
"""

from __future__ import annotations

import sys
from types import FunctionType, ModuleType

from gitmemo.hashing.structure import code_digest
from gitmemo.source import SourceFile
from gitmemo.tracing.modules import Modules
from gitmemo.tracing.texts import LiveUnit


class Places:
    """Looks up definitions."""

    def __init__(self, modules: Modules) -> None:
        self._modules = modules

    def file(self, path: str) -> SourceFile | None:
        """Return the text of a loaded module."""
        snapshot = self._modules.snapshot(path)
        return snapshot.file if snapshot else None

    def has_unit(self, path: str, name: str) -> bool:
        """Whether the text of a module defines this unit."""
        file = self.file(path)
        return file is not None and name in file.units

    def unit_of_function(self, function: FunctionType) -> LiveUnit | None:
        """Return the unit that a function's code stands in."""
        return self._modules.unit_of(function.__code__)

    def class_place(self, kind: type) -> tuple[str, str] | None:
        """Return path and qualified name of a class of the project."""
        module = sys.modules.get(getattr(kind, "__module__", None) or "")
        path = None if module is None else self._modules.path_of(module)
        return None if path is None else (path, kind.__qualname__)

    def module_name(self, module: ModuleType) -> str:
        """Return the path of a module of the project, of another one its name."""
        return self._modules.path_of(module) or module.__name__

    def code_name(self, value: FunctionType | type) -> str | None:
        """Name a function or class for use inside a value; None for a foreign one.

        Where no component holds the code (lambdas, generated code), the name
        carries the digest of the code.
        """
        if isinstance(value, type):
            return self._class_name(value)
        unit = self.unit_of_function(value)
        if unit is None:
            path = self._path_of_globals(value)
            return None if path is None else f"{path}:{code_digest(value.__code__).hex()}"
        name = f"{unit.path}:{unit.name}"
        local = value.__code__.co_qualname.rpartition("<locals>.")[2]
        if unit.name.startswith("$"):
            return f"{name}.{local}@{unit.source.hex()}"
        return f"{name}.<locals>.{local}" if "<locals>" in value.__code__.co_qualname else name

    def _class_name(self, kind: type) -> str | None:
        place = self.class_place(kind)
        if place is None:
            return None
        path, qualified = place
        if self.has_unit(path, f"class {qualified}"):
            return f"{path}:class {qualified}"
        file = self.file(path)
        maker = qualified.partition(".<locals>")[0]
        unit = file.units.get(f"${maker}") or file.units.get(maker) if file else None
        return f"{path}:type {qualified}@{unit.source.hex() if unit else ''}"

    def _path_of_globals(self, function: FunctionType) -> str | None:
        """Return the module of code that exec ran in a module of the project."""
        module = sys.modules.get(function.__module__ or "")
        if module is None or function.__globals__ is not vars(module):
            return None
        return self._modules.path_of(module)
