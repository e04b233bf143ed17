"""How the index keeps lines: each beside a pattern, what lines of the same shape have in common.

Not the packing itself (`packing`). Invariant: a pattern never changes, so that
what was packed with it can be read as long as its row exists.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from functools import lru_cache
from typing import NamedTuple

from gitmemo.database import Database
from gitmemo.hashing.digest import Digest
from gitmemo.model.facts import Call
from gitmemo.world.packing import Pattern
from gitmemo.world.view import CallSignature

# A pattern wears out: the next commit has another name. A new one is a whole line more, so
# it is made only where packed lines are long, and not for every line.
_LONG_BYTES = 56
_FEWEST_LINES = 64
# What is noted of a run is part of a form's pattern, and may be that of one line alone.
_FEWEST_FILLED = 8
_MOST_FORMS = 4096
_MOST_PATTERNS = 500  # ten kilobytes each, or twenty


class Look(NamedTuple):
    """What lines of one shape have in common; all but the kind is empty for other facts than calls.

    Attributes:
        names: JSON: the op's version number, the names of the inputs, those of the outputs.
    """

    kind: str
    op: str = ""
    version: bytes = b""
    names: str = ""


def look_of(call: Call) -> Look:
    """Return what the line of `call` has in common with others."""
    inputs = tuple(slot.name for slot in call.inputs)
    outputs = tuple(slot.name for slot in call.outputs)
    return Look("call", call.op, call.version or b"", names_of(call.op_version, inputs, outputs))


@lru_cache(maxsize=4096)
def names_of(op_version: int, inputs: tuple[str, ...], outputs: tuple[str, ...]) -> str:
    """Return the names in a look."""
    return json.dumps([op_version, inputs, outputs], separators=(",", ":"))


@dataclass(slots=True)
class _Shape:
    number: int
    pattern: Pattern
    lines: int = 0


class Shapes:
    """The shapes of the lines in one index."""

    def __init__(self, database: Database) -> None:
        self._database = database
        self._newest: dict[Look, _Shape] = {}
        self._patterns: dict[int, Pattern] = {}
        self._told: dict[int, Mapping[str, object]] = {}
        self._forms: dict[str, int] = {}
        self._seen: dict[str, int] = {}

    def filled(self, key: Look, pattern: str) -> int | None:
        """Return the number of the shape with this pattern; None if few lines have it so far."""
        number = self._forms.get(pattern)
        if number is None:
            seen = self._seen[pattern] = self._seen.get(pattern, 0) + 1
            if seen >= _FEWEST_FILLED:
                shape = self._find(key, pattern) or self._make(key, pattern)
                number = self._forms[pattern] = shape.number
            if len(self._seen) > _MOST_FORMS:
                self._seen.clear()
                self._forms.clear()
        return number

    def packed(self, key: Look, line: str) -> tuple[int, str | bytes]:
        """Return the number of a shape, and `line` as it is kept beside its pattern."""
        shape = self._newest.get(key) or self._find(key) or self._make(key, line)
        shape.lines += 1
        packed = shape.pattern.pack(line)
        if len(packed) > _LONG_BYTES and shape.lines > _FEWEST_LINES:
            shape = self._make(key, line)
            packed = shape.pattern.pack(line)
        return shape.number, packed if len(packed) < len(line) else line

    def line(self, shape: int, stored: str | bytes) -> str:
        """Return the line that is kept as `stored`."""
        if isinstance(stored, str):
            if stored.startswith("["):
                return stored
            return (self._patterns.get(shape) or self._load(shape)).fill(stored)
        return (self._patterns.get(shape) or self._load(shape)).unpack(stored)

    def told_by(self, shape: int) -> Mapping[str, object]:
        """Return what is known of every call of a shape, as `Call.unread` takes it."""
        told = self._told.get(shape)
        if told is None:
            with self._database.lock:
                op, version, names = self._database.execute(
                    "select op, version, names from shape where id = ?", (shape,)
                ).fetchone()
            op_version, inputs, _outputs = json.loads(names)
            if len(self._told) > _MOST_PATTERNS:
                self._told.clear()
            told = self._told[shape] = {
                "op": op,
                "op_version": op_version,
                "version": Digest(version) if version else None,
                "input_names": tuple(inputs),
            }
        return told

    def forget(self) -> None:
        """Read shapes anew: what was made in a transaction is gone if that is undone."""
        self._newest.clear()
        self._patterns.clear()
        self._told.clear()
        self._forms.clear()

    def signatures(self, op: str, op_version: int) -> set[CallSignature]:
        """Return what the calls of an op that were ever seen look like."""
        with self._database.lock:
            rows = self._database.execute(
                "select distinct version, names from shape where kind = 'call' and op = ?", (op,)
            ).fetchall()
        found: set[CallSignature] = set()
        for version, names in rows:
            number, inputs, outputs = json.loads(names)
            if number == op_version:
                code = Digest(version) if version else None
                found.add(CallSignature(code, tuple(inputs), tuple(outputs)))
        return found

    def _find(self, key: Look, pattern: str | None = None) -> _Shape | None:
        row = self._database.execute(
            "select id, pattern from shape where kind = ? and op = ? and version = ?"
            " and names = ? and pattern = coalesce(?, pattern) order by id desc limit 1",
            (*key, pattern),
        ).fetchone()
        return self._keep(key, row[0], row[1]) if row else None

    def _make(self, key: Look, line: str) -> _Shape:
        number = self._database.execute(
            "insert into shape(kind, op, version, names, pattern) values (?, ?, ?, ?, ?)",
            (*key, line),
        ).lastrowid
        assert number is not None  # SQLite gives one for every insert
        return self._keep(key, number, line)

    def _keep(self, key: Look, number: int, line: str) -> _Shape:
        if len(self._newest) > _MOST_PATTERNS:
            self._newest.clear()
        shape = self._newest[key] = _Shape(number, Pattern(line))
        return shape

    def _load(self, number: int) -> Pattern:
        with self._database.lock:
            row = self._database.execute(
                "select pattern from shape where id = ?", (number,)
            ).fetchone()
        if len(self._patterns) > _MOST_PATTERNS:
            self._patterns.clear()
        pattern = self._patterns[number] = Pattern(row[0])
        return pattern
