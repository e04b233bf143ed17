"""The routes of edges: which lines and curves lead from node to node, and where arrows point.

Not which stops they pass (`tracks`). Invariant: within a row a route keeps to its own stops, and
between rows nothing lies, so it meets no box but those at its ends.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import pairwise
from typing import NamedTuple, TypeAlias

from gitmemo.drawing.placing import Band, Ports, Room
from gitmemo.drawing.plan import Box, Plan, Point
from gitmemo.drawing.tracks import Way

Stroke: TypeAlias = tuple[tuple[Point, ...], ...]
"""Where the pen is set down, and then lines (a point) and curves (two that steer, and a point)."""

TIP = 7.0
"""How long the tip of an arrow is."""

_LOOP = 22.0


class Route(NamedTuple):
    """An edge in the plane.

    Attributes:
        strokes: What is drawn of it; what it shares with an earlier edge is drawn once.
        tip: Where its arrow points.
        towards: The direction of the arrow, one of four.
        label: The middle of its label, if it has one.
    """

    edge: int
    strokes: tuple[Stroke, ...]
    tip: Point
    towards: Point
    is_back: bool
    label: Point | None

    def moved(self, x: float, y: float) -> Route:
        """Return the same route elsewhere."""
        strokes = tuple(
            tuple(tuple((a + x, b + y) for a, b in piece) for piece in stroke)
            for stroke in self.strokes
        )
        label = self.label and (self.label[0] + x, self.label[1] + y)
        return self._replace(strokes=strokes, tip=(self.tip[0] + x, self.tip[1] + y), label=label)


@dataclass(frozen=True, slots=True)
class Router:
    """Makes routes of ways.

    Attributes:
        nodes: The number in the graph of each stop that is a node.
        at: The middle of each stop across.
        bands: The row of each stop.
    """

    plan: Plan
    nodes: Sequence[int]
    rooms: Sequence[Room]
    at: Sequence[float]
    bands: Sequence[Band]
    ports: Ports

    def routes(self, ways: Sequence[Way]) -> Iterator[Route]:
        """Yield the route of each way; steps that an earlier one took are not drawn again."""
        drawn: set[tuple[int, int]] = set()
        for way in ways:
            start = 0
            while start < len(way.stops) - 2 and way.stops[start : start + 2] in drawn:
                start += 1
            drawn.update(pairwise(way.stops))
            yield self._route(way, start)

    def _route(self, way: Way, start: int) -> Route:
        plan, link = self.plan, way.link
        strokes = self._strokes(way, start)
        tip = strokes[0][0] if link.is_back else strokes[-1][-1]
        _make_room_for_tip(strokes, is_back=link.is_back)
        label = None
        if way.own is not None and plan.labels[link.edge]:
            stop = way.stops[way.own]
            label = plan.turned((self.at[stop], self.bands[stop].middle))
        return Route(
            link.edge,
            tuple(_stroke(plan, points) for points in strokes),
            plan.turned(tip),
            plan.turned((0, -1 if link.is_back else 1)),
            link.is_back,
            label,
        )

    def _strokes(self, way: Way, start: int) -> list[list[Point]]:
        strokes = [list(self._leaving(way, start))]
        for place in range(start + 1, len(way.stops) - 1):
            middle, band = self.at[way.stops[place]], self.bands[way.stops[place]]
            strokes[-1].append((middle, band.start))
            if place == way.own and self.plan.labels[way.link.edge]:
                half = self.plan.label_size(way.link.edge)[1] / 2
                strokes[-1].append((middle, band.middle - half))
                strokes.append([(middle, band.middle + half)])
            strokes[-1].append((middle, band.end))
        strokes[-1] += self._arriving(way)
        return strokes

    def _leaving(self, way: Way, start: int) -> tuple[Point, Point]:
        stop, band = way.stops[start], self.bands[way.stops[start]]
        if start:
            return (self.at[stop], band.end), (self.at[stop], band.end)
        offset = self.ports[stop, way.stops[1]][0]
        middle = self.at[stop] + offset
        return (middle, band.middle + self._half(stop, offset)), (middle, band.end)

    def _arriving(self, way: Way) -> tuple[Point, Point]:
        stop, band = way.stops[-1], self.bands[way.stops[-1]]
        offset = self.ports[way.stops[-2], stop][1]
        middle = self.at[stop] + offset
        return (middle, band.start), (middle, band.middle - self._half(stop, offset))

    def _half(self, stop: int, offset: float) -> float:
        """Return how far a box reaches along from its middle, at the place of a port."""
        node = self.nodes[stop]
        inset = self.plan.inset(node, offset + self.rooms[stop].beside / 2)
        return self.plan.size(node)[1] / 2 - inset


def _make_room_for_tip(strokes: list[list[Point]], *, is_back: bool) -> None:
    """Let the line end where the tip of its arrow begins; rows have room for it."""
    if is_back:
        x, y = strokes[0][0]
        strokes[0][0] = (x, y + TIP)
    else:
        x, y = strokes[-1][-1]
        strokes[-1][-1] = (x, y - TIP)


def _stroke(plan: Plan, points: Sequence[Point]) -> Stroke:
    """Return a line, a curve, a line, and so on; curves begin and end along the way."""
    pieces: list[tuple[Point, ...]] = [(points[0],)]
    for place in range(1, len(points)):
        (x, y), (to_x, to_y) = points[place - 1 : place + 1]
        if place % 2 == 0 and x != to_x:
            middle = (y + to_y) / 2
            pieces.append(((x, middle), (to_x, middle), (to_x, to_y)))
        elif y != to_y:
            pieces.append(((to_x, to_y),))
    return tuple(tuple(map(plan.turned, piece)) for piece in pieces)


def loops(plan: Plan, boxes: Mapping[int, Box], of: Mapping[int, list[int]]) -> Iterator[Route]:
    """Yield the routes of edges from a node to itself: one line, and the labels beside it."""
    for node, edges in of.items():
        wide, deep = plan.size(node)
        middle, along = plan.turned(boxes[node][:2])
        quarter = deep / 4
        side = middle + wide / 2 - plan.inset(node, quarter, side=1)
        far = side + _LOOP
        stroke = (
            ((side, along - quarter),),
            ((far, along - quarter), (far, along + quarter), (side + TIP, along + quarter)),
        )
        at = middle + wide / 2 + _LOOP
        for edge in edges:
            needs = plan.label_size(edge)[0]
            label = plan.turned((at + needs / 2, along)) if plan.labels[edge] else None
            at += needs
            yield Route(
                edge,
                (tuple(tuple(map(plan.turned, piece)) for piece in stroke),)
                if edge == edges[0]
                else (),
                plan.turned((side, along + quarter)),
                plan.turned((-1, 0)),
                True,
                label,
            )
