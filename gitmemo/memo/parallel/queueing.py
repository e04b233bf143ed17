"""The calls of a batch that are ready: in which order they begin, which are held back, and put off.

Not what begins them (`batches`), under whose lock all of this happens. Invariant: of calls that fit
into what is free, those begin first that somebody waits for, then those that the program made first;
what others compute is tried again after all others that are waited for as much.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator, Mapping
from heapq import heappop, heappush
from typing import TypeAlias

from gitmemo.memo.parallel.planned import Planned, State
from gitmemo.memo.parallel.resources import UNSAID
from gitmemo.memo.waiting import LONGEST_S, SHORTEST_S

_Entry: TypeAlias = "tuple[bool, int, Planned]"

_LONGEST_WANTED_S = 0.05
"""How long a call that somebody waits for is put off at most."""
_MOST_FREED = 8
"""How many calls are looked at for each that gives a resource back."""


class Queue:
    """Ready calls, and what those that run have taken besides a core."""

    def __init__(self, capacity: Mapping[str, float], is_free: Callable[[Planned], bool]) -> None:
        """`capacity` says how much there is of what calls need, `is_free` whether others compute one."""
        self._capacity = capacity
        self._is_free = is_free
        self._ready: list[_Entry] = []
        # By what they need: ready, but for resources that are taken.
        self._held: dict[tuple[tuple[str, float], ...], list[_Entry]] = {}
        self._taken: dict[str, float] = {}
        # What others compute: until when it rests, and what has rested.
        self._resting: list[tuple[float, int, Planned]] = []
        self._rested: list[_Entry] = []
        self._pauses: dict[int, float] = {}

    def push(self, call: Planned) -> None:
        """Add a call that is ready; once more where it is waited for by now."""
        heappush(self._ready, (not call.is_wanted, call.number, call))

    def next(self, *, wanted: bool, limits: bool) -> Planned | None:
        """Return the next call to begin, of those that are waited for if `wanted`.

        `limits` says whether what calls need is seen to here, and not by a cluster.
        """
        self._rouse()
        while (heap := self._first()) and not (wanted and heap[0][0]):
            entry = heappop(heap)
            if entry[2].state is not State.READY:
                continue
            if heap is self._rested and not self._is_free(entry[2]):
                self.put_off(entry[2])
                continue
            if not limits or self._fits(entry[2]):
                return entry[2]
            needs = tuple(sorted(entry[2].op.options.resources.items()))
            heappush(self._held.setdefault(needs, []), entry)
        return None

    def _first(self) -> list[_Entry]:
        """Return what holds the next call."""
        ready, rested = self._ready, self._rested
        is_more_wanted = bool(ready and rested) and ready[0][0] > rested[0][0]
        return rested if is_more_wanted or not ready else ready

    def put_off(self, call: Planned) -> None:
        """Add a call that is ready, and that others compute now."""
        longest = _LONGEST_WANTED_S if call.is_wanted else LONGEST_S
        pause_s = min(self._pauses.get(call.number, SHORTEST_S), longest)
        self._pauses[call.number] = 2 * pause_s
        heappush(self._resting, (time.monotonic() + pause_s, call.number, call))

    def _rouse(self) -> None:
        while self.is_any_due():
            call = heappop(self._resting)[2]
            heappush(self._rested, (not call.is_wanted, call.number, call))

    def is_any_due(self) -> bool:
        """Whether a call that was put off is to be tried again."""
        return bool(self._resting) and self._resting[0][0] <= time.monotonic()

    def due_in_s(self) -> float | None:
        """Return in how many seconds the next one is; None if none is put off."""
        self._rouse()  # those have rested, and may wait for something else
        return max(self._resting[0][0] - time.monotonic(), 0.0) if self._resting else None

    def first_put_off(self) -> Planned | None:
        """Return a call that is put off, if there is nothing else to begin."""
        return None if self._ready else next(self._put_off(), None)

    def is_wanted_put_off(self) -> bool:
        """Whether somebody waits for a call that is put off."""
        return any(call.is_wanted for call in self._put_off())

    def _put_off(self) -> Iterator[Planned]:
        for entry in (*self._rested, *self._resting):
            if entry[2].state is State.READY:
                yield entry[2]

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
