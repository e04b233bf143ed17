"""Claims that a driver holds for workers without its folder, who cannot claim in its store.

Not the claims of calls that are made here, or by workers that see the folder (`memo.caller`).
Invariant: nobody waits here, and all claims are let go of when the work ends, also those of calls that
would be sent later.
"""

from __future__ import annotations

import threading
from typing import TYPE_CHECKING, Any

from gitmemo.hashing.digest import Digest
from gitmemo.memo.parallel.outcomes import Claimed, Recorded
from gitmemo.model.lines import to_line
from gitmemo.world.claims import Claim

if TYPE_CHECKING:
    from gitmemo.memo.op import Op
    from gitmemo.memo.storage import Storage


class ProxyClaims:
    """The claims of one work, by the numbers of its calls."""

    def __init__(self, storage: Storage) -> None:
        """Hold none; this thread is the one that waits for what comes back."""
        self._storage = storage
        self._claims = storage.world.claims
        self._lock = threading.Lock()
        self._held: dict[int, Claim] = {}
        self._taker = threading.get_ident()
        self._is_on = False

    def begin(self) -> None:
        """Claim calls from now on."""
        self._is_on = self._claims.is_on

    def claim(
        self,
        number: int,
        op: Op[..., Any],
        args: tuple[Any, ...],
        kwargs: dict[str, Any],
        key: Digest,
    ) -> Claimed | Recorded | None:
        """Claim a call that is sent now; return what came of it if it is not to be made.

        Any thread may do so, and twice for a call.
        """
        with self._lock:
            if not self._is_on or number in self._held:
                return None
            claim = self._claims.claim(key, taker=self._taker)
            if claim.hold():
                self._held[number] = claim
        try:
            stored = self._storage._caller.recorded_by_others(op, args, kwargs, claim)
        except BaseException:
            self._end(number, claim)
            raise
        if claim.is_mine and stored is None:
            claim.is_used = True
            return None
        is_elsewhere = stored is None and claim.can_wait()
        self._end(number, claim)
        if stored is not None:
            return Recorded(number, (to_line(stored),), is_reused=True)
        if is_elsewhere:
            return Claimed(number, key, self._storage._names.name_of(op)[0])
        return None

    def let_go(self, number: int) -> None:
        """End the claim of a call, if there is one."""
        claim = self._held.get(number)
        if claim is not None:
            self._end(number, claim)

    def end(self) -> None:
        """End all claims, and take no more."""
        with self._lock:
            self._is_on = False
        for number in list(self._held):
            self.let_go(number)

    def _end(self, number: int, claim: Claim) -> None:
        with self._lock:
            if self._held.get(number) is claim:
                del self._held[number]
        self._claims.let_go(claim)
