"""What a storage keeps in memory: it saves questions and never changes an answer."""

from __future__ import annotations

import sys
import types
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

import gitmemo as gm
from gitmemo.world.standalone import StandaloneWorld

RUNS: list[int] = []


@pytest.fixture(autouse=True)
def no_runs() -> None:
    RUNS.clear()


@gm.op(name="cached double")
def double(x):
    RUNS.append(x)
    return x * 2


@contextmanager
def statements(storage: gm.Storage) -> Iterator[list[str]]:
    """Collect the SQL that the storage's world runs."""
    assert isinstance(storage.world, StandaloneWorld)
    seen: list[str] = []
    storage.world.index.database.connection.set_trace_callback(seen.append)
    yield seen
    storage.world.index.database.connection.set_trace_callback(None)


def filled(path: Path) -> None:
    with gm.Storage(db_path=path) as storage:
        for x in range(20):
            double(double(x))
    storage.close()


def loop(storage: gm.Storage) -> list[int]:
    return [storage.unwrap(double(double(x))) for x in range(20)]


def test_a_loop_of_hits_needs_no_database_after_preload(tmp_path: Path) -> None:
    filled(tmp_path / "s.db")
    RUNS.clear()
    storage = gm.Storage(db_path=tmp_path / "s.db")
    with storage, statements(storage) as cold:
        assert loop(storage) == [x * 4 for x in range(20)]
    assert len(cold) >= 20, "the measurement can see look-ups"
    storage.clear_cache()
    info = storage.preload()
    assert info.calls == len(storage.cf())
    assert info.bytes > 1000
    with storage:
        with statements(storage) as seen:
            assert loop(storage) == [x * 4 for x in range(20)]
        assert len(seen) <= 1, "for each op and block its signature is compared once"
        assert storage.unwrap(double(1000)) == 2000, "what is not at hand is looked up as ever"
    assert RUNS == [1000]


MODULE = """\
import gitmemo as gm

FACTOR = 2


@gm.op
def scaled(x):
    return x * FACTOR
"""


def test_preloaded_calls_are_judged_by_the_code_of_now(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    name = f"caches_{tmp_path.name}"
    (tmp_path / f"{name}.py").write_text(MODULE)
    monkeypatch.syspath_prepend(str(tmp_path))
    module: types.ModuleType = __import__(name)
    with gm.Storage(tmp_path / "s.db", deps_path=tmp_path) as storage:
        module.scaled(1)
    storage.close()
    storage = gm.Storage(tmp_path / "s.db", deps_path=tmp_path)
    assert storage.preload().versions == 1
    with storage:
        module.scaled(1)
        with statements(storage) as seen:
            module.scaled(1)
        assert seen == []
        assert storage.cache_info().verdicts == 1
        module.FACTOR = 3
        assert storage.unwrap(module.scaled(1)) == 3
    assert storage.counter.computed == 1
    del sys.modules[name]


def test_preloaded_calls_can_be_forgotten_and_made_again(tmp_path: Path) -> None:
    filled(tmp_path / "s.db")
    one, two = (gm.Storage(db_path=tmp_path / "s.db") for _ in range(2))
    RUNS.clear()
    one.preload()
    two.preload()
    with one:
        double(1)
        assert double.forget(1) == 1
        assert not double.is_cached(1)
    with two:
        assert not double.is_cached(1)
        double(1)
        double.recompute(1)
    with one:
        double(1)
    assert RUNS == [1, 1]


def test_preloading_before_the_first_block_lasts(tmp_path: Path) -> None:
    filled(tmp_path / "s.db")
    with gm.Storage(db_path=tmp_path / "s.db") as storage:
        assert double.forget(1) == 1
    storage = gm.Storage(db_path=tmp_path / "s.db")
    calls = storage.preload().calls
    with storage:
        assert storage.cache_info().calls == calls


def test_reading_marks_nothing_and_blocks_nothing(tmp_path: Path) -> None:
    """The other tool wrote again what was read, and refused to clear its cache."""
    filled(tmp_path / "s.db")
    storage = gm.Storage(db_path=tmp_path / "s.db")
    with storage, statements(storage) as seen:
        refs = [double(x) for x in range(20)]
        storage.attach(refs)
        assert storage.unwrap(refs) == [x * 2 for x in range(20)]
        storage.cf(double).df(values="objs")
        storage.clear_cache()
        assert loop(storage) == [x * 4 for x in range(20)]
    assert not [sql for sql in seen if not sql.lower().startswith(("select", "--"))]
    storage.clear_cache()
    info = storage.cache_info()
    assert (info.calls, info.bytes, info.short_cuts, info.versions, info.verdicts) == (0,) * 5


def test_information_is_short_and_frozen(tmp_path: Path) -> None:
    filled(tmp_path / "s.db")
    storage = gm.Storage(db_path=tmp_path / "s.db")
    info = storage.preload()
    assert repr(info).startswith(f"CacheInfo({info.calls} calls (")
    with pytest.raises(AttributeError):
        info.calls = 3  # type: ignore[misc]


def test_a_storage_says_where_it_is_and_what_is_in_it(tmp_path: Path) -> None:
    storage = gm.Storage()
    assert repr(storage) == "Storage(in memory: 0 calls of 0 ops, 0 values, not versioned)"
    path = tmp_path / "s.db"
    storage = gm.Storage(path, deps_path="__main__")
    with storage:
        double(1)
        double([1] * 1000)
        assert repr(storage) == f"Storage('{path}': 2 calls of 1 op, 2 values, versioned)"
        double.forget(1)
        assert "1 call of" in repr(storage)
    storage.close()
    assert repr(storage) == "Storage(closed)"


def test_vacuum_returns_what_it_freed(tmp_path: Path) -> None:
    path = tmp_path / "s.db"
    storage = gm.Storage(path)
    with storage:
        double("x" * 1_000_000)
    assert isinstance(storage.world, StandaloneWorld)
    assert storage.vacuum() < 100_000
    before = path.stat().st_size
    # Nothing that a person can do makes room yet: values stay when calls are forgotten.
    storage.world.index.database.connection.execute("delete from blob")
    freed = storage.vacuum()
    assert freed > 1_000_000
    assert path.stat().st_size <= before - freed + 100_000
    with storage:
        assert double.is_cached("x" * 1_000_000)
    assert gm.Storage().vacuum() >= 0
