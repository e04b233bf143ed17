"""What every world offers: look-ups over the facts that are visible from here.

Not a storage: nothing is computed or asked here. Invariant: facts are only
added; what is visible is decided by the place (branch, commit, tree), never by
the order in which facts came.
"""

from __future__ import annotations

from collections.abc import Hashable, Iterable, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, NamedTuple, Protocol

from gitmemo.hashing.digest import Digest
from gitmemo.model.components import Component
from gitmemo.model.facts import (
    Call,
    Decision,
    Fact,
    JsonValue,
    Source,
    Statement,
    Value,
    Version,
)
from gitmemo.model.glances import Asked, Glance
from gitmemo.model.lines import to_line
from gitmemo.model.tombstones import Tombstones
from gitmemo.quantities import count
from gitmemo.setting_values import Reuse
from gitmemo.world.claims import Claims
from gitmemo.world.notes import Notes

if TYPE_CHECKING:
    from gitmemo.blobs import BlobStore
    from gitmemo.model.decisions import Decisions
    from gitmemo.model.renames import Renames
    from gitmemo.model.validity import Code


@dataclass(frozen=True, slots=True)
class Candidate:
    """A stored call that a look-up found.

    Attributes:
        here: Whether it belongs to this world; others are adopted when used.
        number: Where it stands in the index; 0 if it does not yet.
    """

    call: Call
    here: bool
    number: int = 0


class CallSignature(NamedTuple):
    """What calls of an op that are stored look like.

    Attributes:
        version: The code that they were made with; None where code is not versioned.
        inputs, outputs: The names, in order.
    """

    version: Digest | None
    inputs: tuple[str, ...]
    outputs: tuple[str, ...]


def signature_of(call: Call) -> CallSignature:
    """Return what calls like `call` look like."""
    return CallSignature(
        call.version,
        tuple([slot.name for slot in call.inputs]),
        tuple([slot.name for slot in call.outputs]),
    )


@dataclass(frozen=True, slots=True)
class Tally:
    """The calls of one op with one version: how many were run, and how long they took, in seconds.

    Attributes:
        links: How many more records repeat what such calls returned; they are no calls of their own.
    """

    version: Digest
    op: str
    calls: int
    seconds: float
    links: int = 0


@dataclass(frozen=True, slots=True)
class Contents:
    """Where a world is, and how many calls, ops and values there are in it."""

    where: str
    calls: int
    ops: int
    values: int

    @property
    def amount(self) -> str:
        """How much is in it, as people say it."""
        calls, ops = count(self.calls, "call"), count(self.ops, "op")
        return f"{calls} of {ops}, {count(self.values, 'value')}"


class World(Protocol):
    """Where facts are kept and found: a repository, one file, or memory.

    Attributes:
        reuse: Whether look-ups find calls of other worlds too.
    """

    reuse: Reuse

    @property
    def blobs(self) -> BlobStore:
        """Return the store of encoded values."""
        ...

    @property
    def notes(self) -> Notes:
        """Return what is noted for people on this machine alone."""
        ...

    def enter(self) -> bool:
        """Take notice of what git and other processes did; return whether other facts are visible."""
        ...

    @property
    def claims(self) -> Claims:
        """Return who computes what in this world, here and in other processes."""
        ...

    def notice(self) -> bool:
        """Read what other processes recorded, in the middle of a block: nothing else moves.

        Returns whether calls were forgotten or brought back.
        """
        ...

    def record(self, facts: Sequence[Fact]) -> None:
        """Add facts; they are durable when this returns."""
        ...

    def learn(self, facts: Sequence[Fact]) -> None:
        """Know facts that another process has recorded in this world; they are durable already."""
        ...

    def run_facts(self) -> dict[str, JsonValue]:
        """Return what is known of the code's state: commit, and whether files differ from it."""
        ...

    def candidates(self, key: Digest, asked: Asked | None = None) -> list[Candidate]:
        """Return every known call of an op on inputs with the same contents.

        `asked` is what the key was made of; with it, those that are exactly it are read quicker,
        and of many those are left out of which another one says the same (`crowds`).
        """
        ...

    def following(self, number: int, last: int) -> list[Glance]:
        """Return those of the facts after `number`, up to `last`, that are the only candidates for
        their keys, and of this world.
        """
        ...

    def adopt(self, call: Call) -> None:
        """Make a call of another world, and the calls that its inputs came from, part of this one."""
        ...

    def signatures(self, op: str, op_version: int) -> set[CallSignature]:
        """Return what the known calls of an op look like."""
        ...

    def tombstones(self) -> Tombstones:
        """Return what is known to be forgotten, here or in another world of this machine."""
        ...

    def forget(self, calls: Iterable[Call], why: str = "") -> Digest:
        """Forget calls: look-ups and tables leave them out from now on; return the tombstone's id.

        Their values stay. A call that is made again is another record, so it lives.
        """
        ...

    def restore(self, tombstone: Digest, why: str = "") -> Digest:
        """Bring back the calls that `tombstone` forgot; return the id of the undo.

        Raises:
            UnknownTombstone: It is not known here, or was undone before.
        """
        ...

    def values(self, cid: Digest) -> list[Value]:
        """Return where the bytes of a value may be."""
        ...

    def version(self, version: Digest) -> Version | None:
        """Return a version by its id."""
        ...

    def decisions(self) -> Decisions:
        """Return what the statements of this world say about contents."""
        ...

    def renames(self) -> Renames:
        """Return what the statements of this world say about names."""
        ...

    def statements(self) -> list[tuple[Digest, Statement]]:
        """Return what people said of the code in this world, with record ids."""
        ...

    def tallies(self, code: Code) -> tuple[list[Tally], list[Tally]]:
        """Return how often each op ran with each version here: in committed calls, in pending ones.

        `code` judges pending calls that were recorded on another branch.
        """
        ...

    def periods(self, op: str, code: Code) -> dict[Digest, tuple[str, str]]:
        """Return when the first and the last call of an op with each version began, here."""
        ...

    def versions(self, ids: Iterable[Digest] | None = None) -> dict[Digest, Version]:
        """Return versions by their ids; all that are known if `ids` is None."""
        ...

    def about(
        self, components: Iterable[Component] | None = None
    ) -> dict[Component, dict[Digest, Source | Decision]]:
        """Return what is known of several components, of all if None, by record id."""
        ...

    def texts(self, wanted: Iterable[Digest]) -> dict[Digest, str]:
        """Return those of the source texts with these digests that are known here."""
        ...

    def calls_by_prefix(self, digits: str) -> tuple[list[Call], list[Call]]:
        """Return the calls whose history ids begin like this, and those that made a value whose does."""
        ...

    def history(self, component: Component) -> dict[int, tuple[Digest, Source | Decision]]:
        """Return the known sources of and decisions about a component, with their record ids."""
        ...

    def knows_source(self, component: Component, source: Digest) -> bool:
        """Whether this content of a component was recorded before."""
        ...

    def text(self, component: Component, source: Digest) -> str | None:
        """Return the text of a content of a component, None where it is not known."""
        ...

    def landmark(self) -> Hashable:
        """Return what stays equal as long as no version and no statement is new in this world."""
        ...

    def lineage(self, component: Component) -> tuple[Digest, ...]:
        """Return the record ids that a new content of `component` follows."""
        ...

    def creator(self, hid: Digest) -> Call | None:
        """Return the call that made the value with this history id."""
        ...

    def calls(self, code: Code) -> list[Call]:
        """Return the calls of this world, in the order in which they ran.

        `code` judges pending calls that were recorded on another branch.
        """
        ...

    def pending_hids(self, code: Code) -> frozenset[Digest]:
        """Return the history ids of the calls of this world that are in no commit."""
        ...

    def ops(self) -> list[str]:
        """Return the names of the ops that have calls, in any world that is known here."""
        ...

    def newest_calls(self, op: str, most: int) -> list[Call]:
        """Return the calls of an op, of every world that is known here, that were seen last."""
        ...

    def describe(self) -> Contents:
        """Say where this is and how much is in it, without judging calls."""
        ...

    def vacuum(self) -> int:
        """Give unused space in the database back; return how many bytes that were."""
        ...

    def close(self) -> None:
        """Release files and connections."""
        ...


def values_behind(world: World, cids: Iterable[Digest]) -> list[Value]:
    """Return where the bytes of `cids` may be, and of all values that they name in turn."""
    found: dict[Digest, list[Value]] = {}
    todo = sorted(cids, reverse=True)
    while todo:
        cid = todo.pop()
        if cid not in found:
            found[cid] = world.values(cid)
            todo += (part for value in found[cid] for part in value.parts)
    return [value for values in found.values() for value in values]


def preferred(calls: Iterable[Call]) -> list[Call]:
    """Return calls of one key in the order in which they may be used.

    Several records may hold different outputs for one call. The tie is broken
    by contents alone, so that every machine takes the same one.
    """
    found = list(calls)
    return sorted(found, key=_precedence) if len(found) > 1 else found


def first_of_each(calls: Iterable[Call]) -> dict[Digest, Call]:
    """Return one call for each history id, the preferred one, in the order given."""
    found: dict[Digest, Call] = {}
    for call in calls:
        other = found.setdefault(call.hid, call)
        if other is not call and _precedence(call) < _precedence(other):
            found[call.hid] = call
    return found


def in_order(calls: Iterable[Call]) -> list[Call]:
    """Return `calls` in the order in which they ran; equal times are told apart by id."""
    return sorted(calls, key=lambda call: (call.start, call.hid))


def heads(facts: Iterable[tuple[Digest, Source | Decision]]) -> tuple[Digest, ...]:
    """Return the record ids among `facts` that no other of them follows."""
    known = dict(facts)
    followed = {parent for fact in known.values() for parent in fact.parents}
    return tuple(sorted(record for record in known if record not in followed))


def _precedence(call: Call) -> tuple[list[Digest], Digest, str]:
    return [slot.cid for slot in call.outputs], call.hid, to_line(call)
