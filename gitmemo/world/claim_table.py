"""The claims of one process over one file: which of its threads has which call.

Not what a claim is for who makes a call (`claims`), nor what other processes see (`claim_file`).
Invariants: one thread alone asks the file for a call; a mark that others may have read is changed
before the call is let go of.
"""

from __future__ import annotations

import os
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from typing import TYPE_CHECKING
from weakref import WeakSet, WeakValueDictionary

from gitmemo.world.claim_file import MARK_BYTES, ClaimFile, Wait, is_circle

if TYPE_CHECKING:
    from gitmemo.world.claims import Claim, Claims


class Table:
    """The claims of the threads and tasks of this process, over one file or none."""

    def __init__(self, file: ClaimFile | None) -> None:
        self.file = file
        self.users: WeakSet[Claims] = WeakSet()
        self.life = 0
        self.start_over()
        _TABLES.add(self)

    def start_over(self) -> None:
        """Hold nothing: also in a forked child, where no thread is left that held something."""
        self.life += 1  # what was read before, others may have recorded unmarked since
        self.has_company = True  # until it is known
        self.mutex = threading.Lock()
        self.freed = threading.Condition(self.mutex)
        self.held: dict[int, Claim] = {}
        self.sleepers = 0
        self.moment = 0
        self.recorded: dict[int, int] = {}
        self.waits: dict[Claim, Wait] = {}

    def take(self, claim: Claim) -> bool:
        """Return whether nobody else has the call now."""
        # In one step, which no other thread sees half of.
        if self.held.setdefault(claim.call, claim) is not claim:
            return False
        # From here on the other threads wait for this one, and one alone asks the file.
        return self.file is None or self.file.lock(claim.call)

    def tick(self) -> int:
        """Return a moment that is later than all before."""
        with self.mutex:
            self.moment += 1
            return self.moment

    def let_go(self, claim: Claim, seen: bytearray | None) -> None:
        """End a claim; `seen` is told of the mark that says so, None if nothing can be new."""
        with self.mutex:
            try:
                if seen is not None:
                    self.moment += 1
                    self.recorded[claim.slot] = self.moment
                    if self.file is not None and not self._is_alone(self.file):
                        self._mark(self.file, claim.slot, seen)
            finally:
                if self.held.get(claim.call) is claim:  # in a child it is the parent's
                    if self.file:
                        self.file.unlock(claim.call)
                    del self.held[claim.call]
                    if self.sleepers:
                        self.freed.notify_all()

    def join(self, claims: Claims) -> None:
        """Have one more that may read marks."""
        with self.mutex:
            self.users.add(claims)
            self.has_company = self.has_company or len(self.users) > 1

    def attend(self, file: ClaimFile) -> None:
        """Let others see that marks are about to be read."""
        with self.mutex:
            file.attend()
            self.has_company = len(self.users) > 1

    def _is_alone(self, file: ClaimFile) -> bool:
        """Whether nobody else has read marks: then none needs to be written."""
        if not self.has_company:
            self.has_company = not file.is_alone()  # and until marks are read again
        return not self.has_company

    def _mark(self, file: ClaimFile, slot: int, seen: bytearray) -> None:
        start = slot * MARK_BYTES
        try:
            before, new = file.change(slot)
        except OSError:
            return
        if before == seen[start : start + MARK_BYTES]:  # else somebody else recorded something too
            seen[start : start + MARK_BYTES] = new

    def sleep(self, pause_s: float, claim: Claim) -> None:
        """Wait, no longer than until a thread of this process has let go of the call."""
        with self.mutex:
            if self.held.get(claim.call, claim) is not claim:
                self.sleepers += 1
                try:
                    self.freed.wait(pause_s)
                finally:
                    self.sleepers -= 1
                return
        time.sleep(pause_s)

    def is_circle(self, claim: Claim) -> bool:
        """Whether whoever has the call waits, in the end, for what encloses `claim`."""
        with self.mutex:
            others = [wait for other, wait in self.waits.items() if other is not claim]
            if self.file and not self.file.trouble:
                with suppress(OSError):
                    others += self.file.notes()
            return is_circle(self.waits[claim], others)

    @contextmanager
    def noted(self, claim: Claim, wait: Wait) -> Iterator[None]:
        """Let others see in the body that `claim` waits, and what it holds meanwhile."""
        note = None
        with self.mutex:
            self.waits[claim] = wait
            if self.file and not self.file.trouble:
                with suppress(OSError):
                    note = self.file.note(wait)
        try:
            yield
        finally:
            with self.mutex:
                self.waits.pop(claim, None)
                if note is not None and self.file:
                    self.file.erase(note)


_TABLES: WeakSet[Table] = WeakSet()
TABLE_OF: WeakValueDictionary[tuple[int, int], Table] = WeakValueDictionary()
"""By the file, which is told by device and inode."""


def _start_over_in_child() -> None:
    for table in list(_TABLES):
        table.start_over()


if hasattr(os, "register_at_fork"):  # not on Windows, where nothing forks
    os.register_at_fork(after_in_child=_start_over_in_child)
