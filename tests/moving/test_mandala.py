"""`gitmemo import mandala`: databases that mandala wrote (`mandala/*.py`) become calls with histories."""

from __future__ import annotations

import json
import sqlite3
from pathlib import Path
from typing import Any

import pytest
from driver import Clone
from forked import forked

from gitmemo.moving import mandala_database
from gitmemo.moving.mandala_pickles import read_own

_DUMPS = Path(__file__).parent / "mandala"
PIPE = """
import numpy as np
import gitmemo as gm


@gm.op
def load(n):
    return np.arange(n), n + 1


@gm.op(output_names=["acc"])
def train(X, lr=0.1, batch=gm.Ignore(8)):
    return float(X.sum() * lr)


@gm.op
def many(n: int) -> gm.MList[int]:
    return [i for i in range(n)]


@gm.op
def total(xs: gm.MList[int]) -> int:
    return sum(xs)


@gm.op
def named(d: gm.MDict[str, int], *more) -> gm.MDict[str, int]:
    return {k: v + len(more) for k, v in d.items()}


@gm.op
def loose(*more, **kw):
    return len(more) + len(kw)
"""
RUN = """
import gitmemo as gm
from pipe import *

storage = gm.open()
with storage:
    X, m = load(5)
    train(X)
    train(X, lr=0.5)
    ms = many(4)
    total(ms)
    t = total([ms[0], ms[1], 7])
    d = named({"a": 1, "b": ms[3]}, 7, 8, 9)
    e = named(d)
    loose(z=1)
print(storage.counter)
print(storage.prov(t))
print(storage.unwrap(e))
"""
VERSIONED = """
import gitmemo as gm

K = 4


def helper(x):
    return x * K


@gm.op
def f(x):
    return helper(x) + 1
"""


def database(folder: Path, name: str) -> Path:
    path = folder / f"{name}.db"
    connection = sqlite3.connect(path)
    connection.executescript((_DUMPS / f"{name}.sql").read_text("utf-8"))
    connection.close()
    return path


@pytest.fixture
def plain(tmp_path: Path) -> Path:
    return database(tmp_path, "plain")


@pytest.fixture
def versioned(tmp_path: Path) -> Path:
    return database(tmp_path, "versioned")


def bring(clone: Clone, place: Path, *options: str) -> dict[str, dict[str, Any]]:
    done = forked(clone, "import", "mandala", str(place), "--json", *options)
    return {one["function"]: one for one in map(json.loads, done.out.splitlines())}


def execute(path: Path, statement: str, *values: object) -> None:
    connection = sqlite3.connect(path)
    connection.execute(statement, values)
    connection.commit()
    connection.close()


def test_calls_come_with_their_histories_and_items(clone: Clone, plain: Path) -> None:
    clone.write("pipe.py", PIPE)
    found = bring(clone, plain, "--yes", "--trust-code")
    brought = {name: one["brought"] for name, one in found.items()}
    assert brought == {"load": 1, "loose": 1, "many": 1, "named": 2, "total": 2, "train": 2}
    assert {name: one["refused"] for name, one in found.items() if one["refused"]} == {
        "loose": {"whether 'more_0' came in *more or as a keyword is not recorded": 1}
    }
    before = clone.records()
    clone.write("go.py", RUN)
    out = clone.python("go.py").out
    assert "Counter(reused=9, computed=0)" in out
    assert "total_1 = total(xs=[many_1[0], many_1[1], 7])" in out
    assert "{'a': 4, 'b': 6}" in out
    assert clone.records() == before, "a link was recorded: some history was not the same"
    assert bring(clone, plain, "--yes", "--trust-code")["train"]["known"] == 2
    assert sorted(plain.parent.glob("plain.db*")) == [plain]


def test_code_that_was_not_kept_has_to_be_vouched_for(clone: Clone, plain: Path) -> None:
    clone.write("pipe.py", PIPE)
    found = bring(clone, plain, "--yes")
    for one in found.values():
        (reason,) = one["refused"]
        assert reason.startswith("mandala did not keep the code (the storage had no deps_path)")
    assert clone.records() == 0


def test_versions_of_functions_and_variables_are_compared(clone: Clone, versioned: Path) -> None:
    for old, new, said in (
        ("+ 1", "+ 2", "the code is not that of the op now"),
        ("x * K", "x + K", "pipe.py:helper is not what it was"),
        ("K = 4", "K = 5", "pipe.py:$K is not what it was"),
        ("helper(x) + 1", "helper(x) + 1  # one more", ""),
    ):
        clone.write("pipe.py", VERSIONED.replace(old, new))
        (found,) = bring(clone, versioned, "--yes").values()
        assert [r.startswith(said) for r in found["refused"]] == ([True] if said else [])
    assert found["brought"] == 1
    program = "from pipe import f, gm\nwith gm.open() as s:\n    print(s.unwrap(f(3)), s.counter)\n"
    clone.write("go.py", program)
    assert clone.python("go.py").out == "13 Counter(reused=1, computed=0)\n"
    clone.write("pipe.py", VERSIONED.replace("K = 4", "K = 5"))
    assert clone.python("go.py").out == "16 Counter(reused=0, computed=1)\n"


def test_nothing_is_unpickled_before_somebody_says_so(clone: Clone, versioned: Path) -> None:
    clone.write("pipe.py", VERSIONED)
    assert "say --yes" in forked(clone, "import", "mandala", str(versioned), code=2).err
    bomb = b"cbuiltins\nexec\n(S'raise SystemExit'\ntR."
    for name in ("atoms", "shapes", "ops", "sources"):
        execute(versioned, f"update {name} set value = ?", bomb)
    (found,) = bring(clone, versioned, "--dry-run").values()
    assert (found["op"], found["unread"], found["refused"]) == ("pipe:f", 1, {})
    (found,) = bring(clone, versioned, "--yes", "--trust-code").values()
    assert [
        reason.startswith("a ref cannot be read: SystemExit") for reason in found["refused"]
    ] == [True]


def test_an_op_is_found_by_its_name_or_as_the_user_says(clone: Clone, versioned: Path) -> None:
    (found,) = bring(clone, versioned, "--yes").values()
    assert found["refused"] == {"no op of the project has its name: say which with --map": 1}
    clone.write("pipe.py", VERSIONED)
    clone.write("lib/two.py", VERSIONED)
    clone.write("broken.py", "@op\ndef f(:")
    (found,) = bring(clone, versioned, "--yes").values()
    assert "several ops have its name (pipe.py:f, lib/two.py:f)" in next(iter(found["refused"]))
    (found,) = bring(clone, versioned, "--yes", "--map", "f=pipe.py:f").values()
    assert (found["op"], found["brought"]) == ("pipe:f", 1)


def test_signatures_and_names_of_outputs_must_fit(clone: Clone, plain: Path) -> None:
    changed = PIPE.replace('["acc"]', '["accuracy"]').replace("load(n)", "load(count)")
    clone.write("pipe.py", changed.replace(", *more)", ")"))
    found = bring(clone, plain, "--yes", "--trust-code")
    assert found["train"]["refused"] == {"its outputs were named acc; those of the op are not": 2}
    assert found["load"]["refused"] == {
        "argument 'count' is not recorded; the op does not ignore it": 1
    }
    assert found["named"]["refused"] == {"the op takes no argument 'more_0', which is recorded": 1}


def test_a_dry_run_that_may_read_says_what_the_run_says(clone: Clone, plain: Path) -> None:
    three = PIPE.replace("@gm.op\ndef load", "@gm.op(output_names=['a', 'b', 'c'])\ndef load")
    clone.write("pipe.py", three)
    said = bring(clone, plain, "--dry-run", "--yes", "--trust-code")
    assert clone.records() == 0
    assert said == bring(clone, plain, "--yes", "--trust-code")
    assert (said["load"]["brought"], sum(said["load"]["refused"].values())) == (0, 1)
    assert said["named"]["brought"] == 2


def test_a_shape_is_read_once(plain: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    read: list[bytes] = []
    monkeypatch.setattr(
        mandala_database, "read_own", lambda data: read.append(data) or read_own(data)
    )
    found = mandala_database.OldDatabase(plain)
    refs = {ref for call in found.calls for ref in (*call.inputs.values(), *call.outputs.values())}
    items = {ref: found.items(ref) for ref in refs}
    assert {type(held) for held in items.values()} == {list, dict, type(None)}
    before = len(read)
    assert items == {ref: found.items(ref) for ref in refs}
    assert len(read) == before > 0
    found.close()


def test_a_list_that_holds_itself_is_refused(clone: Clone, plain: Path) -> None:
    clone.write("pipe.py", PIPE)
    connection = sqlite3.connect(plain)
    ((hid, cid),) = connection.execute(
        "select ref_history_id, ref_content_id from calls where op = 'many' and direction = 'out'"
    ).fetchall()
    shape = (
        b"ccopyreg\n__newobj__\n(cmandala.model\nListRef\ntRp0\n"
        b"(Vcid\nV" + cid.encode() + b"\nVhid\nV" + hid.encode() + b"\nVobj\n(g0\nldb."
    )
    connection.close()
    execute(plain, "update shapes set value = ? where key = ?", shape, hid)
    found = bring(clone, plain, "--yes", "--trust-code")
    assert found["many"]["refused"] == {"a collection is nested too deeply, or holds itself": 1}
    assert found["train"]["brought"] == 2


def test_damage_is_counted(clone: Clone, plain: Path, tmp_path: Path) -> None:
    clone.write("pipe.py", PIPE)
    execute(plain, "delete from atoms where length(value) > 100")
    found = bring(clone, plain, "--yes", "--trust-code")
    reason = "the bytes of a value are not there (--overflow names its folder)"
    assert found["load"]["refused"] == {reason: 1}
    assert found["train"]["refused"] == {reason: 2}
    assert found["total"]["brought"] == 2
    execute(plain, "update shapes set value = x'00'")
    assert not any(one["brought"] for one in bring(clone, plain, "-y", "--trust-code").values())
    no_database = tmp_path / "text.db"
    no_database.write_text("x" * 5000)
    other = tmp_path / "other.db"
    execute(other, "create table calls (a)")
    for place in (no_database, other, tmp_path / "none.db"):
        done = forked(clone, "import", "mandala", str(place), "--json", code=2)
        assert json.loads(done.err)["error"]["kind"] == "not-an-old-store"
