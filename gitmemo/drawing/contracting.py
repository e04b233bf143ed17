"""Which nodes of a large graph are gathered with the one that leads to them, or that they lead to.

Not twins and chains (`folding`). Invariant: what all ways into a node pass is gathered with it, or
what all ways out of it pass; so no way appears or vanishes between the other nodes.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from heapq import heapify, heappop, heappush

from gitmemo.drawing.graph import Graph


@dataclass(slots=True)
class _Groups:
    """Groups by the number of their first node, and which are next to each other."""

    members: list[list[int]]
    before: list[set[int]]
    after: list[set[int]]

    def choices(self, group: int) -> Iterator[tuple[int, int, int]]:
        """Yield what a group may be gathered with: how large both are, and their numbers."""
        for near in (self.before[group], self.after[group]):
            if len(near) == 1:
                (other,) = near
                yield len(self.members[group]) + len(self.members[other]), group, other

    def gather(self, group: int, other: int) -> None:
        """Put one group into another."""
        for near, back in ((self.before, self.after), (self.after, self.before)):
            for one in near[group] - {other}:
                back[one].discard(group)
                back[one].add(other)
                near[other].add(one)
            near[other].discard(group)
            near[group] = set()
        self.members[other] += self.members[group]
        self.members[group] = []


def contracted(graph: Graph, most: int) -> list[tuple[str, ...]]:
    """Return groups that leave `most` nodes, or as few as possible; the smallest are made first."""
    number = {node.key: place for place, node in enumerate(graph.nodes)}
    groups = _Groups(
        [[place] for place in range(len(number))], [set() for _ in number], [set() for _ in number]
    )
    for edge in graph.edges:
        a, b = number[edge.source], number[edge.target]
        if a != b:
            groups.before[b].add(a)
            groups.after[a].add(b)
    waiting = [choice for group in range(len(number)) for choice in groups.choices(group)]
    heapify(waiting)
    left = len(number)
    while waiting and left > most:
        choice = heappop(waiting)
        _, group, other = choice
        if choice not in groups.choices(group):
            continue
        groups.gather(group, other)
        left -= 1
        for near in (other, *sorted(groups.before[other] | groups.after[other])):
            for new in groups.choices(near):
                heappush(waiting, new)
    keys = [node.key for node in graph.nodes]
    return [tuple(keys[place] for place in sorted(g)) for g in groups.members if len(g) > 1]
