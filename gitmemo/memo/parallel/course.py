"""The calls of a batch on their way: planned, looked up, begun, put off, over.

Not what a program asks of them (`batches`), what runs them (`executors`) nor what stands for their
results (`pending`). Invariant: a call is looked up as soon as its inputs are known, and run only if
it is not stored and no equal call is running; all of this happens while `changed` is held.
"""

from __future__ import annotations

import threading
from collections import deque
from heapq import heappop, heappush
from typing import TYPE_CHECKING, Any

from gitmemo.errors import ArgumentsChanged, WorkerDiffers, WorkersApart, WorkersLost
from gitmemo.hashing.digest import Digest
from gitmemo.memo.calls import Hit
from gitmemo.memo.parallel import showing
from gitmemo.memo.parallel.executors import Cancelled, Fetch, Lost
from gitmemo.memo.parallel.failed import Failures
from gitmemo.memo.parallel.meeting import Apart
from gitmemo.memo.parallel.notes import BEFORE_ANY_CALL, Noted
from gitmemo.memo.parallel.outcomes import Claimed, Outcome, Raised, Said, finished
from gitmemo.memo.parallel.pending import RefTuple, without_tuples
from gitmemo.memo.parallel.planned import Planned, State, Waiting, contents
from gitmemo.memo.parallel.queueing import Queue
from gitmemo.memo.parallel.runners import Runner
from gitmemo.memo.waiting import who_computes

if TYPE_CHECKING:
    from gitmemo.memo.op import Op
    from gitmemo.memo.storage import Storage


class Course:
    """How the calls of one batch stand.

    Attributes:
        changed: Held while anything here changes, and told of it.
        made: How many calls were planned.
        open: Those that are not over, by number.
        running: Those that were begun, and what cancels them.
        queue: Those that are ready.
        over: How many are over.
        failed: Those that raised.
        noted: What was said of their exceptions.
        shown: The line that tells how far it is, drawn while a thread waits in it.
        lost: What ended the batch.
        runner: What runs calls, from the first one on.
        busy: The thread that decides what is next.
        has_tuples: Whether some results are tuples that nobody declared.
        is_broken: Whether some refs will stay pending.
    """

    def __init__(self, storage: Storage, n_jobs: int | None, *, progress: bool) -> None:
        self.storage = storage
        self.changed = threading.Condition(threading.RLock())
        self.made = 0
        self.open: dict[int, Planned] = {}
        self.running: dict[int, Any] = {}
        self._withdrawn: set[int] = set()
        self.over = 0
        self.failed = Failures()
        self.lost: BaseException | None = None
        self.runner: Runner | None = None
        self.busy: int | None = None
        self.has_tuples = False
        self.is_broken = False
        self._n_jobs = n_jobs
        self._caller = storage._caller
        self._by_key: dict[Digest, Planned] = {}
        self._due: list[tuple[int, Planned]] = []
        self.queue = Queue(storage._capacity, self._holder)
        self.noted = Noted()
        self.shown = showing.progress("batch", 0, wanted=progress)

    @property
    def is_elsewhere(self) -> bool:
        """Whether this process is a fork of the one that makes the calls."""
        return self.runner is not None and self.runner.is_elsewhere

    def plan(
        self,
        waiting: Waiting,
        op: Op[..., Any],
        args: tuple[Any, ...],
        kwargs: dict[str, Any],
        before: list[Planned],
        key: Digest | None,
        watcher: deque[Planned] | None = None,
    ) -> tuple[Any, Planned]:
        """Plan a call that needs the calls `before`; return the refs that are handed out, and the call.

        `key` is what it was looked up by, if it was. `watcher` gets it when it is over.
        """
        if self.lost is not None:
            raise self.lost
        self._caller.check(op, is_new=True)
        self.ready().check(op, self.storage._capacity)
        call = Planned(waiting, self.made, op, args, kwargs)
        call.watcher = watcher
        handed_out = call.handed_out()
        self.made += 1
        self.open[call.number] = call
        self.shown(more=1)
        if key is not None:
            self._stand(call, key)
        else:
            self._follow(call, before)
        self.advance()
        return (handed_out.refs if isinstance(handed_out, RefTuple) else handed_out), call

    def ready(self) -> Runner:
        """Return what runs calls, made ready the first time."""
        if self.runner is None:
            self.runner = Runner(self.storage, self._n_jobs, self.take, self.look)
        return self.runner

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
            self.cancel(call)
            return
        call.leave_out(failed)
        self._is_over(call)
        self.failed.add(failed, left_out=1)

    def _stand(self, call: Planned, key: Digest) -> None:
        """Let a call whose inputs are known be run, or wait for an equal one that is."""
        same = self._by_key.setdefault(key, call)
        if same is not call:
            call.same = same
            call.needs([same])
            if call.is_wanted:
                self.want(same)
            return
        call.key, call.state, call.same = key, State.READY, None
        self.queue.push(call)

    def want(self, call: Planned) -> None:
        """Let what a call needs go first."""
        todo = [call]
        while todo:
            one = todo.pop()
            if one.is_wanted or one.is_over:
                continue
            one.is_wanted = True
            todo += one.before
            if one.state is State.READY:
                self.queue.push(one)

    def advance(self) -> None:
        """Look up what has its inputs, and begin what is not stored and has room."""
        before, self.busy = self.busy, threading.get_ident()
        try:
            self._look_up_due()
            while self.runner is not None and self.runner.has_room(len(self.running)):
                call = self.next(wanted=False)
                if call is None:
                    return
                self._begin(call, self.runner)
                self._look_up_due()
        finally:
            self.busy = before

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
        if self.has_tuples:
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

    def next(self, *, wanted: bool) -> Planned | None:
        """Return the next call to begin, of those that are waited for if `wanted`.

        If others compute such a call, there is time for all.
        """
        limits = self.runner is not None and self.runner.limits
        call = self.queue.next(wanted=wanted, limits=limits)
        if call is None and wanted and self.queue.is_wanted_put_off():
            return self.queue.next(wanted=False, limits=limits)
        return call

    def _begin(self, call: Planned, runner: Runner) -> None:
        try:
            task = runner.task(call)
            if isinstance(task, Said):
                self._take_outcome(call, task.outcome)
                return
            self._runs(call)
            self.running[call.number] = runner.submit(call, task)
        except Lost as lost:
            self.lose(str(lost))
        except BaseException:  # interrupted: nobody will tell of it
            self._drop(call)
            raise

    def _runs(self, call: Planned) -> None:
        call.state = State.RUNNING
        self.queue.occupy(call)
        self.running[call.number] = None

    def _runs_no_more(self, call: Planned) -> None:
        if call.number in self.running:
            del self.running[call.number]
            self.queue.free(call, is_last=not self.running)

    def _drop(self, call: Planned) -> None:
        self._runs_no_more(call)
        self.cancel(call)
        self.changed.notify_all()

    def take(self, call: Planned, fetch: Fetch) -> None:
        """Take notice that a call has ended."""
        outcome: Outcome | None = None
        error: BaseException | None = None
        try:
            outcome = fetch()  # perhaps from another host: nobody waits for that
        except BaseException as raised:  # noqa: BLE001  it is looked at below
            error = raised
        with self.changed:
            self._runs_no_more(call)
            try:
                if outcome is None:
                    assert error is not None  # one of both came
                    raise error
                self._take_outcome(call, outcome)
            except Cancelled:
                if call.number in self._withdrawn:
                    self.cancel(call)
                else:
                    self.lose(f"{call.in_words()}, and was cancelled")
            except Lost as lost:
                self.lose(str(lost))
            except BaseException as error:  # noqa: BLE001  a worker that differs, or was interrupted
                self._give_up(error)
            self.go_on()

    def go_on(self) -> None:
        """Begin what can begin, and let those look who wait."""
        try:
            self.advance()
        except BaseException as error:  # noqa: BLE001  the thread that listens must go on
            self._give_up(error)
        self.changed.notify_all()

    def _take_outcome(self, call: Planned, outcome: Outcome) -> None:
        if call.is_over:
            return
        if isinstance(outcome, Apart | Claimed) and call.number in self._withdrawn:
            self.cancel(call)
            return
        if isinstance(outcome, Apart):
            assert self.runner is not None  # it was sent by it
            self.runner.meet(outcome)
            self._begin(call, self.runner)
            return
        if isinstance(outcome, Claimed):
            self._put_off(call)
            return
        if not isinstance(outcome, Raised):
            self._finish(call, finished(self.storage, call.op, outcome))
            return
        error = outcome.error
        if isinstance(error, WorkerDiffers | WorkersApart) or not isinstance(error, Exception):
            raise error
        if outcome.is_of_all:
            self.noted.note(error, BEFORE_ANY_CALL, outcome.trace)
            raise error
        if outcome.trace:  # else it is counted
            self.storage.counter.failed += 1
        self._fail(call, error, outcome.trace)

    def _put_off(self, call: Planned) -> None:
        """Try a call again later, as somebody else computes it now."""
        call.state = State.READY
        self.queue.put_off(call)
        if self.runner is not None:
            self.runner.wake()

    def _holder(self, call: Planned) -> str | None:
        assert call.key is not None  # it was looked up
        return who_computes(self.storage.world.claims, call.key)

    def look(self) -> float | None:
        """Begin what was put off long enough; return after how many seconds to look again."""
        with self.changed:
            if self.queue.rouse():
                self.go_on()
            return self.queue.due_in_s()

    def waits_for_others(self) -> tuple[str, str] | None:
        """Return the op and the holder of a call, if others compute all that is left to do."""
        held = None if self.running else self.queue.held_by()
        return held and (self.storage._names.name_of(held[0].op)[0], held[1])

    def _finish(self, call: Planned, returned: Any) -> None:
        is_declared = call.op.options.outputs.count is not None
        self.has_tuples |= isinstance(returned, tuple) and not is_declared
        after = call.after
        call.finish(returned)
        self._is_over(call)
        for one in after:
            one.waits_for -= 1
            if not one.waits_for and one.state is State.WAITING:
                heappush(self._due, (one.number, one))

    def _fail(self, call: Planned, error: BaseException, trace: str = "") -> None:
        self.is_broken = True
        left_out = call.fail(error)
        self.noted.note(error, f"raised by {call.words}", trace)
        for one in (call, *left_out):
            self._is_over(one)
        self.failed.add(call, left_out=sum(one.same is None for one in left_out))
        for one in left_out:
            if one.same is call:
                self.failed.add(one)

    def cancel(self, call: Planned) -> None:
        """Do not make a call, nor what needs it; equal calls that waited for it are made without it."""
        if call.number not in self.open:
            return
        self.is_broken = True
        # It may have ended, and not been counted, when a thread was interrupted.
        left_out, alike = ([], []) if call.is_over else call.cancel()
        for one in (call, *left_out):
            self._is_over(one)
        for one in alike:
            heappush(self._due, (one.number, one))

    def _is_over(self, call: Planned) -> None:
        self.over += 1
        self.shown(done=1, failed=int(call.state is State.FAILED))
        self.open.pop(call.number, None)
        if call.key is not None and self._by_key.get(call.key) is call:
            del self._by_key[call.key]
        if self.runner is not None:
            self.runner.let_go(call)

    def lose(self, reason: str) -> None:
        """Cancel everything, as the workers are gone: of what they ran nothing will be told."""
        self._give_up(WorkersLost(self.made - len(self.open), self.made, reason))
        self.running.clear()

    def _give_up(self, error: BaseException) -> None:
        """Cancel everything that has not begun: nothing can be run any more."""
        self.lost = self.lost or error
        for call in list(self.open.values()):
            call.error = error
            self.cancel(call)
        for number in list(self.running):
            self.withdraw(number)

    def withdraw(self, number: int) -> None:
        """Do not begin a call that was submitted, if it has not begun."""
        self._withdrawn.add(number)
        handle = self.running[number]
        if self.runner is not None and self.runner.executor is not None and handle is not None:
            self.runner.executor.cancel(handle)

    def run_here(self, call: Planned) -> None:
        """Run a call in this thread, while others may go on with the batch."""
        assert self.runner is not None  # whoever asks for it has seen it
        task = self.runner.task(call)
        self._runs(call)
        self.changed.release()
        try:
            outcome = task()
        except BaseException:  # interrupted: it has not ended
            self.changed.acquire()
            self._drop(call)
            raise
        self.changed.acquire()
        self.take(call, lambda: outcome)
