"""What filled the globals that calls change: a cache that is filled when it is first used.

Not how a change is found (`capture`). Invariant: a call in which code ran that changed a global in
a call of this process depends on all that this code can touch, as it was when the global was filled.
"""

from __future__ import annotations

import threading
from collections.abc import Collection, Mapping
from types import FunctionType

from gitmemo.model.components import Component, Content, is_external, is_variable, plain_name
from gitmemo.source.stores import may_change
from gitmemo.source.units import NO_SOURCE
from gitmemo.tracing.resolver import Closure, Resolver
from gitmemo.tracing.state import CodeState
from gitmemo.tracing.values import UNSETTLED

_MOST_CONTENTS = 16


_Contents = dict[Component, list[Content]]


class Fillings:
    """What calls of this process changed, by which code, and what that code had used."""

    def __init__(self, state: CodeState, resolver: Resolver) -> None:
        self._state = state
        self._resolver = resolver
        # Of each global that calls changed: the units that may have done it, and what the calls
        # in which they did had used, with the last contents.
        self._known: dict[Component, dict[Component, _Contents]] = {}
        self._lock = threading.RLock()

    def may_change(self, component: Component, touched: Collection[Component]) -> bool:
        """Whether code that another call changed a component with was touched."""
        units = self._known.get(component)
        return units is not None and not units.keys().isdisjoint(touched)

    def note(
        self, changed: Component, touched: Mapping[Component, Content], function: FunctionType
    ) -> None:
        """Remember that a call of `function` changed a component."""
        if is_external(changed):
            return
        with self._lock:
            self._note(changed, touched, function)

    def _note(
        self, changed: Component, touched: Mapping[Component, Content], function: FunctionType
    ) -> None:
        units = self._known.setdefault(changed, {})
        here = units.keys() & touched
        if not here:
            here = self._changing(changed, touched) or self._own(function)
        could = self._resolver.static(function).components
        for unit in here:
            made_with = units.setdefault(unit, {})
            follows = self._reach({unit}).components
            for component, content in touched.items():
                # What the op could touch but not this code has nothing to do with it; what ran
                # though nothing leads to it (from a container, say) may have.
                if is_external(component) or (component in could and component not in follows):
                    continue
                known = made_with.setdefault(component, [])
                if content in known:
                    known.remove(content)
                known.append(content)
                del known[:-_MOST_CONTENTS]

    def complete(
        self,
        found: dict[Component, Content],
        touched: frozenset[Component],
        untracked: frozenset[Component],
        changed: Collection[Component],
    ) -> None:
        """Add to `found` what filled the globals among `touched` that the code there may fill.

        Of those that this call `changed` it is not asked what other calls had used.
        """
        with self._lock:
            self._complete(found, touched, untracked, changed)

    def _complete(
        self,
        found: dict[Component, Content],
        touched: frozenset[Component],
        untracked: frozenset[Component],
        changed: Collection[Component],
    ) -> None:
        behind = self._behind(touched, untracked)
        if not behind:
            return
        made_with = self._made_with(touched, changed)
        for component in behind - untracked:
            own = found.get(component)
            if own is None and component in touched:
                continue  # it was found to be no content of this call
            now = own or self._now(component, behind)
            then = made_with.get(component)
            if then is None or now is None or any(_is_same(each, now) for each in then):
                content = now
            elif own is None:
                content = then[-1]
            else:  # this call has used one, and what it found in the global was made with another
                content = Content(now.source, UNSETTLED)
            if content is not None:
                found[component] = content

    def _behind(
        self, touched: frozenset[Component], untracked: frozenset[Component]
    ) -> frozenset[Component]:
        """Return what code can touch that fills what was touched, and what fills that."""
        behind = frozenset[Component]()
        while True:
            met = touched | behind
            code = {
                unit for each in met & self._known.keys() for unit in self._known[each].keys() & met
            }
            for component in untracked & met:  # nobody compares the values of these
                code |= self._changing(component, met)
            if not code:
                return behind
            more = self._reach(code).components.union(self._made_with(met))
            if more <= behind:
                return behind
            behind |= more

    def _made_with(
        self, touched: frozenset[Component], changed: Collection[Component] = ()
    ) -> _Contents:
        """Return what the globals among `touched` were made with, but for those that were `changed`."""
        made: _Contents = {}
        for component in touched & self._known.keys() - set(changed):
            units = self._known[component]
            for unit in units.keys() & touched:
                for each, contents in units[unit].items():
                    made.setdefault(each, []).extend(contents)
        return made

    def _now(self, component: Component, behind: frozenset[Component]) -> Content | None:
        content = self._state.current(component)
        if content is None or not self.may_change(component, behind):
            return content
        return None if content.source == NO_SOURCE else Content(content.source)

    def _reach(self, code: Collection[Component]) -> Closure:
        return self._resolver.reach(frozenset(code))

    def _changing(self, changed: Component, touched: Collection[Component]) -> set[Component]:
        """Return the code that may change a component, as far as its text says so."""
        name = plain_name(changed).rpartition(".")[2]
        return {unit for unit in touched if self._may_change(unit, name)}

    def _may_change(self, component: Component, name: str) -> bool:
        if is_external(component) or is_variable(component):
            return False
        snapshot = self._state.modules.snapshot(component.path)
        unit = snapshot.file.units.get(component.unit) if snapshot else None
        return unit is not None and may_change(unit.nodes, name)

    def _own(self, function: FunctionType) -> set[Component]:
        path = self._state.modules.path_of_code(function.__code__)
        unit = self._state.modules.unit_of(function.__code__)
        return {Component(path, unit.name)} if path and unit else set()


def _is_same(then: Content, now: Content) -> bool:
    """Whether two contents are alike, as far as both are known."""
    unknown = then.value is None or now.value is None
    return then.source == now.source and (unknown or then.value == now.value)
