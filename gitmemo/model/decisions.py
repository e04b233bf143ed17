"""What a set of decisions says about two contents of a component.

Not who is asked, nor when (`display`, `hooks`). Invariant: the answer depends
on the set of decisions alone, not on their order; more decisions can be merged
in at any time.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable

from gitmemo.hashing.digest import Digest
from gitmemo.model.components import Component
from gitmemo.model.facts import Decision, Verdict


class Decisions:
    """The equivalence that a set of decisions makes.

    Current decisions are those that no other supersedes. Two contents are
    equivalent when current non-breaking decisions connect them. A current
    breaking decision between two equivalent contents makes the whole class
    contested: then only identical contents match, until someone revises.

    Attributes:
        current: Record ids of those that count.
    """

    def __init__(self, decisions: Iterable[tuple[Digest, Decision]] = ()) -> None:
        """`decisions` are pairs of record id and decision."""
        facts = dict(decisions)
        superseded = {other for decision in facts.values() for other in decision.supersedes}
        self._current: dict[Component, list[tuple[Digest, Decision]]] = defaultdict(list)
        for record, decision in sorted(facts.items()):
            if record not in superseded:
                self._current[decision.component].append((record, decision))
        self._classes: dict[Component, _Classes] = {}
        self.current = frozenset(facts.keys() - superseded)

    def equivalent(self, component: Component, a: Digest, b: Digest) -> bool:
        """Whether results made with content `a` are results of content `b`."""
        return a == b or (component in self._current and self._of(component).same(a, b))

    def related(self, component: Component, a: Digest, b: Digest) -> bool:
        """Whether somebody has already said how `a` and `b` compare, directly or through others."""
        return a == b or (component in self._current and self._of(component).connected(a, b))

    def contested(self, component: Component, content: Digest) -> bool:
        """Whether current decisions contradict each other about `content`."""
        return component in self._current and self._of(component).contested(content)

    def between(self, component: Component, a: Digest, b: Digest) -> tuple[Digest, ...]:
        """Return the record ids of the current decisions made about exactly this pair."""
        return tuple(
            record
            for record, decision in self._current.get(component, ())
            if {decision.old, decision.new} == {a, b}
        )

    def _of(self, component: Component) -> _Classes:
        if component not in self._classes:
            self._classes[component] = _Classes(d for _, d in self._current[component])
        return self._classes[component]


class _Classes:
    """Union-find over the contents of one component."""

    def __init__(self, decisions: Iterable[Decision]) -> None:
        self._same: dict[Digest, Digest] = {}
        self._near: dict[Digest, Digest] = {}
        breaking = []
        for decision in decisions:
            _join(self._near, decision.old, decision.new)
            if decision.verdict is Verdict.NON_BREAKING:
                _join(self._same, decision.old, decision.new)
            else:
                breaking.append((decision.old, decision.new))
        self._contested = {
            _root(self._same, old)
            for old, new in breaking
            if _root(self._same, old) == _root(self._same, new)
        }

    def same(self, a: Digest, b: Digest) -> bool:
        root = _root(self._same, a)
        return root == _root(self._same, b) and root not in self._contested

    def connected(self, a: Digest, b: Digest) -> bool:
        return _root(self._near, a) == _root(self._near, b)

    def contested(self, a: Digest) -> bool:
        return _root(self._same, a) in self._contested


def _root(parents: dict[Digest, Digest], node: Digest) -> Digest:
    while (parent := parents.get(node, node)) != node:
        parents[node] = parents.get(parent, parent)
        node = parent
    return node


def _join(parents: dict[Digest, Digest], a: Digest, b: Digest) -> None:
    low, high = sorted((_root(parents, a), _root(parents, b)))
    parents[high] = low
