"""Watching one call: what it touched, with the contents at its start.

Not the store and not the decision whether a result is valid. Invariant: a
capture changes nothing that the program can see, and its components include
those of every capture inside it.
"""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from types import FunctionType, TracebackType
from typing import Any, Final

from gitmemo.model.components import Component, Content, is_external
from gitmemo.source.units import NO_SOURCE
from gitmemo.tracing import unpickled
from gitmemo.tracing.events import event_source
from gitmemo.tracing.fillings import Fillings
from gitmemo.tracing.observations import Observations, Probe
from gitmemo.tracing.project import Project
from gitmemo.tracing.recordings import Recording
from gitmemo.tracing.resolver import Closure, Given, Resolver
from gitmemo.tracing.state import CodeState
from gitmemo.tracing.values import UNSETTLED

_MOST_PLANS = 4096

_MOST_SHAPES = 512

Contents = Mapping[Component, Content]


@dataclass(frozen=True, slots=True)
class Scope:
    """What the user said of a call's dependencies.

    Attributes:
        named: What counts although no code leads to it.
        untracked: What does not count although code leads to it.
    """

    named: tuple[Component, ...] = ()
    untracked: frozenset[Component] = frozenset()

    def over(self, components: Iterable[Component]) -> set[Component]:
        """Return what counts of `components`, and what counts besides."""
        return {*components, *self.named} - self.untracked


AS_FOUND: Final = Scope()
"""The scope of a call of which the user said nothing."""

Shape = tuple[frozenset[int], frozenset[int]]


class Capture:
    """The record of one call; a context manager to put around it.

    Attributes:
        components: After the call, everything that it touched, with contents as
            they were when it began; the values of what it changed are None.
        mutated: The components among them whose value the call itself changed.
        is_repeatable: Whether a call in which the same code runs touches the same.
    """

    __slots__ = (
        "_added",
        "_arguments",
        "_function",
        "_given",
        "_modules",
        "_plan",
        "_recording",
        "_scope",
        "_static",
        "_tracker",
        "components",
        "is_repeatable",
        "mutated",
    )

    def __init__(
        self,
        tracker: Tracker,
        function: FunctionType,
        arguments: Iterable[object],
        *,
        static: bool,
        scope: Scope = AS_FOUND,
    ) -> None:
        self._tracker = tracker
        self._arguments = arguments
        self._function = function
        self._static = static
        self._scope = scope
        self._added: dict[Component, Content | None] = {}
        self.components: Contents = {}
        self.mutated: tuple[Component, ...] = ()
        self.is_repeatable = False

    def add(self, components: Iterable[Component] | Contents) -> None:
        """Count what a nested call touched that was not run here, or whose result was looked up.

        With contents where they are known: they stand in for modules that are not loaded.
        """
        if isinstance(components, Mapping):
            self._added.update(components)
        else:
            for component in components:
                self._added.setdefault(component, None)

    def __enter__(self) -> Capture:
        tracker = self._tracker
        tracker.state.modules.observe()
        tracker.project.refuse_unusable()
        self._given = given = tracker.resolver.given(self._arguments)
        self._arguments = ()
        self._plan = tracker.plan(self._function, given, self._scope)
        self._modules = len(sys.modules)
        self._recording = Recording(tracker.project)
        if not self._static:
            unpickled.start(self._recording)
            try:
                event_source().start(self._recording)  # last: each function that runs now costs
            except BaseException:
                unpickled.stop(self._recording)
                raise
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        if not self._static:
            event_source().stop(self._recording)
            unpickled.stop(self._recording)
        try:
            self._finish()
        except Exception:
            # The error of the call itself is what its caller must see.
            if error is None:
                raise

    def _finish(self) -> None:
        if self._recording.found:
            found = unpickled.objects(self._recording)
            self._given = self._tracker.resolver.also_given(self._given, found)
        plan, shape = self._plan, (frozenset(self._recording.codes), self._given.ids)
        known = None if self._recording.blind else plan.shapes.get(shape)
        if known is not None and not self._added and plan.probe.unchanged():
            self.components = known  # the same mapping, so that its id is computed once
            return
        closure = self._closure()
        self._compare(plan.entry, closure)
        self._tracker.replan(plan, shape, closure, self)

    def _closure(self) -> Closure:
        resolver = self._tracker.resolver
        if self._static:
            return resolver.static(self._function, self._given)
        self._tracker.state.modules.observe()
        self._tracker.project.refuse_unusable()
        recording = self._recording
        codes = recording.codes.values()
        return resolver.executed(self._function, codes, self._given, static=recording.blind)

    def _compare(self, entry: Contents, closure: Closure) -> None:
        """Decide which of the contents before, after and of nested calls counts."""
        mutated: list[Component] = []
        filled: set[Component] = set()
        found: dict[Component, Content] = {}
        for component in sorted(self._scope.over([*closure.components, *self._added])):
            before, added = entry.get(component), self._added.get(component)
            after = self._tracker.state.current(component)
            if before is not None and before.value == UNSETTLED:
                before = after  # it is what it was, only known by now
            if self._is_made_here(component, before, after, entry):
                mutated.append(component)  # nothing was there that the result could depend on
                continue
            content = before or after
            if before is not None and is_external(component) and before != after:
                mutated.append(component)
                content = self._tracker.state.outside.unsettled(component)
            elif content is None or (content.value is None and added is not None):
                content = added
            elif added is not None and added.source != content.source:
                # A nested result was reused by a decision: what it was made with counts, so
                # that a revised decision reaches this call too.
                content = added
            elif (
                before is not None
                and after is not None
                and (before.value != after.value or self._may_fill(component, closure))
            ):
                mutated.append(component)
                if before.value == after.value:
                    filled.add(component)
                # By its source only; one that no statement binds may not be there next time.
                content = None if content.source == NO_SOURCE else Content(content.source)
            elif added is not None and added.value is None:  # a nested call changed it
                content = Content(content.source)
            if content is not None:
                found[component] = content
        causes = self._blame(mutated, found, filled)
        self._tracker.fillings.complete(found, closure.components, self._scope.untracked, causes)
        self.is_repeatable = not (mutated or self._added or self._recording.blind)
        self.mutated = tuple(causes)
        self.components = found

    def _may_fill(self, component: Component, closure: Closure) -> bool:
        """Whether code that another call changed a component with ran in this one too."""
        return self._tracker.fillings.may_change(component, closure.components)

    def _is_made_here(
        self, component: Component, before: Content | None, after: Content | None, entry: Contents
    ) -> bool:
        """Whether the call made a global that no statement of its module binds."""
        if before is not None or after is None or after.source != NO_SOURCE:
            return False
        # The code of a module that was imported meanwhile may have made it: that counts.
        was_loaded = len(sys.modules) == self._modules
        return was_loaded or any(known.path == component.path for known in entry)

    def _blame(
        self,
        mutated: list[Component],
        found: dict[Component, Content],
        filled: set[Component],
    ) -> list[Component]:
        """Return what the call changed by itself, and note which code did.

        Not what other calls have `filled`. Whether a name is bound that no statement binds is no
        content of the functions that use it, if the call binds it or it does not count.
        """
        state = self._tracker.state
        loose = {c.unit[1:] for c in mutated if c.unit.startswith("$") and c not in found}
        for component in self._scope.untracked:
            if component.unit.startswith("$"):
                now = state.current(component)
                if now is None or now.source == NO_SOURCE:
                    loose.add(component.unit[1:])
        followers: set[Component] = set()
        for component in list(found) if loose else ():
            if component.unit.startswith("$") or is_external(component):
                continue
            unit = state.live_unit(component, Observations())
            if unit and any(loose.intersection(use.chain) for use in unit.names.uses):
                found[component] = Content(found[component].source)
                followers.add(component)
        causes = [each for each in mutated if each not in followers and each not in filled]
        for component in causes:
            self._tracker.fillings.note(component, found, self._function)
        return causes


@dataclass(frozen=True, slots=True)
class Plan:
    """What is known of a function before it is called.

    Attributes:
        function: The function; kept, so that no other gets its id.
        scope: What the user said of its dependencies; kept too.
        entry: Contents of all that a call may touch, those of loaded modules.
        probe: Whether they still are what they were.
        given: What the arguments of calls with this plan held, by ids.
        shapes: By the code objects that ran and what the arguments held: what such a call
            touched.
    """

    function: FunctionType
    scope: Scope
    entry: Contents
    probe: Probe
    given: Mapping[frozenset[int], Given]
    shapes: dict[Shape, Contents]


class Tracker:
    """Makes captures of one project."""

    def __init__(self, project: Project, state: CodeState) -> None:
        self.project = project
        self.state = state
        self.resolver = Resolver(state)
        self._plans: dict[tuple[int, int], Plan] = {}
        self.fillings = Fillings(state, self.resolver)

    def capture(
        self,
        function: Callable[..., Any],
        *,
        static: bool = False,
        arguments: Iterable[object] = (),
        scope: Scope = AS_FOUND,
    ) -> Capture:
        """Return a context manager to put around one call of `function`.

        `static` finds what the function could touch instead of watching it run.
        `arguments` are the plain values that it is called with. `scope` is what the user said
        of its dependencies.
        """
        plain = function if type(function) is FunctionType else plain_function(function)
        return Capture(self, plain, arguments, static=static, scope=scope)

    def plan(self, function: FunctionType, given: Given, scope: Scope = AS_FOUND) -> Plan:
        """Read everything that a call of `function` will probably touch."""
        known = self._plans.get((id(function), id(scope)))
        stands = known is not None and known.probe.unchanged()
        if known is not None and stands and given.ids in known.given:
            return known
        static = self.resolver.static(function, given)
        components = static.components.union(known.entry if known else ())
        kept = known if stands else None
        plan = self._plan(function, scope, components, [static.seen], kept, given)
        self._keep(plan)
        return plan

    def replan(
        self,
        plan: Plan,
        shape: Shape,
        closure: Closure,
        capture: Capture,
    ) -> None:
        """Remember what a call touched, for the next one."""
        stands = plan.probe.unchanged()
        shapes = plan.shapes if stands else {}
        if stands and shape in shapes and closure.components <= plan.entry.keys():
            return
        components = closure.components.union(plan.entry)
        function: Any = plan.function  # type checkers take a function in a dataclass for a method
        replanned = self._plan(
            function,
            plan.scope,
            components,
            [closure.seen],
            plan if stands else None,
            *plan.given.values(),
        )
        if capture.is_repeatable:
            replanned.shapes[shape] = capture.components
        self._keep(replanned)

    def _plan(
        self,
        function: FunctionType,
        scope: Scope,
        components: Iterable[Component],
        seen: list[Observations],
        kept: Plan | None,
        *given: Given,
    ) -> Plan:
        """Read `components`; what is known of calls is taken over from a plan that still stands."""
        entry: dict[Component, Content] = {}
        for component in scope.over(components):
            content, observed = self.state.look(component)
            seen.append(observed)
            if content is not None and self.state.loaded(component):
                entry[component] = content
        if kept is None or len(kept.shapes) > _MOST_SHAPES or len(kept.given) > _MOST_SHAPES:
            return Plan(function, scope, entry, Probe(seen), {g.ids: g for g in given}, {})
        known = {**kept.given, **{g.ids: g for g in given}}
        probe = Probe([*seen, kept.probe.seen])
        return Plan(function, scope, entry, probe, known, dict(kept.shapes))

    def _keep(self, plan: Plan) -> None:
        if len(self._plans) > _MOST_PLANS:  # ops made anew for every call
            self._plans.clear()
        self._plans[id(plan.function), id(plan.scope)] = plan


def plain_function(function: Callable[..., Any]) -> FunctionType:
    """Return the function that an op, a method or a wrapper is about."""
    found: Any = function
    for _ in range(100):
        if isinstance(found, FunctionType):
            return found
        found = getattr(found, "__wrapped__", None) or getattr(found, "__func__", None)
    raise TypeError(f"{function!r} is not made of a Python function")
