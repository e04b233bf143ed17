"""What is told of calls of a map or a batch that raise, where there are many of them."""

from __future__ import annotations

import pickle
import subprocess
import sys
import traceback
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

import gitmemo as gm
from gitmemo.errors import CallsFailed


class Silent(Exception):
    def __str__(self) -> str:
        raise RuntimeError("nothing to say")


@gm.op
def fails(x: int) -> int:
    if x % 10 == 9:
        raise TypeError(f"no {x}")
    if x == 18:
        raise Silent
    try:
        raise KeyError(x)
    except KeyError as error:
        raise ValueError("always this") from error


def mapped(storage: gm.Storage, count: int) -> Any:
    return storage.map(fails, range(count))


def batched(storage: gm.Storage, count: int) -> Any:
    with storage.batch():
        return [fails(x) for x in range(count)]


@pytest.mark.parametrize("made", [mapped, batched])
def test_a_few_failures_are_told_in_full_and_the_others_counted(
    made: Callable[[gm.Storage, int], Any],
) -> None:
    with gm.Storage() as storage, pytest.raises(CallsFailed) as caught:
        made(storage, 100)
    error = caught.value
    named = ", ".join(f"{x}: fails({x}) (ValueError: always this)" for x in range(5))
    said = f"100 of 100 calls failed: {named}"
    kinds = "and 95 more (84 ValueError: always this, 10 TypeError, such as: no 9, 1 Silent)"
    assert str(error).startswith(f"{said}, {kinds}")
    printed = "".join(traceback.format_exception(error))
    assert printed.count("in fails") == 2 * 5  # and where their causes were raised
    assert "raised by call 9: fails(9)" in printed or "raised by fails(9)" in printed
    assert len(error.exceptions) == len(error.traces) == len(error.calls) == 100
    assert [one.__traceback__ is None for one in error.exceptions] == [False] * 5 + [True] * 95
    assert isinstance(error.exceptions[50].__cause__, KeyError)
    assert "raise TypeError" in error.traces[59]
    kept = error.subgroup(TypeError)
    assert kept is not None
    assert kept.traces == tuple(error.traces[9::10])
    assert pickle.loads(pickle.dumps(kept)).traces == kept.traces


def test_a_few_failures_stay_as_they_are() -> None:
    with gm.Storage() as storage, pytest.raises(CallsFailed) as caught:
        mapped(storage, 5)
    assert all(one.__traceback__ is not None for one in caught.value.exceptions)
    assert " more (" not in str(caught.value)


_IN_WORKERS = """
import gitmemo as gm

@gm.op
def fails(x):
    raise ValueError("always this")

if __name__ == "__main__":
    gm.Storage("calls.db").map(fails, range(40), n_jobs=2)
"""


def test_what_a_program_prints_whose_calls_fail_in_workers(tmp_path: Path) -> None:
    (tmp_path / "program.py").write_text(_IN_WORKERS)
    made = subprocess.run(
        [sys.executable, "program.py"], cwd=tmp_path, capture_output=True, text=True, timeout=60
    )
    assert made.returncode == 1
    assert made.stderr.count("| in a worker:") == made.stderr.count("in fails") == 5
    assert "and 35 more (35 ValueError: always this)" in made.stderr
    assert "raised by call 14: fails(14)" in made.stderr
    assert len(made.stderr.splitlines()) < 130
