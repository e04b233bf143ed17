"""Batches: calls that run when what they need is there, while the program goes on.

Not how calls stand (`course`) nor what stands for their results (`pending`). Invariant: what is left
when a block ends is either stored or was never begun.
"""

from __future__ import annotations

import threading
from collections import deque
from collections.abc import Callable, Coroutine, Iterable
from typing import TYPE_CHECKING, Any

from gitmemo.errors import ForkedInBatch, WaitsInside, WorkerDiffers
from gitmemo.memo import context
from gitmemo.memo.calls import Hit
from gitmemo.memo.execute import running
from gitmemo.memo.inputs import PreparedCall
from gitmemo.memo.parallel.course import Course
from gitmemo.memo.parallel.pending import pending_in, settled, source_of, without_tuples
from gitmemo.memo.parallel.planned import Copies, Planned, Uncopied
from gitmemo.memo.parallel.work import in_task
from gitmemo.memo.waiting import Patience

if TYPE_CHECKING:
    from gitmemo.memo.op import Op
    from gitmemo.memo.parallel.notes import Noted
    from gitmemo.memo.storage import Storage

_LOOKS_EVERY_S = 1.0
"""How often a thread that waits looks whether there is anything to wait for."""


class Batch:
    """The calls of one batch; `outer` is the one around it, of another storage."""

    def __init__(
        self,
        storage: Storage,
        n_jobs: int | None,
        outer: context.Batching | None,
        *,
        progress: bool,
    ) -> None:
        self.storage = storage
        self.outer = outer if isinstance(outer, Batch) else None
        self.is_closed = False
        self.n_jobs = n_jobs
        self._caller = storage._caller
        self._course = Course(storage, n_jobs, progress=progress)
        self._copies = Copies()

    @property
    def made(self) -> int:
        """How many calls were planned."""
        return self._course.made

    @property
    def unfinished(self) -> int:
        """How many calls are not over."""
        return len(self._course.open)

    # --- calls ---------------------------------------------------------------

    def call(self, op: Op[..., Any], args: tuple[Any, ...], kwargs: dict[str, Any]) -> Any:
        """Return refs to the results of a call, pending ones if it is not stored."""
        active = op.storage()
        batch: Batch | None = self
        while batch is not None and batch.storage is not active:
            batch = batch.outer
        if batch is None or batch.is_closed or running.get() is not None:
            return active.call(op, args, kwargs)
        if op.arguments.has_cells:
            # Later its variables could be others: in a loop they are those of the next round.
            return active.call(op, without_tuples(args), without_tuples(kwargs))
        return batch._awaited(op, args, kwargs) if op.is_async else batch._call(op, args, kwargs)

    async def _awaited(
        self, op: Op[..., Any], args: tuple[Any, ...], kwargs: dict[str, Any]
    ) -> Any:
        found = self._call(op, args, kwargs)
        return await found if isinstance(found, Coroutine) else found  # it could not be planned

    def _call(self, op: Op[..., Any], args: tuple[Any, ...], kwargs: dict[str, Any]) -> Any:
        if self.storage._is_unsettled:
            self.storage._settle()
        before = self._before((args, kwargs)) if self._course.open or self._course.is_broken else []
        if self._course.is_elsewhere:
            raise ForkedInBatch(op.qualname)
        found: PreparedCall | None = None
        over = self._course.over
        if before:
            op.arguments.bind(args, kwargs)  # wrong arguments are told of here
        else:
            if self._course.has_tuples:
                args, kwargs = without_tuples(args), without_tuples(kwargs)
            stored = self._caller._look_up(op, args, kwargs)
            if isinstance(stored, Hit):
                return self._caller._hand_out(op, stored)
            if not self._caller.allows_new_calls:
                return self.storage.call(op, args, kwargs)  # refuses
            found = stored
        try:
            with self._course.changed:
                if not self.is_closed:
                    copied = self._copies.of_all(op, args, kwargs)
                    # What ended while it was looked up may have been this call.
                    known = found.key if found is not None and over == self._course.over else None
                    return self._course.plan(self, op, *copied, before, known)[0]
        except Uncopied:  # later it could be another
            pass
        return self.storage.call(op, without_tuples(args), without_tuples(kwargs))

    def _before(self, given: Iterable[object]) -> list[Planned]:
        """Return the calls of this batch whose results are among arguments; wait for those of others."""
        calls: list[Planned] = []
        for values in given:
            for ref in pending_in(values):
                source = source_of(ref)
                if isinstance(source, Planned) and source.batch is self:
                    calls.append(source)
                else:
                    settled(ref)
        return calls

    # --- waiting ---------------------------------------------------------------

    def wait_for(self, call: Planned) -> None:
        """Return when a call is over, whether or not others are.

        Raises:
            WaitsInside: The body of an op, or what packs it, would wait for it.
            ForkedInBatch: This is a fork of the process that makes the call.
        """
        if call.is_over:
            return
        self._check_waits(call.in_words())
        with self._course.changed, self._course.shown:
            self._course.want(call)
            self._until(lambda: call.is_over, wanted=True)

    # --- maps ----------------------------------------------------------------

    @property
    def noted(self) -> Noted:
        """What was said of the exceptions of its calls."""
        return self._course.noted

    def planned(
        self,
        op: Op[..., Any],
        args: tuple[Any, ...],
        kwargs: dict[str, Any],
        watcher: deque[Planned],
    ) -> tuple[Any, Planned] | None:
        """Plan a call of a map, that is not stored; `watcher` gets it when it is over.

        Return what is handed out, and the call; None if it can only be made at once.
        """
        if self._course.is_elsewhere:
            raise ForkedInBatch(op.qualname)
        if op.arguments.has_cells:
            return None
        with self._course.changed:
            if self.is_closed:
                return None
            try:
                copied = self._copies.of_all(op, without_tuples(args), without_tuples(kwargs))
            except Uncopied:
                return None
            found, call = self._course.plan(self, op, *copied, [], None, watcher)
            self._course.want(call)
            return found, call

    def next_over(self, over: deque[Planned]) -> Planned:
        """Return the next call that a watcher gets, when it has one."""
        if not over:
            self._check_waits("a map in a batch")
            with self._course.changed, self._course.shown:
                self._until(lambda: bool(over), wanted=True)
        return over.popleft()

    def break_off(self, calls: Iterable[Planned]) -> None:
        """Cancel those calls that have not begun; of none of them anything is told any more."""
        if self._course.is_elsewhere:
            return
        with self._course.changed:
            for call in calls:
                call.is_dropped = True
                if call.number in self._course.running:
                    self._course.withdraw(call.number)
                else:
                    self._course.cancel(call)
            self._course.go_on()

    def _check_waits(self, words: str) -> None:
        if self._course.is_elsewhere:  # who held the lock is not here, and nothing will be told of
            raise ForkedInBatch(words)
        if self._is_inside or self._course.busy == threading.get_ident():
            raise WaitsInside(words)

    @property
    def _is_inside(self) -> bool:
        return running.get() is not None or in_task.get()

    def _until(self, is_met: Callable[[], bool], *, wanted: bool) -> None:
        self._course.advance()
        patience = Patience()
        while not is_met():
            is_inline = self._course.runner is not None and self._course.runner.executor is None
            call = self._course.next(wanted=wanted) if is_inline else None
            if call is not None:
                self._course.run_here(call)
                continue
            patience = self._told(patience)
            self._course.changed.wait(self._course.queue.pause_s(_LOOKS_EVERY_S))
            self._course.shown()
            self._course.advance()
            reason = "" if self._course.runner is None else self._course.runner.lost()
            if reason:
                self._course.lose(reason)

    def _told(self, patience: Patience) -> Patience:
        """Tell for whom this thread waits, if it waits long for nothing else; return what knows that."""
        others = self._course.waits_for_others()
        if others is None:
            return Patience()
        patience.tell(*others)
        return patience

    # --- the end ---------------------------------------------------------------

    def finish(self, since: int) -> None:
        """Wait for all calls from number `since` on.

        Raises:
            CallsFailed: Some raised.
            WorkersLost, WorkerDiffers, WorkersApart: What ended the batch.
        """
        if self._course.is_elsewhere:
            return  # its calls are those of the process that was forked
        with self._course.changed, self._course.shown:
            self._until(lambda: next(reversed(self._course.open), -1) < since, wanted=False)
            if self._course.lost is not None:
                raise self._course.lost
            failed = self._course.failed.error(since, self._course.made, self._course.noted)
        if failed is not None:
            raise failed

    def abandon(self, since: int) -> None:
        """Let calls from number `since` on finish that have begun, and cancel the others."""
        if self._course.is_elsewhere:
            return
        with self._course.changed:
            for number in list(self._course.running):
                if number >= since:
                    self._course.withdraw(number)
            for number, call in list(self._course.open.items()):
                if number >= since and number not in self._course.running:
                    self._course.cancel(call)
            self._until(lambda: all(number < since for number in self._course.running), wanted=True)

    def close(self, error: BaseException | None) -> None:
        """End what runs calls; nothing is running any more. `error` is what ended the block."""
        if self._course.is_elsewhere:  # who held the lock is not here
            self.is_closed = True
            return
        with self._course.changed:
            self.is_closed = True
            self._copies.clear()
        if self._course.runner is not None:
            is_replaced = isinstance(error or self._course.lost, WorkerDiffers)
            self._course.runner.close(is_replaced=is_replaced)
