"""Many threads and tasks on one storage: nothing is lost, nothing is mixed up."""

from __future__ import annotations

import asyncio
import contextvars
import sys
import threading
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import pytest

import gitmemo as gm

THREADS = 24
CALLS = 8


@pytest.fixture(params=["memory", "file", "versioned file"])
def storage(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[gm.Storage]:
    path = None if request.param == "memory" else tmp_path / "s.db"
    deps_path = Path(__file__).parent if request.param == "versioned file" else None
    storage = gm.Storage(path, deps_path)
    yield storage
    storage.close()


@pytest.fixture(autouse=True)
def quick_switches() -> Iterator[None]:
    """Let threads take turns a thousand times as often as they do."""
    before = sys.getswitchinterval()
    sys.setswitchinterval(5e-6)
    yield
    sys.setswitchinterval(before)


@gm.op(name="at once")
def grown(x):
    return [x] * 300


@gm.op(name="inner at once")
def total(values, k):
    return sum(grown(k)) + sum(values)


def work(storage: gm.Storage, number: int) -> list[int]:
    """Make calls that are this thread's own, and some that all threads make."""
    results = []
    for x in range(CALLS):
        results.append(storage.unwrap(total(grown(number * 100 + x), x)))
    return results


def expected(number: int) -> list[int]:
    return [300 * (number * 100 + x) + 300 * x for x in range(CALLS)]


def in_threads(function: Callable[[int], list[int]]) -> list[Any]:
    """Run `function` in threads that begin together."""
    barrier = threading.Barrier(THREADS)

    def run(number: int) -> list[int]:
        barrier.wait()
        return function(number)

    with ThreadPoolExecutor(THREADS) as pool:
        return list(pool.map(run, range(THREADS)))


def check(storage: gm.Storage) -> None:
    """Everything is there: a second pass computes nothing."""
    computed = storage.counter.computed
    with storage:
        for number in range(THREADS):
            assert work(storage, number) == expected(number)
    assert storage.counter.computed == computed
    raw = {number * 100 + x for number in range(THREADS) for x in range(CALLS)}
    assert sorted(storage.cf(grown).df()["x"]) == sorted(raw | set(range(CALLS)))
    assert len(storage.cf(total)) == THREADS * CALLS


def test_threads_with_a_block_each(storage: gm.Storage) -> None:
    def run(number: int) -> list[int]:
        with storage:
            return work(storage, number)

    assert in_threads(run) == [expected(number) for number in range(THREADS)]
    check(storage)


def test_threads_that_share_the_block_of_the_one_that_started_them(storage: gm.Storage) -> None:
    with storage:
        contexts = [contextvars.copy_context() for _ in range(THREADS)]
        found = in_threads(lambda number: contexts[number].run(work, storage, number))
    assert found == [expected(number) for number in range(THREADS)]
    check(storage)


def test_tasks_and_the_threads_that_they_wait_for(storage: gm.Storage) -> None:
    async def task(number: int) -> list[int]:
        await asyncio.sleep(0)
        with storage:
            first = await asyncio.to_thread(work, storage, number)
            await asyncio.sleep(0)
            assert work(storage, number) == first
            return first

    async def main() -> list[list[int]]:
        return await asyncio.gather(*(task(number) for number in range(THREADS)))

    assert asyncio.run(main()) == [expected(number) for number in range(THREADS)]
    check(storage)


def test_threads_that_forget_and_compute_again(storage: gm.Storage) -> None:
    def run(number: int) -> list[int]:
        with storage:
            work(storage, number)
            mine = number * 100 + 50
            for _ in range(3):
                grown(mine)
                assert grown.forget(mine) == 1
                assert not grown.is_cached(mine)
                grown.recompute(mine)
                assert grown.is_cached(mine)
            assert grown.forget(mine) == 1
            return work(storage, number)

    assert in_threads(run) == [expected(number) for number in range(THREADS)]
    check(storage)
