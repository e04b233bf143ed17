"""What a new process does until it has its first hit, in numbers that no machine changes.

A limit is what was counted when it was written, with a little room. Who lowers a number lowers the limit.
"""

from __future__ import annotations

import json
import os
import time
from pathlib import Path

import pytest
from costs.counting import CALLS, HASHED, LOOKED, OPENED, PARSED, PROCESSES, SQL
from costs.test_costs import OPS
from driver import Clone, make_clone

from gitmemo.file_states import SETTLED_AFTER_NS

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
    long_ago = time.time() - 3600
    for file in clone.root.glob("*.py"):
        os.utime(file, (long_ago, long_ago))
    touched = time.monotonic_ns()
    clone.gitmemo("init")
    clone.commit("Begin")
    for what in ("scalar", "array"):
        clone.python(str(WORK), what, PYTHONHASHSEED="0")
    clone.process("git", "commit", "-q", "--allow-empty", "-m", "With results")
    # What was touched just now is read again: no program can set the time of an inode back.
    time.sleep(max(0, touched + 1.1 * SETTLED_AFTER_NS - time.monotonic_ns()) / 1e9)
    return clone


def _first(clone: Clone, what: str) -> tuple[dict[str, int], set[str]]:
    done = json.loads(clone.python(str(WORK), what, PYTHONHASHSEED="0").out)
    return done["counted"], set(done["modules"])


def test_the_first_hit_starts_no_process_and_loads_nothing(clone: Clone) -> None:
    counted, modules = _first(clone, "scalar")
    assert not modules
    assert counted[PROCESSES] == 0, "a usual repository is found without git"
    assert counted[PARSED] <= 3, "of all modules only the one that the call touched is parsed"
    assert counted[OPENED] <= 50 and counted[LOOKED] <= 12 and counted[SQL] <= 22
    assert counted[HASHED] <= 10_000
    assert counted[CALLS] <= 19_000


def test_a_first_hit_with_an_array_loads_nothing_but_how_arrays_are_hashed(clone: Clone) -> None:
    counted, modules = _first(clone, "array")
    assert modules <= {"gitmemo.hashing.numeric"}
    assert counted[PROCESSES] == 0 and counted[PARSED] <= 3
