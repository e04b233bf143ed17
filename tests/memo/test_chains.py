"""A loop whose result stays as it is: each call costs as much as the one before."""

from __future__ import annotations

import sys
from collections.abc import Callable
from pathlib import Path
from types import FrameType

import pytest

import gitmemo as gm

_PACKAGE = str(Path(gm.__file__).parent)
_LENGTH = 120
RUNS: list[float] = []


@gm.op(name="step of a chain")
def step(x):
    RUNS.append(x)
    return min(x, 1.0)


@gm.op(name="end of a chain")
def end(x):
    return x + 1


def chain(storage: gm.Storage, length: int = _LENGTH) -> tuple[list[int], gm.Ref[float]]:
    """Make a chain of calls; return how many functions of gitmemo each of them called."""
    found = []
    with storage:
        x = 1.0
        for _ in range(length):
            with _Counted() as counted:
                x = step(x)
            found.append(counted.calls)
    return found, x


class _Counted:
    """Counts calls of gitmemo's own functions."""

    def __enter__(self) -> _Counted:
        self.calls = 0
        sys.setprofile(self._seen)
        return self

    def __exit__(self, *_: object) -> None:
        sys.setprofile(None)

    def _seen(self, frame: FrameType, event: str, _: object) -> None:
        self.calls += event == "call" and frame.f_code.co_filename.startswith(_PACKAGE)


def is_even(counts: list[int]) -> bool:
    """Whether the last calls took no more than those at the beginning, after the first few."""
    begun, ended = counts[20:40], counts[-20:]
    return sum(ended) <= 1.05 * sum(begun)


def opened(folder: Path | None) -> Callable[[], gm.Storage]:
    return lambda: gm.Storage(None if folder is None else folder / "results.db")


def test_each_link_costs_what_the_one_before_did() -> None:
    RUNS.clear()
    counts, x = chain(opened(None)())
    assert is_even(counts), counts
    assert RUNS == [1.0]
    assert x.unwrap() == 1.0


def test_so_does_each_link_that_is_found_again(tmp_path: Path) -> None:
    chain(opened(tmp_path)())
    RUNS.clear()
    again = opened(tmp_path)()
    counts, _ = chain(again)
    assert is_even(counts[1:]), counts
    assert (RUNS, again.counter.computed) == ([], 0)
    assert len(again.cf(step).calls) == _LENGTH


def test_and_where_calls_were_preloaded(tmp_path: Path) -> None:
    chain(opened(tmp_path)())
    again = opened(tmp_path)()
    again.preload()
    counts, _ = chain(again)
    assert is_even(counts[1:]), counts


def test_a_chain_can_go_on_from_where_it_ended(tmp_path: Path) -> None:
    _, x = chain(opened(tmp_path)(), 40)
    longer = opened(tmp_path)()
    RUNS.clear()
    counts, _ = chain(longer)
    assert is_even(counts[:40]) and is_even(counts[40:]), counts
    with longer:
        assert end(x).unwrap() == 2.0
    assert RUNS == []
    assert len(longer.cf(step).calls) == _LENGTH


def test_what_was_forgotten_is_computed_once_and_linked_to(tmp_path: Path) -> None:
    storage = opened(tmp_path)()
    chain(storage)
    storage.cf(step).delete_calls().carry_out()
    RUNS.clear()
    counts, x = chain(storage)
    assert is_even(counts), counts
    assert (RUNS, x.unwrap()) == ([1.0], 1.0)
    assert len(storage.cf(step).calls) == _LENGTH


@pytest.mark.parametrize("asked", [1, 60, _LENGTH])
def test_the_very_call_is_found_among_many(tmp_path: Path, asked: int) -> None:
    _, x = chain(opened(tmp_path)(), asked)
    longer = opened(tmp_path)()
    chain(longer)
    _, again = chain(longer, asked)
    assert again.hid == x.hid


def test_a_chain_may_be_asked_for_at_any_length() -> None:
    storage = opened(None)()
    with storage:
        x = 1.0
        for _ in range(2000):
            x = step(x)
        last = end(x)
    frame = storage.cf(last).expand_back()
    assert len(frame.calls) == 2001
    assert len(frame.df()) == 1
