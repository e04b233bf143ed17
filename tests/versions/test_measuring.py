"""How far two values are apart, as a diff of two worlds says it."""

from __future__ import annotations

import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from gitmemo.memo.measuring import distance

finite = st.floats(-1e100, 1e100) | st.integers(-(10**12), 10**12)


@given(finite, finite)
def test_numbers_are_apart_by_their_difference(old: float, new: float) -> None:
    found = distance(old, new)
    assert found.absolute == float(new) - float(old)
    if old:
        assert found.relative == pytest.approx((float(new) - float(old)) / abs(old))
    else:
        assert found.relative is None


@given(st.lists(st.floats(-1e6, 1e6), min_size=1, max_size=20), st.data())
def test_arrays_are_apart_by_the_greatest_difference(old: list[float], data: st.DataObject) -> None:
    new = data.draw(st.lists(st.floats(-1e6, 1e6), min_size=len(old), max_size=len(old)))
    found = distance(np.array(old), np.array(new))
    assert found.absolute == max(abs(a - b) for a, b in zip(old, new, strict=True))
    assert found.shapes == ((len(old),), (len(old),))


@pytest.mark.parametrize(
    ("old", "new", "said"),
    [
        (np.zeros(3), np.zeros((3, 1)), "shape (3,) -> (3, 1)"),
        (np.zeros(2), np.zeros(2, "f4"), "dtype float64 -> float32"),
        (np.array([1.0, 2]), np.array([1.0, math.nan]), "NaN in one of them at 1 places"),
        (np.zeros(0), np.zeros(0, int), "shape (0,)"),
        (np.float64(1), np.float32(3), "+2, +200 %"),
        (np.array([1j]), np.array([4 + 5j]), "at most by"),
        (True, False, "was True, is False"),
        ("a", "b", "was 'a', is 'b'"),
        ([1, 2], [1, 3], "at [1]: was 2, is 3"),
        (10**400, 1, "is 1"),
    ],
)
def test_what_is_no_pair_of_numbers_is_described(old: object, new: object, said: str) -> None:
    found = distance(old, new)
    assert said in str(found)
    assert all(v is None or v == v for v in found.as_dict().values())


def test_what_json_cannot_say_is_left_out() -> None:
    assert distance(1.0, math.inf).as_dict()["absolute"] is None
    assert str(distance(1.0, math.inf)) == "+inf"
