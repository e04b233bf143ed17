"""Renames and moves in real repositories: results follow what only has another name."""

from __future__ import annotations

import json
from collections.abc import Callable
from itertools import pairwise
from pathlib import Path

import pytest
from driver import Clone, copy_of

CloneOf = Callable[[Clone, str], Clone]

LAB = """\
N = 3


def helper(x):
    return x * N


def count(n):
    return 0 if n < 1 else 1 + count(n - 1)


class Scaler:
    def apply(self, x):
        return helper(x) + 1
"""

PIPELINE = """\
import sys

import gitmemo as gm
import lab

storage = gm.open()


@gm.op
def load(size):
    return size + lab.count(3)


@gm.op(output_names=["model", "loss"])
def train(data, rate=2):
    return lab.helper(data) * rate, lab.Scaler().apply(data)


if __name__ == "__main__":
    with storage:
        for size in (1, 2):
            model, loss = train(load(size))
            print(storage.unwrap(model), storage.unwrap(loss))
"""


@pytest.fixture
def project(begun: Clone) -> Clone:
    """A project with four committed calls."""
    begun.write("lab.py", LAB)
    begun.write("pipeline.py", PIPELINE)
    begun.commit("Code")
    assert begun.run() == (0, 4)
    begun.commit("Results", "--allow-empty")
    return begun


def swap(clone: Clone, old: str, new: str, *files: str) -> None:
    for name in files or ("pipeline.py", "lab.py"):
        text = (clone.root / name).read_text("utf-8")
        clone.write(name, text.replace(old, new))


def script(clone: Clone, name: str) -> tuple[int, int]:
    return clone.gitmemo("run", name).counted


# --- recognised ------------------------------------------------------------


def test_a_renamed_op_keeps_its_results(project: Clone) -> None:
    swap(project, "train", "fit")
    ahead = "pipeline.py:train is pipeline.py:fit now: the next commit recognises it"
    for name in ("fit", "pipeline:fit"):
        assert ahead in project.gitmemo("why", name, code=None).err
    done = project.gitmemo("run", "pipeline.py")
    assert done.counted == (2, 2), "until the commit nobody knows"
    assert f"gitmemo: {ahead} (or: gitmemo decide), and older results follow" in done.err
    assert ahead in project.gitmemo("status").out
    assert ahead not in project.gitmemo("run", "pipeline.py").err, "nothing was computed"
    said = project.commit("Rename")
    assert "recognised: pipeline.py:train is pipeline.py:fit now" in said
    assert project.run() == (4, 0)
    assert {row["model"] for row in project.rows("fit")} == {24, 30}
    assert project.rows("train") == project.rows("fit"), "the old name is understood"


def test_what_is_recognised_is_found_without_having_run_again(project: Clone) -> None:
    swap(project, "train", "fit")
    project.commit("Rename")
    assert project.run() == (4, 0)
    assert project.run() == (4, 0)
    project.commit("Links", "--allow-empty")
    assert len(project.rows("fit")) == 2


def test_what_a_rename_hands_on_is_counted_once(project: Clone) -> None:
    swap(project, "train", "fit")
    project.gitmemo("rename", "train", "fit")
    said = project.gitmemo("run", "pipeline.py")
    assert said.counted == (4, 0)
    assert "; 0 ms saved" not in said.err
    status = project.status()
    assert (status["calls"], status["ops"]["pipeline:fit"]) == (4, {"calls": 2, "current": 2})
    [version] = [
        json.loads(line) for line in project.gitmemo("versions", "fit", "--json").out.splitlines()
    ]
    assert (version["op"], version["calls"], version["valid"]) == ("pipeline:fit", 2, True)
    assert version["first"] and version["last"] and version["seconds"] > 0
    swap(project, "* rate", "* rate + 1", "pipeline.py")
    [change] = [json.loads(line) for line in project.gitmemo("decide", "--json").out.splitlines()]
    assert sum(change["calls"].values()) == 2
    assert change["seconds"] > 0
    found = json.loads(project.gitmemo("why", "fit", "rate=2", "--json").out)
    assert found["status"] == "code changed"
    assert [one["component"] for one in found["changed"]] == ["pipeline.py:fit"]


def test_a_script_that_was_moved_keeps_its_results(project: Clone, clone_of: CloneOf) -> None:
    project.git("mv", "pipeline.py", "go.py")
    said = project.commit("Move")
    assert "recognised: pipeline.py:load is go.py:load now" in said
    assert script(project, "go.py") == (4, 0)
    theirs = clone_of(project, "theirs")
    assert script(theirs, "go.py") == (4, 0)
    assert set(project.status()["ops"]) == {"go:load", "go:train"}


def test_a_helper_that_was_renamed_and_its_callers(project: Clone) -> None:
    swap(project, "helper", "scale")
    said = project.commit("Rename")
    assert "recognised: lab.py:helper is lab.py:scale now" in said
    assert "pipeline.py:train has only new names in it" in said
    assert "pending" not in said
    assert project.run() == (4, 0)


def test_recursion_is_followed(project: Clone) -> None:
    swap(project, "count", "tally")
    assert "lab.py:count is lab.py:tally" in project.commit("Rename")
    assert project.run() == (4, 0)


def test_deleting_the_old_module_breaks_nothing(project: Clone) -> None:
    """An op and all that it uses go to another module; the old one is deleted (B11)."""
    text = (project.root / "lab.py").read_text("utf-8")
    start = text.index("class Scaler")
    project.write("parts.py", text[:start])
    project.write("lab.py", "from parts import helper, count, N\n\n\n" + text[start:])
    said = project.commit("Move")
    assert "recognised: lab.py:helper is parts.py:helper now" in said
    assert "recognised: lab.py:$N is parts.py:$N now" in said
    project.gitmemo("df", "train")
    project.git("rm", "-q", "parts.py", "lab.py")
    project.write("pipeline.py", PIPELINE.replace("import lab", "").replace("lab.", ""))
    project.commit("Delete")
    for command in (
        ("status",),
        ("df", "train", "--all"),
        ("log", "train"),
        ("why", "load", "size=1"),
    ):
        project.gitmemo(*command)


def test_a_move_with_a_change_is_only_suggested(project: Clone) -> None:
    swap(project, "def helper(x):\n    return x * N", "def scale(x):\n    return x * N * 2")
    swap(project, "helper", "scale")
    text = (project.root / "lab.py").read_text("utf-8")
    body = "".join(f"    x += {number}\n" for number in range(9))
    project.write("lab.py", text)
    said = project.commit("Rename and change")
    assert "recognised" not in said
    assert project.run()[1] > 0
    # Long and nearly the same: worth a suggestion.
    swap(project, "def scale(x):\n", f"def scale(x):\n{body}")
    project.commit("Longer")
    project.run()
    swap(project, "scale(", "resize(")
    swap(project, "    x += 8\n", "    x += 7\n")
    said = project.commit("Rename and change again")
    assert "gitmemo rename lab.py:scale lab.py:resize" in said


def test_twins_are_not_guessed(project: Clone) -> None:
    twin = "def one(x):\n    return x * N\n\n\ndef two(x):\n    return x * N\n"
    swap(project, "def helper(x):\n    return x * N\n", twin)
    swap(project, "helper", "one")
    said = project.commit("Two of a kind")
    assert "lab.py:helper is lab.py" not in said.replace("if it is", "")
    assert project.run()[1] > 0


def test_what_asks_for_its_name_is_not_recognised(project: Clone) -> None:
    swap(project, "    return x * N", "    return x * N + len(helper.__name__)")
    project.commit("Names matter")
    project.run()
    swap(project, "helper", "longer_name")
    assert "recognised: lab.py:helper" not in project.commit("Rename")
    assert project.run()[1] > 0


def test_a_class_is_only_suggested_and_can_be_named(project: Clone) -> None:
    swap(project, "Scaler", "Grower")
    said = project.commit("Rename a class")
    assert "recognised" not in said
    assert "gitmemo rename" in said
    done = project.gitmemo("rename", "Scaler", "Grower")
    assert "lab.py:Scaler.apply is lab.py:Grower.apply" in done.out
    assert project.run() == (4, 0)


# --- traps -----------------------------------------------------------------


def test_an_old_name_for_a_new_function_is_no_hit(project: Clone) -> None:
    swap(project, "train", "fit")
    project.commit("Rename")
    assert project.run() == (4, 0)
    # `train` comes back as something else, with the same arguments.
    new = "@gm.op(output_names=['model', 'loss'])\ndef train(data, rate=2):\n    return 1, 2\n\n\n"
    swap(project, "if __name__", new + "if __name__", "pipeline.py")
    swap(project, "model, loss = fit(", "model, loss = train(", "pipeline.py")
    done = project.gitmemo("run", "pipeline.py")
    assert done.out.split() == ["1", "2", "1", "2"]
    assert done.counted == (2, 2)
    swap(project, "model, loss = train(", "model, loss = fit(", "pipeline.py")
    done = project.gitmemo("run", "pipeline.py")
    assert done.out.split()[0] == "24"


def test_an_old_name_for_a_function_that_calls_the_new_one_is_no_hit(project: Clone) -> None:
    swap(project, "train", "fit")
    project.commit("Rename")
    new = (
        "@gm.op(output_names=['model', 'loss'])\ndef train(data, rate=2):\n"
        "    model, loss = fit(data, rate)\n    return -model, -loss\n\n\n"
    )
    swap(project, "if __name__", new + "if __name__", "pipeline.py")
    swap(project, "model, loss = fit(load", "model, loss = train(load", "pipeline.py")
    assert project.gitmemo("run", "pipeline.py").out.split()[0] == "-24"
    swap(project, "model, loss = train(load", "model, loss = fit(load", "pipeline.py")
    done = project.gitmemo("run", "pipeline.py")
    assert done.out.split()[0] == "24"
    assert done.counted[1] == 0 or done.out.split()[0] == "24"


def test_two_functions_that_swapped_their_names(project: Clone) -> None:
    swap(project, "helper", "TEMP")
    swap(project, "count", "helper")
    swap(project, "TEMP", "count")
    before = project.gitmemo("run", "pipeline.py").out
    project.commit("Swap")
    assert project.gitmemo("run", "pipeline.py").out == before
    assert before.split()[0] == "24"


def test_a_rename_back(project: Clone) -> None:
    swap(project, "train", "fit")
    project.commit("There")
    assert project.run() == (4, 0)
    swap(project, "fit", "train")
    project.commit("And back")
    assert project.run() == (4, 0)
    assert len(project.rows("train")) == 2
    swap(project, "train", "fit")
    project.commit("There again")
    assert project.run() == (4, 0)
    assert len(project.rows("fit")) == 2


def test_a_second_rename_is_recognised_with_or_without_a_run_between(project: Clone) -> None:
    swap(project, "train", "fit")
    swap(project, "helper", "scale")
    project.commit("Rename")
    swap(project, "fit", "learn")
    swap(project, "scale", "enlarge")
    said = project.commit("Rename again")
    assert "recognised: pipeline.py:fit is pipeline.py:learn now" in said
    assert "recognised: lab.py:scale is lab.py:enlarge now" in said
    assert "gone" not in said and "pending" not in said
    assert project.run() == (4, 0)
    assert project.rows("fit") == project.rows("train") == project.rows("learn") != []
    swap(project, "learn", "train")
    swap(project, "enlarge", "helper")
    project.commit("And back")
    assert project.run() == (4, 0)


def test_renames_that_are_said_one_after_the_other(project: Clone) -> None:
    names = ["train", "fit", "learn", "teach"]
    for old, new in pairwise(names):
        swap(project, old, new)
        project.gitmemo("rename", old, new)
    assert project.run() == (4, 0)
    assert project.rows("train") == project.rows("fit") == project.rows("teach") != []
    said_now = project.gitmemo("rename").out
    assert "op pipeline:fit is pipeline:learn" in said_now
    assert "op pipeline:learn is pipeline:teach" in said_now
    again = project.gitmemo("rename", "train", "teach", code=2).err
    assert "pipeline.py:train is known to be pipeline.py:teach already" in again


def test_the_first_name_may_be_said_after_the_second_is_gone(project: Clone) -> None:
    swap(project, "train", "fit")
    project.commit("Rename")
    swap(project, "fit", "learn")
    project.gitmemo("rename", "train", "learn")
    assert project.run() == (4, 0)
    assert len(project.rows("fit")) == 2


def test_two_branches_rename_one_function(project: Clone) -> None:
    project.git("switch", "-qc", "side")
    swap(project, "train", "adjust")
    project.commit("Side")
    project.git("switch", "-q", "main")
    swap(project, "train", "fit")
    project.commit("Main")
    project.git("merge", "-q", "-s", "ours", "-m", "Merge", "side")
    project.git("checkout", "side", "--", ".gitmemo")
    project.commit("Their facts too")
    assert project.run() == (4, 0)
    assert len(project.rows("fit")) == 2


def test_on_a_branch_without_the_rename_the_old_name_counts(project: Clone) -> None:
    project.git("branch", "old")
    swap(project, "train", "fit")
    project.commit("Rename")
    assert project.run() == (4, 0)
    project.commit("Links", "--allow-empty")
    project.git("switch", "-q", "old")
    assert project.run() == (4, 0)
    assert set(project.status()["ops"]) == {"pipeline:load", "pipeline:train"}


# --- as a person says ------------------------------------------------------


def test_rename_is_recorded_shown_and_taken_back(project: Clone) -> None:
    assert (
        "pipeline.py:train is still in the code"
        in project.gitmemo("rename", "train", "fit", code=2).err
    )
    assert "no stored call" in project.gitmemo("rename", "nothing", "fit", code=2).err
    swap(project, "train", "fit")
    assert "there is no 'foot'" in project.gitmemo("rename", "train", "foot", code=2).err
    before = project.records()
    shown = project.gitmemo("rename", "train", "fit", "--dry-run", "-m", "shorter").out
    assert "pipeline.py:train is pipeline.py:fit" in shown
    assert "op pipeline:train is pipeline:fit" in shown
    assert project.records() == before
    project.gitmemo("rename", "train", "fit", "-m", "shorter")
    assert project.run() == (4, 0)
    assert "shorter" in project.gitmemo("rename").out
    project.gitmemo("rename", "--undo", "train", "fit")
    assert "nothing was renamed" in project.gitmemo("rename").err
    assert "no such rename" in project.gitmemo("rename", "--undo", "train", "fit", code=2).err
    project.gitmemo("rename", "train", "fit")
    assert "pipeline:fit" in project.gitmemo("rename").out, "said again, it counts again"


def test_rename_after_the_fact(project: Clone) -> None:
    """The commit was made without hooks; its history still has the old text."""
    project.git("mv", "pipeline.py", "go.py")
    swap(project, "helper", "scale", "go.py", "lab.py")
    project.git("commit", "-qam", "Move", "--no-verify")
    assert script(project, "go.py") == (0, 4)
    project.gitmemo("rename", "helper", "scale")
    done = project.gitmemo("rename", "pipeline.py", "go.py")
    assert "pipeline.py:load is go.py:load" in done.out
    project.gitmemo("forget", "go.py:load", code=None)
    assert script(project, "go.py") == (4, 0)


def test_a_rename_with_a_change_needs_a_word(project: Clone) -> None:
    swap(project, "def helper(x):\n    return x * N", "def scale(x):\n    return N * x")
    swap(project, "lab.helper", "lab.scale")
    swap(project, "return helper(", "return scale(")
    refused = project.gitmemo("rename", "helper", "scale", code=2)
    assert "--non-breaking" in refused.err
    project.gitmemo("rename", "helper", "scale", "--non-breaking")
    assert project.run() == (4, 0)


# --- arguments and outputs -------------------------------------------------


def test_a_renamed_argument(project: Clone) -> None:
    swap(project, "def train(data, rate=2)", "def train(data, speed=2)")
    swap(project, "* rate, lab", "* speed, lab")
    done = project.gitmemo("rename", "--argument", "train", "rate", "speed")
    assert "argument rate of pipeline:train is speed" in done.out
    assert project.run() == (4, 0)
    assert [row["speed"] for row in project.rows("train")] == [2, 2]
    assert "rate" not in project.rows("train")[0]
    assert (
        "which is which"
        in project.gitmemo("rename", "--argument", "train", "data", "rate", code=2).err
    )
    project.gitmemo("rename", "--undo", "rate", "speed")
    assert project.run()[1] == 2


def test_an_argument_that_was_renamed_with_a_change_is_computed_anew(project: Clone) -> None:
    swap(project, "def train(data, rate=2)", "def train(data, speed=2)")
    swap(project, "* rate, lab", "* (speed + 1), lab")
    assert (
        "--non-breaking"
        in project.gitmemo("rename", "--argument", "train", "rate", "speed", code=2).err
    )
    assert project.run() == (2, 2)


def test_a_renamed_output(project: Clone) -> None:
    swap(project, 'output_names=["model", "loss"]', 'output_names=["model", "error"]')
    refused = project.gitmemo("run", "pipeline.py", code=1).err
    assert "the outputs were" in refused
    assert "gitmemo rename --output pipeline:train loss error" in refused
    project.gitmemo("rename", "--output", "train", "loss", "error")
    assert project.run() == (4, 0)
    assert [row["error"] for row in project.rows("train")] == [13, 16]
    assert project.run() == (4, 0)


def test_an_op_that_gave_itself_a_name(project: Clone) -> None:
    swap(project, "@gm.op\ndef load", '@gm.op(name="reading")\ndef load')
    assert "no stored call" in project.gitmemo("rename", "lode", "reading", code=2).err
    project.gitmemo("rename", "load", "reading")
    assert project.run() == (4, 0)
    assert "reading" in project.status()["ops"]
    swap(project, '"reading"', '"loading"')
    assert project.run()[1] > 0
    project.gitmemo("rename", "reading", "loading")
    assert project.run() == (4, 0)


# --- edited after it was renamed --------------------------------------------

HELPER = "N = 2\n\n\ndef f(x):\n    return x + 1\n\n\ndef g(x):\n    return x * N\n"
OPS = """\
import sys

import gitmemo as gm
import helper

storage = gm.open()


@gm.op
def a(x):
    return helper.f(x)


@gm.op
def b(x):
    return helper.g(x)


if __name__ == "__main__":
    with storage:
        for x in sys.argv[1:] or ["3"]:
            a(int(x)), b(int(x))
"""


@pytest.fixture(scope="session")
def moved_template(tmp_path_factory: pytest.TempPathFactory, begun_template: Clone) -> Clone:
    """Two committed calls, and the file that they used under another name."""
    clone = copy_of(begun_template, tmp_path_factory.mktemp("moved") / "project")
    clone.write("helper.py", HELPER)
    clone.write("pipeline.py", OPS)
    clone.commit("Code")
    assert clone.run() == (0, 2)
    clone.commit("Results", "--allow-empty")
    clone.git("mv", "helper.py", "tools.py")
    swap(clone, "helper", "tools", "pipeline.py")
    said = clone.commit("Move")
    assert "recognised: helper.py:f is tools.py:f now" in said
    return clone


@pytest.fixture
def moved(moved_template: Clone, tmp_path: Path) -> Clone:
    return copy_of(moved_template, tmp_path / "project")


def test_an_edit_after_a_move_is_asked_about_and_decided(moved: Clone) -> None:
    swap(moved, "x + 1", "1 + x", "tools.py")
    why = moved.gitmemo("why", "a", "x=3").out
    assert "tools.py:f: changed; nobody has decided" in why
    assert "gitmemo decide tools.py:f" in why
    assert "helper.py" not in why
    shown = moved.gitmemo("decide").out
    assert "1 stored call of pipeline:a" in shown
    assert "-    return x + 1" in shown
    moved.gitmemo("decide", "tools.py:f", "--non-breaking")
    assert moved.run() == (2, 0)


def test_a_commit_asks_about_an_edit_after_a_move(moved: Clone) -> None:
    assert moved.run() == (2, 0)
    swap(moved, "x + 1", "1 + x", "tools.py")
    assert "tools.py:f changed (pending" in moved.commit("Edit")
    moved.gitmemo("decide", "tools.py:f", "--breaking")
    assert moved.status()["undecided"] == []


def test_calls_under_both_names_are_asked_about_together(moved: Clone) -> None:
    assert moved.run("3", "4") == (2, 2)
    swap(moved, "x + 1", "1 + x", "tools.py")
    (case,) = moved.gitmemo("decide", "--json").out.splitlines()
    assert json.loads(case)["calls"] == {"pipeline:a": 2}
    moved.gitmemo("decide", "tools.py:f", "--non-breaking")
    assert moved.run("3", "4") == (4, 0)


def test_a_variable_that_is_changed_after_a_move(moved: Clone) -> None:
    swap(moved, "N = 2", "N = 1 + 1", "tools.py")
    assert moved.run() == (2, 0), "its value is the same"
    swap(moved, "N = 1 + 1", "N = 3", "tools.py")
    assert moved.status()["undecided"] == ["tools.py:$N"]
    moved.gitmemo("decide", "tools.py:$N", "--non-breaking")
    assert moved.run() == (2, 0)


def test_an_edit_after_a_rename_in_one_file(moved: Clone) -> None:
    swap(moved, "def f(", "def first(", "tools.py")
    swap(moved, "tools.f(", "tools.first(", "pipeline.py")
    assert "tools.py:f is tools.py:first now" in moved.commit("Rename")
    swap(moved, "x + 1", "1 + x", "tools.py")
    moved.gitmemo("decide", "tools.py:first", "--non-breaking")
    assert moved.run() == (2, 0)


def test_what_was_left_open_before_a_move_can_be_decided_after_it(moved: Clone) -> None:
    swap(moved, "x + 1", "1 + x", "tools.py")
    moved.commit("Left open")
    assert moved.run("4") == (0, 2)
    moved.git("mv", "tools.py", "kit.py")
    swap(moved, "tools", "kit", "pipeline.py")
    moved.commit("Move again")
    moved.gitmemo("decide", "kit.py:f", "--non-breaking")
    assert moved.run("3", "4") == (4, 0)


def test_a_helper_that_is_extracted_after_a_move_counts_for_older_results(moved: Clone) -> None:
    swap(
        moved,
        "def f(x):\n    return x + 1",
        "def inc(x):\n    return x + 1\n\n\ndef f(x):\n    return inc(x)",
        "tools.py",
    )
    said = moved.gitmemo("decide", "tools.py:f", "--non-breaking").out
    assert "depend on tools.py:inc" in said
    assert moved.run() == (2, 0)
    swap(moved, "return x + 1", "return x + 2", "tools.py")
    assert moved.run() == (1, 1), "what older results depend on changed"


def test_checks_and_evidence_after_a_move(moved: Clone) -> None:
    swap(moved, "x + 1", "x + 2", "tools.py")
    assert moved.run() == (1, 1)
    (case,) = moved.gitmemo("decide", "--json").out.splitlines()
    assert json.loads(case)["evidence"]["runs"]["differ"] == 1
    moved.gitmemo("decide", "tools.py:f", "--non-breaking", code=None)
    assert moved.status()["undecided"] == ["tools.py:f"], "against evidence not without --force"


def test_a_running_program_asks_about_an_edit_after_a_move(moved: Clone) -> None:
    swap(moved, "x + 1", "1 + x", "tools.py")
    swap(moved, "gm.open()", 'gm.open(on_change="error")', "pipeline.py")
    assert "tools.py:f" in moved.python("pipeline.py", code=1).err
    swap(moved, '"error"', '"non-breaking"', "pipeline.py")
    assert moved.run(GITMEMO_ON_CHANGE="error") == (2, 0)
