"""Results of older code in tables and frames: said to be there, shown when asked for, told apart."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from driver import Clone, make_clone

PROGRAM = """
import sys
import gitmemo as gm

@gm.op(output_names=["model"])
def fit(lr):
    return [lr * 2]

@gm.op(output_names=["acc"])
def judge(model):
    return model[0] + 1

@gm.op(output_names=["z"])
def other(a):
    return a

storage = gm.open()

if __name__ == "__main__":
    with storage:
        for lr in map(int, sys.argv[1:]):
            judge(fit(lr))
"""
EMPTY = """
import warnings
from exp import storage, judge, other

for subjects in ((judge,), ("judge",), ([judge],), ()):
    frame = storage.cf(*subjects)
    assert len(frame) == 0, frame
    assert " calls of older code" in repr(frame) and "stale=True" in repr(frame), repr(frame)
    assert "gitmemo decide" in frame._repr_html_()
assert repr(storage.cf(other)) == "ComputationFrame(0 calls of nothing)"
with warnings.catch_warnings(record=True) as said:
    warnings.simplefilter("always")
    assert len(storage.table(judge, columns=["acc"], where="acc > 1")) == 0
assert "2 calls of older code" in str(said[0].message) and said[0].filename == __file__, said
with warnings.catch_warnings():
    warnings.simplefilter("error")
    assert len(storage.table(other)) == 0
assert sorted(storage.table(judge, stale=True)["acc"]) == [3, 5]
"""
MIXED = """
from gitmemo.errors import WrongQuestion
from exp import storage, fit, judge

now = storage.table(judge)
assert list(now.columns) == ["lr", "model", "acc"], list(now.columns)
table = storage.table(judge, stale=True)
assert list(table.columns) == ["lr", "model", "acc", "version", "state"]
told = sorted(zip(table["lr"], table["acc"], table["state"]))
assert told == [(1, 3, "on older results"), (1, 4, "current"), (2, 5, "on older results"),
                (2, 7, "current")], told
fits = storage.cf(fit, stale=True)
shown = fits.df()
assert sorted(shown["state"]) == ["current", "current", "older code", "older code"]
old = shown[shown["state"] == "older code"]["version"].unique()
assert len(old) == 1 and len(old[0]) == 12, old
back = storage.cf(judge, stale=True).expand_back()
from_old = back.where(version=old[0], op="fit").df()
assert sorted(from_old["acc"]) == [3, 5], from_old
assert list(from_old["state"]) == ["on older results"] * 2
assert sorted(fits.where(version=old[0]).df()["lr"]) == [1, 2]
assert list(storage.cf(judge).df().columns) == ["model", "acc"]
assert (storage.cf(fit, stale=True) - storage.cf(fit)).df()["state"].tolist() == ["older code"] * 2
assert len(back.df("lr", "acc")) == 4 and "state" in back.df("lr", "acc")
assert back.to_arrow("acc").column_names == ["acc", "version", "state"]
assert storage.get_table(fit, stale=True, meta=True)["call.state"].tolist().count("older code") == 2
assert len(storage.get_table(fit)) == 2
try:
    fits.delete_calls()
except WrongQuestion as error:
    assert "2 calls of the frame are of older code" in str(error)
else:
    raise AssertionError
only_new = fits[fits["model"].map(lambda model: model[0] % 3 == 0)]
assert len(only_new.delete_calls().calls) == 2
"""
FORGET = """
from exp import storage, judge

cf = storage.cf(judge)
cf[cf["acc"] == 2].delete_calls().carry_out()
assert storage.table(judge)["acc"].tolist() == [1]
"""


@pytest.fixture(scope="module")
def edited(tmp_path_factory: pytest.TempPathFactory) -> Clone:
    folder = tmp_path_factory.mktemp("older")
    clone = make_clone(folder / "project", folder / "home")
    clone.gitmemo("init")
    clone.write("exp.py", PROGRAM)
    clone.python("exp.py", "1", "2")
    clone.git("add", "-A")
    clone.git("commit", "-qm", "results")
    clone.change("lr * 2", "lr * 3", "exp.py")
    clone.write("empty.py", EMPTY)
    clone.python("empty.py")
    clone.python("exp.py", "1", "2")
    return clone


def test_tables_show_results_of_older_code_when_asked_and_tell_them_apart(edited: Clone) -> None:
    edited.write("mixed.py", MIXED)
    edited.python("mixed.py")
    said = edited.gitmemo("df", "judge", "--back", "--all", "--json").out.splitlines()
    rows = [json.loads(line) for line in said]
    assert [row["state"] for row in rows] == ["on older results"] * 2 + ["current"] * 2
    header, *lines = edited.gitmemo("df", "fit", "--all").out.splitlines()
    assert header.split() == ["lr", "model", "version", "state"]
    assert lines[0].endswith("older code")
    assert edited.gitmemo("df", "fit", "--all", "--csv").out.count(",older code\n") == 2
    assert "state" not in edited.gitmemo("df", "fit").out


def test_what_is_said_to_be_left_out_is_what_all_shows(tmp_path: Path) -> None:
    clone = make_clone(tmp_path / "project", tmp_path / "home")
    clone.gitmemo("init")
    clone.write("exp.py", PROGRAM.replace("lr * 2", "lr % 2"))
    clone.python("exp.py", "1", "2")
    clone.change("lr % 2", "(lr + 0) % 2", "exp.py")
    clone.python("exp.py", "1", "2")  # the models are the same, so judge does not run again
    clone.write("forget.py", FORGET)
    clone.python("forget.py")
    said = clone.gitmemo("df", "judge").err
    rows = [
        json.loads(line)
        for line in clone.gitmemo("df", "judge", "--all", "--json").out.splitlines()
    ]
    assert ("1 call on results of older code" in said) == any(row["acc"] == 2 for row in rows)
