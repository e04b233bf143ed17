"""What is to be laid out: a graph in numbers, its sizes, and its connected parts.

Not where anything lies (`layout`). *Across* is along a row of nodes, *along* leads from row to row:
whether rows are horizontal is known here alone. Invariant: parts hold every node and edge once.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import NamedTuple, TypeAlias

from gitmemo.drawing.graph import Direction, Graph
from gitmemo.drawing.placing import Room

Point: TypeAlias = tuple[float, float]

_LOOP, _LABEL_HEIGHT = 20.0, 14.0


class Size(NamedTuple):
    """How large a box is, and the radius of its corners."""

    width: float
    height: float
    radius: float


class Box(NamedTuple):
    """A node in the plane: its middle and its size."""

    x: float
    y: float
    width: float
    height: float


@dataclass(slots=True)
class Part:
    """Nodes that edges connect; nodes, edges and loops by their numbers in the graph."""

    nodes: list[int]
    edges: list[int]
    loops: dict[int, list[int]]


@dataclass(frozen=True, slots=True)
class Plan:
    """A graph in numbers.

    Attributes:
        ends: The nodes of each edge.
        sizes: How large each node is.
        labels: How wide the label of each edge is, 0 where there is none.
        is_flat: Whether rows are columns, that is, the picture leads from left to right.
    """

    graph: Graph
    ends: Sequence[tuple[int, int]]
    sizes: Sequence[Size]
    labels: Sequence[float]
    is_flat: bool

    def turned(self, point: Point) -> Point:
        """Return what is (across, along) as (x, y), and the other way."""
        return (point[1], point[0]) if self.is_flat else point

    def size(self, node: int) -> Point:
        """Return how far a node reaches across and along."""
        return self.turned(self.sizes[node][:2])

    def label_size(self, edge: int) -> Point:
        """Return how far a label reaches across and along."""
        width = self.labels[edge]
        return self.turned((width + 4, _LABEL_HEIGHT) if width else (4.0, 0.0))

    def node_room(self, part: Part, node: int) -> Room:
        """Return what a node needs, with the loops beside it."""
        wide, deep = self.size(node)
        loops = part.loops.get(node, [])
        beside = _LOOP + sum(self.label_size(edge)[0] for edge in loops) if loops else 0.0
        return Room(wide + beside, deep, beside, is_node=True)

    def inset(self, node: int, offset: float, side: int = 0) -> float:
        """Return how much a round box begins later beside the middle of a side.

        Args:
            side: 0 for those that face other rows, 1 for those along them.
        """
        radius = self.sizes[node].radius
        over = abs(offset) - (self.size(node)[side] / 2 - radius)
        return radius - math.sqrt(max(radius**2 - over**2, 0.0)) if over > 0 else 0.0


def plan(
    graph: Graph, sizes: Sequence[Size], labels: Sequence[float], direction: Direction
) -> Plan:
    """Return a graph in numbers."""
    number = {node.key: place for place, node in enumerate(graph.nodes)}
    ends = [(number[edge.source], number[edge.target]) for edge in graph.edges]
    return Plan(graph, ends, sizes, labels, direction == "LR")


def parts(count: int, ends: Sequence[tuple[int, int]]) -> list[Part]:
    """Return the connected parts, in the order of their first nodes."""
    near: list[list[int]] = [[] for _ in range(count)]
    for a, b in ends:
        near[a].append(b)
        near[b].append(a)
    part_of, found = [-1] * count, list[Part]()
    for start in range(count):
        if part_of[start] < 0:
            part_of[start], todo = len(found), [start]
            found.append(Part([], [], {}))
            while todo:
                for other in near[todo.pop()]:
                    if part_of[other] < 0:
                        part_of[other] = len(found) - 1
                        todo.append(other)
        found[part_of[start]].nodes.append(start)
    for edge, (a, b) in enumerate(ends):
        part = found[part_of[a]]
        if a == b:
            part.loops.setdefault(a, []).append(edge)
        else:
            part.edges.append(edge)
    return found
