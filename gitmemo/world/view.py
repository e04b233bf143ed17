"""What every world offers: look-ups over the facts that are visible from here.

Not a storage: nothing is computed or asked here. Invariant: facts are only
added; what is visible is decided by the place (branch, commit, tree), never by
the order in which facts came.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Protocol

from gitmemo.blobs import BlobStore
from gitmemo.hashing.digest import Digest
from gitmemo.model.components import Component
from gitmemo.model.decisions import Decisions
from gitmemo.model.facts import Call, Fact, JsonValue, Value, Version
from gitmemo.model.validity import Code


@dataclass(frozen=True, slots=True)
class Candidate:
    """A stored call that a look-up found.

    Attributes:
        here: Whether it belongs to this world; others are adopted when used.
    """

    call: Call
    here: bool


class World(Protocol):
    """Where facts are kept and found: a repository, one file, or memory."""

    @property
    def blobs(self) -> BlobStore:
        """Return the store of encoded values."""
        ...

    def enter(self) -> None:
        """Take notice of what git and other processes did since the last time."""
        ...

    def record(self, facts: Sequence[Fact]) -> None:
        """Add facts; they are durable when this returns."""
        ...

    def run_facts(self) -> dict[str, JsonValue]:
        """Return what is known of the code's state: commit, and whether files differ from it."""
        ...

    def candidates(self, key: Digest) -> list[Candidate]:
        """Return every known call of an op on inputs with the same contents."""
        ...

    def adopt(self, call: Call) -> None:
        """Make a call of another world, and the calls that its inputs came from, part of this one."""
        ...

    def values(self, cid: Digest) -> list[Value]:
        """Return where the bytes of a value may be."""
        ...

    def version(self, version: Digest) -> Version | None:
        """Return a version by its id."""
        ...

    def decisions(self) -> Decisions:
        """Return all decisions known here."""
        ...

    def knows_source(self, component: Component, source: Digest) -> bool:
        """Whether this content of a component was recorded before."""
        ...

    def lineage(self, component: Component) -> tuple[Digest, ...]:
        """Return the record ids that a new content of `component` follows."""
        ...

    def creator(self, hid: Digest) -> Call | None:
        """Return the call that made the value with this history id."""
        ...

    def calls(self, code: Code, ops: Iterable[str] | None = None) -> list[Call]:
        """Return the calls of this world, of `ops` if given, in an order that only their content decides.

        `code` judges pending calls that were recorded on another branch.
        """
        ...

    def close(self) -> None:
        """Release files and connections."""
        ...


def has_bytes(world: World, cid: Digest) -> bool:
    """Whether the bytes of a value are on this machine."""
    blobs = {value.blob for value in world.values(cid)}
    return bool(blobs - world.blobs.missing(blobs))


def preferred(calls: Iterable[Call]) -> list[Call]:
    """Return calls of one key in the order in which they may be used.

    Several records may hold different outputs for one call. The tie is broken
    by contents alone, so that every machine takes the same one.
    """
    return sorted(calls, key=lambda call: ([slot.cid for slot in call.outputs], call.hid))
