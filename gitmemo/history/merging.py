"""Two anchors into one.

Not the network and not the ref. Invariant: the result lists, for each
component, the newest of both sides' rendered commits; it depends on the two
anchors alone, so every clone that merges the same pair gets the same commit,
and what is not a rendering of a fact is never listed.
"""

from __future__ import annotations

from dataclasses import dataclass

from gitmemo.history.anchor import (
    Heads,
    Place,
    differing,
    entries,
    is_earlier,
    make_anchor,
    newest,
    read_entry,
    with_heads,
)
from gitmemo.history.known import Known, fact_at
from gitmemo.history.rendering import GitObject
from gitmemo.history.store import Store
from gitmemo.model.components import Component


@dataclass(frozen=True, slots=True)
class Merge:
    """The outcome of merging two anchors.

    Attributes:
        anchor: The commit that stands for both.
        objects: What must be written for it.
        components: Those whose heads differ from ours.
        problems: Entries that were left out, and why.
    """

    anchor: str
    objects: tuple[GitObject, ...]
    components: tuple[Component, ...]
    problems: tuple[str, ...]


def merge(store: Store, ours: str | None, theirs: str, known: Known) -> Merge:
    """Decide what stands for both anchors.

    Args:
        store: Holds everything that both reach.
        ours: Our anchor, if there is one.
        theirs: An anchor that was fetched.
        known: What both reach, checked.
    """
    if ours is not None and is_earlier(store, theirs, ours):
        return Merge(ours, (), (), ())
    our_tree = store.commit(ours).tree if ours else None
    their_tree = store.commit(theirs).tree
    changes, problems = _changes(store, our_tree, their_tree, known)
    tree, objects = with_heads(store, our_tree, changes)
    if ours is None or is_earlier(store, ours, theirs):
        if tree == their_tree:
            return Merge(theirs, (), tuple(changes), problems)
        below = [theirs]
    else:
        below = [ours, theirs]
    top = make_anchor(tree, [store.commit(oid) for oid in below], [], store.object_format)
    return Merge(top.oid, (*objects, top), tuple(changes), problems)


def _changes(
    store: Store, ours: str | None, theirs: str, known: Known
) -> tuple[dict[Component, tuple[str, ...]], tuple[str, ...]]:
    """Return the heads of components where theirs add something to ours."""
    mine, yours = entries(store, ours), entries(store, theirs)
    changes: dict[Component, tuple[str, ...]] = {}
    problems: list[str] = []
    for place in differing(store, ours, theirs):
        if place not in yours:
            continue
        found = read_entry(store, place, yours[place])
        if isinstance(found, str):
            problems.append(found)
            continue
        good, bad = _checked(store, found, known)
        problems += bad
        before = _ours(store, place, mine)
        heads = newest(store, [*before, *good])
        if heads and heads != before:
            changes[found.component] = heads
    return changes, tuple(problems)


def _checked(store: Store, heads: Heads, known: Known) -> tuple[list[str], list[str]]:
    """Return the commits that are renderings of this component's facts, and what is not."""
    good: list[str] = []
    bad: list[str] = []
    for commit in heads.commits:
        if commit not in known.fact_of:
            bad.append(f"head {commit} of {heads.component} was skipped: not a rendered fact")
        elif fact_at(store, commit, known).component != heads.component:
            bad.append(f"head {commit} of {heads.component} was skipped: of another component")
        else:
            good.append(commit)
    return good, bad


def _ours(store: Store, place: Place, mine: dict[Place, str]) -> tuple[str, ...]:
    found = read_entry(store, place, mine[place]) if place in mine else None
    return found.commits if isinstance(found, Heads) else ()
