"""A guard that says that nothing changed is right, however large the value and whatever is installed."""

from __future__ import annotations

import decimal
import hashlib
import sys
import uuid
from collections.abc import Callable
from pathlib import Path
from types import ModuleType
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from gitmemo.hashing import content_id
from gitmemo.tracing import guards
from gitmemo.tracing.guards import guard_for

Change = Callable[[Any], object]


@pytest.fixture(params=["with xxhash", "without"])
def detector(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> None:
    quick = None
    if request.param == "with xxhash":
        quick = lambda data: hashlib.md5(data).digest()  # noqa: E731  stands in for it
    monkeypatch.setattr(guards, "_quick_hash", lambda: quick)


def put(index: Any, value: object) -> Change:
    def change(held: Any) -> None:
        held[index] = value

    return change


def thaw_and_freeze(array: Any) -> None:
    array.flags.writeable = True
    array[-1] = 7
    array.flags.writeable = False


def frozen() -> Any:
    array = np.zeros(20_000)
    array.flags.writeable = False
    return array


def exchange_shape(array: Any) -> None:
    array.resize(array.shape[::-1], refcheck=False)


CHANGES: list[tuple[str, Callable[[], Any], Change]] = [
    ("small array", lambda: np.zeros(3), put(1, 1)),
    ("negative zero", lambda: np.zeros(3), put(1, -0.0)),
    ("array without dimensions", lambda: np.array(3.0), put((), 4)),
    ("large array", lambda: np.zeros(200_000), put(-1, 1)),
    ("array in Fortran's order", lambda: np.zeros((200, 300), order="F"), put((3, 5), 1)),
    ("array with gaps", lambda: np.zeros((200, 300))[:, ::2], put((3, 5), 1)),
    ("array read backwards", lambda: np.zeros(20_000)[::-1], put(0, 1)),
    ("repeated array", lambda: np.zeros((20_000, 2)).T, put((1, 4), 1)),
    ("records", lambda: np.zeros(20_000, dtype=[("a", "i1"), ("b", "f8")]), put(5, (1, 2))),
    ("dates", lambda: np.zeros(20_000, dtype="M8[s]"), put(5, 9)),
    ("read-only array", frozen, thaw_and_freeze),
    ("shape", lambda: np.zeros((100, 300)), exchange_shape),
    ("long list", lambda: list(range(50_000)), put(49_999, 0)),
    ("number to truth", lambda: [1] * 50_000, put(3, True)),
    ("number to float", lambda: [1] * 50_000, put(3, 1.0)),
    ("number to a scalar of numpy", lambda: [1] * 50_000, put(3, np.int64(1))),
    ("list in a list", lambda: [[n] for n in range(20_000)], lambda held: held[7].append(1)),
    ("dict in a dict", lambda: {n: {"a": n} for n in range(20_000)}, lambda h: h[7].update(a=0)),
    ("order of a dict", lambda: {n: n for n in range(20_000)}, lambda h: h.update({0: h.pop(0)})),
    ("bytes in a long list", lambda: [b"x"] * 50_000, put(3, b"y")),
    ("set", lambda: set(range(20_000)), lambda held: held.add(-1)),
]


@pytest.mark.usefixtures("detector")
@pytest.mark.parametrize(
    ("make", "change"), [pytest.param(make, change, id=name) for name, make, change in CHANGES]
)
def test_a_change_is_noticed(make: Callable[[], Any], change: Change) -> None:
    value = make()
    guard = guard_for(value, lambda: content_id(value))
    assert guard is not None
    assert guard()
    assert guard()
    change(value)
    assert not guard()


scalars = st.none() | st.booleans() | st.integers() | st.floats() | st.text() | st.binary()
plain = st.recursive(
    scalars, lambda inner: st.lists(inner) | st.dictionaries(st.text(max_size=3), inner)
)


@given(st.lists(plain, min_size=1), plain, st.data())
def test_a_guard_that_is_content_is_right(held: list[Any], new: Any, data: st.DataObject) -> None:
    guard = guard_for(held, lambda: content_id(held))
    assert guard is not None
    before = content_id(held)
    held[data.draw(st.integers(0, len(held) - 1))] = new
    if guard():
        assert content_id(held) == before


def test_a_module_of_the_project_is_not_taken_for_the_one_of_python(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    assert guards.is_immutable(decimal.Decimal(1)) and guards.is_immutable(uuid.UUID(int=1))
    own = ModuleType("uuid")
    own.__file__ = str(tmp_path / "uuid.py")
    exec("class UUID:\n    n = 1\n", vars(own))
    monkeypatch.setitem(sys.modules, "uuid", own)
    assert not guards.is_immutable(own.UUID())
