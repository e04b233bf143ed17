"""The derived index: every fact ever seen, in SQLite, for quick look-ups.

Not the record of anything in a repository: there, deleting it loses only time,
for it is made again from segments and journals. (A `Storage(db_path=…)` keeps
its facts in the same tables; there they are the record.) Invariant: it only
repeats facts; which of them are visible is a set of files, chosen per look-up.

Nothing here knows how lines are written: a fact is kept as its whole line,
packed, and found by marks, the first eight bytes of what it is looked up by.
Facts found by a mark are read and compared in full.
"""

from __future__ import annotations

import json
import sqlite3
import threading
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from itertools import islice
from pathlib import Path
from typing import Any, TypeVar, cast

from gitmemo.errors import CorruptRecord, NewerFormat
from gitmemo.hashing import content_id
from gitmemo.hashing.digest import Digest, digest
from gitmemo.model.components import Component
from gitmemo.model.facts import (
    Call,
    Decision,
    Fact,
    Source,
    Text,
    Tombstone,
    Undo,
    Value,
    Version,
)
from gitmemo.model.ids import derive
from gitmemo.model.items import histories
from gitmemo.model.lines import (
    Asked,
    Glance,
    call_from_line,
    from_line,
    glance,
    kind_of,
    record_id,
    to_line,
)
from gitmemo.model.tombstones import Tombstones
from gitmemo.world.shapes import Look, Shapes, look_of
from gitmemo.world.spans import Span, Spans, numbers_in
from gitmemo.world.view import CallSignature

SCHEMA_VERSION = 5
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
create index fact_mark on fact(mark);
create index fact_rare on fact(shape) where micros is null;
create table output(hid integer not null, fact integer not null, primary key(hid, fact)) without rowid;
create table span(
    file integer not null, first integer not null, last integer not null,
    branch text not null, head text not null, position integer not null);
create index span_file on span(file);
"""

_BATCH = 500
_T = TypeVar("_T")
_F = TypeVar("_F", Call, Value, Version, Source, Decision, Text)


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
        self._shapes = Shapes(self.connection, self.lock)

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
                self._shapes.forget()  # some may have been new
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

    def rename_kind(self, file: int, kind: str) -> None:
        """Note that `file` is now one of another kind: it was moved, whole."""
        self.connection.execute("update or ignore file set kind = ? where id = ?", (kind, file))

    def add(self, facts: Iterable[Fact]) -> None:
        """Add `facts`, members of no file; known ones are left as they are."""
        self._add_facts([(fact, to_line(fact)) for fact in facts])

    def add_members(self, file: int, lines: Iterable[str]) -> None:
        """Add the facts of `lines` as members of `file`; known ones only become members."""
        numbers: set[int] = set()
        for batch in _batches(lines):
            numbers.update(self._add_facts([_checked(line) for line in batch]))
        spans = Spans(file)
        for number in sorted(numbers):
            spans.add(number, "", "", 0)
        self._add_spans(spans.done())

    def add_placed(
        self, file: int, entries: Iterable[tuple[str, str, str, int]], *, committed: int
    ) -> None:
        """Add `(line, branch, commit, position in the file)`; what is before `committed` is told apart."""
        spans = Spans(file, committed)
        for batch in _batches(entries):
            # This machine wrote them, and their checks were compared: not as others' segments.
            numbers = self._add_facts([(from_line(line, content_id), line) for line, *_ in batch])
            for number, (_, branch, commit, position) in zip(numbers, batch, strict=True):
                spans.add(number, branch, commit, position)
        self._add_spans(spans.done())

    def _add_spans(self, spans: Iterable[Span]) -> None:
        self.connection.executemany(
            "insert into span(file, first, last, branch, head, position) values (?, ?, ?, ?, ?, ?)",
            [(s.file, s.first, s.last, s.branch, s.commit, s.position) for s in spans],
        )

    def _add_facts(self, facts: Sequence[tuple[Fact, str]]) -> list[int]:
        """Add what is not known yet; return the number of each."""
        marks = [mark_of(_LOOKED_UP_BY[type(fact)](fact)) for fact, _ in facts]
        known = self._numbers_of_lines(marks)
        last = self.newest()
        rows: list[tuple[object, ...]] = []
        outputs: list[tuple[int, int]] = []
        numbers: list[int] = []
        for (fact, line), mark in zip(facts, marks, strict=True):
            number = known.get(line)
            if number is None:
                last += 1
                number = known[line] = last
                rows.append(self._row(number, mark, fact, line))
                if isinstance(fact, Call):
                    outputs += [(mark_of(hid), number) for hid in _made_by(fact)]
            numbers.append(number)
        self.connection.executemany(
            "insert into fact(id, mark, shape, micros, hid, line) values (?, ?, ?, ?, ?, ?)", rows
        )
        self.connection.executemany(
            "insert or ignore into output(hid, fact) values (?, ?)", outputs
        )
        return numbers

    def _row(self, number: int, mark: int, fact: Fact, line: str) -> tuple[object, ...]:
        if not isinstance(fact, Call):
            shape, packed = self._shapes.packed(Look(kind_of(line)), line)
            return number, mark, shape, None, None, packed
        shape, packed = self._shapes.packed(look_of(fact), line)
        return number, mark, shape, round(fact.seconds * 1e6), fact.hid, packed

    def _numbers_of_lines(self, marks: Sequence[int]) -> dict[str, int]:
        """Return the numbers of the known facts with `marks`, by their lines."""
        if len(marks) == 1:
            rows = self._rows("select id, shape, line from fact where mark = ?", (marks[0],))
        else:
            rows = self._rows(
                "select id, shape, line from fact where mark in (select value from json_each(?))",
                (_json(marks),),
            )
        return {self._shapes.line(shape, line): number for number, shape, line in rows}

    # --- look-ups --------------------------------------------------------

    def signatures(self, op: str, op_version: int) -> set[CallSignature]:
        """Return what the calls of an op look like that were ever seen."""
        return self._shapes.signatures(op, op_version)

    def calls_with_key(self, key: Digest, asked: Asked | None = None) -> list[tuple[int, Call]]:
        """Return the calls, with their fact numbers, of one op on inputs of the same contents.

        `asked` is what the key was made of, where that is known.
        """
        found = []
        for number, line in self._lines_marked(key):
            if line.startswith('["call",'):
                call = call_from_line(line, asked, content_id)
                if (asked is not None and call.inputs is asked.inputs) or call.key == key:
                    found.append((number, call))
        return found

    def lone_calls(self, after: int, last: int) -> list[tuple[int, int, Glance]]:
        """Return the calls numbered after `after`, up to `last`, whose marks no other fact has.

        With each its number and its mark.
        """
        rows = self._rows(
            "select id, mark, shape, hid, line from fact"
            " where id > ? and id <= ? and micros is not null and not exists"
            " (select 1 from fact other where other.mark = fact.mark and other.id != fact.id)",
            (after, last),
        )
        found = (
            (number, mark, glance(self._shapes.line(shape, line), Digest(hid), content_id))
            for number, mark, shape, hid, line in rows
        )
        return [(number, mark, seen) for number, mark, seen in found if seen is not None]

    def creators(self, hid: Digest) -> list[tuple[int, Call]]:
        """Return the calls that have an output with history id `hid`."""
        rows = self._rows(
            "select id, shape, line from output join fact on fact.id = output.fact where output.hid = ?",
            (mark_of(hid),),
        )
        calls = ((number, self._call(shape, line)) for number, shape, line in rows)
        return [(n, call) for n, call in calls if hid in _made_by(call)]

    def values(self, cid: Digest) -> list[Value]:
        """Return where the bytes of `cid` may be."""
        found = (value for _, value in self._marked(Value, "value", cid) if value.cid == cid)
        return sorted(found, key=_by_blob)

    def values_among(self, numbers: Iterable[int]) -> list[Value]:
        """Return the places of bytes that are among these facts."""
        rows = self._rows(
            "select fact.shape, line from fact join shape on shape.id = fact.shape"
            " where micros is null and shape.kind = 'value'"
            " and fact.id in (select value from json_each(?))",
            (_json(numbers),),
        )
        found = (from_line(self._shapes.line(*row), content_id) for row in rows)
        return sorted((value for value in found if isinstance(value, Value)), key=_by_blob)

    def version(self, version: Digest) -> Version | None:
        """Return the version with this id."""
        for _, found in self._marked(Version, "version", version):
            if found.id == version:
                return found
        return None

    def has_source(self, path: str, unit: str, source: Digest) -> bool:
        """Whether this content of a component has been recorded."""
        history = self.history(Component(path, unit)).values()
        return any(isinstance(f, Source) and f.source == source for _, f in history)

    def facts(self, kind: str) -> list[tuple[int, Digest, Fact]]:
        """Return all facts of a rare kind, as `(number, record id, fact)` in the order they were seen."""
        return [
            (number, record_id(line), from_line(line, content_id))
            for number, line in self._lines_of(kind)
        ]

    def history(self, component: Component) -> dict[int, tuple[Digest, Source | Decision]]:
        """Return the sources of and decisions about a component: number to `(record id, fact)`."""
        found: dict[int, tuple[Digest, Source | Decision]] = {}
        for number, line in self._lines_marked(_of_component(component)):
            fact = from_line(line, content_id)
            if isinstance(fact, Source | Decision) and fact.component == component:
                found[number] = (record_id(line), fact)
        return found

    def text(self, text: Digest) -> str | None:
        """Return the source text with this digest, if a journal brought it."""
        for _, found in self._marked(Text, "text", text):
            if _of_text(found) == text:
                return found.text
        return None

    def texts(self) -> dict[Digest, str]:
        """Return all source texts that journals brought, by digest."""
        facts = (from_line(line, content_id) for _, line in self._lines_of("text"))
        return {_of_text(fact): fact.text for fact in facts if isinstance(fact, Text)}

    def tombstones(self) -> list[tuple[int, Digest, Tombstone | Undo]]:
        """Return all tombstones and undos, as `(number, record id, fact)`."""
        found = []
        for number, line in self._lines_marked(_TOMBSTONES):
            fact = from_line(line, content_id)
            if isinstance(fact, Tombstone | Undo):
                found.append((number, record_id(line), fact))
        return found

    def latest_tombstone(self) -> int:
        """Return a number that grows with every tombstone and undo."""
        rows = self._rows(
            "select coalesce(max(id), 0) from fact where mark = ?", (mark_of(_TOMBSTONES),)
        )
        return int(rows[0][0])

    def covered(self, tombstones: Tombstones) -> set[int]:
        """Return the numbers of the calls that are forgotten."""
        return {
            number
            for key in tombstones.keys
            for number, call in self.calls_with_key(key)
            if tombstones.cover(call)
        }

    def calls(self, numbers: Iterable[int] | None, *, without: Iterable[int] = ()) -> list[Call]:
        """Return the calls with these fact numbers, all if None, but those in `without`."""
        rows = self._rows(
            "select shape, line from fact where micros is not null"
            " and (?1 is null or id in (select value from json_each(?1)))"
            " and id not in (select value from json_each(?2))",
            (None if numbers is None else _json(numbers), _json(without)),
        )
        return [self._call(shape, line) for shape, line in rows]

    def ops(self) -> list[str]:
        """Return the names of all ops that have calls."""
        rows = self._rows("select distinct op from shape where kind = 'call' order by op")
        return [op for (op,) in rows]

    def newest_calls(self, op: str, most: int) -> list[Call]:
        """Return the calls of an op that were seen last, at most so many."""
        rows = self._rows(
            "select shape, line from fact where micros is not null"
            " and shape in (select id from shape where kind = 'call' and op = ?)"
            " order by id desc limit ?",
            (op, most),
        )
        return [self._call(shape, line) for shape, line in rows]

    def lines(self, numbers: Iterable[int]) -> list[str]:
        """Return the lines of facts, in the order in which they were seen."""
        rows = self._rows(
            "select shape, line from fact where id in (select value from json_each(?)) order by id",
            (_json(numbers),),
        )
        return [self._shapes.line(*row) for row in rows]

    def newest(self) -> int:
        """Return the number of the fact that was added last, 0 if there is none."""
        return int(self._rows("select coalesce(max(id), 0) from fact")[0][0])

    def line(self, number: int) -> str:
        """Return the line of a fact."""
        return self._shapes.line(
            *self._rows("select shape, line from fact where id = ?", (number,))[0]
        )

    def tally(self, numbers: Iterable[int]) -> list[Tally]:
        """Return how often, and how long, each op ran with each version among these facts."""
        rows = self._rows(
            "select version, op, count(*), sum(micros), max(fact.id)"
            " from fact join shape on shape.id = fact.shape"
            " where micros is not null and version != x''"
            " and fact.id in (select value from json_each(?))"
            " group by version, op order by max(fact.id)",
            (_json(numbers),),
        )
        return [Tally(Digest(v), op, calls, micros / 1e6) for v, op, calls, micros, _ in rows]

    def calls_per_op(
        self, numbers: Iterable[int] | None, *, without: Iterable[int]
    ) -> dict[str, int]:
        """Return how many of the calls with these numbers, all if None, each op has."""
        rows = self._rows(
            "select op, count(*) from fact join shape on shape.id = fact.shape"
            " where micros is not null and (?1 is null or"
            " fact.id in (select value from json_each(?1)))"
            " and fact.id not in (select value from json_each(?2)) group by op",
            (None if numbers is None else _json(numbers), _json(without)),
        )
        return dict(rows)

    def count_values(self) -> int:
        """Return how many places of bytes are known."""
        rows = self._rows(
            "select count(*) from fact where micros is null"
            " and shape in (select id from shape where kind = 'value')"
        )
        return int(rows[0][0])

    # --- membership ------------------------------------------------------

    def spans(self, files: Iterable[int]) -> list[Span]:
        """Return which facts are in `files`, and where."""
        rows = self._rows(
            "select file, first, last, branch, head, position from span"
            " where file in (select value from json_each(?))",
            (_json(files),),
        )
        return [Span(*row) for row in rows]

    def members(self, files: Iterable[int]) -> set[int]:
        """Return the numbers of the facts in any of `files`."""
        return numbers_in(self.spans(files))

    def of_kinds(self, numbers: Iterable[int], kinds: Sequence[str]) -> set[int]:
        """Return those of `numbers` whose facts are of one of `kinds`."""
        rows = self._rows(
            "select fact.id from fact join shape on shape.id = fact.shape"
            " where shape.kind in (select value from json_each(?1))"
            " and fact.id in (select value from json_each(?2))",
            (json.dumps(list(kinds)), _json(numbers)),
        )
        return {row[0] for row in rows}

    # --- private ---------------------------------------------------------

    def _marked(self, form: type[_F], kind: str, key: bytes) -> Iterator[tuple[int, _F]]:
        """Yield the facts of a kind that may be the one looked up by `key`."""
        start = f'["{kind}",'
        for number, line in self._lines_marked(key):
            if line.startswith(start):
                fact = from_line(line, content_id)
                if isinstance(fact, form):
                    yield number, fact

    def _lines_marked(self, key: bytes) -> list[tuple[int, str]]:
        rows = self._rows("select id, shape, line from fact where mark = ?", (mark_of(key),))
        return [(number, self._shapes.line(shape, line)) for number, shape, line in rows]

    def _lines_of(self, kind: str) -> list[tuple[int, str]]:
        rows = self._rows(
            "select id, shape, line from fact where micros is null"
            " and shape in (select id from shape where kind = ?) order by id",
            (kind,),
        )
        return [(number, self._shapes.line(shape, line)) for number, shape, line in rows]

    def _call(self, shape: int, stored: str | bytes) -> Call:
        fact = from_line(self._shapes.line(shape, stored), content_id)
        assert isinstance(fact, Call)  # only calls have a duration and outputs
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


def _batches(items: Iterable[_T]) -> Iterator[list[_T]]:
    rest = iter(items)
    while batch := list(islice(rest, _BATCH)):
        yield batch


def _checked(line: str) -> tuple[Fact, str]:
    fact = from_line(line, content_id)
    if to_line(fact) != line:
        raise CorruptRecord(line[:80], "it is not written as gitmemo writes it")
    return fact, line


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


def mark_of(key: bytes) -> int:
    """Return the number by which facts that are looked up by `key` are found."""
    return int.from_bytes(key[:8], "little", signed=True)


def _made_by(call: Call) -> list[Digest]:
    """Return the history ids of what `call` returned, and of what is in it."""
    return [hid for slot in call.outputs for hid in histories(slot)]


def _by_blob(value: Value) -> tuple[bytes, str]:
    return value.blob, value.codec


def _of_component(component: Component) -> Digest:
    return derive("component", component.path.encode(), component.unit.encode())


def _of_text(text: Text) -> Digest:
    return digest(text.text.encode("utf-8"))


# Few, and always wanted together.
_TOMBSTONES = derive("tombstones")
_LOOKED_UP_BY = cast(
    "dict[type, Callable[[Fact], Digest]]",
    {
        Call: lambda call: call.key,
        Value: lambda value: value.cid,
        Version: lambda version: version.id,
        Source: lambda source: _of_component(source.component),
        Decision: lambda decision: _of_component(decision.component),
        Text: _of_text,
        Tombstone: lambda _: _TOMBSTONES,
        Undo: lambda _: _TOMBSTONES,
    },
)
"""What a fact of each kind is looked up by; its first eight bytes are the fact's mark."""
