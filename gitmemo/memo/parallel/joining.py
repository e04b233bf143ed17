"""A map in a batch: its calls are calls of the batch.

Not the map itself (`mapping`), nor how calls of a batch stand (`course`). Invariant: the calls of the
map have what all calls of the batch have: its workers, its limits, its end; whoever breaks the map off
cancels those that have not begun, and no others.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Generator, Mapping
from typing import TYPE_CHECKING, Any

from gitmemo.errors import CallNotMade
from gitmemo.memo.parallel.outcomes import Ended, Made, Raised, called
from gitmemo.memo.parallel.pending import RefTuple
from gitmemo.memo.parallel.planned import Planned, State
from gitmemo.memo.waiting import IfClaimed

if TYPE_CHECKING:
    from gitmemo.memo.op import Op
    from gitmemo.memo.parallel.batches import Batch


class Joined:
    """Calls of one op that a batch makes for a map."""

    def __init__(self, batch: Batch, op: Op[..., Any]) -> None:
        self._batch = batch
        self._op = op
        self._made: dict[Planned, tuple[int, Any]] = {}
        self._over: deque[Planned] = deque()

    def outcomes(
        self, calls: Mapping[int, tuple[Any, ...]], kwargs: dict[str, Any]
    ) -> Generator[Ended, None, None]:
        """Yield the outcomes of calls as they come; `calls` are arguments by the number of the outcome.

        Raises:
            Exception: What stops all of them alike.
        """
        at_once: list[int] = []
        try:
            for number, args in calls.items():
                planned = self._batch.planned(self._op, args, kwargs, self._over)
                if planned is None:
                    at_once.append(number)
                else:
                    handed_out, call = planned
                    self._made[call] = number, handed_out
            for number in at_once:
                yield self._now(number, calls[number], kwargs)
            while self._made:
                call = self._batch.next_over(self._over)
                number, handed_out = self._made.pop(call)
                yield self._outcome(call, number, handed_out)
        finally:
            if self._made:
                self._batch.break_off(self._made)

    def _now(self, number: int, args: tuple[Any, ...], kwargs: dict[str, Any]) -> Ended:
        try:
            return Made(number, called(self._batch.storage, self._op, args, kwargs, IfClaimed.WAIT))
        except Exception as error:  # noqa: BLE001  whatever the op raises is its outcome
            return Raised(number, error)

    def _outcome(self, call: Planned, number: int, handed_out: Any) -> Ended:
        if call.state is State.DONE:
            result = handed_out.refs if isinstance(handed_out, RefTuple) else handed_out
            return Made(number, result)
        if call.failed is None:
            raise call.error or CallNotMade(call.words)
        call.failed.is_told = True
        assert isinstance(call.error, Exception)  # nothing else is what a call raised
        return Raised(number, call.error)
