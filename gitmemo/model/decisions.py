"""What a set of statements says about the contents of components.

Not who is asked, nor when (`changes`, `display`). Invariant: the answer depends
on the set of statements alone, not on their order; more of them can be merged
in at any time.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable
from typing import TypeAlias

from gitmemo.hashing.digest import Digest
from gitmemo.model.components import Component
from gitmemo.model.facts import Decision, Dependency, Move, Statement, Verdict

Place: TypeAlias = tuple[Component, Digest]
"""A content of a component."""


class Decisions:
    """The equivalence that a set of statements makes.

    Current statements are those that no other supersedes. Two contents are
    equivalent when current non-breaking decisions and moves connect them. A current
    breaking decision between two equivalent contents makes the whole class
    contested: then only identical contents match, until someone revises.

    Attributes:
        current: Record ids of those that count.
    """

    def __init__(self, statements: Iterable[tuple[Digest, Statement]] = ()) -> None:
        """`statements` are pairs of record id and fact; renames say nothing here."""
        facts = dict(statements)
        superseded = {other for fact in facts.values() for other in fact.supersedes}
        self._decided: dict[Component, list[tuple[Digest, Decision]]] = defaultdict(list)
        self._moves: dict[Component, list[Move]] = defaultdict(list)
        self._needs: dict[Component, list[Dependency]] = defaultdict(list)
        for record, fact in sorted(facts.items(), key=lambda pair: pair[0]):
            if record in superseded:
                continue
            if isinstance(fact, Decision):
                self._decided[fact.component].append((record, fact))
            elif isinstance(fact, Move):
                self._moves[fact.component].append(fact)
                self._moves[fact.to].append(fact)
            elif isinstance(fact, Dependency):
                self._needs[fact.component].append(fact)
        self._classes: dict[Component, _Classes] = {}
        self.current = frozenset(facts.keys() - superseded)

    def equivalent(self, component: Component, a: Digest, b: Digest) -> bool:
        """Whether results made with content `a` are results of content `b`."""
        return a == b or self.same((component, a), (component, b))

    def same(self, a: Place, b: Place) -> bool:
        """Whether results made with one content are results of another, perhaps of another component."""
        return a == b or (self._speaks_of(a[0]) and self._of(a[0]).same(a, b))

    def related(self, component: Component, a: Digest, b: Digest) -> bool:
        """Whether somebody has already said how `a` and `b` compare, directly or through others."""
        if a == b:
            return True
        places = (component, a), (component, b)
        return self._speaks_of(component) and self._of(component).connected(*places)

    def contested(self, component: Component, content: Digest) -> bool:
        """Whether current decisions contradict each other about `content`."""
        return self._speaks_of(component) and self._of(component).contested((component, content))

    def between(self, component: Component, a: Digest, b: Digest) -> tuple[Digest, ...]:
        """Return the record ids of the current decisions made about exactly this pair."""
        return tuple(
            record
            for record, decision in self._decided.get(component, ())
            if {decision.old, decision.new} == {a, b}
        )

    def about(self, component: Component) -> list[tuple[Digest, Decision]]:
        """Return the current decisions about a component, with their record ids."""
        return list(self._decided.get(component, ()))

    def is_joined(self, component: Component, content: Digest) -> bool:
        """Whether `content` is equivalent to another: a contested one is not."""
        return self._speaks_of(component) and self._of(component).joined((component, content))

    def representative(self, component: Component, content: Digest) -> Place:
        """Return one content that stands for all that are equivalent to this one."""
        place = (component, content)
        return self._of(component).representative(place) if self._speaks_of(component) else place

    def places(self, component: Component) -> list[Component]:
        """Return what else a component was called, or is called since, sorted."""
        return sorted(self._group(component) - {component}) if component in self._moves else []

    def needs(self, component: Component, content: Digest) -> list[Dependency]:
        """Return what calls that touched this content depended on without recording it."""
        found = self._needs.get(component, ()) if self._needs else ()
        return [need for need in found if need.source is None or need.source == content]

    def _speaks_of(self, component: Component) -> bool:
        return component in self._decided or component in self._moves

    def _group(self, component: Component) -> set[Component]:
        """Return the components that moves connect with this one, itself included."""
        found, todo = {component}, [component]
        while todo:
            for move in self._moves.get(todo.pop(), ()):
                new = {move.component, move.to} - found
                found |= new
                todo += new
        return found

    def _of(self, component: Component) -> _Classes:
        classes = self._classes.get(component)
        if classes is None:
            group = self._group(component)
            decided = [d for one in group for _, d in self._decided.get(one, ())]
            moves = [move for one in group for move in self._moves.get(one, ())]
            classes = _Classes(decided, moves)
            self._classes.update(dict.fromkeys(group, classes))
        return classes


class _Classes:
    """Union-find over the contents of one component, and of those that it was called."""

    def __init__(self, decisions: Iterable[Decision], moves: Iterable[Move]) -> None:
        self._same: dict[Place, Place] = {}
        self._near: dict[Place, Place] = {}
        breaking: list[tuple[Place, Place]] = []
        joined = [((move.component, move.source), (move.to, move.new)) for move in moves]
        for decision in decisions:
            pair = (decision.component, decision.old), (decision.component, decision.new)
            if decision.verdict is Verdict.NON_BREAKING:
                joined.append(pair)
            else:
                breaking.append(pair)
        self._joined = {place for a, b in joined if a != b for place in (a, b)}
        for a, b in joined:
            _join(self._same, a, b)
        for a, b in (*joined, *breaking):
            _join(self._near, a, b)
        self._contested = {
            _root(self._same, old)
            for old, new in breaking
            if _root(self._same, old) == _root(self._same, new)
        }

    def same(self, a: Place, b: Place) -> bool:
        root = _root(self._same, a)
        return root == _root(self._same, b) and root not in self._contested

    def connected(self, a: Place, b: Place) -> bool:
        return _root(self._near, a) == _root(self._near, b)

    def contested(self, a: Place) -> bool:
        return _root(self._same, a) in self._contested

    def joined(self, a: Place) -> bool:
        return a in self._joined and not self.contested(a)

    def representative(self, a: Place) -> Place:
        root = _root(self._same, a)
        return a if root in self._contested else root


def _root(parents: dict[Place, Place], node: Place) -> Place:
    while (parent := parents.get(node, node)) != node:
        parents[node] = parents.get(parent, parent)
        node = parent
    return node


def _join(parents: dict[Place, Place], a: Place, b: Place) -> None:
    low, high = sorted((_root(parents, a), _root(parents, b)))
    if low != high:
        parents[high] = low
