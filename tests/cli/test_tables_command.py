"""`gitmemo df` and `gitmemo calls`: choosing rows and columns, and other formats."""

from __future__ import annotations

import csv
import json
from pathlib import Path

import pytest
from driver import Clone, make_clone

import gitmemo as gm
from gitmemo.cli.questions import write_parquet

PROGRAM = """
import gitmemo as gm

@gm.op
def load(n):
    return list(range(n))

@gm.op(output_names=["model"])
def train(data, lr):
    return {"w": len(data) * lr}

@gm.op(output_names=["acc"])
def judge(model, data):
    return model["w"] / 10

if __name__ == "__main__":
    with gm.open():
        for n in (2, 3):
            data = load(n)
            for lr in (0.5, 1, 2):
                judge(train(data, lr), data)
"""


@pytest.fixture(scope="module")
def project(tmp_path_factory: pytest.TempPathFactory) -> Clone:
    folder = tmp_path_factory.mktemp("tables")
    clone = make_clone(folder / "project", folder / "home")
    clone.gitmemo("init")
    clone.write("exp.py", PROGRAM)
    clone.gitmemo("run", "exp.py")
    return clone


def rows(project: Clone, *arguments: str) -> list[dict[str, object]]:
    said = project.gitmemo("df", *arguments, "--json").out
    return [json.loads(line) for line in said.splitlines()]


def test_rows_that_meet_a_condition(project: Clone) -> None:
    found = rows(project, "judge", "--back", "--where", "acc > 0.15 and n == 2")
    assert [(row["n"], row["lr"], row["acc"]) for row in found] == [(2, 1, 0.2), (2, 2, 0.4)]
    wrong = project.gitmemo("df", "judge", "--where", "acx > 1", code=2)
    assert "did you mean 'acc'?" in wrong.err
    wrong = project.gitmemo("df", "judge", "--where", "import os", code=2)
    assert "is no condition" in wrong.err


def test_columns_order_and_number_of_rows(project: Clone) -> None:
    asked = ("judge", "--back", "--columns", "lr,acc", "--sort", "-acc", "--limit", "2")
    said = project.gitmemo("df", *asked)
    assert said.out.splitlines() == ["lr  acc", " 2  0.6", " 2  0.4"]
    assert "2 of 6 rows shown" in said.err


def test_other_formats(project: Clone, tmp_path: Path) -> None:
    pd = pytest.importorskip("pandas")
    asked = ("judge", "--back", "--columns", "n,lr,model,acc")
    lines = project.gitmemo("df", *asked, "--csv").out.splitlines()
    (first, *_) = csv.DictReader(lines)
    assert first == {"n": "2", "lr": "0.5", "model": '{"w": 1.0}', "acc": "0.1"}
    pytest.importorskip("pyarrow")
    project.gitmemo("df", *asked, "--parquet", str(tmp_path / "table.parquet"))
    frame = pd.read_parquet(tmp_path / "table.parquet")
    assert frame["lr"].tolist() == [0.5, 1, 2, 0.5, 1, 2]
    assert frame["model"][0] == '{"w": 1.0}'
    project.gitmemo("df", "judge", "--csv", "--json", code=2)
    (tmp_path / "folder").mkdir()
    for place in ("nowhere/x.parquet", "folder"):
        refused = project.gitmemo("df", *asked, "--parquet", str(tmp_path / place), code=2)
        assert "Traceback" not in refused.err
    assert "there is no folder" in project.gitmemo("df", *asked, "--parquet", "no/x", code=2).err
    assert [path.name for path in tmp_path.iterdir()].count("table.parquet") == 1
    assert not list((tmp_path / "folder").iterdir())


def test_numbers_of_more_than_64_bits_are_text_in_parquet(tmp_path: Path) -> None:
    pd = pytest.importorskip("pandas")
    pytest.importorskip("pyarrow")
    storage = gm.Storage()

    @gm.op(output_names=["power"])
    def double(by):
        return 2**by

    with storage:
        for by in (1, 64):
            double(by)
    write_parquet(storage.cf(double).table(), str(tmp_path / "t.parquet"), None)
    frame = pd.read_parquet(tmp_path / "t.parquet")
    assert sorted(frame["power"]) == ["18446744073709551616", "2"]
    assert sorted(frame["by"]) == [1, 64]


def test_calls_are_listed_with_ids_that_lead_somewhere(project: Clone) -> None:
    found = [json.loads(line) for line in project.gitmemo("calls", "--json").out.splitlines()]
    assert len(found) == 14
    assert {call["state"] for call in found} == {"pending"}
    assert [call["start"] for call in found] == sorted((c["start"] for c in found), reverse=True)
    shown = project.gitmemo("calls", "judge", "--limit", "1")
    ident = shown.out.splitlines()[1].split()[0]
    assert "judge" in project.gitmemo("show", ident).out
    assert "1 of 6 calls shown" in shown.err


def test_the_graph_of_ops(project: Clone, tmp_path: Path) -> None:
    text = project.gitmemo("graph", "train").out
    assert "model = train(data=data, lr=lr)" in text
    assert "acc = judge(model=model, data=data)" in text
    assert "# train: version " in project.gitmemo("graph", "train", "--verbose").out
    for name, start in {"g.svg": "<svg", "g.html": "<!DOCTYPE html>", "g.mmd": "flowchart"}.items():
        project.gitmemo("graph", "-o", str(tmp_path / name), "--verbose", "--lr")
        assert (tmp_path / name).read_text("utf-8").lower().startswith(start.lower())
    assert "pending" in (tmp_path / "g.svg").read_text("utf-8")
    refused = project.gitmemo("graph", "-o", str(tmp_path / "nowhere" / "g.svg"), code=None)
    assert refused.code
    assert "no folder" in refused.err


def test_conditions_that_nothing_meets_leave_the_columns(project: Clone) -> None:
    asked = ("judge", "--back", "--where", "acc > 99", "--columns", "lr,acc")
    assert project.gitmemo("df", *asked, "--csv").out == "lr,acc\n"
    assert project.gitmemo("df", *asked, "--sort", "-acc").out.split() == ["lr", "acc"]
    assert project.gitmemo("df", *asked, "--json").out == ""


def test_calls_of_older_code_are_mentioned_where_they_are_left_out(tmp_path: Path) -> None:
    clone = make_clone(tmp_path / "project", tmp_path / "home")
    clone.gitmemo("init")
    clone.write("exp.py", PROGRAM)
    clone.gitmemo("run", "exp.py")
    clone.git("add", "-A")
    clone.git("commit", "-qm", "results")
    assert clone.gitmemo("calls", "--pending").out.count("\n") <= 1
    clone.change("/ 10", "/ 20", "exp.py")
    for asked in (("df", "judge", "--columns", "acc"), ("df", "judge"), ("graph", "judge")):
        said = clone.gitmemo(*asked)
        assert said.out == ""
        assert (
            "6 calls of older code not shown (--all); if they still count: gitmemo decide"
            in said.err
        )
    clone.gitmemo("decide", "--breaking")
    for asked in (("df", "judge"), ("graph", "judge")):
        said = clone.gitmemo(*asked)
        assert "6 calls of older code not shown (--all)\n" in said.err, "it is decided"
    program = "import gitmemo as gm; print(gm.open().cf('exp:judge'))"
    assert "`stale=True` shows them" in (told := clone.python("-c", program).out)
    assert "decide" not in told
    clone.gitmemo("decide", "judge", "--withdraw")
    assert "`storage.decide(…)`" in clone.python("-c", program).out
    clone.gitmemo("run", "exp.py")
    waiting = clone.gitmemo("calls", "--pending", "--json").out.splitlines()
    assert {json.loads(line)["op"] for line in waiting} == {"exp:judge"}
    assert len(waiting) == 6


def test_without_an_op_the_only_one_is_shown_and_of_several_the_names(
    project: Clone, tmp_path: Path
) -> None:
    refused = project.gitmemo("df", code=2)
    assert "exp:judge, exp:load, exp:train" in refused.err
    alone = make_clone(tmp_path / "alone", tmp_path)
    alone.gitmemo("init")
    assert "no op has calls here yet" in alone.gitmemo("df", code=2).err
    alone.write("one.py", OLDER)
    alone.gitmemo("run", "one.py")
    assert rows(alone) == [{"x": 1, "m": 1}]


OLDER = """\
import gitmemo as gm

@gm.op
def f(x):
    return x

if __name__ == "__main__":
    with gm.open():
        m = f(1)
"""


def test_what_is_misspelt_is_wrong_also_where_no_row_is(tmp_path: Path) -> None:
    clone = make_clone(tmp_path / "p", tmp_path)
    clone.gitmemo("init")
    clone.write("one.py", OLDER)
    clone.gitmemo("run", "one.py")
    (call,) = map(json.loads, clone.gitmemo("calls", "--json").out.splitlines())
    assert call["outputs"] == {"m": 1} and call["pending"] and call["state"] == "pending"
    clone.change("return x", "return x + 0", "one.py")
    wrong = (["--where", "mm > 1"], ["--sort", "no"], ["--columns", "no"])
    for question in (*wrong, *(["--user", "nobody", *one] for one in wrong)):
        clone.gitmemo("df", "f", *question, code=2)
    assert rows(clone, "f", "--where", "m > 0", "--sort", "x", "--columns", "m") == []
    (call,) = map(json.loads, clone.gitmemo("calls", "--all", "--json").out.splitlines())
    assert call["pending"] and call["state"] == "older code"
    assert "pending, older code" in clone.gitmemo("calls", "--all").out


def test_several_values_are_not_one_list(tmp_path: Path) -> None:
    clone = make_clone(tmp_path / "p", tmp_path)
    clone.gitmemo("init")
    clone.write(
        "both.py",
        "import gitmemo as gm\n"
        "@gm.op(output_names=['m'])\ndef f(x):\n    return x\n"
        "@gm.op(output_names=['total'])\ndef add(items):\n    return sum(items)\n"
        "if __name__ == '__main__':\n    with gm.open():\n"
        "        add([f(1), f(2)])\n        add([f(7)])\n",
    )
    clone.gitmemo("run", "both.py")
    found = {row["total"]: row["m"] for row in rows(clone, "add", "f")}
    assert found == {3: {"each": [1, 2]}, 7: 7}


def test_a_page_can_go_to_standard_output(project: Clone) -> None:
    done = project.gitmemo("report", "judge", "-o", "-")
    assert done.out.lower().startswith("<!doctype html") and done.out.rstrip().endswith("</html>")
    assert "wrote to standard output: " in done.err
    assert not (project.root / "-").exists()
    project.gitmemo("report", "-o", "-", "--open", code=2)
    project.gitmemo("df", "judge", "--parquet", "-", code=2)
