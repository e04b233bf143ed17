"""The world of a git repository: committed segments plus this worktree's journal.

Not git itself (`gitmemo.git`), nor what a commit takes from here (`export`).
Invariant: the visible facts are those of the segments in the checked-out tree
and the pending ones that belong to it; everything else that is known locally
can be adopted, never lost.
"""

from __future__ import annotations

import os
import sqlite3
from collections import defaultdict
from collections.abc import Callable, Iterable, Iterator, Sequence
from functools import partial
from pathlib import Path

from gitmemo.blobs import BlobStore, RepositoryBlobs
from gitmemo.errors import CorruptSegment, NewerFormat
from gitmemo.git.cli import Git
from gitmemo.git.repository import Layout, head
from gitmemo.hashing import content_id
from gitmemo.hashing.digest import Digest
from gitmemo.model.components import Component
from gitmemo.model.decisions import Decisions
from gitmemo.model.facts import (
    Call,
    Decision,
    Fact,
    JsonValue,
    Value,
    Version,
    referenced_cids,
)
from gitmemo.model.ids import raw_hid
from gitmemo.model.lines import from_line, to_line
from gitmemo.model.validity import Code, changed
from gitmemo.world.index import Index, Tally
from gitmemo.world.journal import Journal, Place, exported_size, read_entries
from gitmemo.world.segments import INDEX_FOLDER, read_segment, segment_name
from gitmemo.world.standalone import heads, in_order
from gitmemo.world.view import Candidate, preferred

EXPORTED = "exported"
# Versions go where the calls go that name them; values too, but a push wants them before.
_EXPORTED_KINDS = ("call", "source", "decision")
_PENDING_KINDS = (*_EXPORTED_KINDS, "value")


class RepositoryWorld:
    """Facts of one worktree of one repository."""

    def __init__(self, layout: Layout) -> None:
        self.layout = layout
        self.folder = layout.common_dir / "gitmemo"
        self.folder.mkdir(exist_ok=True)
        self.journal_folder = self.folder / "journal" / layout.worktree_name
        self.index = open_derived(self.folder / "index.db")
        self.blobs: BlobStore = RepositoryBlobs(self.folder / "blobs")
        self.place = Place(None, None)
        self._journal = Journal(self.journal_folder)
        self._segments: frozenset[str] = frozenset()
        self._active: set[int] = set()
        self._sizes: dict[Path, int] = {}
        self._mine: dict[int, int] = {}  # this worktree's journals: file to committed size
        self._fresh = _Fresh()

    # --- keeping up ------------------------------------------------------

    def enter(self) -> None:
        """Read what is new in the checked-out tree and in the journals of all processes."""
        now = head(self.layout)
        self.place = Place(now.branch, now.commit)
        segments = dict(self._segments_in_tree())
        journals = {path: path.stat().st_size for path in self._journals()}
        if segments.keys() == self._segments and journals == self._sizes:
            return
        with self.index.transaction():
            self._load_segments(segments)
            self._load_journals(journals)
        self._segments, self._sizes = frozenset(segments), journals
        self._fresh = _Fresh()

    def load(self, paths: Iterable[tuple[str, bytes]]) -> set[int]:
        """Make segments of another revision known; return their file ids."""
        with self.index.transaction():
            return {self._load_segment(path, partial(_same, data)) for path, data in paths}

    def segment_ids(self, names: Iterable[str]) -> dict[str, int]:
        """Return the file ids of those of `names` that are already loaded."""
        known = self.index.files("segment")
        return {name: known["", name][0] for name in names if ("", name) in known}

    def _segments_in_tree(self) -> Iterator[tuple[str, str]]:
        """Yield `(segment name, repository path)` for the checked-out tree."""
        top = self.layout.root / INDEX_FOLDER
        for month in sorted(_names(top)):
            for name in _names(top / month):
                path = f"{INDEX_FOLDER}/{month}/{name}"
                found = segment_name(path)
                if found:
                    yield found, path

    def _load_segments(self, segments: dict[str, str]) -> None:
        self._active = {
            self._load_segment(path, (self.layout.root / path).read_bytes)
            for path in segments.values()
        }

    def _load_segment(self, path: str, read: Callable[[], bytes]) -> int:
        name = segment_name(path)
        if name is None:
            raise CorruptSegment(path, "it is not named like a segment")
        file, loaded = self.index.file("segment", "", name)
        if not loaded:
            data = read()
            self.index.add(file, read_segment(path, data))
            self.index.mark_loaded(file, max(1, len(data)))
        return file

    def _journals(self) -> Iterator[Path]:
        top = self.folder / "journal"
        for worktree in _names(top):
            folders = (
                [top / worktree / inner for inner in _names(top / worktree)]
                if worktree == EXPORTED
                else [top / worktree]
            )
            for folder in folders:
                yield from (folder / name for name in _names(folder) if name.endswith(".jsonl"))

    def _load_journals(self, journals: dict[Path, int]) -> None:
        self._mine = {}
        for path, size in journals.items():
            exported = path.parent.parent.name == EXPORTED
            kind = EXPORTED if exported else "journal"
            file, loaded = self.index.file(kind, path.parent.name, path.name)
            if path.parent == self.journal_folder:
                self._mine[file] = exported_size(path)
            if size <= loaded:
                continue
            entries, end = read_entries(path, loaded)
            self.index.add_placed(
                file,
                (
                    (entry.line, entry.place.branch or "", entry.place.commit or "", entry.position)
                    for entry in entries
                ),
            )
            self.index.mark_loaded(file, end)

    # --- adding ----------------------------------------------------------

    def record(self, facts: Sequence[Fact]) -> None:
        """Append facts to this process's journal."""
        self._journal.append(self.place, [to_line(fact) for fact in facts])
        self._fresh.add(facts)

    def run_facts(self) -> dict[str, JsonValue]:
        """Return the checked-out commit, and `dirty` if files differ from it."""
        if self.place.commit is None:
            return {}
        clean = Git(self.layout.root).try_run("diff-index", "--quiet", "HEAD", "--") is not None
        return {"commit": self.place.commit, **({} if clean else {"dirty": True})}

    def adopt(self, call: Call) -> None:
        """Record `call` here too, with what it needs and the calls that its inputs came from."""
        facts: list[Fact] = []
        todo, seen = [call], set()
        while todo:
            one = todo.pop()
            if one.hid in seen:
                continue
            seen.add(one.hid)
            facts += self.closure(one)
            for slot in one.inputs:
                if slot.hid != raw_hid(slot.cid) and not self._is_here_hid(slot.hid):
                    creator = self.creator(slot.hid)
                    todo += [creator] if creator else []
        self.record(facts)

    def closure(self, call: Call) -> list[Fact]:
        """Return the facts without which `call` could not be read, and itself."""
        facts: list[Fact] = []
        version = self.version(call.version) if call.version else None
        if version:
            facts.append(version)
        for cid in sorted(referenced_cids([call])):
            facts += self.values(cid)
        return [*facts, call]

    # --- finding ---------------------------------------------------------

    def candidates(self, key: Digest) -> list[Candidate]:
        """Return every known call with this key, those of this world first."""
        found = {call.hid: Candidate(call, here=True) for call in self._fresh.by_key.get(key, ())}
        for number, call in self.index.calls_with_key(key):
            here = self._is_here(number)
            if call.hid not in found or (here and not found[call.hid].here):
                found[call.hid] = Candidate(call, here)
        order = {call.hid: n for n, call in enumerate(preferred(c.call for c in found.values()))}
        return sorted(found.values(), key=lambda c: (not c.here, order[c.call.hid]))

    def values(self, cid: Digest) -> list[Value]:
        """Return where the bytes of a value may be."""
        return self._fresh.values.get(cid) or self.index.values(cid)

    def version(self, version: Digest) -> Version | None:
        """Return a version by its id."""
        return self._fresh.versions.get(version) or self.index.version(version)

    def decisions(self) -> Decisions:
        """Return all decisions known here."""
        facts = [(record, fact) for _, record, fact in self.index.facts("decision")]
        return Decisions((record, fact) for record, fact in facts if isinstance(fact, Decision))

    def knows_source(self, component: Component, source: Digest) -> bool:
        """Whether this content of a component was recorded in this clone."""
        return self.index.has_source(component.path, component.unit, source)

    def lineage(self, component: Component) -> tuple[Digest, ...]:
        """Return the facts of this world about `component` that no other of them follows."""
        history = self.index.history(component)
        here = [fact for number, fact in history.items() if self._is_here(number)]
        return heads(here or history.values())

    def creator(self, hid: Digest) -> Call | None:
        """Return the call that made the value with this history id, one of this world if there is one."""
        if hid in self._fresh.by_output:
            return self._fresh.by_output[hid]
        found = self.index.creators(hid)
        here = [call for number, call in found if self._is_here(number)]
        calls = preferred(here or [call for _, call in found])
        return calls[0] if calls else None

    def calls(self, code: Code, ops: Iterable[str] | None = None) -> list[Call]:
        """Return the calls of this world."""
        self.enter()
        numbers = sorted(self.visible(code))
        return in_order(self.index.calls(numbers, None if ops is None else list(ops)))

    def visible(self, code: Code) -> set[int]:
        """Return the numbers of this world's facts: committed ones, and pending ones that belong to it."""
        return self.index.members(self._active) | self.pending(code)

    def calls_in(self, segments: Iterable[int], ops: Iterable[str] | None = None) -> list[Call]:
        """Return the calls in the segments with these file ids: another revision's world."""
        numbers = sorted(self.index.members(segments))
        return in_order(self.index.calls(numbers, None if ops is None else list(ops)))

    def pending(self, code: Code) -> set[int]:
        """Return the numbers of the pending facts that belong to this world.

        Those recorded on the checked-out branch (detached: at this commit), and
        calls recorded elsewhere that are valid for `code`.
        """
        decisions = self.decisions()
        verdicts: dict[Digest | None, bool] = {}
        committed = self.index.members(self._active)
        mine = set()
        for file, exported in self._mine.items():
            for number, branch, commit, position in self.index.placed(file, _PENDING_KINDS):
                if position < exported or number in committed or number in mine:
                    continue
                if self._is_my_place(branch, commit) or self._is_valid_call(
                    number, code, decisions, verdicts
                ):
                    mine.add(number)
        return mine

    def is_committed(self, file: int) -> bool:
        """Whether every fact of a journal is in a commit of the branch that it was recorded on.

        What another branch's journal lines are in is only known as far as its segments were read.
        """
        committed = self.index.members(self._active)
        return all(
            number in committed
            or (not self._is_my_place(branch, commit) and self.index.in_segments(number))
            for number, branch, commit, _ in self.index.placed(file, _EXPORTED_KINDS)
        )

    def tallies(self, code: Code) -> tuple[list[Tally], list[Tally]]:
        """Return what the committed and what the pending calls of this world touched."""
        committed = self.index.members(self._active)
        return self.index.tally(committed), self.index.tally(self.pending(code) - committed)

    def close(self) -> None:
        """Close the journal and the index."""
        self._journal.close()
        self.index.close()

    # --- private ---------------------------------------------------------

    def _is_my_place(self, branch: str, commit: str) -> bool:
        if self.place.branch is None:
            return not branch and commit == (self.place.commit or "")
        return branch == self.place.branch

    def _is_valid_call(
        self, number: int, code: Code, decisions: Decisions, verdicts: dict[Digest | None, bool]
    ) -> bool:
        fact = from_line(self.index.line(number), content_id)
        if not isinstance(fact, Call) or fact.version is None:
            return False
        if fact.version not in verdicts:
            version = self.version(fact.version)
            verdicts[fact.version] = version is not None and not changed(version, code, decisions)
        return verdicts[fact.version]

    def _is_here(self, number: int) -> bool:
        for file, branch, commit, position in self.index.places_of(number):
            if file in self._active:
                return True
            if (
                file in self._mine
                and position >= self._mine[file]
                and self._is_my_place(branch, commit)
            ):
                return True
        return False

    def _is_here_hid(self, hid: Digest) -> bool:
        return hid in self._fresh.by_output or any(
            self._is_here(number) for number, _ in self.index.creators(hid)
        )


class _Fresh:
    """Facts that this process recorded and the derived index does not hold yet."""

    def __init__(self) -> None:
        self.by_key: dict[Digest, list[Call]] = defaultdict(list)
        self.by_output: dict[Digest, Call] = {}
        self.values: dict[Digest, list[Value]] = defaultdict(list)
        self.versions: dict[Digest, Version] = {}

    def add(self, facts: Iterable[Fact]) -> None:
        for fact in facts:
            if isinstance(fact, Call):
                self.by_key[fact.key].append(fact)
                self.by_output.update({slot.hid: fact for slot in fact.outputs})
            elif isinstance(fact, Value):
                self.values[fact.cid].append(fact)
            elif isinstance(fact, Version):
                self.versions[fact.id] = fact


def open_derived(path: Path) -> Index:
    """Open the derived index; one that is damaged or of another scheme is made anew, from facts."""
    try:
        return Index(path)
    except (sqlite3.DatabaseError, NewerFormat) as error:
        if isinstance(error, sqlite3.OperationalError) and "locked" in str(error):
            raise
        for suffix in ("", "-wal", "-shm"):
            Path(f"{path}{suffix}").unlink(missing_ok=True)
        return Index(path)


def _same(data: bytes) -> bytes:
    return data


def _names(folder: Path) -> list[str]:
    try:
        return sorted(os.listdir(folder))
    except (FileNotFoundError, NotADirectoryError):
        return []
