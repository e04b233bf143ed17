"""In which row each node lies: below everything that leads to it.

Not the order within a row (`rows`). Nodes are numbers here, edges pairs of them without loops from
a node to itself. Invariant: nothing recurses, however long a chain is.
"""

from __future__ import annotations

from collections.abc import Sequence
from heapq import heapify, heappop, heappush
from typing import TypeAlias

Pair: TypeAlias = tuple[int, int]


def backward(count: int, edges: Sequence[Pair], starts: Sequence[int]) -> frozenset[int]:
    """Return the places of the edges that lead back; without them there is no cycle.

    A walk from `starts`, which names every node, decides: an edge to a node that it is still
    below of leads back. So a loop is cut where the computation came into it.
    """
    out: list[list[Pair]] = [[] for _ in range(count)]
    for place, (a, b) in enumerate(edges):
        out[a].append((place, b))
    unseen, open_, done = 0, 1, 2
    state, found = [unseen] * count, set()
    for start in starts:
        todo = [(start, iter(out[start]))] if state[start] == unseen else []
        state[start] = state[start] or open_
        while todo:
            node, rest = todo[-1]
            for place, other in rest:
                if state[other] == open_:
                    found.add(place)
                elif state[other] == unseen:
                    state[other] = open_
                    todo.append((other, iter(out[other])))
                    break
            else:
                state[node] = done
                todo.pop()
    return frozenset(found)


def ranks(count: int, edges: Sequence[Pair]) -> list[int]:
    """Return the row of each node of a graph without cycles: the longest way that leads to it.

    What nothing leads to, and what leads to one node alone, is drawn down to where it is used.
    """
    before: list[list[int]] = [[] for _ in range(count)]
    after: list[list[int]] = [[] for _ in range(count)]
    for a, b in dict.fromkeys(edges):
        before[b].append(a)
        after[a].append(b)
    order = _from_the_top(before, after)
    rank, is_free = [0] * count, [True] * count
    for node in order:
        rank[node] = max((rank[a] + 1 for a in before[node]), default=0)
        is_free[node] = all(is_free[a] and len(after[a]) == 1 for a in before[node])
    for node in reversed(order):
        if is_free[node] and after[node]:
            rank[node] = min(rank[b] for b in after[node]) - 1
    first = min(rank, default=0)
    return [row - first for row in rank]


def topological(count: int, edges: Sequence[Pair]) -> list[int]:
    """Return the nodes, each after all that lead to it, else in their own order."""
    before: list[list[int]] = [[] for _ in range(count)]
    after: list[list[int]] = [[] for _ in range(count)]
    for a, b in edges:
        before[b].append(a)
        after[a].append(b)
    return _from_the_top(before, after)


def _from_the_top(before: Sequence[Sequence[int]], after: Sequence[Sequence[int]]) -> list[int]:
    waits = [len(ones) for ones in before]
    todo = [node for node, number in enumerate(waits) if not number]
    heapify(todo)
    order = []
    while todo:
        node = heappop(todo)
        order.append(node)
        for other in after[node]:
            waits[other] -= 1
            if not waits[other]:
                heappush(todo, other)
    return order
