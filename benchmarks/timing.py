"""Timing of alternatives in turn, so that a machine's drift cancels out."""

from __future__ import annotations

import statistics
import time
from collections.abc import Callable, Mapping
from contextlib import AbstractContextManager, nullcontext
from dataclasses import dataclass

ROUNDS = 5


@dataclass(frozen=True, slots=True)
class Figure:
    """Median and spread of one alternative, in microseconds per call."""

    name: str
    median_us: float
    fastest_us: float
    slowest_us: float


@dataclass(frozen=True, slots=True)
class Action:
    """One alternative: a call, and the block that it is made inside."""

    call: Callable[[], object]
    block: Callable[[], AbstractContextManager[object]] = nullcontext


def in_turn(actions: Mapping[str, Action], repeat: int) -> list[Figure]:
    """Time each action `repeat` times per round, all of them in every round."""
    samples: dict[str, list[float]] = {name: [] for name in actions}
    for number in range(ROUNDS + 1):
        for name, action in actions.items():
            with action.block():
                action.call()
                start = time.perf_counter()
                for _ in range(repeat):
                    action.call()
                elapsed = time.perf_counter() - start
            if number:  # the first round warms up
                samples[name].append(elapsed / repeat * 1e6)
    return [figure(name, times) for name, times in samples.items()]


def figure(name: str, times_us: list[float]) -> Figure:
    """Summarise the times of one alternative."""
    return Figure(name, statistics.median(times_us), min(times_us), max(times_us))


def show(title: str, figures: list[Figure]) -> None:
    """Print a table; ratios are to the first figure."""
    ours = figures[0].median_us
    print(f"\n{title}")
    print(f"  {'':26} {'median µs':>12} {'min':>12} {'max':>12} {'ratio':>8}")
    for one in figures:
        print(
            f"  {one.name:26} {one.median_us:12.1f} {one.fastest_us:12.1f}"
            f" {one.slowest_us:12.1f} {one.median_us / ours:8.2f}",
            flush=True,
        )
