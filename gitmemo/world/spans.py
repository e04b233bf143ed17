"""Which facts stand in which files: runs of consecutive numbers.

Not the facts. Facts get their numbers in the order in which they are read, so
that a file of a hundred thousand calls is a few runs. Invariant: all facts of a
span were recorded at one place, and either all or none of them are committed.
"""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Iterable
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Span:
    """Facts `first` to `last` stand in `file`.

    Attributes:
        branch, commit: Where they were recorded; empty for a segment.
        position: Where the first of them stands in the file, in bytes.
    """

    file: int
    first: int
    last: int
    branch: str
    commit: str
    position: int


class Spans:
    """Collects the facts of one file, in the order of the file, as spans."""

    def __init__(self, file: int, committed: int = 0) -> None:
        self._file = file
        self._committed = committed
        self._done: list[Span] = []
        self._start: tuple[int, str, str, int] | None = None
        self._last = 0

    def add(self, number: int, branch: str, commit: str, position: int) -> None:
        """Add the next fact."""
        start = self._start
        if start is not None:
            first_is_committed = start[3] < self._committed
            if (
                number == self._last + 1
                and start[1] == branch
                and start[2] == commit
                and first_is_committed == (position < self._committed)
            ):
                self._last = number
                return
            self._end(start)
        self._start, self._last = (number, branch, commit, position), number

    def done(self) -> list[Span]:
        """Return all spans."""
        if self._start is not None:
            self._end(self._start)
            self._start = None
        return self._done

    def _end(self, start: tuple[int, str, str, int]) -> None:
        first, branch, commit, position = start
        self._done.append(Span(self._file, first, self._last, branch, commit, position))


class Numbers:
    """A set of numbers, as sorted runs."""

    def __init__(self, runs: Iterable[tuple[int, int]]) -> None:
        """Join runs, each from its first number to its last, in any order."""
        firsts: list[int] = []
        lasts: list[int] = []
        end = -1
        for first, last in sorted(runs):
            if first > end + 1 or not lasts:
                firsts.append(first)
                lasts.append(last)
                end = last
            elif last > end:
                lasts[-1] = end = last
        self._firsts, self._lasts = firsts, lasts

    def without(self, numbers: Iterable[int]) -> set[int]:
        """Return those of `numbers` that are not here."""
        return {number for number in numbers if number not in self}

    def __contains__(self, number: int) -> bool:
        at = bisect_right(self._firsts, number) - 1
        return at >= 0 and number <= self._lasts[at]


def runs_of(numbers: Iterable[int]) -> list[tuple[int, int]]:
    """Return the runs, first and last, that sorted numbers are."""
    found: list[list[int]] = []
    for number in numbers:
        if found and number == found[-1][1] + 1:
            found[-1][1] = number
        else:
            found.append([number, number])
    return [(first, last) for first, last in found]


def numbers_in(spans: Iterable[Span]) -> set[int]:
    """Return all numbers in `spans`."""
    found: set[int] = set()
    for span in spans:
        found.update(range(span.first, span.last + 1))
    return found
