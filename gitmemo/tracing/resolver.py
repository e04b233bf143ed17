"""From code objects that ran to the components that the call touched.

Not the events (`events`) and not contents (`state`). A unit that ran brings in
what its names point at; code that may run unseen (in caches, other processes,
callbacks) is followed without having run. Invariant: a component whose change
could change the call's result is in the closure.
"""

from __future__ import annotations

import inspect
from collections.abc import Iterable
from dataclasses import dataclass
from types import CodeType, FunctionType, ModuleType

from gitmemo.model.components import Component
from gitmemo.source import UnitKind
from gitmemo.tracing.observations import Observations
from gitmemo.tracing.reached import Reached, only_atoms
from gitmemo.tracing.state import CodeState
from gitmemo.tracing.walk import Walk


@dataclass(frozen=True, slots=True)
class Closure:
    """The components of one set of code objects, and what was looked at to find them."""

    components: frozenset[Component]
    seen: Observations


# Asked of every call with arguments that are more than scalars.
_BUILTIN_KINDS = frozenset({list, tuple, dict, set, frozenset, object, type})
_Key = tuple[bool, int, frozenset[int], frozenset[int]]


@dataclass(frozen=True, slots=True)
class Given:
    """The classes, functions and modules that the arguments of a call hold, and their ids."""

    held: tuple[type | FunctionType | ModuleType, ...]
    ids: frozenset[int]


NOTHING_GIVEN = Given((), frozenset())


class Resolver:
    """Resolves code objects; remembers the answers while the bindings stand."""

    def __init__(self, state: CodeState) -> None:
        self._state = state
        self._known: dict[_Key, tuple[object, Closure]] = {}
        self._reached: dict[frozenset[Component], Closure] = {}

    def executed(
        self,
        function: FunctionType,
        codes: Iterable[CodeType],
        given: Given = NOTHING_GIVEN,
        *,
        static: bool = False,
    ) -> Closure:
        """Return what a call of `function` touched in which `codes` ran.

        `given` is what of the project its arguments hold.
        `static`: more may have run, so that what they refer to counts as run.
        """
        ran = tuple(codes)
        key = (static, id(function), frozenset(map(id, ran)), given.ids)
        return self._resolve(key, function, ran, given, static=static)

    def static(self, function: FunctionType, given: Given = NOTHING_GIVEN) -> Closure:
        """Return what a call of `function` could touch, found without running it."""
        return self.executed(function, (), given, static=True)

    def reach(self, units: frozenset[Component]) -> Closure:
        """Return what code could touch, found without running it."""
        known = self._reached.get(units)
        if known is not None and known.seen.unchanged():
            return known
        walk = Walk(self._state)
        for component in sorted(units):
            unit = self._state.live_unit(component, walk.seen)
            if unit is not None:
                walk.unit(unit, static=True)
        if len(self._reached) > 4096:
            self._reached.clear()
        self._reached[units] = closure = Closure(walk.finish(), walk.seen)
        return closure

    def given(self, arguments: Iterable[object]) -> Given:
        """Return what of the project the arguments of a call hold."""
        if only_atoms(arguments):
            return NOTHING_GIVEN
        met = Reached().walk(arguments, items=True)
        if not met.kinds and not met.functions and not met.modules:
            return NOTHING_GIVEN
        place, path_of = self._state.places.class_place, self._state.modules.path_of
        held: list[type | FunctionType | ModuleType] = [
            kind
            for kind in met.kinds.values()
            if kind not in _BUILTIN_KINDS and place(kind) is not None
        ]
        held.extend(met.functions.values())
        held.extend(m for m in met.modules.values() if path_of(m) is not None)
        return Given(tuple(held), frozenset(map(id, held))) if held else NOTHING_GIVEN

    def also_given(self, given: Given, more: Iterable[type | FunctionType]) -> Given:
        """Return what the arguments hold and what of the project the call itself loaded."""
        place, unit_of = self._state.places.class_place, self._state.places.unit_of_function
        own = [
            each
            for each in more
            if (place(each) if isinstance(each, type) else unit_of(each)) is not None
        ]
        return Given((*given.held, *own), given.ids.union(map(id, own))) if own else given

    def _resolve(
        self,
        key: _Key,
        function: FunctionType,
        ran: tuple[CodeType, ...],
        given: Given,
        *,
        static: bool,
    ) -> Closure:
        known = self._known.get(key)
        if known is not None and known[1].seen.unchanged():
            return known[1]
        walk = Walk(self._state)
        walk.op(function, static=static)
        for code in ran:
            unit = self._state.modules.unit_of(code)
            # A class statement runs when the call is the first to import its module: that
            # is no use of the class.
            is_statement = unit is not None and unit.kind is UnitKind.CLASS and _is_body(code)
            if unit is not None and not is_statement:
                walk.unit(unit, static=static)
        walk.held(given.held)
        closure = Closure(walk.finish(), walk.seen)
        if len(self._known) > 4096:  # lambdas as ops, made anew for every call
            self._known.clear()
        # The objects are kept so that no other gets their id.
        self._known[key] = ((function, ran, given), closure)
        return closure


def _is_body(code: CodeType) -> bool:
    """Whether this is the code of a class statement, not of a function in it."""
    return not code.co_flags & inspect.CO_NEWLOCALS
