"""The stops of edges on their way through the rows: one in each row that an edge crosses.

Not where they lie (`rows`, `placing`). A label is a stop that takes room, so nothing is written
over anything. Edges out of one node share their way as far as it is the same. Invariant: each step
leads from a row to the next one.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from itertools import pairwise
from typing import NamedTuple

from gitmemo.drawing.ranks import Pair


class Link(NamedTuple):
    """An edge in the direction of the rows.

    Attributes:
        edge: Its number in the graph.
        is_back: Whether it leads up in truth.
        is_apart: Whether it needs a stop of its own: it has a label, leads back, or has a twin.
        is_late: Whether its own stop is the last before `low`, rather than the first after `high`.
        items: Edges through items share their way only with their like.
    """

    edge: int
    high: int
    low: int
    is_back: bool
    is_apart: bool
    is_late: bool
    items: bool


class Way(NamedTuple):
    """The stops of an edge from its upper node to its lower one; `own` is the place of its own."""

    link: Link
    stops: tuple[int, ...]
    own: int | None


@dataclass(slots=True)
class Tracks:
    """All stops: the nodes first, by their numbers, then those of edges.

    Attributes:
        rank: The row of each stop; rows were added for stops that take room.
        ways: The way of each edge.
        owner: The edge that each stop with room belongs to.
    """

    rank: list[int]
    ways: list[Way] = field(default_factory=list)
    owner: dict[int, int] = field(default_factory=dict)
    _shared: dict[tuple[int, int, bool], int] = field(default_factory=dict)

    def steps(self) -> list[Pair]:
        """Return every step from a stop to one in the next row, once."""
        return list(dict.fromkeys(step for way in self.ways for step in pairwise(way.stops)))

    def new(self, rank: int) -> int:
        """Return a new stop."""
        self.rank.append(rank)
        return len(self.rank) - 1

    def shared(self, link: Link, rank: int) -> int:
        """Return the stop in a row that all edges out of a node pass."""
        key = (link.high, rank, link.items)
        if key not in self._shared:
            self._shared[key] = self.new(rank)
        return self._shared[key]


def tracks(rank: Sequence[int], links: Sequence[Link]) -> Tracks:
    """Return the ways of all links between nodes with these ranks."""
    rows = _spread(rank, links)
    found = Tracks([rows[row] for row in rank])
    for link in links:
        first, last = found.rank[link.high], found.rank[link.low]
        apart = _row_apart(link, rank, rows) if link.is_apart else last
        stops, own = [link.high], None
        for row in range(first + 1, last):
            if row == apart:
                own = len(stops)
                stop = found.new(row)
                found.owner[stop] = link.edge
            elif row < apart and not link.is_back:
                stop = found.shared(link, row)
            else:
                stop = found.new(row)
            stops.append(stop)
        found.ways.append(Way(link, (*stops, link.low), own))
    return found


def _gap(link: Link, rank: Sequence[int]) -> int:
    """Return below which row of nodes the stop of an edge's own lies."""
    return rank[link.low] - 1 if link.is_late else rank[link.high]


def _row_apart(link: Link, rank: Sequence[int], rows: Sequence[int]) -> int:
    return rows[_gap(link, rank)] + 1


def _spread(rank: Sequence[int], links: Sequence[Link]) -> list[int]:
    """Return where each row comes to lie when there are rows for labels between them."""
    gaps = {_gap(link, rank) for link in links if link.is_apart}
    rows, at = [], 0
    for row in range(max(rank, default=0) + 1):
        rows.append(at)
        at += 2 if row in gaps else 1
    return rows
