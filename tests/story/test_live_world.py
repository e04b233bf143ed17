"""A process that lives on while git moves under it: what it says, and what it reuses."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

from driver import Clone

LIVE = """\
import importlib, subprocess, warnings

import gitmemo as gm
import helper
from helper import scale

storage = gm.open()


@gm.op
def twice(x):
    return helper.scale(x)


def git(*arguments):
    subprocess.run(["git", *arguments], check=True, capture_output=True)


def block(what):
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always")
        with storage:
            value = storage.unwrap(twice(3))
    stale = [w.message.paths for w in caught if type(w.message).__name__ == "ModulesStale"]
    print(what, value, *stale, storage.counter.computed)


block("at first")
git("checkout", "-q", "other")
block("after a checkout")
block("told once")
importlib.reload(helper)
block("reloaded")
git("checkout", "-q", "main")
block("back")
importlib.reload(helper)
block("reloaded again")
git("checkout", "-q", "comments")
block("a comment")
git("checkout", "-q", "without")
block("gone")
"""

REUSE = """\
import sys

import gitmemo as gm

storage = gm.open(**({"reuse": sys.argv[1]} if len(sys.argv) > 1 else {}))


@gm.op
def double(x):
    return 2 * x


with storage:
    double(1)
print(storage.counter.reused, storage.counter.computed)
"""


def test_files_that_are_not_what_runs_are_named_once(begun: Clone) -> None:
    begun.write("live.py", LIVE)
    begun.commit("A program")
    text = (begun.root / "helper.py").read_text()
    for branch, changed in (
        ("other", text.replace("value * 2", "value * 5")),
        ("comments", text + "# nothing else\n"),
        ("without", None),
    ):
        begun.git("switch", "-q", "-c", branch, "main")
        begun.write("helper.py", changed) if changed else (begun.root / "helper.py").unlink()
        begun.commit(f"For {branch}")
    begun.git("switch", "-q", "main")
    assert begun.python("live.py").out.splitlines() == [
        "at first 6 1",
        "after a checkout 6 ('helper.py',) 1",
        "told once 6 1",
        "reloaded 15 2",
        "back 15 ('helper.py',) 2",
        "reloaded again 6 2",
        "a comment 6 2",
        "gone 6 ('helper.py',) 2",
    ]


def test_only_this_world_is_reused_if_that_is_asked_for(begun: Clone) -> None:
    begun.write("double.py", REUSE)
    begun.commit("A program")
    begun.git("switch", "-q", "-c", "side")
    begun.python("double.py")
    begun.write("notes.txt", "side\n")
    begun.commit("Results")
    begun.git("switch", "-q", "main")
    assert begun.python("double.py", "world").out.split() == ["0", "1"]
    begun.git("switch", "-q", "-c", "third")
    assert begun.python("double.py", "world").out.split() == ["1", "0"], "pending, and valid here"
    for branch in ("third", "main"):
        begun.git("switch", "-q", branch)
        begun.write("notes.txt", f"{branch}\n")
        begun.commit("Results")
    begun.git("switch", "-q", "-c", "fourth", "HEAD~1")
    config = begun.root / ".gitmemo/config.toml"
    begun.write(".gitmemo/config.toml", config.read_text() + 'reuse = "world"\n')
    assert begun.python("double.py").out.split() == ["0", "1"]
    begun.git("stash", "-q")
    begun.git("switch", "-q", "-c", "fifth", "main~1")
    assert begun.python("double.py", "any").out.split() == ["1", "0"], "adopted"
    refused = begun.python("double.py", "some", code=1).err
    assert "reuse" in refused
    assert "world" in refused


def test_a_checkout_says_once_what_is_only_on_a_remote(
    committed: Clone, clone_of: Callable[[Clone | Path, str], Clone], tmp_path: Path
) -> None:
    committed.gitmemo("remote", "add", "lab", str(tmp_path / "lab"))
    committed.git("switch", "-q", "-c", "side", "HEAD~1")
    committed.git("switch", "-q", "main")
    committed.commit("A remote")
    committed.gitmemo("push")
    theirs = clone_of(committed, "theirs")
    theirs.write("look.py", "import gitmemo as gm\nstorage = gm.open()\nwith storage:\n    pass\n")
    said = theirs.python("look.py").err
    assert "3 values of this world are not on this machine: run `gitmemo pull`" in said
    assert theirs.python("look.py").err == "", "once for each checkout"
    theirs.write(
        "read.py", "from pipeline import *\nwith storage:\n    storage.unwrap(load(500))\n"
    )
    refused = theirs.python("read.py", code=1, GITMEMO_LAZY_PULL="off").err
    assert "fix: `gitmemo pull` fetches it; " in refused
    assert "During handling" not in refused
    theirs.git("switch", "-q", "--detach", "HEAD~1")
    theirs.git("switch", "-q", "main")
    assert theirs.python("look.py").err == ""
    theirs.git("switch", "-q", "--detach", "HEAD~1")
    assert "values" not in theirs.python("look.py").err, "no remote is configured there"
    theirs.git("switch", "-q", "main")
    theirs.gitmemo("pull")
    theirs.git("commit", "-q", "--allow-empty", "-m", "Next")
    assert theirs.python("look.py").err == ""


def test_a_discarded_experiment_leaves_nothing_on_other_branches(committed: Clone) -> None:
    before = committed.rows("evaluate")
    committed.git("switch", "-q", "-c", "experiment")
    committed.change("value * 2", "value * 3")
    committed.run()
    committed.git("checkout", "-q", "helper.py")
    committed.git("switch", "-q", "main")
    assert committed.rows("evaluate") == before, "what evaluate was given, this code never makes"
    calls = committed.calls_in()
    committed.write("notes.txt", "second\n")
    committed.commit("Unrelated")
    assert committed.calls_in() == calls
    committed.git("switch", "-q", "experiment")
    committed.change("value * 2", "value * 3")
    assert committed.run() == (5, 0), "nor are they lost"


def test_nobody_is_asked_about_code_that_was_thrown_away(committed: Clone) -> None:
    committed.change("value * 2", "value * 3")
    assert committed.run() == (1, 4)
    committed.change("value * 3", "value * 4")
    asked = committed.status()["undecided"]
    assert asked == ["helper.py:scale"], "the code goes on from what was tried"
    committed.change("value * 4", "value * 3")
    committed.git("add", "helper.py")
    committed.change("value * 3", "value * 2")
    assert committed.status()["undecided"] == asked, "it is staged"
    committed.git("checkout", "-q", "HEAD", "--", "helper.py")
    assert committed.status()["undecided"] == []
    assert "nothing" in committed.gitmemo("decide").text
    # Nothing is forgotten by that: it comes back with the code.
    committed.change("value * 2", "value * 3")
    assert committed.status()["undecided"] == asked
    assert committed.run() == (5, 0)
    committed.git("checkout", "-q", "HEAD", "--", "helper.py")
    committed.write("notes.txt", "second\n")
    committed.commit("Results of what was tried")
    assert committed.status()["undecided"] == []


def test_nor_about_what_was_tried_before_anything_was_run(begun: Clone) -> None:
    begun.change("value * 2", "value * 3")
    assert begun.run() == (0, 5)
    begun.git("checkout", "-q", "helper.py")
    assert begun.status()["undecided"] == []
    begun.change("value * 2", "value * 4")
    begun.git("commit", "-q", "-a", "-m", "Go on")
    assert begun.status()["undecided"] == ["helper.py:scale"]


ORPHAN = """\
import subprocess

import gitmemo as gm
from double import double


def git(*arguments):
    subprocess.run(["git", *arguments], check=True, capture_output=True)


storage = gm.open()
git("switch", "-q", "--orphan", "empty")
with storage:
    double(1)
git("commit", "-q", "--allow-empty", "-m", "Empty")
with storage:
    double(2)
git("switch", "-q", "--detach", "before")
with storage:
    double(3)
git("switch", "-q", "main")
with storage:
    double(4)
"""


def test_where_nothing_is_known_of_gitmemo_that_is_said_and_no_call_is_lost(begun: Clone) -> None:
    begun.git("branch", "before")
    begun.git("switch", "-q", "before")
    begun.git("rm", "-q", "-r", ".gitmemo")
    begun.git("commit", "-q", "--amend", "-m", "As before gitmemo init")
    begun.git("switch", "-q", "main")
    begun.write("double.py", "import gitmemo as gm\n\n\n@gm.op\ndef double(x):\n    return 2 * x\n")
    program = begun.write("orphan.py", ORPHAN)
    begun.commit("A program")

    begun.git("switch", "-q", "--detach", "before")
    for say in (
        lambda: begun.gitmemo("status", code=3),
        lambda: begun.python("-c", "import gitmemo as gm; gm.open()", code=1),
    ):
        said = say().err
        assert "what is checked out in" in said
        assert "git log --all --oneline -- .gitmemo/config.toml" in said
    begun.git("switch", "-q", "main")

    # What runs on keeps its calls: pending, for a branch with this code to take.
    assert begun.python(str(program)).code == 0
    assert begun.git("log", "--oneline", "-1", "empty", "--format=%s") == "Empty"
    begun.write("notes.txt", "more\n")
    begun.commit("Results")
    assert begun.calls_in() == 4
    assert begun.is_clean()
