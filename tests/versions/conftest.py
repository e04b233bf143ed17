"""A project with three states of its code, a decision and a merge, made once."""

from __future__ import annotations

from pathlib import Path

import pytest
from driver import Clone, copy_of, make_project
from versions.looker import Looker


@pytest.fixture(scope="session")
def edited_template(tmp_path_factory: pytest.TempPathFactory) -> Clone:
    """`scale` doubled, then tripled, then was written otherwise; `evaluate` changed on a branch."""
    clone = make_project(tmp_path_factory.mktemp("looking") / "p", tmp_path_factory.mktemp("home"))
    assert clone.run() == (0, 5)
    clone.change("value * 2", "value * 3")
    clone.commit("Triple", GITMEMO_ON_CHANGE="breaking")
    assert clone.run() == (1, 4)
    clone.git("checkout", "-q", "-b", "side")
    clone.change("+ rate\n", "- rate\n", "pipeline.py")
    clone.commit("Subtract", GITMEMO_ON_CHANGE="breaking")
    clone.run()
    clone.gitmemo("commit", "-m", "Results of the side")
    clone.git("checkout", "-q", "main")
    clone.change("value * 3", "value + value + value")
    clone.commit("Add instead", GITMEMO_ON_CHANGE="non-breaking")
    assert clone.run("1", "7") == (3, 2)
    clone.gitmemo("commit", "-m", "Results of seven")
    clone.git("merge", "-q", "--no-edit", "side")
    clone.run("1", "7")
    return clone


@pytest.fixture(scope="session")
def edited(edited_template: Clone) -> Looker:
    """The project, to look at only."""
    return Looker(edited_template)


@pytest.fixture
def own(edited_template: Clone, tmp_path: Path) -> Looker:
    """A copy of the project that may be changed."""
    return Looker(copy_of(edited_template, tmp_path / "own"))
