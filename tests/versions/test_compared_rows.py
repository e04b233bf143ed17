"""What `gitmemo diff` and the page say of results: rows as tables have them, paired by what was asked for."""

from __future__ import annotations

import json
import re
from pathlib import Path
from typing import Any

import pytest
from driver import Clone, make_clone

from gitmemo.cli import main

PROGRAM = """\
from typing import NamedTuple

import gitmemo as gm

storage = gm.open()


@gm.op
def fit(size, rate):
    return {"weights": list(range(size)), "rate": rate * 2}


@gm.op
def score(model, shift):
    return model["rate"] + shift, len(model["weights"])


@gm.op
def best(errs):
    return min(errs)


@gm.op
def step(state):
    return state + 1


class Setup(NamedTuple):
    model: dict
    shift: int


@gm.op
def tried(setup):
    return setup.model["rate"] + setup.shift


@gm.op
def split(size) -> dict[str, int]:
    return {"low": size + 1, "high": size + 2}


@gm.op
def bag(size) -> set[int]:
    return {size + 60, size + 70}


@gm.op
def used(part):
    return part * 10


with storage:
    errs = []
    for rate in (1, 2):
        model = fit(3, rate)
        err, length = score(model, 10)
        errs.append(err)
    worst = best(errs)
    state = 0
    for _ in range(2):
        state = step(state)
    model = fit(2, 7)
    for shift in (8, 9):
        tried(Setup(model, shift))
    for name in ("low", "high"):
        used(split(2)[name])
    for one in bag(2):
        used(one)
"""


@pytest.fixture(scope="module")
def project(tmp_path_factory: pytest.TempPathFactory) -> Clone:
    """`v1` doubles rates and `v2` triples them, and has another one and a longer chain."""
    clone = make_clone(tmp_path_factory.mktemp("rows") / "p", tmp_path_factory.mktemp("home"))
    clone.write("program.py", PROGRAM)
    clone.gitmemo("init")
    clone.gitmemo("run", "program.py")
    clone.commit("Double")
    clone.git("tag", "v1")
    clone.change("rate * 2", "rate * 3", "program.py")
    clone.change("(1, 2):", "(1, 2, 4):", "program.py")
    clone.change("range(2)", "range(3)", "program.py")
    clone.change("(8, 9)", "(9, 8)", "program.py")
    parts = '"low": size + 1, "high": size + 2', '"high": size * 5, "low": size * 4'
    clone.change(*parts, "program.py")
    clone.change("{size + 60, size + 70}", "{size + 70, size + 90}", "program.py")
    clone.gitmemo("run", "program.py")
    clone.commit("Triple", GITMEMO_ON_CHANGE="breaking")
    clone.git("tag", "v2")
    return clone


@pytest.fixture
def say(project: Clone, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> Any:
    monkeypatch.chdir(project.root)

    def say(*arguments: str) -> str:
        assert main(list(arguments)) == 0, capsys.readouterr()
        return capsys.readouterr().out

    return say


def test_rows_have_the_columns_of_tables_and_are_paired_by_what_was_asked_for(say: Any) -> None:
    lines = [line.split() for line in say("diff", "v1", "v2", "--op", "score").splitlines()]
    assert " ".join(lines[2]) == "calls: 1 added, 0 removed, 2 with other results, 0 the same"
    at = lines.index(["program:score"])
    lines = lines[: lines.index([], at)]
    assert lines[at + 1] == ["size", "rate", "model", "shift", "err", "length"]
    changed = [" ".join(line) for line in lines[at + 2 :] if line[:1] == ["~"]]
    assert [line.split()[:3] for line in changed] == [["~", "3", "1"], ["~", "3", "2"]]
    assert changed[0].endswith("10 12 -> 13 (+1, +8.33 %) 3")
    [added] = [line for line in lines[at + 2 :] if line[:1] == ["+"]]
    assert (added[:3], added[-3:]) == (["+", "3", "4"], ["10", "22", "3"])


def test_programs_get_the_rows_beside_the_stored_names(say: Any) -> None:
    rows = [json.loads(line) for line in say("diff", "v1", "v2", "--json").splitlines()]
    table = [json.loads(line) for line in say("df", "score", "--back", "--json").splitlines()]
    [first, second] = [r for r in rows if r["kind"] == "changed" and r["op"] == "program:score"]
    assert first["row"]["new"] == table[0]
    assert second["row"]["new"] == table[1]
    assert (first["row"]["old"]["rate"], first["row"]["old"]["err"]) == (1, 12)
    assert first["outputs"]["output_0"]["old"] == 12
    assert first["outputs"]["output_0"]["difference"]["absolute"] == 1
    [added] = [r for r in rows if r["kind"] == "added" and r["op"] == "program:score"]
    assert (added["row"]["old"], added["row"]["new"]["err"]) == (None, 22)


def test_lists_and_chains_of_results_are_rows_too(say: Any) -> None:
    """What was given three results is not what was given two: it was asked for something else."""
    rows = [json.loads(line) for line in say("diff", "v1", "v2", "--json").splitlines()]
    of = {
        op: [(r["kind"], r["row"]) for r in rows if r.get("op") == f"program:{op}"]
        for op in ("best", "step")
    }
    assert [kind for kind, _ in of["best"]] == ["added", "removed"]
    assert of["best"][0][1]["new"]["rate"] == {"each": [1, 2, 4]}
    [(kind, row)] = of["step"]
    assert (kind, row["old"], row["new"]["state"]) == ("added", None, row["new"]["state"])


def test_objects_of_which_records_hold_results_alone_are_not_paired(say: Any) -> None:
    """What else is in them may differ: here `shift`, which is asked for in another order."""
    rows = [json.loads(line) for line in say("diff", "v1", "v2", "--json").splitlines()]
    found = [r["kind"] for r in rows if r.get("op") == "program:tried" and "row" in r]
    assert found == ["added", "added", "removed", "removed"]


def test_parts_of_results_are_paired_by_key_and_those_of_sets_by_content(say: Any) -> None:
    """A set has no places: 62 and 72 became 72 and 92, and nothing says that 62 became 92."""
    rows = [json.loads(line) for line in say("diff", "v1", "v2", "--json").splitlines()]
    found = [
        tuple(r["row"][side] and r["row"][side]["used"] for side in ("old", "new"))
        for r in rows
        if r.get("op") == "program:used" and "row" in r
    ]
    assert sorted(found, key=str) == [(30, 80), (40, 100), (620, None), (None, 920)]


def test_a_list_of_results_is_paired_with_that_of_the_older_ones(
    project: Clone, say: Any, tmp_path: Path
) -> None:
    project.git("checkout", "-q", "-b", "side", "v1")
    project.change("rate * 2", "rate * 5", "program.py")
    project.gitmemo("run", "program.py")
    rows = [json.loads(line) for line in say("diff", "v1", "--op", "best", "--json").splitlines()]
    project.git("checkout", "-q", "-f", "v2")
    assert {k: rows[0][k] for k in ("added", "removed", "changed", "same")} == {
        "added": 0,
        "removed": 0,
        "changed": 1,
        "same": 0,
    }
    assert (rows[1]["row"]["old"]["worst"], rows[1]["row"]["new"]["worst"]) == (12, 15)


def test_the_page_names_results_alike(say: Any, tmp_path: Path) -> None:
    page = tmp_path / "page.html"
    say("report", "--rev", "v2", "--since", "v1", "-o", str(page))
    text = page.read_text("utf-8")
    assert '"outputs":[["err",' in text.replace(" ", "")
    assert "output_0" not in text


def test_a_result_that_is_returned_no_more_is_a_result_still(
    project: Clone, say: Any, tmp_path: Path
) -> None:
    """Not one more argument: nothing was given it."""
    project.git("checkout", "-q", "-f", "v2")
    project.change(', len(model["weights"])', "", "program.py")
    project.change("err, length = score", "err = score", "program.py")
    project.gitmemo("run", "program.py")
    page = tmp_path / "page.html"
    say("report", "--since", "v2", "-o", str(page))
    project.git("checkout", "-q", "-f", "v2")
    text = page.read_text("utf-8").replace(" ", "")
    found = re.findall(r'"inputs":\[(.*?)\],"outputs":\[(.*?)\]\]', text)
    names = r'\["(\w+)",'
    assert [(re.findall(names, given), re.findall(names, made)) for given, made in found] == [
        (["size", "rate", "model", "shift"], ["score_1"])
    ] * 3
