"""Which changes of code stored calls depend on, and nobody has decided about yet.

Not who decides, and not the export. Pure: it compares states of the code under
the facts of a world. Invariant: a component is asked about once, and never for
an edit that leaves its content equal or goes back to known code.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable, Iterator, Sequence
from dataclasses import replace
from typing import Protocol

from gitmemo.changes.change import Affected, Change
from gitmemo.changes.uses import Uses
from gitmemo.hashing.digest import Digest
from gitmemo.model.components import Component, Content, is_variable
from gitmemo.model.contests import Place
from gitmemo.model.decisions import Decisions
from gitmemo.model.semantics import semantic_id
from gitmemo.model.validity import Code, holds
from gitmemo.source.tree import SourceTree

TextOf = Callable[[Component, Digest], str | None]
"""Gives the text of a content of a component, if it is known."""


class ReadableCode(Code, Protocol):
    """Code whose texts can be shown."""

    def text(self, component: Component) -> str | None:
        """Return the text of a component, nothing where there is none."""
        ...


def find_changes(
    uses: Uses,
    before: SourceTree,
    after: SourceTree,
    decisions: Decisions,
    paths: Iterable[str],
    text_of: TextOf,
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
        old = _base(component, new, uses, before, decisions)
        if old is not None:
            change = _change(component, old, new, uses, before, after, text_of)
            former = _unsaid(component, old, change.old, uses, decisions)
            changes.append(replace(change, former=former))
    return changes


def find_open(
    uses: Uses,
    code: ReadableCode,
    decisions: Decisions,
    text_of: TextOf,
) -> list[Change]:
    """Return the components that are not what stored calls touched, nobody having said how they compare.

    Also those that a commit did not ask about, or was told to leave for later. A component that
    holds again what some calls touched is not among them if `code` is a running program: what
    it holds is known, and other contents were left behind.
    """
    found = []
    for component, new, old in _open_contents(uses, code, decisions):
        found.append(_open_change(component, old[-1], new, uses, code, decisions, text_of))
    return found


def find_every_open(
    uses: Uses,
    code: ReadableCode,
    decisions: Decisions,
    text_of: TextOf,
) -> list[Change]:
    """Do the same for all that calls touched, not only what they touched last; the oldest first.

    Of contents that somebody said are equivalent the last one stands for all.
    """
    found = []
    for component, new, old in _open_contents(uses, code, decisions):
        for content in _apart(component, new, old, decisions):
            found.append(_open_change(component, content, new, uses, code, decisions, text_of))
    return found


def find_between(
    change: Change,
    uses: Uses,
    code: ReadableCode,
    decisions: Decisions,
    text_of: TextOf,
) -> list[Change]:
    """Return what else pending calls touched of a component before it became what it is, the oldest first.

    What a commit holds was asked about when it was made.
    """
    return [
        _open_change(component, content, new, uses, code, decisions, text_of)
        for component, new, old in _open_contents(uses, code, decisions, [change.component])
        for content in _apart(
            component,
            new,
            [content for content in old if (component, content.source) not in uses.committed],
            decisions,
            said=[change.old],
        )
    ]


def _apart(
    component: Component,
    new: Content,
    old: Sequence[Content],
    decisions: Decisions,
    said: Sequence[Digest] = (),
) -> list[Content]:
    """Return the last of all contents that are equivalent; none that is equivalent to one of `said`."""
    known = list(said)
    apart: list[Content] = []
    for content in reversed(old):
        was = decided_by(component, content, new)[0]
        if not any(decisions.equivalent(component, was, other) for other in known):
            known.append(was)
            apart.append(content)
    return apart[::-1]


def find_new(
    uses: Uses,
    code: ReadableCode,
    decisions: Decisions,
    text_of: TextOf,
) -> list[Change]:
    """Return the open changes to what nobody has seen yet: no stored call, and no statement.

    So a change is asked about once. Code that is known, or that was decided to be equivalent to
    known code, asks nothing, even if other contents, which were left pending, do not compare.
    """
    found = []
    for component, new, old in _open_contents(uses, code, decisions):
        known = uses.contents[component]
        if any(holds(component, content, code, decisions) for content in known):
            continue
        strange = [content for content in old if _is_new(component, content, new, uses, decisions)]
        # The same text with another value is nearer than another text.
        nearest = [content for content in strange if content.source == new.source] or strange
        if nearest:
            change = _open_change(component, nearest[-1], new, uses, code, decisions, text_of)
            found.append(change)
    return found


def _open_contents(
    uses: Uses, code: Code, decisions: Decisions, components: Collection[Component] | None = None
) -> Iterator[tuple[Component, Content, list[Content]]]:
    """Yield components, what they hold now, and what else calls touched that nobody compared with it."""
    for component in sorted(uses.contents if components is None else components):
        new = code.current(component) if code.knows(component) else None
        if new is None:
            continue
        old = [
            content
            for content in uses.contents[component]
            if not holds(component, content, code, decisions)
            and not _is_decided(component, content, new, decisions)
        ]
        if old:
            yield component, new, old


def is_any_open(uses: Uses, code: Code, decisions: Decisions) -> bool:
    """Whether somebody can still say of results of older code that they count."""
    return bool(decisions.contests()) or any(_open_contents(uses, code, decisions))


def _is_new(
    component: Component, old: Content, new: Content, uses: Uses, decisions: Decisions
) -> bool:
    """Whether no statement names what a decision would be about, and no call touched that text."""
    if decisions.mentions(component, decided_by(component, old, new)[1]):
        return False
    return old.source == new.source or new.source not in uses.sources(component)


def _is_decided(component: Component, old: Content, new: Content, decisions: Decisions) -> bool:
    """Whether somebody said how two contents compare, of what a decision would be about."""
    return decisions.related(component, *decided_by(component, old, new))


def decided_by(component: Component, old: Content, new: Content) -> tuple[Digest, Digest]:
    """Return the pair of ids that a decision would be about.

    Of a variable the values, if they are known: its text may give another value tomorrow.
    """
    if old.value is None or new.value is None:
        return old.source, new.source
    if old.source == new.source or is_variable(component):
        return old.value, new.value
    return old.source, new.source


def _open_change(
    component: Component,
    old: Content,
    new: Content,
    uses: Uses,
    code: ReadableCode,
    decisions: Decisions,
    text_of: TextOf,
) -> Change:
    pair = decided_by(component, old, new)
    return Change(
        component,
        *pair,
        _former_text(component, old.source, uses, text_of),
        code.text(component) or "",
        new.source,
        uses.dependents(component, pair[0]),
        tuple(_affected(component, pair[0], uses, decisions)),
        _unsaid(component, old, pair[0], uses, decisions),
    )


def _former_text(
    component: Component,
    source: Digest,
    uses: Uses,
    text_of: TextOf,
) -> str:
    """Return the text of a content, the one that it had under another name if need be."""
    for place in ((component, source), *uses.former.get((component, source), ())):
        text = text_of(*place)
        if text:
            return text
    return ""


def _unsaid(
    component: Component, old: Content, decided: Digest, uses: Uses, decisions: Decisions
) -> tuple[Place, ...]:
    """Return the contents of other names that are to be taken for this one, and no move says so."""
    if decided != old.source:
        return ()  # a value has no name that it could have had before
    former = uses.former.get((component, decided), ())
    return tuple(place for place in former if not decisions.same(place, (component, decided)))


def _affected(
    component: Component, old: Digest, uses: Uses, decisions: Decisions
) -> Iterator[Affected]:
    seen = dict.fromkeys((t.op, t.version) for t in uses.tallies_of(component, old))
    for op, version in seen:
        yield Affected(op, version, semantic_id(uses.versions[version], decisions))


def _base(
    component: Component,
    new: Content,
    uses: Uses,
    before: SourceTree,
    decisions: Decisions,
) -> Content | None:
    """Return the content to compare with: what was committed, else what ran last."""
    open_ones = [
        content
        for content in uses.contents[component]
        if not _is_decided(component, content, new, decisions)
    ]
    if not open_ones:
        return None
    committed = before.current(component)
    if committed is not None:
        for content in reversed(open_ones):
            if content.source == committed.source:
                return content
        if _is_decided(component, committed, new, decisions):
            return None  # the committed text says the same; other contents were experiments
    return open_ones[-1]


def _change(
    component: Component,
    old: Content,
    new: Content,
    uses: Uses,
    before: SourceTree,
    after: SourceTree,
    text_of: TextOf,
) -> Change:
    committed = before.current(component)
    is_committed = committed is not None and committed.source == old.source
    pair = decided_by(component, old, new)
    text = before.text(component) if is_committed else None
    return Change(
        component,
        *pair,
        text or _former_text(component, old.source, uses, text_of),
        after.text(component) or "",
        new.source,
        uses.dependents(component, pair[0]),
    )
