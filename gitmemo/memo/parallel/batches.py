"""Batches: calls that run when what they need is there, while the program goes on.

Not what runs them (`executors`) nor what stands for their results (`pending`). Invariant: a call is
looked up as soon as its inputs are known, and run only if it is not stored and no equal call is
running; what is left when a block ends is either stored or was never begun.
"""

from __future__ import annotations

import threading
from collections.abc import Callable, Coroutine, Iterable
from heapq import heappop, heappush
from typing import TYPE_CHECKING, Any

from gitmemo.errors import (
    ArgumentsChanged,
    ForkedInBatch,
    WaitsInside,
    WorkerDiffers,
    WorkersApart,
    WorkersLost,
)
from gitmemo.hashing.digest import Digest
from gitmemo.memo import context
from gitmemo.memo.calls import Hit
from gitmemo.memo.execute import running
from gitmemo.memo.inputs import PreparedCall
from gitmemo.memo.parallel.executors import Cancelled, Fetch, Lost
from gitmemo.memo.parallel.failed import Failures
from gitmemo.memo.parallel.meeting import Apart
from gitmemo.memo.parallel.notes import Noted
from gitmemo.memo.parallel.outcomes import Outcome, Raised, finished
from gitmemo.memo.parallel.pending import RefTuple, pending_in, settled, source_of, without_tuples
from gitmemo.memo.parallel.planned import Copies, Planned, State, Uncopied, contents
from gitmemo.memo.parallel.queueing import Queue
from gitmemo.memo.parallel.runners import Runner

if TYPE_CHECKING:
    from gitmemo.memo.op import Op
    from gitmemo.memo.storage import Storage

_LOOKS_EVERY_S = 1.0
"""How often a thread that waits looks whether there is anything to wait for."""


class Batch:
    """The calls of one batch; `outer` is the one around it, of another storage."""

    def __init__(
        self, storage: Storage, n_jobs: int | None, outer: context.Batching | None
    ) -> None:
        self.storage = storage
        self.outer = outer if isinstance(outer, Batch) else None
        self.made = 0
        self.is_closed = False
        self._n_jobs = n_jobs
        self._caller = storage._caller
        # Everything below changes only while this is held.
        self._changed = threading.Condition(threading.RLock())
        self._open: dict[int, Planned] = {}
        self._by_key: dict[Digest, Planned] = {}
        self._due: list[tuple[int, Planned]] = []
        self._queue = Queue(storage._capacity)
        self._running: dict[int, Any] = {}
        self._over = 0
        self._failed = Failures()
        self._lost: BaseException | None = None
        self._copies = Copies()
        self._noted = Noted()
        self._runner: Runner | None = None
        self._busy: int | None = None
        self._has_tuples = False
        self._is_broken = False  # some refs will stay pending

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
        before = self._before((args, kwargs)) if self._open or self._is_broken else []
        if self._is_elsewhere:
            raise ForkedInBatch(op.qualname)
        found: PreparedCall | None = None
        over = self._over
        if before:
            op.arguments.bind(args, kwargs)  # wrong arguments are told of here
        else:
            if self._has_tuples:
                args, kwargs = without_tuples(args), without_tuples(kwargs)
            stored = self._caller._look_up(op, args, kwargs)
            if isinstance(stored, Hit):
                return self._caller._hand_out(op, stored)
            if not self._caller.allows_new_calls:
                return self.storage.call(op, args, kwargs)  # refuses
            found = stored
        try:
            with self._changed:
                copied = self._copies.of_all(op, args, kwargs)
                # What ended while it was looked up may have been this call.
                known = found.key if found is not None and over == self._over else None
                return self._planned(op, *copied, before, known)
        except Uncopied:  # later it could be another
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

    def _planned(
        self,
        op: Op[..., Any],
        args: tuple[Any, ...],
        kwargs: dict[str, Any],
        before: list[Planned],
        key: Digest | None,
    ) -> Any:
        if self._lost is not None:
            raise self._lost
        if self._runner is None:
            self._runner = Runner(self.storage, self._n_jobs, self.take)
        self._runner.check(op.options.resources, self.storage._capacity)
        call = Planned(self, self.made, op, args, kwargs)
        handed_out = call.handed_out()
        self.made += 1
        self._open[call.number] = call
        if key is not None:
            self._stand(call, key)
        else:
            self._follow(call, before)
        self._advance()
        return handed_out.refs if isinstance(handed_out, RefTuple) else handed_out

    def _follow(self, call: Planned, before: list[Planned]) -> None:
        """Let a call wait for others; leave it out if one of them failed."""
        without = [one for one in before if one.is_over and one.state is not State.DONE]
        call.needs(one for one in before if not one.is_over)
        if without:
            self._leave_out(call, without[0].failed)
        elif not call.waits_for:
            heappush(self._due, (call.number, call))

    def _leave_out(self, call: Planned, failed: Planned | None) -> None:
        if failed is None:  # cancelled, and so is this one
            self._cancel(call)
            return
        call.leave_out(failed)
        self._is_over(call)
        self._failed.add(failed, left_out=1)

    def _stand(self, call: Planned, key: Digest) -> None:
        """Let a call whose inputs are known be run, or wait for an equal one that is."""
        same = self._by_key.setdefault(key, call)
        if same is not call:
            call.same = same
            call.needs([same])
            if call.is_wanted:
                self._want(same)
            return
        call.key, call.state, call.same = key, State.READY, None
        self._queue.push(call)

    # --- going on --------------------------------------------------------------

    def _advance(self) -> None:
        """Look up what has its inputs, and begin what is not stored and has room."""
        before, self._busy = self._busy, threading.get_ident()
        try:
            self._look_up_due()
            while self._runner is not None and self._runner.has_room(len(self._running)):
                call = self._next(wanted=False)
                if call is None:
                    return
                self._begin(call, self._runner)
                self._look_up_due()
        finally:
            self._busy = before

    def _look_up_due(self) -> None:
        while self._due:
            call = heappop(self._due)[1]
            if call.state is not State.WAITING:
                continue
            try:
                self._look_up(call)
            except Exception as error:  # noqa: BLE001  an argument without a content id, and the like
                self._fail(call, error)

    def _look_up(self, call: Planned) -> None:
        if contents(call.op, call.args, call.kwargs) != call.seen:
            raise ArgumentsChanged(call.in_words())
        if self._has_tuples:
            call.args, call.kwargs = without_tuples(call.args), without_tuples(call.kwargs)
            call.seen = contents(call.op, call.args, call.kwargs)
        caller = self._caller
        found = caller._look_up(call.op, call.args, call.kwargs)
        if isinstance(found, Hit):
            self._finish(call, caller._hand_out(call.op, found))
        elif caller.allows_new_calls:
            self._stand(call, found.key)
        else:
            raise caller._watch.refused(found.name, caller._lookup.why(found))

    def _next(self, *, wanted: bool) -> Planned | None:
        """Return the next call to begin, of those that are waited for if `wanted`."""
        limits = self._runner is not None and self._runner.limits
        return self._queue.next(wanted=wanted, limits=limits)

    def _begin(self, call: Planned, runner: Runner) -> None:
        task = runner.task(call)
        if isinstance(task, Raised):
            self._take_outcome(call, task)
            return
        call.state = State.RUNNING
        self._queue.occupy(call)
        self._running[call.number] = None
        try:
            self._running[call.number] = runner.submit(call, task)
        except Lost as lost:
            self._give_up(WorkersLost(self.made - len(self._open), self.made, str(lost)))

    def take(self, call: Planned, fetch: Fetch) -> None:
        """Take notice that a call has ended."""
        with self._changed:
            self._running.pop(call.number, None)
            self._queue.free(call, is_last=not self._running)
            try:
                self._take_outcome(call, fetch())
            except Cancelled:
                self._cancel(call)
            except Lost as lost:
                self._give_up(WorkersLost(self.made - len(self._open), self.made, str(lost)))
            except BaseException as error:  # noqa: BLE001  a worker that differs, or was interrupted
                self._give_up(error)
            try:
                self._advance()
            except BaseException as error:  # noqa: BLE001  the thread that listens must go on
                self._give_up(error)
            self._changed.notify_all()

    def _take_outcome(self, call: Planned, outcome: Outcome) -> None:
        if call.is_over:
            return
        if isinstance(outcome, Apart):
            assert self._runner is not None  # it was sent by it
            self._runner.meet(outcome)
            self._begin(call, self._runner)
            return
        if not isinstance(outcome, Raised):
            self._finish(call, finished(self.storage, call.op, outcome))
            return
        error = outcome.error
        if isinstance(error, WorkerDiffers | WorkersApart) or not isinstance(error, Exception):
            raise error
        self._fail(call, error, outcome.trace)

    def _finish(self, call: Planned, returned: Any) -> None:
        is_declared = call.op.options.outputs.count is not None
        self._has_tuples |= isinstance(returned, tuple) and not is_declared
        after = call.after
        call.finish(returned)
        self._is_over(call)
        for one in after:
            one.waits_for -= 1
            if not one.waits_for and one.state is State.WAITING:
                heappush(self._due, (one.number, one))

    def _fail(self, call: Planned, error: BaseException, trace: str = "") -> None:
        self._is_broken = True
        left_out = call.fail(error)
        where = [f"in a worker:\n{trace.rstrip()}"] if trace else []
        self._noted.note(error, *where, f"raised by {call.words}")
        for one in (call, *left_out):
            self._is_over(one)
        self._failed.add(call, left_out=sum(one.same is None for one in left_out))
        for one in left_out:
            if one.same is call:
                self._failed.add(one)

    def _cancel(self, call: Planned) -> None:
        self._is_broken = True
        if not call.is_over:
            call.cancel()
        if call.number in self._open:  # also one that was ended, and not counted
            self._is_over(call)

    def _is_over(self, call: Planned) -> None:
        self._over += 1
        self._open.pop(call.number, None)
        if call.key is not None and self._by_key.get(call.key) is call:
            del self._by_key[call.key]

    def _give_up(self, error: BaseException) -> None:
        """Cancel everything: nothing can be run any more."""
        self._lost = self._lost or error
        for call in list(self._open.values()):
            call.error = error
            self._cancel(call)
        for handle in self._running.values():
            self._withdraw(handle)
        self._running.clear()

    def _withdraw(self, handle: Any) -> None:
        if self._runner is not None and self._runner.executor is not None and handle is not None:
            self._runner.executor.cancel(handle)

    @property
    def _is_elsewhere(self) -> bool:
        return self._runner is not None and self._runner.is_elsewhere

    # --- waiting ---------------------------------------------------------------

    def wait_for(self, call: Planned) -> None:
        """Return when a call is over, whether or not others are.

        Raises:
            WaitsInside: The body of an op, or what packs it, would wait for it.
            ForkedInBatch: This is a fork of the process that makes the call.
        """
        if call.is_over:
            return
        if self._is_elsewhere:  # whoever held the lock is not here, and nothing will be told of
            raise ForkedInBatch(call.in_words())
        if running.get() is not None or self._busy == threading.get_ident():
            raise WaitsInside(call.in_words())
        with self._changed:
            self._want(call)
            self._until(lambda: call.is_over, wanted=True)

    def _want(self, call: Planned) -> None:
        """Let what a call needs go first."""
        todo = [call]
        while todo:
            one = todo.pop()
            if one.is_wanted or one.is_over:
                continue
            one.is_wanted = True
            todo += one.before
            if one.state is State.READY:
                self._queue.push(one)

    def _until(self, is_met: Callable[[], bool], *, wanted: bool) -> None:
        self._advance()
        while not is_met():
            is_inline = self._runner is not None and self._runner.executor is None
            call = self._next(wanted=wanted) if is_inline else None
            if call is not None:
                self._run_here(call)
                continue
            self._changed.wait(_LOOKS_EVERY_S)
            reason = "" if self._runner is None else self._runner.lost()
            if reason:
                self._give_up(WorkersLost(self.made - len(self._open), self.made, reason))

    def _run_here(self, call: Planned) -> None:
        """Run a call in this thread, while others may go on with the batch."""
        assert self._runner is not None  # whoever asks for it has seen it
        task = self._runner.task(call)
        call.state = State.RUNNING
        self._queue.occupy(call)
        self._running[call.number] = None
        self._changed.release()
        try:
            outcome = task() if not isinstance(task, Raised) else task
        except BaseException:  # interrupted: it has not ended
            self._changed.acquire()
            self._running.pop(call.number, None)
            self._queue.free(call, is_last=not self._running)
            self._cancel(call)
            raise
        self._changed.acquire()
        self.take(call, lambda: outcome)

    # --- the end ---------------------------------------------------------------

    def finish(self, since: int) -> None:
        """Wait for all calls from number `since` on.

        Raises:
            CallsFailed: Some raised.
            WorkersLost, WorkerDiffers, WorkersApart: What ended the batch.
        """
        if self._is_elsewhere:
            return  # its calls are those of the process that was forked
        with self._changed:
            self._until(lambda: next(reversed(self._open), -1) < since, wanted=False)
            if self._lost is not None:
                raise self._lost
            failed = self._failed.error(since, self.made)
        if failed is not None:
            raise failed

    def abandon(self, since: int) -> None:
        """Let calls from number `since` on finish that have begun, and cancel the others."""
        if self._is_elsewhere:
            return
        with self._changed:
            for number, handle in list(self._running.items()):
                if number >= since:
                    self._withdraw(handle)
            for number, call in list(self._open.items()):
                if number >= since and number not in self._running:
                    self._cancel(call)
            self._until(lambda: all(number < since for number in self._running), wanted=True)

    def close(self) -> None:
        """End what runs calls; nothing is running any more."""
        self.is_closed = True
        if self._runner is not None and not self._is_elsewhere:
            self._runner.close()
