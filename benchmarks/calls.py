"""Single calls in a warm process, the first in a new one, and many calls in a new one."""

from __future__ import annotations

from functools import partial
from typing import Any

import numpy as np

from benchmarks.amounts import scaled
from benchmarks.cases import Call, Case, Kind, Site
from benchmarks.peers import FILE, OURS, PLAIN, REPOSITORY

MIB_10 = 1_310_720
_ARRAYS = (REPOSITORY, PLAIN, "diskcache", "joblib.Memory", "mandala")


def setting() -> dict[str, dict[str, object]]:
    """Return a nested dict of 20 items, 1.4 kB."""
    return {
        f"layer_{n}": {"units": 64 * n, "rate": 0.1 * n, "names": ["a", "b", str(n)]}
        for n in range(20)
    }


def values(megabytes: int) -> np.ndarray[Any, np.dtype[np.float64]]:
    """Return an array of that size, the same in each process."""
    return np.random.default_rng(0).random(scaled(megabytes * 125_000))


def _named(site: Site) -> Call:
    function = site.wrap(site.subject.named)
    return lambda: function(7, 0.25, name="a")


def _chain(site: Site) -> Call:
    ramp, moved = site.wrap(site.subject.ramp), site.wrap(site.subject.moved)
    return lambda: moved(moved(ramp(1)))


def _setting(site: Site) -> Call:
    function, items = site.wrap(site.subject.measured), setting()
    return lambda: function(items)


def _array(megabytes: int, site: Site) -> Call:
    function, array = site.wrap(site.subject.first), values(megabytes)
    return lambda: function(array)


def _counted(name: str, site: Site) -> Call:
    function, numbers = site.wrap(getattr(site.subject, name)), site.numbers
    return lambda: function(next(numbers))


_OPENED = ("SQLite, opened, point read", "a small file, opened and read")
CALLS = {
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
        lambda site: _array(10, site),
        10,
        ("BLAKE3, 10 MB", "memory copy, 10 MB"),
        _ARRAYS,
    ),
    "array": Case(
        "hit, raw array of 100 MB",
        lambda site: _array(100, site),
        2,
        ("BLAKE3, 100 MB", "memory copy, 100 MB"),
        _ARRAYS,
    ),
    "miss": Case(
        "miss, small result",
        lambda site: _counted("triple", site),
        200,
        ("SQLite, insert with a log", "append to a file"),
        kind=Kind.STORED,
    ),
    "result": Case(
        "miss, result of 10 MiB",
        lambda site: _counted("ramp", site),
        3,
        ("made, BLAKE3, written",),
        (REPOSITORY, FILE, PLAIN, "diskcache", "joblib.Memory", "mandala"),
        kind=Kind.STORED,
    ),
}
# The first round is a miss, the second reads what it left.
COLD = {
    "first": Case(
        "first hit of a new process, scalars", _named, 1, _OPENED, kind=Kind.FIRST, warm_up=2
    ),
    **{
        f"cold{size}": Case(
            f"first hit of a new process, array of {size} MB",
            partial(_array, size),
            1,
            (f"BLAKE3, {size} MB",),
            _ARRAYS,
            kind=Kind.FIRST,
            warm_up=2,
        )
        for size in (10, 100)
    },
}


def _stored(count: int, *peers: str) -> Case:
    floor = f"SQLite, opened, {count:,} point reads"
    return Case(
        f"{scaled(count):,} stored calls",
        lambda site: _counted("triple", site),
        scaled(count),
        (floor,),
        (REPOSITORY, PLAIN, *peers),
        kind=Kind.MANY,
        warm_up=2,
        is_long=count > 1_000,
    )


MANY = {
    "1k": _stored(1_000, "diskcache", "joblib.Memory", "mandala", "redun"),
    "10k": _stored(10_000, "diskcache", "joblib.Memory", "mandala"),
    "100k": _stored(100_000, "diskcache", "joblib.Memory"),
}
