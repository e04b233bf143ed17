"""What a new process does until it has its first hit, in numbers that no machine changes.

A limit is what was counted when it was written, as in `test_costs`. How many folders are above the
project is no matter of gitmemo's: what is asked about there is counted as elsewhere, in any number.
"""

from __future__ import annotations

import json
import sys
from pathlib import Path

import pytest
from costs.counting import (
    ASKED,
    CALLS,
    FLUSHED,
    HASHED,
    LOCKS,
    LOOKED,
    OPENED,
    PARSED,
    PROCESSES,
    RENAMED,
    SQL,
)
from costs.test_costs import OPS, calls, settle
from driver import Clone, make_clone

WORK = Path(__file__).with_name("first.py")
OTHERS = 20
OTHER = "import gitmemo as gm\n\n\ndef helper(x):\n    return x + 1\n"


@pytest.fixture(scope="module")
def clone(tmp_path_factory: pytest.TempPathFactory) -> Clone:
    """A project of which a hit touches one module, and imports twenty others."""
    folder = tmp_path_factory.mktemp("first")
    clone = make_clone(folder / "project", folder / "home")
    names = [f"other{n}" for n in range(OTHERS)]
    for name in names:
        clone.write(f"{name}.py", OTHER)
    clone.write("ops.py", OPS + "".join(f"import {name}\n" for name in names))
    clone.write(".gitignore", "__pycache__/\n")
    clone.gitmemo("init")
    clone.commit("Begin")
    for what in ("scalar", "array"):
        clone.python(str(WORK), what, PYTHONHASHSEED="0")
    clone.process("git", "commit", "-q", "--allow-empty", "-m", "With results")
    settle()
    return clone


def _first(clone: Clone, what: str) -> tuple[dict[str, int], set[str]]:
    done = json.loads(clone.python(str(WORK), what, PYTHONHASHSEED="0").out)
    return done["counted"], set(done["modules"])


def _is_little(counted: dict[str, int]) -> None:
    assert counted[PROCESSES] == 0, "a usual repository is found without git"
    assert counted[PARSED] <= 2, "of all modules only the one that the call touched is parsed"
    assert counted[OPENED] <= 33 and counted[LOOKED] <= 10
    assert counted[ASKED] <= (130 if sys.version_info < (3, 13) else 125)
    assert counted[LOCKS] <= 3 and counted[RENAMED] == counted[FLUSHED] == 0


def test_the_first_hit_starts_no_process_and_loads_nothing(clone: Clone) -> None:
    counted, modules = _first(clone, "scalar")
    assert not modules
    _is_little(counted)
    assert counted[SQL] <= 20 and counted[HASHED] <= 1_050
    assert counted[CALLS] <= calls(19_000, 20_000)


def test_a_first_hit_with_an_array_loads_nothing_but_how_arrays_are_hashed(clone: Clone) -> None:
    counted, modules = _first(clone, "array")
    assert not modules, "the program loads it before it counts"
    _is_little(counted)
    assert counted[SQL] <= 18 and counted[HASHED] <= 8_000 + 920
    assert counted[CALLS] <= calls(18_700, 19_700)
