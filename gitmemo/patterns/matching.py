"""Matching: all rows of histories that a pattern allows, with two engines.

Not the table that people see (`tables`). Invariant: both engines give the same set of rows; `naive`
tries every call for every atom and is there to be compared with.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from itertools import chain, product

from gitmemo.hashing.digest import Digest
from gitmemo.patterns.held import held_by
from gitmemo.patterns.pattern import Atom, CallAtom, MemberAtom, Pattern, Row
from gitmemo.patterns.planning import Step, plan
from gitmemo.patterns.relations import Relation, Relations
from gitmemo.patterns.stored import Stored, is_kind


def matches(pattern: Pattern, stored: Stored) -> list[Row]:
    """Return what the asked variables stand for in every assignment under which all atoms hold."""
    parts = [part for part in pattern.trimmed().parts() if part.atoms]
    tables = [_joined(part, stored) for part in parts]
    order = [variable for table in tables for variable in table.variables]
    places = [order.index(variable) for variable in pattern.asked]
    rows = (tuple(chain.from_iterable(rows)) for rows in product(*(t.rows for t in tables)))
    return list(dict.fromkeys(tuple([row[place] for place in places]) for row in rows))


def _joined(part: Pattern, stored: Stored) -> Relation:
    relations = Relations(stored, part)
    tables = dict(enumerate(map(relations.of, part.atoms)))
    steps = plan(part.atoms, part.asked)
    _reduce(tables, steps)
    last = 0
    for step in steps:
        table = tables[step.into].joined(tables.pop(step.source).onto(step.carried))
        tables[step.into] = table.onto(step.kept)
        last = step.into
    return tables[last].onto(part.asked)


def _reduce(tables: dict[int, Relation], steps: Sequence[Step]) -> None:
    """Leave out, up the plan and down again, what cannot be in any row of the result."""
    for step in steps:
        _reduce_by(tables, step.into, step.source)
    for step in reversed(steps):
        _reduce_by(tables, step.source, step.into)


def _reduce_by(tables: dict[int, Relation], number: int, other: int) -> None:
    if not set(tables[number].variables).isdisjoint(tables[other].variables):
        tables[number] = tables[number].reduced_by(tables[other])


# --- the oracle -----------------------------------------------------------------------


def naive_matches(pattern: Pattern, stored: Stored) -> list[Row]:
    """Return the same by trying every call, and every member of a collection, for every atom."""
    found: list[dict[int, Digest]] = [{}]
    trimmed = pattern.trimmed()
    for atom in trimmed.atoms:
        ways = list(_ways(atom, stored))
        found = [
            assigned | way
            for assigned in found
            for way in ways
            if all(assigned.get(variable, hid) == hid for variable, hid in way.items())
        ]
    for variable, among in trimmed.among.items():
        held = held_by(stored, trimmed, variable)
        found = [a for a in found if variable not in a or among.allows(held[a[variable]])]
    rows = (tuple([assigned[variable] for variable in pattern.asked]) for assigned in found)
    return list(dict.fromkeys(rows))


def _ways(atom: Atom, stored: Stored) -> Iterator[dict[int, Digest]]:
    """Yield what the variables of one atom can stand for."""
    pairs = _called(atom, stored) if isinstance(atom, CallAtom) else _held(atom, stored)
    for way in pairs:
        assigned = dict(way)
        if all(assigned[variable] == hid for variable, hid in way):
            yield assigned


def _called(atom: CallAtom, stored: Stored) -> Iterator[list[tuple[int, Digest]]]:
    for call in stored.calls:
        if (call.op, call.op_version) != (atom.op, atom.op_version):
            continue
        given = {slot.name: slot.hid for slot in call.inputs}
        made = {slot.name: slot.hid for slot in call.outputs}
        has_all = all(name in given for name, _ in atom.inputs)
        if has_all and all(name in made for name, _ in atom.outputs):
            yield [
                *((variable, given[name]) for name, variable in atom.inputs),
                *((variable, made[name]) for name, variable in atom.outputs),
            ]


def _held(atom: MemberAtom, stored: Stored) -> Iterator[list[tuple[int, Digest]]]:
    for member in stored.members:
        if not is_kind(member.kind, atom.kind):
            continue
        pairs = [(atom.collection, member.collection), (atom.element, member.element.hid)]
        if atom.index is None:
            yield pairs
        elif member.index is not None:
            yield [*pairs, (atom.index, member.index.hid)]
