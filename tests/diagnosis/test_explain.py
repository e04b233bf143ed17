"""Why a call would be reused or computed, in a program."""

from __future__ import annotations

import time
from pathlib import Path
from types import ModuleType
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

import gitmemo as gm
from gitmemo.errors import Unhashable, WrongArguments
from gitmemo.memo.explanation import CacheStatus, CodeState

RUNS: list[Any] = []


@gm.op
def train(data, rate=1, options=None):
    RUNS.append(rate)
    return rate


@pytest.fixture(params=["memory", "file"])
def storage(request: pytest.FixtureRequest, tmp_path: Path) -> gm.Storage:
    RUNS.clear()
    storage = gm.Storage() if request.param == "memory" else gm.Storage(db_path=tmp_path / "s.db")
    with storage:
        train([1, 2], rate=1, options={"a": 1, "b": 2})
        train([1, 2], rate=3, options={"a": 1, "b": 2})
        train([9], rate=3)
    RUNS.clear()
    return storage


def test_a_stored_call_is_a_hit(storage: gm.Storage) -> None:
    found = storage.explain(train, [1, 2], 1, {"a": 1, "b": 2})
    assert found.status is CacheStatus.HIT
    assert found.equal == 3
    assert found.differences == found.changed == found.remedies == ()
    assert "would be reused" in str(found)


def test_nothing_is_run_or_recorded(storage: gm.Storage) -> None:
    before = storage.world.index.newest() if hasattr(storage.world.index, "newest") else None
    counter = repr(storage.counter)
    storage.explain(train, [5], 7)
    storage.explain(train, [1, 2], 1, {"a": 1, "b": 2})
    with storage:
        storage.explain(train, [5], 8)
    assert RUNS == []
    assert repr(storage.counter) == counter
    if before is not None:
        assert storage.world.index.newest() == before


@pytest.mark.parametrize(
    ("change", "how"),
    [
        ({"rate": 1.0}, "same value, other type: was int 1, is float 1.0"),
        ({"rate": True}, "same value, other type: was int 1, is bool True"),
        ({"options": {"b": 2, "a": 1}}, "only the order of the dict differs"),
        ({"options": {"a": 1, "b": 2.0}}, "at ['b']: same value, other type"),
        ({"data": (1, 2)}, "was [1, 2] (list), is (1, 2) (tuple)"),
        ({"rate": 2}, ""),
    ],
)
def test_the_argument_that_differs_is_named(
    storage: gm.Storage, change: dict[str, Any], how: str
) -> None:
    given = {"data": [1, 2], "rate": 1, "options": {"a": 1, "b": 2}} | change
    found = storage.explain(train, **given)
    assert found.status is CacheStatus.NEW_INPUTS
    (difference,) = found.differences
    assert difference.name == next(iter(change))
    assert difference.how.startswith(how)
    assert bool(difference.how) == bool(how) or difference.name == "data"
    assert found.equal == 2
    assert difference.name in found.remedies[0]
    assert "not stored with these inputs" in str(found)
    with storage:  # what it says is what happens
        train(**given)
    assert len(RUNS) == 1


def test_signed_zeros_are_told_apart() -> None:
    storage = gm.Storage()
    with storage:
        train([1], rate=0.0)
    (difference,) = storage.explain(train, [1], rate=-0.0).differences
    assert "was 0.0, is -0.0: equal numbers" in str(difference)


def test_arrays_and_refs_are_compared() -> None:
    storage = gm.Storage()
    made = gm.op(name="made")(lambda n: np.arange(n))
    with storage:
        train(np.arange(100_000.0))
    (difference,) = storage.explain(train, np.arange(100_000.0) + 1e-9).differences
    assert "elements differ, at most by 1e-09" in difference.how
    storage = gm.Storage()
    with storage:
        train(made(3))
        ref = made(4)
    (difference,) = storage.explain(train, ref).differences
    assert difference.how == "the shape was (3,), is (4,)"


def test_the_nearest_call_has_the_most_equal_arguments(storage: gm.Storage) -> None:
    found = storage.explain(train, [9], 1)
    assert [d.name for d in found.differences] == ["rate"]
    assert [d.stored for d in found.differences] == ["3"]
    assert found.nearest == storage.explain(train, [9], 1).nearest


def test_no_call_and_another_version() -> None:
    storage = gm.Storage()
    assert storage.explain(train, 1).status is CacheStatus.NOT_STORED
    with storage:
        gm.op(name="f", version=1)(lambda x: x)(1)
    found = storage.explain(gm.op(name="f", version=2)(lambda x: x), 1)
    assert found.status is CacheStatus.OTHER_VERSION
    assert found.remedies == ("set @op(version=1)",)


def test_arguments_that_came_or_went() -> None:
    storage = gm.Storage()
    with storage:
        gm.op(name="f")(lambda x, old=1: x)(1)
    found = storage.explain(gm.op(name="f")(lambda x, new=1: x), 1)
    assert {(d.name, d.stored, d.given) for d in found.differences} == {
        ("new", None, "1"),
        ("old", "1", None),
    }
    assert "no such argument" in str(found)


def test_secrets_are_not_shown() -> None:
    storage = gm.Storage()
    login = gm.op(name="login")(lambda user, password: 1)
    with storage:
        login("ada", "hunter2-hunter2")
    text = str(storage.explain(login, "ada", "swordfish-1234"))
    assert "swordfish" not in text
    assert "hunter2" not in text
    assert "password" in text
    text = repr(storage.explain(login, "ada", {"token": "swordfish-1234"}))
    assert "swordfish" not in text


def test_ignored_arguments_do_not_matter() -> None:
    storage = gm.Storage()
    run = gm.op(name="run", ignore_args=["jobs"])(lambda x, jobs=1: x)
    with storage:
        run(1, jobs=1)
    found = storage.explain(run, 1, jobs=8)
    assert found.status is CacheStatus.HIT
    assert "jobs" not in found.inputs


def test_methods() -> None:
    class Model:
        @gm.op(name="Model.fit")
        def fit(self, x):
            return x

    storage = gm.Storage()
    with storage:
        Model().fit(1)
    assert storage.explain(Model().fit, 1).status is CacheStatus.HIT
    assert [d.name for d in storage.explain(Model().fit, 2).differences] == ["x"]


def test_bad_arguments_are_the_errors_of_the_call(storage: gm.Storage) -> None:
    with pytest.raises(TypeError):
        storage.explain(train)
    with pytest.raises(Unhashable, match="argument 'data' of"):
        storage.explain(train, (n for n in range(3)))


def test_some_arguments_are_enough(storage: gm.Storage) -> None:
    found, taken = storage.explain_some(train, {"rate": 3})
    assert taken == ("data",)
    assert found.status in (CacheStatus.HIT, CacheStatus.NEW_INPUTS)
    found, taken = storage.explain_some(train, {"data": [9], "rate": 3})
    assert taken == ()
    assert found.status is CacheStatus.HIT
    with pytest.raises(WrongArguments, match="no argument 'ratte'"):
        storage.explain_some(train, {"ratte": 3})
    with pytest.raises(WrongArguments, match="'data' missing"):
        gm.Storage().explain_some(train, {"rate": 3})


def test_many_stored_calls_are_looked_at_in_a_second() -> None:
    storage = gm.Storage()
    with storage:
        for rate in range(3_000):
            train(0, rate)
    started = time.perf_counter()
    found = storage.explain(train, 1, 17)
    assert time.perf_counter() - started < 5
    assert [(d.name, d.stored) for d in found.differences] == [("data", "0")]


SUBJECT = """\
import gitmemo as gm

FACTOR = 2


def scale(x):
    return x * FACTOR


@gm.op
def work(x):
    return scale(x)
"""


def test_code_that_changed_is_named(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    module = load(tmp_path, SUBJECT, monkeypatch)
    with gm.Storage(db_path=tmp_path / "s.db", deps_path=tmp_path) as storage:
        module.work(1)
    assert storage.explain(module.work, 1).status is CacheStatus.HIT
    module.FACTOR = 3
    found = storage.explain(module.work, 1)
    assert found.status is CacheStatus.CODE_CHANGED
    assert [(c.component, c.state) for c in found.changed] == [
        ("subject.py:$FACTOR", CodeState.VALUE)
    ]
    storage.close()
    module = load(tmp_path, SUBJECT.replace("x * FACTOR", "x + FACTOR"), monkeypatch)
    storage = gm.Storage(db_path=tmp_path / "s.db", deps_path=tmp_path)
    found = storage.explain(module.work, 1)
    assert [(c.component, c.state) for c in found.changed] == [
        ("subject.py:scale", CodeState.PENDING)
    ]
    assert "nobody has decided" in str(found)
    found = storage.explain(module.work, 2)
    assert found.status is CacheStatus.NEW_INPUTS
    assert [c.component for c in found.changed] == ["subject.py:scale"]


def load(folder: Path, text: str, monkeypatch: pytest.MonkeyPatch) -> ModuleType:
    import importlib
    import sys

    (folder / "subject.py").write_text(text)
    monkeypatch.syspath_prepend(folder)
    sys.modules.pop("subject", None)
    importlib.invalidate_caches()
    return importlib.import_module("subject")


def test_calls_without_versions_are_no_use_where_code_is_tracked(tmp_path: Path) -> None:
    with gm.Storage(db_path=tmp_path / "s.db") as storage:
        train(1)
    storage.close()
    tracking = gm.Storage(db_path=tmp_path / "s.db", deps_path=tmp_path)
    found = tracking.explain(train, 1)
    assert found.status is CacheStatus.CODE_CHANGED
    assert [c.state for c in found.changed] == [CodeState.UNTRACKED]


values = st.integers(0, 2) | st.floats(allow_nan=False) | st.text(max_size=1)


@given(st.lists(st.tuples(values, values), max_size=5), st.tuples(values, values))
def test_the_verdict_is_what_would_happen(
    calls: list[tuple[Any, Any]], asked: tuple[Any, Any]
) -> None:
    storage = gm.Storage()
    with storage:
        for call in calls:
            train(*call)
    found = storage.explain(train, *asked)
    RUNS.clear()
    with storage:
        train(*asked)
    assert (found.status is CacheStatus.HIT) == (not RUNS)
    if found.status is CacheStatus.NEW_INPUTS:
        assert found.equal + len(found.differences) == 3
        assert found.differences


def test_forgotten_calls_are_not_near(storage: gm.Storage) -> None:
    with storage:
        assert train.forget([9], rate=3) == 1
    found = storage.explain(train, [9], 3)
    assert found.status is not CacheStatus.HIT
    assert found.equal < 3
