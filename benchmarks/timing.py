"""Timing of alternatives in turn, so that a machine's drift cancels out, and the tables of it."""

from __future__ import annotations

import statistics
import time
from collections.abc import Callable, Mapping, Sequence
from contextlib import AbstractContextManager, nullcontext
from dataclasses import dataclass

ROUNDS = 5


@dataclass(frozen=True, slots=True)
class Figure:
    """Median and spread of one alternative, in microseconds per call.

    Attributes:
        times_us: One time per round, where rounds can be compared in pairs.
        is_floor: Whether this is no tool, but bare work that no tool could do without.
    """

    name: str
    median_us: float
    fastest_us: float
    slowest_us: float
    times_us: tuple[float, ...] = ()
    is_floor: bool = False

    def ratio(self, other: Figure) -> float:
        """Return how often the other's time goes into this: the median over rounds, where they are paired."""
        if not self.times_us or len(self.times_us) != len(other.times_us):
            return self.median_us / other.median_us
        pairs = zip(self.times_us, other.times_us, strict=True)
        return statistics.median(mine / theirs for mine, theirs in pairs)


@dataclass(frozen=True, slots=True)
class Table:
    """What one scenario found; the first figure is gitmemo's."""

    title: str
    figures: Sequence[Figure]


SHOWN: list[Table] = []
"""All tables of this run, in their order."""


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
            taken = per_call_us(action, repeat)
            if number:  # the first round warms up
                samples[name].append(taken)
    return [figure(name, times) for name, times in samples.items()]


def per_call_us(action: Action, repeat: int) -> float:
    """Return the time of one call, of `repeat` in a block, after one that is not counted."""
    with action.block():
        action.call()
        start = time.perf_counter()
        for _ in range(repeat):
            action.call()
        return (time.perf_counter() - start) / repeat * 1e6


def per_call_in_block_us(action: Action, repeat: int) -> float:
    """Return the time of one call, of `repeat` in a block, entering and leaving it included."""
    start = time.perf_counter()
    with action.block():
        for _ in range(repeat):
            action.call()
    return (time.perf_counter() - start) / repeat * 1e6


def figure(name: str, times_us: Sequence[float], *, is_floor: bool = False) -> Figure:
    """Summarise the times of one alternative, one of each round."""
    middle = statistics.median(times_us)
    return Figure(name, middle, min(times_us), max(times_us), tuple(times_us), is_floor)


def show(title: str, figures: Sequence[Figure]) -> None:
    """Print a table, and keep it; ratios are to the first figure, and from floors to it."""
    ours = figures[0]
    SHOWN.append(Table(title, figures))
    print(f"\n{title}")
    print(f"  {'':34} {'median µs':>12} {'min':>12} {'max':>12} {'ratio':>8}")
    for one in figures:
        if one.is_floor:
            said = f"{'floor: ' + one.name:34}", f"   we: {ours.ratio(one):.1f} times that"
        else:
            said = f"{one.name:34}", f"{one.ratio(ours):8.2f}"
        print(
            f"  {said[0]} {one.median_us:12.1f} {one.fastest_us:12.1f}"
            f" {one.slowest_us:12.1f} {said[1]}",
            flush=True,
        )
