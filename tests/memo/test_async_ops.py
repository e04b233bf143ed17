"""Ops that are awaited."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

import gitmemo as gm
from gitmemo import errors

RUNS: list[Any] = []


@pytest.fixture(autouse=True)
def no_runs() -> None:
    RUNS.clear()


@pytest.fixture(params=[False, True], ids=["unversioned", "versioned"])
def storage(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[gm.Storage]:
    folder = Path(__file__).parent if request.param else None
    storage = gm.Storage(db_path=tmp_path / "s.db", deps_path=folder)
    yield storage
    storage.close()


def helper_a(x):
    return x + 1


def helper_b(x):
    return x + 2


@gm.op
async def slow(x):
    await asyncio.sleep(0.01)
    RUNS.append(x)
    await asyncio.sleep(0.01)
    return helper_a(x)


@gm.op
async def other(x):
    await asyncio.sleep(0.01)
    return helper_b(x)


@gm.op
async def both(x):
    first, second = await asyncio.gather(slow(x), other(x))
    return first + second


@gm.op
async def failing(x):
    await asyncio.sleep(0)
    raise KeyError(x)


@gm.op(store="hash")
async def recipe(x):
    await asyncio.sleep(0)
    RUNS.append(x)
    return [helper_a(x), await slow(x)]


@gm.op(materialize=True)
async def ticks(n):
    for i in range(n):
        await asyncio.sleep(0)
        yield i


def test_calls_are_gathered_and_each_is_remembered(storage: gm.Storage) -> None:
    async def main() -> list[Any]:
        with storage:
            return await asyncio.gather(*(slow(x) for x in range(20)))

    first = asyncio.run(main())
    assert storage.unwrap(first) == list(range(1, 21))
    assert sorted(RUNS) == list(range(20))
    again = asyncio.run(main())
    assert [ref.hid for ref in again] == [ref.hid for ref in first]
    assert len(RUNS) == 20


def test_the_storage_is_the_one_where_the_call_was_written(storage: gm.Storage) -> None:
    with storage:
        call = slow(1)

    async def await_outside() -> Any:
        return await call

    assert storage.unwrap(asyncio.run(await_outside())) == 2


def test_outside_a_block_a_coroutine_function_is_itself() -> None:
    assert asyncio.run(slow(1)) == 2


def test_tasks_with_storages_of_their_own(storage: gm.Storage) -> None:
    mine = gm.Storage()

    async def use(one: gm.Storage) -> None:
        with one:
            for x in range(3):
                await slow(x)
                await asyncio.sleep(0)

    async def main() -> None:
        await asyncio.gather(use(storage), use(mine))

    asyncio.run(main())
    assert storage.counter.computed == mine.counter.computed == 3


def test_inner_calls_and_dependencies_of_interleaved_calls(tmp_path: Path) -> None:
    storage = gm.Storage(deps_path=Path(__file__).parent)

    async def main() -> tuple[Any, Any]:
        with storage:
            return await asyncio.gather(both(1), slow(5))

    outer, _ = asyncio.run(main())
    assert storage.unwrap(outer) == 5
    by_op = {call.op.rpartition(":")[2]: call for call in storage.world.calls(storage._code)}
    units = {
        name: {component.unit for component in storage.world.version(call.version).pairs}
        for name, call in by_op.items()
    }
    assert {"helper_a", "slow"} <= units["slow"]
    assert {"helper_b", "other"} <= units["other"]
    assert {"helper_a", "helper_b", "both", "slow", "other"} <= units["both"]
    assert len(by_op["both"].inner) == 2


def test_exceptions_are_not_results(storage: gm.Storage) -> None:
    async def main() -> None:
        with storage:
            for _ in range(2):
                with pytest.raises(KeyError):
                    await failing(1)

    asyncio.run(main())
    assert storage.counter.computed == 0


def test_a_cancelled_call_is_not_a_result(storage: gm.Storage) -> None:
    async def main() -> None:
        with storage:
            task = asyncio.create_task(slow(3))
            await asyncio.sleep(0.005)
            task.cancel()
            with pytest.raises(asyncio.CancelledError):
                await task
            assert storage.unwrap(await slow(3)) == 4

    asyncio.run(main())
    assert RUNS == [3]


def test_an_asynchronous_generator_can_be_materialized(storage: gm.Storage) -> None:
    async def main() -> Any:
        with storage:
            return await ticks(3)

    assert storage.unwrap(asyncio.run(main())) == [0, 1, 2]
    with pytest.raises(errors.UntrackableOp, match="generator"):
        gm.op(ticks.__wrapped__)


def test_a_value_that_is_not_here_is_made_again_where_nobody_can_await_it(
    storage: gm.Storage,
) -> None:
    """By plain code, with and without a loop that is running; the loops of others are left alone."""

    async def main() -> Any:
        with storage:
            return await recipe(1)

    async def looking() -> Any:
        value = storage.unwrap(await main())
        await asyncio.sleep(0)
        return value

    loop = asyncio.new_event_loop()
    assert storage.unwrap(loop.run_until_complete(main())) == [2, 2]
    del RUNS[:]
    assert storage.unwrap(loop.run_until_complete(main())) == [2, 2]
    assert RUNS.count(1) >= 1, "it was run again"
    del RUNS[:]
    assert loop.run_until_complete(looking()) == [2, 2]
    assert RUNS.count(1) >= 1
    loop.close()


def test_an_asynchronous_call_can_be_checked(storage: gm.Storage) -> None:
    async def main() -> Any:
        with storage:
            return await slow(1)

    asyncio.run(main())
    report = storage.check(slow)
    assert report.was_run and report.is_deterministic
