"""One traversal from what ran to everything that its names, classes and values lead to.

Not which code ran, and not remembering the answer (`resolver`). Invariant: each
unit, class and value is entered once, and whatever was looked at is in `seen`.
"""

from __future__ import annotations

from collections.abc import Iterable
from types import FunctionType, ModuleType

from gitmemo.model.components import Component
from gitmemo.source import NameUse, UnitKind
from gitmemo.source.descriptions import described_unit, description_of
from gitmemo.source.names import DOCSTRING
from gitmemo.source.units import WHOLE_MODULE
from gitmemo.tracing import unpickled
from gitmemo.tracing.bindings import Kind, Target
from gitmemo.tracing.callables import functions_inside
from gitmemo.tracing.foreign import package_of
from gitmemo.tracing.members import attribute, data_of, hidden_callables
from gitmemo.tracing.modules import OUTSIDE
from gitmemo.tracing.observations import Observations
from gitmemo.tracing.reached import Reached, holds_values, values_of
from gitmemo.tracing.reading import read_by
from gitmemo.tracing.state import CodeState
from gitmemo.tracing.texts import LiveUnit
from gitmemo.tracing.values import registrations

_IMPORT_MACHINERY = frozenset(
    {"import_module", "__import__", "importlib", "run_module", "find_spec", "getattr", "modules"}
)


class Walk:
    """One traversal: say what ran, then `finish`."""

    def __init__(self, state: CodeState) -> None:
        self.seen = Observations()
        self._state = state
        self._modules = state.modules
        self._bindings = state.bindings
        self._places = state.places
        self._imports = state.imports
        self._components: set[Component] = set()
        self._visited: set[tuple[Component, bool]] = set()
        self._classes: set[tuple[int, bool]] = set()
        self._strings: set[tuple[str, str]] = set()  # path of the code, string in it
        self._imports_by_name = False
        self._reads: set[str] = set()  # of `__doc__` and `__annotations__`, what any code reads
        self._reached: set[int] = set()
        self._whole_modules: set[str] = set()
        self._start: str | None = None  # where the op is defined
        self._kept: list[object] = []  # so that no other object gets the id of one in a set

    def finish(self) -> frozenset[Component]:
        """Return everything that was met."""
        if self._imports_by_name:
            for path, text in self._strings:
                self._escape_by_name(path, text)
        self._makers_of_late_modules()
        for what in sorted(self._reads):
            self._described(what)
        return frozenset(self._components)

    def _makers_of_late_modules(self) -> None:
        """Visit what made the globals and classes of modules that need not be loaded yet.

        Where they are not, only their texts can be compared, and the text of
        `TABLE = build()` says nothing of `build`.
        """
        loaded = self._imports.always_loaded(self._start) if self._start else frozenset[str]()
        known: set[Component] = set()
        while late := [c for c in self._components - known if c.path not in loaded]:
            known.update(late)
            for component in late:
                self._makers(component)

    def _makers(self, component: Component) -> None:
        module = self._modules.module(component.path)
        snapshot = self._modules.snapshot(component.path)
        if module is None or snapshot is None or component.path.startswith(OUTSIDE):
            return
        self.seen.look(vars(module), "__spec__")
        units = snapshot.file.units
        meant = units.values() if component.unit == WHOLE_MODULE else [units.get(component.unit)]
        for unit in meant:
            if unit is None or unit.kind is UnitKind.FUNCTION:
                continue
            if unit.kind is UnitKind.GLOBAL or component.unit != WHOLE_MODULE:
                self._names(snapshot.live(component.path, unit), module, static=True)

    def _described(self, what: str) -> None:
        """Visit what the functions and classes that were met say of themselves."""
        for component in sorted(self._components):
            path, unit = component.path, component.unit
            module = self._modules.module(path)
            if unit.startswith("$") or path.startswith(OUTSIDE) or module is None:
                continue
            if described_unit(unit) is not None:
                continue
            description = Component(path, description_of(unit, what))
            found = self._state.description(description)
            if found is not None:
                self._components.add(description)
                self._names(found, module, static=True)

    # --- units

    def op(self, function: FunctionType, *, static: bool) -> None:
        """Visit the op's own function, wherever it is defined."""
        self.seen.function(function)
        path = self._modules.path_of_code(function.__code__) or self._modules.outside(function)
        self._start = path
        unit = self._modules.unit_of(function.__code__, path=path)
        if unit is None:
            return
        self.unit(unit, static=static)
        self._cells(function)

    def function(self, function: FunctionType) -> None:
        """Visit a function that may run without being seen, and all that it refers to."""
        self.seen.function(function)
        unit = self._places.unit_of_function(function)
        if unit is not None:
            self.unit(unit, static=True)
        self._cells(function)
        self._values([function])

    def _cells(self, function: FunctionType) -> None:
        for inner in functions_inside(function):
            unit = self._places.unit_of_function(inner)
            self.seen.function(inner)
            if inner is not function and unit is not None:
                self.unit(unit, static=True)

    def unit(self, unit: LiveUnit, *, static: bool) -> None:
        component = Component(unit.path, unit.name)
        if (component, True) in self._visited or (component, static) in self._visited:
            return
        self._visited.add((component, static))
        self._components.add(component)
        module = self._modules.module(unit.path)
        if module is None:
            return
        self.seen.look(vars(module), "__spec__")  # with a reload its statements may be others
        if unit.kind is UnitKind.CLASS:
            self._class_of_unit(unit, module, static=static)
        self._names(unit, module, static=static)
        if unit.kind is UnitKind.FUNCTION and "." in unit.name:
            owner = Component(unit.path, "class " + unit.name.rpartition(".")[0])
            held = self._state.held(owner, module, self.seen)
            if isinstance(held, type):
                self.klass(held, static=False)
        if unit.kind is UnitKind.FUNCTION:
            held = self._state.held(component, module, self.seen)
            if isinstance(held, FunctionType) and holds_values(held):
                self._see(component)
                # Not of the function itself: what it calls counts when it runs.
                self._values(values_of(held))

    def _names(self, unit: LiveUnit, module: ModuleType, *, static: bool) -> None:
        names = unit.names
        self._strings.update((unit.path, text) for text in names.strings)
        self._reads.update(names.reads)
        for use in sorted(names.uses):
            if _IMPORT_MACHINERY & set(use.chain) or use.module.startswith("importlib"):
                self._imports_by_name = True
            if use.module:
                self._reads.update(read_by(use.module, use.chain))
                self._listen(use.module, use.chain[-1:])
                self._import(unit.path, use, static=static)
                if (use.module, *use.chain[:1]) == ("sys", "modules"):
                    self._whole(unit.path)
                continue
            target = self._bindings.follow(module, unit.path, use.chain, self.seen)
            if target.description == "module sys" and target.rest[:1] == ("modules",):
                self._whole(unit.path)
            if target.kind is Kind.FOREIGN:
                name = getattr(target.value, "__name__", "")
                foreign = target.description.rpartition(" ")[2]
                self._reads.update(read_by(foreign, target.rest))
                if foreign == "builtin" and use.chain == ("help",):
                    self._reads.add(DOCSTRING)
                package = package_of(foreign)
                self._listen(package, target.rest[-1:] or (name,))
            # An import in the same file is part of the unit's own source.
            if target.kind is not Kind.FOREIGN or not _is_in(unit.path, target):
                self._target(target, use, static=static)
            if names.reflects:
                self._globals_of(target)
        if names.reflects:
            self._whole(unit.path)
        for kind in self._state.listed(unit, module, self.seen):
            for found in self._state.classes.own_subclasses(kind):
                self.klass(found, static=static)

    def _listen(self, package: str, names: tuple[str, ...]) -> None:
        """Hear of what the call unpickles, if it may: this walk comes before the first call."""
        if any(unpickled.may_unpickle(package, name) for name in names):
            unpickled.listen()

    def _globals_of(self, target: Target) -> None:
        """Visit the module that `f.__globals__` may be of."""
        for function in functions_inside(target.value):
            unit = self._places.unit_of_function(function)
            if unit is not None:
                self._whole(unit.path)

    def _import(self, path: str, use: NameUse, *, static: bool) -> None:
        """Visit what an import inside a function found, if it has been carried out."""
        found = self._imports.path_of(path, use.module)
        module = None if found is None else self._modules.module(found)
        if found is None or module is None:
            return
        if not use.chain:
            self._whole(found)
            return
        target = self._bindings.follow(module, found, use.chain, self.seen)
        self._target(target, use, static=static)

    def _escape_by_name(self, path: str, text: str) -> None:
        found = self._imports.path_of(path, text)
        if found is not None and found != path and self._modules.module(found) is not None:
            self._whole(found)

    def _whole(self, path: str) -> None:
        self._components.add(Component(path, WHOLE_MODULE))
        module = self._modules.module(path)
        if module is None or path in self._whole_modules:
            return
        self._whole_modules.add(path)
        held = [
            value
            for name, value in list(vars(module).items())
            if not name.startswith("__") and not isinstance(value, FunctionType | type | ModuleType)
        ]
        if self._values(held):
            self._see(Component(path, WHOLE_MODULE))
        self.held(value for value in list(vars(module).values()) if isinstance(value, type))

    # --- what values lead to

    def _see(self, component: Component) -> None:
        """Note what the values of a component are: others may lead elsewhere."""
        self.seen.include([self._state.look(component)[1]])

    def _values(self, values: Iterable[object]) -> bool:
        """Visit what values lead to; answer whether there was anything to look into."""
        met = Reached().walk(values, items=False)
        if not met.kinds and not met.functions and not met.modules:
            return False
        self._kept.append(met)
        self.held([*met.kinds.values(), *met.functions.values(), *met.modules.values()])
        return True

    def held(self, objects: Iterable[type | FunctionType | ModuleType]) -> None:
        """Visit classes, functions and modules that were met inside values."""
        for value in objects:
            if id(value) in self._reached:
                continue
            self._reached.add(id(value))
            if isinstance(value, FunctionType):
                self.function(value)
            elif isinstance(value, type):
                if self._places.class_place(value) is not None:
                    self.klass(value, static=False)
            else:
                path = self._modules.path_of(value)
                if path is not None:
                    self._whole(path)

    # --- what names point at

    def _target(self, target: Target, use: NameUse, *, static: bool) -> None:
        # Of an op in an installed package only its own function counts.
        if target.component is not None and not target.component.path.startswith(OUTSIDE):
            self._components.add(target.component)
            if static:
                self._statement(target.component)
        match target.kind:
            case Kind.MODULE:
                self._module(target, use)
            case Kind.FUNCTION:
                self._function(target, use, static=static)
            case Kind.CLASS:
                self._class(target, use, static=static)
            case Kind.DATA:
                self._data(target, static=static)
            case Kind.ABSENT | Kind.FOREIGN:
                pass

    def _module(self, target: Target, use: NameUse) -> None:
        path = self._modules.path_of(target.value) if isinstance(target.value, ModuleType) else None
        # `import pkg.mod` inside a function reads nothing of it by itself.
        if path is not None and not (use.module and use.called):
            self._whole(path)

    def _function(self, target: Target, use: NameUse, *, static: bool) -> None:
        functions = list(functions_inside(target.value))
        # A plain function that is called is seen when it runs. A wrapper may skip
        # what it wraps, and a function handed on may run where nobody looks.
        is_plain = isinstance(target.value, FunctionType) and len(functions) == 1
        if static or not is_plain or not use.called or target.rest:
            for function in functions:
                self.function(function)
        if static:
            self._implementations(target.value)
        self._type_of(target.value, static=static)
        if not isinstance(target.value, FunctionType):
            self._values([target.value])

    def _implementations(self, value: object) -> None:
        """Visit what is registered with a dispatching function; a call of it picks one."""
        for held in list((registrations(value) or {}).values()):
            self._inside(held)

    def _class(self, target: Target, use: NameUse, *, static: bool) -> None:
        kind = target.value
        if not isinstance(kind, type):
            return
        self.klass(kind, static=static)
        if target.rest and not use.called:
            self._inside(attribute(kind, target.rest[0]))

    def _data(self, target: Target, *, static: bool) -> None:
        if isinstance(target.dynamic, FunctionType):
            self.function(target.dynamic)
        if isinstance(target.value, type):
            self.klass(target.value, static=static)
            return
        self._inside(target.value)
        self._type_of(target.value, static=static)
        if self._values([target.value]) and target.component is not None:
            self._see(target.component)

    def _inside(self, value: object) -> None:
        for function in functions_inside(value):
            self.function(function)

    def _type_of(self, value: object, *, static: bool) -> None:
        kind = type(value)
        if self._places.class_place(kind) is not None:
            self.klass(kind, static=static)

    def _statement(self, component: Component) -> None:
        """Visit the statements of a global: what they call may be what it holds."""
        snapshot = self._modules.snapshot(component.path)
        unit = snapshot.file.units.get(component.unit) if snapshot else None
        if snapshot is not None and unit is not None:
            self.unit(snapshot.live(component.path, unit), static=True)

    # --- classes

    def klass(self, kind: type, *, static: bool) -> None:
        """Visit the class statement of `kind` and of its bases, if they are the project's."""
        if (id(kind), True) in self._classes or (id(kind), static) in self._classes:
            return
        self._classes.add((id(kind), static))
        for base in kind.__mro__:
            place = self._places.class_place(base)
            if place is None:
                continue
            self._skeleton(base, *place, static=static)
            if static:
                for held in list(vars(base).values()):
                    self._inside(held)

    def _skeleton(self, kind: type, path: str, qualified: str, *, static: bool) -> None:
        unit = self._state.live_unit(Component(path, f"class {qualified}"), self.seen)
        if unit is None:
            self._maker(path, qualified)
            return
        self.unit(unit, static=static)
        if self._values(data_of(kind)):
            self._see(Component(path, f"class {qualified}"))
        for held in hidden_callables(kind):
            self._inside(held)
        for held in list(vars(kind).values()):
            if isinstance(held, type):  # also where no name leads to it: `self.Config.rate`
                self.klass(held, static=static)

    def _maker(self, path: str, qualified: str) -> None:
        """Visit the function around a class statement."""
        name = qualified.partition(".<locals>")[0]
        unit = self._state.live_unit(Component(path, name), self.seen)
        if unit is not None and name != qualified:
            self.unit(unit, static=False)

    def _class_of_unit(self, unit: LiveUnit, module: ModuleType, *, static: bool) -> None:
        held = self._state.held(Component(unit.path, unit.name), module, self.seen)
        if isinstance(held, type):
            self.klass(held, static=static)


def _is_in(path: str, target: Target) -> bool:
    return target.component is not None and target.component.path == path
