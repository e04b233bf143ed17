"""The order of stops within each row, so that few lines cross.

Not where they lie in the plane (`placing`). Medians of neighbours, row after row, and then swaps;
the best of all rounds counts. Invariant: the same tracks give the same order.
"""

from __future__ import annotations

from bisect import bisect_right, insort
from collections.abc import Iterable, Sequence
from itertools import pairwise
from typing import TypeAlias

from gitmemo.drawing.ranks import Pair
from gitmemo.drawing.tracks import Tracks

Rows: TypeAlias = list[list[int]]

_ROUNDS, _ROUNDS_OF_MANY, _MANY, _MOST_SWAPPED = 12, 6, 1500, 400


def rows_of(tracks: Tracks, steps: Sequence[Pair]) -> Rows:
    """Return the stops of each row from left to right."""
    up, down = neighbours(len(tracks.rank), steps)
    rows = _first_rows(tracks.rank, up, down)
    best, fewest = [list(row) for row in rows], _crossings(rows, down)
    for turn in range(_ROUNDS if len(tracks.rank) <= _MANY else _ROUNDS_OF_MANY):
        if not fewest:
            break
        _sweep(rows, up if turn % 2 == 0 else down, is_downward=turn % 2 == 0)
        if len(tracks.rank) <= _MOST_SWAPPED:
            _swap(rows, up, down)
        found = _crossings(rows, down)
        if found < fewest:
            best, fewest = [list(row) for row in rows], found
    return best


def neighbours(count: int, steps: Iterable[Pair]) -> tuple[list[list[int]], list[list[int]]]:
    """Return the stops above and below each stop."""
    up: list[list[int]] = [[] for _ in range(count)]
    down: list[list[int]] = [[] for _ in range(count)]
    for a, b in steps:
        up[b].append(a)
        down[a].append(b)
    return up, down


def _first_rows(rank: Sequence[int], up: list[list[int]], down: list[list[int]]) -> Rows:
    """Return the rows in the order of a walk: what belongs together begins together."""
    rows: Rows = [[] for _ in range(max(rank, default=-1) + 1)]
    seen = [False] * len(rank)
    for start in sorted(range(len(rank)), key=lambda stop: rank[stop]):
        todo = [start]
        while todo:
            stop = todo.pop()
            if not seen[stop]:
                seen[stop] = True
                rows[rank[stop]].append(stop)
                todo += reversed(up[stop])
                todo += reversed(down[stop])
    return rows


def _sweep(rows: Rows, near: list[list[int]], *, is_downward: bool) -> None:
    at = {stop: place for row in rows for place, stop in enumerate(row)}
    for row in rows if is_downward else reversed(rows):
        median = {stop: _median([at[other] for other in near[stop]]) for stop in row if near[stop]}
        movable = iter(sorted(median, key=lambda stop: (median[stop], at[stop])))
        row[:] = [next(movable) if stop in median else stop for stop in row]
        for place, stop in enumerate(row):
            at[stop] = place


def _median(places: list[int]) -> float:
    places.sort()
    half, is_odd = divmod(len(places), 2)
    return places[half] if is_odd else (places[half - 1] + places[half]) / 2


def _crossings(rows: Rows, down: list[list[int]]) -> int:
    total = 0
    for upper, lower in pairwise(rows):
        at = {stop: place for place, stop in enumerate(lower)}
        seen: list[int] = []
        for stop in upper:
            ends = sorted(at[other] for other in down[stop])
            total += sum(len(seen) - bisect_right(seen, end) for end in ends)
            for end in ends:
                insort(seen, end)
    return total


def _swap(rows: Rows, up: list[list[int]], down: list[list[int]]) -> None:
    """Swap neighbours in a row where that leaves fewer crossings."""
    at = {stop: place for row in rows for place, stop in enumerate(row)}
    for row in rows:
        for place in range(len(row) - 1):
            a, b = row[place], row[place + 1]
            now = _pairs_crossed(up[a], up[b], at) + _pairs_crossed(down[a], down[b], at)
            then = _pairs_crossed(up[b], up[a], at) + _pairs_crossed(down[b], down[a], at)
            if then < now:
                row[place], row[place + 1] = b, a
                at[a], at[b] = at[b], at[a]


def _pairs_crossed(left: list[int], right: list[int], at: dict[int, int]) -> int:
    ends = sorted(at[other] for other in right)
    return sum(_smaller(ends, at[other]) for other in left)


def _smaller(ends: list[int], than: int) -> int:
    return sum(end < than for end in ends)
