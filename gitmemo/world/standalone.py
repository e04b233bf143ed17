"""A world without git: one SQLite file, or memory.

Not durable in memory, of course. Invariant: all facts are visible, for there
is only one place.
"""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from gitmemo.blobs import BlobStore, DatabaseBlobs, MemoryBlobs
from gitmemo.hashing.digest import Digest
from gitmemo.model.components import Component
from gitmemo.model.decisions import Decisions
from gitmemo.model.facts import Call, Decision, Fact, JsonValue, Value, Version
from gitmemo.model.lines import Asked, Glance
from gitmemo.model.validity import Code
from gitmemo.world.index import Index
from gitmemo.world.notes import DatabaseNotes, Notes
from gitmemo.world.view import CallSignature, Candidate, heads, in_order, preferred


class StandaloneWorld:
    """Facts in one SQLite file, or in memory when `path` is None."""

    def __init__(self, path: Path | None) -> None:
        self.index = Index(path)
        self.blobs: BlobStore = (
            MemoryBlobs() if path is None else DatabaseBlobs(self.index.connection, self.index.lock)
        )
        self.notes: Notes = DatabaseNotes(self.index.connection, self.index.lock)

    def enter(self) -> bool:
        """Do nothing: every look-up reads the database."""
        return False

    def record(self, facts: Sequence[Fact]) -> None:
        """Add facts in one transaction."""
        with self.index.transaction():
            self.index.add(facts)

    def run_facts(self) -> dict[str, JsonValue]:
        """Return nothing: there is no commit."""
        return {}

    def candidates(self, key: Digest, asked: Asked | None = None) -> list[Candidate]:
        """Return every call with this key."""
        found = self.index.calls_with_key(key, asked)
        if len(found) == 1:  # as nearly always
            return [Candidate(call, here=True, number=number) for number, call in found]
        return [Candidate(call, here=True) for call in preferred(call for _, call in found)]

    def following(self, number: int, last: int) -> list[Glance]:
        """Return the calls among facts `number + 1` to `last` that are alone with their keys."""
        return [seen for _, _, seen in self.index.lone_calls(number, last)]

    def adopt(self, call: Call) -> None:
        """Do nothing: there is no other world."""

    def signatures(self, op: str, op_version: int) -> set[CallSignature]:
        """Return what the calls of an op look like."""
        return self.index.signatures(op, op_version)

    def values(self, cid: Digest) -> list[Value]:
        """Return where the bytes of a value may be."""
        return self.index.values(cid)

    def version(self, version: Digest) -> Version | None:
        """Return a version by its id."""
        return self.index.version(version)

    def decisions(self) -> Decisions:
        """Return all decisions."""
        return Decisions(
            (record, fact)
            for _, record, fact in self.index.facts("decision")
            if isinstance(fact, Decision)
        )

    def knows_source(self, component: Component, source: Digest) -> bool:
        """Whether this content of a component was recorded before."""
        return self.index.has_source(component.path, component.unit, source)

    def lineage(self, component: Component) -> tuple[Digest, ...]:
        """Return the record ids of the facts about the component that no other follows."""
        return heads(self.index.history(component).values())

    def creator(self, hid: Digest) -> Call | None:
        """Return the call that made the value with this history id."""
        calls = preferred(call for _, call in self.index.creators(hid))
        return calls[0] if calls else None

    def calls(self, code: Code) -> list[Call]:
        """Return all calls."""
        return in_order(self.index.calls(None))

    def ops(self) -> list[str]:
        """Return the names of the ops that have calls."""
        return self.index.ops()

    def newest_calls(self, op: str, most: int) -> list[Call]:
        """Return the calls of an op that were recorded last."""
        return self.index.newest_calls(op, most)

    def close(self) -> None:
        """Close the database."""
        self.index.close()
