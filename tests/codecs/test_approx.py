"""Rounding that decides which numbers are one argument."""

from __future__ import annotations

import decimal
import pickle

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from gitmemo.approx import MAX_NUMBERS, Approx
from gitmemo.errors import ApproxTooLarge, ApproxUnsupported
from gitmemo.hashing import content_id

SIX = Approx(decimals=6)


@pytest.mark.parametrize(
    ("value", "near"),
    [
        (0.1 + 0.2, 0.3),
        (-1e-9, 0.0),
        (1 + 1e-9j, 1 + 0j),
        (np.float64(0.1) + np.float64(0.2), np.float64(0.3)),
        (np.float32(1.0000002), np.float32(1)),
        (np.array([0.1 + 0.2, -1e-12]), np.array([0.3, 0.0])),
        ([0.1 + 0.2, {"k": (0.30000000001,)}], [0.3, {"k": (0.3,)}]),
        ({0.1 + 0.2}, {0.3}),
        (np.complex128(1e-9j), np.complex128(0)),
    ],
)
def test_nearly_equal_numbers_are_one(value, near):
    assert content_id(value) != content_id(near)
    assert content_id(SIX.rounded(value)) == content_id(SIX.rounded(near))
    assert type(SIX.rounded(value)) is type(value)


@pytest.mark.parametrize(
    "value",
    [
        5,
        True,
        None,
        np.int64(7),
        np.array([True]),
        np.arange(5000),
        float("inf"),
        [1, {"a": None}],
        1e305,
        np.float64(1e305),
        np.array([1e305, np.inf]),
    ],
)
def test_what_has_no_decimals_stays(value):
    assert content_id(SIX.rounded(value)) == content_id(value)


def test_types_still_count():
    assert len({content_id(SIX.rounded(one)) for one in (1, 1.0, True, np.float64(1))}) == 4


def test_negative_decimals_round_whole_numbers():
    hundreds = Approx(decimals=-2)
    assert hundreds.rounded([1234, 1234.0, True]) == [1200, 1200.0, True]
    assert hundreds.rounded(np.array([1234])).tolist() == [1200]


def test_an_edge_still_divides():
    below, above = Approx(decimals=0).rounded(0.49999999), Approx(decimals=0).rounded(0.50000001)
    assert content_id(below) != content_id(above)


@given(st.floats() | st.complex_numbers() | st.lists(st.floats(), max_size=5))
def test_rounding_twice_is_rounding_once(value):
    once = SIX.rounded(value)
    assert content_id(SIX.rounded(once)) == content_id(once)


@pytest.mark.parametrize(
    ("value", "name", "path"),
    [
        ("text", "builtins.str", ""),
        (decimal.Decimal(1), "decimal.Decimal", ""),
        ([1.0, {"a": b"x"}], "builtins.bytes", "[1]['a']"),
        (np.array(["a"]), "numpy.ndarray", ""),
        (np.array([None]), "numpy.ndarray", ""),
    ],
)
def test_anything_else_is_refused_by_name(value, name, path):
    with pytest.raises(ApproxUnsupported, match=r"fix: ") as caught:
        SIX.rounded(value)
    assert (caught.value.type_name, caught.value.path) == (name, path)
    assert pickle.loads(pickle.dumps(caught.value)).path == path


def test_loops_end():
    loop: list = []
    loop.append(loop)
    with pytest.raises(ApproxUnsupported, match="deeply"):
        SIX.rounded(loop)


@pytest.mark.parametrize(
    "value", [np.zeros(MAX_NUMBERS + 1), [0.5] * (MAX_NUMBERS + 1), [np.zeros(600), np.zeros(600)]]
)
def test_many_numbers_need_another_way(value):
    with pytest.raises(ApproxTooLarge, match="the ref that the op returns"):
        SIX.rounded(value)
    assert SIX.rounded(np.zeros(MAX_NUMBERS)).size == MAX_NUMBERS


def test_it_is_a_value():
    assert Approx(decimals=6) == SIX
    assert hash(Approx(decimals=6)) == hash(SIX)
    for wrong in (1.5, True, "6", 10**6):
        with pytest.raises(TypeError):
            Approx(decimals=wrong)
