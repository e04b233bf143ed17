"""Watching one call: what it touched, with the contents at its start.

Not the store and not the decision whether a result is valid. Invariant: a
capture changes nothing that the program can see, and its components include
those of every capture inside it.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from types import FunctionType, TracebackType
from typing import Any

from gitmemo.model.components import Component, Content
from gitmemo.tracing import unpickled
from gitmemo.tracing.events import Recording, event_source
from gitmemo.tracing.observations import Observations, Probe
from gitmemo.tracing.project import Project
from gitmemo.tracing.resolver import Closure, Given, Resolver
from gitmemo.tracing.state import CodeState

_MOST_PLANS = 4096

_MOST_SHAPES = 512

Contents = Mapping[Component, Content]
Shape = tuple[frozenset[int], frozenset[int]]


class Capture:
    """The record of one call; a context manager to put around it.

    Attributes:
        components: After the call, everything that it touched, with contents as
            they were when it began; the values of what it changed are None.
        mutated: The components among them whose value the call itself changed.
    """

    def __init__(
        self, tracker: Tracker, function: FunctionType, arguments: Iterable[object], *, static: bool
    ) -> None:
        self._tracker = tracker
        self._arguments = arguments
        self._function = function
        self._static = static
        self._added: dict[Component, Content | None] = {}
        self.components: Contents = {}
        self.mutated: tuple[Component, ...] = ()

    def add(self, components: Iterable[Component] | Contents) -> None:
        """Count what a nested call touched that was not run here, or whose result was looked up.

        With contents where they are known: they stand in for modules that are not loaded.
        """
        if isinstance(components, Mapping):
            self._added.update(components)
        else:
            for component in components:
                self._added.setdefault(component, None)

    @property
    def has_added(self) -> bool:
        """Whether nested calls contributed."""
        return bool(self._added)

    def __enter__(self) -> Capture:
        self._tracker.state.modules.observe()
        self._given = self._tracker.resolver.given(self._arguments)
        self._arguments = ()
        self._plan = self._tracker.plan(self._function, self._given)
        self._recording = Recording(self._tracker.project)
        if not self._static:
            event_source().start(self._recording)
            unpickled.start(self._recording)
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        if not self._static:
            unpickled.stop(self._recording)
            event_source().stop(self._recording)
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
        known = plan.shapes.get(shape)
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
        recording = self._recording
        codes = recording.codes.values()
        return resolver.executed(self._function, codes, self._given, static=recording.blind)

    def _compare(self, entry: Contents, closure: Closure) -> None:
        """Decide which of the contents before, after and of nested calls counts."""
        mutated: list[Component] = []
        found: dict[Component, Content] = {}
        for component in sorted(closure.components | self._added.keys()):
            before, added = entry.get(component), self._added.get(component)
            after = self._tracker.state.current(component)
            content = before or after
            if content is None or (content.value is None and added is not None):
                content = added
            elif added is not None and added.source != content.source:
                # A nested result was reused by a decision: what it was made with counts, so
                # that a revised decision reaches this call too.
                content = added
            elif before is not None and after is not None and before.value != after.value:
                mutated.append(component)
                content = Content(content.source)
            elif added is not None and added.value is None:  # a nested call changed it
                content = Content(content.source)
            if content is not None:
                found[component] = content
        self.components = found
        self.mutated = tuple(mutated)


@dataclass(frozen=True, slots=True)
class Plan:
    """What is known of a function before it is called.

    Attributes:
        function: The function; kept, so that no other gets its id.
        entry: Contents of all that a call may touch, those of loaded modules.
        probe: Whether they still are what they were.
        given: What the arguments of calls with this plan held, by ids.
        shapes: By the code objects that ran and what the arguments held: what such a call
            touched.
    """

    function: FunctionType
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
        self._plans: dict[int, Plan] = {}

    def capture(
        self,
        function: Callable[..., Any],
        *,
        static: bool = False,
        arguments: Iterable[object] = (),
    ) -> Capture:
        """Return a context manager to put around one call of `function`.

        `static` finds what the function could touch instead of watching it run.
        `arguments` are the plain values that it is called with.
        """
        return Capture(self, plain_function(function), arguments, static=static)

    def plan(self, function: FunctionType, given: Given) -> Plan:
        """Read everything that a call of `function` will probably touch."""
        known = self._plans.get(id(function))
        stands = known is not None and known.probe.unchanged()
        if known is not None and stands and given.ids in known.given:
            return known
        static = self.resolver.static(function, given)
        components = static.components.union(known.entry if known else ())
        kept = known if stands else None
        plan = self._plan(function, components, [static.seen], kept, given)
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
            components,
            [closure.seen],
            plan if stands else None,
            *plan.given.values(),
        )
        if not capture.mutated and not capture.has_added:
            replanned.shapes[shape] = capture.components
        self._keep(replanned)

    def _plan(
        self,
        function: FunctionType,
        components: Iterable[Component],
        seen: list[Observations],
        kept: Plan | None,
        *given: Given,
    ) -> Plan:
        """Read `components`; what is known of calls is taken over from a plan that still stands."""
        entry: dict[Component, Content] = {}
        for component in components:
            content, observed = self.state.look(component)
            seen.append(observed)
            if content is not None and self.state.loaded(component):
                entry[component] = content
        if kept is None or len(kept.shapes) > _MOST_SHAPES or len(kept.given) > _MOST_SHAPES:
            return Plan(function, entry, Probe(seen), {g.ids: g for g in given}, {})
        known = {**kept.given, **{g.ids: g for g in given}}
        return Plan(function, entry, Probe([*seen, kept.probe.seen]), known, dict(kept.shapes))

    def _keep(self, plan: Plan) -> None:
        if len(self._plans) > _MOST_PLANS:  # ops made anew for every call
            self._plans.clear()
        self._plans[id(plan.function)] = plan


def plain_function(function: Callable[..., Any]) -> FunctionType:
    """Return the function that an op, a method or a wrapper is about."""
    found: Any = function
    for _ in range(100):
        if isinstance(found, FunctionType):
            return found
        found = getattr(found, "__wrapped__", None) or getattr(found, "__func__", None)
    raise TypeError(f"{function!r} is not made of a Python function")
