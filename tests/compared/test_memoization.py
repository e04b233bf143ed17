"""Memoization, as far as no other test shows what `docs/compared.md` says of it."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from compared.conftest import Script

import gitmemo as gm

RUNS: list[Any] = []


@pytest.fixture(autouse=True)
def no_runs() -> None:
    RUNS.clear()


@gm.op
def inc(x):
    RUNS.append(x)
    return x + 1


def test_ordinary_control_flow_is_retraced(storage: gm.Storage) -> None:
    def program() -> list[Any]:
        found = []
        with storage:
            for x in range(5):
                y = inc(x)
                if storage.unwrap(y) % 2 == 0:
                    found.append(inc(y))
        return found

    first = program()
    assert RUNS == [0, 1, 2, 3, 4], "2 and 4 were computed before they came from another call"
    RUNS.clear()
    again = program()
    assert RUNS == []
    assert [ref.hid for ref in again] == [ref.hid for ref in first]
    assert storage.unwrap(again) == [3, 5]


def test_a_call_is_stored_when_it_returns_not_when_the_block_ends(
    storage: gm.Storage, path: Path
) -> None:
    with storage:
        inc(1)
        other = gm.Storage(db_path=path)
        with other:
            assert inc(1).unwrap() == 2
        assert other.counter.computed == 0
        other.close()
    assert RUNS == [1]


def test_equal_content_is_reused_whatever_its_history(script: Script) -> None:
    program = """
        import sys
        import gitmemo as gm

        runs = []

        @gm.op
        def inc(x):
            runs.append(("inc", x))
            return x + 1

        @gm.op
        def g(x):
            runs.append(("g", x))
            return x * 10

        storage = gm.Storage(db_path="s.db")
        with storage:
            result = g(inc(1)) if sys.argv[1] == "first" else g(2)
        print(storage.unwrap(result), runs)
        """
    assert script(program, "first") == "20 [('inc', 1), ('g', 2)]"
    assert script(program, "second") == "20 []"


def test_an_exception_keeps_the_calls_before_it(storage: gm.Storage) -> None:
    @gm.op
    def fail(x):
        raise ValueError(x)

    with pytest.raises(ValueError, match="7"), storage:
        inc(1)
        fail(7)
    with storage:
        inc(1)
        with pytest.raises(ValueError, match="7"):
            fail(7)
    assert RUNS == [1]
    assert len(storage.failures()) == 2


def test_values_of_a_block_are_handed_to_many_threads_instead_of_a_batch(
    storage: gm.Storage,
) -> None:
    from concurrent.futures import ThreadPoolExecutor

    with storage, ThreadPoolExecutor(4) as pool:
        first = list(pool.map(gm.carried(inc), range(6)))
        second = list(pool.map(gm.carried(inc), first))
    assert storage.unwrap(second) == [2, 3, 4, 5, 6, 7]
    assert set(RUNS) == set(range(7))


def test_without_versions_code_is_not_looked_at_and_with_them_it_is(script: Script) -> None:
    program = """
        import gitmemo as gm

        @gm.op
        def f(x):
            return x + {step}

        storage = gm.Storage(db_path="{name}.db"{deps})
        with storage:
            print(storage.unwrap(f(1)), storage.counter.computed)
        """
    for name, deps, changed in (("plain", "", "2 0"), ("versioned", ", deps_path='.'", "11 1")):
        assert script(program.format(step=1, name=name, deps=deps)) == "2 1"
        assert script(program.format(step=10, name=name, deps=deps)) == changed
        assert script(program.format(step=1, name=name, deps=deps)) == "2 0"
