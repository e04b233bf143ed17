"""`storage.similar` and `storage.query`: what people ask, on real storages."""

from __future__ import annotations

import re
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pandas as pd
import pytest

import gitmemo as gm
from gitmemo.errors import (
    AmbiguousPattern,
    BadSetting,
    DisconnectedPattern,
    NotARef,
    NotInPattern,
    UnconstrainedVariable,
)
from gitmemo.imports import DictQ, ListQ, Q, SetQ

RAN: list[str] = []


@gm.op
def increment(x: int) -> int:
    RAN.append("increment")
    return x + 1


@gm.op
def average(nums: list) -> float:
    return sum(nums) / len(nums)


@gm.op
def load_data(n_class: int = 10) -> tuple[list[int], int]:
    return list(range(n_class)), n_class


@gm.op
def train_model(X: list[int], y: int, n_estimators: int = 5) -> list[int]:
    return X[:n_estimators]


@gm.op
def get_acc(model: list[int], X: list[int], y: int) -> float:
    return len(model) / y


@gm.op
def halves(text: str) -> dict[str, str]:
    middle = len(text) // 2
    return {"left": text[:middle], "right": text[middle:]}


@gm.op
def length(text: str) -> int:
    return len(text)


@gm.op
def joined(by_name: dict) -> str:
    return "".join(by_name.values())


@gm.op
def total(*parts: int, scale: int = 1, **more: int) -> int:
    return scale * sum(parts) + sum(more.values())


@gm.op
def both(a: Any, b: Any) -> int:
    return 0


OPS = {
    one.__name__: one
    for one in (
        *(increment, average, load_data, train_model, get_acc),
        *(halves, length, joined, total, both),
    )
}


@pytest.fixture
def storage() -> gm.Storage:
    return gm.Storage()


@pytest.fixture(scope="module")
def trained() -> gm.Storage:
    """The seed's example: three data sets, three sizes of model."""
    storage = gm.Storage()
    with storage.run():
        for n_class in (10, 5, 2):
            X, y = load_data(n_class)
            for n_estimators in (5, 10, 20):
                get_acc(train_model(X, y, n_estimators=n_estimators), X, y)
    return storage


def records(frame: pd.DataFrame) -> list[tuple[Any, ...]]:
    return list(frame.itertuples(index=False, name=None))


def run_again(printed: str, storage: gm.Storage) -> pd.DataFrame:
    """Run the code that was printed, in a query."""
    lines = [line.strip() for line in printed.strip().splitlines()[1:]]
    names: dict[str, Any] = {**OPS, "Q": Q, "ListQ": ListQ, "storage": storage}
    with storage.query():
        exec("\n".join(lines), names)
    frame: pd.DataFrame = names["result"]
    return frame


def same(one: pd.DataFrame, other: pd.DataFrame) -> None:
    pd.testing.assert_frame_equal(one, other)


# --- the seeds' examples -----------------------------------------------------------


def test_sliding_averages(storage: gm.Storage, capsys: pytest.CaptureFixture[str]) -> None:
    with storage.run():
        nums = [increment(i) for i in range(5)]
        for i in range(3):
            result = average(nums[i : i + 3])
    RAN.clear()
    table = storage.similar(result, context=True)
    assert list(table.columns) == ["x", "increment_1", "nums", "result"]
    assert sorted(records(table[["x", "increment_1", "result"]])) == [
        *((0, 1, 2.0), (1, 2, 2.0), (1, 2, 3.0)),
        *((2, 3, 2.0), (2, 3, 3.0), (2, 3, 4.0)),
        *((3, 4, 3.0), (3, 4, 4.0), (4, 5, 4.0)),
    ]
    printed = capsys.readouterr().out
    assert printed.splitlines()[:5] == [
        "Pattern-matching to the following computational graph (all constraints apply):",
        "    x = Q() # input to computation; can match anything",
        "    increment_1 = increment(x=x)",
        "    nums = Q([increment_1, ...])",
        "    result = average(nums=nums)",
    ]
    same(run_again(printed, storage), table)
    assert records(storage.similar(result, verbose=False)) == [(2.0,), (3.0,), (4.0,)]
    assert not capsys.readouterr().out
    assert not RAN, "a question ran an op"
    assert len(storage.cf("increment")) == 5


def test_the_table_of_a_program(trained: gm.Storage, capsys: pytest.CaptureFixture[str]) -> None:
    with trained.run():
        n_class = gm.wrap(5)
        X, y = load_data(n_class)
        for n_estimators in gm.wrap((5, 20)):
            model = train_model(X, y, n_estimators=n_estimators)
            acc = get_acc(model, X, y)
    table = trained.similar(n_class, n_estimators, acc)
    printed = capsys.readouterr().out
    assert printed == (
        "Pattern-matching to the following computational graph (all constraints apply):\n"
        "    n_class = Q() # input to computation; can match anything\n"
        "    X, y = load_data(n_class=n_class)\n"
        "    n_estimators = Q() # input to computation; can match anything\n"
        "    model = train_model(X=X, y=y, n_estimators=n_estimators)\n"
        "    acc = get_acc(model=model, X=X, y=y)\n"
        "    result = storage.df(n_class, n_estimators, acc)\n"
        "\n"
    )
    expected = [(n, size, min(n, size) / n) for n in (2, 5, 10) for size in (5, 10, 20)]
    assert records(table) == expected
    assert list(table.columns) == ["n_class", "n_estimators", "acc"]
    assert table.dtypes.astype(str).to_list() == ["int64", "int64", "float64"]
    same(run_again(printed, trained), table)
    whole = trained.similar(acc, context=True, verbose=False)
    assert list(whole.columns) == ["n_class", "X", "y", "n_estimators", "model", "acc"]
    same(whole[table.columns.to_list()], table)
    same(trained.df(n_class, n_estimators, acc), table)
    for engine in ("naive", "sql"):
        same(trained.similar(n_class, n_estimators, acc, engine=engine, verbose=False), table)


def test_a_query_by_hand(trained: gm.Storage) -> None:
    with trained.query():
        n_class = Q()
        X, y = load_data(n_class)
        model = train_model(X, y)  # the number of estimators may be any
        acc = get_acc(model, X, y).named("accuracy")
        inside = trained.df(n_class, acc)
    assert list(inside.columns) == ["n_class", "accuracy"]
    same(trained.df(n_class, acc), inside)
    # Models of equal content were scored once: what repeats that is no row of its own.
    assert records(inside) == [(2, 1.0), (5, 1.0), (10, 0.5), (10, 1.0)]
    assert len(trained.df(model)) == 9, "equal values of other histories are other rows"
    n_class.pin(2, 5)
    assert set(trained.df(n_class, acc)["n_class"]) == {2, 5}
    n_class.unpin()
    same(trained.df(n_class, acc), inside)
    with trained.query():
        model = train_model(n_estimators=10)
        acc = get_acc(model)
    assert records(trained.df(acc)) == [(1.0,), (1.0,), (1.0,)]


# --- roles ----------------------------------------------------------------------------


def test_equal_raw_values_in_two_roles_never_mix(storage: gm.Storage) -> None:
    @gm.op
    def load(seed: int) -> list[int]:
        return [seed]

    @gm.op
    def train(data: list[int], rate: int, epochs: int) -> int:
        return data[0] + 10 * rate + 100 * epochs

    with storage:
        for epochs in (1, 2):
            train(load(1), 1, epochs)
            model = train(load(2), 1, epochs)
        seed = gm.wrap(1)
        model = train(load(seed), 1, 1)
    table = storage.similar(model, context=True, verbose=False)
    columns = ["seed", "rate", "epochs", "model"]
    expected = [(s, 1, e, s + 10 + 100 * e) for s in (1, 2) for e in (1, 2)]
    assert records(table[columns]) == expected
    assert records(storage.similar(seed, model, verbose=False)) == sorted(
        (s, m) for s, _, _, m in expected
    )
    value = seed
    del seed
    with pytest.raises(AmbiguousPattern, match=r"'epochs'.*'rate'.*'seed'"):
        storage.similar(value, model)
    named = storage.similar(value, model, names=["rate", "m"], verbose=False)
    assert list(named.columns) == ["rate", "m"]
    assert len(named) == 4


def test_values_of_one_name_stay_one_variable(storage: gm.Storage) -> None:
    @gm.op
    def draw(seed: int) -> int:
        return seed

    @gm.op
    def shuffle(data: int, seed: int) -> int:
        return data + seed

    with storage:
        for first in range(3):
            for second in range(3):
                drawn = shuffle(draw(first), second)
        same_seed = shuffle(draw(1), 1)
    assert len(storage.similar(drawn, verbose=False)) == 3
    assert len(storage.similar(same_seed, verbose=False)) == 3
    with storage:
        others = shuffle(draw(1), 2)
    assert len(storage.similar(others, verbose=False)) == 9


def test_refs_of_one_role_are_refused(storage: gm.Storage) -> None:
    with storage:
        one, two = increment(1), increment(2)
        mean = average([one, two])
    with pytest.raises(AmbiguousPattern, match="one and two") as caught:
        storage.similar(one, two, mean)
    assert "pass one of them" in caught.value.remedy()
    assert len(storage.similar(one, mean, verbose=False)) == 2


def test_what_only_its_neighbours_tell_apart_stays_apart(storage: gm.Storage) -> None:
    with storage:
        a, b, c = (increment(n) for n in range(3))
        ring = average([both(a, b), both(b, c), both(c, a)])
        average([both(a, b), both(b, c)])
    assert len(storage.similar(ring, verbose=False)) == 1


def test_what_nothing_connects_is_refused(storage: gm.Storage) -> None:
    with storage:
        number, mean = increment(1), average([1, 2])
        increment(5)
    with pytest.raises(DisconnectedPattern) as caught:
        storage.similar(number, mean)
    assert "increment(x=x)" in str(caught.value)
    assert "average(nums=nums)" in str(caught.value)
    pairs = storage.similar(number, mean, allow_product=True, verbose=False)
    assert records(pairs) == [(2, 1.5), (6, 1.5)]
    with storage.query():
        x, y = increment(), average()
        with pytest.raises(DisconnectedPattern):
            storage.df(x, y)


def test_what_no_call_constrains_is_refused(storage: gm.Storage) -> None:
    anything, value = Q(), gm.wrap(5)
    for ask in (lambda: storage.df(anything), lambda: storage.similar(value), storage.df):
        with pytest.raises(UnconstrainedVariable):
            ask()


# --- collections --------------------------------------------------------------------------


@pytest.fixture(scope="module")
def texts() -> gm.Storage:
    storage = gm.Storage()
    with storage:
        for text in ("abcd", "abcdef"):
            parts = halves(text)
            joined({"first": parts["right"], "second": parts["left"]})
            for part in parts.values():
                length(part)
        average([length("x"), length("yy"), 7])
        average([7])
    return storage


def test_what_is_in_a_result(texts: gm.Storage, capsys: pytest.CaptureFixture[str]) -> None:
    with texts:
        text = gm.wrap("abcd")
        half = halves(text)["right"]
        size = length(half)
    table = texts.similar(text, half, size)
    assert records(table) == [
        ("abcd", "ab", 2),
        ("abcd", "cd", 2),
        ("abcdef", "abc", 3),
        ("abcdef", "def", 3),
    ]
    printed = capsys.readouterr().out
    assert "    half = halves_1[Q()]\n" in printed
    same(run_again(printed, texts), table)
    refs = texts.similar(half, verbose=False, values="refs")["half"]
    assert sorted(map(gm.unwrap, refs)) == ["ab", "abc", "cd", "def"]


def test_keys_and_positions(texts: gm.Storage) -> None:
    with texts.query():
        text, side, name, size, place = Q(), Q(), Q(), Q(), Q()
        half = halves(text)[side]
        whole = joined(Q({name: half, ...: ...}))
    table = texts.df(text, side, name, whole, verbose=True)
    assert records(table) == [
        (text, side, name, text[len(text) // 2 :] + text[: len(text) // 2])
        for text in ("abcd", "abcdef")
        for side, name in (("left", "second"), ("right", "first"))
    ]
    with texts.query():
        size = length()
        mean = average(ListQ([size], [place]))
    assert records(texts.df(place, size, mean)) == [(0, 1, 10 / 3), (1, 2, 10 / 3)]
    with texts.query():
        mean = average([length("x"), 7])
        first = average(Q([7, ...]))
        listed = Q()
        second = listed[1]
        of_second = average(listed)
    assert records(texts.df(mean)) == [(10 / 3,)]
    assert records(texts.df(first)) == [(10 / 3,), (7.0,)]
    assert records(texts.df(second, of_second)) == [(2, 10 / 3)]
    found = []
    for hold in (lambda one: {"first": one}, lambda one: DictQ([one]), lambda one: Q([one, ...])):
        with texts.query():
            found.append(records(texts.df(joined(hold(halves("abcd")["right"])))))
    assert found == [[("cdab",)], [("cdab",)], []]


def test_sets_and_nested_collections(storage: gm.Storage) -> None:
    with storage:
        a, b = increment(1), increment(2)
        both({a, b}, 1)
        nested = both([[a, b], [b]], {"k": (a,)})
    with storage.query():
        x = Q()
        inner = increment(x)
        for held in (Q({inner, ...}), SetQ([inner])):
            out = both(held, 1)
            assert records(storage.df(x)) == [(1,), (2,)]
            assert records(storage.df(x, out)) == [(1, 0), (2, 0)]
        y = Q()
        other = both([[inner], ...], {"k": (increment(y),)})
    assert records(storage.df(x, y)) == [(1, 1), (2, 1)]
    assert len(storage.df(other)) == 1
    assert len(storage.similar(nested, verbose=False)) == 1


# --- what a cell is -------------------------------------------------------------------------


def test_what_stands_for_a_value(trained: gm.Storage) -> None:
    with trained:
        model = train_model(*load_data(5), n_estimators=5)
    show: Callable[[str], list[Any]] = lambda values: list(  # noqa: E731
        trained.similar(model, verbose=False, values=values)["model"]
    )
    assert sorted(show("objs")) == sorted(show("inline"))
    assert [0, 1, 2, 3, 4] in show("objs")
    assert model.hid in show("hids")
    assert show("hids") == show("full_uids")
    assert model.cid in show("cids")
    assert show("cids") == show("uids")
    assert {ref.hid for ref in show("refs")} == set(show("hids"))
    assert {ref.hid for ref in show("lazy")} == set(show("hids"))
    for wrong in ({"values": "objects"}, {"engine": "duckdb"}):
        with pytest.raises(BadSetting):
            trained.similar(model, verbose=False, **wrong)  # type: ignore[arg-type]


def test_every_way_in_which_a_pattern_fits(trained: gm.Storage) -> None:
    with trained.query():
        X, y = load_data()
        get_acc(train_model(X, y), X, y)
    assert len(trained.df(y)) == 3
    assert len(trained.df(y, drop_duplicates=False)) == 9


def test_refs_and_values_as_arguments(trained: gm.Storage) -> None:
    with trained:
        X, y = load_data(5)
    with trained.query():
        size = Q()
        model = train_model(X, y, size)
    assert records(trained.df(size)) == [(5,), (10,), (20,)]
    table = trained.df(y, size, verbose=True)
    assert records(table) == [(5, 5), (5, 10), (5, 20)]
    assert list(table.columns) == ["y", "size"]
    with trained:
        elsewhere = increment(1)
    with pytest.raises(NotInPattern):
        trained.df(elsewhere, model)


def test_arguments_that_are_not_plain(storage: gm.Storage, capsys: Any) -> None:
    with storage:
        total(1, 2, scale=3)
        total(5, 6, scale=3, extra=4)
        result = total(increment(1), 2, scale=2, zeta=1, alpha=2)
    table = storage.similar(result, context=True)
    assert records(table)[0][-1] == 11
    same(run_again(capsys.readouterr().out, storage), table)
    with storage.query():
        x, extra = Q(), Q()
        out = total(x, Q(), extra=extra)
    assert records(storage.df(x, extra, out)) == [(5, 4, 37)]


def test_what_is_missing_equals_nothing(storage: gm.Storage) -> None:
    with storage:
        total(1)
        total(2)
        total(3, 4)
        increment(4)
    with storage.query():
        first, second = Q(), Q()
        everything = total(first)
        assert len(storage.df(first, everything)) == 3
        total(first, second)
        assert records(storage.df(first, second)) == [(3, 4)]
    with storage.query():
        first, second = Q(), Q()
        total(parts_0=first, parts_1=second)
        total(second)
        assert records(storage.df(first, second)) == []


# --- size -----------------------------------------------------------------------------------


def test_chains_longer_than_any_join(storage: gm.Storage) -> None:
    with storage:
        for start in range(2):
            value: Any = gm.wrap(1000 * start)
            for _ in range(500):
                value = increment(value)
        assert len(storage.similar(value, verbose=False)) == 2
    with storage.query():
        first = last = Q()
        for _ in range(70):
            last = increment(last)
    table = storage.df(first, last)
    assert len(table) == 2 * (500 - 69)
    first.pin(0, 1000)
    assert records(storage.df(first, last)) == [(0, 70), (1000, 1070)]


# --- misuse ----------------------------------------------------------------------------------


def test_misuse_is_told(storage: gm.Storage) -> None:
    with storage:
        number = increment(1)
    with pytest.raises(NotARef):
        storage.similar([number])  # type: ignore[arg-type]
    with pytest.raises(NotInPattern):
        storage.df(5)  # type: ignore[arg-type]
    with pytest.raises(NotInPattern, match="names"):
        storage.similar(number, names=["a", "b"])
    with storage.query():
        variable = increment(Q())
        for misuse in (
            lambda: list(variable),
            lambda: bool(variable),
            lambda: variable[-1],
            lambda: variable[1:],
            lambda: Q(5),
            lambda: ListQ([variable], []),
        ):
            with pytest.raises(NotInPattern):
                misuse()
        with pytest.raises(TypeError, match="unexpected keyword"):
            increment(y=1)  # type: ignore[call-arg]
    assert re.fullmatch(r"Q\(\w*\)", repr(variable))
    assert increment(1) == 2, "outside of its block an op is a function again"


# --- code that changes ------------------------------------------------------------------------

CHANGING = """
import sys
import gitmemo as gm
from gitmemo.imports import Q, Storage, op

storage = Storage("calls.db", deps_path="__main__", on_change="breaking")

@op
def increment(x: int) -> int:
    return x + STEP

@op
def average(nums: list) -> float:
    return sum(nums) / len(nums)

with storage.run():
    nums = [increment(i) for i in range(5)]
    for i in range(3):
        result = average(nums[i:i+3])

table = storage.similar(result, context=True, verbose=False)
print(sorted(zip(table["x"], table["increment_1"], table["result"])))
print(storage.similar(result, verbose=False)["result"].to_list())
if len(sys.argv) > 1:
    old = storage.load_ref(sys.argv[1])
    print(storage.similar(old, names=["old"], verbose=False)["old"].to_list())
print(result.hid)
"""


def test_only_what_is_valid_for_the_code_of_now_is_a_row(tmp_path: Path) -> None:
    def run(step: int, *arguments: str) -> list[str]:
        script = tmp_path / "script.py"
        script.write_text(CHANGING.replace("STEP", str(step)), "utf-8")
        done = subprocess.run(
            [sys.executable, script.name, *arguments], cwd=tmp_path, capture_output=True, text=True
        )
        assert done.returncode == 0, done.stderr
        return done.stdout.splitlines()

    def expected(step: int) -> list[tuple[int, int, float]]:
        ways = [(x, mean) for mean in (1, 2, 3) for x in range(mean - 1, mean + 2)]
        return sorted((x, x + step, float(mean + step)) for x, mean in ways)

    rows, means, hid = run(1)
    assert rows == str(expected(1))
    assert means == "[2.0, 3.0, 4.0]"
    assert run(2, hid)[:3] == [str(expected(2)), "[3.0, 4.0, 5.0]", "[3.0, 4.0, 5.0]"]
