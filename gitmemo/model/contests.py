"""Statements that contradict each other, and which of them go when somebody settles it.

Not the equivalence itself (`decisions`). Pure: it works on the edges that current
decisions and moves make between contents. Invariant: the answer depends on the set of
edges alone, and what is given up is so little that none of it could have stayed.
"""

from __future__ import annotations

from collections import defaultdict, deque
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from itertools import islice
from typing import TypeAlias

from gitmemo.hashing.digest import Digest
from gitmemo.model.components import Component
from gitmemo.model.facts import Decision, Move, Verdict

Place: TypeAlias = tuple[Component, Digest]
"""A content of a component."""

_MOST_EXPLAINED = 20  # nobody reads more, and each is a search


@dataclass(frozen=True, slots=True)
class Edge:
    """What a current statement says of two contents."""

    record: Digest
    statement: Decision | Move

    @property
    def ends(self) -> tuple[Place, Place]:
        """The two contents, the older one first."""
        said = self.statement
        if isinstance(said, Move):
            return (said.component, said.source), (said.to, said.new)
        return (said.component, said.old), (said.component, said.new)

    @property
    def joins(self) -> bool:
        """Whether it says that results of one are results of the other."""
        return isinstance(self.statement, Move) or self.statement.verdict is Verdict.NON_BREAKING


@dataclass(frozen=True, slots=True)
class Contest:
    """Current statements that cannot all be true.

    Attributes:
        breaking: The decisions that hold two contents apart.
        joining: Statements that connect these contents nevertheless, by the shortest ways.
        contents: Everything that is connected with them: only the very same content matches.
    """

    breaking: tuple[Edge, ...]
    joining: tuple[Edge, ...]
    contents: frozenset[Place]

    @property
    def component(self) -> Component:
        """The component that it is about."""
        return self.breaking[0].ends[0][0]


class Roots:
    """Union-find over contents; the smallest of a class stands for it."""

    def __init__(self) -> None:
        self._parents: dict[Place, Place] = {}

    def of(self, place: Place) -> Place:
        """Return what stands for the class of `place`."""
        parents = self._parents
        while (parent := parents.get(place, place)) != place:
            parents[place] = parents.get(parent, parent)
            place = parent
        return place

    def join(self, a: Place, b: Place) -> None:
        """Make one class of two."""
        low, high = sorted((self.of(a), self.of(b)))
        if low != high:
            self._parents[high] = low


def contests_in(edges: Iterable[Edge]) -> list[Contest]:
    """Return the contradictions among statements, one for each class of contents."""
    every = sorted(edges, key=lambda edge: edge.record)
    joining = [edge for edge in every if edge.joins]
    roots = _joined(joining)
    apart: dict[Place, list[Edge]] = defaultdict(list)
    for edge in every:
        a, b = edge.ends
        if not edge.joins and roots.of(a) == roots.of(b):
            apart[roots.of(a)].append(edge)
    return [
        Contest(
            tuple(apart[root]),
            tuple(_ways(apart[root], joining)),
            frozenset(p for edge in every for p in edge.ends if roots.of(p) == root),
        )
        for root in sorted(apart)
    ]


def to_give_up(edges: Iterable[Edge], old: Place, new: Place, verdict: Verdict) -> list[Digest]:
    """Return the statements to supersede so that `verdict` on two contents holds.

    What was said of the same pair; for a non-breaking verdict the breaking decisions inside the
    class that it makes. For a breaking one about contents that are connected, something is cut:
    of the connections those nearest to `new`, so that as few older results as possible pass for
    those of `new`; moves only where nothing else helps. The class is not contested afterwards.
    """
    every = sorted(edges, key=lambda edge: edge.record)
    replaced = [e for e in every if isinstance(e.statement, Decision) and set(e.ends) == {old, new}]
    joining = [edge for edge in every if edge.joins]
    apart = [edge for edge in every if not edge.joins and edge not in replaced]
    if verdict is Verdict.NON_BREAKING:
        roots = _joined(joining)
        roots.join(old, new)
        one = roots.of(old)
        found = [edge for edge in apart if one == roots.of(edge.ends[0]) == roots.of(edge.ends[1])]
    else:
        found = _to_cut([e for e in joining if e not in replaced], apart, old, new)
    return sorted({edge.record for edge in (*replaced, *found)})


def _to_cut(joining: Sequence[Edge], apart: Sequence[Edge], old: Place, new: Place) -> list[Edge]:
    """Return what keeps `old` and `new`, and all that is to be held apart beside them, in one class."""
    mine = _joined(joining).of
    near = {mine(old), mine(new)}
    inside = [edge for edge in joining if mine(edge.ends[0]) in near]
    # A content that is held apart from itself: nothing else can settle that.
    found = [e for e in apart if e.ends[0] == e.ends[1] and mine(e.ends[0]) in near]
    pairs = [(old, new), *(edge.ends for edge in apart if edge not in found)]
    kept = Roots()
    for edge in _nearest_last(inside, new):
        if _keeps_apart(kept, edge, pairs):
            kept.join(*edge.ends)
        else:
            found.append(edge)
    return found


def _joined(edges: Iterable[Edge]) -> Roots:
    roots = Roots()
    for edge in edges:
        roots.join(*edge.ends)
    return roots


def _nearest_last(edges: Sequence[Edge], new: Place) -> list[Edge]:
    """Return connections in the order in which they are kept: moves, then what is far from `new`."""
    steps = {place: number for place, (number, _) in _reached(edges, new).items()}

    def precedence(edge: Edge) -> tuple[bool, int, Digest]:
        away = min(steps.get(end, len(steps)) for end in edge.ends)
        return isinstance(edge.statement, Decision), -away, edge.record

    return sorted(edges, key=precedence)


def _keeps_apart(roots: Roots, edge: Edge, pairs: Iterable[tuple[Place, Place]]) -> bool:
    """Whether no pair would be in one class with `edge`."""
    a, b = (roots.of(end) for end in edge.ends)
    return a == b or all({roots.of(p), roots.of(q)} != {a, b} for p, q in pairs)


def _ways(apart: Iterable[Edge], joining: Sequence[Edge]) -> Iterator[Edge]:
    """Yield the edges of a shortest way between the ends of the first of `apart`, each once."""
    seen: set[Digest] = set()
    for edge in islice(apart, _MOST_EXPLAINED):
        old, new = edge.ends
        reached = _reached(joining, old)
        place = new
        while (step := reached[place][1]) is not None:
            if step.record not in seen:
                seen.add(step.record)
                yield step
            a, b = step.ends
            place = a if place == b else b


def _reached(edges: Iterable[Edge], start: Place) -> dict[Place, tuple[int, Edge | None]]:
    """Return the places that edges lead to: in how many steps, and the last of them."""
    near: dict[Place, list[Edge]] = defaultdict(list)
    for edge in edges:
        for end in edge.ends:
            near[end].append(edge)
    found: dict[Place, tuple[int, Edge | None]] = {start: (0, None)}
    todo = deque([start])
    while todo:
        place = todo.popleft()
        for edge in near[place]:
            for end in edge.ends:
                if end not in found:
                    found[end] = (found[place][0] + 1, edge)
                    todo.append(end)
    return found
