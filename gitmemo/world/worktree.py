"""Which of all known facts are those of a worktree: of the checked-out tree, or pending here.

Not what is asked of them (`repository`). Invariant: a fact is here if it is in
a segment of the checked-out tree, or pending and recorded at a place whose home
is here (`homes`), or a pending call that the code would come to: it is valid, and
used nothing that other code made.
"""

from __future__ import annotations

import sqlite3
import threading
import warnings
from collections.abc import Callable, Iterable
from contextlib import suppress
from typing import TYPE_CHECKING

from gitmemo.errors import GitFailed, GitMissing, SystemRefused
from gitmemo.git.repository import Layout, head
from gitmemo.hashing.digest import Digest
from gitmemo.model.facts import Call, Statement, Version
from gitmemo.model.tombstones import Tombstones
from gitmemo.setting_values import Reuse
from gitmemo.world.crowds import Member
from gitmemo.world.derived import in_memory, is_damage, open_derived, remove
from gitmemo.world.files import FactFiles
from gitmemo.world.forgetting import Graves
from gitmemo.world.fresh import Fresh
from gitmemo.world.homes import Homes
from gitmemo.world.index import Index
from gitmemo.world.journal import Place
from gitmemo.world.lost import EXPORTED_KINDS, Lost
from gitmemo.world.reading import Reading
from gitmemo.world.spans import Numbers, Span

if TYPE_CHECKING:
    from gitmemo.model.decisions import Decisions
    from gitmemo.model.renames import Renames
    from gitmemo.model.validity import Code

# Values go where the calls go that name them, but a push wants them before.
_PENDING_KINDS = (*EXPORTED_KINDS, "value")


class LookFailed(UserWarning):
    """Nobody could say whether commits with calls are gone; nothing is lost by that.

    Attributes:
        reason: What went wrong.
    """

    def __init__(self, reason: Exception) -> None:
        super().__init__(reason)
        self.reason = reason

    def __str__(self) -> str:
        return (
            f"calls whose commits are gone cannot be looked for: {self.reason}"
            " - they are kept, and looked for when git moves HEAD again"
        )


class Worktree(Reading):
    """The facts that are known in one worktree, and where they are."""

    def __init__(self, layout: Layout) -> None:
        self.layout = layout
        with suppress(OSError):  # read-only: everything can still be read
            layout.private_dir.mkdir(exist_ok=True)
        self.index = open_derived(layout.private_dir / "index.db")
        self.files = FactFiles(layout, self.index)
        self.place = Place(None, None)
        self.reuse = Reuse.ANY
        self.homes = Homes(layout, self.place)
        self._lost = Lost(layout, self.files, self.index)
        self._fresh = Fresh()
        self._known_graves: Graves | None = None
        self._here = Numbers(())
        self._waiting = Numbers(())  # pending, for whichever branch
        self._newest = 0
        self._has_noticed = False
        # What `_here` follows from, besides facts with higher numbers.
        self._around: tuple[Place, frozenset[int], dict[int, int]] | None = None
        # A fact must not slip between the journal, the index and what is fresh.
        self._lock = threading.RLock()

    def enter(self) -> bool:
        """Read what is new in the checked-out tree and in the journals of all processes."""
        with self._lock:
            now = head(self.layout)
            before, self.place = self.place, Place(now.branch, now.commit)
            self.homes = self.homes.at(self.place)
            try:
                read = self._refresh()
            except (sqlite3.DatabaseError, SystemRefused) as error:
                self._mend_index(error)
                read = self._refresh()
            if read:
                self._fresh = Fresh()
            around = (self.place, self.files.active, self.files.mine)
            if read or around != self._around or self.index.newest() != self._newest:
                self._look_around()
            self._around = around
            self._known_graves = None
            has_noticed, self._has_noticed = self._has_noticed, False
            return read or has_noticed or self.place != before

    def notice(self) -> bool:
        """Read what the journals of all processes gained, and stay where this block began."""
        with self._lock:
            before = self.index.latest_tombstone()
            if not self.files.read_journals():
                return False
            self._has_noticed = True
            self._fresh = Fresh()
            self._look_around()
            self._known_graves = None
            return self.index.latest_tombstone() != before

    def _refresh(self) -> bool:
        """Read what is new, and make pending again what git let go of."""
        read = self.files.refresh()
        if self.files.left_out:  # nobody can say what is lost
            return read
        try:
            if self._lost.bring_back(self.place, self._forgotten):
                read = self.files.refresh() or read
        except (OSError, GitFailed, GitMissing) as error:
            warnings.warn(LookFailed(error), stacklevel=4)
        return read

    def _forgotten(self) -> set[int]:
        """Return the numbers of the calls that are forgotten anywhere in this clone."""
        graves = Tombstones([(r, fact) for _, r, fact in self.index.tombstones()])
        return self.index.covered(graves)

    def _mend_index(self, error: sqlite3.DatabaseError | SystemRefused) -> None:
        """Have another derived index: everything in it is in other files."""
        if isinstance(error, SystemRefused):
            self._begin_index(in_memory)
        elif is_damage(error):
            self.remake_index()
        else:
            raise error

    def remake_index(self) -> None:
        """Make the derived index anew: it was damaged."""
        path = self.layout.private_dir / "index.db"

        def made() -> Index:
            remove(path)
            return open_derived(path)

        self._begin_index(made)

    def _begin_index(self, made: Callable[[], Index]) -> None:
        self.index.close()
        self.index = made()
        lenient = self.files.is_lenient
        self.files = FactFiles(self.layout, self.index)
        self.files.is_lenient = lenient
        self._lost = Lost(self.layout, self.files, self.index)

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

    def version(self, version: Digest) -> Version | None:
        """Return a version by its id."""
        return self._fresh.versions.get(version) or self.index.version(version)

    def decisions(self) -> Decisions:
        """Return the decisions of this world: those of a branch that was left do not count here."""
        from gitmemo.model.decisions import Decisions  # a hook that compares no code needs none

        return Decisions(self.statements())

    def renames(self) -> Renames:
        """Return what was renamed in this world."""
        from gitmemo.model.renames import Renames

        return Renames(self.statements())

    def statements(self) -> list[tuple[Digest, Statement]]:
        """Return what people said of the code in this world, with record ids."""
        return [
            (record, fact)
            for number, record, fact in self.index.statements()
            if self._is_here(number)
        ]

    @property
    def segments(self) -> int:
        """How many segments the checked-out tree has."""
        return len(self.files.active)

    def visible(self, code: Code) -> set[int]:
        """Return the numbers of this world's facts: committed ones, and pending ones that belong to it."""
        return self.committed() | self.pending(code)

    def committed(self) -> set[int]:
        """Return the numbers of the facts in the checked-out tree, without forgotten calls."""
        return self.index.members(self.files.active) - self.index.covered(self.graves().here)

    def pending(self, code: Code) -> set[int]:
        """Return the numbers of the pending facts that belong to this world.

        Those recorded on the checked-out branch (detached: at this commit), and
        calls recorded elsewhere that are valid for `code` and used nothing that
        other code made; no forgotten ones.
        """
        mine: set[int] = set()
        foreign: set[int] = set()
        for span in self._pending_spans():
            mine_or_not = mine if self.homes.is_home(span.branch, span.commit) else foreign
            mine_or_not.update(range(span.first, span.last + 1))
        # As runs: there may be a million of them, and most commits find few facts pending.
        committed = Numbers(self.index.runs(self.files.active))
        dead = self.index.covered(self.graves().here)
        barred = dead | self.index.covered(self.graves().known)
        mine = self.index.of_kinds(committed.without(mine) - dead, _PENDING_KINDS)
        foreign = self.index.of_kinds(committed.without(foreign) - mine - barred, ("call",))
        if not foreign:
            return mine
        own = self.index.members(self.files.active) | mine
        return mine | self._coming_here(foreign, own, code)

    def _coming_here(self, foreign: Iterable[int], own: set[int], code: Code) -> set[int]:
        """Return the pending calls of other places that `code` would make: valid, and fed by such."""
        from gitmemo.world import sifting

        shapes = sifting.shapes_of(self.index, foreign)
        if not shapes:
            return set()
        decisions = self.decisions()
        valid = sifting.valid_shapes(self.index, self, decisions, code)
        candidates = {
            number: version
            for number, shape in shapes.items()
            if (version := valid.get(shape)) is not None
        }
        makers = own.intersection(n for n, _, _ in sifting.of_shapes(self.index, valid))
        return set(sifting.led_to(self.index, candidates, makers, code, decisions))

    def pending_commits(self) -> set[str]:
        """Return where HEAD was when what is pending here was recorded; "" where it was nowhere."""
        spans = self._pending_spans()
        return {span.commit for span in spans if self.homes.is_home(span.branch, span.commit)}

    def _pending_spans(self) -> list[Span]:
        """Return what this work tree's journals hold beyond what is committed."""
        mine = self.files.mine
        return [span for span in self.index.spans(mine) if span.position >= mine[span.file]]

    def _look_around(self) -> None:
        """Find which facts are here."""
        newest = self.index.newest()
        waiting = self._pending_spans()
        pending = [(s.first, s.last) for s in waiting if self.homes.is_home(s.branch, s.commit)]
        self._here = Numbers([*self.index.runs(self.files.active), *pending])
        self._waiting = Numbers([(s.first, s.last) for s in waiting])
        self._newest = newest

    def _is_here(self, number: int) -> bool:
        if number > self._newest:  # another process has read its journal since
            self._look_around()
        return number in self._here

    def _is_usable(self, number: int) -> bool:
        """Whether look-ups may use a fact: what is pending belongs here where it is valid."""
        return self.reuse is Reuse.ANY or self._is_here(number) or number in self._waiting

    def _is_here_hid(self, hid: Digest) -> bool:
        return bool(self._living(self._fresh.with_output(hid), self.index.creators(hid))[0])

    def _is_living(self, key: Digest, one: Member) -> bool:
        """Whether a record with this key is not forgotten here."""
        return not self.graves().here.cover_record(key, one.record, one.origin)

    def _is_here_living(self, key: Digest, one: Member) -> bool:
        return self._is_here(one.place) and self._is_living(key, one)

    def _is_elsewhere_living(self, key: Digest, one: Member) -> bool:
        """Whether look-ups may use a record of another world."""
        if self._is_here(one.place) or not self._is_usable(one.place):
            return False
        barred = self.graves().known.cover_record(key, one.record, one.origin)
        return not barred and self._is_living(key, one)

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
