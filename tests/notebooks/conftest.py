"""A repository, and somebody who executes notebooks in it."""

from __future__ import annotations

from pathlib import Path

import pytest
from desk import Desk
from driver import make_clone


@pytest.fixture
def desk(tmp_path: Path) -> Desk:
    home = tmp_path / "home"
    home.mkdir()
    clone = make_clone(tmp_path / "lab", home)
    clone.write(".gitignore", "__pycache__/\n")
    clone.gitmemo("init")
    clone.commit("Begin")
    return Desk(clone)
