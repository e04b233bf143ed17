"""The engine of a map inside a batch: what runs the calls of the batch runs those of the map, too.

Not what runs them (`executors`). Invariant: when nobody asks for outcomes any more, no call of the map is
running and none will begin, and those of the batch go on.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Generator, Sequence
from queue import Empty, SimpleQueue
from typing import TYPE_CHECKING, Any

from gitmemo.errors import WorkersLost
from gitmemo.memo import context
from gitmemo.memo.parallel.blocks import of_storage
from gitmemo.memo.parallel.cluster import Dask
from gitmemo.memo.parallel.engines import Engine, engine
from gitmemo.memo.parallel.executors import Cancelled, Executor, Fetch, Lost
from gitmemo.memo.parallel.outcomes import Outcome, Said, Task
from gitmemo.memo.parallel.resources import most_at_once

if TYPE_CHECKING:
    from gitmemo.memo.op import Op
    from gitmemo.memo.storage import Storage

_LOOKS_EVERY_S = 1.0


def lent(storage: Storage, op: Op[..., Any]) -> Engine:
    """Return the engine of a map that does not say how many calls run at once.

    Raises:
        ResourceMissing: One call alone needs more than there is.
    """
    need = op.options.resources
    batch = of_storage(context.batching.get(), storage)
    executor = batch.lent() if batch is not None else None
    if executor is None:
        return engine(batch.n_jobs if batch is not None else None, need, storage._capacity)
    if isinstance(executor, Dask):
        executor.check(need)
        return Lent(executor, op, None)
    return Lent(executor, op, most_at_once(need, storage._capacity))


class Lent:
    """The executor of a batch, for calls of `op`; `most` run at once if that is said."""

    def __init__(self, executor: Executor, op: Op[..., Any], most: int | None) -> None:
        self.is_here, self.is_far = executor.is_here, executor.is_far
        self._executor = executor
        self._op = op
        self._most = most

    def run(self, tasks: Sequence[Task]) -> Generator[Outcome, None, None]:
        """Yield the outcomes of tasks as they come."""
        waiting, done = deque(tasks), 0
        under_way: dict[int, Any] = {}
        arrived: SimpleQueue[tuple[int, Fetch]] = SimpleQueue()
        try:
            while waiting or under_way:
                while waiting and len(under_way) < self._room:
                    task = waiting.popleft()
                    sent = task if self.is_here else task.packed()
                    if isinstance(sent, Said):
                        yield sent.outcome
                    else:
                        under_way[task.number] = self._submit(sent, arrived)
                number, fetch = self._next(arrived)
                del under_way[number]
                done += 1
                yield fetch()
        except (Lost, Cancelled) as error:
            raise WorkersLost(done, len(tasks), str(error)) from error
        finally:
            self._withdraw(under_way, arrived)

    @property
    def _room(self) -> int:
        return self._executor.most if self._most is None else min(self._most, self._executor.most)

    def _submit(self, task: Task, arrived: SimpleQueue[tuple[int, Fetch]]) -> Any:
        number = task.number
        return self._executor.submit(task, self._op, lambda fetch: arrived.put((number, fetch)))

    def _next(self, arrived: SimpleQueue[tuple[int, Fetch]]) -> tuple[int, Fetch]:
        while True:
            try:
                return arrived.get(timeout=_LOOKS_EVERY_S)
            except Empty:
                reason = self._executor.lost()
                if reason:
                    raise Lost(reason) from None

    def _withdraw(self, under_way: dict[int, Any], arrived: SimpleQueue[tuple[int, Fetch]]) -> None:
        """Let nothing begin any more, and wait for what has begun."""
        for handle in under_way.values():
            self._executor.cancel(handle)
        while under_way and not self._executor.lost():
            try:
                under_way.pop(arrived.get(timeout=_LOOKS_EVERY_S)[0], None)
            except Empty:
                continue

    def replace_workers(self) -> None:
        """Do nothing: the batch does it when it ends."""
