"""A project to move into."""

from __future__ import annotations

from pathlib import Path

import pytest
from driver import Clone, copy_of, make_clone

# Loaded before commands are forked off, so that each begins at once.
import gitmemo.cli.importing
import gitmemo.moving.from_joblib
import gitmemo.moving.from_mandala  # noqa: F401


@pytest.fixture(scope="session")
def empty(tmp_path_factory: pytest.TempPathFactory) -> Clone:
    """A repository with gitmemo and nothing else."""
    made = make_clone(tmp_path_factory.mktemp("moving") / "r", tmp_path_factory.mktemp("nobody"))
    made.gitmemo("init")
    return made


@pytest.fixture
def clone(empty: Clone, tmp_path: Path) -> Clone:
    """A copy of it, to fill."""
    return copy_of(empty, tmp_path / "my projéct")
