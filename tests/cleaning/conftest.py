"""A project that has run, and the files of its store."""

from __future__ import annotations

import sys
from collections.abc import Callable
from pathlib import Path

import pytest
from driver import Clone, copy_of, make_project
from stored import PUT, store


@pytest.fixture(scope="session")
def ran_template(tmp_path_factory: pytest.TempPathFactory) -> Clone:
    home = tmp_path_factory.mktemp("home")
    clone = make_project(tmp_path_factory.mktemp("ran") / "p", home)
    assert clone.run() == (0, 5)
    return clone


@pytest.fixture
def ran(ran_template: Clone, tmp_path: Path) -> Clone:
    """A project with five pending calls, and three values in its store."""
    return copy_of(ran_template, tmp_path / "p")


@pytest.fixture
def put() -> Callable[..., list[str]]:
    """`put(clone, 7, 100_000)` stores values that no record names, in a process of its own."""

    def put(clone: Clone, *numbers: int) -> list[str]:
        done = clone.process(sys.executable, "-c", PUT, str(store(clone)), *map(str, numbers))
        return done.out.split()

    return put
