"""Where everything of a picture lies: boxes, the routes of edges, labels.

Not how it looks (`svg`), nor how the places are found (`ranks`, `tracks`, `rows`, `placing`). Each
connected part is laid out for itself; parts stand beside each other. Invariants: boxes do not
overlap, and the same graph with the same sizes gives the same layout.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from gitmemo.drawing.graph import Direction, Graph
from gitmemo.drawing.placing import Room, across, bands, ports
from gitmemo.drawing.plan import Box, Part, Plan, Size, parts, plan
from gitmemo.drawing.ranks import Pair, backward, ranks
from gitmemo.drawing.routes import Route, Router, loops
from gitmemo.drawing.rows import rows_of
from gitmemo.drawing.tracks import Link, Tracks, tracks

MARGIN = 14.0
_BETWEEN_PARTS, _WIDER_THAN_HIGH = 30.0, 1.6


@dataclass(frozen=True, slots=True)
class Layout:
    """A whole picture; boxes in the order of the nodes."""

    width: float
    height: float
    boxes: tuple[Box, ...]
    routes: tuple[Route, ...]


@dataclass(slots=True)
class _Drawn:
    """A part that is laid out, with its upper left corner in the origin."""

    boxes: dict[int, Box]
    routes: list[Route]
    width: float
    height: float


def layout(
    graph: Graph, sizes: Sequence[Size], labels: Sequence[float], direction: Direction = "TB"
) -> Layout:
    """Return where the nodes and edges of a graph lie.

    Args:
        sizes: How large each node is.
        labels: How wide the label of each edge is, 0 where there is none.
    """
    whole = plan(graph, sizes, labels, direction)
    drawn = [_drawn(whole, part) for part in parts(len(graph.nodes), whole.ends)]
    boxes, routes = dict[int, Box](), dict[int, Route]()
    width = height = 0.0
    for part, (x, y) in zip(drawn, _shelves(drawn), strict=True):
        for node, box in part.boxes.items():
            boxes[node] = box._replace(x=box.x + x, y=box.y + y)
        routes |= {route.edge: route.moved(x, y) for route in part.routes}
        width, height = max(width, x + part.width), max(height, y + part.height)
    in_order = tuple(boxes[node] for node in range(len(graph.nodes)))
    edges = tuple(routes[edge] for edge in range(len(graph.edges)))
    return Layout(width + MARGIN, height + MARGIN, in_order, edges)


def _shelves(drawn: Sequence[_Drawn]) -> Iterator[tuple[float, float]]:
    """Yield the corner of each part: side by side, in as many rows as a page has room for."""
    area = sum((one.width + _BETWEEN_PARTS) * (one.height + _BETWEEN_PARTS) for one in drawn)
    most = max([(area * _WIDER_THAN_HIGH) ** 0.5, *(one.width for one in drawn)])
    x, y, high = 0.0, 0.0, 0.0
    for one in drawn:
        if x and x + one.width > most:
            x, y, high = 0.0, y + high + _BETWEEN_PARTS, 0.0
        yield MARGIN + x, MARGIN + y
        x, high = x + one.width + _BETWEEN_PARTS, max(high, one.height)


def _drawn(whole: Plan, part: Part) -> _Drawn:
    local = {node: place for place, node in enumerate(part.nodes)}
    pairs = [(local[whole.ends[edge][0]], local[whole.ends[edge][1]]) for edge in part.edges]
    back = backward(len(local), pairs, _starts(whole, part, pairs))
    downward = [(b, a) if place in back else (a, b) for place, (a, b) in enumerate(pairs)]
    found = tracks(ranks(len(local), downward), list(_links(whole, part.edges, downward, back)))
    return _placed(whole, part, found)


def _starts(whole: Plan, part: Part, pairs: Sequence[Pair]) -> list[int]:
    """Return where walks begin: at what nothing leads to, else at values, before functions."""
    reached = {b for _, b in pairs}

    def turn(place: int) -> tuple[bool, bool]:
        return place in reached, whole.graph.nodes[part.nodes[place]].kind == "function"

    return sorted(range(len(part.nodes)), key=turn)


def _links(
    whole: Plan, edges: Sequence[int], downward: Sequence[Pair], back: frozenset[int]
) -> Iterator[Link]:
    seen = set()
    for place, (edge, (high, low)) in enumerate(zip(edges, downward, strict=True)):
        is_back = place in back
        is_apart = is_back or whole.labels[edge] > 0 or (high, low) in seen
        seen.add((high, low))
        end = whole.ends[edge][0 if is_back else 1]
        is_late = whole.graph.nodes[end].kind == "function"  # names of arguments stand at functions
        items = whole.graph.edges[edge].items
        yield Link(edge, high, low, is_back, is_apart, is_late, items)


def _placed(whole: Plan, part: Part, found: Tracks) -> _Drawn:
    rooms = [whole.node_room(part, node) for node in part.nodes]
    rooms += [_stop_room(whole, found, stop) for stop in range(len(rooms), len(found.rank))]
    steps = found.steps()
    rows = rows_of(found, steps)
    at_ports = ports(rows, steps, rooms)
    at = across(rows, steps, rooms, at_ports)
    left = min(middle - room.across / 2 for middle, room in zip(at, rooms, strict=True))
    at = [middle - left for middle in at]
    has_back = any(way.link.is_back for way in found.ways)
    all_bands = bands(rows, steps, rooms, at, has_back=has_back)
    band = [all_bands[rank] for rank in found.rank]
    boxes = {}
    for stop, node in enumerate(part.nodes):
        middle = whole.turned((at[stop] - rooms[stop].beside / 2, band[stop].middle))
        boxes[node] = Box(*middle, *whole.sizes[node][:2])
    router = Router(whole, part.nodes, rooms, at, band, at_ports)
    routes = [*router.routes(found.ways), *loops(whole, boxes, part.loops)]
    wide = max(middle + room.across / 2 for middle, room in zip(at, rooms, strict=True))
    high = max(one.middle + room.depth / 2 for one, room in zip(band, rooms, strict=True))
    return _Drawn(boxes, routes, *whole.turned((wide, high)))


def _stop_room(whole: Plan, found: Tracks, stop: int) -> Room:
    if stop not in found.owner:
        return Room(2.0, 0.0)
    wide, deep = whole.label_size(found.owner[stop])
    return Room(wide, deep)
