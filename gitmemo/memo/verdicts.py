"""Verdicts on versions for the running program, kept as long as nothing they depend on moves.

Not the rule itself (`model.validity`). Invariant: a cached verdict is used only
while its probe says that none of the version's components can have changed.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from types import FunctionType

from gitmemo.hashing.digest import Digest
from gitmemo.model.components import Component, Content
from gitmemo.model.decisions import Decisions
from gitmemo.model.facts import Call, Version
from gitmemo.model.validity import changed, stands, watched
from gitmemo.tracing import CodeState, Probe
from gitmemo.world.view import World


class Verdicts:
    """Which versions are valid for the code of this process."""

    def __init__(self, world: World, code: CodeState) -> None:
        self._world = world
        self._code = code
        self._decisions: Decisions | None = None
        self._known: dict[Digest, tuple[Probe, tuple[Component, ...]]] = {}
        self._versions: dict[Digest, Version] = {}

    def valid(self, version: Digest) -> bool:
        """Whether every component of the version is what it was, or equivalent."""
        return not self.changed(version)

    def changed(self, version: Digest) -> tuple[Component, ...]:
        """Return the components of the version that are not what they were."""
        known = self._known.get(version)
        if known is not None and known[0].unchanged():
            return known[1]
        found = self._versions.get(version) or self._world.version(version)
        if found is None:
            # A damaged or foreign record: without its version nothing can be said.
            return (Component("?", "?"),)
        decisions = self.decisions()
        probe = self._code.probe(watched(found, decisions))
        verdict = tuple(changed(found, self._code, decisions))
        self._known[version] = (probe, verdict)
        return verdict

    def changed_for(self, call: Call) -> tuple[Component, ...]:
        """Return the components of a call that are not what they were, its op's function included."""
        found = self.changed(call.version) if call.version else ()
        if call.moved is None or found or call.version is None:
            return found
        version = self._versions.get(call.version) or self._world.version(call.version)
        if version is not None and stands(call, version, self._code, self.decisions()):
            return ()
        return call.moved[:1]

    def component_of(self, function: Callable[..., object]) -> Component | None:
        """Return the component of a function of the project."""
        if not isinstance(function, FunctionType):
            return None
        unit = self._code.places.unit_of_function(function)
        return None if unit is None else Component(unit.path, unit.name)

    def is_of(self, version: Digest, function: Callable[..., object]) -> bool:
        """Whether a version touched this function: another one of the same name is another op."""
        own = self.component_of(function)
        found = self._versions.get(version) or self._world.version(version)
        if own is None or found is None or own in found.pairs:
            return True
        return any(
            was in found.pairs and self.is_now(was, found.pairs[was], own)
            for was in self.decisions().places(own)
        )

    def is_now(self, component: Component, content: Content, other: Component) -> bool:
        """Whether what `component` held is what `other` holds: it may have been renamed or moved."""
        if component == other:
            return True
        now = self._code.current(other)
        if now is None:
            return False
        return self.decisions().same((component, content.source), (other, now.source))

    def decisions(self) -> Decisions:
        """Return what people say of the code, as of the beginning of this block."""
        if self._decisions is None:
            self._decisions = self._world.decisions()
        return self._decisions

    def preload(self, versions: Iterable[Digest]) -> None:
        """Keep versions at hand: they never change, unlike the verdicts on them."""
        for version in versions:
            found = self._world.version(version)
            if found is not None:
                self._versions[version] = found

    @property
    def sizes(self) -> tuple[int, int]:
        """How many versions are at hand, and how many verdicts."""
        return len(self._versions), len(self._known)

    def drop(self) -> None:
        """Drop everything that can be read again."""
        self._versions.clear()
        self.clear()

    def clear(self) -> None:
        """Forget all verdicts and decisions."""
        self._known.clear()
        self._decisions = None

    def enter(self) -> None:
        """Begin a block: forget the verdicts if decisions have come from elsewhere.

        Other code is no reason: each verdict has a probe that is asked at every use.
        """
        self._code.outside.enter()
        decisions = self._world.decisions()
        if self._decisions is None or decisions.current != self._decisions.current:
            self._known.clear()
        self._decisions = decisions
