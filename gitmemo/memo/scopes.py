"""What ops and the project say of dependencies: more than the code shows, or less.

Not what the code shows (`tracing`). Invariant: the scope of an op is found when
the op is first run, so that whatever it names may be defined after the op; a
name that means nothing is refused then.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from types import FunctionType, ModuleType
from typing import TYPE_CHECKING, Any

from gitmemo.errors import BadOption, DependencyMissing
from gitmemo.memo.distributions import suggestion
from gitmemo.model import externals
from gitmemo.model.components import (
    ENV,
    FILE,
    PACKAGE,
    Component,
    in_words,
    is_external,
    is_variable,
)
from gitmemo.source.descriptions import descriptions_of
from gitmemo.tracing import AS_FOUND, CodeState, Scope
from gitmemo.tracing.bindings import Kind, Target
from gitmemo.tracing.callables import functions_inside
from gitmemo.tracing.observations import Observations
from gitmemo.tracing.values import is_ours
from gitmemo.world.view import World

if TYPE_CHECKING:
    from gitmemo.memo.op import Op

_COMMITTED = "`depends` in .gitmemo/config.toml"


class Scopes:
    """The scopes of the ops of one storage; `code` is None where code is not versioned."""

    def __init__(self, world: World, code: CodeState | None) -> None:
        self._world = world
        self._code = code
        self._known: dict[Op[..., Any], Scope] = {}

    def of(self, op: Op[..., Any], name: str) -> Scope:
        """Return the scope of an op that is about to be run; `name` is for errors.

        Raises:
            DependencyMissing: It names a package or a file that was never there.
            BadOption: It names something untracked that the code does not have.
        """
        known = self._known.get(op)
        if known is None:
            known = self._known[op] = self._found(op, name)
        return known

    def _found(self, op: Op[..., Any], name: str) -> Scope:
        code = self._code
        options = op.options
        if code is None or not (options.depends or options.untracked or code.project.depends):
            return AS_FOUND
        untracked = Untracked(op, code).components(options.untracked)
        every = {*options.depends, *code.project.depends} - untracked
        for component in sorted(every):
            if component.path != ENV:
                where = f"@op({_OPTION[component.path]}=...)"
                self._check(component, name, where if component in options.depends else _COMMITTED)
        return Scope(tuple(sorted(every)), frozenset(untracked))

    def _check(self, component: Component, op: str, where: str) -> None:
        """Raise `DependencyMissing` for what is not there, and never was where calls ran."""
        code = self._code
        if code is None or not code.outside.is_absent(component) or self._world.lineage(component):
            return
        if component.path == FILE:
            fix = (
                f"paths start from {code.outside.folder}; "
                "correct the name, or create the file before the op runs"
            )
        else:
            fix = suggestion(component.unit)
        raise DependencyMissing(op, in_words(component), where, fix)


def _descriptions(component: Component) -> Iterator[Component]:
    """Yield what a function or class says of itself: it goes with it."""
    if not (is_external(component) or is_variable(component)):
        for unit in descriptions_of(component.unit):
            yield Component(component.path, unit)


_OPTION = {PACKAGE: "packages", FILE: "files"}


class Untracked:
    """Finds what the names and objects of one op's `untracked=` are."""

    def __init__(self, op: Op[..., Any], code: CodeState) -> None:
        self._op = op
        self._code = code
        function: Any = op.__wrapped__  # type checkers take a function in a class for a method
        self.path = code.modules.path_of_code(function.__code__) or code.modules.outside(function)

    def components(self, named: Iterable[object]) -> set[Component]:
        """Return the components; raise `BadOption` for a name that there is not."""
        found: set[Component] = set()
        for item in named:
            found.update(self._of_name(item) if isinstance(item, str) else self._of_object(item))
        return found | {each for component in found for each in _descriptions(component)}

    def name_for(self, component: Component) -> str:
        """Return what `untracked=` calls a component: the name alone if it is in the op's module."""
        name = component.unit[1:] if component.unit.startswith("$") else component.unit
        if component.path == self.path and name.isidentifier():
            return name
        return str(component)

    def _of_name(self, name: str) -> Iterator[Component]:
        if ":" in name:
            yield self._placed(name)
            return
        chain = tuple(name.split("."))
        module = self._code.modules.module(self.path)
        if module is None or not all(part.isidentifier() for part in chain):
            raise self._refused(repr(name), "write a name as the code does, or `path:unit`")
        target = self._code.bindings.follow(module, self.path, chain, Observations())
        components = list(self._of_target(target, name))
        if not components and len(chain) == 1 and self._is_made_later(self.path, name):
            components.append(Component(self.path, f"${name}"))
        if not components:
            raise self._refused(repr(name), self._nearest(name, module))
        yield from components

    def _of_target(self, target: Target, name: str) -> Iterator[Component]:
        match target.kind:
            case Kind.MODULE:
                raise self._refused(repr(name), f"it is a module: name what is in it, {name}.NAME")
            case Kind.FOREIGN:
                raise self._refused(
                    repr(name), "it is no code of the project, so it is no dependency"
                )
            case Kind.ABSENT:
                return
            case Kind.CLASS if target.rest and isinstance(target.value, type):
                yield from self._of_member(target.value, target.rest[0])
            case Kind.CLASS | Kind.FUNCTION if not target.rest:
                yield from self._of_code(target.value)
            case _:
                pass
        if target.component is not None:
            yield target.component

    def _of_member(self, kind: type, name: str) -> Iterator[Component]:
        """Yield the method, or the class statement for what has no unit of its own."""
        for base in kind.__mro__:
            if name not in vars(base):
                continue
            units = list(self._of_functions(vars(base)[name]))
            place = self._code.places.class_place(base)
            if not units and place is not None:
                units.append(Component(place[0], f"class {place[1]}"))
            yield from units
            return

    def _of_object(self, item: object) -> Iterator[Component]:
        found = list(self._of_code(item))
        if not found:
            said = getattr(item, "__qualname__", repr(item)[:80])
            fix = "give a function or a class of the project, or the name of a variable as text"
            if isinstance(item, ModuleType):
                fix = "name what is in the module, as text: 'module.NAME'"
            raise self._refused(said, fix)
        yield from found

    def _of_code(self, value: object) -> Iterator[Component]:
        if isinstance(value, type):
            place = self._code.places.class_place(value)
            if place is not None:
                yield from self._of_class(*place)
        else:
            yield from self._of_functions(value)

    def _of_class(self, path: str, qualified: str) -> Iterator[Component]:
        """Yield the class statement and its methods."""
        yield Component(path, f"class {qualified}")
        snapshot = self._code.modules.snapshot(path)
        for unit in snapshot.file.units if snapshot else ():
            if unit.startswith(f"{qualified}."):
                yield Component(path, unit)

    def _of_functions(self, value: object) -> Iterator[Component]:
        found: object = getattr(value, "__wrapped__", value) if is_ours(value) else value
        for function in functions_inside(found):
            unit = self._code.places.unit_of_function(function)
            if unit is not None and (function is found or not isinstance(found, FunctionType)):
                yield Component(unit.path, unit.name)

    def _placed(self, name: str) -> Component:
        path, _, unit = name.rpartition(":")
        component = Component(path, unit)
        if is_external(component):
            try:
                return _NAMED[path](unit)
            except ValueError as error:
                raise self._refused(repr(name), str(error)) from None
        if self._code.current(component) is None and not (
            unit.startswith("$") and self._is_made_later(path, unit[1:])
        ):
            snapshot = self._code.modules.snapshot(path)
            close = _close(unit, snapshot.file.units if snapshot else ())
            hint = f"did you mean {path}:{close}? " if close else ""
            raise self._refused(
                repr(name), f"{hint}a component is written as `gitmemo why` shows it"
            )
        return component

    def _is_made_later(self, path: str, name: str) -> bool:
        """Whether code could make this global when it runs."""
        snapshot = self._code.modules.snapshot(path)
        if snapshot is None:
            return False
        if f"${name}" in snapshot.file.units:
            return True
        return self._code.modules.may_bind(name)

    def _nearest(self, name: str, module: ModuleType) -> str:
        head, _, last = name.rpartition(".")
        names = [n for n in vars(module) if not n.startswith("__")]
        if head:
            held: Any = module
            for part in head.split("."):
                held = getattr(held, part, None)
            names = [n for n in dir(held) if not n.startswith("__")] if held is not None else []
        close = _close(last, names)
        where = f"{head}." if head else ""
        hint = f"did you mean {where}{close}? " if close else ""
        return f"{hint}a name is looked up as code in {self.path} would"

    def _refused(self, value: str, fix: str) -> BadOption:
        return BadOption(self._op.qualname, "untracked", value, fix)


_NAMED = {PACKAGE: externals.package, ENV: externals.variable, FILE: externals.file}


def _close(name: str, names: Iterable[str]) -> str:
    import difflib

    known = {re.sub(r"^(\$|class )", "", each): each for each in names}
    wanted = re.sub(r"^(\$|class )", "", name)
    found = difflib.get_close_matches(wanted, known, n=1)
    return known[found[0]] if found else ""
