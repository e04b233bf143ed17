"""Relations: rows of histories over variables, and joining them.

Not in which order (`planning`). Invariant: the rows of a relation are distinct, and a missing value
is in none, so that nothing joins with it.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Collection, Iterable, Sequence
from dataclasses import dataclass
from operator import itemgetter
from typing import Any

from gitmemo.hashing.digest import Digest
from gitmemo.patterns.held import held_by
from gitmemo.patterns.pattern import Among, Atom, CallAtom, MemberAtom, Pattern, Row
from gitmemo.patterns.stored import Stored, is_kind


@dataclass(frozen=True, slots=True)
class Relation:
    """Rows, with the variable of each place."""

    variables: tuple[int, ...]
    rows: Sequence[Row]

    def onto(self, wanted: Collection[int]) -> Relation:
        """Return the relation without the variables that are not wanted."""
        kept = tuple(variable for variable in self.variables if variable in wanted)
        if kept == self.variables:
            return self
        return Relation(kept, list(dict.fromkeys(map(_pick(self, kept), self.rows))))

    def ordered(self, variables: Sequence[int]) -> list[Row]:
        """Return the rows with their places in another order."""
        return list(map(_pick(self, variables), self.rows))

    def reduced_by(self, other: Relation) -> Relation:
        """Return the rows that fit some row of `other`."""
        shared = [variable for variable in self.variables if variable in other.variables]
        if len(shared) == 1:
            here, there = self.variables.index(shared[0]), other.variables.index(shared[0])
            single = {row[there] for row in other.rows}
            rows = [row for row in self.rows if row[here] in single]
        else:
            known = set(map(_pick(other, shared), other.rows))
            pick = _pick(self, shared)
            rows = [row for row in self.rows if pick(row) in known]
        return self if len(rows) == len(self.rows) else Relation(self.variables, rows)

    def joined(self, other: Relation) -> Relation:
        """Return the rows of both that agree on the variables that both have."""
        shared = [variable for variable in self.variables if variable in other.variables]
        added = [variable for variable in other.variables if variable not in self.variables]
        if not added:
            return self.reduced_by(other)
        known: dict[Row, list[Row]] = defaultdict(list)
        for key, rest in zip(
            map(_pick(other, shared), other.rows), map(_pick(other, added), other.rows), strict=True
        ):
            known[key].append(rest)
        pick = _pick(self, shared)
        rows = [row + rest for row in self.rows for rest in known.get(pick(row), ())]
        return Relation((*self.variables, *added), rows)


def _pick(relation: Relation, variables: Iterable[int]) -> Callable[[Row], Row]:
    """Return what takes the values of variables out of a row, as a tuple."""
    places = [relation.variables.index(variable) for variable in variables]
    if not places:
        return lambda row: ()
    if len(places) == 1:
        (place,) = places
        return lambda row: (row[place],)
    several: Any = itemgetter(*places)  # a tuple of as many as there are places
    return several  # type: ignore[no-any-return]


class Relations:
    """Makes the relations of a pattern's atoms."""

    def __init__(self, stored: Stored, pattern: Pattern) -> None:
        self._stored = stored
        self._pattern = pattern
        self._rows: dict[tuple[object, ...], list[Row]] = {}

    def of(self, atom: Atom) -> Relation:
        """Return what the variables of an atom can stand for, as far as it says."""
        rows = self._called(atom) if isinstance(atom, CallAtom) else self._within(atom)
        return self._restricted(_unified(atom.variables, rows))

    def _called(self, atom: CallAtom) -> list[Row]:
        slots = [(False, name) for name, _ in atom.inputs]
        slots += [(True, name) for name, _ in atom.outputs]
        key = (atom.op, atom.op_version, *slots)
        if key not in self._rows:  # a chain asks for the same table many times
            columns = [
                self._stored.histories(atom.op, atom.op_version, is_output=out, name=name)
                for out, name in slots
            ]
            rows = dict.fromkeys(zip(*columns, strict=True))
            self._rows[key] = [row for row in rows if None not in row]
        return self._rows[key]

    def _within(self, atom: MemberAtom) -> list[Row]:
        key = (atom.kind, atom.index is None)
        if key not in self._rows:
            self._rows[key] = self._members(atom)
        return self._rows[key]

    def _members(self, atom: MemberAtom) -> list[Row]:
        rows: dict[Row, None] = {}
        for member in self._stored.members:
            if not is_kind(member.kind, atom.kind):
                continue
            pair: Row = (member.collection, member.element.hid)
            if atom.index is None:
                rows[pair] = None
            elif member.index is not None:
                rows[*pair, member.index.hid] = None
        return list(rows)

    def _restricted(self, relation: Relation) -> Relation:
        for variable, among in self._pattern.among.items():
            if variable in relation.variables:
                place = relation.variables.index(variable)
                allowed = self._allowed(variable, among, relation, place)
                rows = [row for row in relation.rows if row[place] in allowed]
                relation = Relation(relation.variables, rows)
        return relation

    def _allowed(
        self, variable: int, among: Among, relation: Relation, place: int
    ) -> Collection[Digest]:
        if not among.cids:
            return among.hids
        held = held_by(self._stored, self._pattern, variable)
        return {hid for hid in {row[place] for row in relation.rows} if among.allows(held[hid])}


def _unified(variables: Sequence[int], rows: list[Row]) -> Relation:
    """Return a relation in which each variable has one place: where it had several, they agree."""
    once = tuple(dict.fromkeys(variables))
    if len(once) == len(variables):
        return Relation(once, rows)
    first = [variables.index(variable) for variable in variables]
    places = [variables.index(variable) for variable in once]
    fitting = [row for row in rows if all(row[n] == row[m] for n, m in enumerate(first))]
    return Relation(once, [tuple(row[place] for place in places) for row in fitting])
