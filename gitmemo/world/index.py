"""The derived index: what is asked of every fact ever seen.

Not the record of anything in a repository: there, deleting it loses only time,
for it is made again from segments and journals. (A `Storage(db_path=…)` keeps
its facts in the same tables; there they are the record.) Invariant: it only
repeats facts; which of them are visible is a set of files, chosen per look-up.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import TypeAlias, TypeVar

from gitmemo.collector import uncollected
from gitmemo.hashing import content_id
from gitmemo.hashing.digest import Digest
from gitmemo.model.components import Component
from gitmemo.model.facts import (
    Call,
    Decision,
    Fact,
    Source,
    Statement,
    Text,
    Tombstone,
    Undo,
    Value,
    Version,
)
from gitmemo.model.glances import Asked, Glance, call_from_line, glance, later_call
from gitmemo.model.lines import blob_of, from_line, record_id
from gitmemo.model.tombstones import Tombstones
from gitmemo.world.crowds import FEW, Crowds, Test
from gitmemo.world.membership import Membership
from gitmemo.world.table import (
    CARRIED_SCHEMA,
    SCHEMA_VERSION,
    TOMBSTONES,
    as_json,
    made_by,
    mark_of,
    of_component,
    of_text,
)
from gitmemo.world.view import CallSignature, Tally

_ID_BYTES = 32
STATEMENT_KINDS = ("decision", "move", "dependency", "rename", "tag", "withdrawal")
_CALLS_MARKED = "select id, shape, line, hid from fact where mark = ?"
_NUMBERED = "select id, shape, line, hid from fact where id in (select value from json_each(?))"
_Row: TypeAlias = "tuple[int, int, str | bytes, Digest]"
_F = TypeVar("_F", Call, Value, Version, Source, Decision, Text)


class Index(Membership):
    """The facts of one database."""

    def __init__(self, path: Path | None, version: int = SCHEMA_VERSION) -> None:
        """Open the index as `FactTable` does."""
        super().__init__(path, version)
        self._crowds = Crowds()

    # --- look-ups --------------------------------------------------------

    def signatures(self, op: str, op_version: int) -> set[CallSignature]:
        """Return what the calls of an op look like that were ever seen."""
        return self.shapes.signatures(op, op_version)

    def calls_with_key(self, key: Digest, asked: Asked | None = None) -> list[tuple[int, Call]]:
        """Return the calls, with their fact numbers, of one op on inputs of the same contents.

        `asked` is what the key was made of, where that is known.
        """
        rows = self.rows(_CALLS_MARKED, (mark_of(key),))
        return [(number, call) for number, _, call in self._with_key(key, rows, asked)]

    def deciding_calls(self, key: Digest, asked: Asked, *tests: Test) -> list[tuple[int, Call]]:
        """Return the same; where there are many, only those that decide (`crowds`)."""
        if key not in self._crowds:
            rows = self.rows(_CALLS_MARKED, (mark_of(key),))
            if len(rows) <= FEW:
                return [(number, call) for number, _, call in self._with_key(key, rows, asked)]
        with self.lock:
            crowd = self._crowds.of(key)
            new = self.rows(f"{_CALLS_MARKED} and id >= ? order by id", (mark_of(key), crowd.end))
            for number, line, call in self._with_key(key, new, None):
                crowd.add(number, line, call)
        # Not under the lock: a test may ask the world, which asks its indexes under a lock of its own.
        chosen = crowd.deciding(asked, *tests)
        rows = self.rows(_NUMBERED, (as_json(chosen),))
        return [(number, call) for number, _, call in self._with_key(key, rows, asked)]

    def lone_calls(self, after: int, last: int) -> list[tuple[int, int, Glance]]:
        """Return the calls numbered after `after`, up to `last`, whose marks no other fact has.

        With each its number and its mark.
        """
        rows = self.rows(
            "select id, mark, shape, hid, line from fact"
            " where id > ? and id <= ? and micros is not null and not exists"
            " (select 1 from fact other where other.mark = fact.mark and other.id != fact.id)",
            (after, last),
        )
        found = (
            (number, mark, glance(self.shapes.line(shape, line), Digest(hid), content_id))
            for number, mark, shape, hid, line in rows
        )
        return [(number, mark, seen) for number, mark, seen in found if seen is not None]

    def creators(self, hid: Digest) -> list[tuple[int, Call]]:
        """Return the calls that have an output with history id `hid`."""
        rows = self.rows(
            "select id, shape, line from output join fact on fact.id = output.fact where output.hid = ?",
            (mark_of(hid),),
        )
        calls = ((number, self.call_of(shape, line)) for number, shape, line in rows)
        return [(n, call) for n, call in calls if hid in made_by(call)]

    def values(self, cid: Digest) -> list[Value]:
        """Return where the bytes of `cid` may be."""
        found = (value for _, value in self._marked(Value, "value", cid) if value.cid == cid)
        return sorted(found, key=_by_blob)

    def values_among(self, numbers: Iterable[int]) -> list[Value]:
        """Return the places of bytes that are among these facts."""
        found = (from_line(line, content_id) for line in self._value_lines(numbers))
        return sorted((value for value in found if isinstance(value, Value)), key=_by_blob)

    def blobs_among(self, numbers: Iterable[int]) -> set[Digest]:
        """Return the blobs that the values among these facts name."""
        return set(map(blob_of, self._value_lines(numbers)))

    def blobs_in(self, files: frozenset[int]) -> set[Digest]:
        """Return the blobs that the values in segments name; of each read once, and kept."""
        with self.lock:
            self.database.execute(CARRIED_SCHEMA)
            rows = self.rows(
                "select file, blobs from carried where file in (select value from json_each(?))",
                (as_json(files),),
            )
            known = dict(rows)
            new = {file: self._blobs_of(file) for file in files - known.keys()}
            if new:
                with self.transaction():
                    self.database.executemany(
                        "insert or ignore into carried(file, blobs) values (?, ?)",
                        list(new.items()),
                    )
        return {
            Digest(data[at : at + _ID_BYTES])
            for data in (*known.values(), *new.values())
            for at in range(0, len(data), _ID_BYTES)
        }

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

    def facts(self, *kinds: str) -> list[tuple[int, Digest, Fact]]:
        """Return all facts of rare kinds, as `(number, record id, fact)` in the order they were seen."""
        return [
            (number, record_id(line), from_line(line, content_id))
            for number, line in self.lines_of(*kinds)
        ]

    def statements(self) -> list[tuple[int, Digest, Statement]]:
        """Return all that people said of the code, as `(number, record id, fact)`."""
        return [
            (number, record, fact)
            for number, record, fact in self.facts(*STATEMENT_KINDS)
            if isinstance(fact, Statement)
        ]

    def latest_about_code(self) -> int:
        """Return a number that grows with every version and statement."""
        rows = self.rows(
            "select coalesce(max((select max(id) from fact"
            " where fact.shape = shape.id and micros is null)), 0)"
            " from shape where kind in (select value from json_each(?))",
            (json.dumps(("version", *STATEMENT_KINDS)),),
        )
        return int(rows[0][0])

    def source_text(self, component: Component, source: Digest) -> Digest | None:
        """Return the digest of the text of a content, as it was first recorded."""
        for _, fact in self.history(component).values():
            if isinstance(fact, Source) and fact.source == source:
                return fact.text
        return None

    def history(self, component: Component) -> dict[int, tuple[Digest, Source | Decision]]:
        """Return the sources of and decisions about a component: number to `(record id, fact)`."""
        found: dict[int, tuple[Digest, Source | Decision]] = {}
        for number, line in self.lines_marked(of_component(component)):
            fact = from_line(line, content_id)
            if isinstance(fact, Source | Decision) and fact.component == component:
                found[number] = (record_id(line), fact)
        return found

    def text(self, text: Digest) -> str | None:
        """Return the source text with this digest, if a journal brought it."""
        for _, found in self._marked(Text, "text", text):
            if of_text(found) == text:
                return found.text
        return None

    def texts(self) -> dict[Digest, str]:
        """Return all source texts that journals brought, by digest."""
        facts = (from_line(line, content_id) for _, line in self.lines_of("text"))
        return {of_text(fact): fact.text for fact in facts if isinstance(fact, Text)}

    def tombstones(self) -> list[tuple[int, Digest, Tombstone | Undo]]:
        """Return all tombstones and undos, as `(number, record id, fact)`."""
        found = []
        for number, line in self.lines_marked(TOMBSTONES):
            fact = from_line(line, content_id)
            if isinstance(fact, Tombstone | Undo):
                found.append((number, record_id(line), fact))
        return found

    def latest_tombstone(self) -> int:
        """Return a number that grows with every tombstone and undo."""
        rows = self.rows(
            "select coalesce(max(id), 0) from fact where mark = ?", (mark_of(TOMBSTONES),)
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

    def calls_with_hids(self, hids: Iterable[Digest]) -> list[Call]:
        """Return the calls with these history ids; it looks at every call, so it is not for look-ups."""
        wanted = dict.fromkeys(hids)
        rows = self.rows("select id, hid from fact where micros is not null") if wanted else ()
        return self.calls([number for number, hid in rows if hid in wanted])

    def calls(self, numbers: Iterable[int] | None, *, without: Iterable[int] = ()) -> list[Call]:
        """Return the calls with these fact numbers, all if None, but those in `without`.

        The lines are read when more is asked of a call than what is told by its row.
        """
        rows = self.rows(
            "select shape, line, hid, micros from fact where micros is not null"
            " and (:among is null or id in (select value from json_each(:among)))"
            " and id not in (select value from json_each(:without))",
            {"among": None if numbers is None else as_json(numbers), "without": as_json(without)},
        )
        line_of, told_by = self.shapes.line, self.shapes.told_by
        with uncollected():
            return [
                later_call(line_of(shape, line), told_by(shape), Digest(hid), is_link=micros < 0)
                for shape, line, hid, micros in rows
            ]

    def numbered_calls(self, numbers: Iterable[int]) -> list[tuple[int, Call]]:
        """Return the calls with these fact numbers, with them."""
        rows = self.rows(
            "select id, shape, line from fact where micros is not null"
            " and id in (select value from json_each(?))",
            (as_json(numbers),),
        )
        return [(number, self.call_of(shape, line)) for number, shape, line in rows]

    def ops(self) -> list[str]:
        """Return the names of all ops that have calls."""
        rows = self.rows("select distinct op from shape where kind = 'call' order by op")
        return [op for (op,) in rows]

    def newest_calls(self, op: str, most: int) -> list[Call]:
        """Return the calls of an op that were seen last, at most so many."""
        rows = self.rows(
            "select shape, line from fact where micros is not null"
            " and shape in (select id from shape where kind = 'call' and op = ?)"
            " order by id desc limit ?",
            (op, most),
        )
        return [self.call_of(shape, line) for shape, line in rows]

    def tally(self, numbers: Iterable[int] | None, *, without: Iterable[int] = ()) -> list[Tally]:
        """Return how often, and how long, each op ran with each version among these facts, or all."""
        rows = self.rows(
            "select version, op, sum(micros >= 0), sum(max(micros, 0)), sum(micros < 0)"
            " from fact join shape on shape.id = fact.shape"
            " where micros is not null and version != x''"
            " and (:among is null or fact.id in (select value from json_each(:among)))"
            " and fact.id not in (select value from json_each(:without))"
            " group by version, op order by max(fact.id)",
            {"among": None if numbers is None else as_json(numbers), "without": as_json(without)},
        )
        return [Tally(Digest(v), op, calls, us / 1e6, links) for v, op, calls, us, links in rows]

    def calls_per_op(
        self, numbers: Iterable[int] | None, *, without: Iterable[int]
    ) -> dict[str, int]:
        """Return how many calls each op has among those with these numbers, all if None.

        Records of one call, links to it among them, are of one op, code, and contents of inputs.
        """
        rows = self.rows(
            "select op, count(*) from (select distinct op, version, mark from fact"
            " join shape on shape.id = fact.shape"
            " where micros is not null and (:among is null or"
            " fact.id in (select value from json_each(:among)))"
            " and fact.id not in (select value from json_each(:without))) group by op",
            {"among": None if numbers is None else as_json(numbers), "without": as_json(without)},
        )
        return dict(rows)

    def count_values(self) -> int:
        """Return how many places of bytes are known."""
        rows = self.rows(
            "select count(*) from fact where micros is null"
            " and shape in (select id from shape where kind = 'value')"
        )
        return int(rows[0][0])

    def call_of(self, shape: int, stored: str | bytes) -> Call:
        """Return the call in a row of the table."""
        fact = from_line(self.shapes.line(shape, stored), content_id)
        assert isinstance(fact, Call)  # only calls have a duration and outputs
        return fact

    # --- private ---------------------------------------------------------

    def _with_key(
        self, key: Digest, rows: Iterable[_Row], asked: Asked | None
    ) -> Iterator[tuple[int, str, Call]]:
        """Yield number, line and call of those rows that are calls with `key`."""
        of_shape = self.shapes.line
        for number, shape, stored, hid in rows:
            line = of_shape(shape, stored)
            if line.startswith('["call",'):
                call = call_from_line(line, asked, content_id, hid)
                if (asked is not None and call.inputs is asked.inputs) or call.key == key:
                    yield number, line, call

    def _value_lines(self, numbers: Iterable[int]) -> Iterator[str]:
        rows = self.rows(
            "select fact.shape, line from fact join shape on shape.id = fact.shape"
            " where micros is null and shape.kind = 'value'"
            " and fact.id in (select value from json_each(?))",
            (as_json(numbers),),
        )
        return (self.shapes.line(*row) for row in rows)

    def _blobs_of(self, file: int) -> bytes:
        found: set[Digest] = set()
        for first, last in self.runs([file]):
            rows = self.rows(
                "select fact.shape, line from fact join shape on shape.id = fact.shape"
                " where micros is null and shape.kind = 'value' and fact.id between ? and ?",
                (first, last),
            )
            found.update(blob_of(self.shapes.line(*row)) for row in rows)
        return b"".join(sorted(found))

    def _marked(self, form: type[_F], kind: str, key: bytes) -> Iterator[tuple[int, _F]]:
        """Yield the facts of a kind that may be the one looked up by `key`."""
        start = f'["{kind}",'
        for number, line in self.lines_marked(key):
            if line.startswith(start):
                fact = from_line(line, content_id)
                if isinstance(fact, form):
                    yield number, fact


def _by_blob(value: Value) -> tuple[bytes, str]:
    return value.blob, value.codec
