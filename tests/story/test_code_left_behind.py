"""Calls wait for the commit that has the code which made them, and each commit before says so."""

from __future__ import annotations

import json

import pytest
from driver import Clone, at_terminal, make_clone

_LEFT = "pending: this commit does not have the code that made them: git add"

_THROWN = (
    "{} pending: the code that made them was thrown away: "
    "gitmemo drop --stale --pending leaves them out"
)


@pytest.fixture
def edited(committed: Clone) -> Clone:
    """A project where the edit of a helper was run, and something else is staged."""
    committed.change("value * 2", "value * 3")
    assert committed.run() == (1, 4)
    committed.write("notes.txt", "second\n")
    committed.git("add", "notes.txt")
    return committed


def _say(clone: Clone, *arguments: str) -> str:
    return clone.process("git", "commit", "-q", "-m", "Go on", *arguments).err


def test_the_first_commit_names_a_program_that_nobody_added(begun: Clone) -> None:
    clone = make_clone(begun.root.parent / "new", begun.home)
    for name in ("helper.py", "pipeline.py"):
        clone.write(name, (begun.root / name).read_text("utf-8"))
    clone.gitmemo("init")
    assert clone.run() == (0, 5)
    said = _say(clone, "-a")
    assert f"5 calls stay {_LEFT} helper.py pipeline.py" in said
    assert "in this commit\n" not in said
    assert clone.calls_in() == 0
    assert clone.run() == (5, 0)
    clone.git("add", "helper.py", "pipeline.py")
    said = clone.process("git", "commit", "-q", "--amend", "--no-edit").err
    assert "5 calls in this commit" in said
    assert _LEFT not in said
    assert clone.calls_in() == 5
    assert clone.status()["pending"] == 0


def test_an_edit_that_was_run_is_asked_about_when_it_is_committed(edited: Clone) -> None:
    """Also a call of code that did not change waits, if it used such a result."""
    assert f"4 calls stay {_LEFT} helper.py" in _say(edited)
    assert (edited.calls_in(), edited.status()["pending"]) == (5, 4)
    with at_terminal(edited, "git", "commit", "-q", "-am", "Change") as terminal:
        terminal.expect("helper.py:scale changed")
        terminal.expect("[a]bort: ")
        terminal.send("b\n")
        assert terminal.finish() == 0
        assert "4 calls in this commit" in terminal.text
    assert edited.calls_in() == 9
    assert edited.is_clean()
    assert edited.run() == (5, 0)


def test_calls_of_other_code_go_along(edited: Clone) -> None:
    edited.write(
        "more.py", "import gitmemo as gm\n\n\n@gm.op\ndef one(x):\n    return x\n\n\none(1)\n"
    )
    edited.git("add", "more.py")
    assert edited.gitmemo("run", "more.py").counted == (0, 1)
    said = _say(edited)
    assert "1 call in this commit" in said
    assert f"4 calls stay {_LEFT} helper.py" in said
    assert edited.status()["pending"] == 4


def test_a_commit_of_one_path_leaves_what_is_staged_besides(edited: Clone) -> None:
    edited.git("add", "helper.py")
    assert f"4 calls stay {_LEFT} helper.py" in _say(edited, "notes.txt")
    assert "4 calls in this commit" in _say(edited)
    assert edited.is_clean()


def test_an_experiment_that_was_replaced_goes_along(committed: Clone) -> None:
    committed.change("value * 2", "value * 3")
    committed.run()
    committed.change("value * 3", "value * 4")
    committed.run()
    said = committed.commit("Both")
    assert "pending: this" not in said and "thrown away" not in said
    assert committed.status()["pending"] == 0


@pytest.mark.parametrize("arguments", [("-m", "Notes"), ("--amend", "--no-edit")])
def test_no_commit_takes_calls_of_code_that_was_thrown_away(
    committed: Clone, arguments: tuple[str, ...]
) -> None:
    committed.run("3")
    committed.change("value * 2", "value * 5")
    assert committed.run("1") == (1, 2)
    committed.git("stash", "-q")
    committed.write("notes.txt", "second\n")
    said = committed.process("git", "commit", "-q", "-a", *arguments).err
    assert "2 calls in this commit" in said
    assert _THROWN.format("2 calls stay") in said
    assert (committed.calls_in(), committed.status()["pending"]) == (7, 2)
    committed.git("stash", "pop", "-q")
    with at_terminal(committed, "git", "commit", "-q", "-am", "After all") as terminal:
        terminal.expect("helper.py:scale changed")
        terminal.expect("[a]bort: ")
        terminal.send("b\n")
        assert terminal.finish() == 0
        assert "2 calls in this commit" in terminal.text
    assert (committed.calls_in(), committed.status()["pending"]) == (9, 0)
    assert committed.run("1") == (3, 0)


def test_what_is_equivalent_to_the_code_that_is_left_goes_along(committed: Clone) -> None:
    committed.change("value * 2", "value + value")
    assert committed.run("4") == (1, 2)
    committed.gitmemo("decide", "--non-breaking")
    committed.git("checkout", "-q", "helper.py")
    committed.write("notes.txt", "second\n")
    said = committed.commit("Notes")
    assert "2 calls in this commit" in said and "thrown away" not in said
    assert committed.run("4") == (3, 0)


def test_calls_that_used_what_was_thrown_away_stay_with_it(committed: Clone) -> None:
    committed.change("value * 2", "value * 5")
    committed.change("sum(weights)", "sum(weights) + 1", "pipeline.py")
    assert committed.run("4") == (1, 2)
    committed.git("checkout", "-q", "pipeline.py")
    assert committed.run("4") == (2, 1)
    committed.git("checkout", "-q", "helper.py")
    committed.write("notes.txt", "second\n")
    assert _THROWN.format("3 calls stay") in committed.commit("Notes")
    committed.gitmemo("drop", "--stale", "--pending", "--yes")
    committed.write("notes.txt", "third\n")
    assert "thrown away" not in committed.commit("More notes")
    assert committed.status()["pending"] == 0


def test_a_file_with_a_strange_name_is_named_as_a_shell_takes_it(committed: Clone) -> None:
    committed.write("my [helper].py", "def once(value):\n    return value\n")
    loads = "runpy.run_path('my [helper].py')['once'](scale(value) * rate)"
    committed.change("scale(value) * rate", loads, "pipeline.py")
    committed.change("import sys\n", "import runpy\nimport sys\n", "pipeline.py")
    assert committed.run("1") == (2, 1)
    committed.git("add", "pipeline.py")
    assert f"1 call stays {_LEFT} 'my [helper].py'" in _say(committed)


def test_the_code_of_an_ignored_file_is_not_waited_for(committed: Clone) -> None:
    """No commit will ever have it."""
    committed.write(".gitignore", "__pycache__/\nscratch.py\n")
    committed.write("scratch.py", (committed.root / "pipeline.py").read_text("utf-8"))
    assert committed.gitmemo("run", "scratch.py").counted == (0, 5)
    assert "5 calls in this commit" in committed.commit("Ignore it")


def test_what_fits_is_committed_alone_and_what_waits_is_told(committed: Clone) -> None:
    committed.change("value * 2", "value * 5")
    committed.run("1")
    committed.git("stash", "-q")
    thrown = "gitmemo drop --stale --pending"
    assert "2 of them belong to code that is not here" in committed.gitmemo("status").out
    assert "`gitmemo commit`" not in committed.gitmemo("status").out
    assert "code that is not here" in (said := committed.gitmemo("doctor").out) and thrown in said
    assert "gitmemo commit" not in said
    assert thrown in committed.gitmemo("commit", code=3).err
    push = ("hook", "run", "pre-push", "origin", "url")
    assert "in no commit" not in committed.gitmemo(*push).err
    committed.run("3")
    assert "2 calls in no commit yet" in committed.gitmemo(*push).err
    call = json.loads(
        committed.gitmemo("calls", "evaluate", "--limit", "1", "--json").out.splitlines()[0]
    )
    committed.gitmemo("tag", "best", str(call["hid"]))
    counts = committed.status()
    assert [counts[f"pending{one}"] for one in ("", "_thrown_away", "_uncommitted")] == [4, 2, 0]
    assert _THROWN.format("2 calls stay") in committed.gitmemo("commit", "--dry-run").err
    done = committed.gitmemo("commit")
    assert "2 calls in this commit" in done.err and _THROWN.format("2 calls stay") in done.err
    assert committed.status()["pending_statements"] == 0
    committed.git("stash", "pop", "-q")
    said = committed.gitmemo("status").out
    assert "2 of them join the commit that has the code which made them: helper.py" in said
