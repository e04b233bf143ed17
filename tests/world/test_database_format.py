"""The database of `Storage(db_path=…)` as `docs/format.md` specifies it: read without gitmemo."""

from __future__ import annotations

import base64
import json
import sqlite3
import zlib
from pathlib import Path
from typing import Any

import pytest

import gitmemo as gm


@gm.op(output_names=["total", "text"], ignore_args="verbose")
def work(number: int, *rest: int, verbose: bool = False, **more: int) -> tuple[int, str]:
    return number + sum(rest) + sum(more.values()), str(number) * 400


@gm.op
def refuse(number: int) -> int:
    raise ValueError(f"not {number}")


def lines_of(database: sqlite3.Connection) -> list[str]:
    """Return the lines of all facts, in the order in which they were recorded."""
    rows = database.execute(
        "select line, pattern from fact join shape on shape.id = fact.shape order by fact.id"
    )
    return [line if isinstance(line, str) else unpacked(line, pattern) for line, pattern in rows]


def unpacked(line: bytes, pattern: str) -> str:
    return zlib.decompressobj(-11, zdict=pattern.encode()).decompress(line).decode()


def digest_of(text: str) -> bytes:
    return base64.urlsafe_b64decode(f"{text}=")


@pytest.fixture
def database(tmp_path: Path) -> sqlite3.Connection:
    storage = gm.Storage(db_path=tmp_path / "calls.db")
    with storage:
        for number in range(200):
            work(number, 1, 2, verbose=True, b=3, a=4)
        with pytest.raises(ValueError, match="not 7"):
            refuse(7)
    storage.close()
    return sqlite3.connect(tmp_path / "calls.db")


def test_calls_are_read_with_sqlite_zlib_and_json(database: sqlite3.Connection) -> None:
    facts: list[list[Any]] = [json.loads(line) for line in lines_of(database)]
    calls = [fact for fact in facts if fact[0] == "call"]
    assert [call[4][0] for call in calls] == [["number", {"v": n}] for n in range(200)]
    assert {call[1].rpartition(":")[2] for call in calls} == {"work"}
    names = [name for name, *_ in calls[0][4]]
    assert names == ["number", "rest_0", "rest_1", "a", "b", "**order"]
    assert calls[0][4][-1][1] == {"v": ["b", "a"]}
    assert [call[5][0] for call in calls] == [["total", {"v": n + 10}] for n in range(200)]
    assert all(call[7]["ignored"] == {"verbose": True} for call in calls)
    packed = database.execute("select count(*) from fact where typeof(line) = 'blob'").fetchone()
    assert packed[0] > 200  # nearly all of them: the test must not pass because nothing is packed


def test_columns_of_calls_repeat_what_the_lines_say(database: sqlite3.Connection) -> None:
    rows = database.execute(
        "select line, pattern, op, names, micros from fact join shape on shape.id = fact.shape"
        " where kind = 'call'"
    ).fetchall()
    assert len(rows) == 200
    for line, pattern, op, names, micros in rows:
        call = json.loads(line if isinstance(line, str) else unpacked(line, pattern))
        inputs, outputs = [slot[0] for slot in call[4]], [slot[0] for slot in call[5]]
        assert (op, json.loads(names)) == (call[1], [call[2], inputs, outputs])
        assert micros == round(call[7]["seconds"] * 1e6)


def test_values_are_found_by_the_blob_that_their_fact_names(database: sqlite3.Connection) -> None:
    facts = [json.loads(line) for line in lines_of(database)]
    places = {fact[1]: fact for fact in facts if fact[0] == "value"}
    (call,) = (f for f in facts if f[0] == "call" and f[4][0][1] == {"v": 12})
    _, _, codec, size, blob = places[call[5][1][1]]
    parts = database.execute(
        "select data from blob where id = ? and codec = ? order by part", (digest_of(blob), codec)
    ).fetchall()
    data = b"".join(part for (part,) in parts)
    assert (codec, len(data), json.loads(data)) == ("json", size, "12" * 400)


def test_values_are_marked_with_the_first_bytes_of_their_content_ids(
    database: sqlite3.Connection,
) -> None:
    rows = database.execute(
        "select mark, line, pattern from fact join shape on shape.id = fact.shape"
        " where kind = 'value'"
    ).fetchall()
    assert rows
    for mark, line, pattern in rows:
        fact = json.loads(line if isinstance(line, str) else unpacked(line, pattern))
        assert mark == int.from_bytes(digest_of(fact[1])[:8], "little", signed=True)


def test_notes_of_failed_calls_are_json(database: sqlite3.Connection) -> None:
    (line,) = database.execute("select line from note order by id").fetchone()
    note = json.loads(line)
    assert (note["error"], note["message"]) == ("ValueError", "not 7")
    assert "refuse" not in {json.loads(text)[1] for text in lines_of(database)}


def test_the_scheme_has_a_number(database: sqlite3.Connection) -> None:
    assert database.execute("pragma user_version").fetchone() == (5,)
    assert database.execute("select count(*) from file").fetchone() == (0,)
    assert database.execute("select count(*) from span").fetchone() == (0,)
