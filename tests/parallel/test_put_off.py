"""Calls that somebody else computes while workers go through the others; and what cannot be sent."""

from __future__ import annotations

from pathlib import Path

from parallel.programs import executions, make_parallel_project

_PROGRAM = """\
import threading
import time
from pathlib import Path

import gitmemo as gm
from gitmemo.errors import CallsFailed
from lib import note, storage


@gm.op
def step(x):
    note(f"step {x}")
    while x % 10 == 0 and not Path(f"go{x}").exists():
        time.sleep(0.002)
    return x


class Unsent:
    def __reduce__(self):
        raise ValueError("stays here")


@gm.op
def told(x, by):
    return x


def taken(x):
    thread = threading.Thread(target=gm.carried(step), args=(x,))
    thread.start()
    while f"step {x}\\n" not in (Path("runs").read_text() if Path("runs").exists() else ""):
        time.sleep(0.002)
    return thread


def mapped():
    thread, order = taken(0), []
    for position, _ in storage.map(step, range(4), n_jobs=2, as_completed=True):
        order.append(position)
        if len(order) == 3:
            Path("go0").touch()
    thread.join()
    print(sorted(order), order[-1], storage.counter)


def batched():
    thread = taken(10)
    with storage.batch(n_jobs=2):
        found = [step(x) for x in range(10, 14)]
        print([ref.unwrap() for ref in found[1:]])
        Path("go10").touch()
    thread.join()
    print(storage.unwrap(found), storage.counter)


if __name__ == "__main__":
    with storage:
        mapped()
        batched()
        try:
            storage.map(told, [1, 2], by=gm.Ignore(Unsent()), n_jobs=2)
        except CallsFailed as failed:
            print(failed.positions, failed.exceptions)
"""


def test_workers_go_on_with_what_nobody_computes(tmp_path: Path) -> None:
    (tmp_path / "home").mkdir()
    clone = make_parallel_project(tmp_path / "p", tmp_path / "home", _PROGRAM)
    said = clone.python("program.py").out.splitlines()
    assert said == [
        "[0, 1, 2, 3] 0 Counter(reused=1, computed=4)",
        "[11, 12, 13]",
        "[10, 11, 12, 13] Counter(reused=2, computed=8)",
        "(0, 1) (ValueError('stays here'), ValueError('stays here'))",
    ]
    assert executions(clone) == sorted(f"step {x}" for x in (*range(4), *range(10, 14)))
