"""Two machines that see each other's files late: one clone, and one store of two clones.

The file system is a simulation (`lag.c`). Invariant: what is late costs computing, never a value or a
wrong result; when all is seen, nothing runs again.
"""

from __future__ import annotations

import os
import subprocess
import sys
import time
from pathlib import Path

import pytest
from driver import Clone, Done, copy_of
from faults.control import can_build, shim

LATE_MS = 600_000
SOURCE = Path(__file__).with_name("lag.c")
LONG_AGO_S = 40 * 86_400
BIG = """
import gitmemo as gm

storage = gm.open()


@gm.op
def big(n):
    return bytes([n]) * 300_000


if __name__ == "__main__":
    with storage:
        print(*(len(storage.unwrap(big(n))) for n in range(3)))
"""
pytestmark = pytest.mark.skipif(not can_build(), reason="the shim needs Linux and a C compiler")


class Lag:
    """What the machines share."""

    def __init__(self, root: Path) -> None:
        self.root = root.resolve()
        self.table = root.with_name("lag-table")
        self.passes()

    def variables(self, machine: int) -> dict[str, str]:
        """Return the environment of programs on a machine."""
        return {
            "LD_PRELOAD": str(shim(SOURCE)),
            "LAG_TABLE": str(self.table),
            "LAG_MACHINE": str(machine),
            "LAG_MS": str(LATE_MS),
            "LAG_ROOT": str(self.root),
        }

    def gitmemo(self, machine: int, clone: Clone, *arguments: str) -> Done:
        """Run gitmemo on a machine."""
        return clone.gitmemo(*arguments, **self.variables(machine))

    @property
    def served(self) -> int:
        """How often something was seen late."""
        return int.from_bytes(self.table.read_bytes()[8:16], sys.byteorder)

    def passes(self) -> None:
        """Let everything be seen from now on."""
        self.table.write_bytes(bytes(8 << 20))


@pytest.fixture
def lag(tmp_path: Path) -> Lag:
    return Lag(tmp_path)


def age(folder: Path) -> None:
    then = time.time() - LONG_AGO_S
    for path in folder.rglob("*"):
        os.utime(path, (then, then))


def forget_records(clone: Clone) -> None:
    """Lose what names the values, as if a branch had gone long ago."""
    private = clone.root / ".git/gitmemo"
    for path in (*clone.journals(), *private.glob("index.db*")):
        path.unlink()


def test_two_machines_in_one_clone(begun: Clone, lag: Lag) -> None:
    first = lag.gitmemo(1, begun, "run", "pipeline.py")
    second = lag.gitmemo(2, begun, "run", "pipeline.py")
    assert second.out == first.out
    assert lag.served
    before = [
        subprocess.Popen(
            [sys.executable, "-m", "gitmemo", "run", "pipeline.py", *map(str, range(3, 9))],
            cwd=begun.root,
            env=begun.env(**lag.variables(machine)),
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
        )
        for machine in (1, 2)
    ]
    printed = [process.communicate()[0] for process in before]
    assert [process.returncode for process in before] == [0, 0]
    assert printed[0] == printed[1] != b""
    lag.gitmemo(2, begun, "status")
    begun.process("git", "commit", "-qam", "Results", "--allow-empty", **lag.variables(1))
    assert lag.gitmemo(2, begun, "run", "pipeline.py").out == first.out
    lag.passes()
    for machine in (1, 2):
        again = lag.gitmemo(machine, begun, "run", "pipeline.py", *map(str, range(1, 9)))
        assert again.counted == (17, 0)
    assert begun.gitmemo("verify").code == 0
    assert begun.git("fsck", "--no-dangling", "--no-progress") == ""


def test_gc_on_one_machine_takes_nothing_that_another_has_just_needed(
    begun: Clone, lag: Lag
) -> None:
    assert begun.run() == (0, 5)
    forget_records(begun)
    age(begun.root / ".git/gitmemo/blobs")
    assert lag.gitmemo(1, begun, "run", "pipeline.py").counted == (0, 5)
    lag.gitmemo(2, begun, "gc", "--yes")
    assert lag.served
    lag.passes()
    assert begun.run() == (5, 0)
    assert begun.gitmemo("verify").code == 0


def test_a_store_of_two_clones_on_two_machines(begun: Clone, lag: Lag, tmp_path: Path) -> None:
    """What is stored again becomes young; the other machine sees the old time, and no record."""
    begun.write("big.py", BIG)
    other = copy_of(begun, tmp_path / "q")
    for clone in (begun, other):
        clone.gitmemo("store", "share", str(tmp_path / "store"))
    assert begun.gitmemo("run", "big.py").counted == (0, 3)
    forget_records(begun)
    age(tmp_path / "store")
    assert lag.gitmemo(1, begun, "run", "big.py").counted == (0, 3)
    lag.gitmemo(2, other, "gc", "--yes")
    assert lag.served
    lag.passes()
    assert begun.gitmemo("run", "big.py").counted == (3, 0)
    assert begun.gitmemo("verify").code == 0
