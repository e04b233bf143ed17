"""How many different calls count for a state of the code, and how many do not, and why.

Not which they are (`gitmemo.query`). Invariant: the numbers are those of the calls themselves; their
lines are read only where one of them may have used what other code made.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Collection
from typing import NamedTuple, Protocol

from gitmemo.hashing.digest import Digest
from gitmemo.model.decisions import Decisions
from gitmemo.model.facts import Version
from gitmemo.model.unsaid import unsaid
from gitmemo.model.validity import Code, stands
from gitmemo.world import sifting
from gitmemo.world.counting import different
from gitmemo.world.index import Index


class Judging(sifting.Versions, Protocol):
    """A world that says what counts."""

    @property
    def index(self) -> Index:
        """What is asked of its facts."""
        ...

    def decisions(self) -> Decisions:
        """Return what was decided."""
        ...


class Counted(NamedTuple):
    """Different calls by op: current ones, those of older code, and those on results of these."""

    current: Counter[str]
    stale: Counter[str]
    fed: Counter[str]


def count_valid(world: Judging, numbers: Collection[int], code: Code) -> Counted | None:
    """Count the calls among these facts; None where only the calls themselves can tell.

    That is so where valid ones had several values of a variable that `code` does not say.
    """
    index, decisions = world.index, world.decisions()
    valid = sifting.valid_shapes(index, world, decisions, code)
    shapes = sifting.shapes_of(index, numbers)
    held = {number: valid[shape] for number, shape in shapes.items() if shape in valid}
    for number, call in sifting.links(index, held):
        version = held[number]
        if version is not None and not stands(call, version, code, decisions):
            del held[number]
    fed = _fed(index, shapes.keys() - held.keys(), held.keys())
    current = held.keys() - fed
    versions: dict[Digest, Version] = {
        version.id: version for number in current if (version := held[number]) is not None
    }
    if len(versions) > 1 and unsaid(versions.values(), code, decisions):
        return None
    seen = different(index, current)
    on_older = different(index, fed) - seen
    older = different(index, shapes.keys() - held.keys()) - seen - on_older
    return Counted(*(Counter(op for op, _, _ in some) for some in (seen, older, on_older)))


def _fed(index: Index, stale: Collection[int], valid: Collection[int]) -> set[int]:
    """Return the valid calls that used what only stale ones made."""
    marks = {mark for _, mark in sifting.outputs(index, stale)} if stale else set[int]()
    if not marks:
        return set()
    users = sifting.with_histories(index, valid)
    return sifting.fed_by(index, marks, valid, users)
