"""Which statements count, and making new ones that do, whatever was said and taken back before.

Not what they mean (`decisions`, `renames`, `tags`). Invariant: a statement returned from here
is no record that another one supersedes.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import replace
from typing import TypeVar, overload

from gitmemo.hashing.digest import Digest
from gitmemo.model.facts import Decision, Dependency, Move, Rename, Statement, Tag
from gitmemo.model.lines import record_id, to_line

S = TypeVar("S", Decision, Dependency, Move, Rename, Tag)


@overload
def in_force(statements: Iterable[tuple[Digest, Statement]]) -> dict[Digest, Statement]: ...
@overload
def in_force(statements: Iterable[tuple[Digest, Statement]], kind: type[S]) -> dict[Digest, S]: ...
def in_force(
    statements: Iterable[tuple[Digest, Statement]], kind: type[S] | None = None
) -> Mapping[Digest, Statement]:
    """Return the statements that no other supersedes, of one kind or all, by record id."""
    facts = dict(statements)
    superseded = {other for fact in facts.values() for other in fact.supersedes}
    return {
        record: facts[record]
        for record in sorted(facts.keys() - superseded)
        if kind is None or isinstance(facts[record], kind)
    }


def standing(statement: S, known: Iterable[tuple[Digest, Statement]]) -> S:
    """Return `statement` as a record that nothing known supersedes.

    Said again word by word, it would be the record that was taken back; so it names what took
    that back, and is another.
    """
    takers: dict[Digest, set[Digest]] = {}
    for record, other in known:
        for gone in other.supersedes:
            takers.setdefault(gone, set()).add(record)
    while True:
        by = takers.get(record_id(to_line(statement)))
        if by is None:
            return statement
        supersedes = tuple(sorted(by.union(statement.supersedes)))
        statement = replace(statement, supersedes=supersedes)
