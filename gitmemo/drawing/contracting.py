"""Which nodes of a large graph are gathered with the one that leads to them, or that they lead to.

Not twins and chains (`folding`). Invariant: what all ways into a node pass is gathered with it, or
what all ways out of it pass; so no way appears or vanishes between the other nodes.
"""

from __future__ import annotations

from dataclasses import dataclass
from heapq import heapify, heappop, heappush
from typing import TypeAlias

from gitmemo.drawing.graph import Graph

Choice: TypeAlias = tuple[int, int, int]
"""About how large two groups are together, and their numbers: the first would go into the second.

In powers of two: were it exact, each gathering would change what thousands of others wait for.
"""


@dataclass(slots=True)
class _Groups:
    """Groups by the number of one of their nodes, and which are next to each other."""

    members: list[list[int]]
    before: list[set[int]]
    after: list[set[int]]

    def choice(self, group: int) -> Choice | None:
        """Return what a group is best gathered with, if anything: the smaller of two neighbours."""
        size = len(self.members[group])
        lone = [near for near in (self.before[group], self.after[group]) if len(near) == 1]
        others = [other for near in lone for other in near]
        return min(
            (((size + len(self.members[o])).bit_length(), group, o) for o in others), default=None
        )

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
    best = [groups.choice(group) for group in range(len(number))]
    waiting = [choice for choice in best if choice]
    heapify(waiting)
    left = len(number)
    while waiting and left > most:
        choice = heappop(waiting)
        _, group, other = choice
        if choice != best[group]:
            continue
        changed = [group]  # what it could be gathered with may have grown meanwhile
        if choice == groups.choice(group):
            changed = [group, other, *sorted(groups.before[group] | groups.after[group])]
            groups.gather(group, other)
            left -= 1
        for one in changed:
            new, known = groups.choice(one), best[one]
            best[one] = new
            if new and new != known:
                heappush(waiting, new)
    keys = [node.key for node in graph.nodes]
    return [tuple(keys[place] for place in sorted(g)) for g in groups.members if len(g) > 1]
