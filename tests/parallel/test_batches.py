"""Batches: pending refs, what waits, what fails, what ends them; and the records of a program without one."""

from __future__ import annotations

import asyncio
import json
import pickle
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from contextlib import suppress
from typing import Any

import joblib
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from parallel.batch_programs import run
from parallel.batch_stories import (
    ONE,
    Frozen,
    PoolLike,
    Shared,
    bad,
    beside,
    closing,
    first_two,
    frozen,
    gated,
    grow,
    ignoring,
    in_pairs,
    inc,
    later,
    number_later,
    number_of,
    numbers,
    on_gpu,
    raises_one,
    total,
    unlimited,
)

import gitmemo as gm
from gitmemo.errors import (
    ArgumentsChanged,
    BackendUnfit,
    CallNotMade,
    CallsFailed,
    NewCallRefused,
    RefMisuse,
    ResourceMissing,
    StorageInMemory,
    WaitsInside,
)
from gitmemo.memo.parallel import mains, opened
from gitmemo.memo.parallel.pending import PendingRef
from gitmemo.model.lines import to_line
from gitmemo.ref import AtomRef, ListRef


@pytest.fixture(params=["sequential", "threading"])
def how(request: pytest.FixtureRequest) -> Iterator[str]:
    with joblib.parallel_config(request.param):
        yield request.param


@pytest.fixture
def storage() -> Iterator[gm.Storage]:
    made = gm.Storage()
    yield made
    made.close()


def test_refs_are_pending_and_then_ordinary(how: str, storage: gm.Storage) -> None:
    plain = gm.Storage()
    with plain:
        wanted = [inc(1), numbers(3), in_pairs(4)[1], total([inc(1), inc(2)])]
    with storage.batch(n_jobs=2) as batch:
        gate = gated("begin", 1)
        waiting = inc(gate)
        assert type(waiting) is PendingRef
        assert isinstance(waiting, gm.Ref)
        assert "inc(…): waits for others" in repr(waiting)
        assert batch.unfinished >= 2
        unlimited["begin"].set()
        found = [inc(1), numbers(3), in_pairs(4)[1], total([inc(1), inc(2)])]
    assert batch.unfinished == 0
    assert waiting.unwrap() == 2
    for one, other in zip(found, wanted, strict=True):
        assert type(one) is type(other)
        assert (one.hid, one.cid) == (other.hid, other.cid)
        assert pickle.loads(pickle.dumps(one)).unwrap() == other.unwrap()
        assert storage.get_ref_creator(one) is not None
    assert type(found[1]) is ListRef
    with storage:
        assert inc(1).same_as(found[0])
    assert storage.counter.computed == 6


def test_what_needs_a_value_waits_for_that_one(how: str, storage: gm.Storage) -> None:
    with gm.Storage():
        fifth = inc(4).hid
    unlimited["never yet"].clear()
    with storage.batch(n_jobs=2) as batch:
        other = gated("never yet", 5)
        assert inc(inc(1)).unwrap() == 3
        assert [each.unwrap() for each in numbers(3)] == [0, 1, 2]
        assert len(numbers(2)) == 2
        assert not numbers(0)
        assert inc(4).hid == fifth
        assert storage.unwrap({"a": [inc(5)]}) == {"a": [6]}
        assert hash(inc(5)) == hash(inc(5))
        assert inc(6).in_memory
        low, high = first_two(1)  # nothing says that it returns two
        assert (low.unwrap(), high.unwrap()) == (1, 2)
        for refused in (lambda ref: float(ref), lambda ref: ref > 1, lambda ref: bool(ref)):
            with pytest.raises(RefMisuse):
                refused(inc(7))
        assert ("running" if how == "threading" else "not begun") in repr(other)
        assert batch.unfinished >= 1
        unlimited["never yet"].set()
        undeclared = first_two(inc(2))
        summed = total(undeclared)
    assert [each.unwrap() for each in undeclared] == [3, 4]
    assert summed.unwrap() == 7
    with pytest.raises(AttributeError, match="nout="):
        _ = undeclared.hid
    with storage:
        assert total(first_two(inc(2))).same_as(summed)


def test_equal_calls_are_one_and_arguments_are_as_they_were(how: str, storage: gm.Storage) -> None:
    values = [1, 2]
    with storage.batch(n_jobs=2):
        one, same = total(values), total([1, 2])
        alike = total([inc(0), 2])
        values.append(10)
        more = total(values)
        adding = [closing(step)(one) for step in range(3)]
    assert [one.unwrap(), same.unwrap(), more.unwrap()] == [3, 3, 13]
    assert one.hid == same.hid != alike.hid
    assert [each.unwrap() for each in adding] == [3, 4, 5]
    assert storage.counter.computed == 3 + 3
    assert storage.counter.reused == 2


@pytest.mark.parametrize("is_refused", [True, False])
def test_what_cannot_be_copied_is_not_waited_with(
    how: str, storage: gm.Storage, is_refused: bool
) -> None:
    shared = Shared(0, is_refused=is_refused)

    async def awaited() -> Any:
        return await number_later(shared)

    refs, pending, also = [], [], []
    with storage.batch(n_jobs=2):
        for number in range(3):
            shared.number = number
            refs.append(number_of(shared))
            pending.append(number_of(shared, more=inc(number)))
            also.append(asyncio.run(awaited()))
        assert type(ignoring(1, threading.Lock())) is PendingRef
    assert [ref.unwrap() for ref in refs] == [0, 1, 2]
    assert [ref.unwrap() for ref in pending] == [1, 3, 5]
    assert [ref.unwrap() for ref in also] == [0, 1, 2]


def test_a_call_whose_argument_changed_before_it_runs_is_refused(storage: gm.Storage) -> None:
    shared = Shared(1, is_refused=False)
    with pytest.raises(CallsFailed) as caught, storage.batch():
        first, second = number_of([shared]), number_of([shared], more=inc(1))
        shared.number = 2
    assert [type(error) for error in caught.value.exceptions] == [ArgumentsChanged] * 2
    with storage.batch():
        kept = number_of([shared]), number_of([shared], more=inc(1))
    assert [ref.unwrap() for ref in kept] == [2, 4]
    for ref in (first, second):
        with pytest.raises(ArgumentsChanged, match="was changed"):
            ref.unwrap()


def test_equal_calls_that_have_no_result_are_all_named(how: str, storage: gm.Storage) -> None:
    with pytest.raises(CallsFailed, match="3 of 5 calls failed") as caught, storage.batch(n_jobs=1):
        same = [bad(1), bad(1), bad(1)]
        inc(same[1])
        inc(10)
    assert caught.value.positions == (0, 1, 2)
    assert caught.value.calls == ("bad(1)",) * 3
    assert caught.value.not_run == 1
    with storage.batch(n_jobs=1):
        same = [bad(1), bad(1)]
        with pytest.raises(ValueError, match="bad 1"):
            same[1].unwrap()


_FORKED = """
import os, sys, threading
import joblib
import gitmemo as gm

gate = threading.Event()

@gm.op
def slow(x):
    gate.wait(20)
    return x

storage = gm.Storage()
with joblib.parallel_config("threading"), storage.batch(n_jobs=2):
    ref = slow(1)
    child = os.fork()
    if not child:
        for ask in (ref.unwrap, lambda: slow(2), lambda: storage.map(slow, [3])):
            try:
                ask()
            except gm.errors.ForkedInBatch as error:
                print(error.kind, flush=True)
        sys.exit(7)
    print(os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]), flush=True)
    gate.set()
    print(ref.unwrap())
"""


@pytest.mark.filterwarnings("ignore")
def test_a_fork_does_not_wait_for_what_runs_in_the_other_process() -> None:
    made = subprocess.run(
        [sys.executable, "-W", "ignore", "-c", _FORKED], capture_output=True, text=True, timeout=30
    )
    assert made.stdout.split() == [*["forked-in-batch"] * 3, "7", "1"], made.stderr


def test_exceptions_that_refuse_notes_are_told_as_they_are(how: str, storage: gm.Storage) -> None:
    with pytest.raises(CallsFailed) as caught, storage.batch(n_jobs=2):
        refs = [frozen(1), inc(frozen(2)), inc(5)]
    assert [type(error) for error in caught.value.exceptions] == [Frozen, Frozen]
    assert refs[2].unwrap() == 6
    with pytest.raises(CallsFailed) as caught:
        storage.map(frozen, [1, 2], n_jobs=2)
    assert [type(error) for error in caught.value.exceptions] == [Frozen, Frozen]
    try:
        storage.map(frozen, [3], on_error="raise")
    except Frozen as error:
        assert error.code == 3


def test_a_worker_hands_on_exceptions_that_refuse_a_traceback(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setitem(sys.modules, "__main__", sys.modules["__main__"])
    main = mains.Main(None, None, None, (), (), "")
    error = Frozen(1)
    around = mains.as_main(mains.standing_in(main), main), opened._StandingFor(None)
    for block in around:
        with pytest.raises(Exception) as caught, block:
            raise error
        assert caught.value is error


def test_one_exception_of_many_calls_has_the_notes_of_the_first(
    how: str, storage: gm.Storage
) -> None:
    for make in (
        lambda: [raises_one(x) for x in range(3)],
        lambda: storage.map(raises_one, range(3), n_jobs=2),
    ):
        vars(ONE).pop("__notes__", None)
        batch = storage.batch(n_jobs=2)
        with pytest.raises(CallsFailed) as caught, batch:
            make()
        assert caught.value.exceptions == (ONE, ONE, ONE)
        assert len(caught.value.calls) == 3
        assert len(ONE.__notes__) == 1


def test_failures_are_told_at_the_end(how: str, storage: gm.Storage) -> None:
    with pytest.raises(CallsFailed) as caught, storage.batch(n_jobs=2):
        failed = bad(1)
        left = inc(inc(failed))
        fine = inc(inc(10))
        secret = bad(password="hunter2")
    error = caught.value
    assert error.calls[0] == "bad(1)"
    assert "hunter2" not in str(error)
    assert (len(error.exceptions), error.not_run, error.total) == (2, 2, 6)
    assert pickle.loads(pickle.dumps(error)).not_run == 2
    assert fine.unwrap() == 12
    for ref in (failed, left):
        with pytest.raises(ValueError, match="bad 1"):
            ref.unwrap()
    assert "failed" in repr(left)
    assert "failed" in repr(secret)
    # What the program was told of where it waited, it has dealt with.
    with storage.batch(n_jobs=2):
        with suppress(ValueError):
            bad(2).unwrap()
        again = inc(inc(10))
    assert again.same_as(fine)
    # But not of what needs it.
    with pytest.raises(CallsFailed, match="1 that need"), storage.batch(n_jobs=2):
        told = bad(3)
        with suppress(ValueError):
            told.unwrap()
        inc(told)


def test_an_exception_in_the_block_cancels_what_has_not_begun(
    how: str, storage: gm.Storage
) -> None:
    unlimited["interrupted"].clear()
    refs = list[Any]()

    def go_on_when_cancelled() -> None:
        deadline = time.monotonic() + 20
        while "not run" not in repr(refs[-1]) and time.monotonic() < deadline:
            time.sleep(0.001)
        unlimited["interrupted"].set()

    watching = threading.Thread(target=go_on_when_cancelled)
    with pytest.raises(KeyboardInterrupt), storage.batch(n_jobs=2):
        refs += [gated("interrupted", i) for i in range(1, 6)]
        refs.append(inc(refs[0]))
        watching.start()
        raise KeyboardInterrupt
    watching.join()
    begun = 2 if how == "threading" else 0
    assert [ref.unwrap() for ref in refs[:begun]] == [1, 2][:begun]
    for ref in refs[begun:]:
        with pytest.raises(CallNotMade, match="was not run"):
            ref.unwrap()
    assert storage.counter.computed == begun
    with storage.batch(n_jobs=2):
        redone = [gated("interrupted", i) for i in range(1, 6)]
    assert storage.unwrap(redone) == [1, 2, 3, 4, 5]
    assert storage.counter.computed == 5


def test_long_chains_and_many_calls(how: str, storage: gm.Storage) -> None:
    with storage.batch(n_jobs=2):
        end = inc(0)
        for _ in range(2000):
            end = inc(end)
        assert repr(end)
    assert end.unwrap() == 2001
    with pytest.raises(CallsFailed, match="2000 that need"), storage.batch(n_jobs=2):
        end = bad(0)
        for _ in range(2000):
            end = inc(end)


def test_bodies_are_serial_and_batches_in_batches_are_one(how: str, storage: gm.Storage) -> None:
    other = gm.Storage()
    with storage.batch(n_jobs=2) as outer:
        grown = grow(2)
        unlimited["inner held"].clear()
        gate = gated("inner", 1)
        unlimited["inner"].set()
        with pytest.raises(CallsFailed, match="1 of 2"), storage.batch(n_jobs=2):
            inside = inc(gate)
            bad(9)
        assert type(inside) is AtomRef
        with other.batch(n_jobs=2):
            elsewhere = inc(gate)
            with storage:
                held = gated("inner held", 2)
        assert type(elsewhere) is AtomRef
        assert grown.unwrap() == 4
        # Of the other storage's block it is not: that has not waited for it.
        assert type(held) is PendingRef
        assert outer.unfinished == 1
        unlimited["inner held"].set()
    assert held.unwrap() == 2
    assert other.counter.computed == 1
    with storage.batch(n_jobs=2), gm.noop():
        assert inc(1) == 2


def test_threads_and_tasks_take_part(how: str, storage: gm.Storage) -> None:
    async def program() -> list[Any]:
        with storage.batch(n_jobs=2):
            return [inc(await later(1)), *await asyncio.gather(later(2), later(3))]

    assert storage.unwrap(asyncio.run(program())) == [102, 102, 103]
    made: list[Any] = []
    with storage.batch(n_jobs=2):
        start = inc(500)
        work = gm.carried(lambda: made.append(inc(inc(start))))
        threads = [threading.Thread(target=work) for _ in range(4)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join(20)
    assert storage.unwrap(made) == [503] * 4
    assert storage.counter.computed == 4 + 3


def test_what_needs_the_same_resource_does_not_run_at_once(how: str, storage: gm.Storage) -> None:
    unlimited["beside"].clear()
    with storage.batch(n_jobs=3):
        found = [on_gpu(inc(i)) for i in range(12)]
        others = [beside(inc(100 + i)) for i in range(12)]
    assert storage.unwrap(found) == list(range(1, 13))
    assert storage.unwrap(others) == list(range(101, 113))
    many = gm.op(resources={"GPU": 2})(_untouched)
    with pytest.raises(ResourceMissing), storage.batch(n_jobs=2):
        many(1)


def _untouched(x: int) -> int:
    return x


def test_what_is_refused(storage: gm.Storage) -> None:
    unfit = joblib.parallel_config("multiprocessing")
    with unfit, pytest.raises(BackendUnfit, match="loky"), storage.batch(n_jobs=2):
        inc(1)
    with pytest.raises(StorageInMemory), storage.batch(n_jobs=2):
        inc(1)
    with storage.batch(), storage.allow_new_calls(False), pytest.raises(NewCallRefused):
        inc(1)
    with storage.batch(), pytest.raises(TypeError):
        inc(inc(1), inc(2), inc(3))
    PoolLike.ref = None
    with pytest.raises(CallsFailed) as caught, storage.batch():
        PoolLike.use()
        PoolLike.ref = inc(40)
    assert isinstance(caught.value.exceptions[0], WaitsInside)


_STEPS = st.tuples(
    st.sampled_from(["add", "both", "list", "dict", "first"]), st.integers(0, 9), st.integers(0, 9)
)


@settings(max_examples=25, deadline=None)
@given(steps=st.lists(_STEPS, max_size=12))
def test_records_are_those_of_a_program_without_a_batch(steps: list[tuple[Any, ...]]) -> None:
    records = []
    for backend in ("plain", "threading"):
        storage = gm.Storage()
        with suppress(CallsFailed):
            if backend == "plain":
                with storage:
                    run(steps, keeps_on=True)
            else:
                with joblib.parallel_config(backend), storage.batch(n_jobs=3):
                    run(steps)
        records.append(
            sorted({_without_run(to_line(call)) for call in storage.world.calls(storage._code)})
        )
        storage.close()
    assert records[0] == records[1]


def _without_run(line: str) -> str:
    return json.dumps(json.loads(line)[:-1])
