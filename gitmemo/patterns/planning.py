"""In which order relations are joined, from the shape of the pattern alone.

Not the joining (`relations`, `matching`). Invariant: a relation goes into one that shares variables
with it; where the pattern is a tree it goes into one that holds all that the rest knows of it, so
that no table in between is much larger than what goes in and what comes out.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass

from gitmemo.patterns.pattern import Atom, CallAtom


@dataclass(frozen=True, slots=True)
class Step:
    """One relation goes into another, both by number.

    Attributes:
        carried: The variables that go along.
        kept: Those that somebody needs afterwards.
    """

    source: int
    into: int
    carried: frozenset[int]
    kept: frozenset[int]


def plan(atoms: Sequence[Atom], asked: Iterable[int]) -> list[Step]:
    """Return the steps that leave one relation; the atoms must be connected."""
    planner = _Planner(atoms, frozenset(asked))
    planner.run()
    return planner.steps


class _Planner:
    """Takes relations away until one is left: first those at the ends, in circles the cheapest."""

    def __init__(self, atoms: Sequence[Atom], asked: frozenset[int]) -> None:
        self._asked = asked
        self._scopes = {number: set(atom.variables) for number, atom in enumerate(atoms)}
        self._made = [_made_by(atom) for atom in atoms]
        # What a call returned says which call it was, hence all its arguments: adding the maker
        # of a value to a relation never makes it longer.
        self._is_functional = [isinstance(atom, CallAtom) for atom in atoms]
        self._users: dict[int, dict[int, None]] = {}
        for number, scope in self._scopes.items():
            for variable in scope:
                self._users.setdefault(variable, {})[number] = None
        self._queue = deque(self._scopes)
        self.steps: list[Step] = []

    def run(self) -> None:
        while len(self._scopes) > 1:
            if self._queue:
                source = self._queue.popleft()
                if source in self._scopes:
                    self._take_if_at_end(source)
            else:
                self._merge(*self._cheapest())

    def _take_if_at_end(self, source: int) -> None:
        """Take a relation away if one other has all variables that it shares with the rest."""
        shared = self._shared(source)
        if not shared:
            return
        fewest = min(shared, key=lambda variable: len(self._users[variable]))
        for into in self._users[fewest]:
            if into != source and shared <= self._scopes[into]:
                self._merge(source, into)
                return

    def _shared(self, number: int) -> set[int]:
        return {variable for variable in self._scopes[number] if len(self._users[variable]) > 1}

    def _merge(self, source: int, into: int) -> None:
        shared = self._shared(source)
        scope = self._scopes.pop(source)
        adds = (scope & self._asked) | shared
        if not (self._is_functional[source] and self._made[source] & self._scopes[into]):
            self._is_functional[into] &= adds <= self._scopes[into]
        for variable in scope:
            del self._users[variable][source]
        for variable in adds:
            self._users[variable][into] = None
        self._scopes[into] |= adds
        dead = {
            variable
            for variable in self._scopes[into]
            if len(self._users[variable]) == 1 and variable not in self._asked
        }
        self._scopes[into] -= dead
        for variable in dead:
            del self._users[variable]
        self.steps.append(Step(source, into, frozenset(adds), frozenset(self._scopes[into])))
        self._queue.append(into)
        for variable in shared - dead:
            if len(self._users[variable]) == 1:
                self._queue.extend(self._users[variable])

    def _cheapest(self) -> tuple[int, int]:
        """Return what to join where relations go round in circles."""
        _, source, into = min(one for source in self._scopes for one in self._ways(source))
        return source, into

    def _ways(self, source: int) -> Iterator[tuple[tuple[bool, int], int, int]]:
        """Yield where a relation could go, and what speaks against it: growth, and circles left."""
        shared = self._shared(source)
        made = self._made[source] & shared if self._is_functional[source] else set()
        for variable in made or {min(shared, key=lambda one: (len(self._users[one]), one))}:
            for into in self._users[variable]:
                if into != source:
                    missing = len(shared - self._scopes[into])
                    yield (not made, missing), source, into


def _made_by(atom: Atom) -> set[int]:
    return {variable for _, variable in atom.outputs} if isinstance(atom, CallAtom) else set()
