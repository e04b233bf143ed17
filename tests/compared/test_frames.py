"""mandala's computation frames: what they promise, and the defects that were found in them."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

import gitmemo as gm
from gitmemo.errors import NameTaken, UnknownOp


@gm.op
def load(seed):
    return seed


@gm.op
def add(p, q):
    return p + q


@gm.op
def inc(x):
    return x + 1


@gm.op
def train(model, steps, epochs):
    return model + steps + epochs


def test_rows_are_not_lost_where_raw_values_are_equal() -> None:
    storage = gm.Storage()
    with storage:
        a = load(1)
        for i in range(3):
            add(a, i)
    table = storage.cf(load).expand_all().df()
    assert len(table) == 3
    assert sorted(table["q"]) == [0, 1, 2]
    assert set(table["seed"]) == {1}


def test_roles_do_not_mix() -> None:
    storage = gm.Storage()
    with storage:
        a = load(1)
        add(a, a)
        add(a, load(2))
        train(load(1), 1, 2)
    sums = storage.cf(add).expand_back().df("p", "q", "add")
    assert sorted(map(tuple, sums.to_numpy().tolist())) == [(1, 1, 2), (1, 2, 3)]
    (row,) = storage.cf(train).expand_back().df("model", "steps", "epochs").to_numpy().tolist()
    assert row == [1, 1, 2]


def test_other_arguments_are_there_when_a_frame_grows_forward() -> None:
    storage = gm.Storage()
    with storage:
        train(load(1), 10, 20)
    table = storage.cf(load).expand_forward().df()
    assert table[["steps", "epochs"]].to_numpy().tolist() == [[10, 20]]


def test_an_op_that_feeds_itself_is_followed_to_its_start() -> None:
    storage = gm.Storage()
    with storage:
        x = 0
        for _ in range(30):
            x = inc(x)
    last = storage.cf(x).expand_back()
    assert len(last) == 30
    assert len(last.expand_back()) == len(last.expand_all()) == 30
    assert len(last.df()) == 1


def test_missing_values_never_meet() -> None:
    storage = gm.Storage()

    @gm.op
    def fa(i):
        return i * 10

    @gm.op
    def fz(a):
        return a + 1

    with storage:
        fz(fa(1))
        inc(load(1))
        fz(50)
        fz(51)
        inc(60)
        inc(61)
    table = storage.cf().df()
    assert len(table) == 6
    assert not (table["fz"].notna() & table["inc"].notna()).any()


def test_empty_frames_are_no_errors() -> None:
    storage = gm.Storage()
    with storage:
        load(1)
        cf = storage.cf(load)
        assert len(cf) == 1, "also inside a block"
    for empty in (cf - cf, cf[cf["seed"] > 5], cf.isin([9], "seed")):
        assert empty.df().empty
        assert "nothing" in repr(empty)
    with pytest.raises(UnknownOp, match="did you mean"):
        storage.cf("laod")


def test_a_name_is_never_taken_from_another_variable() -> None:
    storage = gm.Storage()
    with storage:
        train(load(1), 2, 3)
    cf = storage.cf(train).expand_back()
    with pytest.raises(NameTaken):
        cf.rename(steps="epochs")
    assert len(cf.rename(steps="epochs", epochs="steps").vnames) == len(cf.vnames)


def test_leaving_out_the_middle_adds_no_rows() -> None:
    storage = gm.Storage()
    with storage:
        for i in range(6):
            inc(add(load(i), 1))
    cf = storage.cf(inc).expand_back()
    assert len(cf.df()) == 6
    few = cf[["seed", "inc"]].df()
    assert sorted(map(tuple, few.to_numpy().tolist())) == [(i, i + 2) for i in range(6)]
    assert len(cf.drop("q").df()) == 6


def test_conditions_are_about_one_variable() -> None:
    storage = gm.Storage()
    with storage:
        for i in range(4):
            add(load(i), 10 - i)
    cf = storage.cf(add).expand_back()
    assert cf[cf["seed"] < 2].df()["q"].tolist() == [10, 9]


def test_tables_do_not_depend_on_the_hash_seed(tmp_path: Path) -> None:
    script = tmp_path / "program.py"
    script.write_text(
        "import sys, gitmemo as gm\n"
        "@gm.op\ndef f(x): return x * 2\n"
        "@gm.op\ndef g(a, b): return a + b\n"
        "@gm.op\ndef h(items): return sum(items)\n"
        "s = gm.Storage(sys.argv[1])\n"
        "with s:\n"
        "    made = [f(i) for i in range(4)]\n"
        "    h([g(a, 1) for a in made]); g(made[0], made[1])\n"
        "cf = s.cf().expand_all()\n"
        "print(cf.df().to_csv(), cf.info(), cf.draw().svg, cf.draw().dot)\n"
    )
    said = {
        subprocess.run(
            [sys.executable, script, tmp_path / "calls.db"],
            env=os.environ | {"PYTHONHASHSEED": str(seed)},
            capture_output=True,
            text=True,
            check=True,
        ).stdout
        for seed in (1, 2, 3)
    }
    assert len(said) == 1


def test_a_picture_needs_no_other_program(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PATH", str(tmp_path))
    storage = gm.Storage()
    with storage:
        train(load(1), 2, 3)
    cf = storage.cf(train).expand_all()
    cf.draw(tmp_path / "frame.svg", verbose=True)
    assert "train" in (tmp_path / "frame.svg").read_text("utf-8")
    assert cf._repr_svg_().startswith("<svg")
    assert "flowchart" in cf.draw().mermaid
    assert "train = train(" in cf.graph_text()


def test_keys_are_completed() -> None:
    storage = gm.Storage()
    with storage:
        train(load(1), 2, 3)
    cf = storage.cf(train)
    assert "epochs" in cf._ipython_key_completions_()
    assert "epochs" in cf
    assert list(cf) == cf.nodes
