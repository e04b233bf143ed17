"""Programs that make the same calls at once, each test with inputs of its own."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
from claims.programs import Nursery, Programs, programs
from driver import make_clone


@pytest.fixture(scope="module")
def nursery(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Nursery]:
    clone = make_clone(tmp_path_factory.mktemp("claims") / "p", tmp_path_factory.mktemp("home"))
    made = Nursery(clone)
    clone.gitmemo("init")
    clone.commit("Begin")
    yield made
    made.close()


@pytest.fixture(params=["repository", "file"])
def ran(request: pytest.FixtureRequest, nursery: Nursery, tmp_path: Path) -> Iterator[Programs]:
    """Programs over one storage, each test with inputs of its own."""
    database = tmp_path / "s.db" if request.param == "file" else None
    with programs(nursery, tmp_path / "log", database) as made:
        yield made
