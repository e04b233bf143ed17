"""Short cuts never lead elsewhere than look-ups: fingerprints, and reading ahead."""

from __future__ import annotations

import pickle
import random
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

import gitmemo as gm
from gitmemo.codecs.fingerprint import fingerprint
from gitmemo.hashing import content_id

RUNS: list[object] = []


@gm.op
def double(x):
    RUNS.append(x)
    return 2 * x


@gm.op
def size(x):
    RUNS.append(x)
    return len(x)


_ATOMS = st.one_of(
    st.none(), st.booleans(), st.integers(-2, 2), st.sampled_from([0.0, -0.0, 1.0, 2.0]),
    st.sampled_from(["", "a", "1"]), st.sampled_from([b"", b"a", b"1"]),
)  # fmt: skip
_PLAIN = st.recursive(
    _ATOMS,
    lambda inner: st.one_of(
        st.lists(inner, max_size=2),
        st.lists(inner, max_size=2).map(tuple),
        st.dictionaries(st.sampled_from(["a", "b", 1, True, 1.0]), inner, max_size=2),
        st.frozensets(_ATOMS, max_size=2),
    ),
    max_leaves=4,
)


@given(_PLAIN, _PLAIN)
def test_equal_fingerprints_mean_equal_contents(one: object, other: object) -> None:
    if fingerprint(one) == fingerprint(other):
        assert content_id(one) == content_id(other)


class Sub(dict):
    pass


@pytest.mark.parametrize("value", [Sub(), [Sub()], [Path], [object()], [1j], ["x" * 20_000]])
def test_what_is_not_small_and_plain_has_no_fingerprint(value: object) -> None:
    assert fingerprint(value) is None


def test_a_container_that_changed_is_another_argument(tmp_path: Path) -> None:
    RUNS.clear()
    with gm.Storage(tmp_path / "r.db") as storage:
        items = {"a": [1]}
        assert storage.unwrap(size(items)) == 1
        items["b"] = [2]
        assert storage.unwrap(size(items)) == 2
        assert storage.unwrap(size({"a": [1]})) == 1
        assert storage.unwrap(size({"a": [True], "b": [2]})) == 2
    assert len(RUNS) == 3


def test_a_buffer_is_not_its_bytes(tmp_path: Path) -> None:
    assert fingerprint([pickle.PickleBuffer(b"x")]) is None
    with gm.Storage(tmp_path / "r.db") as storage:
        assert storage.unwrap(size([b"x"])) == 1
        with pytest.raises(gm.errors.Unhashable):
            size([pickle.PickleBuffer(b"x")])


@gm.op
def count_keys(items: dict[Any, int], rest: int = 0):
    RUNS.append(items)
    return len(items) + rest


def test_a_deep_key_of_an_annotated_dict(tmp_path: Path) -> None:
    RUNS.clear()
    key: Any = ()
    for _ in range(400):
        key = (key,)
    with gm.Storage(tmp_path / "r.db") as storage:
        assert [storage.unwrap(count_keys({key: 1})) for _ in range(2)] == [1, 1]
    with gm.Storage(tmp_path / "r.db") as storage:
        assert storage.unwrap(count_keys({key: 1})) == 1
    assert len(RUNS) == 1


@pytest.mark.parametrize("order", ["as recorded", "backwards", "shuffled", "every third"])
def test_any_order_of_calls_finds_the_same(tmp_path: Path, order: str) -> None:
    with gm.Storage(tmp_path / "r.db") as storage:
        stored = [(double(n).hid, double(n / 2).hid, double(double(n)).hid) for n in range(100)]
        storage.close()
    numbers = list(range(100))
    if order == "backwards":
        numbers.reverse()
    elif order == "shuffled":
        random.Random(0).shuffle(numbers)
    elif order == "every third":
        numbers = numbers[::3]
    RUNS.clear()
    with gm.Storage(tmp_path / "r.db") as storage:
        for n in numbers:
            refs = double(n), double(n / 2), double(double(n))
            assert tuple(ref.hid for ref in refs) == stored[n]
            assert storage.unwrap(refs) == (2 * n, n, 4 * n)
    assert RUNS == []


def test_more_calls_than_are_kept_in_memory(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("gitmemo.memo.caller._MOST_SHORT_CUTS", 10)
    with gm.Storage(tmp_path / "r.db") as storage:
        for _ in range(3):
            for n in range(50):
                assert storage.unwrap(double(n)) == 2 * n
        assert storage.counter.computed == 50
        assert len(storage._caller._hits) <= 11


def test_reading_ahead_does_not_mix_arguments_whose_order_changed(tmp_path: Path) -> None:
    def minus(a: int, b: int) -> int:
        return a - b

    def turned(b: int, a: int) -> int:
        return a - b

    before, after = gm.op(name="minus")(minus), gm.op(name="minus")(turned)
    with gm.Storage(db_path=tmp_path / "s.db"):
        for number in range(40):
            before(number, number + 1)
    storage = gm.Storage(db_path=tmp_path / "s.db")
    with storage:
        for number in range(20):
            assert storage.unwrap(after(number + 1, number)) == -1
        assert storage.unwrap(after(25, 26)) == 1
    assert storage.counter.reused == 20
