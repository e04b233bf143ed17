"""Forgetting the calls of a frame: what that would take, doing it, and taking it back.

Not what being forgotten means (`model.tombstones`). Invariant: nothing is forgotten before somebody
who could see the plan said so, and no call of the universe is left that used what a forgotten one
returned. Calls of older code are in no universe.
"""

from __future__ import annotations

from collections import Counter
from typing import TYPE_CHECKING

from gitmemo.errors import WrongQuestion
from gitmemo.frames.naming import short
from gitmemo.quantities import count, duration

if TYPE_CHECKING:
    from gitmemo.frames.backing import Backing
    from gitmemo.frames.frame import ComputationFrame
    from gitmemo.hashing.digest import Digest
    from gitmemo.model.facts import Call


class Deletion:
    """A plan to forget calls.

    Attributes:
        calls: The calls of the frame.
        dependents: Those that used what they returned, directly or through others.
        tags: The names, with @, of values that they made: they lead nowhere then.
    """

    def __init__(self, frame: ComputationFrame) -> None:
        self._backing = frame.backing
        universe = frame.universe
        all_of_them = universe.reach(frame.selected, [universe.using])
        self.calls: tuple[Call, ...] = frame.calls
        self.dependents: tuple[Call, ...] = tuple(
            call
            for call in universe.calls
            if call.hid in all_of_them and call.hid not in frame.selected
        )
        doomed = (*self.calls, *self.dependents)
        self.tags = tuple(self._backing.tags(doomed)) if self._backing else ()
        self._tombstone: Digest | None = None

    def carry_out(self, why: str = "") -> None:
        """Forget the calls: they are left out of look-ups and tables, and run again when needed.

        Raises:
            WrongQuestion: The frame came from no storage, or this was done already.
        """
        if self._tombstone is not None:
            raise WrongQuestion("these calls were forgotten already", "`undo()` brings them back")
        doomed = (*self.calls, *self.dependents)
        if doomed:
            self._tombstone = self._storage().forget(doomed, why)

    def undo(self) -> None:
        """Bring the calls back.

        Raises:
            WrongQuestion: They were not forgotten by this plan.
        """
        if self._tombstone is None:
            raise WrongQuestion("nothing was forgotten by this plan", "`carry_out()` does that")
        self._storage().restore(self._tombstone)
        self._tombstone = None

    def _storage(self) -> Backing:
        if self._backing is None:
            raise WrongQuestion("the frame came from no storage", "make it with `storage.cf(…)`")
        return self._backing

    def __repr__(self) -> str:
        state = "forgotten" if self._tombstone is not None else "to forget"
        lines = [f"{state}: {count(len(self.calls), 'call')}" + _ops(self.calls)]
        if self.dependents:
            used = count(len(self.dependents), "call")
            lines.append(f"and {used} that used their results" + _ops(self.dependents))
        if self.tags:
            lines.append(f"leads nowhere then: {', '.join(self.tags)}")
        seconds = sum(call.seconds for call in (*self.calls, *self.dependents))
        lines.append(f"running them took {duration(seconds)}")
        if self._tombstone is None:
            lines.append("`.carry_out()` forgets them, `.undo()` brings them back")
        return "\n".join(lines)


def _ops(calls: tuple[Call, ...]) -> str:
    if not calls:
        return ""
    numbers = Counter(short(call.op) for call in calls)
    return " of " + ", ".join(f"{name} ({n})" for name, n in sorted(numbers.items()))
