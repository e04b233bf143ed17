"""Small values that records hold themselves."""

from __future__ import annotations

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gitmemo.codecs import Inline, from_inline, inline, json_text
from gitmemo.hashing import content_id

plain = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(st.characters()),
    lambda inner: st.lists(inner) | st.dictionaries(st.text(), inner),
)


@given(plain)
def test_inline_values_survive_a_record(value):
    made = inline(value)
    if made is not None:
        line = json_text([made.json])
        assert len(line.encode()) <= 258
        assert content_id(from_inline(json.loads(line)[0])) == content_id(value)


@pytest.mark.parametrize(
    "value", [None, True, 0, -0.0, 10**200, 0.1, "é", [], {"a": [1]}, "x" * 254]
)
def test_small(value):
    made = inline(value)
    assert made is not None
    assert content_id(from_inline(made.json)) == content_id(value)


@pytest.mark.parametrize(
    "value",
    [
        (1,),
        {1: 2},
        b"x",
        float("nan"),
        [float("inf")],
        "\ud800",
        ["\ud800"],
        "x" * 255,
        "é" * 128,
        list(range(200)),
        10**1000,
        {"a": "x" * 300},
    ],
)
def test_not_inline(value):
    assert inline(value) is None


def test_nothing_is_shared():
    value = {"a": [1]}
    made = inline(value)
    assert isinstance(made, Inline)
    value["a"].append(2)
    again = from_inline(made.json)
    again["a"].append(3)
    assert from_inline(made.json) == {"a": [1]}


def test_loops_are_not_inline():
    loop: list = []
    loop.append(loop)
    assert inline(loop) is None
