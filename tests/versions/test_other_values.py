"""A variable whose text does not say its value: of results of several values, tables show those of one."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from driver import Clone, copy_of, make_clone

from gitmemo.cli import main

PROGRAM = """\
import json
import gitmemo as gm

storage = gm.open()
CFG = json.load(open("cfg.json"))
SIZE = 1


@gm.op(output_names=["y"])
def scale(x):
    return x * CFG["k"] * SIZE


@gm.op(output_names=["t"])
def total(a, b, c):
    return a + b + c


@gm.op(output_names=["z"])
def plain(x):
    return x


if __name__ == "__main__":
    with storage:
        total(*[scale(x) for x in (2, 1, 3)])
        plain(7)
"""

LIVE = """\
import study
print(study.storage.cf(study.scale).sort("x").df()["y"].tolist())
"""

NOTE = "of other values of study.py:$CFG not shown (--all): files do not say which is that of now"


class Study:
    """A project whose results depend on a file that is read into a variable."""

    def __init__(self, clone: Clone, monkeypatch: Any, capsys: Any) -> None:
        self.clone, self._capsys = clone, capsys
        monkeypatch.chdir(clone.root)

    def run(self, k: int, *, commit: bool = True) -> None:
        self.clone.write("cfg.json", json.dumps({"k": k}))
        self.clone.gitmemo("run", "study.py")
        if commit:
            self.clone.commit(f"k={k}")

    def say(self, *arguments: str) -> str:
        assert main(list(arguments)) == 0, self._capsys.readouterr()
        self.err = ""
        out, self.err = self._capsys.readouterr()
        return str(out)

    def rows(self, *arguments: str) -> list[dict[str, Any]]:
        found = [json.loads(line) for line in self.say("df", *arguments, "--json").splitlines()]
        return sorted(found, key=lambda row: (row.get("x", 0), row.get("y", 0)))

    def results(self, *arguments: str) -> list[int]:
        return [row["y"] for row in self.rows("scale", *arguments)]

    def difference(self, *revisions: str) -> dict[str, Any]:
        found: dict[str, Any] = json.loads(self.say("diff", *revisions, "--json").splitlines()[0])
        return found


@pytest.fixture(scope="module")
def origin(tmp_path_factory: pytest.TempPathFactory) -> Clone:
    """`v2` ran with 2, `v3` with 3."""
    clone = make_clone(tmp_path_factory.mktemp("values") / "p", tmp_path_factory.mktemp("home"))
    clone.write("study.py", PROGRAM)
    clone.gitmemo("init")
    for k in (2, 3):
        clone.write("cfg.json", json.dumps({"k": k}))
        clone.gitmemo("run", "study.py")
        clone.commit(f"k={k}")
        clone.git("tag", f"v{k}")
    return clone


@pytest.fixture
def study(
    origin: Clone,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> Study:
    return Study(copy_of(origin, tmp_path / "p"), monkeypatch, capsys)


def test_tables_show_the_results_of_the_newest_value_as_the_program_does(study: Study) -> None:
    assert study.results() == [3, 6, 9]
    assert f"3 calls {NOTE}" in study.err
    assert study.clone.python("-c", LIVE).out.strip() == "[3, 6, 9]"
    [row] = study.rows("total", "--back")
    assert (row["y"], row["t"]) == ({"each": [6, 3, 9]}, 18)
    assert f"1 call {NOTE}" in study.err
    assert len(study.rows("plain")) == 1
    assert study.err == ""


def test_the_others_can_be_shown_and_told_apart(study: Study) -> None:
    rows = study.rows("scale", "--all")
    assert [row["y"] for row in rows] == [2, 3, 4, 6, 6, 9]
    states = {row["y"]: row["state"] for row in rows if row["x"] == 2}
    assert states == {4: "other value of study.py:$CFG", 6: "current"}
    assert len({row["version"] for row in rows}) == 2
    states = {row["t"]: row["state"] for row in study.rows("total", "--all")}
    assert states == {12: "on results of other values", 18: "current"}


def test_calls_status_and_pages_leave_them_out_and_say_so(study: Study, tmp_path: Path) -> None:
    assert len(study.say("calls").splitlines()) == 1 + 5
    assert f"4 calls {NOTE}" in study.err
    assert len(study.say("calls", "--all").splitlines()) == 1 + 9
    lines = [line.split() for line in study.say("status").splitlines()]
    assert ["study:scale", "3", "0", "0", "3"] in lines
    assert ["study:total", "1", "0", "0", "1"] in lines
    assert ["study:plain", "1", "0", "0", "0"] in lines
    assert json.loads(study.say("status", "--json"))["other_values"] == 4
    page = tmp_path / "page.html"
    study.say("report", "-o", str(page))
    assert f"4 calls {NOTE}" in page.read_text("utf-8")


def test_a_difference_counts_every_changed_result(study: Study) -> None:
    found = study.difference("v2", "v3")
    kinds = ("added", "removed", "changed", "same")
    assert [found[kind] for kind in kinds] == [0, 0, 4, 1]
    assert "2  4 -> 6 (+2, +50 %)" in study.say("diff", "v2", "v3", "--op", "scale")
    found = study.difference("v3", "v3")
    assert [found[kind] for kind in kinds] == [0, 0, 0, 5]


def test_a_revision_has_the_value_of_its_own_calls(study: Study) -> None:
    assert study.results("--rev", "v2") == [2, 4, 6]  # though calls of its code were made later
    assert f"3 calls {NOTE}" in study.err
    assert study.results("--rev", "v2", "--no-later") == [2, 4, 6]
    assert study.err == ""


def test_going_back_to_a_value_counts_as_soon_as_something_is_computed(study: Study) -> None:
    study.run(2, commit=False)  # all of it is found, so there is no record of it
    assert study.results() == [3, 6, 9]
    study.clone.change("(2, 1, 3)", "(2, 1, 5)", "study.py")
    study.run(2, commit=False)
    assert study.results() == [2, 4, 6, 10]


def test_branches_that_meet_show_the_value_that_ran_last(study: Study) -> None:
    study.clone.git("checkout", "-q", "-b", "five")
    study.run(5)
    study.clone.git("checkout", "-q", "main")
    study.run(4)
    study.clone.git("merge", "-q", "-X", "ours", "-m", "Both", "five")
    assert study.results() == [4, 8, 12]
    assert f"9 calls {NOTE}" in study.err


def test_older_code_does_not_say_which_value_counts(study: Study) -> None:
    study.clone.change("SIZE = 1", "SIZE = 10", "study.py")
    study.run(7, commit=False)
    study.clone.change("SIZE = 10", "SIZE = 1", "study.py")
    assert study.results() == [3, 6, 9]


def test_a_file_that_is_declared_later_decides_from_then_on(study: Study) -> None:
    declared = '@gm.op(output_names=["y"], files="cfg.json")'
    study.clone.change('@gm.op(output_names=["y"])', declared, "study.py")
    study.run(4)
    study.run(5)
    assert study.results() == [5, 10, 15]
    found = study.difference("HEAD~1", "HEAD")
    assert (found["changed"], found["added"], found["removed"]) == (4, 0, 0)
    study.run(4, commit=False)  # found, and the file says so
    assert study.results() == [4, 8, 12]


def test_values_that_somebody_said_are_the_same_count_together(study: Study) -> None:
    study.clone.write("cfg.json", json.dumps({"k": 4}))
    study.clone.change("(2, 1, 3)", "(2, 1, 5)", "study.py")
    study.clone.gitmemo("run", "study.py", GITMEMO_ON_CHANGE="non-breaking")
    assert study.results() == [3, 6, 9, 20]  # two were found, with the other value
    assert f"3 calls {NOTE}" in study.err
