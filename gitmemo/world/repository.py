"""The world of a git repository: committed segments plus this worktree's journal.

Not git itself (`gitmemo.git`), nor the reading of files (`files`), nor what a
commit takes from here (`gitmemo.commits`). Invariant: the visible facts are
those of the segments in the checked-out tree and the pending ones that belong
to it; everything else that is known locally can be adopted, never lost.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Collection, Iterable, Mapping, Sequence
from functools import partial
from typing import TYPE_CHECKING

from gitmemo.git.cli import Git
from gitmemo.git.repository import Layout
from gitmemo.hashing.digest import Digest
from gitmemo.model.components import Component, Content
from gitmemo.model.facts import (
    Call,
    Decision,
    Dependency,
    Fact,
    JsonValue,
    Move,
    Source,
    Statement,
    Tombstone,
    Undo,
    Value,
    Version,
    Withdrawal,
    referenced_cids,
    sources,
)
from gitmemo.model.glances import Asked, Glance
from gitmemo.model.lines import to_line
from gitmemo.model.tombstones import Tombstones
from gitmemo.setting_values import Reuse
from gitmemo.world.absent import Absent
from gitmemo.world.claims import Claims
from gitmemo.world.forgetting import bring_back, bury
from gitmemo.world.journal import Journal, Place
from gitmemo.world.leftovers import tidy
from gitmemo.world.notes import FileNotes, Notes
from gitmemo.world.reading import periods
from gitmemo.world.space import vacuum
from gitmemo.world.spans import numbers_in
from gitmemo.world.view import (
    CallSignature,
    Candidate,
    Contents,
    Tally,
    heads,
    in_order,
    preferred,
    values_behind,
)
from gitmemo.world.worktree import Worktree

if TYPE_CHECKING:
    from gitmemo.blobs import BlobStore
    from gitmemo.model.validity import Code


_GRAVES = frozenset({Tombstone, Undo})


class RepositoryWorld(Worktree):
    """Facts of one worktree of one repository.

    Attributes:
        is_sealed: Whether what is recorded is known to this process alone, and never written.
    """

    is_sealed = False

    def __init__(self, layout: Layout) -> None:
        super().__init__(layout)
        self._blobs: BlobStore | None = None
        self.notes: Notes = FileNotes(layout.private_dir / "failures.jsonl")
        self._absent = Absent(layout, lambda: self.blobs)
        self._journal = Journal(self.files.journal_folder)
        self.claims = Claims(layout.private_dir / "claims", layout.worktree_name)

    @property
    def blobs(self) -> BlobStore:
        """The values of this clone; opened when first asked for."""
        if self._blobs is None:
            from gitmemo.blobs.home import repository_blobs

            with self._lock:
                if self._blobs is None:
                    self._blobs = repository_blobs(self.layout)
        return self._blobs

    def enter(self) -> bool:
        """Tidy up after a commit that git gave up, and read what is new."""
        tidy(self.layout)
        return super().enter()

    # --- adding ----------------------------------------------------------

    def record(self, facts: Sequence[Fact]) -> None:
        """Append facts to this process's journal."""
        if self.is_sealed:
            self.learn(facts)
            return
        lines = [to_line(fact) for fact in facts]
        with self._lock:
            self._journal.append(self.place, lines)
            self._fresh.add(facts, lines)
            if not _GRAVES.isdisjoint(map(type, facts)):
                self._known_graves = None

    def learn(self, facts: Sequence[Fact]) -> None:
        """Know facts that another process has recorded, before its journal is read."""
        lines = [to_line(fact) for fact in facts]
        with self._lock:
            self._fresh.learn(facts, lines)

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

    def closure(self, call: Call) -> list[Fact]:
        """Return the facts without which `call` could not be read or judged, and itself."""
        facts: list[Fact] = []
        version = self.version(call.version) if call.version else None
        if version:
            facts += [*self.histories(version), version]
        return [*facts, *values_behind(self, referenced_cids([call])), call]

    def histories(self, version: Version) -> list[Source | Statement]:
        """Return what a verdict on a version needs: its sources, what was said of them, and all before."""
        wanted: dict[Digest, Source | Decision] = {}
        for component, content in version.pairs.items():
            known = dict(self.index.history(component).values())
            todo = [r for r, fact in known.items() if _is_about(fact, content)]
            while todo:
                record = todo.pop()
                if record in known and record not in wanted:
                    wanted[record] = known[record]
                    todo += known[record].parents
        return list(self._said_of(version, wanted).values())

    def _said_of(
        self, version: Version, histories: Mapping[Digest, Source | Decision]
    ) -> dict[Digest, Source | Statement]:
        """Add the moves of a version's components, the dependencies added to them, and withdrawals."""
        statements = {record: fact for _, record, fact in self.index.statements()}
        found: dict[Digest, Source | Statement] = dict(histories)
        components = set(version.pairs)
        rest = {r: f for r, f in statements.items() if isinstance(f, Move | Dependency)}
        while near := {r: f for r, f in rest.items() if not components.isdisjoint(_ends(f))}:
            found |= near
            components.update(end for fact in near.values() for end in _ends(fact))
            rest = {r: f for r, f in rest.items() if r not in near}
        withdrawals = {r: f for r, f in statements.items() if isinstance(f, Withdrawal)}
        while near_ones := {
            r: f
            for r, f in withdrawals.items()
            if r not in found and not found.keys().isdisjoint(f.supersedes)
        }:
            found |= near_ones
        return found

    # --- finding ---------------------------------------------------------

    def candidates(self, key: Digest, asked: Asked | None = None) -> list[Candidate]:
        """Return every known call with this key, those of this world first."""
        fresh = self._fresh
        here = fresh.with_key(key, asked, partial(self._is_living, key))
        stored = self._stored(key, asked)
        if self.reuse is not Reuse.ANY:
            stored = [(number, call) for number, call in stored if self._is_usable(number)]
        if not stored and not here:
            return []
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

    def _stored(self, key: Digest, asked: Asked | None) -> list[tuple[int, Call]]:
        """Return the calls with a key in the index; of many, those that decide what is `asked`."""
        if asked is None:
            return self.index.calls_with_key(key)
        if (asked.op, asked.op_version) in self._fresh.without_stored:
            return []
        tests = partial(self._is_here_living, key), partial(self._is_elsewhere_living, key)
        return self.index.deciding_calls(key, asked, *tests)

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

    def tallies(self, code: Code) -> tuple[list[Tally], list[Tally]]:
        """Return how often each op ran with each version: in committed calls, and in pending ones."""
        numbers = self.committed()
        return self.index.tally(numbers), self.index.tally(self.pending(code) - numbers)

    def periods(self, op: str, code: Code) -> dict[Digest, tuple[str, str]]:
        """Return when the first and the last call of an op with each version began."""
        return periods(self.index, op, self.visible(code))

    def texts(self, wanted: Iterable[Digest]) -> dict[Digest, str]:
        """Return source texts by digest: of journals, else of the function histories in git."""
        chosen = set(wanted)
        found = super().texts(chosen)
        missing = chosen - found.keys()
        if missing:
            from gitmemo.history import Histories

            found |= Histories(self.layout).texts_of(missing)
        return found

    def history(self, component: Component) -> dict[int, tuple[Digest, Source | Decision]]:
        """Return the known sources of and decisions about a component."""
        return self.index.history(component)

    def knows_source(self, component: Component, source: Digest) -> bool:
        """Whether this content of a component was recorded in this clone."""
        return self.index.has_source(component.path, component.unit, source)

    def text(self, component: Component, source: Digest) -> str | None:
        """Return the text of a content of a component, from a journal or from its git history."""
        text = self.index.source_text(component, source)
        if text is None:
            return None
        found = self.index.text(text)
        if found is not None:
            return found
        from gitmemo.history import Histories

        return Histories(self.layout).text_of(text)

    def landmark(self) -> tuple[Place, int]:
        """Return what is checked out, and a number that grows with every version and statement."""
        return self.place, self.index.latest_about_code()

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

    def calls_with_hids(self, hids: Collection[Digest]) -> list[Call]:
        """Return the calls with these history ids that are known in this clone; a slow search."""
        fresh = [call for call in self._fresh.calls() if call.hid in hids]
        return [*fresh, *self.index.calls_with_hids(hids)]

    def calls(self, code: Code) -> list[Call]:
        """Return the calls of this world."""
        self.enter()
        numbers = sorted(self.visible(code))
        return in_order(self.index.calls(numbers))

    def pending_hids(self, code: Code) -> frozenset[Digest]:
        """Return the history ids of the calls of this world that are in no commit."""
        numbers = self.pending(code)
        return frozenset(call.hid for call in self.index.calls(numbers)) if numbers else frozenset()

    def ops(self) -> list[str]:
        """Return the names of the ops that have calls, here and elsewhere."""
        self.enter()
        return self.index.ops()

    def newest_calls(self, op: str, most: int) -> list[Call]:
        """Return the calls of an op, here and elsewhere, that were seen last."""
        self.enter()
        here = self.graves().here
        return [call for call in self.index.newest_calls(op, most) if not here.cover(call)]

    def news_of_absent(self) -> int:
        """Return how many values of the checked-out tree are not here, once after each checkout."""
        return self._absent.news(self.place, self.index, self.files)

    def describe(self) -> Contents:
        """Say where this is and how much is in it; pending calls of other branches do not count."""
        if self._around is None:  # nobody has looked yet, and nothing would be said to be here
            self.enter()
        here = self.graves().here
        pending = (s for s in self._pending_spans() if self.homes.is_home(s.branch, s.commit))
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
        self.claims.close()
        self.index.close()


def _ends(fact: Move | Dependency) -> tuple[Component, Component]:
    return (fact.component, fact.to if isinstance(fact, Move) else fact.on)


def _is_about(fact: Source | Decision, content: Content) -> bool:
    if isinstance(fact, Source):
        return fact.source == content.source
    return bool({fact.old, fact.new} & {content.source, content.value})
