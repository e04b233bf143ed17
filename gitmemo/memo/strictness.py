"""What a storage does about dependencies that cannot be tracked reliably.

Not the tracking itself (`tracing`). Invariant: a call that is refused here is
not stored, and the error holds its result.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum
from typing import NamedTuple

from gitmemo.errors import MissingDependencies, UnreliableTracking
from gitmemo.memo.execute import CallOutcome
from gitmemo.memo.telling import tell
from gitmemo.model.components import Component, Content
from gitmemo.tracing import CodeState
from gitmemo.tracing.doubts import edited_code, unhashable_globals, unverified_code

_MOST_CHECKED = 1000


class Reaction(StrEnum):
    """What happens when something cannot be tracked, or is gone."""

    SILENT = "silent"
    WARN = "warn"
    RAISE = "raise"


@dataclass(frozen=True, slots=True)
class Strictness:
    """What a storage was asked to do.

    Attributes:
        strict: Refuse calls with dependencies that are not tracked reliably.
        unhashable: What happens when a call reads a global that cannot be hashed.
        missing: What happens when code that stored calls depend on is gone.
        globals_count: Whether globals are dependencies at all.
    """

    strict: bool = False
    unhashable: Reaction = Reaction.WARN
    missing: Reaction = Reaction.SILENT
    globals_count: bool = True


class GlobalNotHashed(UserWarning):
    """A global cannot be hashed, so changes of its value go unnoticed."""

    def __init__(self, op: str, component: Component, kind: str) -> None:
        super().__init__(op, component, kind)
        self.op, self.component, self.kind = op, component, kind

    def __str__(self) -> str:
        return (
            f"{self.op} reads {self.component}, a {self.kind} that cannot be hashed: it counts by its "
            "type and by how it is written; pass what matters in it as an argument"
        )


class EditedAfterImport(UserWarning):
    """Nothing shows that the text of a file is what was imported: it is too new for that."""

    def __init__(self, op: str, component: Component) -> None:
        super().__init__(op, component)
        self.op, self.component = op, component

    def __str__(self) -> str:
        return (
            f"{self.component.path} was changed after this process began, and perhaps after it "
            f"was imported: {self.op} reads {self.component}, so another process computes its "
            "results again; restart this one"
        )


class DependenciesGone(UserWarning):
    """Code that stored calls depend on is not there any more: they are not reused."""

    def __init__(self, components: tuple[str, ...]) -> None:
        super().__init__(components)
        self.components = components

    def __str__(self) -> str:
        return (
            f"gone, so that calls which depend on it are not reused: {', '.join(self.components)}"
        )


class ModulesStale(UserWarning):
    """Files are not what this process imported from them: what was imported runs, and counts.

    Attributes:
        paths: The files, from the project root.
    """

    def __init__(self, paths: tuple[str, ...]) -> None:
        super().__init__(paths)
        self.paths = paths

    def __str__(self) -> str:
        files = ", ".join(self.paths)
        return (
            f"changed since this process imported them: {files}\n"
            "  what was imported goes on running, and calls are judged by it\n"
            "  fix: restart the program or kernel, or `importlib.reload` these modules"
        )


class Care:
    """Applies a strictness to the calls that a storage computes."""

    def __init__(self, strictness: Strictness, code: CodeState | None) -> None:
        self.strictness = strictness
        self._code = code
        # By the id of the mapping, which each of them holds: calls of one op share one.
        self._checked: dict[int, _Checked] = {}
        self._told: set[Component] = set()

    def check(self, op: str, outcome: CallOutcome) -> CallOutcome:
        """Return the outcome with the components that count.

        Raises:
            UnreliableTracking: It depends on something that this storage does not accept.
        """
        if self._code is None:
            return outcome
        for component in outcome.mutated if self.strictness.strict else ():
            raise UnreliableTracking(op, str(component), "the op changed it while it ran")
        checked = self._check(op, self._code, outcome.components)
        if checked.counted is outcome.components:
            return outcome
        return outcome._replace(components=checked.counted, mutated=())

    def report(self, op: str, outcome: CallOutcome) -> None:
        """Warn once of each global that cannot be hashed, and of each file that was edited."""
        checked = self._checked.get(id(outcome.components))
        for component, kind in checked.unhashable.items() if checked else ():
            self._warn(component, GlobalNotHashed(op, component, kind))
        for component in checked.edited if checked else ():
            file = Component(component.path, "")
            self._warn(file, EditedAfterImport(op, component))

    def gone(self, components: tuple[str, ...]) -> None:
        """Take notice of components that are not there any more.

        Raises:
            MissingDependencies: This storage does not accept that.
        """
        if components and self.strictness.missing is Reaction.RAISE:
            raise MissingDependencies(components)
        if components and self.strictness.missing is Reaction.WARN:
            tell(DependenciesGone(components))

    def stale(self) -> None:
        """Warn of files that are not what was imported from them, once of each state."""
        paths = () if self._code is None else tuple(self._code.staleness.found())
        if paths:
            tell(ModulesStale(paths))

    def _warn(self, component: Component, warning: UserWarning) -> None:
        if component not in self._told:
            self._told.add(component)
            tell(warning)

    def _check(self, op: str, code: CodeState, components: Mapping[Component, Content]) -> _Checked:
        known = self._checked.get(id(components))
        if known is not None and known.touched is components:
            return known
        if len(self._checked) > _MOST_CHECKED:
            self._checked.clear()
        counted = components
        if not self.strictness.globals_count:
            counted = {c: v for c, v in components.items() if not c.unit.startswith("$")}
        if self.strictness.strict:
            for component in [*unverified_code(code, counted), *edited_code(code, counted)]:
                reason = "the text of its file is not what runs, as of code that was rewritten"
                raise UnreliableTracking(op, str(component), reason)
        unhashable: Mapping[Component, str] = {}
        if self.strictness.unhashable is not Reaction.SILENT:
            unhashable = unhashable_globals(code, counted)
        if self.strictness.unhashable is Reaction.RAISE:
            for component, kind in unhashable.items():
                reason = f"it is a {kind}, which cannot be hashed"
                raise UnreliableTracking(op, str(component), reason)
        edited = tuple(edited_code(code, counted))
        found = _Checked(components, counted, unhashable, edited)
        self._checked[id(components)] = self._checked[id(counted)] = found
        return found


class _Checked(NamedTuple):
    """What a call touched, what of it counts, and what of this cannot be relied on."""

    touched: Mapping[Component, Content]
    counted: Mapping[Component, Content]
    unhashable: Mapping[Component, str]
    edited: tuple[Component, ...]
