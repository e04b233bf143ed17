"""Trying again what may go right the next time, for a while.

Not the decision which failures those are (`failures`). Invariant: the number
of attempts and the time in which new ones begin are bounded; what cannot go
right is not tried twice.
"""

from __future__ import annotations

import random
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from itertools import count
from typing import TypeVar

from gitmemo.errors import GitmemoError, RemoteInvalid
from gitmemo.remotes.failures import is_transient, named
from gitmemo.remotes.parallel import pause

RETRIES = "retries"
TIMEOUT = "timeout"
SETTINGS = frozenset({RETRIES, TIMEOUT})
"""Options of a remote that are for gitmemo and not for the driver."""

Result = TypeVar("Result")


@dataclass(frozen=True, slots=True)
class Patience:
    """How long a remote is waited for.

    Attributes:
        retries: How often an operation is repeated.
        timeout_s: Time without a byte after which an answer is given up.
        connect_timeout_s: Time in which a connection must be made.
        first_wait_s: Time before the first repetition, doubled for each other one.
        longest_wait_s: Their limit.
        total_s: Time after the first attempt in which repetitions may begin.
    """

    retries: int = 5
    timeout_s: float = 60.0
    connect_timeout_s: float = 10.0
    first_wait_s: float = 0.25
    longest_wait_s: float = 10.0
    total_s: float = 180.0

    def run(self, action: Callable[[], Result]) -> Result:
        """Return `action()`, repeated while its failure may pass."""
        began = time.monotonic()
        for attempt in count():
            pause()
            try:
                return action()
            except Exception as error:
                wait = self._wait(attempt)
                late = time.monotonic() + wait > began + self.total_s
                if attempt >= self.retries or late or not is_transient(error):
                    raise
            pause(wait)
        raise AssertionError("counting does not end")

    def reach(self, name: str, url: str, action: Callable[[], Result]) -> Result:
        """Return `action()`, repeated while it may succeed; its failure is one of the remote `name`."""
        try:
            return self.run(action)
        except (FileNotFoundError, GitmemoError):
            raise
        # Drivers raise the classes of their own SDK, which cannot be imported
        # here: whatever comes, the remote could not be used.
        except Exception as error:
            raise named(name, url, error) from error

    def _wait(self, attempt: int) -> float:
        # Many clients that failed together must not come back together.
        longest = min(self.first_wait_s * 2.0**attempt, self.longest_wait_s)
        return longest * random.uniform(0.5, 1.0)


def patience_of(name: str, options: Mapping[str, str], default: Patience) -> Patience:
    """Return how long the remote `name` with these options is waited for."""
    timeout_s = _number(name, options, TIMEOUT, default.timeout_s)
    return Patience(
        retries=int(_number(name, options, RETRIES, default.retries)),
        timeout_s=timeout_s,
        connect_timeout_s=min(default.connect_timeout_s, timeout_s),
        first_wait_s=default.first_wait_s,
        longest_wait_s=default.longest_wait_s,
        total_s=default.total_s,
    )


def _number(name: str, options: Mapping[str, str], key: str, default: float) -> float:
    text = options.get(key)
    if text is None:
        return default
    lowest = 0 if key == RETRIES else 1
    if not text.isascii() or not text.isdecimal() or not lowest <= int(text) <= 3600:
        raise RemoteInvalid(
            name, f"{key} is {text!r}", f"give a whole number from {lowest} to 3600 for {key}"
        )
    return int(text)
