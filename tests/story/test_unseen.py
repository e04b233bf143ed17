"""What nothing can see: helpers that were extracted, and dependencies added by hand."""

from __future__ import annotations

import json
from typing import Any

import pytest
from driver import GITMEMO, Clone, at_terminal, copy_of, make_clone

BEFORE = """\
import gitmemo as gm

storage = gm.open()


@gm.op
def f(x):
    return x + 10


if __name__ == "__main__":
    with storage:
        print(storage.unwrap(f(1)))
"""

AFTER = """\
import gitmemo as gm
from parts import helper

storage = gm.open()


@gm.op
def f(x):
    return helper(x)


if __name__ == "__main__":
    with storage:
        print(storage.unwrap(f(1)))
"""

PARTS = """\
STEP = 10


def deeper(x):
    return x + STEP


def helper(x):
    return deeper(x)


def unrelated(x):
    return x
"""


@pytest.fixture(scope="session")
def extracted_template(tmp_path_factory: pytest.TempPathFactory) -> Clone:
    """A call of `f`, made before its body was moved to a helper in another file."""
    clone = make_clone(tmp_path_factory.mktemp("unseen") / "p", tmp_path_factory.mktemp("home"))
    clone.write("m.py", BEFORE)
    clone.gitmemo("init")
    clone.commit("Begin")
    assert result(clone) == ("11", (0, 1))
    clone.commit("Results", "--allow-empty")
    clone.write("m.py", AFTER)
    clone.write("parts.py", PARTS)
    return clone


@pytest.fixture
def extracted(extracted_template: Clone, tmp_path: Any) -> Clone:
    return copy_of(extracted_template, tmp_path / "p")


def result(clone: Clone) -> tuple[str, tuple[int, int]]:
    done = clone.gitmemo("run", "m.py")
    return done.out.strip(), done.counted


def undecided(clone: Clone) -> list[dict[str, Any]]:
    lines = clone.gitmemo("decide", "--json").out.splitlines()
    return [json.loads(line) for line in lines]


def test_components_that_only_the_new_code_calls_are_noticed(extracted: Clone) -> None:
    (change,) = undecided(extracted)
    assert change["new_dependencies"] == ["parts.py:$STEP", "parts.py:deeper", "parts.py:helper"]


@pytest.mark.parametrize(
    ("old", "new", "expected"),
    [
        ("return deeper(x)", "return deeper(x) + 5", "16"),
        ("STEP = 10", "STEP = 20", "21"),
        ("return x + STEP", "return x * STEP", "10"),
    ],
)
def test_a_later_breaking_change_of_an_extracted_helper_reaches_old_results(
    extracted: Clone, old: str, new: str, expected: str
) -> None:
    said = extracted.gitmemo("decide", "--non-breaking")
    assert "older results depend on parts.py:helper too" in said.out
    assert result(extracted) == ("11", (1, 0))
    extracted.commit("Extract")
    extracted.change(old, new, "parts.py")
    assert result(extracted) == (expected, (0, 1))
    extracted.commit("Change", GITMEMO_ON_CHANGE="breaking")
    assert result(extracted) == (expected, (1, 0))
    # The text of before does without the helper, whatever became of that.
    extracted.write("m.py", BEFORE)
    assert result(extracted) == ("11", (1, 0))


def test_a_non_breaking_change_of_the_helper_keeps_old_results(extracted: Clone) -> None:
    extracted.gitmemo("decide", "--non-breaking")
    extracted.commit("Extract")
    extracted.change("return deeper(x)", "return deeper(x) + 0", "parts.py")
    extracted.commit("Add nothing", GITMEMO_ON_CHANGE="non-breaking")
    assert result(extracted) == ("11", (1, 0))


def test_without_the_dependency_old_results_stay_as_they_are(extracted: Clone) -> None:
    extracted.gitmemo("decide", "--non-breaking", "--no-deps")
    extracted.change("STEP = 10", "STEP = 20", "parts.py")
    assert result(extracted) == ("11", (1, 0))


def test_what_has_nothing_to_do_with_the_new_text_is_not_added(extracted: Clone) -> None:
    extracted.gitmemo("decide", "--non-breaking")
    extracted.change(
        "def unrelated(x):\n    return x", "def unrelated(x):\n    return 7", "parts.py"
    )
    assert result(extracted) == ("11", (1, 0))


def test_the_policy_adds_what_the_new_code_calls_and_says_so(extracted: Clone) -> None:
    said = extracted.commit("Extract", GITMEMO_ON_CHANGE="non-breaking")
    assert "m.py:f changed (non-breaking)" in said
    assert "older results depend on parts.py:$STEP, parts.py:deeper, parts.py:helper too" in said
    extracted.change("STEP = 10", "STEP = 20", "parts.py")
    assert result(extracted) == ("21", (0, 1))


@pytest.mark.parametrize(("answer", "expected"), [("", "21"), ("y", "21"), ("n", "11")])
def test_a_person_is_asked_at_the_commit(extracted: Clone, answer: str, expected: str) -> None:
    extracted.git("add", "-A")
    with at_terminal(extracted, "git", "commit", "-q", "-m", "Extract") as terminal:
        terminal.expect("[a]bort: ")
        terminal.send("n\n")
        terminal.expect("parts.py:$STEP, parts.py:deeper, parts.py:helper")
        terminal.expect("[Y/n]: ")
        terminal.send(f"{answer}\n")
        assert terminal.finish() == 0
    extracted.change("STEP = 10", "STEP = 20", "parts.py")
    assert result(extracted)[0] == expected


def test_a_person_is_asked_in_a_review(extracted: Clone) -> None:
    with at_terminal(extracted, *GITMEMO, "decide") as terminal:
        terminal.expect("[a]bort: ")
        terminal.send("n\n")
        terminal.expect("[Y/n]: ")
        terminal.send("\n")
        terminal.expect("no reason) ")
        terminal.send("\n")
        assert terminal.finish() == 0
    extracted.change("STEP = 10", "STEP = 20", "parts.py")
    assert result(extracted) == ("21", (0, 1))


def test_results_of_a_still_older_equivalent_text_depend_on_the_helper_too(tmp_path: Any) -> None:
    home = tmp_path / "home"
    home.mkdir()
    clone = make_clone(tmp_path / "p", home)
    clone.write("m.py", BEFORE)
    clone.gitmemo("init")
    clone.commit("Begin")
    result(clone)
    clone.commit("Results", "--allow-empty")
    clone.change("x + 10", "10 + x", "m.py")
    clone.commit("Turn around", GITMEMO_ON_CHANGE="non-breaking")
    clone.write("m.py", AFTER)
    clone.write("parts.py", PARTS)
    clone.commit("Extract", GITMEMO_ON_CHANGE="non-breaking")
    assert result(clone) == ("11", (1, 0))
    clone.change("STEP = 10", "STEP = 20", "parts.py")
    assert result(clone) == ("21", (0, 1))
    clone.write("m.py", BEFORE)
    assert result(clone) == ("11", (1, 0))
    clone.change("x + 10", "10 + x", "m.py")  # this text does without the helper as well
    assert result(clone) == ("11", (1, 0))


# --- by hand --------------------------------------------------------------------

READER = """\
import gitmemo as gm

storage = gm.open()


def load():
    return __import__("parts").STEP


TABLE = {}


@gm.op
def f(x):
    return x + getattr(__import__("registry"), "chosen")()


@gm.op(name="a name")
def g(x):
    return x


if __name__ == "__main__":
    with storage:
        print(storage.unwrap(f(1)))
        g(1)
"""
REGISTRY = """\
import json, pathlib


def chosen():
    text = pathlib.Path(__file__).with_name("parts.py").read_text()
    return int(text.split("STEP = ")[1].split()[0])
"""


@pytest.fixture
def unseen(tmp_path: Any) -> Clone:
    """An op that reads a file of code as text, so that nothing sees what it depends on."""
    home = tmp_path / "home"
    home.mkdir()
    clone = make_clone(tmp_path / "p", home)
    clone.write("m.py", READER)
    clone.write("registry.py", REGISTRY)
    clone.write("parts.py", PARTS)
    clone.gitmemo("init")
    clone.commit("Begin")
    assert result(clone) == ("11", (0, 2))
    return clone


def test_an_added_dependency_counts_for_old_and_for_new_results(unseen: Clone) -> None:
    unseen.change("STEP = 10", "STEP = 20", "parts.py")
    assert result(unseen) == ("11", (2, 0))  # nothing sees it
    unseen.change("STEP = 20", "STEP = 10", "parts.py")
    said = unseen.gitmemo("deps", "add", "f", "parts.py:STEP", "-m", "it reads the file")
    assert "m.py:f depends on parts.py:$STEP" in said.out
    assert "already" in unseen.gitmemo("deps", "add", "f", "parts.py:STEP").out
    assert "STEP = 10" in unseen.gitmemo("log", "parts.py:STEP", "-p").out
    assert result(unseen) == ("11", (2, 0))
    unseen.change("STEP = 10", "STEP = 20", "parts.py")
    assert result(unseen) == ("21", (1, 1))
    unseen.change("STEP = 20", "STEP = 30", "parts.py")
    assert result(unseen) == ("31", (1, 1))
    unseen.change("STEP = 30", "STEP = 20", "parts.py")
    assert result(unseen) == ("21", (2, 0))
    unseen.change("STEP = 20", "STEP = 10", "parts.py")
    assert result(unseen) == ("11", (2, 0))


def test_a_dependency_that_was_removed_and_added_again(unseen: Clone) -> None:
    for _ in range(2):
        unseen.gitmemo("deps", "add", "f", "parts.py:STEP")
        unseen.change("STEP = 10", "STEP = 20", "parts.py")
        assert unseen.status()["ops"]["m:f"]["current"] == 0
        unseen.gitmemo("deps", "remove", "f", "parts.py:STEP")
        assert unseen.status()["ops"]["m:f"]["current"] == 1
        unseen.change("STEP = 20", "STEP = 10", "parts.py")
    done = unseen.gitmemo("deps", "remove", "f", "parts.py:STEP", code=2)
    assert "nobody said that m.py:f depends on parts.py:STEP" in done.err


@pytest.mark.parametrize("name", ["parts.py:Table", "parts.py:class Table"])
def test_what_was_added_is_removed_under_the_same_name(unseen: Clone, name: str) -> None:
    unseen.change("STEP = 10", "STEP = 10\n\n\nclass Table:\n    rows = 1", "parts.py")
    unseen.gitmemo("deps", "add", "f", name)
    assert "does not depend" in unseen.gitmemo("deps", "remove", "f", name).out


def test_the_op_may_have_a_name_of_its_own_or_be_written_as_a_function(unseen: Clone) -> None:
    unseen.gitmemo("deps", "add", "a name", "parts.py:helper")
    unseen.gitmemo("deps", "add", "m.py:load", "parts.py:helper")
    assert unseen.status()["ops"]["a name"]["current"] == 1
    unseen.change("return deeper(x)", "return 1", "parts.py")
    assert unseen.status()["ops"]["a name"]["current"] == 0


def test_the_dependency_goes_with_the_commit(unseen: Clone) -> None:
    unseen.gitmemo("deps", "add", "f", "parts.py:STEP")
    unseen.commit("Depend", "--allow-empty")
    assert [line for line in unseen.committed() if line.startswith('["dependency"')]


@pytest.mark.parametrize("name", ["parts.py:helpr", "nowhere.py:f", "helper"])
def test_names_that_mean_nothing_are_refused(unseen: Clone, name: str) -> None:
    done = unseen.gitmemo("deps", "add", "f", name, code=2)
    assert "is called" in done.err
    assert ("parts.py:helper" in done.err) == (name == "parts.py:helpr")


# --- what is known of them ------------------------------------------------------


def test_a_changed_helper_is_named_with_its_old_text_and_a_remedy(extracted: Clone) -> None:
    extracted.gitmemo("decide", "m.py:f", "--non-breaking")
    extracted.commit("Extract")
    assert any('["source",' in line and '"helper"' in line for line in extracted.committed())
    extracted.change("return deeper(x)", "return deeper(x) + 5", "parts.py")
    said = extracted.gitmemo("why", "f", "x=1").out
    assert "parts.py:helper (a dependency that was added): changed" in said
    assert "gitmemo decide parts.py:helper --non-breaking" in said
    assert "return deeper(x)" in extracted.gitmemo("log", "parts.py:helper", "-p").out
    said = extracted.gitmemo("decide").out
    assert "-    return deeper(x)" in said
    assert "+    return deeper(x) + 5" in said
    assert "+def helper" not in said


def test_branches_that_disagree_about_a_helper_show_both_texts(extracted: Clone) -> None:
    extracted.gitmemo("decide", "m.py:f", "--non-breaking")
    extracted.commit("Extract")
    for branch, verdict in (("left", "breaking"), ("right", "non-breaking")):
        extracted.git("checkout", "-q", "-b", branch, "main")
        extracted.change("return deeper(x)", "return deeper(x) + 5", "parts.py")
        extracted.commit(f"Edit on {branch}", GITMEMO_ON_CHANGE=verdict)
    extracted.process("git", "merge", "-q", "--no-edit", "left")
    said = extracted.gitmemo("decide").out
    assert "parts.py:helper is contested" in said
    assert "-    return deeper(x)" in said
    assert "+    return deeper(x) + 5" in said
