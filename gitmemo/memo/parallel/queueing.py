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
from gitmemo.memo.parallel.resources import HARDLY_MORE, UNSAID
from gitmemo.memo.waiting import LONGEST_S, SHORTEST_S

_Needs: TypeAlias = "tuple[tuple[str, float], ...]"
_Entry: TypeAlias = "tuple[bool, bool, int, Planned]"
"""Whether nobody waits for it, whether it was put off, its number; the smallest is the next."""

_LONGEST_WANTED_S = 0.05
"""How long a call that somebody waits for is put off at most."""


class Queue:
    """Ready calls, and what those that run have taken besides a core."""

    def __init__(
        self, capacity: Mapping[str, float], holder: Callable[[Planned], str | None]
    ) -> None:
        """`capacity` says how much there is of what calls need, `holder` who else computes one."""
        self._capacity = capacity
        self._holder = holder
        # Heaps, by what the calls need. A call may be in one twice: what is not ready is dropped.
        self._ready: dict[_Needs, list[_Entry]] = {}
        self._taken: dict[str, float] = {}
        # What others compute, and until when it rests.
        self._resting: list[tuple[float, int, Planned]] = []
        self._pauses: dict[int, float] = {}

    def push(self, call: Planned) -> None:
        """Add a call that is ready; once more where it is waited for by now."""
        self._push(call, was_put_off=False)

    def _push(self, call: Planned, *, was_put_off: bool) -> None:
        needs = tuple(sorted(call.op.options.resources.items()))
        entry = (not call.is_wanted, was_put_off, call.number, call)
        heappush(self._ready.setdefault(needs, []), entry)

    def next(self, *, wanted: bool, limits: bool) -> Planned | None:
        """Return the next call to begin, of those that are waited for if `wanted`.

        `limits` says whether what calls need is seen to here, and not by a cluster.
        """
        self.rouse()
        while (heap := self._first(limits=limits)) and not (wanted and heap[0][0]):
            _, was_put_off, _, call = heappop(heap)
            if not was_put_off or self._holder(call) is None:
                return call
            self.put_off(call)
        return None

    def _first(self, *, limits: bool) -> list[_Entry]:
        """Return the heap with the next call of those that fit; an empty one if none does."""
        found: list[_Entry] = []
        for needs, heap in self._ready.items():
            while heap and heap[0][3].state is not State.READY:
                heappop(heap)
            is_next = heap and (not found or heap[0] < found[0])
            if is_next and (not limits or self._fits(needs)):
                found = heap
        return found

    def put_off(self, call: Planned) -> None:
        """Add a call that is ready, and that others compute now."""
        longest = _LONGEST_WANTED_S if call.is_wanted else LONGEST_S
        pause_s = min(self._pauses.get(call.number, SHORTEST_S), longest)
        self._pauses[call.number] = 2 * pause_s
        heappush(self._resting, (time.monotonic() + pause_s, call.number, call))

    def rouse(self) -> bool:
        """Try those again that were put off long enough; return whether there were any."""
        before = len(self._resting)
        while self._resting and self._resting[0][0] <= time.monotonic():
            self._push(heappop(self._resting)[2], was_put_off=True)
        return len(self._resting) < before

    def due_in_s(self) -> float | None:
        """Return in how many seconds the next one is; None if none is put off."""
        return max(self._resting[0][0] - time.monotonic(), 0.0) if self._resting else None

    def pause_s(self, most: float) -> float:
        """Return how long a thread may wait, at most so long, before it looks again."""
        if self.rouse():
            return 0.0
        due = self.due_in_s()
        return most if due is None else min(due, most)

    def held_by(self) -> tuple[Planned, str] | None:
        """Return a call and who else computes it, if others compute all that is left to begin."""
        is_more = any(not was_put_off for _, was_put_off, _, _ in self._entries())
        call = None if is_more else next(self._put_off(), None)
        who = None if call is None else self._holder(call)
        return None if call is None or who is None else (call, who)

    def is_wanted_put_off(self) -> bool:
        """Whether somebody waits for a call that is put off."""
        return any(call.is_wanted for call in self._put_off())

    def _put_off(self) -> Iterator[Planned]:
        for _, was_put_off, _, call in self._entries():
            if was_put_off:
                yield call
        for *_, call in self._resting:
            if call.state is State.READY:
                yield call

    def _entries(self) -> Iterator[_Entry]:
        for heap in self._ready.values():
            for entry in heap:
                if entry[3].state is State.READY:
                    yield entry

    def _fits(self, needs: _Needs) -> bool:
        return all(
            self._taken.get(name, 0.0) + amount
            <= self._capacity.get(name, UNSAID) * (1 + HARDLY_MORE)
            for name, amount in needs
        )

    def occupy(self, call: Planned) -> None:
        """Take what a call needs."""
        for name, amount in call.op.options.resources.items():
            self._taken[name] = self._taken.get(name, 0.0) + amount

    def free(self, call: Planned, *, is_last: bool) -> None:
        """Give back what a call needed; `is_last` says that nothing else is running."""
        for name, amount in call.op.options.resources.items():
            self._taken[name] = self._taken.get(name, 0.0) - amount
        if is_last:
            self._taken.clear()  # what is left of fractions must not hold anything back
