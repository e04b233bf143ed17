"""A project that was begun, and one that has run."""

from __future__ import annotations

from pathlib import Path

import pytest
from driver import Clone, copy_of, make_project


@pytest.fixture(scope="session")
def begun_template(tmp_path_factory: pytest.TempPathFactory) -> Clone:
    return make_project(tmp_path_factory.mktemp("begun") / "p", tmp_path_factory.mktemp("home"))


@pytest.fixture
def begun(begun_template: Clone, tmp_path: Path) -> Clone:
    """A project whose code is committed; nothing was run."""
    return copy_of(begun_template, tmp_path / "p")


@pytest.fixture
def ran(begun: Clone) -> Clone:
    """A project with five pending calls."""
    assert begun.run() == (0, 5)
    return begun
