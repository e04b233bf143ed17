"""Waiting for a call that somebody else computes, as the program that waits meets it.

Not who computes what (`world.claims`). Invariant: waiting blocks no event loop, and Ctrl-C ends it.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping
from enum import Enum, auto

from gitmemo.hashing.digest import Digest
from gitmemo.memo.telling import tell
from gitmemo.world import claims as claiming
from gitmemo.world.claims import Claims

SHORTEST_S = 0.002
LONGEST_S = 0.25
"""Between two looks at whether a call is free that others compute."""


class IfClaimed(Enum):
    """What happens to a call that somebody else computes now."""

    WAIT = auto()
    PUT_OFF = auto()
    """It is not made, and `PutOff` is raised."""
    MAKE = auto()
    """It is made without a claim: who has it sent the call here."""


class PutOff(Exception):
    """A call is not made now, as somebody else computes it; not an error."""

    def __init__(self, key: Digest, op: str) -> None:
        super().__init__(key, op)
        self.key, self.op = key, op


class StillWaiting(UserWarning):
    """A call is not computed here because it is being computed elsewhere, and that takes long."""

    def __init__(self, op: str, who: str) -> None:
        super().__init__(op, who)
        self.op, self.who = op, who

    def __str__(self) -> str:
        return (
            f"{self.op} is being computed by {self.who}: this program waits for the result"
            " - GITMEMO_CLAIMS=off computes it here too"
        )


class ClaimsOff(UserWarning):
    """Nobody can see what other programs compute, so the same calls may be computed twice.

    Attributes:
        reason: What went wrong.
    """

    def __init__(self, reason: Exception) -> None:
        super().__init__(reason)
        self.reason = reason

    def __str__(self) -> str:
        return (
            f"other programs cannot see what this one computes: {self.reason} - two that make the same"
            ' calls at once compute them twice; `[run] claims = "off"` says that this is known'
        )


class Patience:
    """Tells for whom a program waits, once, if it waits long."""

    def __init__(self) -> None:
        self._began = time.monotonic()
        self._is_told = False

    def tell(self, op: str, who: str) -> None:
        """Take notice that a call of `op` is waited for still."""
        if not self._is_told and time.monotonic() - self._began >= claiming.PATIENCE_S:
            self._is_told = True
            telling(op)(who)


def who_computes(claims: Claims, key: Digest) -> str | None:
    """Say in words who computes a call now; None if nobody does."""
    with claims.claim(key) as claim:
        return None if claim.hold() else claim.who()


def until_one_is_free(claims: Claims, calls: Mapping[Digest, str], pause_s: float) -> None:
    """Wait for the first of some calls that others do not compute any more.

    `calls` are the names of their ops by their keys. At least `pause_s` seconds pass.
    """
    patience, began = Patience(), time.monotonic()
    while True:
        time.sleep(pause_s)
        for key, op in calls.items():
            who = who_computes(claims, key)
            if who is None:
                return
            patience.tell(op, who)
        pause_s = min(max((time.monotonic() - began) / 4, SHORTEST_S), LONGEST_S)


def telling(op: str) -> Callable[[str], None]:
    """Return what tells who computes a call of `op` that is waited for."""
    return lambda who: tell(StillWaiting(op, who))


def tell_of_trouble(claims: Claims) -> None:
    """Say once if other processes are not kept from computing the same."""
    trouble = claims.trouble()
    if trouble is not None:
        tell(ClaimsOff(trouble))


async def slept(pause_s: float) -> bool:
    """Sleep in an event loop; return whether there is one that is known here."""
    import asyncio  # few programs that call coroutines wait for each other

    try:
        asyncio.get_running_loop()
    except RuntimeError:
        return False
    await asyncio.sleep(pause_s)
    return True
