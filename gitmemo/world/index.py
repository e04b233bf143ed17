"""The derived index: every fact ever seen, in SQLite, for quick look-ups.

Not the record of anything in a repository: there, deleting it loses only time,
for it is made again from segments and journals. (A `Storage(db_path=…)` keeps
its facts in the same tables; there they are the record.) Invariant: it only
repeats facts; which of them are visible is a set of files, chosen per look-up.
"""

from __future__ import annotations

import json
import sqlite3
import threading
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any, cast

from gitmemo.errors import CorruptRecord, NewerFormat
from gitmemo.hashing import content_id
from gitmemo.hashing.digest import Digest, digest
from gitmemo.model.components import Component
from gitmemo.model.facts import Call, Decision, Fact, Source, Text, Value, Version
from gitmemo.model.lines import from_line, kind_of, record_id, to_line

SCHEMA_VERSION = 2
_SCHEMA = """
create table file(
    id integer primary key, kind text not null, folder text not null, name text not null,
    loaded integer not null default 0, unique(kind, folder, name));
create table fact(
    id integer primary key, record blob not null unique, kind text not null, line text not null);
create index fact_kind on fact(kind) where kind in ('decision', 'source');
create table member(
    fact integer not null, file integer not null, branch text not null, head text not null,
    position integer not null, primary key(fact, file, branch, head)) without rowid;
create index member_file on member(file);
create table call(
    fact integer primary key, key blob not null, hid blob not null, op text not null,
    version blob, seconds real not null);
create index call_key on call(key);
create index call_hid on call(hid);
create index call_op on call(op);
create table output(hid blob not null, fact integer not null, primary key(hid, fact)) without rowid;
create table value(
    cid blob not null, blob blob not null, codec text not null, size integer not null,
    parts blob not null, fact integer not null, primary key(cid, blob, codec)) without rowid;
create table version(id blob primary key, fact integer not null) without rowid;
create table source(
    path text not null, unit text not null, source blob not null, fact integer not null,
    primary key(path, unit, source, fact)) without rowid;
create table decision(
    path text not null, unit text not null, fact integer not null,
    primary key(path, unit, fact)) without rowid;
create table text(digest blob primary key, text text not null) without rowid;
"""


@dataclass(frozen=True, slots=True)
class Tally:
    """The calls of one op with one version: how many, and how long they took, in seconds."""

    version: Digest
    op: str
    calls: int
    seconds: float


class Index:
    """One SQLite file (or memory) of facts. Safe to use from several threads and processes."""

    def __init__(self, path: Path | None) -> None:
        """Open the index at `path`, in memory if None.

        Raises:
            NewerFormat: It has another scheme; a derived one can be made anew.
        """
        self.lock = threading.RLock()
        self.connection = self._open(path)

    def close(self) -> None:
        """Close the connection."""
        self.connection.close()

    @contextmanager
    def transaction(self) -> Iterator[sqlite3.Connection]:
        """Run the body in one write transaction."""
        with self.lock:
            self.connection.execute("begin immediate")
            try:
                yield self.connection
            except BaseException:
                self.connection.execute("rollback")
                raise
            self.connection.execute("commit")

    # --- files -----------------------------------------------------------

    def file(self, kind: str, folder: str, name: str) -> tuple[int, int]:
        """Return the id of a file of facts and how far it was loaded; make it known if it is new."""
        self.connection.execute(
            "insert or ignore into file(kind, folder, name) values (?, ?, ?)", (kind, folder, name)
        )
        row = self.connection.execute(
            "select id, loaded from file where kind = ? and folder = ? and name = ?",
            (kind, folder, name),
        ).fetchone()
        return row[0], row[1]

    def files(self, kind: str) -> dict[tuple[str, str], tuple[int, int]]:
        """Return the known files of a kind: `(folder, name)` to `(id, bytes loaded)`."""
        rows = self._rows("select folder, name, id, loaded from file where kind = ?", (kind,))
        return {(folder, name): (file, loaded) for folder, name, file, loaded in rows}

    def mark_loaded(self, file: int, size_bytes: int) -> None:
        """Note that `file` was read up to `size_bytes`."""
        self.connection.execute("update file set loaded = ? where id = ?", (size_bytes, file))

    def add(self, file: int, lines: Iterable[str]) -> None:
        """Add the facts of `lines` as members of `file`; known ones only become members."""
        self.add_placed(file, ((line, "", "", 0) for line in lines))

    def add_placed(self, file: int, entries: Iterable[tuple[str, str, str, int]]) -> None:
        """Add `(line, branch, commit, position in the file)`; the last position of a fact counts."""
        for line, branch, commit, position in entries:
            self.connection.execute(
                "insert into member(fact, file, branch, head, position) values (?, ?, ?, ?, ?)"
                " on conflict do update set position = excluded.position",
                (self._add_fact(line), file, branch, commit, position),
            )

    def _add_fact(self, line: str) -> int:
        record = record_id(line)
        row = self.connection.execute("select id from fact where record = ?", (record,)).fetchone()
        if row:
            return int(row[0])
        fact = from_line(line, content_id)
        if to_line(fact) != line:
            raise CorruptRecord(line[:80], "it is not written as gitmemo writes it")
        number = self.connection.execute(
            "insert into fact(record, kind, line) values (?, ?, ?)", (record, kind_of(line), line)
        ).lastrowid
        assert number is not None  # SQLite gives one for every insert
        _DETAILS[type(fact)](self.connection, number, fact)
        return number

    # --- look-ups --------------------------------------------------------

    def calls_with_key(self, key: Digest) -> list[tuple[int, Call]]:
        """Return the calls, with their fact numbers, of one op on inputs of the same contents."""
        rows = self._rows(
            "select fact.id, line from call join fact on fact.id = call.fact where key = ?", (key,)
        )
        return [(number, self._call(line)) for number, line in rows]

    def creators(self, hid: Digest) -> list[tuple[int, Call]]:
        """Return the calls that have an output with history id `hid`."""
        rows = self._rows(
            "select fact.id, line from output join fact on fact.id = output.fact where hid = ?",
            (hid,),
        )
        return [(number, self._call(line)) for number, line in rows]

    def values(self, cid: Digest) -> list[Value]:
        """Return where the bytes of `cid` may be."""
        rows = self._rows("select cid, codec, size, blob, parts from value where cid = ?", (cid,))
        return [_value(*row) for row in rows]

    def values_among(self, numbers: Iterable[int]) -> list[Value]:
        """Return the places of bytes that are among these facts."""
        rows = self._rows(
            "select cid, codec, size, blob, parts from value"
            " where fact in (select value from json_each(?)) order by blob",
            (_json(numbers),),
        )
        return [_value(*row) for row in rows]

    def version(self, version: Digest) -> Version | None:
        """Return the version with this id."""
        rows = self._rows(
            "select line from version join fact on fact.id = version.fact where version.id = ?",
            (version,),
        )
        fact = from_line(rows[0][0], content_id) if rows else None
        return fact if isinstance(fact, Version) else None

    def has_source(self, path: str, unit: str, source: Digest) -> bool:
        """Whether this content of a component has been recorded."""
        return bool(
            self._rows(
                "select 1 from source where path = ? and unit = ? and source = ? limit 1",
                (path, unit, source),
            )
        )

    def facts(self, kind: str) -> list[tuple[int, Digest, Fact]]:
        """Return all facts of a kind, as `(number, record id, fact)` in the order they were seen."""
        rows = self._rows("select id, record, line from fact where kind = ? order by id", (kind,))
        return [
            (number, Digest(record), from_line(line, content_id)) for number, record, line in rows
        ]

    def history(self, component: Component) -> dict[int, tuple[Digest, Source | Decision]]:
        """Return the sources of and decisions about a component: number to `(record id, fact)`."""
        rows = self._rows(
            "select id, record, line from fact where id in ("
            " select fact from source where path = ?1 and unit = ?2"
            " union select fact from decision where path = ?1 and unit = ?2) order by id",
            (component.path, component.unit),
        )
        return {
            number: (Digest(record), cast("Source | Decision", from_line(line, content_id)))
            for number, record, line in rows
        }

    def text(self, text: Digest) -> str | None:
        """Return the source text with this digest, if a journal brought it."""
        rows = self._rows("select text from text where digest = ?", (text,))
        return rows[0][0] if rows else None

    def texts(self) -> dict[Digest, str]:
        """Return all source texts that journals brought, by digest."""
        return {Digest(d): text for d, text in self._rows("select digest, text from text")}

    def calls(self, numbers: Iterable[int] | None) -> list[Call]:
        """Return the calls with these fact numbers; all if None."""
        rows = self._rows(
            "select line from call join fact on fact.id = call.fact"
            " where ?1 is null or call.fact in (select value from json_each(?1))",
            (None if numbers is None else _json(numbers),),
        )
        return [self._call(line) for (line,) in rows]

    def lines(self, numbers: Iterable[int]) -> list[str]:
        """Return the lines of facts, in the order in which they were seen."""
        rows = self._rows(
            "select line from fact where id in (select value from json_each(?)) order by id",
            (_json(numbers),),
        )
        return [line for (line,) in rows]

    def line(self, number: int) -> str:
        """Return the line of a fact."""
        return str(self._rows("select line from fact where id = ?", (number,))[0][0])

    def members(self, files: Iterable[int]) -> set[int]:
        """Return the numbers of the facts in any of `files`."""
        rows = self._rows(
            "select distinct fact from member where file in (select value from json_each(?))",
            (_json(files),),
        )
        return {row[0] for row in rows}

    def tally(self, numbers: Iterable[int]) -> list[Tally]:
        """Return how often, and how long, each op ran with each version among these facts."""
        rows = self._rows(
            "select version, op, count(*), sum(seconds), max(fact) from call"
            " where version is not null and fact in (select value from json_each(?))"
            " group by version, op order by max(fact)",
            (_json(numbers),),
        )
        return [Tally(Digest(v), op, calls, seconds) for v, op, calls, seconds, _ in rows]

    def places_of(self, number: int) -> list[tuple[int, str, str, int]]:
        """Return where a fact stands: `(file, branch, commit, position)` each."""
        return self._rows(
            "select file, branch, head, position from member where fact = ?", (number,)
        )

    def placed(self, file: int, kinds: Sequence[str]) -> list[tuple[int, str, str, int]]:
        """Return `(fact, branch, commit, position)` of the facts of some kinds in a file."""
        marks = ", ".join("?" * len(kinds))
        return self._rows(
            "select fact, branch, head, position from member join fact on fact.id = member.fact"
            f" where file = ? and kind in ({marks})",
            (file, *kinds),
        )

    def in_segments(self, number: int) -> bool:
        """Whether any segment that was ever read holds a fact."""
        return bool(
            self._rows(
                "select 1 from member join file on file.id = member.file"
                " where fact = ? and kind = 'segment' limit 1",
                (number,),
            )
        )

    # --- private ---------------------------------------------------------

    def _call(self, line: str) -> Call:
        fact = from_line(line, content_id)
        assert isinstance(fact, Call)  # the `call` table only points to calls
        return fact

    # `Any`: SQLite's columns have no static types; each caller names them.
    def _rows(self, sql: str, parameters: tuple[Any, ...] = ()) -> list[tuple[Any, ...]]:
        with self.lock:
            return self.connection.execute(sql, parameters).fetchall()

    def _open(self, path: Path | None) -> sqlite3.Connection:
        connection = sqlite3.connect(
            path or ":memory:", timeout=60, isolation_level=None, check_same_thread=False
        )
        connection.execute("pragma journal_mode = wal")
        # A power cut may cost the last transactions, never the file's integrity;
        # kill -9 costs nothing.
        connection.execute("pragma synchronous = normal")
        found = connection.execute("pragma user_version").fetchone()[0]
        if found == 0:
            _create(connection)
        elif found != SCHEMA_VERSION:
            connection.close()
            raise NewerFormat(str(path), found, SCHEMA_VERSION)
        return connection


def _json(numbers: Iterable[int]) -> str:
    # One parameter however many there are: SQLite limits the number of parameters.
    return json.dumps(list(numbers))


def _create(connection: sqlite3.Connection) -> None:
    connection.execute("begin immediate")
    # Another process may have created the tables while this one waited.
    if connection.execute("pragma user_version").fetchone()[0] == 0:
        for statement in _SCHEMA.split(";"):
            connection.execute(statement)
        connection.execute(f"pragma user_version = {SCHEMA_VERSION}")
    connection.execute("commit")


def _index_call(connection: sqlite3.Connection, number: int, call: Call) -> None:
    connection.execute(
        "insert into call(fact, key, hid, op, version, seconds) values (?, ?, ?, ?, ?, ?)",
        (number, call.key, call.hid, call.op, call.version, call.seconds),
    )
    connection.executemany(
        "insert or ignore into output(hid, fact) values (?, ?)",
        [(slot.hid, number) for slot in call.outputs],
    )


def _index_value(connection: sqlite3.Connection, number: int, value: Value) -> None:
    connection.execute(
        "insert or ignore into value(cid, blob, codec, size, parts, fact) values (?, ?, ?, ?, ?, ?)",
        (value.cid, value.blob, value.codec, value.size, b"".join(value.parts), number),
    )


def _value(cid: bytes, codec: str, size: int, blob: bytes, parts: bytes) -> Value:
    names = tuple(Digest(parts[at : at + 32]) for at in range(0, len(parts), 32))
    return Value(Digest(cid), codec, size, Digest(blob), names)


def _index_version(connection: sqlite3.Connection, number: int, version: Version) -> None:
    connection.execute(
        "insert or ignore into version(id, fact) values (?, ?)", (version.id, number)
    )


def _index_source(connection: sqlite3.Connection, number: int, source: Source) -> None:
    connection.execute(
        "insert or ignore into source(path, unit, source, fact) values (?, ?, ?, ?)",
        (source.component.path, source.component.unit, source.source, number),
    )


def _index_decision(connection: sqlite3.Connection, number: int, decision: Decision) -> None:
    connection.execute(
        "insert or ignore into decision(path, unit, fact) values (?, ?, ?)",
        (decision.component.path, decision.component.unit, number),
    )


def _index_text(connection: sqlite3.Connection, _number: int, text: Text) -> None:
    connection.execute(
        "insert or ignore into text(digest, text) values (?, ?)",
        (digest(text.text.encode("utf-8")), text.text),
    )


_DETAILS: dict[type, Callable[..., None]] = {
    Call: _index_call,
    Value: _index_value,
    Version: _index_version,
    Source: _index_source,
    Text: _index_text,
    Decision: _index_decision,
}
