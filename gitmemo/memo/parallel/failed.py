"""The calls of a batch that failed, and what is told of them at the end of its blocks.

Not the notes on exceptions (`notes`). Invariant: each failure is told of once, in the block whose
call it is or in the one whose calls were left out because of it.
"""

from __future__ import annotations

from gitmemo.errors import CallsFailed
from gitmemo.memo.parallel.notes import Noted
from gitmemo.memo.parallel.planned import Planned


class Failures:
    """The failed calls that nobody was told of."""

    def __init__(self) -> None:
        self._found: list[tuple[Planned, int]] = []

    def add(self, call: Planned, *, left_out: int = 0) -> None:
        """Note that a call failed, or that so many more were left out because of it."""
        self._found.append((call, left_out))

    def error(self, since: int, made: int, noted: Noted) -> CallsFailed | None:
        """Return what to raise at the end of a block with the calls from `since` on, of `made`."""
        failed = self._taken(since)
        if not failed:
            return None
        calls = sorted(failed, key=lambda each: each.number)
        errors = [call.error for call in calls if isinstance(call.error, Exception)]
        return CallsFailed(
            made - since,
            [call.number - since for call in calls],
            [call.words for call in calls],
            errors,
            sum(failed.values()),
            noted.traces(errors),
        )

    def _taken(self, since: int) -> dict[Planned, int]:
        """Return what failed, and how many calls were not run for each; forget it."""
        left_out: dict[Planned, int] = {}
        for call, number in self._found:
            if call.number >= since or number:
                left_out[call] = left_out.get(call, 0) + number
        self._found = [each for each in self._found if each[0] not in left_out]
        # Of what the program was told where it waited, and nothing else needed, it knows; of equal
        # calls that goes by the one that was run.
        first = {call: call.failed or call for call in left_out}
        return {
            call: number
            for call, number in left_out.items()
            if (number or not call.is_dropped)
            if left_out.get(first[call], number) or not first[call].is_told
        }
