"""Making statements that count, whatever was said and taken back before.

Not what they mean (`decisions`). Invariant: a statement returned from here is no
record that another one supersedes.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import replace
from typing import TypeVar

from gitmemo.hashing.digest import Digest
from gitmemo.model.facts import Decision, Dependency, Move, Rename, Statement
from gitmemo.model.lines import record_id, to_line

S = TypeVar("S", Decision, Dependency, Move, Rename)


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
