"""Programs whose calls are made one by one, or in a batch. Not tests."""

from __future__ import annotations

from typing import Any

import gitmemo as gm

MORE = """\
import gitmemo as gm
from lib import outer


@gm.superop
def twice(x):
    return outer(outer(x))
"""

GRAPH = """\
import sys

import joblib
import gitmemo as gm
from lib import Scaler, adder, inner, later, nested, outer, storage, total, two
from more import twice

FACTOR = 10


@gm.op
def split(x):
    return x, x * FACTOR


@gm.op
def up_to(n) -> list[int]:
    return list(range(n))


@gm.op
def best(scores, names):
    return max(zip(scores, names))[1]


def main():
    found = [outer(20 + 2 * i, k=2) for i in range(4)]
    pairs = [two(one, other) for one, other in zip(found, found[1:])]
    sums = [total([low, high]) for low, high in pairs]
    first, second = split(sums[0])
    again = total(split(first))
    for i in up_to(again):
        if i.unwrap() > 60:
            break
    same = [outer(100), outer(100), total([outer(100), total([found[0]])])]
    linked = [total([x]) for x in (two(found[0], found[0])[0], found[0], sums[0])]
    if storage.unwrap(sums[1]) > 10:
        added = adder(5)(sums[1])
    scaled = Scaler(4).times(added)
    whole = [twice(scaled), nested(total([1, 1])), best(sums, {"a": sums[0]})]
    rest = [inner(x) for x in linked]
    return [found, sums, second, again, same, linked, scaled, whole, rest]


HOW = sys.argv[1]
if __name__ == "__main__":
    if HOW == "plain":
        with storage:
            found = main()
    else:
        if HOW == "dask":
            from distributed import Client

            client = Client(sys.argv[2])
        with joblib.parallel_config(HOW), storage.batch(n_jobs=2):
            found = main()
    print(storage.unwrap(found))
    print(storage.counter.computed)
"""


@gm.op
def add(x: Any, y: Any) -> Any:
    """Add; some sums cannot be."""
    if (x + y) % 11 == 10:
        raise ValueError(f"{x} and {y}")
    return x + y


@gm.op(output_names=["low", "high"])
def both(x: Any, y: Any) -> Any:
    return min(x, y), max(x, y)


@gm.op
def total(values: Any) -> Any:
    """Add what a container holds."""
    return sum(values.values() if isinstance(values, dict) else values) % 50


@gm.op
def first(n: int) -> list[int]:
    return list(range(n % 5))


def run(steps: list[tuple[Any, ...]], *, keeps_on: bool = False) -> None:
    """Make calls, each on results of earlier ones; `keeps_on` does not stop at calls that raise."""
    found: list[Any] = [1, 2]
    for kind, one, other in steps:
        x, y = found[one % len(found)], found[other % len(found)]
        if keeps_on and (x is FAILED or y is FAILED):
            found += [FAILED] * (2 if kind == "both" else 1)
            continue
        try:
            found += _step(kind, x, y)
        except ValueError:
            found += [FAILED] * (2 if kind == "both" else 1)


FAILED = object()


def _step(kind: str, x: Any, y: Any) -> tuple[Any, ...]:
    if kind == "add":
        return (add(x, y),)
    if kind == "both":
        low, high = both(x, y)
        return low, high
    if kind == "list":
        return (total([x, [x, y][1], x]),)
    if kind == "dict":
        return (total({"x": x, "y": y}),)
    return (total(first(x)),)


KILLED = """\
import os
import time

import gitmemo as gm
from lib import note, storage


@gm.op
def slow(x):
    note(f"in {os.getpid()}")
    time.sleep(0.2)
    note(f"made {x}")
    return x + 1


if __name__ == "__main__":
    with storage.batch(n_jobs=2):
        for chain in range(4):
            found = slow(100 * chain)
            found = slow(found)
    print("done", storage.counter.computed)
"""
