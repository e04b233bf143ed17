"""What one Python with its packages writes, and others read: values of many kinds. Not a test.

Prints each value in a form that says the same everywhere, so that outputs can be compared.
"""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from enum import Enum
from fractions import Fraction
from functools import cached_property
from pathlib import PurePosixPath
from uuid import UUID

import numpy as np
import pandas as pd

import gitmemo as gm

SCALE = 3


class Colour(Enum):
    RED = "red"
    BLUE = "blue"


@dataclass
class Point:
    x: int
    y: float

    @property
    def sum(self) -> float:
        return self.x + self.y

    @cached_property
    def product(self) -> float:
        return self.x * self.y


def scaled(number: int) -> int:
    return number * SCALE


@contextmanager
def opened(number: int) -> Iterator[int]:
    yield number


@gm.op
def numbers(seed):
    return [scaled(seed), -(2**80), 1.5, float("inf"), True, None, complex(2, seed)]


@gm.op
def texts(seed):
    return [f"größe {seed}", "", '\u2028\\"', b"\x00\xff" * seed]


@gm.op
def containers(seed):
    inner = [(number, {"k": number}) for number in range(seed)]
    return {"a": inner, 1: frozenset({"x", "y"}), (2, 3): {4.0}, "none": {}}


@gm.op
def moments(seed):
    when = datetime(2024, 2, 29, 12, seed, tzinfo=UTC)
    return [when, date(2020, 1, seed), timedelta(seed, 5), Decimal("1.10"), Fraction(1, 3)]


@gm.op
def names(seed):
    return [UUID(int=seed), PurePosixPath("a/b"), Colour.BLUE, Point(seed, 0.5)]


@gm.op
def wrapped(seed):
    with opened(seed) as number:
        return [Point(number, 0.5).sum, Point(number, 0.5).product]


@gm.op
def arrays(seed):
    return {
        "float": np.arange(seed * 1.0),
        "columns": np.asfortranarray(np.arange(6).reshape(2, 3)),
        "bool": np.array([True, False]),
        "text": np.array(["a", "größe"]),
        "time": np.array(["2024-01-01", "2024-02-29"], dtype="datetime64[D]"),
        "fields": np.array([(1, 2.0), (3, 4.0)], dtype=[("a", "<i4"), ("b", "<f8")]),
        "large": np.arange(50_000) % (seed + 1),
    }


@gm.op(output_names=["table", "column"])
def tables(seed):
    frame = pd.DataFrame({"n": range(seed), "x": np.arange(seed) / 2}, index=range(1, seed + 1))
    return frame, frame["x"]


@gm.op
def used(value, seed):
    return f"{type(value).__name__} {seed}"


def shown(value):
    """Return what `value` is, without what a version of numpy or pandas puts around it."""
    if isinstance(value, np.ndarray):
        return [str(value.dtype), value.flags.f_contiguous, value.tolist()[:9]]
    if isinstance(value, pd.DataFrame | pd.Series):
        return [str(value.index.tolist()), str(value.to_dict())]
    if isinstance(value, dict):
        return {str(key): shown(one) for key, one in value.items()}
    if isinstance(value, set | frozenset):
        return sorted(map(str, value))
    return [shown(one) for one in value] if isinstance(value, list | tuple) else repr(value)


if __name__ == "__main__":
    with gm.open() as storage:
        for op in (numbers, texts, containers, moments, names, wrapped, arrays):
            found = op(7)
            print(op.__name__, shown(storage.unwrap(found)), storage.unwrap(used(found, 7)))
        for part in tables(7):
            print("tables", shown(storage.unwrap(part)), storage.unwrap(used(part, 7)))
    print(len(storage.cf(used).expand_back().df()), "rows")
