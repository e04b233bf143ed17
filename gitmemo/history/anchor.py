"""The anchor: one commit that reaches every history and lists their heads.

Not the histories themselves. Its parents keep everything reachable (earlier
anchors first, then new heads), its tree says which commits are heads of which
component. Invariant: listing and merging are functions of the sets of commits
involved, so that clones that know the same have the same anchor tree, and two
that merge the same pair make the same commit.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass

from gitmemo.errors import MissingObject
from gitmemo.git.formats import (
    FILE_MODE,
    TREE_MODE,
    CommitInfo,
    TreeEntry,
    encode_commit,
    encode_tree,
)
from gitmemo.hashing.digest import digest, to_hex
from gitmemo.history.names import key_of, parse_key
from gitmemo.history.rendering import EPOCH, IDENTITY, GitObject, make, read_message
from gitmemo.history.store import Store
from gitmemo.model.components import Component

MAX_ENTRY_BYTES = 1 << 18
_FOLDER = re.compile(rb"[0-9a-f]{2}")
_FILE = re.compile(rb"[0-9a-f]{62}")
_TRAILER = "Anchors"
_SUBJECT = "gitmemo: heads of all function histories"

Place = tuple[str, str]
"""Folder and file name of a component's entry in the anchor tree."""


@dataclass(frozen=True, slots=True)
class Heads:
    """One entry of the anchor tree: the newest commits of a component."""

    component: Component
    commits: tuple[str, ...]


def place_of(component: Component) -> Place:
    """Return where the entry of a component is."""
    name = to_hex(digest(key_of(component).encode()))
    return name[:2], name[2:]


def encode_heads(heads: Heads) -> bytes:
    """Return the blob of an entry."""
    return "".join(f"{line}\n" for line in (key_of(heads.component), *heads.commits)).encode()


def parse_heads(body: bytes, place: Place, oid_digits: int) -> Heads:
    """Read an entry; raise `ValueError` unless `encode_heads` wrote it for this place."""
    if len(body) > MAX_ENTRY_BYTES:
        raise ValueError("it is too large")
    key, *commits = body.decode("utf-8").removesuffix("\n").split("\n")
    heads = Heads(parse_key(key), tuple(commits))
    if not all(re.fullmatch(rf"[0-9a-f]{{{oid_digits}}}", commit) for commit in commits):
        raise ValueError("it lists something that is not a commit id")
    if list(commits) != sorted(set(commits)) or not commits or encode_heads(heads) != body:
        raise ValueError("it is not written as gitmemo writes it")
    if place_of(heads.component) != place:
        raise ValueError("it stands in another component's place")
    return heads


# --- commits --------------------------------------------------------------


def make_anchor(
    tree: str, anchors: Iterable[CommitInfo], heads: Iterable[CommitInfo], object_format: str
) -> GitObject:
    """Return an anchor commit on top of earlier anchors and new heads."""
    earlier = sorted(anchors, key=lambda info: info.oid)
    new = sorted(heads, key=lambda info: info.oid)
    parents = [*earlier, *new]
    message = f"{_SUBJECT}\n\nGitmemo-{_TRAILER}: {len(earlier)}\n"
    time = max([EPOCH, *(info.time for info in parents)]) + 1
    oids = tuple(info.oid for info in parents)
    return make("commit", encode_commit(tree, oids, IDENTITY, time, message), object_format)


def earlier_anchors(info: CommitInfo) -> tuple[str, ...] | None:
    """Return the parents of an anchor that are anchors; None if it is not an anchor."""
    message = read_message(info.message)
    if message is None or list(message.trailers) != [_TRAILER]:
        return None
    value = message.one(_TRAILER) if len(message.trailers[_TRAILER]) == 1 else ""
    if not re.fullmatch(r"[0-9]{1,4}", value):
        return None
    return info.parents[: int(value)]


def is_earlier(store: Store, old: str, new: str) -> bool:
    """Return whether anchor `old` is `new` or one of the anchors before it."""
    oldest = store.commit(old).time
    seen, waiting = {new}, [new]
    while waiting:
        oid = waiting.pop()
        if oid == old:
            return True
        info = store.commit(oid)
        # Times only grow from parent to child, so nothing below can be `old`.
        if info.time > oldest:
            fresh = [p for p in earlier_anchors(info) or () if p not in seen]
            seen.update(fresh)
            waiting += fresh
    return False


# --- trees ----------------------------------------------------------------


def entries(store: Store, tree: str | None, folder: str | None = None) -> dict[Place, str]:
    """Return the well-formed entries of an anchor tree: place to blob id."""
    found: dict[Place, str] = {}
    for name, oid in _named(store, tree, _FOLDER, TREE_MODE).items():
        if folder is None or name == folder:
            found |= {
                (name, file): blob for file, blob in _named(store, oid, _FILE, FILE_MODE).items()
            }
    return found


def _named(store: Store, tree: str | None, name: re.Pattern[bytes], mode: int) -> dict[str, str]:
    if tree is None:
        return {}
    return {
        entry.name.decode("ascii"): entry.oid
        for entry in store.tree(tree)
        if entry.mode == mode and name.fullmatch(entry.name)
    }


def heads_of(store: Store, tree: str | None, component: Component) -> tuple[str, ...]:
    """Return the heads that an anchor tree lists for a component."""
    if tree is None:
        return ()
    folder, file = place_of(component)
    folders = _named(store, tree, _FOLDER, TREE_MODE)
    blob = _named(store, folders.get(folder), _FILE, FILE_MODE).get(file)
    found = read_entry(store, (folder, file), blob) if blob else None
    return found.commits if isinstance(found, Heads) else ()


def read_entry(store: Store, place: Place, blob: str) -> Heads | str:
    """Return an entry, or why it is not one."""
    try:
        return parse_heads(store.blob(blob), place, len(blob))
    except (ValueError, MissingObject) as error:
        return f"entry {'/'.join(place)} was skipped: {error}"


def differing(store: Store, one: str | None, other: str | None) -> Iterator[Place]:
    """Yield the places whose entries differ between two anchor trees, sorted."""
    ours, theirs = (_named(store, tree, _FOLDER, TREE_MODE) for tree in (one, other))
    for folder in sorted({*ours, *theirs}):
        if ours.get(folder) == theirs.get(folder):
            continue
        mine = _named(store, ours.get(folder), _FILE, FILE_MODE)
        yours = _named(store, theirs.get(folder), _FILE, FILE_MODE)
        for file in sorted({*mine, *yours}):
            if mine.get(file) != yours.get(file):
                yield folder, file


def with_heads(
    store: Store, tree: str | None, changes: Mapping[Component, tuple[str, ...]]
) -> tuple[str, list[GitObject]]:
    """Return an anchor tree with other heads for some components, and the objects to add.

    Entries that are not well-formed by name are left behind.
    """
    folders: dict[str, dict[str, str]] = {}
    objects: list[GitObject] = []
    roots = _named(store, tree, _FOLDER, TREE_MODE)
    for component, commits in changes.items():
        folder, file = place_of(component)
        blob = make("blob", encode_heads(Heads(component, commits)), store.object_format)
        objects.append(blob)
        if folder not in folders:
            folders[folder] = _named(store, roots.get(folder), _FILE, FILE_MODE)
        folders[folder][file] = blob.oid
    for folder, files in folders.items():
        objects.append(_tree(files, FILE_MODE, store.object_format))
        roots[folder] = objects[-1].oid
    objects.append(_tree(roots, TREE_MODE, store.object_format))
    return objects[-1].oid, objects


def _tree(names: Mapping[str, str], mode: int, object_format: str) -> GitObject:
    lines = [TreeEntry(mode, name.encode("ascii"), oid) for name, oid in names.items()]
    return make("tree", encode_tree(lines), object_format)


# --- sets of heads --------------------------------------------------------


def newest(store: Store, commits: Iterable[str]) -> tuple[str, ...]:
    """Return those of `commits` that are not ancestors of another, sorted."""
    candidates = set(commits)
    if len(candidates) > 1:
        oldest = min(store.commit(oid).time for oid in candidates)
        seen: set[str] = set()
        waiting = [p for oid in candidates for p in store.commit(oid).parents]
        while waiting:
            oid = waiting.pop()
            if oid in seen:
                continue
            seen.add(oid)
            info = store.commit(oid)
            if info.time > oldest:
                waiting += info.parents
        candidates -= seen
    return tuple(sorted(candidates))
