"""Where stops lie: across, so that lines are straight, and along, so that rows do not meet.

Not their order (`rows`). *Across* is along a row, *along* leads from row to row; what is x or y is
for `layout` to say. Invariant: stops of one row never overlap.
"""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import pairwise
from typing import NamedTuple, TypeAlias

from gitmemo.drawing.ranks import Pair
from gitmemo.drawing.rows import Rows, neighbours

Ports: TypeAlias = "Mapping[Pair, tuple[float, float]]"
"""How far beside the middle of its two stops each step begins and ends."""

_BETWEEN_NODES, _BETWEEN_LINES = 22.0, 10.0
_BETWEEN_PORTS, _LEAST_MARGIN = 14.0, 12.0
_BESIDE_NODES, _BESIDE_LABELS = 8.0, 2.0  # room for the tips of arrows
_LEAST_GAP, _MOST_GAP, _SLANT = 18.0, 70.0, 0.08
_WORK, _LEAST_ROUNDS, _MOST_ROUNDS = 20_000, 10, 80
_STRAIGHT = (
    1.0,
    3.0,
    8.0,
)  # how much a step between nodes, to a line, within a line wants to be straight


@dataclass(frozen=True, slots=True)
class Room:
    """What a stop needs.

    Attributes:
        across: Its width along the row, with what hangs beside it.
        depth: Its size from row to row; 0 for a line that passes.
        beside: What of `across` lies to the right of the node itself.
        is_node: Whether it is a node, rather than a stop of a line.
    """

    across: float
    depth: float
    beside: float = 0.0
    is_node: bool = False


class Band(NamedTuple):
    """What a row takes along the way; lines are straight within it."""

    start: float
    middle: float
    end: float


def ports(rows: Rows, steps: Sequence[Pair], rooms: Sequence[Room]) -> Ports:
    """Return where steps meet their stops: side by side, in the order of where they come from."""
    at = {stop: place for row in rows for place, stop in enumerate(row)}
    up, down = neighbours(len(rooms), steps)
    upper, lower = {}, {}
    for stop, room in enumerate(rooms):
        below, above = sorted(down[stop], key=at.__getitem__), sorted(up[stop], key=at.__getitem__)
        for other, offset in zip(below, _spread(room, len(below)), strict=True):
            upper[stop, other] = offset
        for other, offset in zip(above, _spread(room, len(above)), strict=True):
            lower[other, stop] = offset
    return {step: (upper[step], lower[step]) for step in steps}


def _spread(room: Room, number: int) -> Iterator[float]:
    free = max(room.across - room.beside - _LEAST_MARGIN, 0.0) if room.is_node else 0.0
    between = min(_BETWEEN_PORTS, free / (number - 1)) if number > 1 else 0.0
    for place in range(number):
        yield (place - (number - 1) / 2) * between - room.beside / 2


def across(
    rows: Rows, steps: Sequence[Pair], rooms: Sequence[Room], at_ports: Ports
) -> list[float]:
    """Return the middle of each stop along its row.

    Each round moves the stops of a row to where their lines would be straight, as near as the
    least squares of what all of them want allow; first by the rows above or below, then by both.
    """
    up: list[list[tuple[int, float, float]]] = [[] for _ in rooms]
    down: list[list[tuple[int, float, float]]] = [[] for _ in rooms]
    for a, b in steps:
        from_a, to_b = at_ports[a, b]
        weight = _STRAIGHT[(not rooms[a].is_node) + (not rooms[b].is_node)]
        up[b].append((a, from_a - to_b, weight))
        down[a].append((b, to_b - from_a, weight))
    both = [above + below for above, below in zip(up, down, strict=True)]
    gaps = [_gaps(row, rooms) for row in rows]
    at = [0.0] * len(rooms)
    for turn in range(min(max(_WORK // len(rooms), _LEAST_ROUNDS), _MOST_ROUNDS)):
        is_downward = turn % 2 == 0
        near = both if turn > 3 else up if is_downward else down
        order = range(len(rows)) if is_downward else range(len(rows) - 1, -1, -1)
        for number in order:
            _settle(rows[number], gaps[number], near, at)
    _straighten(rows, gaps, rooms, up, at)
    return at


def _gaps(row: Sequence[int], rooms: Sequence[Room]) -> list[float]:
    """Return how far apart the middles of neighbours in a row must be, 0 for the first."""
    found = [0.0]
    for a, b in pairwise(row):
        is_wide = rooms[a].is_node and rooms[b].is_node
        between = _BETWEEN_NODES if is_wide else _BETWEEN_LINES
        found.append((rooms[a].across + rooms[b].across) / 2 + between)
    return found


def _settle(
    row: Sequence[int],
    gaps: Sequence[float],
    near: Sequence[Sequence[tuple[int, float, float]]],
    at: list[float],
) -> None:
    """Move the stops of one row: a regression in which their order holds (pool adjacent violators)."""
    pools: list[tuple[float, float, int]] = []
    shift = 0.0
    for stop, gap in zip(row, gaps, strict=True):
        shift += gap
        weight = sum(weight for _, _, weight in near[stop])
        total = sum((at[other] + offset) * weight for other, offset, weight in near[stop])
        want, weight = (total / weight, weight) if weight else (at[stop], 0.1)
        want, number = want - shift, 1
        while pools and pools[-1][0] >= want:
            other_want, other_weight, others = pools.pop()
            want = (want * weight + other_want * other_weight) / (weight + other_weight)
            weight, number = weight + other_weight, number + others
        pools.append((want, weight, number))
    settled = (want for want, _, number in pools for _ in range(number))
    shift = 0.0
    for stop, gap, want in zip(row, gaps, settled, strict=True):
        shift += gap
        at[stop] = want + shift


def _straighten(
    rows: Rows,
    gaps: Sequence[Sequence[float]],
    rooms: Sequence[Room],
    up: Sequence[Sequence[tuple[int, float, float]]],
    at: list[float],
) -> None:
    """Draw the stops of a line onto one place, as many of them as have it in common."""
    free = {}
    for row, apart in zip(rows, gaps, strict=True):
        for place, stop in enumerate(row):
            low = at[row[place - 1]] + apart[place] if place else -math.inf
            is_last = place + 1 == len(row)
            high = math.inf if is_last else at[row[place + 1]] - apart[place + 1]
            free[stop] = ((low + at[stop]) / 2, (high + at[stop]) / 2)  # both neighbours may move
    runs: list[_Run] = []
    open_runs: dict[int, _Run] = {}  # by their last stop
    for stop in (stop for row in rows for stop in row if not rooms[stop].is_node):
        low, high = free[stop]
        run = open_runs.pop(up[stop][0][0], None)
        if run is None or max(run.low, low) > min(run.high, high):
            run = _Run(low, high, [])
            runs.append(run)
        run.low, run.high = max(run.low, low), min(run.high, high)
        run.stops.append(stop)
        open_runs[stop] = run
    for run in runs:
        mean = sum(at[stop] for stop in run.stops) / len(run.stops)
        for stop in run.stops:
            at[stop] = min(max(mean, run.low), run.high)


@dataclass(slots=True)
class _Run:
    """Stops of one line below each other, and where all of them may lie."""

    low: float
    high: float
    stops: list[int]


def bands(
    rows: Rows,
    steps: Sequence[Pair],
    rooms: Sequence[Room],
    at: Sequence[float],
    *,
    has_back: bool,
) -> list[Band]:
    """Return what each row takes; the farther lines lead aside, the more room is before it.

    Args:
        has_back: Whether there are tips of arrows below nodes as well.
    """
    of = {stop: number for number, row in enumerate(rows) for stop in row}
    slant = [0.0] * len(rows)
    for a, b in steps:
        slant[of[b]] = max(slant[of[b]], abs(at[a] - at[b]))
    found: list[Band] = []
    for number, row in enumerate(rows):
        above = _BESIDE_NODES if any(rooms[stop].is_node for stop in row) else _BESIDE_LABELS
        below = above if has_back else _BESIDE_LABELS
        half = max(rooms[stop].depth for stop in row) / 2
        gap = min(max(_LEAST_GAP, slant[number] * _SLANT), _MOST_GAP)
        start = found[-1].end + gap if found else -above
        middle = start + above + half
        found.append(Band(start, middle, middle + half + below))
    return found
