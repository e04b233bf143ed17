"""What `@op(...)` and special values say: what identifies a call, what is kept, what the body gets."""

from __future__ import annotations

import inspect
from collections.abc import Iterator
from pathlib import Path
from typing import Annotated, Any

import numpy as np
import pytest

import gitmemo as gm
from gitmemo import errors

RUNS: list[Any] = []


@pytest.fixture(autouse=True)
def no_runs() -> None:
    RUNS.clear()


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "s.db"


@pytest.fixture
def storage(path: Path) -> Iterator[gm.Storage]:
    storage = gm.Storage(db_path=path)
    yield storage
    storage.close()


# --- arguments that do not count --------------------------------------------------


@gm.op(ignore_args=("batch", "workers"))
def fit(x, batch=4, *, workers=1):
    RUNS.append((x, batch, workers))
    return x * 10


def test_ignored_arguments_reach_the_body_only(storage: gm.Storage) -> None:
    with storage:
        first = fit(1, 8, workers=2)
        again = fit(1, batch=16)
        assert first.same_as(again)
        fit(2, batch=float("inf"))  # JSON has no word for it
    assert [(1, 8, 2), (2, float("inf"), 1)] == RUNS
    call = storage.get_ref_creator(first)
    assert call is not None
    assert list(call.inputs) == ["x"]
    assert call.run["ignored"] == {"batch": 8, "workers": 2}


def test_only_numbers_among_ignored_arguments_are_noted(storage: gm.Storage) -> None:
    @gm.op(ignore_args="key")
    def ask(question, key):
        return question

    with storage:
        ref = ask("why", key="hunter2")
    call = storage.get_ref_creator(ref)
    assert call is not None and "hunter2" not in str(call.run)
    assert call.run["ignored"] == {"key": None}


def test_ignored_names_among_keywords(storage: gm.Storage) -> None:
    @gm.op(ignore_args="verbose")
    def f(*args, **kwargs):
        RUNS.append(kwargs)
        return sum(args) + kwargs.get("z", 0)

    with storage:
        one, two = f(1, verbose=True, z=1, a=0), f(1, z=1, verbose=False, a=0)
        other = f(1, a=0, z=1)
    assert one.same_as(two)
    assert not one.same_as(other)  # the body can see another order
    assert RUNS == [{"verbose": True, "z": 1, "a": 0}, {"a": 0, "z": 1}]


def test_a_name_that_is_no_argument_is_refused() -> None:
    for options in ({"ignore_args": "bacth"}, {"mutates": "y"}, {"store": {"y": "hash"}}):
        with pytest.raises(errors.BadOption, match="its arguments"):

            @gm.op(**options)  # type: ignore[call-overload]
            def f(x, batch=4):
                return x


def test_options_that_are_no_options_are_refused() -> None:
    for options in ({"store": "sometimes"}, {"version": -1}, {"nout": "many"}, {"track": "all"}):
        with pytest.raises(errors.BadOption):

            @gm.op(**options)  # type: ignore[call-overload]
            def f(x):
                return x


def test_ignore_passes_the_value_and_leaves_nothing_behind(storage: gm.Storage) -> None:
    @gm.op
    def f(x, y=gm.Ignore(4)):
        RUNS.append((x, y))
        return x

    with storage:
        refs = [f(2), f(2, gm.Ignore(9)), f(2, y=gm.Ignore([1]))]
        counted = f(2, 4)
    assert all(ref.same_as(refs[0]) for ref in refs)
    assert not counted.same_as(refs[0])
    assert RUNS == [(2, 4), (2, 4)]
    assert f(2) == 2 and f(gm.Ignore(3)) == 3  # outside a block


# --- arguments that are new -------------------------------------------------------


def test_a_new_argument_keeps_old_results(storage: gm.Storage) -> None:
    def before(x):
        RUNS.append(x)
        return x + 1

    def after(x, step=gm.NewArgDefault(1)):
        RUNS.append((x, step))
        return x + step

    with storage:
        old = gm.op(name="add")(before)(10)
        new = gm.op(name="add")(after)
        assert old.same_as(new(10))
        assert old.same_as(new(10, 1)) and old.same_as(new(10, step=gm.NewArgDefault(1)))
        assert not old.same_as(new(10, 2))
        assert not old.same_as(new(10, 1.0))  # types count
    assert RUNS == [10, (10, 2), (10, 1.0)]
    assert new(5) == 6  # outside a block the default stands there itself


def test_a_new_argument_may_be_an_array_or_a_ref(storage: gm.Storage) -> None:
    @gm.op
    def ones():
        return np.ones(3)

    @gm.op
    def f(x, w=gm.NewArgDefault(np.ones(3))):
        RUNS.append(w.tolist())
        return float((x * w).sum())

    with storage:
        first = f(2)
        assert first.same_as(f(2, np.ones(3)))
        assert first.same_as(f(2, ones()))
        assert not first.same_as(f(2, np.zeros(3)))
    assert RUNS == [[1.0, 1.0, 1.0], [0.0, 0.0, 0.0]]


def test_plain_defaults_match_old_calls_where_the_op_says_so(storage: gm.Storage) -> None:
    def before(x):
        RUNS.append(x)
        return x + 1

    def after(x, step=1, scale=1):
        RUNS.append((x, step, scale))
        return (x + step) * scale

    with storage:
        gm.op(name="f")(before)(10)
        new = gm.op(name="f", match_defaults=True)(after)
        assert new.ref(10).unwrap() == 11
        assert new.ref(10, scale=2).unwrap() == 22
        assert new.ref(11).unwrap() == 12
    assert RUNS == [10, (10, 1, 2), (11, 1, 1)]


# --- values known by name ---------------------------------------------------------


class Model:
    def __init__(self, weight: float) -> None:
        self.weight = weight

    def __reduce__(self):
        raise AssertionError("it must be neither hashed nor stored")


def test_a_pointer_stands_for_its_value(storage: gm.Storage) -> None:
    @gm.op
    def predict(model, x):
        RUNS.append(x)
        return (model[0] if isinstance(model, list) else model).weight * x

    pointer = gm.ValuePointer("m1", Model(2.0))
    with storage:
        assert predict.ref(pointer, 3).unwrap() == 6.0
        assert predict.ref(gm.ValuePointer("m1", Model(2.0)), 3).unwrap() == 6.0
        assert predict.ref([pointer], 3).unwrap() == 6.0  # also inside containers
        assert predict.ref(gm.ValuePointer("m2", Model(4.0)), 3).unwrap() == 12.0
    assert RUNS == [3, 3, 3]
    assert predict(pointer, 3) == 6.0


def test_a_pointer_is_not_its_name(storage: gm.Storage) -> None:
    @gm.op
    def f(x):
        return str(x)

    with storage:
        assert not f("X").same_as(f(gm.ValuePointer("X", 5)))


# --- what is kept -----------------------------------------------------------------


@gm.op(store="hash")
def big(n):
    RUNS.append(n)
    return np.arange(n)


@gm.op
def total(a):
    RUNS.append("total")
    return int(a.sum())


def test_an_output_that_is_not_stored_is_made_again(path: Path) -> None:
    with gm.Storage(db_path=path) as storage:
        array = big(1000)
        assert total.ref(array).unwrap() == 499500
        assert storage.unwrap(array).shape == (1000,)
    assert RUNS == [1000, "total"]
    storage.close()
    assert path.stat().st_size < 200_000

    RUNS.clear()
    with gm.Storage(db_path=path) as storage:
        array = big(1000)
        assert total.ref(array).unwrap() == 499500
        assert RUNS == []  # what was made from it is still known
        assert storage.unwrap(array)[-1] == 999
        assert RUNS == [1000]


def test_an_output_that_came_out_differently_is_refused(path: Path) -> None:
    @gm.op(name="drift", store="hash")
    def drift():
        RUNS.append(1)
        return [len(RUNS)]

    with gm.Storage(db_path=path):
        drift()
    with gm.Storage(db_path=path) as storage:
        ref = drift()
        with pytest.raises(errors.NotReproducible):
            storage.unwrap(ref)


def test_transient_outputs_are_not_stored(path: Path) -> None:
    @gm.op(name="load")
    def load(n):
        RUNS.append(n)
        return gm.Transient(np.zeros(n)), n

    with gm.Storage(db_path=path) as storage:
        array, count = load(10)
        assert total.ref(array).unwrap() == 0 and storage.unwrap(count) == 10
    RUNS.clear()
    with gm.Storage(db_path=path) as storage:
        array, count = load(10)
        assert total.ref(array).unwrap() == 0 and RUNS == []
        assert storage.unwrap(array).tolist() == [0.0] * 10 and RUNS == [10]
    outside, _ = load(3)
    assert isinstance(outside, np.ndarray)


def test_an_unhashable_output_can_be_kept_out(path: Path) -> None:
    @gm.op(name="connect", store="never")
    def connect(url):
        RUNS.append(url)
        return (c for c in url)

    @gm.op(name="connect2")
    def connect2(url):
        return gm.Transient(iter([url]), unhashable=True)

    with gm.Storage(db_path=path) as storage:
        ref = connect("u")
        cid = ref.cid
        other = connect2("u")
        assert other.cid != cid
    RUNS.clear()
    with gm.Storage(db_path=path) as storage:
        ref = connect("u")
        assert ref.cid == cid and RUNS == []
        assert list(storage.unwrap(ref)) == ["u"] and RUNS == ["u"]


def test_an_argument_can_be_kept_as_its_hash_or_not_at_all(storage: gm.Storage) -> None:
    @gm.op(store={"x": "hash", "y": "never"})
    def f(x, y):
        RUNS.append((len(x), y))
        return len(x)

    with storage:
        ref = f([1, 2, 3], 1)
        assert ref.same_as(f([1, 2, 3], 2))
        assert not ref.same_as(f([3, 2, 1], 1))
    call = storage.get_ref_creator(ref)
    assert call is not None and list(call.inputs) == ["x"]
    with pytest.raises(errors.ValueMissing):
        storage.unwrap(call.inputs["x"])


# --- number of outputs ------------------------------------------------------------


def test_any_number_of_outputs(storage: gm.Storage) -> None:
    @gm.op(nout="var")
    def digits(n):
        return tuple(int(c) for c in str(n))

    @gm.op(nout="var")
    def lists(n):
        return [n]

    @gm.op
    def nothing():
        return ()

    with storage:
        assert storage.unwrap(digits(407)) == (4, 0, 7)
        assert storage.unwrap(digits(7)) == (7,)
        assert nothing() == ()
        with pytest.raises(errors.WrongOutputs, match="var"):
            lists(1)
    with storage:
        assert storage.unwrap(digits(7)) == (7,) and nothing() == ()


# --- changing arguments in place --------------------------------------------------


def test_an_op_may_say_that_it_changes_an_argument(storage: gm.Storage) -> None:
    @gm.op(mutates="items")
    def sort(items):
        items.sort()
        return items

    given = [3, 1, 2]
    with storage:
        first, again = sort(given), sort(given)
    assert storage.unwrap(first) == [1, 2, 3] and first.same_as(again)
    assert given == [3, 1, 2]  # the same whether the body ran or not


# --- generators, methods, names ---------------------------------------------------


def test_a_generator_can_be_materialized(storage: gm.Storage) -> None:
    @gm.op(materialize=True)
    def squares(n):
        RUNS.append(n)
        for i in range(n):
            yield i * i

    @gm.op
    def outer(n):
        made = squares(n)
        assert next(made) == 0 and not isinstance(made, list)
        return list(made)

    with storage:
        assert storage.unwrap(squares(4)) == [0, 1, 4, 9]
        assert storage.unwrap(outer(4)) == [1, 4, 9]
        assert storage.unwrap(outer(3)) == [1, 4]
    assert RUNS == [4, 3]
    assert inspect.isgenerator(squares(2))
    with pytest.raises(errors.UntrackableOp, match="none"):
        gm.op(materialize=True)(total.__wrapped__)


class Scaler:
    made = 0

    def __init__(self, factor):
        self.factor = factor

    @gm.op
    def scale(self, x, *, plus=0):
        RUNS.append((self.factor, x, plus))
        return self.factor * x + plus

    @gm.op
    def grow(self):
        self.factor += 1
        return self.factor

    @staticmethod
    @gm.op
    def twice(x):
        RUNS.append(x)
        return 2 * x

    @gm.op
    @classmethod
    def build(cls, x):
        RUNS.append(cls.__name__)
        return cls(x).factor


def test_methods_hash_their_object_by_content(storage: gm.Storage) -> None:
    with storage:
        assert storage.unwrap(Scaler(2).scale(5, plus=1)) == 11
        assert storage.unwrap(Scaler(2).scale(5, plus=1)) == 11
        assert storage.unwrap(Scaler(3).scale(5)) == 15
        assert storage.unwrap(Scaler.scale(Scaler(3), 5)) == 15
        assert storage.unwrap((Scaler.twice(4), Scaler(1).twice(4))) == (8, 8)
        assert storage.unwrap((Scaler.build(4), Scaler(1).build(4))) == (4, 4)
        with pytest.raises(errors.InputMutated, match="self"):
            Scaler(1).grow()
    assert RUNS == [(2, 5, 1), (3, 5, 0), 4, "Scaler"]
    assert Scaler(2).scale(5) == 10 and Scaler(1).grow() == 2
    assert inspect.signature(Scaler(2).scale).parameters.keys() == {"x", "plus"}


def test_closures_and_signatures_are_kept() -> None:
    @gm.op(output_names=["a"])
    def documented(x: int, *, y: str = "b") -> int:
        """Say what it does."""
        return x

    assert documented.__name__ == "documented" and documented.__doc__ == "Say what it does."
    assert str(inspect.signature(documented)) == "(x: 'int', *, y: 'str' = 'b') -> 'int'"
    assert documented.__wrapped__(3) == 3


# --- whether anything is remembered -----------------------------------------------


def test_noop_runs_plain_functions(storage: gm.Storage) -> None:
    with storage:
        ref = total(np.ones(2))
        with gm.noop():
            assert total(np.ones(2)) == 2
            assert fit(ref, gm.Ignore(1)) == 20
        with storage(mode="noop"):
            assert total(np.ones(2)) == 2
        assert isinstance(total(np.ones(2)), gm.Ref)
    assert RUNS == ["total", "total", (2, 1, 1), "total"]
    with gm.noop():
        assert total(np.ones(2)) == 2
    with pytest.raises(errors.BadSetting, match="noop"):
        storage(mode="typo")  # type: ignore[arg-type]


def test_new_calls_can_be_refused(storage: gm.Storage) -> None:
    with storage:
        fit(1)
        with storage.allow_new_calls(False):
            fit(1)
            with pytest.raises(RuntimeError, match="new inputs"):
                fit(2)
        fit(2)
        storage.allow_new_calls(False)
        with pytest.raises(errors.NewCallRefused):
            fit(3)
    with storage, pytest.raises(errors.NewCallRefused):
        fit(3)
    storage.allow_new_calls(True)
    with storage:
        fit(3)


def test_a_thread_outside_the_block_is_told(storage: gm.Storage) -> None:
    from concurrent.futures import ThreadPoolExecutor

    with storage, ThreadPoolExecutor(1) as pool:
        with pytest.warns(UserWarning, match="no storage block"):
            assert pool.submit(fit, 1).result() == 10
        refs = list(pool.map(gm.carried(fit), [1, 2, 1]))
        assert storage.unwrap(refs) == [10, 20, 10]
    assert storage.counter.computed == 2


# --- ops of ops -------------------------------------------------------------------


def test_a_superop_sees_refs_and_is_one_call(storage: gm.Storage) -> None:
    @gm.superop
    def pipeline(n, scale):
        assert isinstance(n, gm.Ref) and isinstance(scale, gm.Ref)
        RUNS.append("pipeline")
        array = big(n)
        assert isinstance(array, gm.Ref)
        return total(array), scale

    with storage:
        result, scale = pipeline(10, 2.5)
        assert storage.unwrap((result, scale)) == (45, 2.5)
        pipeline(10, 2.5)
    assert RUNS == ["pipeline", 10, "total"]
    call = storage.get_ref_creator(result)
    assert call is not None and call.op.endswith("pipeline")

    @gm.op
    def outer(n):
        value, _ = pipeline(n, 2.5)
        return value + 1

    with storage:
        assert storage.unwrap(outer(10)) == 46
        assert storage.unwrap(outer(11)) == 56


def test_recursion_remembers_every_step(storage: gm.Storage) -> None:
    @gm.op
    def fib(n):
        RUNS.append(n)
        return n if n < 2 else fib(n - 1) + fib(n - 2)

    with storage:
        assert storage.unwrap(fib(20)) == 6765
    assert len(RUNS) == 21


def test_code_in_a_closure_is_told_apart_but_not_stored(storage: gm.Storage) -> None:
    def closing_over(n):
        return lambda: n

    def made(function):
        @gm.op(name="code_in_a_closure")
        def call():
            return function()

        return call

    with storage:
        assert storage.unwrap(made(closing_over(1))()) == 1
        assert storage.unwrap(made(closing_over(2))()) == 2
        ref = made(closing_over(1))()
        with pytest.raises(errors.ValueMissing):
            storage.get_ref_creator(ref).inputs["closure:function"].unwrap()


# --- signatures that changed ------------------------------------------------------


def _before(x, y=2):
    return x + y


def _renamed(x, z=2):
    return x + z


def _longer(x, extra, y=2):
    return x + y + extra


def _optional(x, y=2, extra=0):
    return x + y + extra


def _pair(x, y=2) -> tuple[int, int]:
    return x, y


@pytest.mark.parametrize(
    ("after", "options", "change"),
    [
        (_renamed, {}, "'y' was removed or renamed"),
        (_longer, {}, "'extra' is new and has no default"),
        (_pair, {}, "the outputs were 'output_0' and are 'output_0', 'output_1'"),
        (_before, {"output_names": ["sum"]}, "are 'sum' now"),
    ],
)
def test_a_signature_that_does_not_fit_is_refused(
    path: Path, after: Any, options: Any, change: str
) -> None:
    with gm.Storage(db_path=path) as storage:
        gm.op(name="f")(_before)(1)
        with pytest.raises(errors.SignatureChanged, match=change):
            gm.op(name="f", **options)(after)(1, 2)
    storage.close()
    with gm.Storage(db_path=path) as storage:  # also from an earlier process
        changed = gm.op(name="f", **options)(after)
        with pytest.raises(errors.SignatureChanged, match=r"@op\(version=1\)"):
            changed(1, 2)
        gm.op(name="f", version=1, **options)(after)(1, 2)
        gm.op(name="f")(_optional)(1, 2)


def test_tables_show_the_default_of_an_argument_that_was_added(storage: gm.Storage) -> None:
    with storage:
        gm.op(name="f")(_before)(1)
        added = gm.op(name="f")(lambda x, y=2, extra=gm.NewArgDefault(0): x + y + extra)
        added(1, extra=5)
        table = storage.cf(added).df()
    assert sorted(table[["x", "y", "extra"]].values.tolist()) == [[1, 2, 0], [1, 2, 5]]


# --- numbers that count approximately ---------------------------------------------


def test_nearly_equal_numbers_are_one_call(storage: gm.Storage) -> None:
    def approximate(x, *rest, **more):
        RUNS.append(x)
        return x

    near = Annotated[float, gm.Approx(decimals=6)]
    approximate.__annotations__ = {"x": "near", "rest": near, "more": near, "return": "Unknown"}
    approximate.__globals__["near"] = near  # an alias, in a postponed annotation
    f = gm.op(name="approximate")(approximate)

    with storage:
        assert f(0.1 + 0.2).same_as(f(0.3))
        assert not f(0.3).same_as(f(0.300001))
        assert f(1.0, 0.1 + 0.2).same_as(f(1.0, 0.3))
        assert f(1.0, z=0.1 + 0.2).same_as(f(1.0, z=0.3))
    assert RUNS == [0.1 + 0.2, 0.300001, 1.0, 1.0]


def test_an_argument_that_is_always_ignored_needs_no_default(path: Path) -> None:
    def f(x, y):
        RUNS.append((x, y))
        return x

    for _ in range(2):  # also in the next process
        with gm.Storage(db_path=path):
            gm.op(name="f")(f)(1, gm.Ignore(0))
            gm.op(name="f")(f)(1, 5)
    assert RUNS == [(1, 0), (1, 5)]


def test_a_call_is_run_again_with_the_ignored_numbers_that_it_had(path: Path) -> None:
    @gm.op(name="f", ignore_args="scale", store="hash")
    def f(x, scale=1):
        RUNS.append(scale)
        return [x * scale]

    with gm.Storage(db_path=path):
        f(2, scale=10)
    with gm.Storage(db_path=path) as storage:
        assert storage.unwrap(f(2)) == [20]
        assert storage.check(f).is_deterministic
    assert RUNS == [10] * 3  # for the value, and to check


# --- what changes beside a call -----------------------------------------------------


def test_a_new_default_that_the_body_changes_is_refused(storage: gm.Storage) -> None:
    @gm.op
    def collect(x, into=gm.NewArgDefault([])):
        into.append(x)
        return into

    with storage, pytest.raises(errors.InputMutated, match="into"):
        collect(1)


def test_an_approximate_argument_that_the_body_changes_is_refused(storage: gm.Storage) -> None:
    @gm.op
    def order(x: Annotated[list, gm.Approx(3)]):
        x.sort()
        return x

    with storage, pytest.raises(errors.InputMutated, match="'x'"):
        order([2.0, 1.0])


def test_a_closure_that_is_rebound_is_refused(storage: gm.Storage) -> None:
    n = 0

    @gm.op
    def count():
        nonlocal n
        n += 1
        return n

    with storage, pytest.raises(errors.InputMutated, match="closure:n"):
        count()


def test_a_closure_of_which_another_cell_is_empty(storage: gm.Storage) -> None:
    def make(first):
        def f():
            try:
                return a
            except NameError:
                return -b

        if first:
            a = 5
        else:
            b = 5
        return gm.op(f)

    one, two = make(True), make(False)
    with storage:
        assert storage.unwrap([one(), one(), two(), two()]) == [5, 5, -5, -5]


def test_keyword_defaults_that_were_changed_in_place_count(storage: gm.Storage) -> None:
    @gm.op
    def f(*, k=1):
        return k

    with storage:
        assert storage.unwrap(f()) == 1
        f.__wrapped__.__kwdefaults__["k"] = 2
        assert storage.unwrap(f()) == 2


def test_a_value_that_was_computed_again_is_another_input(storage: gm.Storage) -> None:
    @gm.op
    def source():
        RUNS.append(1)
        return len(RUNS)

    @gm.op
    def double(x):
        return 2 * x

    with storage:
        before = source()
        assert storage.unwrap([double(before), double(before)]) == [2, 2]
        with pytest.warns(UserWarning):
            source.recompute()
        assert storage.unwrap(double(source())) == 4


@pytest.mark.parametrize("through_ref", [False, True])
def test_a_file_that_the_body_changes_is_refused(
    storage: gm.Storage, tmp_path: Path, through_ref: bool
) -> None:
    @gm.op(mutates="f")
    def append(f):
        with Path(f).open("a") as file:
            file.write("more")
        return 1

    path = tmp_path / "m.txt"
    path.write_text("text")
    with storage, pytest.raises(errors.InputMutated, match=r"m\.txt"):
        append(gm.wrap(gm.File(path)) if through_ref else gm.File(path))


def test_an_inner_call_hands_out_a_copy_whether_it_runs_or_not(storage: gm.Storage) -> None:
    kept = [1]

    @gm.op(name="inner")
    def inner():
        return HELD

    @gm.op(name="outer")
    def outer(n):
        found = inner()
        found.append(n)
        return found

    HELD[:] = kept
    with storage:
        assert storage.unwrap([outer(2), outer(3)]) == [[1, 2], [1, 3]]
    assert HELD == [1]


HELD: list[int] = []
