"""Forgetting calls in a world, and bringing them back.

Not what a set of tombstones says (`model.tombstones`). Invariant: nothing is
deleted; forgetting and bringing back are facts that are added.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import TYPE_CHECKING

from gitmemo.errors import UnknownTombstone
from gitmemo.hashing.digest import Digest, to_hex
from gitmemo.model.facts import Call
from gitmemo.model.lines import record_id, to_line
from gitmemo.model.tombstones import Tombstones, undo_of

if TYPE_CHECKING:
    from gitmemo.world.view import World


@dataclass(frozen=True, slots=True)
class Graves:
    """What is forgotten in one world of a clone.

    Attributes:
        here: By the tombstones of this world: these count for its own calls.
        known: By those of every world that is known: these also bar adoption.
    """

    here: Tombstones
    known: Tombstones

    @property
    def away(self) -> frozenset[Digest]:
        """The records that must not be adopted."""
        return self.here.records | self.known.records

    def bar(self, call: Call) -> bool:
        """Whether `call`, which is of another world, must not become part of this one."""
        return self.here.cover(call) or self.known.cover(call)


def bury(world: World, calls: Iterable[Call], why: str) -> Digest:
    """Record that `calls` are forgotten; return the record id of the tombstone."""
    tombstone = world.tombstones().over(calls, why)
    world.record([tombstone])
    return record_id(to_line(tombstone))


def with_copies(world: World, calls: Iterable[Call]) -> list[Call]:
    """Return all records of these calls that a look-up could find, those of other worlds too."""
    versions = {(call.key, call.version) for call in calls}
    return [
        candidate.call
        for key in {key for key, _ in versions}
        for candidate in world.candidates(key)
        if (key, candidate.call.version) in versions
    ]


def bring_back(world: World, tombstone: Digest, why: str, *known: Tombstones) -> Digest:
    """Record that `tombstone` does not count any more; return the record id of the undo.

    `known` are the views in one of which it must be in force.

    Raises:
        UnknownTombstone: It is not known here, or was undone before.
    """
    if not any(tombstone in tombstones.in_force for tombstones in known):
        raise UnknownTombstone(to_hex(tombstone))
    undo = undo_of([tombstone], why)
    world.record([undo])
    return record_id(to_line(undo))
