"""A world without git: one SQLite file, or memory.

Not durable in memory, of course. Invariant: all facts are visible, for there
is only one place.
"""

from __future__ import annotations

import sqlite3
from collections.abc import Iterable, Sequence
from functools import partial
from pathlib import Path

from gitmemo.blobs import BlobStore, DatabaseBlobs, Ledger, MemoryBlobs, Overflow, with_overflow
from gitmemo.errors import InvalidStorage
from gitmemo.hashing.digest import Digest
from gitmemo.model.components import Component
from gitmemo.model.decisions import Decisions
from gitmemo.model.facts import Call, Decision, Fact, JsonValue, Source, Statement, Value, Version
from gitmemo.model.glances import Asked, Glance
from gitmemo.model.renames import Renames
from gitmemo.model.tombstones import Tombstones
from gitmemo.model.validity import Code
from gitmemo.setting_values import Reuse
from gitmemo.world.claims import Claims
from gitmemo.world.crowds import Member
from gitmemo.world.forgetting import bring_back, bury
from gitmemo.world.index import Index
from gitmemo.world.notes import DatabaseNotes, Notes
from gitmemo.world.reading import Reading, periods
from gitmemo.world.space import vacuum
from gitmemo.world.view import CallSignature, Candidate, Contents, Tally, heads, in_order, preferred


class StandaloneWorld(Reading):
    """Facts in one SQLite file, or in memory when `path` is None."""

    def __init__(self, path: Path | None, overflow: Overflow | None = None) -> None:
        """Open or make the file.

        Raises:
            InvalidStorage: There can be no database at `path`, or what `overflow` asks for cannot
                be had.
        """
        self.index = _opened(path)
        database = self.index.database
        small = MemoryBlobs() if path is None else DatabaseBlobs(database)
        ledger = Ledger(database, None if path is None else path.resolve().parent)
        self.blobs: BlobStore = with_overflow(small, ledger, overflow or Overflow())
        self.notes: Notes = DatabaseNotes(database)
        self.reuse = Reuse.ANY  # it has one world only
        self._path = path
        self.claims = Claims(None if path is None else Path(f"{path.resolve()}-claims"))
        self._tombstones = (0, Tombstones())
        self._entered_at = 0

    def enter(self) -> bool:
        """Say whether calls were forgotten or brought back: all else, look-ups read as it is."""
        before, self._entered_at = self._entered_at, self.index.latest_tombstone()
        return before != self._entered_at

    def notice(self) -> bool:
        """Do the same in the middle of a block."""
        return self.enter()

    def record(self, facts: Sequence[Fact]) -> None:
        """Add facts in one transaction."""
        with self.index.transaction():
            self.index.add(facts)

    def learn(self, facts: Sequence[Fact]) -> None:
        """Do nothing: what any process recorded, look-ups read."""

    def run_facts(self) -> dict[str, JsonValue]:
        """Return nothing: there is no commit."""
        return {}

    def candidates(self, key: Digest, asked: Asked | None = None) -> list[Candidate]:
        """Return every call with this key."""
        tombstones = self.tombstones()
        if asked is None:
            found = self.index.calls_with_key(key)
        else:
            found = self.index.deciding_calls(key, asked, partial(_is_living, tombstones, key))
        living = [(number, call) for number, call in found if not tombstones.cover(call)]
        if len(living) == 1:  # as nearly always
            return [Candidate(call, here=True, number=number) for number, call in living]
        return [Candidate(call, here=True) for call in preferred(call for _, call in living)]

    def following(self, number: int, last: int) -> list[Glance]:
        """Return the calls among facts `number + 1` to `last` that are alone with their keys."""
        dead = self.index.covered(self.tombstones())
        return [seen for n, _, seen in self.index.lone_calls(number, last) if n not in dead]

    def adopt(self, call: Call) -> None:
        """Do nothing: there is no other world."""

    def tombstones(self) -> Tombstones:
        """Return what is forgotten."""
        latest = self.index.latest_tombstone()
        number, known = self._tombstones
        if number != latest:
            known = Tombstones((record, fact) for _, record, fact in self.index.tombstones())
            self._tombstones = (latest, known)
        return known

    def forget(self, calls: Iterable[Call], why: str = "") -> Digest:
        """Forget calls; return the record id of the tombstone."""
        return bury(self, calls, why)

    def restore(self, tombstone: Digest, why: str = "") -> Digest:
        """Undo a tombstone; return the record id of the undo."""
        return bring_back(self, tombstone, why, self.tombstones())

    def signatures(self, op: str, op_version: int) -> set[CallSignature]:
        """Return what the calls of an op look like."""
        return self.index.signatures(op, op_version)

    def values(self, cid: Digest) -> list[Value]:
        """Return where the bytes of a value may be."""
        return self.index.values(cid)

    def version(self, version: Digest) -> Version | None:
        """Return a version by its id."""
        return self.index.version(version)

    def decisions(self) -> Decisions:
        """Return all decisions."""
        return Decisions(self.statements())

    def renames(self) -> Renames:
        """Return what was renamed."""
        return Renames(self.statements())

    def statements(self) -> list[tuple[Digest, Statement]]:
        """Return all that people said of the code, with record ids."""
        return [(record, fact) for _, record, fact in self.index.statements()]

    def tallies(self, code: Code) -> tuple[list[Tally], list[Tally]]:
        """Return how often each op ran with each version; all calls are pending, as it were."""
        return [], self.index.tally(None, without=self.index.covered(self.tombstones()))

    def periods(self, op: str, code: Code) -> dict[Digest, tuple[str, str]]:
        """Return when the first and the last call of an op with each version began."""
        return periods(self.index, op, None, self.index.covered(self.tombstones()))

    def history(self, component: Component) -> dict[int, tuple[Digest, Source | Decision]]:
        """Return the sources of and decisions about a component."""
        return self.index.history(component)

    def knows_source(self, component: Component, source: Digest) -> bool:
        """Whether this content of a component was recorded before."""
        return self.index.has_source(component.path, component.unit, source)

    def text(self, component: Component, source: Digest) -> str | None:
        """Return the text of a content of a component, None where it is not known."""
        text = self.index.source_text(component, source)
        return None if text is None else self.index.text(text)

    def landmark(self) -> int:
        """Return a number that grows with every version and statement."""
        return self.index.latest_about_code()

    def lineage(self, component: Component) -> tuple[Digest, ...]:
        """Return the record ids of the facts about the component that no other follows."""
        return heads(self.index.history(component).values())

    def creator(self, hid: Digest) -> Call | None:
        """Return the call that made the value with this history id."""
        tombstones = self.tombstones()
        calls = (call for _, call in self.index.creators(hid) if not tombstones.cover(call))
        return next(iter(preferred(calls)), None)

    def calls(self, code: Code) -> list[Call]:
        """Return all calls."""
        return in_order(self.index.calls(None, without=self.index.covered(self.tombstones())))

    def pending_hids(self, code: Code) -> frozenset[Digest]:
        """Return nothing: there is no git."""
        return frozenset()

    def ops(self) -> list[str]:
        """Return the names of the ops that have calls."""
        return self.index.ops()

    def newest_calls(self, op: str, most: int) -> list[Call]:
        """Return the calls of an op that were recorded last."""
        dead = self.tombstones()
        return [call for call in self.index.newest_calls(op, most) if not dead.cover(call)]

    def describe(self) -> Contents:
        """Say where this is and how much is in it."""
        dead = self.index.covered(self.tombstones())
        calls = self.index.calls_per_op(None, without=dead)
        where = "in memory" if self._path is None else repr(str(self._path))
        return Contents(where, sum(calls.values()), len(calls), self.index.count_values())

    def vacuum(self) -> int:
        """Give unused space in the database back; return how many bytes that were."""
        return vacuum(self.index)

    def close(self) -> None:
        """Close the database."""
        self.claims.close()
        self.index.close()


def _is_living(tombstones: Tombstones, key: Digest, member: Member) -> bool:
    return not tombstones.cover_record(key, member.record, member.origin)


def _opened(path: Path | None) -> Index:
    try:
        return Index(path)
    except sqlite3.DatabaseError as error:
        if path is None:
            raise
        if not path.parent.is_dir():
            reason = f"the folder {str(path.parent)!r} does not exist"
            raise InvalidStorage(reason, f"make it first: {str(path)!r} is to be in it") from None
        if error.sqlite_errorcode & 0xFF not in (sqlite3.SQLITE_CANTOPEN, sqlite3.SQLITE_NOTADB):
            raise
        advice = "give db_path the name of a file of gitmemo's own, in a folder that can be written"
        raise InvalidStorage(f"{str(path)!r} cannot be used: {error}", advice) from None
