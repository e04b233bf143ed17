"""`gitmemo why OP name=value`: judged by the code of today, from the command line."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from driver import Clone, copy_of, make_project

KINDS = """\
import gitmemo as gm

storage = gm.open()


@gm.op
def pick(name, size=1, options=None):
    return size


@gm.op
def never(x):
    return x


if __name__ == "__main__":
    print("the main part ran")
    with storage:
        pick("ada", size=1, options={"a": 1, "b": 2})
"""


COUNT = """\
import gitmemo as gm

storage = gm.open()


@gm.op
def lines(csv):
    return len(csv.read_text().splitlines())


if __name__ == "__main__":
    with storage:
        lines(gm.File("data.csv"))
"""


@pytest.fixture(scope="session")
def template(tmp_path_factory: pytest.TempPathFactory) -> Clone:
    clone = make_project(tmp_path_factory.mktemp("why") / "p", tmp_path_factory.mktemp("home"))
    clone.write("src/kinds.py", KINDS)
    clone.commit("Kinds")
    clone.gitmemo("run", "pipeline.py")
    clone.gitmemo("run", "src/kinds.py")
    return clone


@pytest.fixture
def project(template: Clone, tmp_path: Path) -> Clone:
    return copy_of(template, tmp_path / "p")


def why(project: Clone, *arguments: str) -> dict[str, Any]:
    found: dict[str, Any] = json.loads(project.gitmemo("why", *arguments, "--json").out)
    return found


def test_a_hit_and_new_inputs(project: Clone) -> None:
    records = project.records()
    found = why(project, "train", "rate=2")
    assert (found["status"], found["taken"]) == ("hit", ["data"])
    done = project.gitmemo("why", "train", "rate=3")
    assert "pipeline:train would be computed: it is not stored with these inputs" in done.out
    assert "rate: stored 2, given 3" in done.out or "rate: stored 1, given 3" in done.out
    assert "taken from the nearest stored call: data" in done.err
    assert project.records() == records
    assert project.is_clean()


def test_an_argument_that_a_run_makes_anew_is_told(project: Clone) -> None:
    project.change("list(range(size))", "[*range(size), 0]", "pipeline.py")
    done = project.gitmemo("why", "evaluate", "rate=2")
    assert "pipeline:evaluate is stored with these inputs, but a run makes model anew" in done.out
    taken = "model (made by pipeline:train from pipeline:load, of older code: a run makes it anew)"
    assert f"taken from the nearest stored call: {taken}" in done.err
    assert why(project, "evaluate", "rate=2")["outdated"] == {"model": "pipeline:load"}
    assert why(project, "train", "rate=2")["outdated"] == {"data": "pipeline:load"}
    assert project.run() == (0, 5)
    assert why(project, "train", "rate=2")["outdated"] == {}
    project.change("[*range(size), 0]", "[*range(size)] + [0]", "pipeline.py")
    assert project.run() == (4, 1)
    found = why(project, "evaluate", "rate=2")
    assert (found["status"], found["outdated"]) == ("hit", {}), "new code made the same"


def test_a_file_from_the_stored_call_may_hold_something_else_by_now(project: Clone) -> None:
    project.write("data.csv", "1\n")
    project.write("count.py", COUNT)
    project.gitmemo("run", "count.py")
    project.write("data.csv", "2\n")
    done = project.gitmemo("why", "lines")
    assert "the call is stored, and its code is the same, if csv did not change since" in done.out
    assert "taken from the nearest stored call: csv (the file as it was then)" in done.err


def test_defaults_literals_and_text(project: Clone) -> None:
    found = why(project, "pick", "name=ada", "options={'a': 1, 'b': 2}")
    assert (found["status"], found["taken"]) == ("hit", [])
    found = why(project, "kinds:pick", "name=ada", "size=1.0", "options={'a': 1, 'b': 2}")
    (difference,) = found["differences"]
    assert difference["name"] == "size"
    assert difference["how"].startswith("same value, other type")
    found = why(project, "pick", "name=ada", "options={'b': 2, 'a': 1}")
    (difference,) = found["differences"]
    assert difference["how"] == "only the order of the dict differs"


def test_changed_code_is_judged_as_it_is_today(project: Clone) -> None:
    project.change("value * 2", "value * 3")
    done = project.gitmemo("why", "train", "rate=2")
    assert "stored with these inputs, but for other code" in done.out
    assert "helper.py:scale: changed; nobody has decided" in done.out
    assert "gitmemo decide helper.py:scale --non-breaking" in done.out
    project.gitmemo("decide", "helper.py:scale", "--breaking", "-m", "three is another number")
    [changed] = why(project, "train", "rate=2")["changed"]
    [said] = changed.pop("decided")
    assert changed == {"component": "helper.py:scale", "state": "breaking", "added": False}
    assert said.endswith(": breaking: three is another number")
    assert f"decided: {said}" in project.gitmemo("why", "train", "rate=2").out
    project.change("value * 3", "value * 4")
    project.gitmemo("decide", "helper.py:scale", "--non-breaking")
    assert why(project, "train", "rate=2")["status"] == "hit"


def test_a_component_that_is_gone(project: Clone) -> None:
    project.change("scale(value)", "2 * value", "pipeline.py")
    project.change("def scale(value):\n    return value * 2\n", "scale = None\n")
    found = why(project, "train", "rate=2")
    gone = {"component": "helper.py:scale", "state": "gone", "decided": [], "added": False}
    assert gone in found["changed"]


def test_the_main_part_is_not_run(project: Clone) -> None:
    assert "main part" not in project.gitmemo("why", "pick", "name=x").text


STRAIGHT = """\
import gitmemo as gm

storage = gm.open()


def noted(name):
    with open("ran.txt", "a") as file:
        file.write(name)


@gm.op
def one(x):
    noted("one ")
    return x + CUT


CUT = 3

with storage:
    print(storage.unwrap(one(1)))
total = one(2)
print(total)


@gm.op
def two(x):
    noted("two ")
    return x + LATER


LATER = 10
with storage:
    two(1)
"""


def test_a_program_without_a_main_part_makes_no_calls(project: Clone) -> None:
    project.write("straight.py", STRAIGHT)
    assert project.gitmemo("run", "straight.py").counted == (0, 3)
    project.change("CUT = 3", "CUT = 4", "straight.py")
    project.change("LATER = 10", "LATER = 11", "straight.py")
    records = project.records()
    for op, variable in (("one", "CUT"), ("two", "LATER")):
        found = why(project, op, "x=1")
        assert found["status"] == "code changed"
        assert [one["component"] for one in found["changed"]] == [f"straight.py:${variable}"]
    project.gitmemo("check", "op:two")
    assert (project.root / "ran.txt").read_text() == "one one two "
    project.gitmemo("check", "code:straight.py:LATER", code=7)
    assert (project.root / "ran.txt").read_text() == "one one two two "
    assert project.records() == records


def test_an_op_that_was_never_called(project: Clone) -> None:
    assert why(project, "src/kinds.py:never", "x=1")["status"] == "not stored"
    assert why(project, "kinds:never", "x=1")["status"] == "not stored"
    done = project.gitmemo("why", "kinds:never", code=2)
    assert "'x' missing, and no stored call has it" in done.err


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (("trian", "rate=1"), "did you mean 'pipeline:train'"),
        (("train", "ratte=1"), "it has no argument 'ratte'"),
        (("train", "rate"), "write NAME=VALUE"),
        (("train", "1=2"), "write NAME=VALUE"),
    ],
)
def test_mistakes_are_named(project: Clone, arguments: tuple[str, ...], said: str) -> None:
    done = project.gitmemo("why", *arguments, code=2)
    assert said in done.err
    assert "Traceback" not in done.err


def test_a_name_that_means_several_ops(project: Clone) -> None:
    project.write("other.py", KINDS)
    project.gitmemo("run", "other.py")
    done = project.gitmemo("why", "pick", "name=x", code=2)
    assert "could be any of kinds:pick, other:pick" in done.err
    assert why(project, "other:pick", "name=x")["op"] == "other:pick"
