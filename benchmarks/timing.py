"""Timing of alternatives in turn, so that a machine's drift cancels out."""

from __future__ import annotations

import statistics
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass

ROUNDS = 7


@dataclass(frozen=True, slots=True)
class Figure:
    """Median and spread of one alternative, in microseconds per call."""

    name: str
    median_us: float
    fastest_us: float
    slowest_us: float


def in_turn(actions: Mapping[str, Callable[[], object]], repeat: int) -> list[Figure]:
    """Time each action `repeat` times per round, all of them in every round."""
    samples: dict[str, list[float]] = {name: [] for name in actions}
    for action in actions.values():
        action()
    for _ in range(ROUNDS):
        for name, action in actions.items():
            start = time.perf_counter()
            for _ in range(repeat):
                action()
            samples[name].append((time.perf_counter() - start) / repeat * 1e6)
    return [
        Figure(name, statistics.median(times), min(times), max(times))
        for name, times in samples.items()
    ]


def show(title: str, figures: list[Figure]) -> None:
    """Print a table: the first figure is gitmemo's, ratios are to it."""
    ours = figures[0].median_us
    print(f"\n{title}")
    print(f"  {'':22} {'median µs':>12} {'min':>12} {'max':>12} {'ratio':>8}")
    for figure in figures:
        print(
            f"  {figure.name:22} {figure.median_us:12.1f} {figure.fastest_us:12.1f}"
            f" {figure.slowest_us:12.1f} {figure.median_us / ours:8.1f}"
        )
