"""Maps in a batch: the calls run where those of the batch run."""

from __future__ import annotations

import threading
import time
from collections.abc import Iterator

import joblib
import pytest

import gitmemo as gm
from gitmemo.errors import CallNotMade, CallsFailed, ResourceMissing

MEET = threading.Barrier(2, timeout=5)
GATE = threading.Event()
RAN: list[int] = []


@gm.op
def met(x: int) -> int:
    MEET.wait()
    return x


@gm.op
def double(x: int) -> int:
    RAN.append(x)
    if x < 0:
        raise ValueError(f"below zero: {x}")
    return 2 * x


@gm.op
def held(x: int) -> int:
    assert GATE.wait(10)
    return x


@gm.op
def fails_late(x: int) -> int:
    if x > 0:
        return x
    assert GATE.wait(10)
    raise ValueError("late")


@gm.op
def both(x: int):
    return x, 2 * x


@gm.op
def added(pair: tuple[int, int]) -> int:
    return pair[0] + pair[1]


@gm.op(resources={"GPU": 1})
def alone(x: int) -> int:
    RAN.append(x)
    time.sleep(0.02)
    assert RAN.pop() == x
    return x


@gm.op(ignore_args=["lock"])
def unlocked(x: int, lock: object) -> int:
    return x


@gm.op(resources={"GPU": 2})
def hungry(x: int) -> int:
    return x


@pytest.fixture
def storage() -> Iterator[gm.Storage]:
    RAN.clear()
    GATE.clear()
    with gm.Storage() as made, joblib.parallel_config("threading"):
        yield made


def test_its_calls_run_at_once_as_the_batch_says(storage: gm.Storage) -> None:
    with storage.batch(n_jobs=2):
        first = double(10)
        refs = storage.map(met, [1, 2, 3, 4])  # two at once, or nobody meets anybody
        assert storage.unwrap(refs) == [1, 2, 3, 4]
        both = double(refs[3])
    assert storage.unwrap([first, both]) == [20, 8]


def test_with_one_job_it_is_a_loop(storage: gm.Storage) -> None:
    with joblib.parallel_config("threading", n_jobs=2), storage.batch(n_jobs=1):
        assert storage.unwrap(storage.map(double, range(20))) == [2 * x for x in range(20)]
    assert list(range(20)) == RAN


def test_who_breaks_off_leaves_the_calls_of_the_batch_alone(storage: gm.Storage) -> None:
    with storage.batch(n_jobs=2):
        waiting = held(7)
        with pytest.raises(ValueError, match="below zero"):
            storage.map(double, [1, -1, *range(10, 60)], on_error="raise")
        assert len(RAN) < 10
        for _ in storage.map(double, range(100, 150), as_completed=True):
            break
        GATE.set()
        with pytest.raises(CallsFailed, match="1 of 3"):
            storage.map(double, [1, -2, 3])
    assert waiting.unwrap() == 7


def test_resources_are_limits_there_too(storage: gm.Storage) -> None:
    with storage.batch(n_jobs=2):
        assert storage.unwrap(storage.map(alone, range(5))) == list(range(5))
        with pytest.raises(ResourceMissing):
            storage.map(hungry, [1])


def test_an_error_in_the_block_still_cancels(storage: gm.Storage) -> None:
    with pytest.raises(ZeroDivisionError), storage.batch(n_jobs=1):
        left = double(1)
        storage.map(double, [2])
        raise ZeroDivisionError
    with pytest.raises(CallNotMade):
        left.unwrap()


def test_calls_of_the_batch_and_of_the_map_share_what_there_is(storage: gm.Storage) -> None:
    with storage.batch(n_jobs=4):
        before = [alone(x) for x in range(10, 14)]
        assert storage.unwrap(storage.map(alone, range(4))) == [0, 1, 2, 3]
    assert storage.unwrap(before) == [10, 11, 12, 13]


def test_what_cannot_be_copied_is_made_at_once(storage: gm.Storage) -> None:
    with storage.batch(n_jobs=2):
        refs = storage.map(unlocked, range(3), lock=threading.Lock())
    assert storage.unwrap(refs) == [0, 1, 2]


def test_nothing_of_a_map_that_was_not_read_to_its_end_runs_after_the_block(
    storage: gm.Storage,
) -> None:
    with pytest.raises(KeyError), storage.batch(n_jobs=2):
        left = storage.map(double, range(100), as_completed=True)
        next(left)
        raise KeyError
    ran = len(RAN)
    assert ran < 100
    with pytest.raises(CallNotMade):
        list(left)
    assert len(RAN) == ran


def test_a_map_says_which_call_failed_and_the_batch_does_not_say_it_again(
    storage: gm.Storage,
) -> None:
    with storage.batch(n_jobs=2):
        with pytest.raises(CallsFailed) as failed:
            storage.map(double, [1, -1, 2, -1])
        again = double(3)
    assert failed.value.positions == (1, 3)
    assert again.unwrap() == 6


def test_who_breaks_off_at_a_stored_result_has_begun_nothing(storage: gm.Storage) -> None:
    double(1)
    RAN.clear()
    with storage.batch(n_jobs=2):
        for _ in storage.map(double, [1, -5, *range(50)], as_completed=True):
            break
    assert RAN == []


def test_failures_of_a_map_that_was_broken_off_are_told_of_for_equal_calls_alone(
    storage: gm.Storage,
) -> None:
    with pytest.raises(CallsFailed, match="1 of 3"), storage.batch(n_jobs=2):
        results = storage.map(fails_late, [1, -7], as_completed=True)
        next(results)
        equal = fails_late(-7)  # runs already, for the map
        results.close()
        GATE.set()
    with pytest.raises(ValueError, match="late"):
        equal.unwrap()


def test_a_map_takes_results_that_nobody_declared_to_be_tuples(storage: gm.Storage) -> None:
    with storage.batch(n_jobs=2):
        pairs = [both(x) for x in range(3)]
        assert storage.unwrap(storage.map(added, pairs)) == [0, 3, 6]
