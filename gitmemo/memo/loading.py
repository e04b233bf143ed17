"""Ops of a project by name: their file is imported, because the user asked for them.

Not for hooks, which never import user code. Invariant: a file is imported under
the module name that its place gives it, so that an op has its own name.
"""

from __future__ import annotations

import importlib
import os
import sys
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from operator import attrgetter
from pathlib import Path
from types import ModuleType
from typing import Any

from gitmemo.errors import OpNotLoaded
from gitmemo.memo.names import OpNames
from gitmemo.memo.op import Op
from gitmemo.model.components import is_external
from gitmemo.query import resolve_op
from gitmemo.tracing import Project
from gitmemo.world.view import World


class ProjectOps:
    """The ops of the files of a project; `known` are the names of those that have calls."""

    def __init__(
        self, project: Project, world: World, names: OpNames, known: Sequence[str]
    ) -> None:
        self._project = project
        self._world = world
        self._names = names
        self._known = known

    def load(self, name: str) -> Op[..., Any]:
        """Return the op `name`: its full or short name, `MODULE:FUNCTION` or `FILE:FUNCTION`.

        Raises:
            UnknownOp: It has no calls, and no file is named; or its short name means several.
            OpNotLoaded: Its file cannot be imported, or does not define it.
        """
        place, _, qualname = name.rpartition(":")
        if name not in self._known and place:
            path = self._path(place)
            if path is None:
                resolve_op(name, self._known)
            else:
                return self._from(path, qualname, name)
        former = self._world.renames().former_ops()
        full = resolve_op(name, sorted({*self._known, *former.values()}), former)
        full = former.get(full, full)
        place, _, qualname = full.rpartition(":")
        path = self._path(place) if place else None
        if path is not None and _has(self._imported(path, full), qualname):
            return self._from(path, qualname, full)
        return self._by_explicit_name(full)

    def _path(self, place: str) -> str | None:
        """Return the component path of a file, or of a module by its name."""
        if place.endswith(".py"):
            inside = self._project.component_path(str(Path(place).absolute()))
            file = self._project.file_of(inside or place)
            return (inside or place) if file is not None and file.is_file() else None
        return self._project.path_of_module_name(place)

    def _from(self, path: str, qualname: str, name: str) -> Op[..., Any]:
        module = self._imported(path, name)
        if "<locals>" in qualname:
            raise OpNotLoaded(name, path, "it is defined inside a function")
        try:
            found = attrgetter(qualname)(module)
        except AttributeError:
            raise OpNotLoaded(name, path, f"it defines no {qualname!r}") from None
        if not isinstance(found, Op):
            raise OpNotLoaded(name, path, f"{qualname!r} is no op")
        self._names.name_of(found)
        return found

    def _by_explicit_name(self, name: str) -> Op[..., Any]:
        """Return the op that gave itself a name: its file is among those that its calls touched."""
        for path in self._touched(name):
            for op in _ops_in(self._imported(path, name)):
                if self._names.name_of(op)[0] == name:
                    return op
        raise OpNotLoaded(name, "", "no file that its calls touched defines it now")

    def _touched(self, name: str) -> list[str]:
        """Return the files that the newest call touched, those that mention the name first."""
        versions = (call.version for call in self._world.newest_calls(name, 1))
        found = [self._world.version(version) for version in versions if version]
        paths = sorted(
            {
                component.path
                for version in found
                if version
                for component in version.pairs
                if not is_external(component)
            }
        )
        files = {path: self._project.file_of(path) for path in paths}
        texts = {path: file.read_bytes() for path, file in files.items() if file and file.is_file()}
        return sorted(texts, key=lambda path: name.encode() not in texts[path])

    def _imported(self, path: str, op: str) -> ModuleType:
        file = self._project.file_of(path)
        name = self._project.module_name_of(path)
        assert file is not None  # paths come from the project
        try:
            with _import_roots(self._project, file):
                module = importlib.import_module(name)
        except (Exception, SystemExit) as error:
            reason = f"importing it raised {type(error).__name__}: {error}"
            raise OpNotLoaded(op, path, reason) from error
        if os.path.realpath(getattr(module, "__file__", None) or "") != os.path.realpath(file):
            raise OpNotLoaded(op, path, f"another module is called {name!r} too")
        return module


@contextmanager
def _import_roots(project: Project, file: Path) -> Iterator[None]:
    """Let files be found as when the file is run as a script, and as when it is imported."""
    before = list(sys.path)
    assert project.root is not None
    roots = [file.parent, *(project.root / root for root in project.source_roots), project.root]
    sys.path[:0] = [str(root) for root in roots]
    try:
        yield
    finally:
        # The imported code may have added folders of its own, which it needs later.
        sys.path[:] = [*before, *(entry for entry in sys.path if entry not in before)]


def _has(module: ModuleType, qualname: str) -> bool:
    try:
        return isinstance(attrgetter(qualname)(module), Op)
    except AttributeError:
        return False


def _ops_in(module: ModuleType) -> Iterator[Op[..., Any]]:
    """Yield the ops of a module and of its classes."""
    for value in list(vars(module).values()):
        if isinstance(value, Op):
            yield value
        elif isinstance(value, type) and value.__module__ == module.__name__:
            yield from (member for member in vars(value).values() if isinstance(member, Op))
