"""Which facts have which commits: read out of the commits, kept in a small cache.

Not a source of truth: the file may be deleted at any time. Invariant: a pair
of fact and commit is in here only if rendering the fact gives exactly that
commit, so what a fetched commit merely claims is never believed.
"""

from __future__ import annotations

import os
import tempfile
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path

from gitmemo.errors import MissingObject
from gitmemo.git.formats import CommitInfo
from gitmemo.hashing.digest import Digest, to_hex
from gitmemo.history.anchor import earlier_anchors
from gitmemo.history.rendering import (
    Parent,
    read_hex,
    read_message,
    recover,
    render,
    text_in,
)
from gitmemo.history.store import Store
from gitmemo.model.facts import Decision, Source

CACHE_NAME = "versions.cache"
_FORMAT = "gitmemo-versions 1"
_NONE = "-"
# A hostile anchor may follow a whole project.
_MAX_PROBLEMS = 20


@dataclass(slots=True)
class Known:
    """What the anchor `anchor` reaches.

    Attributes:
        anchor: The newest anchor scanned.
        anchors: It and all before it.
        commit_of: Fact to commit.
        fact_of: Commit to fact.
        blob_of: Digest of a text to the blob that holds it.
        rejected: Commits that are not renderings of facts, and why. Not kept in the cache.
    """

    anchor: str | None = None
    anchors: set[str] = field(default_factory=set)
    commit_of: dict[Digest, str] = field(default_factory=dict)
    fact_of: dict[str, Digest] = field(default_factory=dict)
    blob_of: dict[Digest, str] = field(default_factory=dict)
    rejected: dict[str, str] = field(default_factory=dict)

    @property
    def problems(self) -> tuple[str, ...]:
        """What was rejected, for people: the first few, and how many more."""
        first = tuple(self.rejected.values())[:_MAX_PROBLEMS]
        more = len(self.rejected) - len(first)
        return (*first, f"{more} more commits are not rendered facts") if more else first

    def add(self, fact: Digest, commit: str, text: Digest | None, blob: str | None) -> None:
        """Remember a pair that was checked."""
        self.commit_of[fact] = commit
        self.fact_of[commit] = fact
        if text is not None and blob is not None:
            self.blob_of[text] = blob


def known_at(store: Store, anchor: str | None) -> Known:
    """Return what `anchor` reaches, from the cache and a scan of what is newer."""
    if anchor is None:
        return Known()
    known = load(store)
    if known.anchor == anchor:
        return known
    try:
        met = scan(store, anchor, known)
    except MissingObject:
        # The cache named something that is gone; without it nothing can be.
        met = set()
    if known.anchor is not None and known.anchor not in met:
        # The ref was set back, or deleted and made anew: the cache knows too much.
        known = Known()
        scan(store, anchor, known)
    known.anchor = anchor
    save(store, known)
    return known


def scan(store: Store, anchor: str, known: Known) -> set[str]:
    """Extend `known` by all that `anchor` reaches; return where that met what was known."""
    found, met = _walk(store, anchor, known)
    for info in _parents_first(found):
        if earlier_anchors(info) is not None:
            known.anchors.add(info.oid)
        else:
            _believe(store, info, known)
    return met


def _walk(store: Store, anchor: str, known: Known) -> tuple[dict[str, CommitInfo], set[str]]:
    """Return the commits that `anchor` reaches beyond `known`, and the known ones it met."""
    found: dict[str, CommitInfo] = {}
    met: set[str] = set()
    waiting = [anchor]
    while waiting:
        oid = waiting.pop()
        if oid in known.anchors or oid in known.fact_of:
            met.add(oid)
        elif oid not in found:
            found[oid] = info = store.commit(oid)
            waiting += info.parents
    return found, met


def _parents_first(found: dict[str, CommitInfo]) -> list[CommitInfo]:
    """Order by parentage alone: the times in fetched commits may lie."""
    ordered: list[CommitInfo] = []
    done: set[str] = set()
    for start in found:
        stack = [(start, False)]
        while stack:
            oid, parents_done = stack.pop()
            if oid in done or oid not in found:
                continue
            if parents_done:
                done.add(oid)
                ordered.append(found[oid])
            else:
                stack.append((oid, True))
                stack += [(parent, False) for parent in found[oid].parents]
    return ordered


def _believe(store: Store, info: CommitInfo, known: Known) -> None:
    """Add a commit to `known` if it is exactly the rendering of the fact that it names."""
    try:
        text, blob = _check(store, info, known)
    except (ValueError, MissingObject, RecursionError) as error:
        known.rejected[info.oid] = f"commit {info.oid} is not a rendered fact: {error}"
    else:
        message = read_message(info.message)
        if message is not None:
            known.add(message.digest("Fact"), info.oid, text, blob)


def _check(store: Store, info: CommitInfo, known: Known) -> tuple[Digest | None, str | None]:
    """Return text digest and blob of a commit; raise `ValueError` if it is not as rendered."""
    strangers = [parent for parent in info.parents if parent not in known.fact_of]
    if strangers:
        raise ValueError(f"it follows {strangers[0]}, which is none")
    fact = recover(info, [known.fact_of[parent] for parent in info.parents])
    blob, text = _text(store, info, fact)
    parents = [parent_at(store, oid) for oid in info.parents]
    if render(fact, text, parents, store.object_format).commit != info.oid:
        raise ValueError("it differs from what its fact renders to")
    return (fact.text, blob) if isinstance(fact, Source) else (None, None)


def _text(store: Store, info: CommitInfo, fact: Source | Decision) -> tuple[str | None, str | None]:
    if not isinstance(fact, Source):
        return None, None
    tree = store.tree(info.tree)
    if len(tree) != 1:
        raise ValueError(f"its tree has {len(tree)} entries")
    return tree[0].oid, text_in(store.blob(tree[0].oid), fact.text)


def parent_at(store: Store, oid: str) -> Parent:
    """Return a rendered commit as a parent for further ones."""
    info = store.commit(oid)
    return Parent(oid, info.tree, info.time)


def fact_at(store: Store, oid: str, known: Known) -> Source | Decision:
    """Return the fact that a known commit renders."""
    info = store.commit(oid)
    return recover(info, [known.fact_of[parent] for parent in info.parents])


# --- the file -------------------------------------------------------------


def load(store: Store) -> Known:
    """Return what the cache file holds; nothing if it is missing, damaged or of another format."""
    try:
        text = (store.layout.private_dir / CACHE_NAME).read_text("ascii")
        return _parse(text, f"{_FORMAT} {store.object_format}")
    except (OSError, ValueError):
        return Known()


def save(store: Store, known: Known) -> None:
    """Write the cache file, whole and in one step; where that fails, do without."""
    lines = [f"{_FORMAT} {store.object_format} {known.anchor or _NONE}"]
    lines += [f"a {oid}" for oid in sorted(known.anchors)]
    lines += [f"f {to_hex(fact)} {oid}" for fact, oid in known.commit_of.items()]
    lines += [f"t {to_hex(text)} {blob}" for text, blob in known.blob_of.items()]
    with suppress(OSError):
        _write(store.layout.private_dir, "\n".join([*lines, "end"]) + "\n")


def _write(folder: Path, text: str) -> None:
    folder.mkdir(parents=True, exist_ok=True)
    descriptor, name = tempfile.mkstemp(dir=folder, prefix=f"{CACHE_NAME}-")
    try:
        with os.fdopen(descriptor, "w", encoding="ascii") as file:
            file.write(text)
        Path(name).replace(folder / CACHE_NAME)
    except BaseException:
        Path(name).unlink(missing_ok=True)
        raise


def _parse(text: str, form: str) -> Known:
    header, *lines = text.splitlines()
    found, _, anchor = header.rpartition(" ")
    if found != form or not lines or lines.pop() != "end":
        raise ValueError("not a whole cache of this format")
    known = Known(anchor=None if anchor == _NONE else anchor)
    for line in lines:
        kind, *fields = line.split(" ")
        if kind == "a":
            known.anchors.add(fields[0])
        elif kind == "f":
            known.add(read_hex(fields[0]), fields[1], None, None)
        elif kind == "t":
            known.blob_of[read_hex(fields[0])] = fields[1]
        else:
            raise ValueError("an unknown kind of line")
    return known
