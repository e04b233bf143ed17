"""Maps over several processes: the same records as a loop, and nothing computed twice."""

from __future__ import annotations

import sys
from pathlib import Path

import pytest
from driver import Clone, copy_of
from parallel.programs import executions, make_parallel_project, records


@pytest.fixture(scope="module")
def begun(tmp_path_factory: pytest.TempPathFactory) -> Clone:
    home = tmp_path_factory.mktemp("home")
    return make_parallel_project(tmp_path_factory.mktemp("project") / "p", home)


@pytest.fixture(scope="module")
def looped(begun: Clone, tmp_path_factory: pytest.TempPathFactory) -> Clone:
    """The project after its calls were made in a loop."""
    clone = copy_of(begun, tmp_path_factory.mktemp("looped") / "p")
    clone.python("program.py", "loop")
    return clone


# Before 3.12 a call beside other threads counts as touching whatever it could touch.
HOW = ["serial", "loky", *(["threading"] if sys.version_info >= (3, 12) else [])]


@pytest.mark.parametrize("how", HOW)
def test_records_are_those_of_a_loop(begun: Clone, looped: Clone, tmp_path: Path, how: str) -> None:
    clone = copy_of(begun, tmp_path / "p")
    first = clone.python("program.py", how).out
    assert records(clone) == records(looped)
    assert executions(clone) == executions(looped)
    assert first.splitlines()[0] == looped.python("program.py", "loop").out.splitlines()[0]
    again = clone.python("program.py", how).out
    assert again.splitlines() == [first.splitlines()[0], "0"]
    assert executions(clone) == executions(looped)
