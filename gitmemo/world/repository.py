"""The world of a git repository: committed segments plus this worktree's journal.

Not git itself (`gitmemo.git`), nor the reading of files (`files`), nor what a
commit takes from here (`gitmemo.commits`). Invariant: the visible facts are
those of the segments in the checked-out tree and the pending ones that belong
to it; everything else that is known locally can be adopted, never lost.
"""

from __future__ import annotations

import sqlite3
import threading
from collections import Counter
from collections.abc import Iterable, Sequence
from contextlib import suppress

from gitmemo.blobs import BlobStore, RepositoryBlobs
from gitmemo.git.cli import Git
from gitmemo.git.repository import Layout, head
from gitmemo.hashing import content_id
from gitmemo.hashing.digest import Digest
from gitmemo.model.components import Component, Content
from gitmemo.model.decisions import Decisions
from gitmemo.model.facts import (
    Call,
    Decision,
    Fact,
    JsonValue,
    Source,
    Tombstone,
    Undo,
    Value,
    Version,
    referenced_cids,
    sources,
)
from gitmemo.model.glances import Asked, Glance
from gitmemo.model.lines import from_line, to_line
from gitmemo.model.tombstones import Tombstones
from gitmemo.model.validity import Code, changed
from gitmemo.world.derived import is_damage, open_derived, remove
from gitmemo.world.files import FactFiles
from gitmemo.world.forgetting import Graves, bring_back, bury
from gitmemo.world.fresh import Fresh
from gitmemo.world.journal import Journal, Place
from gitmemo.world.notes import FileNotes, Notes
from gitmemo.world.space import vacuum
from gitmemo.world.spans import Numbers, Span, numbers_in
from gitmemo.world.view import (
    CallSignature,
    Candidate,
    Contents,
    heads,
    in_order,
    preferred,
    values_behind,
)

# Versions go where the calls go that name them; values too, but a push wants them before.
EXPORTED_KINDS = ("call", "source", "decision", "tombstone", "undo")
_PENDING_KINDS = (*EXPORTED_KINDS, "value")


class RepositoryWorld:
    """Facts of one worktree of one repository."""

    def __init__(self, layout: Layout) -> None:
        self.layout = layout
        with suppress(OSError):  # read-only: everything can still be read
            layout.private_dir.mkdir(exist_ok=True)
        self.index = open_derived(layout.private_dir / "index.db")
        self.files = FactFiles(layout, self.index)
        self.blobs: BlobStore = RepositoryBlobs(layout.private_dir / "blobs")
        self.notes: Notes = FileNotes(layout.private_dir / "failures.jsonl")
        self.place = Place(None, None)
        self._journal = Journal(self.files.journal_folder)
        self._fresh = Fresh()
        self._known_graves: Graves | None = None
        self._here = Numbers(())
        self._newest = 0
        # A fact must not slip between the journal, the index and what is fresh.
        self._lock = threading.RLock()

    def enter(self) -> bool:
        """Read what is new in the checked-out tree and in the journals of all processes."""
        with self._lock:
            now = head(self.layout)
            before, self.place = self.place, Place(now.branch, now.commit)
            try:
                read = self.files.refresh()
            except sqlite3.DatabaseError as error:
                if not is_damage(error):
                    raise
                self._remake_index()
                read = self.files.refresh()
            if read:
                self._fresh = Fresh()
            self._look_around()
            self._known_graves = None
            return read or self.place != before

    # --- adding ----------------------------------------------------------

    def _remake_index(self) -> None:
        """Make the derived index anew: it was damaged, and everything in it is in other files."""
        self.index.close()
        remove(self.layout.private_dir / "index.db")
        self.index = open_derived(self.layout.private_dir / "index.db")
        self.files = FactFiles(self.layout, self.index)

    def record(self, facts: Sequence[Fact]) -> None:
        """Append facts to this process's journal."""
        lines = [to_line(fact) for fact in facts]
        with self._lock:
            self._journal.append(self.place, lines)
            self._fresh.add(facts, lines)
            if any(isinstance(fact, Tombstone | Undo) for fact in facts):
                self._known_graves = None

    def run_facts(self) -> dict[str, JsonValue]:
        """Return the checked-out commit, and `dirty` if files differ from it."""
        if self.place.commit is None:
            return {}
        clean = Git(self.layout.root).try_run("diff", "--quiet", "HEAD", "--") is not None
        return {"commit": self.place.commit, **({} if clean else {"dirty": True})}

    def adopt(self, call: Call) -> None:
        """Record `call` here too, with what it needs and the calls that its inputs came from."""
        facts: list[Fact] = []
        todo, seen = [call], set()
        while todo:
            one = todo.pop()
            if one.hid in seen:
                continue
            seen.add(one.hid)
            facts += self.closure(one)
            for hid in sources(one):
                if not self._is_here_hid(hid):
                    creator = self.creator(hid)
                    todo += [creator] if creator else []
        self.record(facts)

    def tombstones(self) -> Tombstones:
        """Return what is known to be forgotten, in any world of this clone."""
        return self.graves().known

    def forget(self, calls: Iterable[Call], why: str = "") -> Digest:
        """Forget calls in this world; known anywhere here, that bars them from being adopted."""
        return bury(self, calls, why)

    def restore(self, tombstone: Digest, why: str = "") -> Digest:
        """Undo a tombstone, and make the calls that it named part of this world."""
        here, known = self.graves().here, self.graves().known
        named = here.in_force.get(tombstone) or known.in_force.get(tombstone)
        undo = bring_back(self, tombstone, why, here, known)
        if named:
            for number in sorted(self.index.covered(Tombstones([(tombstone, named)]))):
                if not self._is_here(number):
                    self.adopt(self.index.calls([number])[0])
        return undo

    def graves(self) -> Graves:
        """Return what is forgotten in this world, and what anywhere in this clone."""
        graves = self._known_graves
        if graves is None:
            with self._lock:
                found = [(self._is_here(n), (r, fact)) for n, r, fact in self.index.tombstones()]
                fresh = list(self._fresh.tombstones.items())
                graves = self._known_graves = Graves(
                    here=Tombstones([pair for is_here, pair in found if is_here] + fresh),
                    known=Tombstones([pair for _, pair in found] + fresh),
                )
        return graves

    def closure(self, call: Call) -> list[Fact]:
        """Return the facts without which `call` could not be read or judged, and itself."""
        facts: list[Fact] = []
        version = self.version(call.version) if call.version else None
        if version:
            facts += [*self.histories(version), version]
        return [*facts, *values_behind(self, referenced_cids([call])), call]

    def histories(self, version: Version) -> list[Source | Decision]:
        """Return the sources of a version's contents and what was decided about them, and all before."""
        found: list[Source | Decision] = []
        for component, content in version.pairs.items():
            known = dict(self.index.history(component).values())
            todo = [r for r, fact in known.items() if _is_about(fact, content)]
            wanted: dict[Digest, Source | Decision] = {}
            while todo:
                record = todo.pop()
                if record in known and record not in wanted:
                    wanted[record] = known[record]
                    todo += known[record].parents
            found += wanted.values()
        return found

    # --- finding ---------------------------------------------------------

    def candidates(self, key: Digest, asked: Asked | None = None) -> list[Candidate]:
        """Return every known call with this key, those of this world first."""
        fresh = self._fresh
        here = fresh.with_key(key, asked)
        is_first = asked is not None and (asked.op, asked.op_version) in fresh.without_stored
        stored = [] if is_first else self.index.calls_with_key(key, asked)
        if len(stored) + len(here) < 2 and not self.graves().away:  # as nearly always
            return [Candidate(call, here=True) for call in here] or [
                Candidate(call, self._is_here(number), number) for number, call in stored
            ]
        here, elsewhere = self._living(here, stored)
        return [
            Candidate(call, is_here)
            for calls, is_here in ((here, True), (elsewhere, False))
            for call in preferred(calls)
        ]

    def signatures(self, op: str, op_version: int) -> set[CallSignature]:
        """Return what the calls of an op look like that are known in this clone."""
        fresh, stored = self._fresh, self.index.signatures(op, op_version)
        if stored:
            fresh.without_stored.discard((op, op_version))
        else:
            fresh.without_stored.add((op, op_version))
        return stored | fresh.signatures.get((op, op_version), set())

    def following(self, number: int, last: int) -> list[Glance]:
        """Return the calls of this world among facts `number + 1` to `last`, alone with their keys."""
        dead = self.index.covered(self.graves().here)
        return [
            seen
            for number, mark, seen in self.index.lone_calls(number, last)
            if self._is_here(number) and mark not in self._fresh.marks and number not in dead
        ]

    def values(self, cid: Digest) -> list[Value]:
        """Return where the bytes of a value may be."""
        return self._fresh.values.get(cid) or self.index.values(cid)

    def version(self, version: Digest) -> Version | None:
        """Return a version by its id."""
        return self._fresh.versions.get(version) or self.index.version(version)

    def decisions(self) -> Decisions:
        """Return the decisions of this world: those of a branch that was left do not count here."""
        return Decisions(
            (record, fact)
            for number, record, fact in self.index.facts("decision")
            if isinstance(fact, Decision) and self._is_here(number)
        )

    def knows_source(self, component: Component, source: Digest) -> bool:
        """Whether this content of a component was recorded in this clone."""
        return self.index.has_source(component.path, component.unit, source)

    def lineage(self, component: Component) -> tuple[Digest, ...]:
        """Return the facts of this world about `component` that no other of them follows."""
        history = self.index.history(component)
        here = [fact for number, fact in history.items() if self._is_here(number)]
        return heads(here or history.values())

    def creator(self, hid: Digest) -> Call | None:
        """Return the call that made the value with this history id, one of this world if there is one."""
        here, elsewhere = self._living(self._fresh.with_output(hid), self.index.creators(hid))
        calls = preferred(here or elsewhere)
        return calls[0] if calls else None

    def calls(self, code: Code) -> list[Call]:
        """Return the calls of this world."""
        self.enter()
        numbers = sorted(self.visible(code))
        return in_order(self.index.calls(numbers))

    def ops(self) -> list[str]:
        """Return the names of the ops that have calls, here and elsewhere."""
        self.enter()
        return self.index.ops()

    def newest_calls(self, op: str, most: int) -> list[Call]:
        """Return the calls of an op, here and elsewhere, that were seen last."""
        self.enter()
        here = self.graves().here
        return [call for call in self.index.newest_calls(op, most) if not here.cover(call)]

    def visible(self, code: Code) -> set[int]:
        """Return the numbers of this world's facts: committed ones, and pending ones that belong to it."""
        return self.committed() | self.pending(code)

    def committed(self) -> set[int]:
        """Return the numbers of the facts in the checked-out tree, without forgotten calls."""
        return self.index.members(self.files.active) - self.index.covered(self.graves().here)

    def pending(self, code: Code) -> set[int]:
        """Return the numbers of the pending facts that belong to this world.

        Those recorded on the checked-out branch (detached: at this commit), and
        calls recorded elsewhere that are valid for `code`; no forgotten ones.
        """
        decisions = self.decisions()
        verdicts: dict[Digest | None, bool] = {}
        mine: set[int] = set()
        foreign: set[int] = set()
        for span in self._pending_spans():
            mine_or_not = mine if self.is_my_place(span.branch, span.commit) else foreign
            mine_or_not.update(range(span.first, span.last + 1))
        committed = self.index.members(self.files.active)
        dead = self.index.covered(self.graves().here)
        barred = dead | self.index.covered(self.graves().known)
        mine = self.index.of_kinds(mine - committed - dead, _PENDING_KINDS)
        foreign = self.index.of_kinds(foreign - committed - mine - barred, ("call",))
        valid = {n for n in foreign if self._is_valid_call(n, code, decisions, verdicts)}
        return mine | valid

    def describe(self) -> Contents:
        """Say where this is and how much is in it; pending calls of other branches do not count."""
        here = self.graves().here
        pending = (s for s in self._pending_spans() if self.is_my_place(s.branch, s.commit))
        numbers = numbers_in([*self.index.spans(self.files.active), *pending])
        calls = Counter(self.index.calls_per_op(numbers, without=self.index.covered(here)))
        calls.update(call.op for call in self._fresh.calls() if not here.cover(call))
        values = self.index.count_values() + len(self._fresh.values)
        return Contents(repr(str(self.layout.root)), calls.total(), len(calls), values)

    def vacuum(self) -> int:
        """Give unused space in the derived index back; return how many bytes that were."""
        return vacuum(self.index)

    def close(self) -> None:
        """Close the journal and the index."""
        self._journal.close()
        self.index.close()

    # --- private ---------------------------------------------------------

    def is_my_place(self, branch: str, commit: str) -> bool:
        """Whether a fact that was recorded there belongs to what is checked out."""
        if self.place.branch is None:
            return not branch and commit == (self.place.commit or "")
        return branch == self.place.branch

    def _is_valid_call(
        self, number: int, code: Code, decisions: Decisions, verdicts: dict[Digest | None, bool]
    ) -> bool:
        fact = from_line(self.index.line(number), content_id)
        if not isinstance(fact, Call) or fact.version is None:
            return False
        if fact.version not in verdicts:
            version = self.version(fact.version)
            verdicts[fact.version] = version is not None and not changed(version, code, decisions)
        return verdicts[fact.version]

    def _pending_spans(self) -> list[Span]:
        """Return what this work tree's journals hold beyond what is committed."""
        mine = self.files.mine
        return [span for span in self.index.spans(mine) if span.position >= mine[span.file]]

    def _look_around(self) -> None:
        """Find which facts are here."""
        newest = self.index.newest()
        pending = (s for s in self._pending_spans() if self.is_my_place(s.branch, s.commit))
        self._here = Numbers([*self.index.spans(self.files.active), *pending])
        self._newest = newest

    def _is_here(self, number: int) -> bool:
        if number > self._newest:  # another process has read its journal since
            self._look_around()
        return number in self._here

    def _is_here_hid(self, hid: Digest) -> bool:
        return bool(self._living(self._fresh.with_output(hid), self.index.creators(hid))[0])

    def _living(
        self, fresh: Iterable[Call], found: Iterable[tuple[int, Call]]
    ) -> tuple[list[Call], list[Call]]:
        """Return the calls of this world, and those of others, without forgotten ones."""
        graves = self.graves()
        here = [call for call in fresh if not graves.here.cover(call)]
        elsewhere: list[Call] = []
        for number, call in found:
            if self._is_here(number):
                if not graves.here.cover(call):
                    here.append(call)
            elif not graves.bar(call):
                elsewhere.append(call)
        return here, elsewhere


def _is_about(fact: Source | Decision, content: Content) -> bool:
    if isinstance(fact, Source):
        return fact.source == content.source
    return bool({fact.old, fact.new} & {content.source, content.value})
