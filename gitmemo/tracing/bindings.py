"""What a name of the project points at, in the running program or in a text.

Not contents (`state`) and not which names matter (`resolver`). Invariant: a
description depends on where the thing is defined, never on whether its module
happens to be loaded, on library versions or on object identity.
"""

from __future__ import annotations

import builtins
import sys
from dataclasses import dataclass
from enum import Enum
from types import FunctionType, ModuleType

from gitmemo.model.components import Component
from gitmemo.source import ImportedName
from gitmemo.tracing.callables import functions_inside
from gitmemo.tracing.cells import is_shell_getter
from gitmemo.tracing.foreign import BUILTIN_KINDS, foreign_name, kind_name
from gitmemo.tracing.imports import Imports
from gitmemo.tracing.modules import Modules
from gitmemo.tracing.observations import MISSING, Observations
from gitmemo.tracing.places import Places
from gitmemo.tracing.values import is_ours, ref_id, wrapped

_BUILTINS = vars(builtins)


class Kind(Enum):
    """The sorts of things that a name can point at."""

    ABSENT = "absent"
    FOREIGN = "foreign"
    MODULE = "module"
    FUNCTION = "function"
    CLASS = "class"
    DATA = "data"


@dataclass(frozen=True, slots=True)
class Target:
    """What a chain of names points at.

    Attributes:
        kind: What sort of thing it is.
        description: Where it is defined, in words.
        value: The thing; `MISSING` if there is none.
        component: The global that holds it, where that is a dependency; of what is foreign the
            one that imports it.
        rest: The attributes of the chain that were not followed.
        dynamic: A module's `__getattr__` made it.
    """

    kind: Kind
    description: str
    value: object = MISSING
    component: Component | None = None
    rest: tuple[str, ...] = ()
    dynamic: object = None


_ABSENT = Target(Kind.ABSENT, "absent")


class Bindings:
    """Follows names through the project's modules."""

    def __init__(self, modules: Modules, places: Places, imports: Imports) -> None:
        self._modules = modules
        self._places = places
        self._imports = imports

    # --- live

    def follow(
        self, module: ModuleType, path: str, chain: tuple[str, ...], seen: Observations
    ) -> Target:
        """Follow a chain that starts in the globals of `module`."""
        value: object = module
        for index, name in enumerate(chain):
            if not isinstance(value, ModuleType):
                break
            if index:
                owner = self._modules.path_of(value)
                if owner is None:
                    return self._foreign(value, chain[index:], seen)
                if name == "__dict__":
                    break
                module, path = value, owner
            found = seen.look(vars(module), name)
            if found is MISSING:
                return self._missing(module, path, name, seen, first=index == 0)
            value = found
        else:
            index = len(chain)
        if isinstance(value, ModuleType):
            owner = self._modules.path_of(value)
            description = f"module {value.__name__ if owner is None else owner}"
            kind = Kind.FOREIGN if owner is None else Kind.MODULE
            return Target(kind, description, value, None, chain[index:])
        return self._classify(module, path, chain[index - 1], value, chain[index:], seen)

    def _foreign(self, module: ModuleType, rest: tuple[str, ...], seen: Observations) -> Target:
        """Say what an installed module holds: perhaps code that the project put there."""
        held: object = module
        for index, name in enumerate(rest):
            if not isinstance(held, ModuleType):
                break
            held = seen.look(vars(held), name)
            if isinstance(held, FunctionType):
                unit = self._places.unit_of_function(held)
                if unit is not None:
                    described = f"func {unit.path}:{unit.name}"
                    return Target(Kind.FUNCTION, described, held, None, rest[index + 1 :])
            elif isinstance(held, type):
                place = self._places.class_place(held)
                if place is not None:
                    described = f"class {place[0]}:{place[1]}"
                    return Target(Kind.CLASS, described, held, None, rest[index + 1 :])
        return Target(Kind.FOREIGN, f"module {module.__name__}", module, None, rest)

    def _missing(
        self, module: ModuleType, path: str, name: str, seen: Observations, *, first: bool
    ) -> Target:
        if first:
            return Target(Kind.FOREIGN, "builtin") if name in _BUILTINS else _ABSENT
        submodule = self._imports.submodule(path, name)
        if submodule is not None:  # that nobody has imported so far
            return Target(Kind.ABSENT, f"module {submodule}")
        maker = vars(module).get("__getattr__")
        if not isinstance(maker, FunctionType):
            return _ABSENT
        value = getattr(module, name, MISSING)
        seen.function(maker)
        component = Component(path, f"${name}")
        return Target(Kind.DATA, "data", value, component, (), maker)

    def _classify(
        self,
        module: ModuleType,
        path: str,
        name: str,
        value: object,
        rest: tuple[str, ...],
        seen: Observations,
    ) -> Target:
        if is_shell_getter(value):
            return Target(Kind.FOREIGN, "foreign IPython", value, None, rest)
        if is_ours(value) and ref_id(value) is None:
            inner = wrapped(value)
            if not isinstance(inner, FunctionType):
                return Target(Kind.FOREIGN, "gitmemo", value)
            value = inner
        path, name, foreign = self.origin(path, name, value)
        if isinstance(value, FunctionType | type) or foreign is None:
            described = self._definition(path, name, value, foreign, seen)
            if described is not None:
                kind, description, component = described
                if kind is Kind.FOREIGN and foreign is not None:
                    component = self._import(path, name)
                return Target(kind, description, value, component, rest)
        if foreign is not None:
            holder = self._import(path, name)
            return Target(Kind.FOREIGN, f"foreign {foreign}", value, holder, rest)
        return Target(Kind.DATA, "data", value, Component(path, f"${name}"), rest)

    def _definition(
        self, path: str, name: str, value: object, foreign: str | None, seen: Observations
    ) -> tuple[Kind, str, Component | None] | None:
        """Describe what is not plain data: by the place that defines it."""
        file = self._places.file(path)
        units = file.units if file else {}
        holder = Component(path, f"${name}") if f"${name}" in units else None
        if isinstance(value, type):
            place = self._places.class_place(value)
            if place is None:
                return None if holder else _named(path, name, value, foreign)
            class_path, qualified = place
            if self._places.has_unit(class_path, f"class {qualified}") and holder is None:
                return Kind.CLASS, f"class {class_path}:{qualified}", None
            return Kind.DATA, "data", holder or Component(path, f"${name}")
        if isinstance(value, BUILTIN_KINDS):
            return None if holder else _named(path, name, value, foreign)
        functions = list(functions_inside(value))
        for function in functions:
            seen.function(function)
        own = [
            unit
            for unit in (self._places.unit_of_function(f) for f in functions)
            if unit is not None
        ]
        if holder is not None:
            return Kind.FUNCTION if isinstance(value, FunctionType) else Kind.DATA, "data", holder
        if name in units:
            # `@cache def f` is no function but still what `def f` made.
            described = own[-1] if own else None
            for unit in own:
                if (unit.path, unit.name) == (path, name):
                    described = unit
            if described is None:  # a decorator put something else in the place of the function
                return Kind.FUNCTION, kind_name(value), Component(path, name)
            return Kind.FUNCTION, f"func {described.path}:{described.name}", None
        if isinstance(value, FunctionType):
            if own:
                return Kind.FUNCTION, f"func {own[0].path}:{own[0].name}", self._unbound(path, name)
            if value.__globals__ is vars(self._modules.module(path) or sys):
                return Kind.FUNCTION, "data", Component(path, f"${name}")  # made by exec
            return _named(path, name, value, foreign)
        return None

    def _import(self, path: str, name: str) -> Component | None:
        """Return the global that an import statement of the file binds by name."""
        file = self._places.file(path)
        return Component(path, f"${name}") if file and name in file.imports else None

    def _unbound(self, path: str, name: str) -> Component | None:
        """Return the global of a name that no definition or import of the file binds."""
        file = self._places.file(path)
        if file is None or name in file.bound or file.stars:
            return None
        return Component(path, f"${name}")

    def origin(self, path: str, name: str, value: object) -> tuple[str, str, str | None]:
        """Follow imports to the module that first bound `value`.

        Returns path and name there, and for what comes from an installed
        package the dotted name under which it is imported from it.
        """
        for _ in range(20):
            step = self._import_step(path, name, value)
            if step is None:
                return path, name, None
            where, module, attribute = step
            if where is None:
                return path, name, f"{module}.{attribute}"
            path, name = where, attribute
        return path, name, None

    def _import_step(
        self, path: str, name: str, value: object
    ) -> tuple[str | None, str, str] | None:
        file = self._places.file(path)
        if file is None:
            return None
        aliases = list(file.imports.get(name, ()))
        if not aliases and name not in file.bound:
            aliases = [ImportedName(name, module, name) for module in file.stars]
        for alias in aliases:
            absolute = self._imports.absolute(path, alias.module)
            module = sys.modules.get(absolute)
            if module is None or not alias.name:
                continue
            found = vars(module).get(alias.name, MISSING)
            if is_ours(found) and found is not value:
                found = getattr(found, "__wrapped__", found)
            if found is value or (
                found is MISSING and getattr(module, alias.name, MISSING) is value
            ):
                return self._modules.path_of(module), absolute, alias.name
        return None

    def describe_import(
        self, path: str, module: str, chain: tuple[str, ...], seen: Observations
    ) -> str | None:
        """Describe what an import inside a function finds; None for foreign modules.

        The same whether or not the module has been imported yet: a fresh
        process must recognise the results of one where it has.
        """
        found = self._imports.path_of(path, module)
        if found is None:
            return None
        live = self._modules.module(found)
        if live is not None and is_ready(live):
            if not chain:
                return f"module {found}"
            return self._describe_loaded(live, found, chain, seen)
        seen.look(sys.modules, self._imports.absolute(path, module))
        return self._imports.describe(found, chain, seen)

    def _describe_loaded(
        self, live: ModuleType, path: str, chain: tuple[str, ...], seen: Observations
    ) -> str:
        if seen.look(vars(live), chain[0]) is MISSING:
            submodule = self._imports.submodule(path, chain[0])
            if submodule is not None:  # the import will load it
                return self._imports.describe(submodule, chain[1:], seen)
        target = self.follow(live, path, chain, seen)
        if target.kind is Kind.FOREIGN:
            # What a process says that has not loaded the module, unless it would be wrong.
            read = self._imports.describe(path, chain, seen)
            kind, _, name = read.partition(" ")
            if kind == "foreign" and imported(name) is target.value:
                return read
        return target.description


def _named(
    path: str, name: str, value: object, foreign: str | None
) -> tuple[Kind, str, Component | None]:
    """Describe what no code of the project defines: by its name, or else as the value it is."""
    found = foreign or foreign_name(value)
    if found is None:
        return Kind.DATA, "data", Component(path, f"${name}")
    return Kind.FOREIGN, f"foreign {found}", None


def is_ready(module: ModuleType) -> bool:
    """Whether a module has been imported to its end."""
    return not getattr(getattr(module, "__spec__", None), "_initializing", False)


def imported(name: str) -> object:
    """Return what importing a dotted name gives, `MISSING` if its module is not loaded."""
    module, _, attribute = name.rpartition(".")
    holder = sys.modules.get(module)
    found = MISSING if holder is None else vars(holder).get(attribute, MISSING)
    return sys.modules.get(name, MISSING) if found is MISSING else found
