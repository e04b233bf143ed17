"""The work that is counted: a program in a repository. Prints what each step did, as JSON.

Not a test. Its first run computes, its second one finds; `ops` is what the test wrote.
"""

from __future__ import annotations

import json
import sys
from collections.abc import Callable, Iterable
from pathlib import Path

import counting

counting.begin()
sys.path.insert(0, str(Path.cwd()))

import numpy as np  # noqa: E402
import ops  # type: ignore[import-not-found]  # noqa: E402

import gitmemo as gm  # noqa: E402

N = 100
FOUND: dict[str, dict[str, int]] = {}
SMALL, LARGE = 1_000, 1_310_720


def note(name: str, work: Callable[[], object], *, python: bool = False) -> None:
    FOUND[name] = counting.counts(work, python=python)


def all_of(numbers: Iterable[int]) -> None:
    for number in numbers:
        ops.triple(number)


def entered(storage: gm.Storage, *numbers: int) -> None:
    with storage:
        all_of(numbers)


def main() -> None:
    storage = gm.open(".")
    values = {size: np.arange(float(size)) for size in (SMALL, LARGE)}
    with storage:
        note("first", lambda: all_of(range(N)))
        note("more", lambda: all_of(range(N, 3 * N)))
        FOUND["traced"] = {
            counting.FUNCTIONS: counting.functions_called(lambda: all_of(range(3 * N, 4 * N)))
        }
        all_of(range(3 * N))
        note("again", lambda: all_of(range(N)), python=True)
        note("twice as many again", lambda: all_of(range(2 * N)), python=True)
        for size, array in values.items():
            ramp = ops.ramp(size)
            note(f"result of {size}", lambda size=size: ops.ramp(size + 1))
            note(f"result of {size} again", lambda size=size: ops.ramp(size), python=True)
            ops.moved(ramp)
            note(f"chained {size} again", lambda ramp=ramp: ops.moved(ramp), python=True)
            ops.total(array)
            note(f"array of {size} again", lambda array=array: ops.total(array), python=True)
    entered(storage)
    note("block", lambda: entered(storage), python=True)
    note("block with a hit", lambda: entered(storage, 1), python=True)
    print(json.dumps(FOUND))


main()
