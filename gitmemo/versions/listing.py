"""The versions of an op: what its calls touched, how often, and whether that holds today.

Not single contents (`contents`) and not their histories (`revisions`).
Invariant: versions are those that calls of this world were made with, in the
order in which they first ran.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from typing import TypeAlias, overload

from gitmemo import markup
from gitmemo.hashing.digest import Digest, to_hex
from gitmemo.model.components import Component, Content
from gitmemo.model.decisions import Decisions
from gitmemo.model.facts import Version
from gitmemo.model.semantics import semantic_id
from gitmemo.model.validity import Code, changed
from gitmemo.quantities import duration
from gitmemo.short_ids import SHOWN_DIGITS
from gitmemo.versions.contents import ModuleOf, ShownContent, Texts, code_lines
from gitmemo.world.view import Tally, World

_NARROWEST = 80


Named: TypeAlias = Callable[[str, Digest | None], str]
"""Gives the name that the op of a stored call has now: its stored name and its version go in."""


def as_stored(op: str, _: Digest | None) -> str:
    """Return the name under which an op's calls are stored."""
    return op


@dataclass(frozen=True, slots=True)
class OpVersion:
    """One version of an op.

    Attributes:
        op: The op's name.
        content_id: The id of the contents that its calls touched, in hex.
        semantic_id: The id that all versions have whose contents are equivalent to these, in hex.
        calls: How many calls of the op are stored with it.
        seconds: How long they took together.
        first, last: When the first and the last of them began (UTC), where that is known.
        changed: The components that are not today what they were; empty where it is valid.
        components: What the calls touched.
    """

    op: str
    content_id: str
    semantic_id: str
    calls: int
    seconds: float
    first: str | None
    last: str | None
    changed: tuple[str, ...]
    components: tuple[ShownContent, ...]

    @property
    def is_valid(self) -> bool:
        """Whether its calls are reused by the code as it is."""
        return not self.changed

    def as_dict(self, *, code: bool = True) -> dict[str, object]:
        """Return it as plain data, with or without the texts."""
        fields: dict[str, object] = {
            "op": self.op,
            "content_id": self.content_id,
            "semantic_id": self.semantic_id,
            "calls": self.calls,
            "seconds": round(self.seconds, 6),
            "first": self.first,
            "last": self.last,
            "valid": self.is_valid,
            "changed": list(self.changed),
        }
        if code:
            fields["components"] = [content.as_dict() for content in self.components]
        return fields


@dataclass(frozen=True, slots=True)
class Shape:
    """How versions are printed: in frames or plain, and with the ids of their contents or without."""

    module_of: ModuleOf
    plain: bool = False
    with_ids: bool = False


class Versions(Sequence[OpVersion]):
    """The versions of one op. Printing it shows the code of each; a notebook shows a table."""

    def __init__(self, op: str, found: Iterable[OpVersion], shape: Shape) -> None:
        self.op = op
        self._found = tuple(found)
        self._shape = shape
        self._alike = _told_apart_by_value(self._found)

    @overload
    def __getitem__(self, index: int) -> OpVersion: ...
    @overload
    def __getitem__(self, index: slice) -> tuple[OpVersion, ...]: ...
    def __getitem__(self, index: int | slice) -> OpVersion | tuple[OpVersion, ...]:
        return self._found[index]

    def __len__(self) -> int:
        return len(self._found)

    def __repr__(self) -> str:
        valid = sum(version.is_valid for version in self._found)
        return f"Versions({self.op}: {len(self._found)}, {valid} valid)"

    def __str__(self) -> str:
        if not self._found:
            return f"no call of {self.op} is stored here, so it has no versions"
        blocks = (list(self.lines(version)) for version in self._found)
        return "\n".join(line for block in blocks for line in self._framed(block))

    def _repr_html_(self) -> str:
        columns = ("content id", "semantic id", "calls", "time", "first", "valid", "changed")
        rows = [
            (
                *(ident[:SHOWN_DIGITS] for ident in (one.content_id, one.semantic_id)),
                *(one.calls, duration(one.seconds), one.first or ""),
                *("yes" if one.is_valid else "no", ", ".join(one.changed)),
            )
            for one in self._found
        ]
        texts = [
            markup.folded(
                f"code of {one.content_id[:SHOWN_DIGITS]}", markup.code("\n".join(self.lines(one)))
            )
            for one in self._found
        ]
        return markup.block(markup.heading(self.op), markup.table(columns, rows), *texts)

    def lines(self, version: OpVersion) -> Iterator[str]:
        """Yield a version's code, with what it is called before it."""
        module, _, function = version.op.rpartition(":")
        of = f"{function} from module {module}" if module else version.op
        yield f"### Dependencies for version of function {of}"
        yield f"### content_version_id={version.content_id}"
        yield f"### semantic_version_id={version.semantic_id}"
        yield ""
        yield from code_lines(
            version.components,
            self._shape.module_of,
            with_ids=self._shape.with_ids,
            with_values=self._alike,
        )
        yield ""

    def _framed(self, block: Sequence[str]) -> Iterator[str]:
        if self._shape.plain:
            yield from block
            return
        width = max(_NARROWEST, *map(len, block))
        yield f"╭{'─' * (width + 2)}╮"
        for line in block:
            yield f"│ {line.ljust(width)} │"
        yield f"╰{'─' * (width + 2)}╯"


def versions_of(
    world: World, op: str, code: Code, shape: Shape, named: Named = as_stored
) -> Versions:
    """Return the versions of `op`, judged by `code`."""
    tallies = tallies_of(world, code, named)[op]
    known = world.versions(tallies)
    decisions = world.decisions()
    texts = Texts(world, (pair for version in known.values() for pair in version.pairs.items()))
    stored = {op, *world.renames().ops(op), *(tally.op for tally in tallies.values())}
    when = _periods(world, sorted(stored), code)
    now = _OneMoment(code)
    found = [
        _shown(op, tally, known[ident], decisions, now, texts, when.get(ident))
        for ident, tally in tallies.items()
        if ident in known
    ]
    found.sort(key=lambda version: (version.first is None, version.first, version.content_id))
    return Versions(op, found, shape)


def _periods(world: World, names: Iterable[str], code: Code) -> dict[Digest, tuple[str, str]]:
    """Return when the first and the last call with each version began, under any of these names."""
    found: dict[Digest, tuple[str, str]] = {}
    for name in names:
        for ident, (first, last) in world.periods(name, code).items():
            before = found.get(ident, (first, last))
            found[ident] = min(first, before[0]), max(last, before[1])
    return found


def _shown(
    op: str,
    tally: Tally,
    version: Version,
    decisions: Decisions,
    code: Code,
    texts: Texts,
    period: tuple[str, str] | None,
) -> OpVersion:
    first, last = period or (None, None)
    return OpVersion(
        op,
        to_hex(version.id),
        to_hex(semantic_id(version, decisions)),
        tally.calls,
        tally.seconds,
        first,
        last,
        tuple(map(str, changed(version, code, decisions))),
        texts.of(version),
    )


class _OneMoment:
    """The code at one moment: each component is looked at once, however many versions hold it."""

    def __init__(self, code: Code) -> None:
        self._code = code
        self._known: dict[Component, tuple[bool, Content | None]] = {}

    def current(self, component: Component) -> Content | None:
        return self._look(component)[1]

    def knows(self, component: Component) -> bool:
        return self._look(component)[0]

    def _look(self, component: Component) -> tuple[bool, Content | None]:
        found = self._known.get(component)
        if found is None:
            is_known = self._code.knows(component)
            content = self._code.current(component) if is_known else None
            found = self._known[component] = is_known, content
        return found


def tallies_of(
    world: World, code: Code, named: Named = as_stored
) -> dict[str, dict[Digest, Tally]]:
    """Return the calls of each op by version, committed and pending ones together."""
    found: dict[str, dict[Digest, Tally]] = defaultdict(dict)
    for tallies in world.tallies(code):
        for tally in tallies:
            of_op = found[named(tally.op, tally.version)]
            other = of_op.get(tally.version)
            if other is not None:
                tally = _together(other, tally)
            of_op[tally.version] = tally
    for one in found.values():
        one.update((ident, _counted(tally)) for ident, tally in one.items() if not tally.calls)
    return found


def _together(one: Tally, other: Tally) -> Tally:
    op = other.op if other.calls else one.op
    calls, links = one.calls + other.calls, one.links + other.links
    return Tally(one.version, op, calls, one.seconds + other.seconds, links)


def _counted(tally: Tally) -> Tally:
    """Count links where what they repeat is not there under this name."""
    return replace(tally, calls=tally.links)


def _told_apart_by_value(versions: Iterable[OpVersion]) -> frozenset[Component]:
    """Return the components that several versions hold with one text and different values."""
    values: dict[tuple[Component, str], set[str | None]] = defaultdict(set)
    for version in versions:
        for content in version.components:
            values[content.component, content.id].add(content.value)
    return frozenset(component for (component, _), known in values.items() if len(known) > 1)


@dataclass(frozen=True, slots=True)
class OpSummary:
    """How many versions an op has.

    Attributes:
        contents, semantic: Versions that differ in content, and those that differ in meaning.
        valid: How many of the former are valid for the code as it is.
    """

    op: str
    contents: int
    semantic: int
    valid: int
    calls: int
    seconds: float

    def as_dict(self) -> dict[str, object]:
        """Return it as plain data."""
        return {
            "op": self.op,
            "versions": self.contents,
            "semantic_versions": self.semantic,
            "valid": self.valid,
            "calls": self.calls,
            "seconds": round(self.seconds, 6),
        }


def summaries(world: World, code: Code, named: Named = as_stored) -> list[OpSummary]:
    """Return how many versions each op has. Each kind of fact is read once."""
    tallies = tallies_of(world, code, named)
    known = world.versions({ident for one in tallies.values() for ident in one})
    decisions = world.decisions()
    semantic = {ident: semantic_id(version, decisions) for ident, version in known.items()}
    now = _OneMoment(code)
    valid = {ident for ident, version in known.items() if not changed(version, now, decisions)}
    return [
        OpSummary(
            op,
            len(one),
            len({semantic.get(ident, ident) for ident in one}),
            len(valid & one.keys()),
            sum(tally.calls for tally in one.values()),
            sum(tally.seconds for tally in one.values()),
        )
        for op, one in sorted(tallies.items())
    ]
