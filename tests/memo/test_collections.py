"""Collections: refs in containers, containers of refs, and what is stored of them."""

from __future__ import annotations

import os
import pickle
import re
import subprocess
import sys
from collections import Counter, OrderedDict, defaultdict
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated, Any, NamedTuple, Optional

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

import gitmemo as gm
from gitmemo import ref as refs
from gitmemo.errors import InputMutated, RefMisuse, Unhashable
from gitmemo.hashing import content_hash
from gitmemo.memo import trust
from gitmemo.model import items

RUNS: list[Any] = []


class Pair(NamedTuple):
    a: Any
    b: Any


class Numbers(list[int]):
    """A list with more than a list has."""

    unit = "m"


@dataclass
class Point:
    """Plain data."""

    x: int
    y: object


@pytest.fixture(autouse=True)
def no_runs() -> None:
    RUNS.clear()


@pytest.fixture
def loads(monkeypatch: pytest.MonkeyPatch) -> list[object]:
    """What was read from stores since the test began."""
    seen: list[object] = []
    load = trust.Values.load

    def spy(self: trust.Values, cid: Any, describe: Any) -> object:
        seen.append(cid)
        return load(self, cid, describe)

    monkeypatch.setattr(trust.Values, "load", spy)
    return seen


@gm.op
def increment(x: int) -> int:
    RUNS.append(("increment", x))
    return x + 1


@gm.op
def average(nums: list) -> float:
    RUNS.append(("average", nums))
    return sum(nums) / len(nums)


@gm.op(nout=1)
def same(value):
    RUNS.append(value)
    return value


@gm.op
def size(value: list | dict) -> int:
    return len(value)


@gm.op
def array(n: int) -> np.ndarray:
    return np.full((20, 100), n)


@gm.op
def arrays(n: int) -> list[np.ndarray]:
    RUNS.append(n)
    return [np.full((20, 100), i) for i in range(n)]


def maker(storage: gm.Storage, ref: gm.Ref[Any]) -> str | None:
    call = storage.get_ref_creator(ref)
    return call.op.rpartition(":")[2].rpartition(".")[2] if call else None


# --- refs inside plain containers -----------------------------------------------------


def test_sliding_averages(storage: gm.Storage) -> None:
    for _ in range(2):
        with storage:
            nums = [increment(i) for i in range(5)]
            results = [average(nums[i : i + 3]) for i in range(3)]
    assert storage.unwrap(results) == [2.0, 3.0, 4.0]
    assert [("increment", i) for i in range(5)] + [
        ("average", [i + 1, i + 2, i + 3]) for i in range(3)
    ] == RUNS
    frame = storage.cf(average).expand_back().df()
    assert list(frame.columns) == ["x", "increment", "nums", "average"]
    rows = sorted(map(list, frame.itertuples(index=False)))
    assert rows == [
        [[i, i + 1, i + 2], [i + 1, i + 2, i + 3], [i + 1, i + 2, i + 3], i + 2.0] for i in range(3)
    ]
    assert len(storage.cf(increment).expand_forward()) == 8
    call = storage.get_ref_creator(results[0])
    assert call is not None
    listed = call.inputs["nums"]
    assert isinstance(listed, gm.ListRef)
    assert [maker(storage, ref) for ref in listed] == ["increment"] * 3
    assert [ref.hid for ref in listed] == [ref.hid for ref in nums[:3]]


def test_equal_contents_of_other_histories_are_not_computed_again(storage: gm.Storage) -> None:
    with storage:
        first = average([increment(1), increment(2)])
        again = average([increment(1), same(3)])
        plain = average([2, 3])
    assert sum(run[0] == "average" for run in RUNS if type(run) is tuple) == 1
    assert first.cid == again.cid == plain.cid
    assert len({first.hid, again.hid, plain.hid}) == 3
    call = storage.get_ref_creator(again)
    assert call is not None
    assert [maker(storage, ref) for ref in call.inputs["nums"]] == ["increment", "same"]  # type: ignore[attr-defined]


def test_no_annotation_is_needed(storage: gm.Storage) -> None:
    with storage:
        one, two = increment(1), increment(2)
        value = {"a": [one, (two, 7)], "b": Pair(one, [two])}
        result = same(value)
        assert same(value).hid == result.hid
    assert RUNS[2:] == [{"a": [2, (3, 7)], "b": Pair(2, [3])}]
    assert storage.unwrap(result) == {"a": [2, (3, 7)], "b": Pair(2, [3])}
    frame = storage.cf(same).expand_back()
    assert {call.op.rpartition(":")[2] for call in frame.calls} == {"same", "increment"}
    assert len(frame) == 3


@pytest.mark.parametrize(
    "hold",
    [
        lambda ref: OrderedDict(b=ref, a=1),
        lambda ref: defaultdict(list, x=ref),
        lambda ref: Pair(ref, 2),
        lambda ref: Counter({"a": 2, ref: 1}),
        lambda ref: Numbers([ref, 5]),
        lambda ref: {ref, 5, "x"},
        lambda ref: {1, ref, 2},
        lambda ref: frozenset({ref}),
        lambda ref: {ref: "key", "other": [ref]},
        lambda ref: {(ref, 1): 2},
        lambda ref: [Point(1, 2), ref],
        lambda ref: [[], {}, (), ref, None, 1.5, float("nan")],
    ],
)
def test_types_arrive_unchanged(storage: gm.Storage, hold: Callable[[Any], Any]) -> None:
    """Whatever holds a ref: the op sees the same kind, with the value for the ref."""
    with storage:
        result = same(hold(increment(1)))
        again = same(hold(increment(1)))
    assert result.hid == again.hid
    plain = hold(2)
    assert [type(run) for run in RUNS[1:]] == [type(plain)]
    assert result.cid == content_hash(RUNS[1]) == content_hash(plain)
    assert getattr(RUNS[1], "default_factory", None) is getattr(plain, "default_factory", None)
    assert len(storage.cf(same).expand_back()) == 2


def test_plain_types_arrive_unchanged_too(storage: gm.Storage) -> None:
    values = [OrderedDict(b=1, a=2), defaultdict(list, x=[1]), Pair(1, 2), Point(1, [2]), Numbers()]
    with storage:
        results = [same(value) for value in values]
    assert [type(run) for run in RUNS] == [type(value) for value in values]
    assert [type(storage.unwrap(result)) for result in results] == [type(v) for v in values]


def test_refs_in_memory_and_lazy_ones_are_the_same_input(storage: gm.Storage) -> None:
    with storage:
        fresh = [same("x" * 1000), same((1, 2)), array(3)]
        first = same(fresh)
    with storage:
        lazy = [same("x" * 1000), same((1, 2)), array(3)]
        attached = storage.attach(lazy)
        assert all(ref.in_memory for ref in attached)
        assert same(lazy).hid == same(attached).hid == first.hid
    assert len(RUNS) == 3


def test_a_second_run_loads_nothing(tmp_path: Path, loads: list[object]) -> None:
    path = tmp_path / "s.db"
    for expected in (1, 0):
        storage = gm.Storage(db_path=path)
        RUNS.clear()
        with storage:
            made = [array(i) for i in range(20)] + [same(np.arange(i)) for i in range(5)]
            loads.clear()
            result = same({"all": made, "some": (made[0], made[3:5])})
            parts = arrays(3)
            assert len(parts) == 3
            same([parts[0], parts[-1]])
        assert len(RUNS) == 8 * expected
        if not expected:
            assert loads == []
        storage.close()
    assert len(result.hid) == 64


def test_large_elements_are_stored_once(tmp_path: Path) -> None:
    storage = gm.Storage(db_path=tmp_path / "s.db")
    with storage:
        whole = [np.full((300, 300), i) for i in range(20)]
        total = sum(one.nbytes for one in whole)
        made = [same(one) for one in whole]
        size(made)
        size(made[3:])
        size({"a": made, "b": (made[0], 5)})
        size([np.full((300, 300), 0), np.full((300, 300), 1)])
    storage.close()
    assert total < (tmp_path / "s.db").stat().st_size < total * 1.1


def test_in_place_changes_are_noticed_and_refs_are_safe(storage: gm.Storage) -> None:
    @gm.op
    def spoil(values):
        values[0][0] = 99

    with storage:
        made = same([1, 2])
        spoil([made])
        assert storage.unwrap(made) == [1, 2]
        with pytest.raises(InputMutated):
            spoil([[1, 2], made])


def test_a_container_inside_itself_is_refused(storage: gm.Storage) -> None:
    with storage:
        loop: list[Any] = [increment(1)]
        loop.append(loop)
        with pytest.raises(Unhashable, match="inside itself"):
            same(loop)


def test_deep_and_shared_containers(storage: gm.Storage) -> None:
    with storage:
        deep: Any = increment(1)
        for _ in range(200):
            deep = [deep]
        tower: Any = [increment(2)]
        for _ in range(100):
            tower = (tower, tower) if _ < 10 else [tower]
        first, second = same(deep), same(tower)
        assert (same(deep).hid, same(tower).hid) == (first.hid, second.hid)
    frame = storage.cf(same).expand_back()
    assert len(frame) == 4, "a ref is found however deep it is"


def test_secrets_in_collections_are_not_stored(tmp_path: Path) -> None:
    storage = gm.Storage(db_path=tmp_path / "s.db")
    with storage:
        assert storage.unwrap(length({"password": "hunter2xyz", "n": increment(1)})) == 2
        assert storage.unwrap(length({"password": gm.wrap("hunter3xyz")})) == 1
    assert len(storage.cf(length).expand_back()) == 3
    storage.close()
    data = (tmp_path / "s.db").read_bytes()
    assert b"hunter2xyz" not in data
    assert b"hunter3xyz" not in data


@gm.op
def length(options: dict) -> int:
    return len(options)


def test_provenance_shows_what_collections_are_made_of(storage: gm.Storage) -> None:
    with storage:
        one = increment(1)
        parts = many(3)
        result = size([one, parts[2], {"a": (one, 7)}])
    lines = storage.prov(result).splitlines()
    assert lines[-1] == "size_1 = size(value=[increment_1, many_1[2], {'a': (increment_1, 7)}])"
    assert set(lines[:-1]) == {"increment_1 = increment(x=1)", "many_1 = many(n=3)"}


# --- collections that ops return ------------------------------------------------------


def test_lists_of_refs(storage: gm.Storage) -> None:
    with storage:
        made = arrays(4)
    for ref in (made, pickle.loads(pickle.dumps(made))):
        assert isinstance(ref, gm.ListRef)
        assert isinstance(ref, gm.Ref)
        assert (len(ref), bool(ref)) == (4, True)
        assert [one.cid for one in ref] == [content_hash(np.full((20, 100), i)) for i in range(4)]
        assert ref[-1].hid == ref[3].hid == next(reversed(ref)).hid
        assert [one.hid for one in ref[1:3]] == [ref[1].hid, ref[2].hid]
        assert type(ref[1:3]) is list
        assert ref[2] in ref
        assert ref[0] in list(ref)
        with pytest.raises(IndexError):
            ref[4]
    assert (made[1].unwrap() == 1).all()
    assert type(made.obj) is list
    assert [one[0, 0] for one in storage.unwrap(made)] == [0, 1, 2, 3]
    assert maker(storage, made) == maker(storage, made[2]) == "arrays"
    assert storage.load_ref(made[2].hid).hid == made[2].hid
    assert len({made[0].hid, made[1].hid, made.hid}) == 3


def test_elements_are_inputs_of_their_own(storage: gm.Storage) -> None:
    with storage:
        made = arrays(3)
        one, all_, some = same(made[1]), same(made), same(made[:2])
        rebuilt = same(list(made))
    assert (storage.unwrap(one) == 1).all()
    assert all_.cid == rebuilt.cid == made.cid
    assert len(storage.unwrap(some)) == 2
    assert len(RUNS) == 4, "the list of all elements is the list"
    frame = storage.cf(same).expand_back()
    assert len(frame) == 5
    assert len(storage.cf(arrays).expand_forward()) == 5
    table = storage.cf(same).expand_back().df(values="refs")
    assert len(table) == 4
    assert set(table.columns) == {"n", "arrays", "value", "same"}


def test_small_elements_are_stored_when_they_are_inputs(tmp_path: Path) -> None:
    @gm.op
    def losses() -> list[np.float64]:
        return [np.float64(1.5), np.float64(2.5)]

    @gm.superop
    def last():
        return losses()[-1]

    storage = gm.Storage(db_path=tmp_path / "s.db")
    with storage:
        hids = [same(losses()[0]).hid, last().hid]
    storage.close()
    storage = gm.Storage(db_path=tmp_path / "s.db")
    assert [storage.load_ref(hid).unwrap() for hid in hids] == [1.5, 2.5]
    call = storage.get_ref_creator(storage.load_ref(hids[0]))
    assert call is not None
    assert call.inputs["value"].unwrap() == 1.5
    assert maker(storage, call.inputs["value"]) == "losses"
    storage.close()


@gm.op
def table(n: int) -> dict[Any, list[int]]:
    RUNS.append(n)
    return {"a": [n], 2: [], (3, "b"): [1, 2], 2.5: [4], None: [5], b"bytes": [n] * 500}


def test_dicts_of_refs(storage: gm.Storage) -> None:
    keys = ["a", 2, (3, "b"), 2.5, None, b"bytes"]
    for _ in range(2):
        with storage:
            ref = table(7)
        assert isinstance(ref, gm.DictRef)
        assert (len(ref), ref.keys(), list(ref)) == (6, keys, keys)
        assert isinstance(ref["a"], gm.ListRef)
        assert ref["a"].unwrap() == [7]
        assert ref[2.0].hid == ref[2].hid, "keys are equal as in any dict"
        assert ref[3, "b"][1].unwrap() == 2
        assert ref[b"bytes"][499].unwrap() == 7
        assert [value.hid for value in ref.values()] == [value.hid for _, value in ref.items()]
        assert ("a" in ref, "z" in ref, ref.get("z")) == (True, False, None)
        assert ref[gm.wrap("a")].hid == ref["a"].hid
        with pytest.raises(KeyError):
            ref["z"]
        assert storage.unwrap(ref) == table.__wrapped__(7)
        assert list(storage.unwrap(ref)) == keys
        assert maker(storage, ref[3, "b"][1]) == "table"
    assert RUNS == [7, 7, 7]


def test_sets_and_tuples_of_refs(storage: gm.Storage) -> None:
    @gm.op
    def names() -> gm.MSet[str]:
        return {"a", "b", "c" * 300}

    @gm.op
    def pair() -> gm.MTuple[list[int], str]:
        return [1], "x"

    @gm.op
    def triple() -> tuple[list[int], gm.MTuple[int, ...], set]:
        return [1], (2, 3), {4}

    with storage:
        ref = names()
        assert isinstance(ref, gm.SetRef)
        assert {one.unwrap() for one in ref} == storage.unwrap(ref) == {"a", "b", "c" * 300}
        assert next(iter(ref)) in ref
        two: Any = pair()
        assert isinstance(two, gm.TupleRef)
        assert isinstance(two[0], gm.ListRef)
        assert two.obj == ([1], "x")
        assert storage.unwrap([*two]) == [[1], "x"]
        several = triple()
    assert [type(one) for one in several] == [gm.ListRef, gm.TupleRef, gm.SetRef]
    assert storage.unwrap(several) == ([1], (2, 3), {4})


def test_every_spelling_of_a_collection_counts(storage: gm.Storage) -> None:
    """Bare, subscripted, optional, in a string, annotated, in the older spelling."""
    spellings = [
        list, list[int], "list[int]", "list", Optional[list[int]], "Optional[list]",  # noqa: UP045
        list[int] | None, "list[int] | None", Annotated[list[int], "doc"], gm.MList, gm.MList[int],
        "gm.MList[int]", "Optional[gm.MList]", Optional["gm.MList[int]"],
        "typing.List[int]",
    ]  # fmt: skip
    for number, spelling in enumerate(spellings):

        def function(n):
            return [n, n]

        function.__annotations__ = {"return": spelling, "n": "Nowhere"}
        function.__globals__["typing"] = __import__("typing")
        ref = None
        with storage:
            ref = gm.op(name=f"spelling-{number}")(function)(3)
        assert isinstance(ref, gm.ListRef), spelling
        assert storage.unwrap(ref) == [3, 3]


def test_annotations_are_hints(storage: gm.Storage) -> None:
    @gm.op
    def maybe(n: int) -> Optional[list[int]]:  # noqa: UP045
        return [None, [1, 2], "text", Numbers([1]), (1, 2)][n]  # type: ignore[return-value]

    with storage:
        results = [maybe(n) for n in range(4)]
    assert [type(ref) for ref in results] == [gm.AtomRef, gm.ListRef, gm.AtomRef, gm.AtomRef]
    assert storage.unwrap(results) == [None, [1, 2], "text", [1]]
    assert type(storage.unwrap(results[3])) is Numbers


def test_nested_collections_load_lazily(tmp_path: Path, loads: list[object]) -> None:
    path = tmp_path / "s.db"
    for _ in range(2):
        storage = gm.Storage(db_path=path)
        loads.clear()
        with storage:
            grid = nested()
            cell = grid["rows"][1][0]
        assert [len(row) for row in grid["rows"]] == [2, 2, 2]
        assert maker(storage, cell) == "nested"
        assert loads == []
        assert (cell.unwrap() == 1).all()
        assert len(loads) == 1
        assert (storage.unwrap(grid)["rows"][2][1] == 2).all()
        storage.close()


@gm.op
def nested() -> dict[str, list[list[np.ndarray]]]:
    return {"rows": [[np.full((50, 50), i), np.full(3, i)] for i in range(3)]}


def test_values_inside_themselves_are_one_value(storage: gm.Storage) -> None:
    @gm.op
    def loop() -> list[list]:
        inner: list[Any] = [1]
        inner.append(inner)
        return inner

    with storage:
        ref = loop()
    assert type(ref) is gm.AtomRef
    value = storage.unwrap(ref)
    assert value[1] is value


def test_large_collections_are_not_listed(
    storage: gm.Storage, monkeypatch: pytest.MonkeyPatch
) -> None:
    for module in (items, sys.modules["gitmemo.memo.items"]):
        monkeypatch.setattr(module, "MOST_ITEMS", 50)
    with storage:
        for _ in range(2):
            made = many(60)
            assert isinstance(made, gm.ListRef)
            assert len(made) == 60
            assert made[59].unwrap() == 59
            by_name = named(60)
            assert by_name["59"].unwrap() == 59
        assert storage.unwrap(increment(made[10])) == 11
        refs = [increment(n) for n in range(60)]
        assert storage.unwrap(average(refs)) == 30.5
        assert storage.unwrap(average(refs)) == 30.5
    assert [run for run in RUNS if run[0] == "average"] == [("average", list(range(1, 61)))]
    assert maker(storage, made[10]) is None


@gm.op
def many(n) -> list[int]:
    return list(range(n))


@gm.op
def named(n) -> dict[str, int]:
    return {str(i): i for i in range(n)}


def test_ops_inside_ops_get_plain_values(storage: gm.Storage) -> None:
    @gm.op
    def outer() -> list[int]:
        made: Any = many(3)
        assert type(made) is list
        return [*made, increment(made[2])]

    with storage:
        assert storage.unwrap(outer()) == [0, 1, 2, 3]
        assert storage.unwrap(many(3)) == [0, 1, 2]
    with storage:
        assert storage.unwrap(outer()) == [0, 1, 2, 3]


def test_a_returned_ref_is_its_value(storage: gm.Storage) -> None:
    held = gm.wrap([1, 2])

    @gm.op
    def hand_over() -> list[Any]:
        return [held, {"a": [gm.wrap(3)]}]

    with storage:
        assert storage.unwrap(hand_over()) == [[1, 2], {"a": [3]}]
        assert hand_over().cid == content_hash([[1, 2], {"a": [3]}])


def test_attach_loads_collections(storage: gm.Storage) -> None:
    with storage:
        arrays(2)
        made = arrays(2)
    assert not made.in_memory
    assert storage.attach({"a": [made]})["a"][0].in_memory
    assert not made.in_memory
    storage.attach([made], inplace=True)
    assert made.in_memory
    assert made[0].hid == arrays_again(storage)[0].hid


def arrays_again(storage: gm.Storage) -> Any:
    with storage:
        return arrays(2)


def test_wrap_maps_over_lists_sets_and_tuples(storage: gm.Storage) -> None:
    wrapped = gm.wrap([1, (2, Pair(3, {4}))])
    assert gm.unwrap(wrapped) == [1, (2, Pair(3, {4}))]
    assert type(wrapped[1][1]) is Pair
    assert type(wrapped[1][1].b) is set
    with storage:
        assert storage.unwrap(average(gm.wrap([1, 3]))) == 2.0
        assert average([1, 3]).hid == average(gm.wrap([1, 3])).hid


# --- refs are not values -----------------------------------------------------------------

USES: dict[str, Callable[[Any], object]] = {
    "==": lambda r: r == r,
    "!=": lambda r: r != 1,
    "<": lambda r: r < 1,
    ">=": lambda r: r <= 1,
    "+": lambda r: r + 1,
    "reflected +": lambda r: 1 + r,
    "list +": lambda r: [1] + r,  # noqa: RUF005
    "//": lambda r: 3 // r,
    "%": lambda r: r % 2,
    "divmod": lambda r: divmod(7, r),
    "**": lambda r: 2**r,
    "@": lambda r: r @ r,
    "<<": lambda r: r << 1,
    "|": lambda r: r | {},
    "&": lambda r: 1 & r,
    "~": lambda r: ~r,
    "-": lambda r: -r,
    "abs": abs,
    "int": int,
    "float": float,
    "complex": complex,
    "round": round,
    "index": lambda r: [1, 2][r],
    "call": lambda r: r(),
    "format": lambda r: f"{r:.2f}",
    "array": np.asarray,
    "ufunc": lambda r: np.add(r, 1),
    "array +": lambda r: np.ones(3) + r,
    "array function": lambda r: np.stack([r]),
    "in place": lambda r: _added(1, r),
    "setitem": lambda r: r.__setitem__(0, 1),
}
OF_ATOMS: dict[str, Callable[[Any], object]] = {
    "bool": bool,
    "iterate": list,
    "unpack": lambda r: [*r],
    "getitem": lambda r: r[0],
    "len": len,
    "in": lambda r: 1 in r,
    "reversed": reversed,
    "in a list": lambda r: r in [gm.wrap(1)],
}


def _added(number, ref):
    number += ref
    return number


@pytest.mark.parametrize("use", USES)
def test_no_ref_is_taken_for_its_value(storage: gm.Storage, use: str) -> None:
    with storage:
        for ref in (increment(1), many(2), named(2), gm.wrap(2)):
            with pytest.raises(RefMisuse, match="a ref is not its value") as caught:
                USES[use](ref)
            assert "unwrap" in caught.value.remedy()


@pytest.mark.parametrize("use", OF_ATOMS)
def test_nobody_looks_inside_an_atom(use: str) -> None:
    with pytest.raises(RefMisuse):
        OF_ATOMS[use](gm.wrap(2))


def test_what_refs_can_do(storage: gm.Storage) -> None:
    with storage:
        one, again, other = increment(1), increment(1), many(0)
    assert one in [one]
    assert one.same_as(again)
    assert hash(one) == hash(again)
    assert {one: 1}[one] == 1
    assert f"{one}" == str(one) == repr(one)
    assert not other, "an empty collection is false"
    assert pickle.loads(pickle.dumps(one)).unwrap() == 2
    with pytest.raises(AttributeError, match="unwrap"):
        one.shape  # noqa: B018
    with pytest.raises(AttributeError, match="unwrap"):
        other.append(1)
    with pytest.raises(RefMisuse, match="look for"):
        1 in many_of(storage)  # noqa: B015


def many_of(storage: gm.Storage) -> Any:
    with storage:
        return many(2)


# --- any nesting ----------------------------------------------------------------------

SCALARS = st.one_of(
    st.none(), st.booleans(), st.integers(-3, 3), st.floats(allow_nan=False, width=16), st.text(max_size=3),
    st.binary(max_size=3), st.just("long" * 100),
)  # fmt: skip
HASHABLE = st.recursive(SCALARS, lambda inner: st.tuples(inner, inner), max_leaves=3)
TEXTS = st.text(max_size=2) | st.binary(max_size=80) | st.tuples(st.text(max_size=1), st.none())
ARRAYS = st.integers(1, 3).flatmap(
    lambda n: st.sampled_from([np.arange(n), np.full((40, 20), n), np.float64(n), np.zeros((n, 0))])
)


@dataclass(frozen=True)
class Made:
    """A value that a call of the program returned."""

    value: Any


LEAVES = SCALARS | ARRAYS | (HASHABLE | ARRAYS).map(Made)
NESTED = st.recursive(
    LEAVES,
    lambda inner: st.one_of(
        st.lists(inner, max_size=4),
        st.lists(inner, max_size=3).map(tuple),
        st.dictionaries(HASHABLE, inner, max_size=3),
        # Of equal keys of different types (1, True) it is chance which one a set keeps.
        st.dictionaries(TEXTS | TEXTS.map(Made), inner, max_size=3),
        st.sets(TEXTS | TEXTS.map(Made), max_size=3),
    ),
    max_leaves=12,
)


def mapped(value: Any, change: Callable[[Made], Any]) -> Any:
    if isinstance(value, Made):
        return change(value)
    if isinstance(value, dict):
        return {mapped(k, change): mapped(v, change) for k, v in value.items()}
    if isinstance(value, list | tuple | set):
        return type(value)(mapped(one, change) for one in value)
    return value


@settings(suppress_health_check=[HealthCheck.too_slow])
@given(NESTED, st.booleans())
def test_any_nesting_is_hashed_stored_and_traced(value: Any, annotated: bool) -> None:
    storage, made = gm.Storage(), []
    RUNS.clear()

    def produce(value):
        return value

    def consume(value):
        RUNS.append(value)
        return value

    shape = list[dict[Any, list]] | dict[Any, list[list]] | gm.MTuple[list, ...] | set
    if annotated:
        consume.__annotations__ = {"value": shape, "return": shape}
    source, sink = gm.op(name="source", nout=1)(produce), gm.op(name="sink", nout=1)(consume)

    def ref_to(one: Made) -> gm.Ref[Any]:
        made.append(source(one.value))
        return made[-1]

    plain = mapped(value, lambda one: one.value)
    with storage:
        result = sink(mapped(value, ref_to))
        again = sink(mapped(value, ref_to))
    assert result.cid == again.cid == content_hash(plain)
    assert result.hid == again.hid
    assert len(RUNS) == 1
    assert content_hash(RUNS[0]) == content_hash(plain)
    for back in (storage.unwrap(result), storage.unwrap(again)):
        assert type(back) is type(plain)
        assert content_hash(back) == content_hash(plain)
    call = storage.get_ref_creator(result)
    assert call is not None
    for ref in made:
        assert storage.get_ref_creator(ref) is not None
    calls = storage.cf("sink").expand_back().calls
    assert {one.hid for one in calls if one.op == "source"} == {
        storage.world.creator(ref._hid).hid
        for ref in made  # type: ignore[union-attr]
    }
    for held in everything(result):
        assert storage.load_ref(held.hid).cid == held.cid
        assert maker(storage, held) == "sink"
        assert content_hash(held.unwrap()) == held.cid
    storage.close()


def everything(ref: Any) -> Iterator[gm.Ref[Any]]:
    yield ref
    if isinstance(ref, refs.CollectionRef):
        for inner in ref.values() if isinstance(ref, gm.DictRef) else ref:
            yield from everything(inner)


# --- other processes ------------------------------------------------------------------

PROGRAM = """\
import sys
import numpy as np
import gitmemo as gm

@gm.op
def load(n) -> list[np.ndarray]:
    print("load")
    return [np.full((50, 50), i) for i in range(n)]

@gm.op
def total(parts: dict):
    print("total")
    return {key: [one.sum() for one in group] for key, group in parts.items()}

storage = gm.Storage(db_path=sys.argv[1])
with storage:
    made = load(4)
    result = total({"even": made[::2], ("odd", 1): made[1::2]})
print(storage.unwrap(result)[("odd", 1)][1], len(made), made[3].unwrap()[0, 0])
print(len(storage.cf(total).expand_back()))
"""


def test_a_storage_is_opened_in_another_process(tmp_path: Path) -> None:
    program = tmp_path / "program.py"
    program.write_text(PROGRAM)
    outputs = [
        subprocess.run(
            [sys.executable, program, tmp_path / "s.db"], capture_output=True, text=True, check=True
        ).stdout.split("\n")
        for _ in range(2)
    ]
    assert outputs[0] == ["load", "total", "7500 4 3", "2", ""]
    assert outputs[1] == ["7500 4 3", "2", ""]


def test_the_examples_of_the_documentation_run() -> None:
    document = Path(__file__).parents[2] / "docs/collections.md"
    if not document.is_file():
        pytest.skip("the documents are not beside the tests")
    blocks = re.findall(r"```python\n(.*?)```", document.read_text("utf-8"), re.DOTALL)
    assert len(blocks) >= 3
    exec("\n".join(blocks), {"__name__": "examples"})


def test_histories_of_sets_do_not_depend_on_the_hash_seed(tmp_path: Path) -> None:
    script = tmp_path / "sets.py"
    script.write_text(
        "import gitmemo as gm\n"
        "f, g = gm.op(lambda x: x * 10, name='f'), gm.op(lambda s: sum(s), name='g')\n"
        "with gm.Storage():\n"
        "    print(g({f(1), f(2), f(3), f(4)}).hid)\n"
    )
    said = {
        subprocess.run(
            [sys.executable, script],
            env=os.environ | {"PYTHONHASHSEED": str(seed)},
            capture_output=True,
            text=True,
            check=True,
        ).stdout
        for seed in (1, 2, 3)
    }
    assert len(said) == 1
