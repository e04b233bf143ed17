"""Ops for batches in this process. Not a test."""

from __future__ import annotations

import threading
from collections import defaultdict
from dataclasses import dataclass
from typing import Any, ClassVar

import gitmemo as gm

unlimited: defaultdict[str, threading.Event] = defaultdict(threading.Event)
"""Gates that calls wait at, where they run beside the program."""


@gm.op
def inc(x: int) -> int:
    return x + 1


@gm.op
def bad(x: int = 0, password: str = "") -> int:
    raise ValueError(f"bad {x}")


@dataclass(frozen=True)
class Frozen(Exception):
    code: int


@gm.op
def frozen(x: int) -> int:
    raise Frozen(x)


ONE = ValueError("one object")


@gm.op
def raises_one(x: int) -> int:
    raise ONE


@gm.op
def gated(name: str, x: int) -> int:
    if threading.current_thread() is not threading.main_thread():
        assert unlimited[name].wait(20)
    return x


@gm.op
def numbers(n: int) -> list[int]:
    return list(range(n))


@gm.op(nout=2)
def in_pairs(x: int) -> Any:
    return x, x + 1


@gm.op
def first_two(x: int) -> Any:
    return x, x + 1


@gm.op
def total(values: Any) -> int:
    return sum(values)


@gm.superop
def grow(x: int) -> int:
    return inc(inc(x))


@gm.op
async def later(x: int) -> int:
    return x + 100


class Shared:
    """What cannot be copied, or says that it is its own copy."""

    def __init__(self, number: int, *, is_refused: bool) -> None:
        self.number, self.is_refused = number, is_refused

    def __deepcopy__(self, memo: object) -> Shared:
        if self.is_refused:
            raise RuntimeError("not copied")
        return self


@gm.op
def number_of(shared: Any, more: int = 0) -> int:
    one = shared[0] if isinstance(shared, list) else shared
    return int(one.number) + more


@gm.op(ignore_args=("shared",))
def ignoring(x: int, shared: Any) -> int:
    return x


@gm.op
async def number_later(shared: Any) -> int:
    return int(shared.number)


def closing(step: int) -> Any:
    """Make an op that closes over a variable, which changes afterwards."""

    @gm.op
    def add(x: int) -> int:
        return x + step

    return add


_the_gpu = threading.Lock()


@gm.op(resources={"GPU": 1})
def on_gpu(x: int) -> int:
    """Have the one GPU to itself, until a call of `beside` ran in another thread."""
    assert _the_gpu.acquire(blocking=False)
    try:
        if threading.current_thread() is not threading.main_thread():
            assert unlimited["beside"].wait(20)
        return x
    finally:
        _the_gpu.release()


@gm.op
def beside(x: int) -> int:
    unlimited["beside"].set()
    return x


class PoolLike:
    """Holds a ref where a body finds it that was not given it."""

    ref: ClassVar[Any] = None

    @staticmethod
    @gm.op
    def use() -> int:
        found: int = PoolLike.ref.unwrap()
        return found
