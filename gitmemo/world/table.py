"""Lines of facts in SQLite: written once, found by number or by mark.

Not what is asked of facts (`index`), nor how a line is kept (`shapes`). Invariant: a fact has
one row, which gives its line back byte for byte and never changes. It is found by its mark, the
first eight bytes of what it is looked up by; facts found by a mark are read and compared in full.
"""

from __future__ import annotations

import json
import sqlite3
import struct
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import contextmanager
from functools import partial
from pathlib import Path
from typing import Any, cast

from gitmemo.database import Database, Parameters
from gitmemo.errors import NewerFormat, OlderFormat
from gitmemo.hashing.digest import Digest, digest
from gitmemo.model.components import Component
from gitmemo.model.facts import (
    Call,
    Decision,
    Dependency,
    Fact,
    Move,
    Rename,
    Source,
    Tag,
    Text,
    Tombstone,
    Undo,
    Value,
    Version,
    Withdrawal,
)
from gitmemo.model.ids import derive
from gitmemo.model.items import histories
from gitmemo.model.lines import kind_of, to_line
from gitmemo.mounts import shared_kind
from gitmemo.world.forms import Drawn, Forms
from gitmemo.world.marks import Marks
from gitmemo.world.shapes import Look, Shapes, look_of
from gitmemo.world.sketches import Sketch, micros_of

SCHEMA_VERSION = 5
"""Of a database that is the record of its facts."""
DERIVED_VERSION = 6
"""Of one that repeats files: it also has lines that are kept as what fills their shape."""
_LOADING_KIB = 1 << 17
_MOST_MARKS = 1 << 20  # 150 MB
_MARK = struct.Struct("<q").unpack_from
_SCHEMA = """
create table file(
    id integer primary key, kind text not null, folder text not null, name text not null,
    loaded integer not null default 0, unique(kind, folder, name));
create table shape(
    id integer primary key, kind text not null, op text not null, version blob not null,
    names text not null, pattern text not null);
create index shape_like on shape(kind, op, version, names);
create table fact(
    id integer primary key, mark integer not null, shape integer not null, micros integer,
    hid blob, line blob not null);
create index fact_rare on fact(shape) where micros is null;
create table output(hid integer not null, fact integer not null, primary key(hid, fact)) without rowid;
create table span(
    file integer not null, first integer not null, last integer not null,
    branch text not null, head text not null, position integer not null);
create index span_file on span(file);
"""
_MARK_INDEX = "create index fact_mark on fact(mark)"
CARRIED_SCHEMA = "create table if not exists carried(file integer primary key, blobs blob not null)"
"""The blobs that the values of a file name; derived indexes have it once it was asked for."""


class FactTable:
    """One SQLite file (or memory) of facts. Safe to use from several threads and processes."""

    def __init__(self, path: Path | None, version: int = SCHEMA_VERSION) -> None:
        """Open the index at `path`, in memory if None; `version` is its scheme.

        Raises:
            NewerFormat, OlderFormat: It has another scheme; a derived one can be made anew.
        """
        self.database = Database(path, partial(_prepare, path, version))
        self.lock = self.database.lock
        self.shapes = Shapes(self.database)
        self.forms = Forms()
        self._marks: Marks | None = None  # while the database has no index of them

    def close(self) -> None:
        """Close the connection."""
        self.database.close()

    @contextmanager
    def loading(self) -> Iterator[None]:
        """Run the body in one write transaction of many facts."""
        with self.lock:
            before = self.database.execute("pragma cache_size").fetchone()[0]
            # New facts go all over the tables; pages that do not fit are written again and again.
            self.database.execute(f"pragma cache_size = -{_LOADING_KIB}")
            try:
                with self.transaction(), self._indexed_afterwards():
                    yield
            finally:
                self.database.execute(f"pragma cache_size = {before}")

    @contextmanager
    def _indexed_afterwards(self) -> Iterator[None]:
        """Run the body; if there are no facts yet, index their marks when all are there.

        Sorting them all at once is quicker than putting each where it belongs.
        """
        if self.newest():
            yield
            return
        self.database.execute("drop index fact_mark")
        self._marks = Marks()
        try:
            yield
            self._index_marks()
        finally:
            self._marks = None

    def _index_marks(self) -> None:
        if self._marks is not None:
            self._marks = None
            self.database.execute(_MARK_INDEX)

    def _keep_marks(self, found: Sequence[tuple[int, int]]) -> None:
        if self._marks is not None:
            self._marks.add(found)
            if len(self._marks) > _MOST_MARKS:
                self._index_marks()

    @contextmanager
    def transaction(self) -> Iterator[None]:
        """Run the body in one write transaction."""
        with self.lock:
            self.database.execute("begin immediate")
            try:
                yield
                self.database.execute("commit")
            except BaseException:
                # What fails for want of room SQLite has rolled back itself.
                if self.database.in_transaction:
                    self.database.execute("rollback")
                self.shapes.forget()  # some may have been new
                raise

    @contextmanager
    def attempt(self) -> Iterator[None]:
        """Run the body, inside a transaction, so that nothing of it stays if it raises."""
        self.database.execute("savepoint attempt")
        try:
            yield
        except BaseException:
            if self.database.in_transaction:
                self.database.execute("rollback to attempt")
                self.database.execute("release attempt")
            self.shapes.forget()
            raise
        self.database.execute("release attempt")

    # --- adding ----------------------------------------------------------

    def add(self, facts: Iterable[Fact]) -> None:
        """Add `facts`, members of no file; known ones are left as they are."""
        added = [(fact, to_line(fact)) for fact in facts]
        self.add_drawn([Drawn(sketch_of(fact, line), line) for fact, line in added])

    def add_drawn(self, facts: Sequence[Drawn]) -> list[int]:
        """Add what is not known yet, each a line with its sketch; return the number of each."""
        marks = [mark_of(fact.sketch.key) for fact in facts]
        known = self._known(facts, marks)
        last = self.newest()
        rows: list[tuple[object, ...]] = []
        found: list[tuple[int, int]] = []
        outputs: list[tuple[int, int]] = []
        numbers: list[int] = []
        packed, filled = self.shapes.packed, self.shapes.filled
        for (sketch, line, pattern, fields), mark in zip(facts, marks, strict=True):
            number = known.get(line)
            if number is None:
                last += 1
                number = known[line] = last
                shape = filled(sketch.look, pattern) if pattern else None
                stored: str | bytes = fields
                if shape is None:
                    shape, stored = packed(sketch.look, line)
                rows.append((number, mark, shape, sketch.micros, sketch.hid, stored))
                found.append((mark, number))
                for hid in sketch.made:
                    outputs.append((mark_of(hid), number))
            numbers.append(number)
        self._keep_marks(found)
        self.database.executemany(
            "insert into fact(id, mark, shape, micros, hid, line) values (?, ?, ?, ?, ?, ?)", rows
        )
        self.database.executemany("insert or ignore into output(hid, fact) values (?, ?)", outputs)
        return numbers

    def _known(self, facts: Sequence[Drawn], marks: Sequence[int]) -> dict[str, int]:
        """Return the numbers of what is known of `facts`, which have `marks`, by their lines."""
        if self._marks is not None:
            return self._numbers_of_lines("id {}", self._marks.numbers(marks))
        # Thousands of calls may have one mark; one made few values, or the same one again.
        made = [mark_of(fact.sketch.made[0]) for fact in facts if fact.sketch.made]
        others = [m for fact, m in zip(facts, marks, strict=True) if not fact.sketch.made]
        known = self._numbers_of_lines("id in (select fact from output where hid {})", made)
        return known | self._numbers_of_lines("mark {}", others)

    def _numbers_of_lines(self, where: str, wanted: Sequence[int]) -> dict[str, int]:
        if not wanted:
            return {}
        is_one = len(wanted) == 1
        among = where.format("= ?" if is_one else "in (select value from json_each(?))")
        rows = self.rows(
            f"select id, shape, line from fact where {among}",
            wanted if is_one else (as_json(wanted),),
        )
        return {self.shapes.line(shape, line): number for number, shape, line in rows}

    # --- reading ---------------------------------------------------------

    def lines(self, numbers: Iterable[int]) -> list[str]:
        """Return the lines of facts, in the order in which they were seen."""
        rows = self.rows(
            "select shape, line from fact where id in (select value from json_each(?)) order by id",
            (as_json(numbers),),
        )
        return [self.shapes.line(*row) for row in rows]

    def numbered_lines(self, numbers: Iterable[int]) -> dict[str, int]:
        """Return the lines of facts with their numbers."""
        rows = self.rows(
            "select id, shape, line from fact where id in (select value from json_each(?))",
            (as_json(numbers),),
        )
        return {self.shapes.line(shape, line): number for number, shape, line in rows}

    def line(self, number: int) -> str:
        """Return the line of a fact."""
        return self.shapes.line(
            *self.rows("select shape, line from fact where id = ?", (number,))[0]
        )

    def newest(self) -> int:
        """Return the number of the fact that was added last, 0 if there is none."""
        return int(self.rows("select coalesce(max(id), 0) from fact")[0][0])

    def lines_marked(self, key: bytes) -> list[tuple[int, str]]:
        """Return number and line of the facts that may be looked up by `key`."""
        rows = self.rows("select id, shape, line from fact where mark = ?", (mark_of(key),))
        return [(number, self.shapes.line(shape, line)) for number, shape, line in rows]

    def lines_of(self, *kinds: str) -> list[tuple[int, str]]:
        """Return number and line of the facts of rare kinds, in the order they were seen."""
        rows = self.rows(
            "select id, shape, line from fact where micros is null and shape in"
            " (select id from shape where kind in (select value from json_each(?))) order by id",
            (json.dumps(kinds),),
        )
        return [(number, self.shapes.line(shape, line)) for number, shape, line in rows]

    # `Any`: SQLite's columns have no static types; each caller names them.
    def rows(self, sql: str, parameters: Parameters = ()) -> list[tuple[Any, ...]]:
        """Return the rows of a query."""
        with self.lock:
            return self.database.execute(sql, parameters).fetchall()


def sketch_of(fact: Fact, line: str) -> Sketch:
    """Return what is kept of a fact with this line."""
    key = _LOOKED_UP_BY[type(fact)](fact)
    if not isinstance(fact, Call):
        return Sketch(key, Look(kind_of(line)))
    micros = -1 if fact.is_link else micros_of(fact.seconds)
    return Sketch(key, look_of(fact), micros, fact.hid, made_by(fact))


def _prepare(path: Path | None, version: int, connection: sqlite3.Connection) -> None:
    """Make a new connection ready: modes, and tables if the file is new."""
    # A log beside the file is for processes of one machine: they share memory.
    is_shared = path is not None and shared_kind(path.absolute().parent) is not None
    connection.execute(f"pragma journal_mode = {'delete' if is_shared else 'wal'}")
    # A power cut may cost the last transactions, never the file's integrity;
    # kill -9 costs nothing.
    connection.execute("pragma synchronous = normal")
    found = connection.execute("pragma user_version").fetchone()[0]
    if found == 0:
        _create(connection, version)
    elif found != version:
        kind = NewerFormat if found > version else OlderFormat
        raise kind(str(path), found, version)


def as_json(numbers: Iterable[int]) -> str:
    """Return `numbers` as one parameter of a query, for `json_each`."""
    # One parameter however many there are: SQLite limits the number of parameters.
    return json.dumps(list(numbers))


def _create(connection: sqlite3.Connection, version: int) -> None:
    connection.execute("begin immediate")
    # Another process may have created the tables while this one waited.
    if connection.execute("pragma user_version").fetchone()[0] == 0:
        for statement in (*_SCHEMA.split(";"), _MARK_INDEX):
            connection.execute(statement)
        connection.execute(f"pragma user_version = {version}")
    connection.execute("commit")


def mark_of(key: bytes) -> int:
    """Return the number by which facts that are looked up by `key` are found."""
    return cast("int", _MARK(key)[0])


def made_by(call: Call) -> list[Digest]:
    """Return the history ids of what `call` returned, and of what is in it."""
    return [hid for slot in call.outputs for hid in histories(slot)]


def of_component(component: Component) -> Digest:
    """Return what the facts about a component are looked up by."""
    return derive("component", component.path.encode(), component.unit.encode())


def of_text(text: Text) -> Digest:
    """Return what a text is looked up by: its digest."""
    return digest(text.text.encode("utf-8"))


TOMBSTONES = derive("tombstones")
"""What all tombstones are looked up by: they are few, and always wanted together."""
_STATEMENTS = derive("statements")
_LOOKED_UP_BY = cast(
    "dict[type, Callable[[Fact], Digest]]",
    {
        Call: lambda call: call.key,
        Value: lambda value: value.cid,
        Version: lambda version: version.id,
        Source: lambda source: of_component(source.component),
        Decision: lambda decision: of_component(decision.component),
        Move: lambda _: _STATEMENTS,
        Dependency: lambda _: _STATEMENTS,
        Rename: lambda _: _STATEMENTS,
        Tag: lambda _: _STATEMENTS,
        Withdrawal: lambda _: _STATEMENTS,
        Text: of_text,
        Tombstone: lambda _: TOMBSTONES,
        Undo: lambda _: TOMBSTONES,
    },
)
"""What a fact of each kind is looked up by; its first eight bytes are the fact's mark."""
