"""Which changes of code stored calls depend on, and nobody has decided about yet.

Not who decides, and not the export. Pure: it compares two states of the code
under the facts of a world. Invariant: a component is asked about once, and
never for an edit that leaves its content equal or goes back to known code.
"""

from __future__ import annotations

import difflib
from collections import Counter, defaultdict
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass

from gitmemo.hashing.digest import Digest
from gitmemo.model.components import Component
from gitmemo.model.decisions import Decisions
from gitmemo.model.facts import Decision, Verdict, Version
from gitmemo.source.tree import SourceTree
from gitmemo.world.index import Tally


@dataclass(frozen=True, slots=True)
class Dependents:
    """The calls of one op that touched a component: how many, and how long they took."""

    op: str
    calls: int
    seconds: float


@dataclass(frozen=True, slots=True)
class Change:
    """A component that stored calls depend on holds something else now.

    Attributes:
        old, new: Source ids.
        old_text, new_text: The texts, for the diff; empty if not known.
        dependents: The ops whose calls touched it with its old content.
    """

    component: Component
    old: Digest
    new: Digest
    old_text: str
    new_text: str
    dependents: tuple[Dependents, ...]

    def diff(self) -> list[str]:
        """Return the unified diff, without line endings."""
        lines = difflib.unified_diff(
            self.old_text.splitlines(), self.new_text.splitlines(), lineterm="", n=3
        )
        return [line for line in lines if not line.startswith(("---", "+++"))]


@dataclass(frozen=True, slots=True)
class Uses:
    """Which contents of components the calls of a world touched.

    Attributes:
        contents: Component to source ids, in the order in which calls recorded them.
        committed: Those that committed calls touched.
        tallies: `(component, source id)` to the calls that touched it.
    """

    contents: Mapping[Component, Sequence[Digest]]
    committed: frozenset[tuple[Component, Digest]]
    tallies: Mapping[tuple[Component, Digest], Sequence[Tally]]


def uses_of(
    committed: Sequence[Tally], pending: Sequence[Tally], versions: Mapping[Digest, Version]
) -> Uses:
    """Return what the calls of a world touched."""
    contents: dict[Component, dict[Digest, None]] = defaultdict(dict)
    old: set[tuple[Component, Digest]] = set()
    tallies: dict[tuple[Component, Digest], list[Tally]] = defaultdict(list)
    for tally in (*committed, *pending):
        version = versions.get(tally.version)
        for component, content in version.pairs.items() if version else ():
            contents[component].pop(content.source, None)  # the latest use counts
            contents[component][content.source] = None
            tallies[component, content.source].append(tally)
    for tally in committed:
        version = versions.get(tally.version)
        old.update((c, content.source) for c, content in (version.pairs if version else {}).items())
    return Uses({c: list(d) for c, d in contents.items()}, frozenset(old), tallies)


def find_changes(
    uses: Uses, before: SourceTree, after: SourceTree, decisions: Decisions, paths: Iterable[str]
) -> list[Change]:
    """Return the undecided changes from `before` to `after` in the files `paths`."""
    changes = []
    touched = set(paths)
    for component in sorted(uses.contents):
        if component.path not in touched:
            continue
        new = after.current(component)
        if new is None or (component, new.source) in uses.committed:
            continue  # gone, so nothing can be reused; or known code, so all is said
        old = _base(component, new.source, uses, before, decisions)
        if old is not None:
            changes.append(_change(component, old, new.source, uses, before, after))
    return changes


def find_open(
    uses: Uses,
    code: SourceTree,
    decisions: Decisions,
    text_of: Callable[[Component, Digest], str | None],
) -> list[Change]:
    """Return the components that are not what stored calls touched, nobody having said how they compare.

    Also those that a commit did not ask about, or was told to leave for later.
    """
    changes = []
    for component in sorted(uses.contents):
        new = code.current(component) if code.knows(component) else None
        if new is None:
            continue
        old = [
            c for c in uses.contents[component] if not decisions.related(component, c, new.source)
        ]
        if old:
            changes.append(
                Change(
                    component,
                    old[-1],
                    new.source,
                    text_of(component, old[-1]) or "",
                    code.text(component) or "",
                    _dependents(uses.tallies.get((component, old[-1]), ())),
                )
            )
    return changes


def decide(
    change: Change, verdict: Verdict, why: str, decisions: Decisions, parent: Digest
) -> Decision:
    """Return the decision about `change`, which follows the fact `parent` in the history.

    It replaces what was said of the same pair.
    """
    return Decision(
        change.component,
        change.old,
        change.new,
        verdict,
        why,
        parents=(parent,),
        supersedes=decisions.between(change.component, change.old, change.new),
    )


def _base(
    component: Component,
    new: Digest,
    uses: Uses,
    before: SourceTree,
    decisions: Decisions,
) -> Digest | None:
    """Return the content to compare with: what was committed, else what ran last."""
    open_ones = [
        content
        for content in uses.contents[component]
        if not decisions.related(component, content, new)
    ]
    if not open_ones:
        return None
    committed = before.current(component)
    if committed is not None and committed.source in open_ones:
        return committed.source
    if committed is not None and decisions.related(component, committed.source, new):
        return None  # the committed text says the same; other contents were experiments
    return open_ones[-1]


def _change(
    component: Component,
    old: Digest,
    new: Digest,
    uses: Uses,
    before: SourceTree,
    after: SourceTree,
) -> Change:
    committed = before.current(component)
    is_committed = committed is not None and committed.source == old
    return Change(
        component,
        old,
        new,
        (before.text(component) or "") if is_committed else "",
        after.text(component) or "",
        _dependents(uses.tallies.get((component, old), ())),
    )


def _dependents(tallies: Iterable[Tally]) -> tuple[Dependents, ...]:
    calls: Counter[str] = Counter()
    seconds: dict[str, float] = defaultdict(float)
    for tally in tallies:
        calls[tally.op] += tally.calls
        seconds[tally.op] += tally.seconds
    return tuple(Dependents(op, calls[op], seconds[op]) for op in sorted(calls))
