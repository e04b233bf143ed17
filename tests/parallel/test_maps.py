"""What `storage.map` and `storage.starmap` promise, whatever runs the calls."""

from __future__ import annotations

import itertools
import subprocess
import sys
import threading
from pathlib import Path

import joblib
import pytest

import gitmemo as gm
from gitmemo.errors import (
    BadOption,
    BadSetting,
    CallsFailed,
    LengthsDiffer,
    NewCallRefused,
    NotAnOp,
    OptionIsArgument,
    ResourceMissing,
    StorageInMemory,
    Unhashable,
)

RAN: list[object] = []


@gm.op
def double(x, k=0):
    RAN.append(x)
    if x < 0:
        raise ValueError(f"below zero: {x}")
    return 2 * x + k


@gm.op(output_names=["least", "most"])
def ends(values, extra):
    return min(*values, extra), max(*values, extra)


@gm.op
async def later(x):
    return x + 1


@gm.op(materialize=True)
def counted(n):
    yield from range(n)


@gm.op
def outer(n):
    return sum(STORAGE.map(double, range(n), n_jobs=2))


@gm.op(resources={"GPU": 1})
def on_gpu(x):
    return x


GATE = threading.Event()
BESIDE = threading.Event()


@gm.op
def gated(x):
    RAN.append(x)
    if x == 0:
        assert BESIDE.wait(20)
        raise KeyError("first")
    BESIDE.set()
    assert GATE.wait(20)
    return x


STORAGE = gm.Storage()


@pytest.fixture(params=[1, 2])
def how(request: pytest.FixtureRequest) -> int:
    """One thread, and two."""
    RAN.clear()
    return int(request.param)


@pytest.fixture
def storage() -> gm.Storage:
    return gm.Storage()


def mapped(storage: gm.Storage, how: int, op: object, *iterables: object, **options: object):
    with joblib.parallel_config("threading"):
        return storage.map(op, *iterables, n_jobs=how, **options)  # type: ignore[call-overload]


def test_results_stand_in_order_and_each_distinct_call_is_made_once(
    storage: gm.Storage, how: int
) -> None:
    with storage:
        refs = mapped(storage, how, double, [3, 1, 3, 2], k=1)
        assert storage.unwrap(refs) == [7, 3, 7, 5]
        assert sorted(RAN) == [1, 2, 3]
        assert storage.counter.computed == 3
        again = mapped(storage, how, double, (3, 1, 3, 2), k=1)
        assert [ref.hid for ref in again] == [ref.hid for ref in refs]
        assert [ref.hid for ref in refs] == [double(x, k=1).hid for x in (3, 1, 3, 2)]
        assert len(RAN) == 3


def test_refs_and_lists_of_refs_go_in_and_tuples_come_out(storage: gm.Storage, how: int) -> None:
    with storage:
        refs = mapped(storage, how, double, [1, 2])
        found = mapped(storage, how, ends, [refs, [5, refs[0]]], refs)
        assert storage.unwrap(found) == [(2, 4), (2, 5)]
        assert [ref.hid for ref in found[0]] == [ref.hid for ref in ends(refs, refs[0])]
        star = storage.starmap(ends, [(refs, refs[0]), ([5, refs[0]], refs[1])])
        assert [ref.hid for pair in star for ref in pair] == [r.hid for p in found for r in p]


def test_outside_of_a_block_a_map_enters_one(storage: gm.Storage, how: int) -> None:
    refs = mapped(storage, how, double, [1, 2])
    assert storage.unwrap(refs) == [2, 4]
    assert dict(mapped(storage, how, double, [5, 1], as_completed=True)).keys() == {0, 1}
    assert double(4) == 8  # no block is left open


def test_iterables_of_different_lengths_are_named(storage: gm.Storage) -> None:
    with pytest.raises(LengthsDiffer, match="'x' ends after 2 items, the one for 'k' does not"):
        storage.map(double, [1, 2], itertools.count())
    with pytest.raises(LengthsDiffer, match="no iterable"):
        storage.map(double)
    with pytest.raises(LengthsDiffer, match="item 1 of the iterable is no tuple but of type int"):
        storage.starmap(double, [(1,), 2])
    with pytest.raises(NotAnOp):
        storage.map(len, ["a"])
    with pytest.raises(BadSetting):
        storage.map(double, [1], on_error="ignore")  # type: ignore[call-overload]


@gm.op
def fitted(x, n_jobs=1, *rest, progress=True):
    return (x, n_jobs, rest, progress)


def test_an_option_that_is_an_argument_too_is_refused(storage: gm.Storage, how: int) -> None:
    with storage:
        for make in (
            lambda: storage.map(fitted, [1, 2], n_jobs=3),
            lambda: storage.starmap(fitted, [(1, 2), (3,)], n_jobs=3, as_completed=True),
        ):
            with pytest.raises(OptionIsArgument, match="an argument 'n_jobs'") as refused:
                make()
            assert "starmap" in refused.value.remedy()
            assert "parallel_config" in refused.value.remedy()
        with pytest.raises(OptionIsArgument, match="an argument 'progress'"):
            storage.map(fitted, [1], [2], [3], [4], progress=False)  # given by name only
        assert storage.counter.computed == 0
        # What the rows give, nobody else can.
        found = mapped(storage, how, fitted, [1, 2], [3, 4])
        assert storage.unwrap(found) == [(1, 3, (), True), (2, 4, (), True)]
        with joblib.parallel_config("threading", n_jobs=how):
            assert storage.unwrap(storage.map(fitted, [5])) == [(5, 1, (), True)]


def test_as_completed_gives_positions_as_calls_end(storage: gm.Storage, how: int) -> None:
    with storage:
        double(7)
        found = mapped(storage, how, double, [5, 7, 6, 5], as_completed=True)
        position, ref = next(found)  # what is stored comes first
        assert (position, storage.unwrap(ref)) == (1, 14)
        assert {n: storage.unwrap(ref) for n, ref in found} == {0: 10, 2: 12, 3: 10}


def test_a_call_that_raises_loses_no_other(storage: gm.Storage, how: int) -> None:
    with storage:
        with pytest.raises(CallsFailed) as failed:
            mapped(storage, how, double, [1, -1, 2, -2, (n for n in ()), 3])
        error = failed.value
        assert error.positions == (1, 3, 4)
        assert error.calls[:2] == ("double(-1)", "double(-2)")
        assert [type(one) for one in error.exceptions] == [ValueError, ValueError, Unhashable]
        assert "raised by call 1: double(-1)" in error.exceptions[0].__notes__
        assert "3 of 6 calls failed" in str(error)
        assert "only what is missing is computed" in error.remedy()
        kept, rest = error.split(lambda one: str(one) == "below zero: -1")
        assert kept is not None
        assert rest is not None
        assert (kept.positions, rest.positions) == ((1,), (3, 4))
        RAN.clear()
        assert storage.unwrap(mapped(storage, how, double, [1, 2, 3])) == [2, 4, 6]
        assert RAN == []


def test_all_that_has_no_result_is_named(storage: gm.Storage, how: int) -> None:
    with storage:
        with pytest.raises(CallsFailed, match="4 of 5 calls failed") as failed:
            mapped(storage, how, double, [-1, -1, 1, -1, -2])
        error = failed.value
        assert error.positions == (0, 1, 3, 4)
        assert error.calls == ("double(-1)",) * 3 + ("double(-2)",)
        assert len(set(map(id, error.exceptions))) == 2
        kept, rest = error.split(lambda one: str(one) == "below zero: -1")
        assert kept is not None
        assert rest is not None
        assert (kept.positions, rest.positions) == ((0, 1, 3), (4,))


def test_a_failure_at_once_cancels_the_rest(storage: gm.Storage) -> None:
    RAN.clear()
    with storage, pytest.raises(ValueError, match="below zero"):
        storage.map(double, [1, -1, *range(10, 60)], on_error="raise")
    assert len(RAN) == 2
    with storage:
        assert storage.unwrap(storage.map(double, [1])) == [2]
    assert len(RAN) == 2


def test_arguments_that_do_not_fit_are_told_of_once_and_at_once(storage: gm.Storage) -> None:
    RAN.clear()
    for make in (
        lambda: storage.map(double, range(3), rate=0.1),  # type: ignore[call-overload]
        lambda: storage.map(double, [1, 2], [3, 4], [5, 6], as_completed=True),
        lambda: storage.starmap(double, [(1,), (2, 3, 4)]),
    ):
        with pytest.raises(TypeError) as failed:
            make()
        assert type(failed.value) is TypeError
    assert failed.value.__notes__ == ["raised by call 1: double(2, 3, 4)"]
    with pytest.raises(TypeError), storage.batch():
        double(*[])
    assert RAN == []


def test_where_all_calls_fail_none_is_said_to_be_stored(storage: gm.Storage) -> None:
    with storage, pytest.raises(CallsFailed) as failed:
        storage.map(double, [-1, -2])
    assert "stored" not in str(failed.value)
    with storage, pytest.raises(CallsFailed) as failed:
        storage.map(double, [-1, 2])
    assert "the other calls are stored" in str(failed.value)


@pytest.mark.parametrize("wrong", ["all", 0, 1.5])
def test_how_many_run_at_once_is_a_number(storage: gm.Storage, wrong: int) -> None:
    with storage:
        double(1)
    for make in (
        lambda: storage.map(double, [1], n_jobs=wrong),
        lambda: storage.batch(n_jobs=wrong),
    ):
        with pytest.raises(BadSetting, match=r"n_jobs = .*is not a known"):
            make()


def test_async_ops_and_generators(storage: gm.Storage, how: int) -> None:
    with storage:
        assert storage.unwrap(mapped(storage, how, later, [1, 2])) == [2, 3]
        assert storage.unwrap(mapped(storage, how, counted, [0, 3])) == [[], [0, 1, 2]]


async def _in_a_loop(storage: gm.Storage) -> object:
    return storage.unwrap(storage.map(later, [5, 6]))


def test_async_ops_where_a_loop_runs_already(storage: gm.Storage) -> None:
    import asyncio

    with storage:
        assert asyncio.run(_in_a_loop(storage)) == [6, 7]


def test_in_the_body_of_an_op_a_map_is_a_loop() -> None:
    with STORAGE:
        assert STORAGE.unwrap(outer(4)) == 12
        (call,) = STORAGE.cf(outer).calls
        assert len(call.inner) == 4
    with gm.noop():
        assert STORAGE.map(double, [1, 2]) == [2, 4]


def test_new_calls_can_be_refused(storage: gm.Storage) -> None:
    with storage:
        double(1)
        storage.allow_new_calls(False)
        with pytest.raises(CallsFailed) as failed:
            storage.map(double, [1, 2], n_jobs=2)
    assert [type(one) for one in failed.value.exceptions] == [NewCallRefused]


def test_a_storage_in_memory_cannot_go_to_other_processes(storage: gm.Storage) -> None:
    with storage, pytest.raises(StorageInMemory, match=r'parallel_config\("threading"\)'):
        storage.map(double, [1, 2], n_jobs=2)


def test_resources_limit_how_many_run_at_once(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("GITMEMO_RESOURCES", "memory=4,GPU=2")
    storage = gm.Storage(tmp_path / "calls.db")
    hungry = gm.op(name="hungry", resources={"memory": 5})(lambda x: x)
    with storage:
        assert storage.unwrap(mapped(storage, 4, on_gpu, [1, 2, 3])) == [1, 2, 3]
        with pytest.raises(ResourceMissing, match="needs 5 memory, and there is 4"):
            storage.map(hungry, [1])
        assert storage.unwrap(hungry(1)) == 1  # alone it is the caller's business
    for wrong in ({"GPU": 0}, {"GPU": True}, {1: 1}, {"GPU": "1"}, ["GPU"]):
        with pytest.raises(BadOption, match="resources"):
            gm.op(resources=wrong)(double.__wrapped__)


def test_resources_are_no_part_of_what_identifies_a_call(storage: gm.Storage) -> None:
    plain = gm.op(name="same")(double.__wrapped__)
    needy = gm.op(name="same", resources={"GPU": 1})(double.__wrapped__)
    with storage:
        assert plain(3).hid == needy(3).hid
        assert storage.counter.computed == 1


def test_programs_that_map_nothing_load_no_engine() -> None:
    told = "import sys, gitmemo as gm; gm.Storage(); gm.op; print(*sys.modules)"
    loaded = subprocess.run([sys.executable, "-c", told], capture_output=True, text=True).stdout
    assert "gitmemo.memo.maps" in loaded.split()
    heavy = {"joblib", "distributed", "dask", "cloudpickle", "gitmemo.memo.parallel"}
    assert not heavy & set(loaded.split())


def test_when_a_call_fails_at_once_threads_begin_nothing_more(storage: gm.Storage) -> None:
    RAN.clear()
    GATE.clear()
    BESIDE.clear()
    before = set(threading.enumerate())
    with storage, pytest.raises(KeyError, match="first") as failed:
        mapped(storage, 2, gated, range(50), on_error="raise")
    assert failed.value.__notes__ == ["raised by call 0: gated(0)"]
    GATE.set()  # until now a thread waited there
    for thread in set(threading.enumerate()) - before:
        thread.join(20)
        assert not thread.is_alive()
    assert {0, 1} <= set(RAN)
    assert len(RAN) <= 3  # the other thread may have begun one before it was told
