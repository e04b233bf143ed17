"""What a set of statements says about the contents of components.

Not who is asked, nor when (`changes`, `display`). Invariant: the answer depends
on the set of statements alone, not on their order; more of them can be merged
in at any time.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable

from gitmemo.hashing.digest import Digest
from gitmemo.model.components import Component
from gitmemo.model.contests import Contest, Edge, Place, Roots, contests_in, to_give_up
from gitmemo.model.facts import Decision, Dependency, Move, Statement, Verdict
from gitmemo.model.statements import in_force


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
        counting = in_force(statements)
        self._decided: dict[Component, list[tuple[Digest, Decision]]] = defaultdict(list)
        self._moves: dict[Component, list[Edge]] = defaultdict(list)
        self._needs: dict[Component, list[Dependency]] = defaultdict(list)
        for record, fact in counting.items():
            if isinstance(fact, Decision):
                self._decided[fact.component].append((record, fact))
            elif isinstance(fact, Move):
                self._moves[fact.component].append(Edge(record, fact))
                self._moves[fact.to].append(Edge(record, fact))
            elif isinstance(fact, Dependency):
                self._needs[fact.component].append(fact)
        self._classes: dict[Component, _Classes] = {}
        self.current = frozenset(counting)

    def equivalent(self, component: Component, a: Digest, b: Digest) -> bool:
        """Whether results made with content `a` are results of content `b`."""
        return a == b or self.same((component, a), (component, b))

    def same(self, a: Place, b: Place) -> bool:
        """Whether results made with one content are results of another, perhaps of another component."""
        return a == b or (self._speaks_of(a[0]) and self._of(a[0]).same(a, b))

    def related(self, component: Component, a: Digest, b: Digest) -> bool:
        """Whether somebody has already said how `a` and `b` compare, directly or through others."""
        return self.connected((component, a), (component, b))

    def contested(self, component: Component, content: Digest) -> bool:
        """Whether current decisions contradict each other about `content`."""
        return self._speaks_of(component) and self._of(component).contested((component, content))

    def mentions(self, component: Component, content: Digest) -> bool:
        """Whether a current decision or move is about this very content."""
        return any(
            content in (decision.old, decision.new) for _, decision in self.about(component)
        ) or any((component, content) in edge.ends for edge in self._moves.get(component, ()))

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

    def moved(self) -> list[Component]:
        """Return all components that were called otherwise, or are called otherwise since."""
        return sorted(self._moves)

    def needs(self, component: Component, content: Digest) -> list[Dependency]:
        """Return what calls that touched this content depended on without recording it."""
        found = self._needs.get(component, ()) if self._needs else ()
        return [need for need in found if need.source is None or need.source == content]

    def alike(self, component: Component, content: Digest) -> list[Digest]:
        """Return the contents of a component that are equivalent to this one, itself included."""
        ends = (end for edge in self._edges(component) for end in edge.ends)
        known = {source for place, source in ends if place == component}
        return sorted({content, *(o for o in known if self.equivalent(component, content, o))})

    def only_moved(self, a: Place, b: Place) -> bool:
        """Whether moves alone connect two contents: nobody judged a change between them."""
        return a == b or (self._speaks_of(a[0]) and self._of(a[0]).moved(a, b))

    def connected(self, a: Place, b: Place) -> bool:
        """Whether somebody has already said how two contents compare, perhaps of two components."""
        return a == b or (self._speaks_of(a[0]) and self._of(a[0]).connected(a, b))

    def alike_elsewhere(self, component: Component, content: Digest) -> list[Place]:
        """Return the contents of what a component was called that are equivalent to this one."""
        ends = {end for edge in self._edges(component) for end in edge.ends}
        return sorted(p for p in ends if p[0] != component and self.same((component, content), p))

    def contests(self) -> list[Contest]:
        """Return the current statements that contradict each other, sorted by component."""
        found: dict[frozenset[Place], Contest] = {}
        seen: set[Component] = set()
        for component in sorted(self._decided):
            if component in seen:
                continue
            seen |= self._group(component)
            for contest in contests_in(self._edges(component)):
                found.setdefault(contest.contents, contest)
        return sorted(found.values(), key=lambda contest: contest.component)

    def to_give_up(
        self, component: Component, old: Digest, new: Digest, verdict: Verdict
    ) -> tuple[Digest, ...]:
        """Return the record ids that a decision has to supersede to hold, without a contest."""
        edges = self._edges(component)
        return tuple(to_give_up(edges, (component, old), (component, new), verdict))

    @property
    def any_moves(self) -> bool:
        """Whether anything was renamed or moved at all."""
        return bool(self._moves)

    @property
    def any_needs(self) -> bool:
        """Whether anybody added a dependency at all."""
        return bool(self._needs)

    def needs_any(self, component: Component) -> bool:
        """Whether anybody added a dependency to a component."""
        return component in self._needs

    def _speaks_of(self, component: Component) -> bool:
        return component in self._decided or component in self._moves

    def _group(self, component: Component) -> set[Component]:
        """Return the components that moves connect with this one, itself included."""
        found, todo = {component}, [component]
        while todo:
            for move in self._moves.get(todo.pop(), ()):
                new = {component for component, _ in move.ends} - found
                found |= new
                todo += new
        return found

    def _edges(self, component: Component) -> list[Edge]:
        """Return what current statements say of a component, and of what it was called."""
        group = self._group(component)
        decided = [Edge(r, said) for one in group for r, said in self._decided.get(one, ())]
        moves = {move.record: move for one in group for move in self._moves.get(one, ())}
        return [*decided, *moves.values()]

    def _of(self, component: Component) -> _Classes:
        classes = self._classes.get(component)
        if classes is None:
            classes = _Classes(self._edges(component))
            self._classes.update(dict.fromkeys(self._group(component), classes))
        return classes


class _Classes:
    """The classes of the contents of one component, and of those that it was called."""

    def __init__(self, edges: Iterable[Edge]) -> None:
        self._same, self._near, self._moved = Roots(), Roots(), Roots()
        self._joined: set[Place] = set()
        apart: list[Edge] = []
        for edge in edges:
            a, b = edge.ends
            self._near.join(a, b)
            if isinstance(edge.statement, Move):
                self._moved.join(a, b)
            if edge.joins:
                self._same.join(a, b)
                self._joined.update((a, b) if a != b else ())
            else:
                apart.append(edge)
        ends = ((self._same.of(edge.ends[0]), self._same.of(edge.ends[1])) for edge in apart)
        self._contested = {a for a, b in ends if a == b}

    def same(self, a: Place, b: Place) -> bool:
        root = self._same.of(a)
        return root == self._same.of(b) and root not in self._contested

    def moved(self, a: Place, b: Place) -> bool:
        return self._moved.of(a) == self._moved.of(b)

    def connected(self, a: Place, b: Place) -> bool:
        return self._near.of(a) == self._near.of(b)

    def contested(self, a: Place) -> bool:
        return self._same.of(a) in self._contested

    def joined(self, a: Place) -> bool:
        return a in self._joined and not self.contested(a)

    def representative(self, a: Place) -> Place:
        root = self._same.of(a)
        return a if root in self._contested else root
