"""`gitmemo verify`: every damaged byte is found and named, and repaired where that can be done."""

from __future__ import annotations

import json
import sqlite3
from contextlib import closing
from pathlib import Path
from typing import Any

import pytest
from driver import Clone
from stored import blobs, store

from gitmemo.blobs.holding import Copy, copies
from gitmemo.blobs.inspecting import inspect
from gitmemo.hashing.digest import to_hex
from gitmemo.workspace import find
from gitmemo.world.repeating import repeats_its_files

PROGRAM = """
import gitmemo as gm
storage = gm.open()

@gm.op
def twice(data):
    return data + data

@gm.op
def tail(data):
    return data[-5:]

with storage:
    print(storage.unwrap(tail(twice(list(range(50_000))))))
"""


def flip(copy: Copy) -> None:
    """Change one bit of a stored value."""
    copy.path.chmod(0o644)
    data = bytearray(copy.path.read_bytes())
    data[(copy.offset or 0) + copy.size // 2] ^= 1
    copy.path.write_bytes(data)


def verify(clone: Clone, *arguments: str, code: int = 0) -> list[dict[str, Any]]:
    done = clone.gitmemo("verify", "--json", *arguments, code=code)
    return [json.loads(line) for line in done.out.splitlines()]


def lying(clone: Clone) -> list[Copy]:
    return list(copies(store(clone)))


def test_each_damaged_value_is_named_with_its_calls_and_repaired(
    ran: Clone, tmp_path: Path
) -> None:
    ran.write("program.py", PROGRAM)
    first = ran.gitmemo("run", "program.py").out
    every = lying(ran)
    assert {copy.offset is None for copy in every} == {True, False}
    for copy in every:
        flip(copy)
    found = verify(ran, code=4)
    assert {row["ident"] for row in found} == {to_hex(copy.blob) for copy in every}
    said = " ".join(row["calls"] for row in found)
    for words in ("made by pipeline:train", "made by program:twice", "used by program:twice"):
        assert words in said
    assert blobs(ran) == {to_hex(copy.blob) for copy in every}  # looking changed nothing

    # Without a remote: all but the input can be made again.
    repaired = verify(ran, "--repair", code=4)
    outcomes = sorted(row["outcome"] for row in repaired)
    assert outcomes.count("lost") >= 1 and set(outcomes) <= {"lost", "to-compute"}
    assert inspect(store(ran)).damaged == ()
    assert ran.gitmemo("run", "program.py").out == first
    # What was set aside is there still.
    assert len(list(store(ran).rglob(".damaged-*"))) == 2
    assert verify(ran, code=4)


def test_a_damaged_value_is_fetched_again(ran: Clone, tmp_path: Path) -> None:
    ran.write("program.py", PROGRAM)
    ran.gitmemo("run", "program.py")
    ran.gitmemo("remote", "add", "lab", str(tmp_path / "lab"))
    ran.gitmemo("push")
    every = lying(ran)
    for copy in every:
        flip(copy)
    repaired = verify(ran, "--repair")
    assert {row["outcome"] for row in repaired} == {"repaired"}
    assert len(repaired) == len(every)
    assert verify(ran) == []
    assert ran.run() == (5, 0)


def test_what_cannot_be_told_apart_from_a_value_is_not_overlooked(ran: Clone) -> None:
    """A damaged header: nobody can say which value it was, but one of this world is missing."""
    first = min((c for c in lying(ran) if c.offset is not None), key=lambda c: c.offset or 0)
    data = bytearray(first.path.read_bytes())
    data[20] ^= 1
    first.path.write_bytes(data)
    (problem,) = verify(ran, code=4)
    assert problem["ident"] == to_hex(first.blob)
    (marked,) = verify(ran, "--repair")
    assert marked["outcome"] == "to-compute"
    assert verify(ran) == []


def test_what_was_set_aside_and_is_computed_again_when_needed_is_as_good_as_evicted(
    ran: Clone, put: Any
) -> None:
    every = lying(ran)
    for copy in every:
        flip(copy)
    repaired = verify(ran, "--repair")
    assert {row["outcome"] for row in repaired} == {"to-compute"}
    assert verify(ran) == [] == verify(ran, "--repair")
    assert ran.run() == (5, 0)
    ran.gitmemo("remote", "add", "lab", "../lab")  # programs compute nothing again with a remote
    assert len(verify(ran, code=4)) == len(every)
    ran.gitmemo("remote", "remove", "lab")
    put(ran, 5)
    first = next(copy for copy in lying(ran) if copy.path not in {one.path for one in every})
    flip(first)
    assert len(verify(ran, code=4)) == 1, "new damage is found"


def test_damage_that_hurts_nobody_is_set_aside(ran: Clone, put: Any) -> None:
    (unnamed,) = put(ran, 9)
    (copy,) = [copy for copy in lying(ran) if to_hex(copy.blob) == unnamed]
    flip(copy)
    (problem,) = verify(ran, code=4)
    assert "no record names it" in problem["said"]
    assert [row["outcome"] for row in verify(ran, "--repair")] == ["repaired"]
    assert verify(ran) == []


def test_a_journal_that_was_set_aside_is_read_too(ran: Clone) -> None:
    ran.gitmemo("commit")
    (packed,) = (ran.root / ".git/gitmemo/journal/exported").rglob("*.gz")
    packed.write_bytes(packed.read_bytes()[:-20])
    (problem,) = verify(ran, code=4)
    assert packed.name in problem["said"]
    verify(ran, "--repair")
    assert verify(ran) == []
    assert packed.with_name(f"{packed.name}.damaged").exists()
    assert ran.run() == (5, 0)


@pytest.mark.parametrize(
    "damage",
    [
        "update shape set pattern = replace(pattern, 'pipeline', 'pipelin3')",
        "update shape set op = 'pipeline:other' where kind = 'call'",
        "update fact set mark = mark + 1 where micros is not null",
        "update fact set line = x'00ff' where micros is not null",
        "delete from fact where id = (select max(id) from fact)",
    ],
)
def test_an_index_that_says_something_else_than_the_records_is_made_again(
    ran: Clone, damage: str
) -> None:
    index = ran.root / ".git/gitmemo/index.db"
    with closing(sqlite3.connect(index)) as database:
        database.execute(damage)
        database.commit()
    (found,) = verify(ran, code=4)
    assert found["what"] == "index" and "delete it" in found["said"]
    (repaired,) = verify(ran, "--repair")
    assert repaired["outcome"] == "repaired"
    assert verify(ran) == []
    assert ran.run() == (5, 0)


def test_a_program_that_computes_meanwhile_is_no_damage(
    ran: Clone, monkeypatch: pytest.MonkeyPatch
) -> None:
    world = find(ran.root).world
    enter = world.enter

    def entered() -> bool:
        found = enter()
        ran.python("pipeline.py", "7")
        return found

    monkeypatch.setattr(world, "enter", entered)
    assert repeats_its_files(world)
