"""The calls of a batch that are ready: in which order they begin, and which are held back.

Not what begins them (`batches`), under whose lock all of this happens. Invariant: of calls that fit
into what is free, those begin first that somebody waits for, then those that the program made first.
"""

from __future__ import annotations

from collections.abc import Mapping
from heapq import heappop, heappush
from typing import TypeAlias

from gitmemo.memo.parallel.planned import Planned, State
from gitmemo.memo.parallel.resources import UNSAID

_Entry: TypeAlias = "tuple[bool, int, Planned]"

_MOST_FREED = 8
"""How many calls are looked at for each that gives a resource back."""


class Queue:
    """Ready calls, and what those that run have taken besides a core."""

    def __init__(self, capacity: Mapping[str, float]) -> None:
        """`capacity` says how much there is of what calls need."""
        self._capacity = capacity
        self._ready: list[_Entry] = []
        # By what they need: ready, but for resources that are taken.
        self._held: dict[tuple[tuple[str, float], ...], list[_Entry]] = {}
        self._taken: dict[str, float] = {}

    def push(self, call: Planned) -> None:
        """Add a call that is ready; once more where it is waited for by now."""
        heappush(self._ready, (not call.is_wanted, call.number, call))

    def next(self, *, wanted: bool, limits: bool) -> Planned | None:
        """Return the next call to begin, of those that are waited for if `wanted`.

        `limits` says whether what calls need is seen to here, and not by a cluster.
        """
        while self._ready and not (wanted and self._ready[0][0]):
            entry = heappop(self._ready)
            if entry[2].state is not State.READY:
                continue
            if not limits or self._fits(entry[2]):
                return entry[2]
            needs = tuple(sorted(entry[2].op.options.resources.items()))
            heappush(self._held.setdefault(needs, []), entry)
        return None

    def _fits(self, call: Planned) -> bool:
        return all(
            self._taken.get(name, 0.0) + amount <= self._capacity.get(name, UNSAID)
            for name, amount in call.op.options.resources.items()
        )

    def occupy(self, call: Planned) -> None:
        """Take what a call needs."""
        for name, amount in call.op.options.resources.items():
            self._taken[name] = self._taken.get(name, 0.0) + amount

    def free(self, call: Planned, *, is_last: bool) -> None:
        """Give back what a call needed: some of those that were held back may fit.

        `is_last` says that nothing else is running.
        """
        for name, amount in call.op.options.resources.items():
            self._taken[name] = self._taken.get(name, 0.0) - amount
        if is_last:
            self._taken.clear()  # what is left of fractions must not hold anything back
        for held in self._held.values():
            for _ in range(_MOST_FREED):
                if held:
                    heappush(self._ready, heappop(held))
