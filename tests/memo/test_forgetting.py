"""Forgetting calls and computing them again, through ops and storages."""

from __future__ import annotations

import os
import subprocess
import sys
import types
import warnings
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

import gitmemo as gm
from gitmemo.errors import NoActiveStorage, UnknownTombstone
from gitmemo.memo.calls import NotDeterministic

RUNS: list[Any] = []


@pytest.fixture(autouse=True)
def no_runs() -> None:
    RUNS.clear()


@gm.op
def inc(x, step=1):
    RUNS.append(x)
    return x + step


@gm.op
def draw(x):
    RUNS.append(x)
    return x + len(RUNS)


def test_is_cached_changes_nothing(storage: gm.Storage) -> None:
    with storage:
        assert not inc.is_cached(1)
        assert not inc.is_cached(1)
        ref = inc(1)
        before = (storage.counter.reused, storage.counter.computed)
        assert inc.is_cached(1)
        assert inc.is_cached(x=1, step=1)
        assert not inc.is_cached(2)
        inc(ref)
        assert inc.is_cached(2), "equal contents are a hit whatever their history"
        assert before == (0, 1)
    assert RUNS == [1, 2]
    assert (storage.counter.reused, storage.counter.computed) == (0, 2)
    assert len(storage.cf(inc)) == 2


def test_a_forgotten_call_is_made_again_and_lives(storage: gm.Storage) -> None:
    for _ in range(3):
        RUNS.clear()
        with storage:
            first = inc(1)
            assert inc.forget(1) == 1
            assert not inc.is_cached(1)
            assert len(storage.cf()) == 0
            assert storage.get_ref_creator(first) is None
            assert storage.unwrap(first) == 2, "values stay"
            again = inc(1)
            assert inc(1).hid == again.hid == first.hid
            assert inc.forget(1) == 1
            assert inc.forget(1) == 0
        assert RUNS == [1, 1]


def test_only_what_was_named_is_forgotten(storage: gm.Storage) -> None:
    with storage:
        for x in range(4):
            inc(x)
        assert inc.forget(2) == 1
        assert sorted(storage.cf(inc).df()["x"]) == [0, 1, 3]
        for x in range(4):
            inc(x)
    assert RUNS == [0, 1, 2, 3, 2]


def test_equal_lines_are_told_apart(storage: gm.Storage, monkeypatch: pytest.MonkeyPatch) -> None:
    import time

    monkeypatch.setattr(time, "time", lambda: 1.0)
    monkeypatch.setattr(time, "perf_counter", lambda: 1.0)
    with storage:
        for _ in range(4):
            inc(1)
            assert inc.is_cached(1)
            assert inc.forget(1) == 1
        inc(1)
    assert RUNS == [1] * 5
    with storage:
        inc(1)
    assert RUNS == [1] * 5


def test_links_go_with_what_they_repeat(storage: gm.Storage) -> None:
    with storage:
        two = inc(1)
        raw, linked = inc(2), inc(two)
        assert raw.hid != linked.hid
        assert len(storage.cf(inc)) == 3
        assert inc.forget(2) == 2
        assert not inc.is_cached(two)
        inc(two)
        assert inc.is_cached(2)
        inc(2)
        inc(2)
        assert len(storage.cf(inc)) == 3
    assert RUNS == [1, 2, 2]


def test_a_link_alone_can_be_forgotten_and_made_again(storage: gm.Storage) -> None:
    with storage:
        two = inc(1)
        inc(2)
        linked = inc(two)
        call = storage.world.creator(linked._hid)
        assert call is not None and call.is_link
        storage.world.forget([call])
    with storage:
        assert inc(two).hid == linked.hid
    with storage:
        inc(two)
    assert len(storage.cf(inc)) == 3
    assert RUNS == [1, 2]


def test_an_undo_brings_the_call_back(storage: gm.Storage) -> None:
    with storage:
        call = storage.world.creator(inc(1)._hid)
        assert call is not None
        grave = storage.world.forget([call], "a typo")
    with storage:
        assert not inc.is_cached(1)
    storage.world.restore(grave)
    with storage:
        assert inc.is_cached(1)
        inc(1)
        assert inc.forget(1) == 1, "what was brought back can be forgotten again"
    with storage:
        assert not inc.is_cached(1)
    with pytest.raises(UnknownTombstone, match="lists what is forgotten"):
        storage.world.restore(grave)
    assert RUNS == [1]


def test_recompute_replaces(storage: gm.Storage) -> None:
    with storage, warnings.catch_warnings():
        warnings.simplefilter("error")
        new = inc.recompute(1)
        assert storage.unwrap(new) == 2
        old = inc(1)
        again = inc.recompute(1)
        assert again.hid == old.hid
        assert RUNS == [1, 1]
        assert len(storage.cf(inc)) == 1
        inc(1)
    assert RUNS == [1, 1]


def test_recompute_says_when_the_result_differs(storage: gm.Storage) -> None:
    with storage:
        assert storage.unwrap(draw(10)) == 11
        with pytest.warns(NotDeterministic, match="draw was computed again") as caught:
            assert storage.unwrap(draw.recompute(10)) == 12
        assert caught[0].filename == __file__
        assert storage.unwrap(draw(10)) == 12, "the new result counts, whichever is smaller"
    assert list(storage.cf(draw).df()["draw"]) == [12]
    with storage:
        assert storage.unwrap(draw(10)) == 12


def test_a_recomputation_that_fails_changes_nothing(storage: gm.Storage) -> None:
    fail = False

    @gm.op(name="may fail")
    def may_fail(x):
        if RUNS:
            raise ValueError(x)
        return x

    assert not fail
    with storage:
        may_fail(1)
        RUNS.append(1)
        with pytest.raises(ValueError, match="1"):
            may_fail.recompute(1)
        assert storage.unwrap(may_fail(1)) == 1
    assert len(storage.cf("may fail")) == 1


def test_old_and_new_are_one_write(storage: gm.Storage, monkeypatch: pytest.MonkeyPatch) -> None:
    """Whatever write a kill comes before, there is one valid call, the old or the new one."""
    with storage:
        inc(1)
        record = storage.world.record
        seen = []

        def watched(facts: Any) -> None:
            seen.append([type(fact).__name__ for fact in facts])
            record(facts)

        monkeypatch.setattr(storage.world, "record", watched)
        inc.recompute(1)
    assert [kinds for kinds in seen if {"Tombstone", "Call"} & {*kinds}] == [["Tombstone", "Call"]]


def test_a_table_of_one_op(storage: gm.Storage) -> None:
    with storage:
        inc(1)
        inc(2, step=3)
        frame = inc.table()
    assert sorted(zip(frame["x"], frame["step"], frame["inc"], strict=True)) == [
        (1, 1, 2),
        (2, 3, 5),
    ]


@pytest.mark.parametrize("action", ["is_cached", "recompute", "forget"])
def test_outside_a_block_there_is_nothing_to_ask(action: str) -> None:
    with pytest.raises(NoActiveStorage, match=r"about inc\n.*with storage:"):
        getattr(inc, action)(1)
    with pytest.raises(NoActiveStorage, match="inc"):
        inc.table()


def test_inside_another_op(storage: gm.Storage) -> None:
    @gm.op(name="outer")
    def outer(x):
        return inc.recompute(x) * 10

    with storage:
        inc(1)
        assert storage.unwrap(outer(1)) == 20
        assert inc.forget(1) == 1
    assert RUNS == [1, 1]


def test_calls_that_were_just_made_can_be_forgotten(tmp_path: Path) -> None:
    """Nothing of the block is lost or blocked because of it."""
    storage = gm.Storage(db_path=tmp_path / "s.db")
    with storage:
        inc(1)
        inc.forget(1)
        inc(2)
    with storage:
        inc(3)
    storage.close()
    again = gm.Storage(db_path=tmp_path / "s.db")
    assert sorted(again.cf(inc).df()["x"]) == [2, 3]


def test_another_storage_notices_at_its_next_block(tmp_path: Path) -> None:
    one, two = (gm.Storage(db_path=tmp_path / "s.db") for _ in range(2))
    with one:
        inc(1)
    with two:
        inc(1)
        inc(1)
    with one:
        inc.forget(1)
    with two:
        assert not inc.is_cached(1)
        inc(1)
    assert RUNS == [1, 1]


VERSIONED = """\
import gitmemo as gm

FACTOR = 2


@gm.op
def scaled(x):
    return x * FACTOR
"""


@pytest.fixture
def module(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[types.ModuleType]:
    """A module of a project of its own."""
    name = f"forgetting_{tmp_path.name}"
    (tmp_path / f"{name}.py").write_text(VERSIONED)
    monkeypatch.syspath_prepend(str(tmp_path))
    yield __import__(name)
    del sys.modules[name]


def test_delete_then_recompute_works_under_versions(
    tmp_path: Path, module: types.ModuleType
) -> None:
    """The other tool could never compute a deleted call again (its call was "not distinguishable")."""
    storage = gm.Storage(deps_path=tmp_path)
    with storage:
        module.scaled(1)
        assert module.scaled.forget(1) == 1
        assert storage.unwrap(module.scaled(1)) == 2
        module.FACTOR = 3
        assert not module.scaled.is_cached(1)
        assert storage.unwrap(module.scaled(1)) == 3
        assert module.scaled.forget(1) == 1, "only what is valid for the code as it is"
        module.FACTOR = 2
        assert module.scaled.is_cached(1)
        module.FACTOR = 3
        assert not module.scaled.is_cached(1)
        module.scaled(1)
    assert storage.counter.computed == 4


KILLED = """\
import os, sys
import gitmemo as gm

storage = gm.Storage(db_path=sys.argv[1])


@gm.op(name="work")
def work(x):
    if len(sys.argv) > 2:
        os.kill(os.getpid(), 9)
    return x


with storage:
    work.recompute(1) if len(sys.argv) > 2 else work(1)
    print(work.is_cached(1), storage.counter.computed)
"""


def test_a_kill_while_computing_again_loses_nothing(tmp_path: Path) -> None:
    def run(*arguments: str) -> tuple[int, str]:
        command = [sys.executable, "-c", KILLED, str(tmp_path / "s.db"), *arguments]
        done = subprocess.run(command, capture_output=True, text=True, env={**os.environ})
        return done.returncode, done.stdout

    assert run() == (0, "True 1\n")
    assert run("kill")[0] == -9
    assert run() == (0, "True 0\n")


def test_what_is_read_ahead_is_not_what_was_forgotten(tmp_path: Path) -> None:
    with gm.Storage(db_path=tmp_path / "s.db") as storage:
        for x in range(60):
            inc(x)
        assert inc.forget(40) == 1
    storage.close()
    with gm.Storage(db_path=tmp_path / "s.db") as storage:
        for x in range(60):
            inc(x)
        assert inc.forget(59) == 1
        inc(59)
    assert [*range(60), 40, 59] == RUNS
