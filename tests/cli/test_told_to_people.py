"""What commands say at their end, and what is not said where it would not help."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from driver import Clone, copy_of, make_project


@pytest.fixture(scope="module")
def ran(tmp_path_factory: pytest.TempPathFactory) -> Clone:
    clone = make_project(tmp_path_factory.mktemp("told") / "p", tmp_path_factory.mktemp("home"))
    clone.run("1", "2")
    clone.gitmemo("commit")
    return clone


@pytest.fixture
def project(ran: Clone, tmp_path: Path) -> Clone:
    return copy_of(ran, tmp_path / "p")


def test_a_run_names_changes_that_nobody_decided_about(project: Clone) -> None:
    assert "decided" not in project.gitmemo("run", "pipeline.py", "1", "2").err
    project.change("value * 2", "value * 3")
    said = project.gitmemo("run", "pipeline.py", "1", "2").err
    assert (
        "2 calls not reused because of changes that nobody has decided about: helper.py:scale"
        in said
    )
    assert "gitmemo decide --non-breaking" in said
    project.gitmemo("decide", "--breaking")
    project.change("value * 3", "value * 4")
    project.gitmemo("run", "pipeline.py", "1")
    project.gitmemo("decide", "--breaking")
    assert "decided" not in project.gitmemo("run", "pipeline.py", "2").err


def test_a_clone_that_only_checks_is_not_told_to_install_hooks(project: Clone) -> None:
    project.gitmemo("hook", "uninstall")
    hooks = "git hooks are not installed"
    assert hooks in project.gitmemo("status").err
    assert project.gitmemo("status", "--check").err == ""
    assert hooks not in project.gitmemo("status", CI="true").err
    assert hooks not in project.gitmemo("run", "pipeline.py", CI="true").err


def test_a_push_of_nothing_says_why(project: Clone, tmp_path: Path) -> None:
    project.gitmemo("remote", "add", "lab", str(tmp_path / "lab"))
    project.gitmemo("push")
    assert "lab: nothing to send: 3 values already there" in project.gitmemo("push").out


def test_removing_a_remote_says_what_adds_it_again(project: Clone, tmp_path: Path) -> None:
    project.gitmemo("remote", "add", "lab", f"{tmp_path}/la b", "--local")
    said = project.gitmemo("remote", "remove", "lab").out
    assert f"gitmemo remote add lab '{tmp_path}/la b' --local" in said


def test_what_is_shown_is_there_as_json_too(project: Clone, tmp_path: Path) -> None:
    lines = map(json.loads, project.gitmemo("graph", "--json").out.splitlines())
    found = list(lines)
    nodes = {one["node"]: one for one in found if "node" in one}
    edges = [one for one in found if "edge" in one]
    assert {n["label"] for n in nodes.values() if n["kind"] == "function"} >= {"load", "train"}
    assert edges and all(end in nodes for one in edges for end in one["edge"])
    project.gitmemo("remote", "add", "lab", str(tmp_path / "lab"))
    default = json.loads(project.gitmemo("remote", "default", "--json").out)
    assert default == {"default": "lab", "own": False}
    key = json.loads(project.gitmemo("remote", "key", "lab", "--generate", "--json").out)
    assert (key["remote"], list(key["keys"])) == ("lab", [key["signs"]])
