"""A project whose calls are made in a loop and in workers, and how both are compared. Not a test."""

from __future__ import annotations

import json
from pathlib import Path

from driver import Clone, make_clone

HELPER = """\
SCALE = 3


def scale(value):
    return value * SCALE
"""

LIBRARY = '''\
import os
import sys
from contextlib import nullcontext
from pathlib import Path

import gitmemo as gm
from helper import scale


def note(what):
    """Count an execution, in whatever process."""
    with (Path(__file__).parent / "runs").open("a") as file:
        file.write(f"{what}\\n")


@gm.op
def inner(x):
    note(f"inner {x}")
    return x + 1


@gm.op
def outer(x, k=1):
    note(f"outer {x}")
    if x == 13:
        raise ValueError(f"unlucky {x}")
    return scale(inner(x // 2)) + k


@gm.op(output_names=["low", "high"])
def two(x, y):
    return min(x, y), max(x, y)


@gm.op
def total(values):
    return sum(values)


@gm.op
def big(n):
    return bytes(n)


@gm.op
async def later(x):
    return x + 100


@gm.op(materialize=True)
def steps(n):
    yield from range(n)


@gm.op
def nested(n):
    import lib

    return sum(lib.storage.unwrap(lib.storage.map(inner, range(n), n_jobs=2)))


class Scaler:
    def __init__(self, factor):
        self.factor = factor

    @gm.op
    def times(self, x):
        return x * self.factor


def connected():
    """Return a block in which the Dask cluster is at hand that the command line names, if it does."""
    if len(sys.argv) < 3:
        return nullcontext()
    from distributed import Client

    return Client(sys.argv[2])


def adder(step):
    """Make an op that closes over a variable."""

    @gm.op
    def add(x):
        return scale(x) + step

    return add


storage = gm.open()
'''

PROGRAM = '''\
import functools
import sys

import joblib
import gitmemo as gm
from lib import Scaler, adder, big, connected, inner, later, nested, outer, steps, storage, total, two

FACTOR = 10
TABLE = {"a": 1}


class Model:
    def __init__(self, weight):
        self.weight = weight

    def grown(self):
        return self.weight + TABLE["a"]


def local(x):
    return x * FACTOR


@gm.op
def fit(x):
    return Model(local(x))


@gm.op
def score(model, y):
    return model.grown() + y


@gm.op
def again(x):
    return x if x <= 0 else again(x - 1)


@functools.cache
def power(x):
    return FACTOR**x


@gm.superop
def twice(x):
    return again(again(x))


@gm.op
def raised(x):
    return power(x)


def each(op, *iterables, **fixed):
    """Make the calls: in a loop, or in workers."""
    if HOW == "loop":
        return [op(*row, **fixed) for row in zip(*iterables)]
    return storage.map(op, *iterables, n_jobs=1 if HOW == "serial" else 2, **fixed)


def main():
    with storage:
        found = each(outer, range(6), k=2)
        pairs = each(two, found, range(6))
        sums = each(total, [[low, high] for low, high in pairs])
        models = each(fit, range(4))
        scores = each(score, models, range(4))
        each(again, [2, 3])
        each(twice, [1, 3])
        each(raised, [2, 3])
        each(adder(5), found)
        each(adder(6), [1, 2])
        each(Scaler(4).times, [1, 2, 2])
        each(steps, [0, 3])
        each(nested, [3, 4])
        each(big, [1, 100_000])
        print(storage.unwrap([found, sums, scores]))
        print(storage.counter.computed)


HOW = sys.argv[1]
if __name__ == "__main__":
    if HOW in ("loop", "serial"):
        main()
    else:
        with connected(), joblib.parallel_config(HOW):
            main()
'''

SLOW = """\
import sys
import time

import joblib
import gitmemo as gm
from lib import connected, note, storage


@gm.op
def slow(x):
    time.sleep(0.05)
    note(f"slow {x}")
    return x


if __name__ == "__main__":
    with connected(), joblib.parallel_config(sys.argv[1]), storage:
        print(sum(storage.unwrap(storage.map(slow, range(40), n_jobs=2))))
"""


def make_parallel_project(root: Path, home: Path, program: str = PROGRAM) -> Clone:
    """Make a repository with the project in it, committed, nothing run."""
    clone = make_clone(root, home)
    clone.write("helper.py", HELPER)
    clone.write("lib.py", LIBRARY)
    clone.write("program.py", program)
    clone.write(".gitignore", "__pycache__/\nruns\n")
    clone.gitmemo("init")
    clone.commit("Begin")
    return clone


def executions(clone: Clone) -> list[str]:
    """Return what was executed, sorted."""
    file = clone.root / "runs"
    return sorted(file.read_text().splitlines()) if file.exists() else []


def records(clone: Clone) -> list[str]:
    """Return all that journals hold, once each and sorted, without what is known of a run."""
    lines = {
        line.split(b" ", 3)[3].decode()
        for path in clone.journals()
        for line in path.read_bytes().splitlines()
    }
    return sorted({_without_run(line) for line in lines})


def kept(clone: Clone) -> list[str]:
    """Return the records but for what is known of runs: which of equal calls was run is part of that."""
    facts = [json.loads(line) for line in records(clone)]
    return sorted(json.dumps(fact[:-1] if fact[0] == "call" else fact) for fact in facts)


def _without_run(line: str) -> str:
    fact = json.loads(line)
    if fact[0] == "call":
        fact = [sorted(part) if isinstance(part, dict) else part for part in fact]
    return json.dumps(fact)
