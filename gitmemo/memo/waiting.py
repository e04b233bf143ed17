"""Waiting for a call that somebody else computes, as the program that waits meets it.

Not who computes what (`world.claims`). Invariant: waiting blocks no event loop, and Ctrl-C ends it.
"""

from __future__ import annotations

from collections.abc import Callable

from gitmemo.memo.telling import tell
from gitmemo.world.claims import Claims


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
