"""Timing of alternatives in turn, so that a machine's drift cancels out, and the rows of it."""

from __future__ import annotations

import statistics
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import AbstractContextManager, nullcontext
from dataclasses import dataclass

TIME = "µs"
"""The unit of times; how they are shown depends on their size."""
SLOW_US = 10e6
"""A peer that takes longer than this in a turn has one turn that counts."""


@dataclass(frozen=True, slots=True)
class Figure:
    """Median and spread of one alternative, in the unit of its row.

    Attributes:
        samples: One for each round that counted.
        is_floor: Whether this is no tool, but bare work that no tool could do without.
    """

    name: str
    median: float
    least: float
    most: float
    samples: tuple[float, ...] = ()
    is_floor: bool = False

    def ratio(self, other: Figure) -> float:
        """Return how often the other goes into this: the median over rounds, where both had them all."""
        if not self._is_paired(other):
            return self.median / other.median
        pairs = zip(self.samples, other.samples, strict=True)
        return statistics.median(mine / theirs for mine, theirs in pairs)

    def is_below(self, other: Figure) -> bool:
        """Return whether this is less than the other in four fifths of the rounds."""
        theirs = other.samples or (other.median,)
        mine = self.samples if self._is_paired(other) else (self.median,) * len(theirs)
        below = sum(one < another for one, another in zip(mine, theirs, strict=True))
        return below >= 0.8 * len(theirs)

    def _is_paired(self, other: Figure) -> bool:
        return bool(self.samples) and len(self.samples) == len(other.samples)


@dataclass(frozen=True, slots=True)
class Row:
    """What was found of one kind of work; the first figure is gitmemo's.

    Attributes:
        name: One word, by which documents speak of it.
        group: The scenario's; empty where the row is no part of the overview.
    """

    name: str
    title: str
    figures: Sequence[Figure]
    unit: str = TIME
    group: str = ""


@dataclass(frozen=True, slots=True)
class Action:
    """One alternative: a call, and the block that it is made inside."""

    call: Callable[[], object]
    block: Callable[[], AbstractContextManager[object]] = nullcontext


class Left(Exception):
    """A tool could not do the work of a row, and is left out."""


Take = Callable[[], Mapping[str, float]]
"""One turn: what was measured, by what it is called."""


@dataclass(slots=True)
class Turns:
    """Who takes turns, and what was found so far.

    Attributes:
        takes: One turn of each, by its name.
        floors: Which of the names are floors.
        clock: What tells the seconds that a turn takes.
    """

    takes: Mapping[str, Take]
    floors: frozenset[str] = frozenset()
    clock: Callable[[], float] = time.perf_counter

    def run(self, rounds: int, *, warm_up: int = 1) -> dict[str, list[Figure]]:
        """Let all take their turns; return the figures of each thing that was measured.

        The first rounds warm up. Whoever is slow in the last of them takes one turn that counts, and
        whoever is slow later takes no further one. The first name is gitmemo's, which takes all turns.
        """
        ours = next(iter(self.takes))
        found: dict[str, list[Mapping[str, float]]] = {name: [] for name in self.takes}
        slow: set[str] = set()
        for number in range(warm_up + rounds):
            for name in [one for one in found if one not in slow or not found[one]]:
                start = self.clock()
                try:
                    found[name].append(self.takes[name]())
                except Left as why:
                    print(f"  ({name} is left out: {str(why)[:200]})", flush=True)
                    del found[name]
                    continue
                is_slow = (self.clock() - start) * 1e6 > SLOW_US
                if is_slow and number >= warm_up - 1 and name != ours:
                    slow.add(name)
                if number < warm_up:
                    found[name].clear()
        return self._figures(found) if ours in found else {}

    def _figures(self, found: Mapping[str, list[Mapping[str, float]]]) -> dict[str, list[Figure]]:
        figures: dict[str, list[Figure]] = {}
        for name, turns in found.items():
            for what in turns[-1]:
                values = [turn[what] for turn in turns]
                made = figure(name, values, is_floor=name in self.floors)
                figures.setdefault(what, []).append(made)
        return figures


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


def cpu_in_turn(actions: Mapping[str, Action], repeat: int, *, rounds: int) -> Iterator[Figure]:
    """Yield the CPU time of each, called `repeat` times in each round."""
    samples: dict[str, list[float]] = {name: [] for name in actions}
    for number in range(rounds + 2):
        for name, action in actions.items():
            with action.block():
                action.call()
                start = time.process_time()
                for _ in range(repeat):
                    action.call()
                elapsed = time.process_time() - start
            if number > 1:  # the first rounds warm up
                samples[name].append(elapsed / repeat * 1e6)
    for name, taken in samples.items():
        yield figure(name, taken)


def figure(name: str, values: Sequence[float], *, is_floor: bool = False) -> Figure:
    """Summarise what was measured of one alternative, once in each round."""
    middle = statistics.median(values)
    return Figure(name, middle, min(values), max(values), tuple(values), is_floor)
