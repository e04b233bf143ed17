"""`gitmemo check code:COMPONENT` in real repositories: does a change matter?"""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from driver import Clone, copy_of, make_project


@pytest.fixture(scope="session")
def ran(tmp_path_factory: pytest.TempPathFactory) -> Clone:
    clone = make_project(tmp_path_factory.mktemp("code") / "p", tmp_path_factory.mktemp("home"))
    clone.run("1", "2", "3")
    clone.commit("Results", "--allow-empty")
    return clone


@pytest.fixture
def project(ran: Clone, tmp_path: Path) -> Clone:
    return copy_of(ran, tmp_path / "p")


def evidence(clone: Clone) -> object:
    (change,) = clone.gitmemo("decide", "--json").out.splitlines()
    return json.loads(change)["evidence"]["checked"]


def test_a_change_that_does_not_matter(project: Clone) -> None:
    project.change("value * 2", "value + value")
    done = project.gitmemo("check", "code:helper.py:scale")
    assert "code:helper.py:scale: 3 same (3 stored calls)" in done.out
    assert project.records() == 0
    assert project.git("status", "--porcelain").split() == ["M", "helper.py"]
    assert evidence(project) == {"equal": 3, "differ": 0}
    assert "3 calls checked here: 3 returned the same" in project.gitmemo("decide").out
    project.gitmemo("decide", "scale", "--non-breaking")
    assert project.run("1", "2", "3") == (7, 0)


def test_a_change_that_matters_is_shown_and_stands_against_a_verdict(project: Clone) -> None:
    project.change("value * 2", "value * 2 + (value > 498)")
    done = project.gitmemo("check", "code:helper.py:scale", code=7)
    assert "differs: pipeline:train(data=" in done.out
    assert "output 'loss'" in done.out
    assert "3 differs (3 stored calls)" in done.out
    assert evidence(project) == {"equal": 0, "differ": 3}
    project.gitmemo("decide", "scale", "--non-breaking", code=7)
    project.gitmemo("decide", "scale", "--breaking")


def test_other_code_of_another_edit_is_not_judged_by_an_old_check(project: Clone) -> None:
    project.change("value * 2", "value * 3")
    project.gitmemo("check", "code:helper.py:scale", code=7)
    project.change("value * 3", "value + value")
    assert evidence(project) is None


def test_a_sample_is_the_same_every_time_and_another_seed_takes_others(project: Clone) -> None:
    project.change("value * 2", "value + value")

    def chosen(*arguments: str) -> str:
        done = project.gitmemo(
            "check", "code:helper.py:scale", "--sample", "1", *arguments, "--json"
        )
        (line,) = done.out.splitlines()
        assert json.loads(line)["finding"] == "same"
        return line

    assert chosen() == chosen()
    assert len({chosen("--seed", str(seed)) for seed in range(5)}) > 1
    assert (
        len(project.gitmemo("check", "code:helper.py:scale", "--all", "--json").out.splitlines())
        == 3
    )


def test_ops_that_fail_now_are_findings(project: Clone) -> None:
    project.change("return value * 2", "raise OSError('gone')")
    done = project.gitmemo("check", "code:helper.py:scale", code=7)
    assert "OSError: gone" in done.out


def test_where_other_code_has_changed_too_that_is_said_and_not_counted(project: Clone) -> None:
    project.change("value * 2", "value + value")
    project.change("return Model(weights), sum(weights)", "return Model(weights), 7", "pipeline.py")
    done = project.gitmemo("check", "code:helper.py:scale", code=7)
    assert "other code has changed too: pipeline.py:train" in done.out
    found = [json.loads(line) for line in project.gitmemo("decide", "--json").out.splitlines()]
    assert all(change["evidence"]["contrary"] is False for change in found)


def test_what_did_not_change_has_nothing_to_check(project: Clone) -> None:
    assert "nothing to check" in project.gitmemo("check", "code:helper.py:scale").out
    assert "did you mean" in project.gitmemo("check", "code:helper.py:scal", code=2).err
    project.gitmemo("check", "code:helper.py:scale", "--recorded", code=2)


def test_it_can_be_asked_in_a_program(project: Clone) -> None:
    project.change("value * 2", "value * 3")
    program = (
        "import pipeline; print(pipeline.storage.check_change('helper.py:scale', sample=None))"
    )
    done = project.python("-c", program)
    assert "3 differs (3 stored calls)" in done.out
    assert project.records() == 0
