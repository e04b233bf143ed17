"""Which contents of components the calls of a world touched.

Not whether they still hold (`model.validity`). Invariant: the order is that in
which calls recorded them, so that the latest use comes last.
"""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace

from gitmemo.changes.change import Dependents
from gitmemo.changes.following import Names
from gitmemo.hashing.digest import Digest
from gitmemo.model.components import Component, Content
from gitmemo.model.contests import Place
from gitmemo.model.decisions import Decisions
from gitmemo.model.facts import Version
from gitmemo.model.validity import Code, unrecorded
from gitmemo.world.view import Tally, World


@dataclass(frozen=True, slots=True)
class Uses:
    """Which contents of components the calls of a world touched.

    Attributes:
        contents: Component to its contents, in the order in which calls recorded them.
        committed: The source ids that committed calls touched.
        tallies: Component and content to the calls that touched it.
        versions: The versions of the calls, by id.
        former: Contents of what has another name now, under it, to those that calls touched.
    """

    contents: Mapping[Component, Sequence[Content]]
    committed: frozenset[tuple[Component, Digest]]
    tallies: Mapping[tuple[Component, Content], Sequence[Tally]]
    versions: Mapping[Digest, Version]
    former: Mapping[Place, Collection[Place]] = field(default_factory=dict)

    @property
    def ops(self) -> list[str]:
        """The ops that have calls, sorted."""
        return sorted({tally.op for group in self.tallies.values() for tally in group})

    def sources(self, component: Component) -> list[Digest]:
        """Return the source ids of a component, the latest last."""
        found: dict[Digest, None] = {}
        for content in self.contents.get(component, ()):
            found.pop(content.source, None)
            found[content.source] = None
        return list(found)

    def dependents(self, component: Component, old: Digest) -> tuple[Dependents, ...]:
        """Return the ops whose calls touched a content with this source id or value id."""
        return _summed(self.tallies_of(component, old))

    def tallies_of(self, component: Component, old: Digest) -> Iterator[Tally]:
        """Yield the calls that touched a content with this source id or value id."""
        for content in self.contents.get(component, ()):
            if old in (content.source, content.value):
                yield from self.tallies[component, content]


def uses_of(
    committed: Sequence[Tally], pending: Sequence[Tally], versions: Mapping[Digest, Version]
) -> Uses:
    """Return what the calls of a world touched."""
    contents: dict[Component, dict[Content, None]] = defaultdict(dict)
    old: set[tuple[Component, Digest]] = set()
    tallies: dict[tuple[Component, Content], list[Tally]] = defaultdict(list)
    for tally in (*committed, *pending):
        version = versions.get(tally.version)
        for component, content in version.pairs.items() if version else ():
            contents[component].pop(content, None)  # the latest use counts
            contents[component][content] = None
            tallies[component, content].append(tally)
    for tally in committed:
        version = versions.get(tally.version)
        old.update((c, content.source) for c, content in (version.pairs if version else {}).items())
    return Uses({c: list(d) for c, d in contents.items()}, frozenset(old), tallies, versions)


def world_uses(world: World, code: Code, decisions: Decisions | None = None) -> Uses:
    """Return what the calls of `world` touched; `code` judges pending calls of other branches.

    Dependencies that people added count as touched, with what they held then; and what is gone
    from `code`, having been renamed or moved, also under its name of now. `decisions` are those of
    the world if not given.
    """
    committed, pending = world.tallies(code)
    decisions = world.decisions() if decisions is None else decisions
    versions = {
        tally.version: _with_added(version, decisions)
        for tally in (*committed, *pending)
        if (version := world.version(tally.version)) is not None
    }
    names = Names(code, decisions)
    found = uses_of(committed, pending, {v: names.followed(versions[v]) for v in versions})
    return replace(found, versions=versions, former=names.former)


def _with_added(version: Version, decisions: Decisions) -> Version:
    added = {need.on: need.content for need in unrecorded(version, decisions)}
    return Version({**version.pairs, **added}) if added else version


def _summed(tallies: Iterable[Tally]) -> tuple[Dependents, ...]:
    calls: Counter[str] = Counter()
    seconds: dict[str, float] = defaultdict(float)
    every = list(tallies)
    for tally in [tally for tally in every if tally.calls] or every:
        calls[tally.op] += tally.calls or tally.links
        seconds[tally.op] += tally.seconds
    return tuple(Dependents(op, calls[op], seconds[op]) for op in sorted(calls))
