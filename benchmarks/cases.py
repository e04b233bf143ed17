"""The calls that all tools make in turn: what they are, and the floors beside them.

Not how they are timed (`turns`, `timed`). A case is known by its name in every process.
"""

from __future__ import annotations

import itertools
from collections.abc import Callable
from dataclasses import dataclass
from types import ModuleType
from typing import Any

import numpy as np

from benchmarks.peers import FILE, OURS, PLAIN, REPOSITORY

MIB_10 = 1_310_720
_ALL = (*OURS, "diskcache", "joblib.Memory", "mandala", "redun")
_ARRAYS = (REPOSITORY, PLAIN, "diskcache", "joblib.Memory", "mandala")
_Make = Callable[
    [ModuleType, Callable[[Callable[..., Any]], Callable[..., Any]]], Callable[[], Any]
]


@dataclass(frozen=True, slots=True)
class Case:
    """One call, made again and again.

    Attributes:
        repeat: How many calls a round has at most; slow tools make fewer.
        floors: Bare work beside it; the first is what the distance in the overview is from.
        is_cold: Whether each call is the first of a new process, opening included, imports not.
        stores: Whether the time includes leaving the block, where some tools write what they stored.
    """

    title: str
    make: _Make
    repeat: int
    floors: tuple[str, ...]
    tools: tuple[str, ...] = _ALL
    is_cold: bool = False
    stores: bool = False


def setting() -> dict[str, dict[str, object]]:
    """Return a nested dict of 20 items, 1.4 kB."""
    return {
        f"layer_{n}": {"units": 64 * n, "rate": 0.1 * n, "names": ["a", "b", str(n)]}
        for n in range(20)
    }


def values(megabytes: int) -> np.ndarray[Any, np.dtype[np.float64]]:
    """Return an array of that size, the same in each process."""
    return np.random.default_rng(0).random(megabytes * 125_000)


def _named(module: ModuleType, wrap: Any) -> Callable[[], Any]:
    function = wrap(module.named)
    return lambda: function(7, 0.25, name="a")


def _chain(module: ModuleType, wrap: Any) -> Callable[[], Any]:
    ramp, moved = wrap(module.ramp), wrap(module.moved)
    return lambda: moved(moved(ramp(1)))


def _setting(module: ModuleType, wrap: Any) -> Callable[[], Any]:
    function, items = wrap(module.measured), setting()
    return lambda: function(items)


def _array(megabytes: int) -> _Make:
    def make(module: ModuleType, wrap: Any) -> Callable[[], Any]:
        function, array = wrap(module.first), values(megabytes)
        return lambda: function(array)

    return make


def _triple(module: ModuleType, wrap: Any) -> Callable[[], Any]:
    function, numbers = wrap(module.triple), itertools.count()
    return lambda: function(next(numbers))


def _ramp(module: ModuleType, wrap: Any) -> Callable[[], Any]:
    function, numbers = wrap(module.ramp), itertools.count()
    return lambda: function(next(numbers))


_OPENED = ("SQLite, opened, point read", "a small file, opened and read")
CASES = {
    "hit": Case(
        "hit, scalars",
        _named,
        300,
        ("dictionary look-up", "SQLite, point read", "a small file, opened and read"),
    ),
    "chain": Case(
        "three hits through refs to 10 MiB",
        _chain,
        50,
        ("three dictionary look-ups",),
        (*OURS, "joblib.Memory", "mandala"),
    ),
    "dict": Case("hit, nested dict of 1.4 kB", _setting, 50, ("pickle and BLAKE3",)),
    "array10": Case(
        "hit, raw array of 10 MB",
        _array(10),
        10,
        ("BLAKE3, 10 MB", "memory copy, 10 MB"),
        _ARRAYS,
    ),
    "array": Case(
        "hit, raw array of 100 MB",
        _array(100),
        2,
        ("BLAKE3, 100 MB", "memory copy, 100 MB"),
        _ARRAYS,
    ),
    "first": Case("first hit of a new process, scalars", _named, 1, _OPENED, is_cold=True),
    "cold10": Case(
        "first hit of a new process, array of 10 MB",
        _array(10),
        1,
        ("BLAKE3, 10 MB",),
        _ARRAYS,
        is_cold=True,
    ),
    "cold100": Case(
        "first hit of a new process, array of 100 MB",
        _array(100),
        1,
        ("BLAKE3, 100 MB",),
        _ARRAYS,
        is_cold=True,
    ),
    "miss": Case(
        "miss, small result",
        _triple,
        200,
        ("SQLite, insert with a log", "append to a file"),
        stores=True,
    ),
    "result": Case(
        "miss, result of 10 MiB",
        _ramp,
        3,
        ("made, BLAKE3, written",),
        (REPOSITORY, FILE, PLAIN, "diskcache", "joblib.Memory", "mandala"),
        stores=True,
    ),
}
