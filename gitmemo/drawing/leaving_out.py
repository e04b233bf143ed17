"""What of a graph is left out when groups and chains are not enough.

Not groups (`folding`). Invariant: where a way led through a node that is left out, an edge stands
for it, unless another way says the same.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import replace
from heapq import heapify, heappop, heappush

from gitmemo.drawing.graph import Edge, Graph

_STANDS_FOR_MORE = "…"


def left_out(graph: Graph, most: int) -> Graph:
    """Return the graph with its `most` best connected nodes."""
    number = {node.key: place for place, node in enumerate(graph.nodes)}
    before: list[set[int]] = [set() for _ in number]
    after: list[set[int]] = [set() for _ in number]
    for edge in graph.edges:
        a, b = number[edge.source], number[edge.target]
        if a != b:
            before[b].add(a)
            after[a].add(b)
    direct = {(number[edge.source], number[edge.target]) for edge in graph.edges}
    gone = set(_leave(before, after, len(number) - most))
    stays = [place for place in range(len(number)) if place not in gone]
    added = [(a, b) for a in stays for b in sorted(after[a]) if (a, b) not in direct]
    kept = [(a, b) for a in stays for b in after[a] if (a, b) in direct]
    edges = [e for e in graph.edges if not {number[e.source], number[e.target]} & gone]
    for a, b in _needed(stays, kept, added):
        edges.append(Edge(graph.nodes[a].key, graph.nodes[b].key, _STANDS_FOR_MORE))
    nodes = tuple(graph.nodes[place] for place in stays)
    return replace(graph, nodes=nodes, edges=tuple(edges))


def _leave(before: list[set[int]], after: list[set[int]], number: int) -> Iterator[int]:
    """Yield the nodes that are left out; first those that the fewest ways lead through.

    Ways through a node become edges: which nodes are reached from which stays as it was.
    """

    def turn(node: int) -> tuple[int, int]:
        into, out = len(before[node]), len(after[node])
        return max(into, 1) * max(out, 1), node

    waiting = [turn(node) for node in range(len(before))]
    heapify(waiting)
    gone: set[int] = set()
    while len(gone) < number:
        at = heappop(waiting)
        node = at[1]
        if node in gone or at != turn(node):
            continue
        gone.add(node)
        yield node
        for a in before[node]:
            after[a].discard(node)
            after[a] |= after[node] - {a}
        for b in after[node]:
            before[b].discard(node)
            before[b] |= before[node] - {b}
        for near in sorted(before[node] | after[node]):
            heappush(waiting, turn(near))


def _needed(
    stays: Sequence[int], kept: Sequence[tuple[int, int]], added: Sequence[tuple[int, int]]
) -> Iterator[tuple[int, int]]:
    """Yield the added edges that no other way stands for."""
    after: dict[int, set[int]] = {place: set() for place in stays}
    for a, b in (*kept, *added):
        after[a].add(b)
    for a, b in added:
        after[a].discard(b)
        if not _leads(after, a, b):
            after[a].add(b)
            yield a, b


def _leads(after: dict[int, set[int]], start: int, end: int) -> bool:
    seen, todo = {start}, [start]
    while todo:
        for other in after[todo.pop()]:
            if other == end:
                return True
            if other not in seen:
                seen.add(other)
                todo.append(other)
    return False
