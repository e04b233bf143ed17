"""Checking that calls return the same again, and the words for how two values differ."""

from __future__ import annotations

import math
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st

import gitmemo as gm
from gitmemo.errors import UnknownOp
from gitmemo.hashing import content_id
from gitmemo.memo.checking import Finding
from gitmemo.memo.differences import difference

STATE: dict[str, Any] = {}
RUNS: list[Any] = []


@pytest.fixture(autouse=True)
def fresh_state() -> None:
    STATE.clear()
    STATE.update(shift=0.0, broken=False)
    RUNS.clear()


@gm.op
def inner(x):
    RUNS.append(("inner", x))
    return x * 2


@gm.op(output_names=["weights", "size"])
def train(x, rows=(1, 2)):
    RUNS.append(("train", x))
    if STATE["broken"]:
        raise RuntimeError("out of order")
    return {"w": np.arange(3.0) + (STATE["shift"] if x == 3 else 0)}, len(rows)


@gm.op
def outer(x):
    return inner(x) + 1


def trained(path: Path | None = None) -> gm.Storage:
    storage = gm.Storage(db_path=path)
    with storage:
        for x in range(5):
            train(x)
    RUNS.clear()
    return storage


def test_deterministic_calls_are_found_the_same(tmp_path: Path) -> None:
    storage = trained(tmp_path / "s.db")
    report = storage.check(train, sample=None)
    assert report.is_deterministic
    assert [call.finding for call in report.calls] == [Finding.SAME] * 5
    assert sorted(x for _, x in RUNS) == [0, 1, 2, 3, 4]
    assert "5 same" in str(report)


def test_the_call_and_the_place_that_differ_are_named() -> None:
    storage = trained()
    STATE["shift"] = 1e-9
    report = storage.check("train", sample=None)
    (bad,) = [call for call in report.calls if call.finding is not Finding.SAME]
    assert not report.is_deterministic
    assert bad.finding is Finding.DIFFERS
    assert bad.inputs["x"] == "3"
    assert list(bad.outputs) == ["weights"]
    said = bad.outputs["weights"]
    assert said.startswith("at ['w']: 3 of 3 elements differ, at most by 1e-09, first at [0]")
    assert "x=3" in str(report)
    assert said in str(report)


def test_checking_records_nothing(tmp_path: Path) -> None:
    storage = gm.Storage(db_path=tmp_path / "s.db")
    with storage:
        outer(1)
    lines = storage.world.index.database.connection.execute("select count(*) from fact").fetchone()
    counter = repr(storage.counter)
    RUNS.clear()
    STATE["broken"] = True
    with storage:  # also from within a block
        assert storage.check(outer).is_deterministic
        storage.check(train)
    assert RUNS == [("inner", 1)], "an inner call was looked up instead of run"
    assert repr(storage.counter) == counter
    assert storage.failures() == []
    now = storage.world.index.database.connection.execute("select count(*) from fact").fetchone()
    assert now == lines


def test_a_call_that_raises_now_is_told() -> None:
    storage = trained()
    STATE["broken"] = True
    report = storage.check(train, sample=2)
    assert [call.finding for call in report.calls] == [Finding.RAISED] * 2
    assert "RuntimeError: out of order" in str(report)
    assert not report.is_deterministic


def test_a_sample_depends_on_its_seed_alone(tmp_path: Path) -> None:
    def chosen(storage: gm.Storage, seed: int) -> list[str]:
        return [call.inputs["x"] for call in storage.check(train, sample=3, seed=seed).calls]

    one, other = trained(), trained(tmp_path / "s.db")
    assert chosen(one, 1) == chosen(other, 1) == chosen(one, 1)
    assert len({tuple(chosen(one, seed)) for seed in range(20)}) > 1


def test_calls_whose_inputs_are_not_here_are_told_and_not_run() -> None:
    storage = gm.Storage()

    @gm.op(name="login")
    def login(password):
        RUNS.append("login")
        return 1

    with storage:
        login("hunter2-hunter2")
    RUNS.clear()
    report = storage.check(login)
    assert report.calls[0].finding is Finding.NOT_RUN
    assert report.is_deterministic
    assert not report.was_run
    assert RUNS == []
    assert "hunter2" not in str(report)


def test_another_function_of_the_same_def_is_not_run() -> None:
    storage = gm.Storage()

    def make(n: int) -> Any:
        @gm.op(name="adder")
        def adder(x):
            return x + n

        return adder

    with storage:
        make(1)(10)
    report = storage.check(make(2))
    assert [call.finding for call in report.calls] == [Finding.NOT_RUN]
    assert "closes over" in str(report)


def test_an_op_with_other_parameters_is_not_run() -> None:
    storage = gm.Storage()
    gm.op(name="f")(lambda x: x)
    with storage:
        gm.op(name="f")(lambda x: x)(1)
    report = storage.check(gm.op(name="f")(lambda z: z))
    assert "other parameters" in str(report)
    with storage:
        gm.op(name="g")(lambda *args, k=1, **kw: 1)(1, 2, k=3, b=1, a=2)
    assert storage.check("g").calls[0].finding is Finding.SAME


def test_several_records_of_one_call_are_compared_without_running() -> None:
    storage = trained()
    assert storage.check(train, recorded=True).calls == ()
    call = next(c for c in storage.world.calls(storage._code) if c.inputs[0].inline.json == 3)
    STATE["shift"] = 0.5
    other = gm.Storage()
    with other:
        train(3)
    (different,) = other.world.calls(other._code)
    storage.world.record([different])
    RUNS.clear()
    report = storage.check(train, recorded=True)
    (found,) = report.calls
    assert RUNS == []
    assert found.finding is Finding.DIFFERS
    assert list(found.outputs) == ["weights"]
    assert "2 different results" in str(report)
    assert call.cid == different.cid


def test_an_op_that_was_not_met_is_unknown() -> None:
    with pytest.raises(UnknownOp, match="nobody"):
        gm.Storage().check("nobody")


# --- differences -----------------------------------------------------------------


class Thing:
    def __init__(self, **attributes: object) -> None:
        vars(self).update(attributes)


NAN = float("nan")
CASES: list[tuple[object, object, str]] = [
    (1, 2, "was 1, is 2"),
    (1, 1.0, "same value, other type: was int 1, is float 1.0"),
    (1, True, "same value, other type: was int 1, is bool True"),
    (1, "a", "was 1 (int), is 'a' (str)"),
    (0.0, -0.0, "was 0.0, is -0.0: equal numbers, but not the same value"),
    ([1, [2, 3]], [1, [2, 4]], "at [1][1]: was 3, is 4"),
    ([1], [1, 2], "was of length 1, is of length 2"),
    ((1,), [1], "was (1,) (tuple), is [1] (list)"),
    ({"a": 1}, {"b": 1}, "the key 'a' is gone"),
    ({"a": 1}, {"a": 1, "b": 1}, "the key 'b' is new"),
    ({1: "x"}, {1.0: "x"}, "the key: same value, other type: was int 1, is float 1.0"),
    ({"a": 1, "b": 2}, {"b": 2, "a": 1}, "only the order of the dict differs"),
    ([{"a": 1, "b": 2}], [{"b": 2, "a": 1}], "at [0]: only the order of the dict differs"),
    ({"a": 1, "b": 2}, {"b": 3, "a": 1}, "at ['b']: was 2, is 3"),
    ({1, 2}, {2, 3}, "1 is gone and 3 is new"),
    ({1}, {True}, "equal members of other types"),
    (Thing(a=1, b=[1]), Thing(a=1, b=[2]), "at .b[0]: was 1, is 2"),
    (np.arange(3), np.arange(4), "the shape was (3,), is (4,)"),
    (np.arange(3.0), np.arange(3), "the dtype was float64, is int64"),
    (
        np.array([[1.0, NAN], [2.0, 3.0]]),
        np.array([[1.0, NAN], [2.5, 3.0]]),
        "1 of 4 elements differ, at most by 0.5, first at [1, 0]: was 2.0, is 2.5",
    ),
    (np.array([1, 2], "u1"), np.array([1, 0], "u1"), "1 of 2 elements differ, at most by 2"),
    (np.array([1 + 2j]), np.array([1 + 0j]), "1 of 1 elements differ, at most by 2"),
    (np.array([1, "a"], object), np.array([1, "b"], object), "at [1]: was 'a', is 'b'"),
    (np.array(["a", "b"]), np.array(["a", "c"]), "1 of 2 elements differ, first at [1]"),
    (np.array([0.0]), np.array([-0.0]), "equal elements, with other bits"),
    (np.array(1.0), np.array(2.0), "1 of 1 elements differ, at most by 1: was 1.0, is 2.0"),
    (np.float64(1), np.float64(2), "was np.float64(1.0), is np.float64(2.0)"),
    (pd.DataFrame({"a": [1, 2]}), pd.DataFrame({"a": [1, 3]}), "at ['a']: 1 of 2 elements differ"),
    (pd.DataFrame({"a": [1]}), pd.DataFrame({"b": [1]}), "at .columns[0]: was 'a', is 'b'"),
    (pd.DataFrame({"a": [1]}), pd.DataFrame({"a": [1.0]}), "at .dtypes[0]: was 'int64', is 'f"),
    (pd.DataFrame({"a": [1]}), pd.DataFrame({"a": [1]}, [7]), "at .index: 1 of 1 elements"),
    (pd.Series([1, 2]), pd.Series([1, 3]), "1 of 2 elements differ, at most by 1"),
    (Thing(), Thing(), ""),
]


@pytest.mark.parametrize(("was", "now", "said"), CASES)
def test_differences_in_words(was: object, now: object, said: str) -> None:
    found = difference(was, now)
    if not said:
        assert found is None
    else:
        assert found is not None
        assert str(found).startswith(said)


def test_a_deep_value_does_not_exhaust_the_stack() -> None:
    def nested(leaf: int) -> list[Any]:
        value: list[Any] = [leaf]
        for _ in range(10_000):
            value = [value]
        return value

    assert "was 1, is 2" in str(difference(nested(1), nested(2)))


def test_a_value_too_large_to_look_through() -> None:
    found = difference([0] * 200_000 + [1], [0] * 200_000 + [2])
    assert found is not None
    assert "too far in" in found.what


values = st.recursive(
    st.none() | st.booleans() | st.integers(-3, 3) | st.floats() | st.text(max_size=2),
    lambda inner: (
        st.lists(inner, max_size=3)
        | st.tuples(inner)
        | st.dictionaries(st.integers(0, 3) | st.text(max_size=1), inner, max_size=3)
        | st.frozensets(st.integers(0, 3), max_size=3)
    ),
    max_leaves=8,
)


@given(values, values)
def test_there_is_a_difference_exactly_where_content_ids_differ(a: object, b: object) -> None:
    assert (difference(a, b) is None) == (content_id(a) == content_id(b))
    assert difference(a, a) is None


def test_a_nan_is_no_difference() -> None:
    assert difference([math.nan], [float("nan")]) is None
