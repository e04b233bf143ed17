"""What people write for a piece of code: the same names everywhere, and what is said of it."""

from __future__ import annotations

import json
from collections.abc import Callable
from itertools import count
from pathlib import Path

import pytest
from driver import Clone, copy_of, make_clone

from gitmemo.errors import UnknownComponent
from gitmemo.hashing.digest import digest
from gitmemo.model.components import Component
from gitmemo.model.facts import Decision, Fact, Tombstone, Verdict
from gitmemo.model.lines import record_id, to_line
from gitmemo.model.spoken import meant
from gitmemo.short_ids import told_apart
from gitmemo.workspace import find

MODULE = """\
import gitmemo as gm

storage = gm.open()
RATE = 1


class Model:
    size = 1


def scale(x):
    return x * RATE


@gm.op
def f(x):
    return scale(x) + Model.size


if __name__ == "__main__":
    with storage:
        f(3)
"""


@pytest.fixture(scope="session")
def template(tmp_path_factory: pytest.TempPathFactory) -> Clone:
    """Calls of `f` with two values of a variable."""
    clone = make_clone(tmp_path_factory.mktemp("names") / "p", tmp_path_factory.mktemp("home"))
    clone.write("lib.py", MODULE)
    clone.gitmemo("init")
    clone.commit("Begin")
    clone.gitmemo("run", "lib.py")
    clone.gitmemo("commit", "-m", "Results")
    clone.change("RATE = 1", "RATE = 2", "lib.py")
    clone.gitmemo("run", "lib.py")
    return clone


@pytest.fixture
def clone(template: Clone, tmp_path: Path) -> Clone:
    return copy_of(template, tmp_path / "p")


@pytest.mark.parametrize("name", ["RATE", "lib.py:$RATE"])
def test_a_variable_is_called_the_same_everywhere(clone: Clone, name: str) -> None:
    clone.gitmemo("decide", name, "--breaking")
    assert clone.gitmemo("decide", name, "--revise", "--json").out.count("\n") == 1
    assert "breaking" in clone.gitmemo("log", name).out
    clone.gitmemo("deps", "add", "f", name)
    clone.gitmemo("deps", "remove", "f", name)
    assert "undecided again" in clone.gitmemo("decide", name, "--withdraw").out


@pytest.mark.parametrize("name", ["RATE", "scale"])
def test_a_change_is_checked_by_its_name_alone(clone: Clone, name: str) -> None:
    clone.change("return x * RATE", "return x * RATE + 1", "lib.py")
    assert "differs" in clone.gitmemo("check", f"code:{name}", code=7).out


def test_an_op_is_called_by_its_former_name_everywhere(clone: Clone) -> None:
    clone.change("def f(x)", "def g(x)", "lib.py")
    clone.gitmemo("rename", "f", "g")
    assert "lib.py:g depends on lib.py:$RATE" in clone.gitmemo("deps", "add", "f", "RATE").out


def test_a_method_is_renamed_by_its_name_alone(clone: Clone) -> None:
    clone.change(
        "    size = 1\n", "    size = 1\n\n    def grow(self):\n        return 2\n", "lib.py"
    )
    clone.change("Model.size", "Model().grow()", "lib.py")
    clone.gitmemo("run", "lib.py")
    clone.change("grow", "rise", "lib.py")
    assert "lib.py:Model.grow is lib.py:Model.rise" in clone.gitmemo("rename", "grow", "rise").text


@pytest.mark.parametrize(
    "name", ["RATE", "$RATE", "a.py:RATE", "a.py:$RATE", "Model", "class Model", "a.py:Model"]
)
def test_names_are_written_with_or_without_their_kind(name: str) -> None:
    variable, model = Component("a.py", "$RATE"), Component("a.py", "class Model")
    method, other = Component("a.py", "Model.fit"), Component("b.py", "f")
    found = meant(name, [variable, model, method, other])
    assert found == (variable if "RATE" in name else model)
    assert meant(f"{name}s", [variable, model, method, other]) is None
    assert meant("fit", [variable, model, method, other]) == method


def test_a_name_with_its_file_is_more_exact() -> None:
    both = [Component("a.py", "f"), Component("b.py", "f"), Component("b.py", "$f")]
    assert meant("a.py:f", both) == both[0]
    assert meant("b.py:$f", both) == both[2]
    with pytest.raises(UnknownComponent, match=r"could be any of a\.py:f, b\.py:f"):
        meant("f", both)


def test_what_is_shown_can_be_typed_as_it_is(clone: Clone) -> None:
    done = clone.gitmemo("decide")
    assert "lib.py:$RATE changed" in done.out
    assert "gitmemo decide lib.py:RATE --non-breaking" in done.err
    assert "── $RATE  " in clone.gitmemo("deps", "f").out


def test_a_name_that_several_have_is_not_guessed_at(clone: Clone) -> None:
    clone.write("other.py", MODULE.replace("f(3)", "f(4)"))
    clone.gitmemo("run", "other.py")
    clone.change("RATE = 1", "RATE = 5", "other.py")
    clone.change("RATE = 2", "RATE = 5", "lib.py")
    for command in (
        ("decide", "RATE", "--breaking"),
        ("log", "RATE"),
        ("check", "code:RATE"),
        ("deps", "add", "lib.py:f", "RATE"),
    ):
        said = clone.gitmemo(*command, code=2).err
        assert "lib.py:$RATE, other.py:$RATE" in said
        assert "path/to/file.py:name" in said


def test_a_typing_error_is_answered_with_what_was_meant(clone: Clone) -> None:
    for command in (
        ("decide", "lib.py:RATES", "--breaking"),
        ("check", "code:RATES"),
        ("log", "RATES"),
        ("deps", "add", "f", "lib.py:RATES"),
    ):
        assert "lib.py:RATE" in clone.gitmemo(*command, code=2).err
    for flag in ("--withdraw", "--revise"):
        error = json.loads(clone.gitmemo("decide", "RATE", flag, "--json", code=2).err)["error"]
        assert error["kind"] == "nothing-decided"
        assert "undecided change" not in error["problem"]


def test_a_revised_verdict_is_held_against_the_evidence_too(clone: Clone) -> None:
    clone.gitmemo("decide", "RATE", "--breaking")
    said = clone.gitmemo("decide", "RATE", "--revise", "--non-breaking", code=7).err
    assert "1 returned something else" in said
    assert "--force" in said
    (made,) = clone.gitmemo("decide", "--revise", "--json").out.splitlines()
    assert json.loads(made)["decision"] == "breaking"
    clone.gitmemo("decide", "RATE", "--revise", "--non-breaking", "--force")
    clone.gitmemo("decide", "RATE", "--revise", "--breaking")


def test_the_log_says_what_became_of_a_decision_and_names_it(clone: Clone) -> None:
    clone.gitmemo("decide", "RATE", "--breaking")
    (made,) = clone.gitmemo("decide", "--revise", "--json").out.splitlines()
    short = json.loads(made)["id"][:12]
    assert short in clone.gitmemo("log", "RATE").out
    clone.gitmemo("decide", short, "--withdraw")
    said = clone.gitmemo("log", "RATE").out
    assert f"decision {short}, withdrawn" in said
    assert "replaced" not in said
    clone.gitmemo("decide", "RATE", "--breaking", "-m", "again")
    clone.gitmemo("decide", "RATE", "--revise", "--breaking", "-m", "better")
    said = clone.gitmemo("log", "RATE").out
    assert "replaced by a later one" in said
    assert "withdrawn" in said


def test_a_content_is_not_compared_with_a_version(clone: Clone) -> None:
    lines = clone.gitmemo("log", "scale", "--json").out.splitlines()
    content = json.loads(lines[0])["content"]
    version = json.loads(clone.gitmemo("versions", "f", "--json").out.splitlines()[0])
    said = clone.gitmemo("diff", "--code", version["content_id"], content, code=2).err
    assert "a version" in said
    assert "a content" in said
    assert "gitmemo show" in said


def twins(make: Callable[[str], Fact]) -> dict[str, Fact]:
    """Return two facts by their ids, which begin with the same four digits."""
    seen: dict[str, tuple[str, Fact]] = {}
    for number in count():
        fact = make(str(number))
        ident = record_id(to_line(fact)).hex()
        if ident[:4] in seen:
            return dict([seen[ident[:4]], (ident, fact)])
        seen[ident[:4]] = ident, fact
    raise AssertionError


@pytest.mark.parametrize(
    ("make", "words"),
    [
        (lambda why: Tombstone((digest(b"a"),), (digest(b"b"),), why), "forget --undo ID"),
        (
            lambda why: Decision(
                Component("lib.py", "f"), digest(b"a"), digest(b"b"), Verdict.BREAKING, why
            ),
            "decide --revise ID",
        ),
    ],
    ids=["undo", "revise"],
)
def test_an_id_that_several_have_is_not_guessed_at(
    clone: Clone, make: Callable[[str], Fact], words: str
) -> None:
    both = twins(make)
    world = find(clone.root).world
    world.enter()
    world.record(list(both.values()))
    beginning = next(iter(both))[:4]
    done = clone.gitmemo(*words.replace("ID", beginning.upper()).split(), code=2)
    assert "ambiguous" in done.err
    assert all(ident in done.err for ident in told_apart(both))
    assert clone.gitmemo(*words.replace("ID", told_apart(both)[0].upper()).split()).code == 0


@pytest.mark.parametrize("words", ["forget --undo abc", "decide --revise abc", "show abc"])
def test_three_digits_are_no_id(clone: Clone, words: str) -> None:
    clone.gitmemo(*words.split(), code=2)


def test_ids_that_share_their_beginning_are_shown_longer() -> None:
    assert told_apart(["ab" * 32, "cd" * 32]) == ["ab" * 6, "cd" * 6]
    assert told_apart(["a" * 63 + "b", "a" * 64]) == ["a" * 64, "a" * 63 + "b"]
