"""What somebody who may push can make others believe, and how that is found out."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from driver import Clone, copy_of, identify, make_clone

from gitmemo.cli import main
from gitmemo.world.segments import build_segment

PROGRAM = """
import gitmemo as gm

storage = gm.open()
FACTOR = 2


@gm.op(output_names=["doubled"])
def double(n):
    return n * FACTOR


with storage:
    print("result", storage.unwrap(double(21)))
"""


@pytest.fixture(scope="module")
def project(tmp_path_factory: pytest.TempPathFactory) -> Clone:
    clone = make_clone(tmp_path_factory.mktemp("theirs") / "p", tmp_path_factory.mktemp("home"))
    clone.write("prog.py", PROGRAM)
    clone.gitmemo("init")
    clone.gitmemo("run", "prog.py")
    clone.commit("Results")
    return clone


Cloned = Callable[[Clone], Clone]


@pytest.fixture
def cloned(tmp_path: Path) -> Cloned:
    def cloned(source: Clone) -> Clone:
        bob = Clone(tmp_path / "bob", source.home)
        bob.process("git", "clone", "-q", str(source.root), str(bob.root), cwd=tmp_path)
        identify(bob)
        bob.gitmemo("init")
        return bob

    return cloned


def rewrite(clone: Clone, change: Callable[[Any], None]) -> None:
    """Commit the records anew, each as `change` makes it, as who knows the format can."""
    segments = sorted((clone.root / ".gitmemo/index/1").glob("*/*.jsonl"))
    lines = []
    for segment in segments:
        for line in segment.read_text("utf-8").splitlines():
            record = json.loads(line)
            change(record)
            lines.append(json.dumps(record, separators=(",", ":")))
        segment.unlink()
    made = build_segment(sorted(set(lines)))
    target = clone.root / made.path("2026-01")
    target.parent.mkdir(parents=True, exist_ok=True)
    target.write_bytes(made.data)
    clone.git("add", "-A")
    clone.git("commit", "-q", "--no-verify", "-m", "Innocent")


def test_a_result_that_nobody_computed_is_believed_and_found_by_checking(
    project: Clone, cloned: Cloned, tmp_path: Path
) -> None:
    mallory = copy_of(project, tmp_path / "mallory")

    def lie(record: Any) -> None:
        if record[0] == "call":
            record[5] = [["doubled", {"v": 666}]]

    rewrite(mallory, lie)
    bob = cloned(mallory)
    assert "result 666" in bob.gitmemo("run", "prog.py").out
    shown = bob.git("log", "-1", "-p", "--", ".gitmemo/index")
    assert "-call prog:double(n=21) -> doubled = 42" in shown
    assert "+call prog:double(n=21) -> doubled = 666" in shown
    assert "666" in bob.gitmemo("check", "double", "--all", code=7).text


def test_a_breaking_change_that_was_called_non_breaking_is_seen_and_taken_back(
    project: Clone, cloned: Cloned, tmp_path: Path
) -> None:
    mallory = copy_of(project, tmp_path / "mallory")
    mallory.change("FACTOR = 2", "FACTOR = 3", "prog.py")
    mallory.commit("Innocent", GITMEMO_ON_CHANGE="non-breaking")
    bob = cloned(mallory)
    done = bob.gitmemo("run", "prog.py")
    assert "result 42" in done.out and done.counted == (1, 0)
    assert "non-breaking" in bob.git("log", "-1", "-p", "--", ".gitmemo/index")
    assert "non-breaking" in bob.gitmemo("log", "double").out
    assert bob.gitmemo("check", "double", "--all", code=7).text
    bob.gitmemo("decide", "--revise", "--breaking", "FACTOR")
    assert "result 63" in bob.gitmemo("run", "prog.py").out


@pytest.mark.parametrize("what", ["name", "content"])
def test_a_record_whose_ids_do_not_follow_is_no_record(
    project: Clone, cloned: Cloned, tmp_path: Path, what: str
) -> None:
    """Versions are named by what they hold: nobody can put other code under the id of one."""
    mallory = copy_of(project, tmp_path / "mallory")

    def swap(record: Any) -> None:
        if record[0] == "version":
            unit = record[2][0][1][0]
            if what == "name":
                unit[0] = "other"
            else:
                unit[1] = f"{unit[1][:8]}{'A' if unit[1][8] != 'A' else 'B'}{unit[1][9:]}"

    rewrite(mallory, swap)
    done = cloned(mallory).gitmemo("run", "prog.py", code=4)
    assert "damaged" in done.text and "result" not in done.out


def test_names_of_tags_shadow_nothing(
    project: Clone,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    mallory = copy_of(project, tmp_path / "mallory")
    ident = json.loads(mallory.gitmemo("calls", "--json").out)["hid"]
    monkeypatch.chdir(mallory.root)
    for name in (
        ident[:12],
        ident,
        "-n",
        "../x",
        "a..b",
        ".hidden",
        "a/.b",
        "x\u0430",
        "a b",
        "$(id)",
    ):
        assert main(["tag", "--", name, ident[:12]]) == 2, name
    assert main(["tag", "double", ident[:12]]) == 0
    capsys.readouterr()
    assert main(["df", "double"]) == 0
    assert "42" in capsys.readouterr().out, "an op is asked for by its name"


def test_a_commit_runs_nothing_of_the_code(project: Clone, tmp_path: Path) -> None:
    clone = copy_of(project, tmp_path / "p")
    evil = PROGRAM.replace("FACTOR = 2", "FACTOR = 5\nopen('ran', 'w')")
    clone.write("prog.py", evil)
    clone.write("deep.py", f"x = {'(' * 50_000}{'-' * 50_000}1")
    clone.write("conftest.py", "open('ran', 'w')\n")
    said = clone.commit("Innocent")
    for command in ("status", "decide", "versions"):
        said += clone.gitmemo(command).text
    assert "FACTOR" in said and "Traceback" not in said
    assert not (clone.root / "ran").exists()


SPY = """
import sys
import gitmemo as gm

class Model:
    def __reduce__(self):
        code = "(open('ran', 'w'), object.__new__(__import__('__main__').Model))[1]"
        return eval, (code,)

@gm.op(name="make")
def make(n):
    return Model() if "--make" in sys.argv else 1 / 0

with gm.Storage(db_path="results.db") as storage:
    storage.unwrap(make(1))
"""


def test_a_storage_in_one_file_counts_as_ones_own(tmp_path: Path) -> None:
    """So nobody should open one of a stranger: the document says so, and this is why."""
    clone = Clone(tmp_path, tmp_path)
    clone.write("program.py", SPY)
    clone.python("program.py", "--make")
    (tmp_path / "ran").unlink()
    clone.python("program.py")
    assert (tmp_path / "ran").exists()
