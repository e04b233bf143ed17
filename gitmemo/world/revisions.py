"""The world of another revision, read from git's objects without a checkout.

Not the checked-out world (`repository`), and nothing can be added to it.
Invariant: its facts are those that the revision's own tree holds; calls that are
in it besides were made with this very code, as the revision's decisions judge it,
and can always be told from its own.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from functools import cached_property
from typing import NoReturn

from gitmemo.blobs import BlobStore
from gitmemo.errors import ReadOnlyRevision
from gitmemo.git.objects import ObjectReader
from gitmemo.hashing.digest import Digest
from gitmemo.model.components import Component
from gitmemo.model.decisions import Decisions
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
from gitmemo.model.renames import Renames
from gitmemo.model.tombstones import Tombstones
from gitmemo.model.validity import Code
from gitmemo.setting_values import Reuse
from gitmemo.source.tree import code_at
from gitmemo.world.claims import Claims
from gitmemo.world.index import Index
from gitmemo.world.journal import Place
from gitmemo.world.later import Later, find_later
from gitmemo.world.notes import Notes
from gitmemo.world.reading import Histories, periods
from gitmemo.world.repository import RepositoryWorld
from gitmemo.world.trees import TreeSegments
from gitmemo.world.view import (
    CallSignature,
    Candidate,
    Contents,
    Tally,
    heads,
    in_order,
    preferred,
    signature_of,
)


class RevisionWorld:
    """The facts of one commit; implements `view.World`.

    Attributes:
        place: The commit; it is on no branch.
        code: The commit's files as code, which judges its calls.
    """

    def __init__(
        self, base: RepositoryWorld, reader: ObjectReader, commit: str, rev: str, *, later: bool
    ) -> None:
        """`rev` is what the commit was called; `later` also shows calls committed later."""
        self.place = Place(None, commit)
        self.code = code_at(reader, commit)
        self.rev = rev
        self.index = base.index
        self.reuse = Reuse.WORLD  # `later` says what else is in it
        self.claims = Claims(None)  # nothing is computed here
        self._base = base
        self._trees = TreeSegments(base, reader)
        self._with_later = later
        self._seen: tuple[Index, int] | None = None  # an index made anew has other numbers

    @property
    def blobs(self) -> BlobStore:
        """The store of encoded values."""
        return self._base.blobs

    @property
    def notes(self) -> Notes:
        """What is noted for people on this machine alone."""
        return self._base.notes

    @property
    def base(self) -> RepositoryWorld:
        """The world of the repository, whose index this one reads."""
        return self._base

    def enter(self) -> bool:
        """Read what is new; a commit stays what it is, but calls of its code may have come."""
        self._base.enter()
        self.index = self._base.index  # it was made anew if it was damaged
        assert self.place.commit is not None
        files = frozenset(self._trees.load(self.place.commit))
        if self._with_later:
            self._trees.load_branches()
        seen = self.index, self.index.newest()
        if seen == self._seen:
            return False
        self._seen = seen
        self._files = files
        self._members = self.index.members(files)
        self._statements = [
            (record, fact) for n, record, fact in self.index.statements() if n in self._members
        ]
        self._tombstones = Tombstones(
            (r, fact) for n, r, fact in self.index.tombstones() if n in self._members
        )
        self._own = self._members - self.index.covered(self._tombstones)
        self.__dict__.pop("later", None)
        return True

    @cached_property
    def later(self) -> Later:
        """The calls that were made with this code and are not in its index; none if not wanted."""
        if not self._with_later:
            return Later(frozenset(), frozenset())
        return find_later(self._base, self._members, self._tombstones, self.decisions(), self.code)

    @property
    def segments(self) -> int:
        """How many segments the revision has."""
        return len(self._files)

    def committed(self) -> set[int]:
        """Return the numbers of the revision's facts, without forgotten calls."""
        return set(self._own)

    def visible(self, code: Code) -> set[int]:
        """Return the numbers of all facts that are shown; `code` is always the revision's own."""
        return self._own | self.later.numbers

    def pending(self, code: Code) -> set[int]:
        """Return nothing: what is pending belongs to work trees."""
        return set()

    def pending_hids(self, code: Code) -> frozenset[Digest]:
        """Return nothing, likewise."""
        return frozenset()

    # --- adding: never -----------------------------------------------------

    def notice(self) -> bool:
        """Do nothing: whatever others record, no call is looked up in the middle of a block."""
        return False

    def record(self, facts: Sequence[Fact]) -> NoReturn:
        """Refuse."""
        raise ReadOnlyRevision(self.rev, "recording")

    def learn(self, facts: Sequence[Fact]) -> NoReturn:
        """Refuse."""
        raise ReadOnlyRevision(self.rev, "recording")

    def adopt(self, call: Call) -> NoReturn:
        """Refuse."""
        raise ReadOnlyRevision(self.rev, "recording a call")

    def forget(self, calls: Iterable[Call], why: str = "") -> NoReturn:
        """Refuse."""
        raise ReadOnlyRevision(self.rev, "forgetting calls")

    def restore(self, tombstone: Digest, why: str = "") -> NoReturn:
        """Refuse."""
        raise ReadOnlyRevision(self.rev, "bringing calls back")

    def run_facts(self) -> dict[str, JsonValue]:
        """Return the commit."""
        return {"commit": self.place.commit}

    def vacuum(self) -> int:
        """Give unused space in the derived index back; return how many bytes that were."""
        return self._base.vacuum()

    def close(self) -> None:
        """Close the index."""
        self._base.close()

    # --- finding -----------------------------------------------------------

    def candidates(self, key: Digest, asked: Asked | None = None) -> list[Candidate]:
        """Return every call with this key that is shown here."""
        if asked is None:
            known = self.index.calls_with_key(key)
        else:
            known = self.index.deciding_calls(key, asked, lambda one: self._shows(one.place))
        found = [(number, call) for number, call in known if self._shows(number)]
        numbers = {call.hid: number for number, call in found}
        calls = preferred(call for _, call in found)
        return [Candidate(call, here=True, number=numbers[call.hid]) for call in calls]

    def following(self, number: int, last: int) -> list[Glance]:
        """Return nothing: no program runs here whose next call could be told."""
        return []

    def signatures(self, op: str, op_version: int) -> set[CallSignature]:
        """Return what the calls of an op look like that are shown here."""
        calls = self.calls(self.code)
        return {signature_of(c) for c in calls if (c.op, c.op_version) == (op, op_version)}

    def tombstones(self) -> Tombstones:
        """Return what is forgotten in the revision."""
        return self._tombstones

    def values(self, cid: Digest) -> list[Value]:
        """Return where the bytes of a value may be, as far as is known now."""
        return self._base.values(cid)

    def version(self, version: Digest) -> Version | None:
        """Return a version by its id."""
        return self._base.version(version)

    def versions(self, ids: Iterable[Digest] | None = None) -> dict[Digest, Version]:
        """Return versions by their ids; those of the calls that are shown if `ids` is None."""
        if ids is None:
            ids = {tally.version for tallies in self.tallies(self.code) for tally in tallies}
        return self._base.versions(ids)

    def decisions(self) -> Decisions:
        """Return the revision's decisions."""
        return Decisions(self._statements)

    def renames(self) -> Renames:
        """Return what was renamed in the revision."""
        return Renames(self._statements)

    def statements(self) -> list[tuple[Digest, Statement]]:
        """Return what people had said of the code."""
        return self._statements

    def tallies(self, code: Code) -> tuple[list[Tally], list[Tally]]:
        """Return how often each op ran with each version: in the revision's calls, and in later ones."""
        return self.index.tally(self._own), self.index.tally(self.later.numbers)

    def periods(self, op: str, code: Code) -> dict[Digest, tuple[str, str]]:
        """Return when the first and the last call of an op with each version began, here."""
        return periods(self.index, op, self.visible(code))

    def about(self, components: Iterable[Component] | None = None) -> Histories:
        """Return what the revision knows of components, and the contents that later calls touched."""
        chosen = None if components is None else set(components)
        touched = {
            (component, content.source)
            for version in self._base.versions(self.later.versions).values()
            for component, content in version.pairs.items()
        }
        found: Histories = {}
        for number, record, fact in self.index.facts("source", "decision"):
            if not isinstance(fact, Source | Decision):
                continue
            is_wanted = number in self._members or (
                isinstance(fact, Source) and (fact.component, fact.source) in touched
            )
            if is_wanted and (chosen is None or fact.component in chosen):
                found.setdefault(fact.component, {})[record] = fact
        return found

    def texts(self, wanted: Iterable[Digest]) -> dict[Digest, str]:
        """Return those of the source texts with these digests that are known here."""
        return self._base.texts(wanted)

    def calls_by_prefix(self, digits: str) -> tuple[list[Call], list[Call]]:
        """Return the calls that are shown whose history ids begin like this, and those that made one."""
        calls, makers = self._base.calls_by_prefix(digits)
        shown = {
            call.hid
            for one in {call.key for call in (*calls, *makers)}
            for call in [candidate.call for candidate in self.candidates(one)]
        }
        return [c for c in calls if c.hid in shown], [c for c in makers if c.hid in shown]

    def history(self, component: Component) -> dict[int, tuple[Digest, Source | Decision]]:
        """Return the revision's sources of and decisions about a component."""
        known = self.index.history(component)
        return {number: pair for number, pair in known.items() if number in self._members}

    def knows_source(self, component: Component, source: Digest) -> bool:
        """Whether the revision knows this content of a component."""
        facts = (fact for _, fact in self.history(component).values())
        return any(isinstance(fact, Source) and fact.source == source for fact in facts)

    def text(self, component: Component, source: Digest) -> str | None:
        """Return the text of a content of a component."""
        return self._base.text(component, source)

    def landmark(self) -> tuple[Place, int]:
        """Return the commit, and a number that grows with every fact that is known."""
        return self.place, self._seen[1] if self._seen else 0

    def lineage(self, component: Component) -> tuple[Digest, ...]:
        """Return the facts of the revision about `component` that no other of them follows."""
        return heads(self.history(component).values())

    def creator(self, hid: Digest) -> Call | None:
        """Return the call that made the value with this history id, one of the revision's own first."""
        found = [(n, call) for n, call in self.index.creators(hid) if self._shows(n)]
        own = [call for number, call in found if number in self._own]
        calls = preferred(own or [call for _, call in found])
        return calls[0] if calls else None

    def calls(self, code: Code) -> list[Call]:
        """Return the calls that are shown, in the order in which they ran."""
        return in_order(self.index.calls(self.visible(code)))

    def ops(self) -> list[str]:
        """Return the names of the ops that have calls here."""
        return sorted(self._calls_per_op())

    def newest_calls(self, op: str, most: int) -> list[Call]:
        """Return the calls of an op that ran last."""
        return [call for call in reversed(self.calls(self.code)) if call.op == op][:most]

    def describe(self) -> Contents:
        """Say where this is and how much is in it."""
        calls = self._calls_per_op()
        return Contents(
            where=f"{str(self._base.layout.root)!r} at {self.rev}, read-only",
            calls=sum(calls.values()),
            ops=len(calls),
            values=len(self.index.of_kinds(self._members, ("value",))),
        )

    def _calls_per_op(self) -> dict[str, int]:
        return self.index.calls_per_op(self.visible(self.code), without=())

    def _shows(self, number: int) -> bool:
        return number in self._own or number in self.later.numbers
