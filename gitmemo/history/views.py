"""Local refs that show each component's history to plain git.

Not transported and not needed by gitmemo: they exist for `git log -p`.
Invariant: each is a function of the anchor, so any of them may be deleted; they
move by compare-and-swap, and the anchor is read after the refs, so that a slow
process never puts an old view over a newer one.
"""

from __future__ import annotations

import os
from collections.abc import Iterable

from gitmemo.errors import MissingObject
from gitmemo.git.cli import Git
from gitmemo.git.formats import encode_commit
from gitmemo.git.repository import Layout
from gitmemo.history.anchor import Heads, differing, entries, heads_of, read_entry
from gitmemo.history.names import FUNCTION_REFS, VERSIONS_REF, key_of, ref_name, twin_of
from gitmemo.history.rendering import IDENTITY, GitObject, make
from gitmemo.history.store import Store, back_off, move_refs
from gitmemo.model.components import Component

STATE_NAME = "versions.views"
_TRIES = 12
# A file each is slow for git to list; it packs them only with the next `git gc`.
_MOST_LOOSE = 200


def refresh(layout: Layout, *, everything: bool = False) -> tuple[str, ...]:
    """Bring the view refs up to date with the anchor; return what could not be done.

    Args:
        layout: Which repository.
        everything: Also look at components that did not change since the last time.
    """
    problems: tuple[str, ...] = ()
    for attempt in range(_TRIES):
        if not everything and _is_current(layout):
            return problems
        present = _present_refs(layout)
        with Store(layout) as store:
            anchor = store.ref(VERSIONS_REF)
            if anchor is None:
                return ()
            since = None if everything else _state(layout, store)
            wanted, objects, problems = _wanted(store, anchor, since)
            store.add(objects)
        if _move(layout, present, wanted):
            layout.private_dir.mkdir(parents=True, exist_ok=True)
            (layout.private_dir / STATE_NAME).write_text(f"{anchor}\n", "ascii")
            _pack(layout)
            return problems
        back_off(attempt)
    return (*problems, "the refs under refs/gitmemo/fn are busy; the next command updates them")


def shown_ref(store: Store, tree: str | None, component: Component) -> str:
    """Return the name of the ref that shows a component, given an anchor tree."""
    twin = twin_of(component)
    return ref_name(component, shadowed=twin is not None and bool(heads_of(store, tree, twin)))


def make_join(store: Store, heads: Heads) -> GitObject:
    """Return a local commit that shows several heads as one history.

    It carries the text of the newest head: what the others say is in their diffs.
    """
    infos = [store.commit(oid) for oid in heads.commits]
    newest = max(infos, key=lambda info: (info.time, info.oid))
    key = key_of(heads.component)
    subject = f"{heads.component.path}: {heads.component.unit}: {len(infos)} histories side by side"
    message = f"{subject}\n\nGitmemo-Join: {key}\n"
    body = encode_commit(newest.tree, heads.commits, IDENTITY, newest.time + 1, message)
    return make("commit", body, store.object_format)


def _is_current(layout: Layout) -> bool:
    with Store(layout) as store:
        anchor = store.ref(VERSIONS_REF)
        return anchor is None or anchor == _state(layout, store)


def _state(layout: Layout, store: Store) -> str | None:
    """Return the anchor that the views show, None if that is not known or not readable."""
    try:
        anchor = (layout.private_dir / STATE_NAME).read_text("ascii").strip()
        store.commit(anchor)
    except (OSError, ValueError, MissingObject):
        return None
    return anchor


def _wanted(
    store: Store, anchor: str, since: str | None
) -> tuple[dict[str, str | None], list[GitObject], tuple[str, ...]]:
    """Return ref to commit (None: to none) for every component whose heads changed since an anchor."""
    tree = store.commit(anchor).tree
    before = store.commit(since).tree if since else None
    listed, listed_before = entries(store, tree), entries(store, before)
    problems: list[str] = []
    changed: dict[Component, Heads] = {}
    gone: list[Component] = []
    for place in differing(store, before, tree):
        found = read_entry(store, place, listed.get(place) or listed_before[place])
        if isinstance(found, str):
            problems.append(found)
        elif place in listed:
            changed[found.component] = found
        else:  # the anchor was set back
            gone.append(found.component)
    for hidden in _newly_shadowed(store, tree, (*changed, *gone)):
        changed[hidden.component] = hidden
    wanted: dict[str, str | None] = {shown_ref(store, before, one): None for one in gone}
    objects: list[GitObject] = []
    for component, heads in changed.items():
        try:
            target = heads.commits[0]
            if len(heads.commits) > 1:
                objects.append(make_join(store, heads))
                target = objects[-1].oid
        except MissingObject as error:
            problems.append(f"the history of {component} is incomplete: {error.problem()}")
        else:
            wanted[shown_ref(store, tree, component)] = target
    return wanted, objects, tuple(problems)


def _newly_shadowed(store: Store, tree: str, changed: Iterable[Component]) -> list[Heads]:
    """Return the components under `src/` whose plain name one of `changed` may have taken."""
    twins = [Component(f"src/{component.path}", component.unit) for component in changed]
    found = [Heads(twin, heads_of(store, tree, twin)) for twin in twins]
    return [heads for heads in found if heads.commits]


def _present_refs(layout: Layout) -> dict[str, str]:
    listing = Git(layout.common_dir).run(
        "for-each-ref", "--format=%(refname) %(objectname)", f"{FUNCTION_REFS}/"
    )
    pairs = (line.rpartition(" ") for line in listing.splitlines())
    return {name: oid for name, _, oid in pairs}


def _move(layout: Layout, present: dict[str, str], wanted: dict[str, str | None]) -> bool:
    """Move refs in one transaction, each only from what was seen; return whether it worked."""
    moves = {
        name: (present.get(name), oid) for name, oid in wanted.items() if present.get(name) != oid
    }
    return not moves or move_refs(layout, moves)


def _pack(layout: Layout) -> None:
    """Put the refs into one file, as `git gc` does, once there are many views in files of their own."""
    folder = layout.common_dir / FUNCTION_REFS
    loose = sum(len(files) for _, _, files in os.walk(folder))
    if loose > _MOST_LOOSE:
        # Busy refs stay as they are; the next time does it.
        Git(layout.common_dir).process("pack-refs", "--all", "--prune")
