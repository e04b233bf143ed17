"""Claims: who computes a call, so that nobody else computes it at the same time.

Not what is recorded, and never needed for it: without claims calls are computed twice, and nothing
else happens. Invariants: a claim ends with its process; nobody waits for a call that encloses the
one that waits, nor in a circle; who gets a claim knows whether the call may have been recorded since
the journals were read.
"""

from __future__ import annotations

import os
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from contextvars import ContextVar, Token
from pathlib import Path
from types import TracebackType

from gitmemo.hashing.digest import Digest, digest
from gitmemo.world.claim_file import MARK_BYTES, SLOTS, key_of, opened
from gitmemo.world.claim_table import TABLE_OF, Table

_SHORTEST_S = 0.001
_LONGEST_S = 0.25
_SUSPICIOUS_S = 0.3
"""From when on a wait inside of another call is looked at: it may be part of a circle."""
PATIENCE_S = 10.0
"""After so long people are told for whom they wait."""
_MOST_NUMBERS = 1 << 60

_inside: ContextVar[Claim | None] = ContextVar("gitmemo_claim", default=None)
_FINDING = threading.RLock()


class Claims:
    """The claims of one world.

    Attributes:
        is_on: Whether calls are claimed at all.
    """

    def __init__(self, path: Path | None, place: str = "") -> None:
        """`path` is the file, None for what only threads share; `place` tells work trees apart."""
        self.is_on = True
        self._path = path
        self._salt = int.from_bytes(digest(place.encode())[:8]) if place else 0
        self._table: Table | None = None
        self._trouble: Exception | None = None
        self._seen = bytearray(SLOTS * MARK_BYTES)
        # Where marks were read, and in which life of it; what was recorded before may have none.
        self._read: tuple[Table | None, int] = (None, 0)
        self._noticed = 0

    @property
    def moment(self) -> int:
        """A number that grows with every call that a thread of this process has computed."""
        return self._table.moment if self._table else 0

    @contextmanager
    def noticing(self) -> Iterator[None]:
        """Take notice, in the body, of what others have recorded."""
        table = self._found(create=False) if self.is_on else None
        # Read before the journals: what is recorded meanwhile is taken for new.
        marks, life = None, 0
        if table is not None and table.file is not None:
            life = table.life
            table.attend(table.file)
            marks = table.file.marks()
        yield
        if table is not None and marks is not None:
            self._seen, self._read = marks, (table, life)
            # Another thread may have looked for a call before, and found nothing.
            self._noticed = table.tick()

    def claim(self, key: Digest, *, is_async: bool = False, taker: int | None = None) -> Claim:
        """Return a claim, not taken yet; `taker` is the thread that waits, if others compute the call."""
        number = (int.from_bytes(key[:8]) ^ self._salt) % _MOST_NUMBERS
        return Claim(self, self._table or self._made(), number, is_async=is_async, taker=taker)

    def has_news(self, claim: Claim) -> bool:
        """Whether other storages may have recorded the call since notice was taken of them."""
        file = claim.table.file
        if file is None:
            return False
        if claim.has_waited or self._read != (claim.table, claim.table.life):
            return True
        start = claim.slot * MARK_BYTES
        try:
            return file.mark(claim.slot) != self._seen[start : start + MARK_BYTES]
        except OSError:
            return True

    def trouble(self) -> Exception | None:
        """Return why other processes are not kept from computing the same, once."""
        found, self._trouble = self._trouble, None
        file = self._table.file if self._table is not None else None
        if file is None or file.trouble is None:
            return found
        if found is None and not file.is_told:
            file.is_told, found = True, file.trouble
        return found

    def let_go(self, claim: Claim) -> None:
        """End a claim."""
        claim.table.let_go(claim, self._seen if claim.is_used else None)

    def close(self) -> None:
        """Let go of the file; what is claimed keeps it."""
        if self._table is not None:
            self._table.users.discard(self)
        self._table, self._read = None, (None, 0)

    def _made(self) -> Table:
        found = self._found(create=True)
        assert found is not None
        return found

    def _found(self, *, create: bool) -> Table | None:
        """Return the table; None if there is no file yet and none is to be made."""
        with _FINDING:
            if self._table is None or self._is_gone(self._table):
                self._table = self._open(create=create)
                if self._table is not None:
                    self._table.join(self)
            return self._table

    def _is_gone(self, table: Table) -> bool:
        """Whether there is another file now where the one of `table` was, or none."""
        if self._path is None or table.file is None:
            return False
        try:
            return key_of(self._path) != table.file.key
        except OSError:
            return True

    def _open(self, *, create: bool) -> Table | None:
        if self._path is None:
            return Table(None)
        try:
            file = opened(self._path, create=create)
        except (OSError, ImportError) as error:
            self._trouble = error if isinstance(error, OSError) else None
            return Table(None)
        if file is None:
            return None
        table = TABLE_OF.get(file.key)
        if table is None:
            table = TABLE_OF[file.key] = Table(file)
        return table


class Claim:
    """A call that is about to be computed: a context at whose end it is let go of.

    Attributes:
        call: The number that stands for it.
        slot: Where the mark is that says whether it was recorded.
        has_waited: Whether somebody else had it.
        is_mine: Whether it is had now; if it could not be waited for, it is not.
        is_used: Whether the call is computed now, and others have to look whether it was recorded.
    """

    __slots__ = (
        "__weakref__",
        "_around",
        "_claims",
        "_is_async",
        "_is_for_others",
        "_thread",
        "_token",
        "call",
        "has_waited",
        "is_mine",
        "is_used",
        "slot",
        "table",
    )

    def __init__(
        self, claims: Claims, table: Table, call: int, *, is_async: bool, taker: int | None
    ) -> None:
        self.call, self.slot, self.table = call, call % SLOTS, table
        self.has_waited = self.is_mine = self.is_used = False
        self._claims = claims
        self._token: Token[Claim | None] | None = None
        self._is_for_others = taker is not None
        self._thread = threading.get_ident() if taker is None else taker
        self._around = _inside.get()
        self._is_async = is_async

    def __enter__(self) -> Claim:
        return self

    def take(self) -> bool:
        """Take the claim if nobody has it; return whether it is had now."""
        self.is_mine = self.table.take(self)
        if self.is_mine:
            self._token = _inside.set(self)
        return self.is_mine

    def hold(self) -> bool:
        """Do the same for a call that is not computed in this context."""
        self.is_mine = self.table.take(self)
        return self.is_mine

    def pauses(self, tell: Callable[[str], None]) -> Iterator[float]:
        """Take it after somebody else; yield how many seconds to wait, as long as it takes.

        `tell` is told once who that is, if it takes long.
        """
        if not self.can_wait():
            return
        self.has_waited = True
        yield from self._until_taken(tell)
        if self.is_mine:
            self._token = _inside.set(self)

    def sleep(self, pause_s: float) -> None:
        """Wait in a thread."""
        self.table.sleep(pause_s, self)

    def has_news(self, moment: int) -> bool:
        """Whether threads of this process may have recorded, or noticed, the call since `moment`."""
        return max(self.table.recorded.get(self.slot, 0), self._claims._noticed) > moment

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        if self._token is not None:
            try:  # noqa: SIM105 - `suppress` is three calls more in each call that is run
                _inside.reset(self._token)
            except ValueError:  # a coroutine that is thrown away may end anywhere
                pass
        self._claims.let_go(self)

    def _until_taken(self, tell: Callable[[str], None]) -> Iterator[float]:
        begun = time.monotonic()
        held = tuple(self._kept())
        is_told, note = False, None
        try:
            while not self.table.take(self):
                waited_s = time.monotonic() - begun
                if held and waited_s >= _SUSPICIOUS_S:
                    if note is None:
                        note = self.table.noted(self, (self.call, held))
                        note.__enter__()
                    if self.table.is_circle(self):
                        return
                if waited_s >= PATIENCE_S and not is_told:
                    is_told = True
                    tell(self.who())
                yield min(max(waited_s / 4, _SHORTEST_S), _LONGEST_S)
            self.is_mine = True
        finally:
            if note is not None:
                note.__exit__(None, None, None)

    def _enclosing(self) -> Iterator[Claim]:
        claim = self._around
        while claim is not None:
            yield claim
            claim = claim._around

    def _kept(self) -> Iterator[int]:
        """Yield the calls that nobody gets before this thread or task goes on."""
        for claim in self._enclosing():
            if claim.table is self.table:
                yield claim.call
        for claim in list(self.table.held.values()):
            if claim._is_for_others and claim._thread == self._thread:
                yield claim.call

    def can_wait(self) -> bool:
        """Whether waiting can end: whoever has the call goes on without this one."""
        if any(one.call == self.call and one.table is self.table for one in self._enclosing()):
            return False
        holder = self.table.held.get(self.call)
        if holder is None or holder is self or holder._thread != self._thread:
            return True
        return self._is_async and holder._is_async

    def who(self) -> str:
        """Say in words who has the call instead."""
        holder = self.table.held.get(self.call)
        if holder is not None and holder is not self:
            return "another thread or task of this process"
        return self.table.file.who(self.call) if self.table.file else "somebody else"


def _start_over_in_child() -> None:
    global _FINDING
    _FINDING = threading.RLock()


if hasattr(os, "register_at_fork"):  # not on Windows, where nothing forks
    os.register_at_fork(after_in_child=_start_over_in_child)
