"""Which values the records of a clone name: those of every ref, reflog, work tree and journal.

Not what is on the disk (`gitmemo.blobs`) nor what is to be removed (`gitmemo.cleaning`).
Invariant: a value that any record in one of these places names, uses or made is live; a
place that cannot be read is an error, never an empty answer.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping
from functools import cached_property
from pathlib import Path

from gitmemo.errors import MissingObject, RecordsUnreadable, SegmentUnreadable
from gitmemo.git.cli import Git
from gitmemo.git.objects import open_reader
from gitmemo.hashing import content_id
from gitmemo.hashing.digest import Digest
from gitmemo.model.facts import Call, Slot, Value
from gitmemo.model.items import Item, inside
from gitmemo.model.lines import from_line
from gitmemo.world.files import segment_bytes, segments_in
from gitmemo.world.index import Index
from gitmemo.world.lost import added_segments, staged_segments
from gitmemo.world.reflogs import git_folders
from gitmemo.world.repository import RepositoryWorld
from gitmemo.world.segments import segment_name

# Commits that git keeps in mind outside of refs.
_HEADS = (
    "ORIG_HEAD",
    "FETCH_HEAD",
    "MERGE_HEAD",
    "CHERRY_PICK_HEAD",
    "REVERT_HEAD",
    "REBASE_HEAD",
    "BISECT_HEAD",
)


class Named:
    """What records say of values.

    Attributes:
        values: All facts about where bytes are that were ever seen here, reachable or not.
        stated: The content ids whose whereabouts stand in the places that count.
        segments: The names of the segments there, under which bytes of spilled ones are kept.
    """

    def __init__(self, world: RepositoryWorld, files: Iterable[int]) -> None:
        """`files` are the places that count."""
        self._index = world.index
        self._graves = world.graves().known
        counted = frozenset(files)
        self._numbers = world.index.members(counted)
        listed = world.index.files("segment").items()
        # Also of those that are whole here: another branch, or the next commit, may have the stub.
        self.segments = frozenset(
            Digest(bytes.fromhex(name)) for (_, name), (file, _) in listed if file in counted
        )
        self.values = tuple(_values(world.index))
        self.stated = frozenset(v.cid for v in world.index.values_among(self._numbers))

    @cached_property
    def known(self) -> frozenset[Digest]:
        """The blobs that any record names which was ever seen here."""
        return frozenset(value.blob for value in self.values)

    def live(self, blobs: Iterable[Digest]) -> frozenset[Digest]:
        """Return those of `blobs` that records in the places that count name, use or made.

        The records themselves are among them, where they are spilled.
        """
        asked = frozenset(blobs)
        stated = asked & (self.blobs_of(self.stated) | self.segments)
        unclear = (asked - stated) & self.known
        # Calls are many, and nearly always their values stand beside them.
        return stated | (unclear & self.blobs_of(cids_of(self.calls))) if unclear else stated

    @cached_property
    def forgotten(self) -> frozenset[Digest]:
        """The live blobs that only calls name which tombstones cover."""
        dead = self.blobs_of(cids_of(call for _, call in self._calls if self._is_dead(call)))
        return dead - self.blobs_of(cids_of(self.calls_in_force))

    @property
    def calls(self) -> Iterator[Call]:
        """The calls in the places that count, forgotten ones too."""
        return (call for _, call in self._calls)

    @property
    def calls_in_force(self) -> Iterator[Call]:
        """The calls in the places that count, without forgotten ones."""
        return (call for _, call in self._calls if not self._is_dead(call))

    @cached_property
    def by_cid(self) -> Mapping[Digest, list[Value]]:
        """The whereabouts of each value."""
        found: dict[Digest, list[Value]] = defaultdict(list)
        for value in self.values:
            found[value.cid].append(value)
        return found

    def blobs_of(self, cids: Iterable[Digest]) -> frozenset[Digest]:
        """Return the blobs of values, and of all that these name in turn."""
        todo, seen, blobs = list(cids), set[Digest](), set[Digest]()
        while todo:
            cid = todo.pop()
            if cid in seen:
                continue
            seen.add(cid)
            for value in self.by_cid.get(cid, ()):
                blobs.add(value.blob)
                todo += value.parts
        return frozenset(blobs)

    @cached_property
    def _calls(self) -> list[tuple[int, Call]]:
        return self._index.numbered_calls(self._numbers)

    def _is_dead(self, call: Call) -> bool:
        return self._graves.cover(call)


def cids_of(calls: Iterable[Call]) -> Iterator[Digest]:
    """Yield the content ids of all that calls used and made, as far as it is not inline."""
    for call in calls:
        for slot in (*call.inputs, *call.outputs):
            yield from (one.cid for one in held(slot))


def held(slot: Slot) -> Iterator[Slot | Item]:
    """Yield a value and what is in it, as far as it is not inline."""
    if slot.inline is None:
        yield slot
    yield from (item for item in inside(slot) if item.inline is None)


def named(world: RepositoryWorld) -> Named:
    """Return what the records of all places say of values.

    Raises:
        RecordsUnreadable: Some cannot be read, so nobody can say what they name.
        SegmentUnreadable, CorruptJournal: So it is with files of this work tree.
    """
    world.enter()
    if world.files.left_out:
        raise RecordsUnreadable(tuple(error.problem() for error in world.files.left_out))
    return Named(world, _segments(world) | world.files.active | world.files.all_journals())


def _values(index: Index) -> Iterator[Value]:
    for _, line in index.lines_of("value"):
        fact = from_line(line, content_id)
        if isinstance(fact, Value):
            yield fact


def _segments(world: RepositoryWorld) -> set[int]:
    """Return the file ids of all segments that git or a work tree has."""
    git = Git(world.layout.root)
    heads = [
        name
        for name in _heads(world)
        if git.try_run("cat-file", "-e", f"{name}^{{commit}}") is not None
    ]
    oids = dict(added_segments(git, "--all", "--reflog", *heads))
    folders = git_folders(world.layout)
    for folder in folders.values():
        oids |= dict(staged_segments(git, folder / "index"))
    names = {name: path for path in oids if (name := segment_name(path))}
    known = world.files.segment_ids(names)
    found = set(known.values())
    unreadable: list[str] = []
    reader = open_reader(world.layout, fetches=False)
    for name, path in names.items():
        if name not in known:
            try:
                found |= world.files.load([(path, reader.blob(oids[path]))])
            except (SegmentUnreadable, MissingObject) as error:
                unreadable.append(f"{path}: {error.problem()}")
    reader.close()
    found |= _lying(world, unreadable)
    if unreadable:
        raise RecordsUnreadable(tuple(unreadable))
    return found


def _heads(world: RepositoryWorld) -> Iterator[str]:
    """Yield the heads of every work tree that no ref holds."""
    for name in git_folders(world.layout):
        for head in ("HEAD", *_HEADS):
            yield f"worktrees/{name}/{head}" if name else f"main-worktree/{head}"


def _lying(world: RepositoryWorld, unreadable: list[str]) -> set[int]:
    """Return the file ids of the segments that lie in work trees, whether git knows them or not."""
    found: set[int] = set()
    for root in _work_trees(world):
        segments = dict(segments_in(root))
        known = world.files.segment_ids(segments)
        found.update(known.values())
        for name, path in segments.items():
            if name not in known:
                try:
                    found |= world.files.load([(path, segment_bytes(root, path))])
                except SegmentUnreadable as error:
                    unreadable.append(f"{root}: {error.problem()}")
    return found


def _work_trees(world: RepositoryWorld) -> Iterator[Path]:
    listed = Git(world.layout.root).run("worktree", "list", "--porcelain", "-z")
    for field in listed.split("\0"):
        if field.startswith("worktree "):
            root = Path(field.removeprefix("worktree "))
            if root.is_dir():
                yield root
