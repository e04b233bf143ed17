"""What a set of tombstones and undos says: which records are forgotten.

Not which of them are visible (`world`). Invariant: the answer depends on the
set of facts alone, not on their order, so merging two sets is a union.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from gitmemo.hashing.digest import Digest
from gitmemo.model.facts import Call, Tombstone, Undo
from gitmemo.model.lines import record_id, to_line


class Tombstones:
    """The records that tombstones name which no undo names.

    Attributes:
        in_force: Record id to tombstone, without those that were undone.
        records: The record ids that are forgotten.
        keys: The look-up keys of the calls among which they are.
    """

    def __init__(self, facts: Iterable[tuple[Digest, Tombstone | Undo]] = ()) -> None:
        """`facts` are pairs of record id and fact."""
        self._facts = dict(sorted(facts, key=lambda pair: pair[0]))
        undone = {
            tombstone
            for fact in self._facts.values()
            if isinstance(fact, Undo)
            for tombstone in fact.tombstones
        }
        self.in_force: dict[Digest, Tombstone] = {
            record: fact
            for record, fact in self._facts.items()
            if isinstance(fact, Tombstone) and record not in undone
        }
        self.records = frozenset(
            record for fact in self.in_force.values() for record in fact.records
        )

        self.keys = frozenset(key for fact in self.in_force.values() for key in fact.keys)

    def cover(self, call: Call) -> bool:
        """Whether `call` is forgotten, itself or as a link to a record that is."""
        if call.key not in self.keys:  # quicker than to hash the record
            return False
        return self.cover_record(call.key, record_id(to_line(call)), origin_of(call))

    def cover_record(self, key: Digest, record: Digest, origin: Digest | None) -> bool:
        """Do the same for a call of which only its key, its record and what that repeats are known."""
        return key in self.keys and (record in self.records or origin in self.records)

    def over(self, calls: Iterable[Call], why: str) -> Tombstone:
        """Return the tombstone that forgets `calls` now: another one than those before."""
        buried = list(calls)
        records = {record_id(to_line(call)) for call in buried}
        keys = {call.key for call in buried}
        before = {
            record
            for record, fact in self._facts.items()
            if isinstance(fact, Tombstone) and not records.isdisjoint(fact.records)
        }
        undos = (
            record
            for record, fact in self._facts.items()
            if isinstance(fact, Undo) and not before.isdisjoint(fact.tombstones)
        )
        follows = (*sorted(before & self.in_force.keys()), *undos)
        return Tombstone(tuple(sorted(records)), tuple(sorted(keys)), why, follows)


def undo_of(tombstones: Sequence[Digest], why: str) -> Undo:
    """Return the fact that brings back what `tombstones` (record ids) forgot."""
    return Undo(tuple(sorted(set(tombstones))), why)


def origin_of(call: Call) -> Digest | None:
    """Return the record that a link repeats; None for a call that was run."""
    same = call.run.get("same")
    try:
        return Digest(bytes.fromhex(same)) if isinstance(same, str) else None
    except ValueError:  # written by nobody we know: it repeats no record that can be forgotten
        return None
