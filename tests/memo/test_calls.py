"""Calls through a storage: what is computed, what is reused, what comes back."""

from __future__ import annotations

import functools
import threading
from collections.abc import Callable
from typing import Any

import pytest

import gitmemo as gm
from gitmemo import errors
from gitmemo.errors import InputMutated, RefMisuse, Unencodable, Unhashable, WrongOutputs

RUNS: list[Any] = []


@pytest.fixture(autouse=True)
def no_runs() -> None:
    RUNS.clear()


@gm.op
def inc(x):
    RUNS.append(x)
    return x + 1


@gm.op
def sum_args(a, *args, b=1, **kwargs):
    RUNS.append((a, args, b, kwargs))
    return a + sum(args) + b + sum(kwargs.values())


@gm.op(output_names=["low", "high"])
def bounds(values):
    RUNS.append(values)
    return min(values), max(values)


def test_a_call_is_made_once(storage: gm.Storage) -> None:
    with storage:
        first, again = inc(1), inc(1)
    with storage:
        later = inc(1)
    assert RUNS == [1]
    assert first.hid == again.hid == later.hid
    assert storage.unwrap([first, again, later]) == [2, 2, 2]


def test_outside_a_block_an_op_is_its_function(storage: gm.Storage) -> None:
    with storage:
        inc(1)
    assert inc(1) == 2
    assert RUNS == [1, 1]
    assert inc.__name__ == "inc"
    assert inc.__wrapped__(1) == 2


def test_refs_look_as_documented(storage: gm.Storage) -> None:
    with storage:
        s = sum_args(6, 7, 8, 9, c=11)
    assert repr(s) == f"AtomRef(42, hid={s.hid[:6]}...)"
    with storage:
        s = sum_args(6, 7, 8, 9, c=11)
    assert repr(s) == f"AtomRef(hid={s.hid[:6]}..., in_memory=False)"
    assert storage.unwrap(s) == 42
    assert repr(storage.attach(s)) == f"AtomRef(42, hid={s.hid[:6]}...)"
    assert not s.in_memory
    storage.attach(s, inplace=True)
    assert s.in_memory
    assert repr(storage.load_ref(s.hid)) == f"AtomRef(42, hid={s.hid[:6]}...)"
    call = storage.get_ref_creator(s)
    assert call is not None
    assert repr(call) == f"Call(sum_args, hid={call.hid[:6]}...)"
    assert list(call.inputs) == ["a", "args_0", "args_1", "args_2", "b", "c"]
    assert {name: storage.unwrap(ref) for name, ref in call.inputs.items()} == {
        "a": 6, "args_0": 7, "args_1": 8, "args_2": 9, "b": 1, "c": 11,
    }  # fmt: skip
    assert list(call.outputs) == ["output_0"]
    assert call.outputs["output_0"].hid == s.hid


def test_a_ref_is_not_its_value(storage: gm.Storage) -> None:
    with storage:
        ref = inc(1)
    uses: list[Callable[[], object]] = [
        lambda: ref + 1,
        lambda: ref == 2,
        lambda: bool(ref),
        lambda: ref[0],
        lambda: [*ref],
        lambda: ref < 3,
        lambda: len(ref),
    ]
    for use in uses:
        with pytest.raises(RefMisuse, match="unwrap"):
            use()
    assert {ref: "usable as a key"}[ref]


def test_several_outputs(storage: gm.Storage) -> None:
    with storage:
        low, high = bounds([3, 1, 2])
        again = bounds([3, 1, 2])
    assert RUNS == [[3, 1, 2]]
    assert storage.unwrap((low, high)) == (1, 3)
    assert (again[0].hid, again[1].hid) == (low.hid, high.hid)
    assert low.hid != high.hid
    creator = storage.get_ref_creator(high)
    assert creator is not None
    assert list(creator.outputs) == ["low", "high"]


def test_a_wrong_number_of_outputs_is_named(storage: gm.Storage) -> None:
    @gm.op(output_names=["a", "b"])
    def three():
        return 1, 2, 3

    @gm.op(nout=2)
    def one():
        return 1

    with storage:
        for wrong in (three, one):
            with pytest.raises(WrongOutputs, match=wrong.__name__):
                wrong()
    with pytest.raises(WrongOutputs):
        gm.op(nout=3, output_names=["a"])(lambda: 1)


def test_annotations_and_nout_say_how_many(storage: gm.Storage) -> None:
    @gm.op
    def pair(x) -> tuple[int, str]:
        return x, str(x)

    @gm.op(nout=1)
    def whole(x):
        return x, x

    @gm.op
    def none():
        return None

    with storage:
        number, text = pair(3)
        both = whole(3)
        nothing = none()
    assert storage.unwrap((number, text)) == (3, "3")
    assert storage.unwrap(both) == (3, 3)
    assert storage.unwrap(nothing) is None


def test_defaults_and_keywords_write_the_same_call(storage: gm.Storage) -> None:
    @gm.op
    def f(a, b=2, *, c=3):
        RUNS.append((a, b, c))
        return a + b + c

    with storage:
        hids = {
            ref.hid
            for ref in (f(1), f(1, 2), f(a=1), f(b=2, a=1), f(1, b=2, c=3), f(c=3, b=2, a=1))
        }
    assert RUNS == [(1, 2, 3)]
    assert len(hids) == 1


def test_star_arguments_and_their_order(storage: gm.Storage) -> None:
    with storage:
        one = sum_args(1, 2, 3, x=4, y=5)
        assert sum_args(1, 2, 3, x=4, y=5).hid == one.hid
        assert len(RUNS) == 1
        sum_args(1, 3, 2, x=4, y=5)
        assert len(RUNS) == 2
        sum_args(1, 2, x=4, y=5)
        sum_args(1, 2, 3, 4, 5)
        assert len(RUNS) == 4


def test_the_order_of_keywords_counts_where_the_body_can_see_it(storage: gm.Storage) -> None:
    @gm.op
    def keys(first=0, **kwargs):
        return list(kwargs)

    with storage:
        assert storage.unwrap(keys(a=1, b=2)) == ["a", "b"]
        assert storage.unwrap(keys(b=2, a=1)) == ["b", "a"]
        assert keys(a=1, first=0, b=2).hid == keys(a=1, b=2).hid


def test_defaults_that_were_patched_count(storage: gm.Storage) -> None:
    @gm.op
    def f(x=1):
        return x

    with storage:
        assert storage.unwrap(f()) == 1
        f.__wrapped__.__defaults__ = (10,)
        assert storage.unwrap(f()) == 10
        assert storage.unwrap(f(1)) == 1


@pytest.mark.parametrize("thing", [len, int, property(len), functools.partial(print, 1)])
def test_only_functions_of_python_code_can_be_ops(thing: object) -> None:
    with pytest.raises(errors.UntrackableOp, match="cannot be an op"):
        gm.op(thing)  # type: ignore[call-overload]


def test_generators_are_refused_with_advice() -> None:
    def generate():
        yield 1

    with pytest.raises(errors.UntrackableOp, match=r"materialize=True\).*list\(...\)"):
        gm.op(generate)


def test_names_that_clash_do_not_mix(storage: gm.Storage) -> None:
    @gm.op
    def f(*args, **kwargs):
        RUNS.append((args, kwargs))
        return [list(args), kwargs]

    with storage:
        results = [
            storage.unwrap(ref)
            for ref in (f(1), f(args_0=1), f(1, args_0=2), f(2, args_0=1), f(1, **{"*args_0": 3}))
        ]
        assert [storage.unwrap(ref) for ref in (f(), f(args_1=1))] == [
            [[], {}],
            [[], {"args_1": 1}],
        ]
    assert results == [
        [[1], {}],
        [[], {"args_0": 1}],
        [[1], {"args_0": 2}],
        [[2], {"args_0": 1}],
        [[1], {"*args_0": 3}],
    ]
    assert len(RUNS) == 7

    @gm.op
    def g(args_0, /, *args, **kwargs):
        return [args_0, list(args), kwargs]

    with storage:
        for args, kwargs in (
            ((0, 5), {}),
            ((0,), {"args_0": 5}),
            ((0,), {"*args_0": 5}),
            ((0,), {"**args_0": 5}),
            ((0, 5), {"args_0": 6}),
        ):
            assert storage.unwrap(g(*args, **kwargs)) == [args[0], list(args[1:]), kwargs]


def test_keywords_do_not_hide_positional_arguments(storage: gm.Storage) -> None:
    @gm.op
    def f(a, /, **kwargs):
        return [a, kwargs]

    with storage:
        assert storage.unwrap(f(1, a=2)) == [1, {"a": 2}]
        assert storage.unwrap(f(3, a=2)) == [3, {"a": 2}]
        assert storage.unwrap(f(2)) == [2, {}]


def test_keywords_do_not_hide_closures(storage: gm.Storage) -> None:
    def make(n):
        @gm.op
        def f(**kwargs):
            return [n, kwargs]

        return f

    with storage:
        assert storage.unwrap(make(1)(**{"closure:n": 2})) == [1, {"closure:n": 2}]
        assert storage.unwrap(make(1)(**{"closure:n": 3})) == [1, {"closure:n": 3}]
        assert storage.unwrap(make(1)()) == [1, {}]


def test_types_count(storage: gm.Storage) -> None:
    @gm.op
    def kind(x):
        return type(x).__name__ + repr(x)

    values = [1, True, 1.0, "1", b"1", 0.0, -0.0, None, [1], (1,), {1}, frozenset({1}), {1: 1}, 1j]
    with storage:
        for _ in range(2):
            for value in values:
                assert storage.unwrap(kind(value)) == type(value).__name__ + repr(value)


def test_a_bad_call_raises_what_the_function_would(storage: gm.Storage) -> None:
    with storage:
        for call in (lambda: inc(), lambda: inc(1, 2), lambda: inc(1, x=2), lambda: inc(y=2)):
            with pytest.raises(TypeError):
                call()
    assert RUNS == []


def test_closures_are_inputs(storage: gm.Storage) -> None:
    def make(n):
        @gm.op
        def add(x):
            RUNS.append((n, x))
            return x + n

        return add

    with storage:
        assert storage.unwrap(make(1)(10)) == 11
        assert storage.unwrap(make(2)(10)) == 12
        assert storage.unwrap(make(1)(10)) == 11
    assert RUNS == [(1, 10), (2, 10)]


def test_inner_ops_get_plain_values_and_are_recorded(storage: gm.Storage) -> None:
    @gm.op
    def outer(x):
        inner = inc(x)
        assert type(inner) is int
        RUNS.append("outer")
        return inner * 10

    with storage:
        assert storage.unwrap(outer(1)) == 20
        assert RUNS == [1, "outer"]
        RUNS.clear()
        assert storage.unwrap(inc(1)) == 2
        assert storage.unwrap(outer(1)) == 20
    assert RUNS == []
    creator = storage.get_ref_creator(outer_ref(storage, outer))
    assert creator is not None
    assert len(storage.cf(inc)) == 1


def outer_ref(storage: gm.Storage, outer: Any) -> Any:
    with storage:
        return outer(1)


def test_an_inner_op_is_reused_inside_a_new_outer_call(storage: gm.Storage) -> None:
    @gm.op
    def outer(x, y):
        return [inc(x), y]

    with storage:
        inc(1)
        assert storage.unwrap(outer(1, 5)) == [2, 5]
    assert RUNS == [1]


def test_a_closure_that_the_body_changes_is_refused(storage: gm.Storage) -> None:
    seen: list[int] = []

    @gm.op
    def note(x):
        seen.append(x)
        return x

    with storage, pytest.raises(InputMutated, match="'closure:seen'"):
        note(1)


def test_exceptions_are_not_results(storage: gm.Storage) -> None:
    class Odd(Exception):
        pass

    @gm.op
    def fails(x):
        RUNS.append(x)
        if len(RUNS) < 3:
            raise Odd(x)
        return x

    with storage:
        for _ in range(2):
            with pytest.raises(Odd) as caught:
                fails(1)
            assert caught.value.args == (1,)
        assert storage.unwrap(fails(1)) == 1
        assert storage.unwrap(fails(1)) == 1
    assert len(RUNS) == 3
    assert len(storage.cf(fails)) == 1


def test_an_exception_leaves_the_block_closed(storage: gm.Storage) -> None:
    with pytest.raises(ZeroDivisionError), storage:
        raise ZeroDivisionError
    assert inc(1) == 2


def test_a_changed_raw_input_is_refused(storage: gm.Storage) -> None:
    @gm.op
    def sort(values):
        RUNS.append(1)
        values.sort()
        return values

    @gm.op
    def make():
        return [3, 1, 2]

    with storage:
        with pytest.raises(InputMutated, match="'values'"):
            sort([3, 1, 2])
        assert len(storage.cf()) == 0
        made = make()
        ordered = sort(made)
        assert storage.unwrap(ordered) == [1, 2, 3]
        assert storage.unwrap(made) == [3, 1, 2], "what came from a ref is a private copy"


def test_nobody_shares_a_mutable_value(storage: gm.Storage) -> None:
    @gm.op
    def make():
        value = [1, 2]
        RUNS.append(value)
        return value

    with storage:
        ref = make()
        RUNS[0].append(99)
        first = storage.unwrap(ref)
        first.append(3)
        assert storage.unwrap(ref) == [1, 2]
        assert storage.unwrap(make()) == [1, 2]
    wrapped = gm.wrap_atom(first)
    first.append(4)
    assert gm.unwrap(wrapped) == [1, 2, 3]


def test_refs_inside_containers_are_values(storage: gm.Storage) -> None:
    @gm.op
    def total(values):
        RUNS.append(("total", values))
        return sum(values)

    with storage:
        refs = [inc(1), inc(2)]
        assert storage.unwrap(total(refs)) == 5
        assert storage.unwrap(total([2, 3])) == 5
        assert storage.unwrap({"a": refs, "b": (refs[0],)}) == {"a": [2, 3], "b": (2,)}
    assert [run for run in RUNS if type(run) is tuple] == [("total", [2, 3])]


def test_links_keep_histories_true(storage: gm.Storage) -> None:
    @gm.op
    def also_two():
        return 2

    with storage:
        raw = inc(2)
        chained = inc(inc(1))
        other = inc(also_two())
    assert RUNS == [2, 1], "equal content is computed once"
    assert len({raw.hid, chained.hid, other.hid}) == 3
    assert len({raw.cid, chained.cid, other.cid}) == 1
    for ref, op in ((chained, "inc"), (other, "also_two")):
        creator = storage.get_ref_creator(ref)
        assert creator is not None
        maker = storage.get_ref_creator(creator.inputs["x"])
        assert maker is not None
        assert maker.op.endswith(op)
    creator = storage.get_ref_creator(raw)
    assert creator is not None
    assert storage.get_ref_creator(creator.inputs["x"]) is None
    before = len(storage.cf(inc))
    with storage:
        inc(also_two())
    assert len(storage.cf(inc)) == before


def test_an_op_version_is_another_table(storage: gm.Storage) -> None:
    def make(version):
        @gm.op(name="f", version=version)
        def f(x):
            RUNS.append(version)
            return version

        return f

    with storage:
        assert [storage.unwrap(make(v)(1)) for v in (0, 1, 0)] == [0, 1, 0]
    assert RUNS == [0, 1]


def test_methods_can_be_ops(storage: gm.Storage) -> None:
    class Scaler:
        def __init__(self, factor):
            self.factor = factor

        @gm.op(name="Scaler.apply")
        def apply(self, x):
            RUNS.append(x)
            return x * self.factor

    globals()["Scaler"] = Scaler
    Scaler.__qualname__ = "Scaler"
    with storage:
        assert storage.unwrap(Scaler(2).apply(3)) == 6
        assert storage.unwrap(Scaler(3).apply(3)) == 9
        assert storage.unwrap(Scaler(2).apply(3)) == 6
    assert RUNS == [3, 3]


def test_a_lambda_needs_a_name(storage: gm.Storage) -> None:
    from gitmemo.errors import UntrackableOp

    with pytest.raises(UntrackableOp, match="name="):
        gm.op(lambda x: x)
    double = gm.op(name="double")(lambda x: 2 * x)
    with storage:
        assert storage.unwrap(double(4)) == 8


def test_what_cannot_be_hashed_or_stored_is_named(storage: gm.Storage) -> None:
    @gm.op(output_names=["fine", "stream"])
    def gives(x):
        return x, (i for i in range(3))

    with storage:
        with pytest.raises(Unhashable, match=r"argument 'x' of .*inc"):
            inc(threading.Lock())
        with pytest.raises((Unencodable, Unhashable), match=r"output 'stream' of .*gives"):
            gives(1)
        assert len(storage.cf()) == 0
        with pytest.raises(Unhashable, match=r"\[1\]"):
            inc([1, threading.Lock()])


def test_values_of_every_kind_come_back(storage: gm.Storage) -> None:
    import numpy as np
    import pandas as pd

    @gm.op(nout=1)
    def same(x):
        return x

    plain = [
        0, -1, 10**40, 1.5, float("inf"), 2j, "é" * 1000, "\ud800", "a\x00b", b"", b"x" * 10**5,
        None, True, ..., (), [], {}, {(1, "a"): [None]}, {1, "a"}, frozenset({2}), range(3),
        slice(1, 2), [1, [2, [3]]],
    ]  # fmt: skip
    with storage:
        for _ in range(2):
            for value in plain:
                found = storage.unwrap(same(value))
                assert found == value
                assert type(found) is type(value)
            nan = storage.unwrap(same(float("nan")))
            assert nan != nan
            for dtype in ("i1", ">f4", "c16", "U3", "M8[s]", "?"):
                array = np.zeros((2, 3), dtype=dtype)
                found = storage.unwrap(same(array))
                np.testing.assert_array_equal(found, array)
                assert found.dtype == array.dtype
            frame = pd.DataFrame({"a": [1, 2], "b": ["x", None]}, index=[5, 6])
            pd.testing.assert_frame_equal(storage.unwrap(same(frame)), frame)


def test_threads_share_a_storage(storage: gm.Storage) -> None:
    errors = []

    def run() -> None:
        try:
            with storage:
                for i in range(30):
                    assert storage.unwrap(inc(i)) == i + 1
        except BaseException as error:  # noqa: BLE001  a thread's failure must reach the test
            errors.append(error)

    threads = [threading.Thread(target=run) for _ in range(6)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert errors == []
    assert set(RUNS) == set(range(30))
    RUNS.clear()
    with storage:
        assert storage.unwrap([inc(i) for i in range(30)]) == list(range(1, 31))
    assert RUNS == []
    assert len(storage.cf(inc)) == 30


def test_a_thread_has_its_own_block(storage: gm.Storage) -> None:
    seen = []
    with storage:
        thread = threading.Thread(target=lambda: seen.append(inc(1)))
        thread.start()
        thread.join()
    assert seen == [2]


def test_a_call_with_neither_inputs_nor_outputs(storage: gm.Storage) -> None:
    """The other tool could not commit anything any more after one of these."""

    @gm.op(name="nothing at all")
    def nothing():
        RUNS.append(0)
        return ()

    with storage:
        assert nothing() == ()
        inc(1)
        assert nothing() == ()
    with storage:
        assert nothing() == ()
        inc(1)
    assert RUNS == [0, 1]
    assert len(storage.cf()) == 2
    assert len(storage.cf().df()) == 2


def test_a_block_that_cannot_be_entered_leaves_what_was_active(
    storage: gm.Storage, monkeypatch: pytest.MonkeyPatch
) -> None:
    def fail() -> bool:
        raise KeyboardInterrupt

    broken = gm.Storage()
    monkeypatch.setattr(broken.world, "enter", fail)
    with pytest.raises(KeyboardInterrupt), broken:
        raise AssertionError("the body must not run")
    assert inc(1) == 2
    with storage:
        with pytest.raises(KeyboardInterrupt), broken:
            raise AssertionError("the body must not run")
        assert storage.unwrap(inc(1)) == 2
    assert len(storage.cf(inc)) == 1
    assert RUNS == [1, 1]
    monkeypatch.undo()
    with broken:
        inc(1)
    assert len(broken.cf(inc)) == 1


def test_storages_nest(storage: gm.Storage) -> None:
    other = gm.Storage()
    with storage:
        with other:
            inner = inc(1)
            with storage:
                inc(1)
        outer = inc(1)
    assert RUNS == [1, 1]
    assert inner.hid == outer.hid
    assert len(other.cf(inc)) == len(storage.cf(inc)) == 1
    with storage:
        assert storage.unwrap(inc(inner)) == 3, "a ref of one storage is a value for another"


def test_a_block_can_be_entered_twice(storage: gm.Storage) -> None:
    with storage, storage.run():
        inc(1)
    assert inc(1) == 2
    with storage:
        inc(1)
    assert RUNS == [1, 1]


def test_wrong_arguments_name_the_function() -> None:
    with (
        gm.Storage(),
        pytest.raises(TypeError, match=r"^inc\(\): missing a required argument: 'x'$"),
    ):
        inc()  # type: ignore[call-arg]  # pyright: ignore[reportCallIssue]
