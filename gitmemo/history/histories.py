"""Function histories of one repository: render facts, read them, show them.

Not the index (facts come in, none is decided here) and not the network
(`transport`). Invariant: the anchor ref moves only by compare-and-swap, from a
value whose histories are part of the new one; so several processes and several
clones may record at once and lose nothing.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass

from gitmemo.errors import MissingObject, RefContended
from gitmemo.git.repository import Layout
from gitmemo.hashing.digest import Digest
from gitmemo.history.anchor import heads_of, make_anchor, newest, with_heads
from gitmemo.history.known import Known, fact_at, known_at, parent_at, save
from gitmemo.history.names import VERSIONS_REF
from gitmemo.history.planning import RenderPlan, plan_rendering
from gitmemo.history.rendering import GitObject, Parent, text_in
from gitmemo.history.store import Store, back_off
from gitmemo.history.transport import FetchReport, PushReport, RemoteRef, fetch, push
from gitmemo.history.views import refresh, shown_ref
from gitmemo.model.components import Component
from gitmemo.model.facts import Decision, Source

_TRIES = 60


@dataclass(frozen=True, slots=True)
class RenderReport:
    """What `Histories.render` did.

    Attributes:
        anchor: The anchor commit now; None while there are no histories.
        rendered: Fact to commit, for the facts that got theirs now.
        known: How many of the facts given had their commit before.
        waiting_for_text: `Source` facts whose text is not known here yet.
        waiting_for_parents: Facts that follow one that is not known here yet.
        problems: What was skipped for good, and why, for people.
    """

    anchor: str | None
    rendered: Mapping[Digest, str]
    known: int
    waiting_for_text: tuple[Digest, ...] = ()
    waiting_for_parents: tuple[Digest, ...] = ()
    problems: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class HistoryEntry:
    """One commit of a component's history.

    Attributes:
        commit: Its id.
        parents: Ids of the commits that it follows.
        record: Record id of the fact that it renders.
        fact: The fact.
    """

    commit: str
    parents: tuple[str, ...]
    record: Digest
    fact: Source | Decision


class Histories:
    """The function histories in one repository."""

    __slots__ = ("layout",)

    def __init__(self, layout: Layout) -> None:
        self.layout = layout

    @property
    def anchor(self) -> str | None:
        """The commit that reaches every history, None while there are none."""
        with Store(self.layout) as store:
            return store.ref(VERSIONS_REF)

    def render(
        self, facts: Iterable[Source | Decision], texts: Mapping[Digest, str]
    ) -> RenderReport:
        """Make sure that each fact has its commit. Safe to repeat.

        Args:
            facts: In any order; those that follow facts not given are found if
                they were rendered before.
            texts: Digest to text, as in `Source.text`. Texts that the
                histories hold already need not be given.

        Raises:
            RefContended: Other processes kept moving the anchor.
        """
        given = list(facts)
        for attempt in range(_TRIES):
            with Store(self.layout) as store:
                anchor = store.ref(VERSIONS_REF)
                known = known_at(store, anchor)
                plan = _plan(store, known, given, texts)
                moved = _record(store, anchor, known, plan) if plan.new else anchor
            if moved is not None or not plan.new:
                # Made anew, the anchor may be one that the views showed before.
                shown = refresh(self.layout, everything=anchor is None) if moved else ()
                return _report(moved, plan, known, shown)
            back_off(attempt)
        raise RefContended(VERSIONS_REF, _TRIES)

    def text_of(self, text: Digest) -> str | None:
        """Return the text with this digest, as in `Source.text`; None if no history holds it."""
        with Store(self.layout) as store:
            return _text(store, known_at(store, store.ref(VERSIONS_REF)), text)

    def texts_of(self, texts: Iterable[Digest]) -> dict[Digest, str]:
        """Return those of several texts that the histories hold."""
        with Store(self.layout) as store:
            known = known_at(store, store.ref(VERSIONS_REF))
            found = {text: _text(store, known, text) for text in texts}
        return {text: value for text, value in found.items() if value is not None}

    def ref_of(self, component: Component) -> str:
        """Return the ref that shows a component's history, whether or not it exists yet."""
        with Store(self.layout) as store:
            anchor = store.ref(VERSIONS_REF)
            return shown_ref(store, store.commit(anchor).tree if anchor else None, component)

    def log(self, component: Component) -> list[HistoryEntry]:
        """Return a component's history, newest first; empty if there is none."""
        with Store(self.layout) as store:
            anchor = store.ref(VERSIONS_REF)
            if anchor is None:
                return []
            known = known_at(store, anchor)
            heads = heads_of(store, store.commit(anchor).tree, component)
            return _entries(store, known, heads)

    def fetch(self, remote: str = "origin", side_ref: str = VERSIONS_REF) -> FetchReport:
        """Fetch a remote's histories and merge them into ours; see `transport.fetch`."""
        return fetch(self.layout, RemoteRef(remote, side_ref))

    def push(self, remote: str = "origin", side_ref: str = VERSIONS_REF) -> PushReport:
        """Bring our histories to a remote, merging its own first; see `transport.push`."""
        return push(self.layout, RemoteRef(remote, side_ref))

    def refresh_views(self) -> tuple[str, ...]:
        """Write every view ref again, also deleted ones; return what could not be done."""
        return refresh(self.layout, everything=True)


def _plan(
    store: Store, known: Known, facts: list[Source | Decision], texts: Mapping[Digest, str]
) -> RenderPlan:
    def parent_of(fact: Digest) -> Parent | None:
        oid = known.commit_of.get(fact)
        return parent_at(store, oid) if oid else None

    def text_of(text: Digest) -> str | None:
        return texts[text] if text in texts else _text(store, known, text)

    return plan_rendering(facts, known.commit_of, parent_of, text_of, store.object_format)


def _text(store: Store, known: Known, text: Digest) -> str | None:
    blob = known.blob_of.get(text)
    if blob is None:
        return None
    try:
        return text_in(store.blob(blob), text)
    except MissingObject:
        return None


def _record(store: Store, anchor: str | None, known: Known, plan: RenderPlan) -> str | None:
    """Write a plan on top of `anchor`; return the new anchor, None if another process was first."""
    objects: list[GitObject] = [item for r in plan.new.values() for item in r.objects]
    store.add(objects)
    tree = store.commit(anchor).tree if anchor else None
    changes: dict[Component, tuple[str, ...]] = {}
    fresh: set[str] = set()
    for component, commits in plan.heads().items():
        before = heads_of(store, tree, component)
        changes[component] = newest(store, [*before, *commits])
        fresh.update(set(changes[component]) - set(before))
    new_tree, listing = with_heads(store, tree, changes)
    top = make_anchor(
        new_tree,
        [store.commit(anchor)] if anchor else [],
        [store.commit(oid) for oid in fresh],
        store.object_format,
    )
    store.add([*listing, top])
    if not store.swap(VERSIONS_REF, anchor, top.oid):
        return None
    store.log_move(VERSIONS_REF, anchor, top.oid, f"rendered {len(plan.new)} facts")
    _remember(store, known, plan, top.oid)
    return top.oid


def _remember(store: Store, known: Known, plan: RenderPlan, anchor: str) -> None:
    for ident, rendering in plan.new.items():
        fact = plan.facts[ident]
        text = fact.text if isinstance(fact, Source) else None
        known.add(ident, rendering.commit, text, rendering.objects[0].oid)
    known.anchors.add(anchor)
    known.anchor = anchor
    save(store, known)


def _report(
    anchor: str | None, plan: RenderPlan, known: Known, problems: tuple[str, ...]
) -> RenderReport:
    return RenderReport(
        anchor=anchor,
        rendered={fact: rendering.commit for fact, rendering in plan.new.items()},
        known=plan.known,
        waiting_for_text=tuple(plan.waiting_for_text),
        waiting_for_parents=tuple(plan.waiting_for_parents),
        problems=(*plan.rejected, *known.problems, *problems),
    )


def _entries(store: Store, known: Known, heads: Iterable[str]) -> list[HistoryEntry]:
    found: dict[str, HistoryEntry] = {}
    times: dict[str, int] = {}
    waiting = [oid for oid in heads if oid in known.fact_of]
    while waiting:
        oid = waiting.pop()
        if oid not in found:
            info = store.commit(oid)
            times[oid] = info.time
            found[oid] = HistoryEntry(
                oid, info.parents, known.fact_of[oid], fact_at(store, oid, known)
            )
            waiting += info.parents
    # Generations, not clocks: a commit's time is greater than its parents'.
    return sorted(
        found.values(), key=lambda entry: (times[entry.commit], entry.commit), reverse=True
    )
