"""Refs inside containers of any shape: deep, shared, cyclic."""

from __future__ import annotations

import time
from collections import Counter, OrderedDict, defaultdict
from typing import NamedTuple

import pytest

import gitmemo as gm
from gitmemo.errors import GitmemoError, Unhashable
from gitmemo.ref import holds_refs, unwrap_all

DEPTH = 50_000


class Pair(NamedTuple):
    a: object
    b: object


def deep(inside):
    for _ in range(DEPTH):
        inside = [inside]
    return inside


def test_types_and_parts_without_refs_are_kept():
    ref, same = gm.wrap(5), [1, 2]
    value = {
        "pair": Pair(ref, same),
        "set": {1, ref},
        "default": defaultdict(list, x=ref),
        "ordered": OrderedDict(b=ref, a=1),
        ref: (ref, frozenset({ref})),
        "same": same,
        "counter": Counter("aab"),
    }
    again = unwrap_all(value)
    assert holds_refs(value)
    assert not holds_refs(again)
    assert again == {
        "pair": Pair(5, same),
        "set": {1, 5},
        "default": {"x": 5},
        "ordered": OrderedDict(b=5, a=1),
        5: (5, frozenset({5})),
        "same": same,
        "counter": Counter("aab"),
    }
    assert again["default"].default_factory is list
    assert type(again["pair"]) is Pair
    assert again["same"] is same
    assert again["counter"] is value["counter"]


@pytest.mark.parametrize("key", ["k", gm.wrap("k")])
@pytest.mark.parametrize("value", [1, [1], gm.wrap(1), [gm.wrap(1)], (gm.wrap(1), [2])])
def test_dicts_keep_keys_with_values(key, value):
    plain = {1: [1], (2,): [1], (1,): (1, [2])}
    again = unwrap_all({key: value, (0, 1): 3})
    assert list(again) == ["k", (0, 1)]
    assert again["k"] in (1, *plain.values())
    assert again[0, 1] == 3


def test_deep_containers():
    value = deep(1)
    assert not holds_refs(value)
    assert unwrap_all(value) is value
    value = deep(gm.wrap(7))
    assert holds_refs(value)
    again = unwrap_all(value)
    for _ in range(DEPTH):
        (again,) = again
    assert again == 7


@pytest.mark.parametrize(("inside", "held"), [(1, False), (gm.wrap(1), True)])
def test_shared_parts_are_seen_once_and_stay_shared(inside, held):
    tower = [inside]
    for _ in range(200):
        tower = [tower, tower]
    assert holds_refs(tower) is held
    again = unwrap_all(tower)
    for _ in range(200):
        assert again[0] is again[1]
        again = again[0]
    assert again == [1]


def test_values_of_a_ref_are_not_shared():
    ref = gm.wrap_atom([1])
    first, second = unwrap_all([ref, ref])
    assert first == second == [1]
    assert first is not second


def test_loops_without_refs_are_returned_as_they_are():
    loop: list = [1]
    loop.append({"again": loop})
    assert not holds_refs(loop)
    assert unwrap_all(loop) is loop
    again = unwrap_all([gm.wrap(1), loop])
    assert again[0] == 1
    assert again[1] is loop


def test_loops_with_refs_are_refused():
    loop: list = [gm.wrap(1)]
    loop.append({"again": (0, loop)})
    assert holds_refs(loop)
    with pytest.raises(Unhashable, match="inside itself and holds refs") as caught:
        unwrap_all(loop)
    assert caught.value.path == "[1]['again'][1]"
    assert isinstance(caught.value, GitmemoError)


@pytest.mark.parametrize("value", [list(range(100_000)), {n: str(n) for n in range(100_000)}])
def test_flat_containers_are_quick(value):
    best = min(_seconds(value) for _ in range(5))
    assert best < 0.05


def _seconds(value) -> float:
    started = time.perf_counter()
    assert unwrap_all(value) is value
    return time.perf_counter() - started
