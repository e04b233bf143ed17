"""What runs the calls of a batch: its executor, what workers need, and a thread that listens.

Not which call is next (`batches`). Invariant: a call is packed before it is submitted, so that no
thread of an executor stands still for what cannot be pickled.
"""

from __future__ import annotations

import contextvars
import os
import threading
from collections.abc import Callable, Mapping
from enum import Enum, auto
from queue import Empty, SimpleQueue
from typing import TYPE_CHECKING, Any

from gitmemo.errors import ArgumentsChanged
from gitmemo.memo import context
from gitmemo.memo.parallel.cluster import Dask
from gitmemo.memo.parallel.executors import Executor, Fetch, executor
from gitmemo.memo.parallel.meeting import Apart
from gitmemo.memo.parallel.outcomes import Outcome, Raised, Said, Task
from gitmemo.memo.parallel.planned import Planned, contents
from gitmemo.memo.parallel.resources import most_at_once
from gitmemo.memo.parallel.work import Work

if TYPE_CHECKING:
    from gitmemo.memo.op import Op
    from gitmemo.memo.storage import Storage


class Runner:
    """What runs the calls of a batch, from the first one on that is not stored.

    Attributes:
        limits: Whether what calls need besides a core is seen to here, and not by a cluster.
    """

    def __init__(
        self,
        storage: Storage,
        n_jobs: int | None,
        take: Callable[[Planned, Fetch], None],
        look: Callable[[], float | None],
    ) -> None:
        """Make it ready; `take` is called in its thread when a call has ended.

        `look` is called there now and then, and returns after how many seconds it wants to be again.

        Raises:
            BackendUnfit: The backend of joblib that is selected has no futures.
            StorageInMemory: The storage cannot be opened in another process.
        """
        self._take, self._look = take, look
        self.executor: Executor | None = executor(n_jobs)
        is_here = self.executor is None or self.executor.is_here
        if not is_here:
            storage._address()
        here = contextvars.copy_context()
        here.run(context.batching.set, None)
        is_far = self.executor is not None and self.executor.is_far
        self._work = here.run(lambda: Work(storage, is_far=is_far))
        self._is_here = is_here
        self.limits = not is_far
        self._arrived: SimpleQueue[tuple[Planned, Fetch] | _Word] = SimpleQueue()
        self._process = os.getpid()
        self._thread: threading.Thread | None = None
        if self.executor is not None:
            self._thread = threading.Thread(
                target=here.run, args=(self._listen,), name="gitmemo-batch", daemon=True
            )
            self._thread.start()

    @property
    def is_elsewhere(self) -> bool:
        """Whether this process is a fork of the one whose threads run, and tell of, the calls."""
        return self.executor is not None and self._process != os.getpid()

    def check(self, op: Op[..., Any], capacity: Mapping[str, float]) -> None:
        """Refuse an op of which no call could be made.

        Raises:
            ResourceMissing: One alone needs more than there is here, or on any worker.
            Exception: Whatever pickling raises: the op, or what its code uses, cannot be sent.
        """
        if not self._is_here:
            self._work.pack(op)
        needs = op.options.resources
        if isinstance(self.executor, Dask):
            self.executor.check(needs)
        else:
            most_at_once(needs, capacity)

    def has_room(self, count: int) -> bool:
        """Whether another call can be submitted while `count` are."""
        return self.executor is not None and count < self.executor.most

    def task(self, call: Planned) -> Task:
        """Return a call as what is submitted: packed, if it leaves this process."""
        assert call.key is not None  # it was looked up
        task = self._work.task(call.number, call.op, call.args, call.kwargs, call.key)
        checked = _Checked(task, call)
        # Not by the executor: its thread would stand still for what cannot be pickled.
        return checked if self._is_here else checked.packed()

    def meet(self, one: Apart) -> None:
        """Get ready for workers that do not see the folder of here; the call can be submitted again.

        Raises:
            WorkersApart: They cannot work for this program.
        """
        self._work.meet([one])

    def let_go(self, call: Planned) -> None:
        """Take notice that a call is over."""
        self._work.let_go(call.number)

    def submit(self, call: Planned, task: Task) -> Any:
        """Begin a call soon; the batch takes notice when it has ended."""
        assert self.executor is not None  # `has_room` was asked
        return self.executor.submit(task, call.op, lambda fetch: self._arrived.put((call, fetch)))

    def _listen(self) -> None:
        while True:
            try:
                arrived = self._arrived.get(timeout=self._look())
            except Empty:
                continue
            if arrived is _Word.END:
                return
            if not isinstance(arrived, _Word):
                self._take(*arrived)

    def wake(self) -> None:
        """Let its thread look soon."""
        if self.executor is not None:
            self._arrived.put(_Word.LOOK)

    def lost(self) -> str:
        """Return why nothing will ever arrive any more."""
        return "" if self.executor is None else self.executor.lost()

    def close(self, *, is_replaced: bool) -> None:
        """End it; `is_replaced` if its workers are to be others the next time."""
        self._work.end()
        if self.executor is not None and self._thread is not None:
            self.executor.close()
            if is_replaced:
                self.executor.replace_workers()
            self._arrived.put(_Word.END)
            if not self.executor.lost():  # else it may be waiting for what was lost
                self._thread.join()


class _Word(Enum):
    """What the thread is told besides what has ended."""

    LOOK = auto()
    END = auto()


class _Checked:
    """A call that is made here only if its arguments are still what they were when it was planned."""

    def __init__(self, task: Task, call: Planned) -> None:
        self.number, self._task, self._call = task.number, task, call
        self._given, self._seen = (call.op, call.args, call.kwargs), call.seen

    def refused(self) -> Raised | None:
        """Return the error of a call whose arguments are not what they were."""
        if contents(*self._given) == self._seen:
            return None
        return Raised(self.number, ArgumentsChanged(self._call.in_words()))

    def __call__(self) -> Outcome:
        return self.refused() or self._task()

    def packed(self) -> Task:
        refused = self.refused()
        return self._task.packed() if refused is None else Said(refused)
