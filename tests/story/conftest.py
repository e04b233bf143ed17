"""A project at several moments of its life, made once and copied for each test."""

from __future__ import annotations

import sys
from collections.abc import Callable
from pathlib import Path

import pytest
from driver import Clone, copy_of, identify, make_project

from gitmemo.cli import main

Say = Callable[..., str]
NAME = "my projéct"


@pytest.fixture(scope="session")
def template_home(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """An empty home."""
    return tmp_path_factory.mktemp("nobody")


@pytest.fixture(scope="session")
def begun_template(tmp_path_factory: pytest.TempPathFactory, template_home: Path) -> Clone:
    return make_project(tmp_path_factory.mktemp("begun") / NAME, template_home)


@pytest.fixture(scope="session")
def ran_template(
    tmp_path_factory: pytest.TempPathFactory, template_home: Path, begun_template: Clone
) -> Clone:
    clone = copy_of(begun_template, tmp_path_factory.mktemp("ran") / NAME)
    assert clone.run() == (0, 5)
    return clone


@pytest.fixture(scope="session")
def committed_template(
    tmp_path_factory: pytest.TempPathFactory, template_home: Path, ran_template: Clone
) -> Clone:
    clone = copy_of(ran_template, tmp_path_factory.mktemp("committed") / NAME)
    clone.write("notes.txt", "first\n")
    clone.commit("First results")
    assert clone.calls_in() == 5
    return clone


@pytest.fixture
def begun(begun_template: Clone, tmp_path: Path) -> Clone:
    """A project whose code is committed; nothing was run."""
    return copy_of(begun_template, tmp_path / NAME)


@pytest.fixture
def ran(ran_template: Clone, tmp_path: Path) -> Clone:
    """A project with five pending calls."""
    return copy_of(ran_template, tmp_path / NAME)


@pytest.fixture
def committed(committed_template: Clone, tmp_path: Path) -> Clone:
    """A project with five committed calls."""
    return copy_of(committed_template, tmp_path / NAME)


@pytest.fixture
def clone_of(tmp_path: Path) -> Callable[[Clone | Path, str], Clone]:
    """Return a function that clones a repository as a colleague would."""

    def clone_of(source: Clone | Path, name: str) -> Clone:
        url = source.root if isinstance(source, Clone) else source
        home = tmp_path / f"home of {name}"
        home.mkdir()
        theirs = Clone(tmp_path / name, home)
        theirs.process("git", "clone", "-q", str(url), str(theirs.root), cwd=tmp_path)
        identify(theirs)
        theirs.gitmemo("init")
        return theirs

    return clone_of


@pytest.fixture
def say(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> Say:
    """Return a function that runs a command in a clone, in this process, and returns what it said."""

    def say(clone: Clone, *arguments: str, code: int = 0) -> str:
        monkeypatch.chdir(clone.root)
        before = set(sys.modules)
        found = main([*arguments])
        for name in set(sys.modules) - before:  # the program of this clone, not of the next one
            if str(getattr(sys.modules[name], "__file__", "")).startswith(str(clone.root)):
                del sys.modules[name]
        out, err = capsys.readouterr()
        assert found == code, out + err
        return out if "--json" in arguments else out + err

    return say


@pytest.fixture
def shared(committed: Clone, say: Say) -> Clone:
    """A project with a remote that nobody pushed to."""
    say(committed, "remote", "add", "lab", "../lab")
    committed.git("commit", "-q", "--no-verify", "-m", "Share")
    return committed
