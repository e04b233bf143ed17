"""Tasks on a Dask cluster, through the client that joblib's "dask" backend was given.

Not joblib's own way there: it waits for ever when the scheduler dies, and cannot say which calls
were lost with a worker. Invariant: calls go in pieces that take a fraction of a second, and a piece that
kills its workers is taken apart until the call that does it stands alone.
"""

from __future__ import annotations

import queue
import time
from collections import deque
from collections.abc import Generator, Mapping, Sequence
from typing import Any

from gitmemo.errors import WorkersLost
from gitmemo.memo.parallel.meeting import Apart
from gitmemo.memo.parallel.outcomes import Claimed, Outcome, Raised, Task
from gitmemo.memo.parallel.resources import check_workers

_PIECE_S = 0.2
_MOST_IN_A_PIECE = 500
_AHEAD = 2
"""How many pieces wait for each core, so that none waits for the driver."""
_LOOKS_EVERY_S = 1.0
_GONE_AFTER_S = 10.0
"""How long a scheduler may be away; Dask looks for it again meanwhile."""


def piece(tasks: Sequence[Task]) -> tuple[list[Outcome], float]:
    """Run tasks in a worker; return their outcomes, and how long all took in seconds."""
    began = time.perf_counter()
    done = [task() for task in tasks]
    return done, time.perf_counter() - began


def check_resources(client: Any, need: Mapping[str, float]) -> None:
    """Raise `ResourceMissing` if no worker of a cluster has what one call needs.

    The scheduler would wait for such a worker for ever, without a word.
    """
    if not need:
        return
    workers = client.scheduler_info(n_workers=-1)["workers"]  # by itself it tells of a few
    check_workers(need, [each["resources"] for each in workers.values()])


class Answers:
    """Whether the scheduler of a client answers."""

    def __init__(self, client: Any) -> None:
        self._client = client
        self._away_since: float | None = None

    def lost(self) -> str:
        """Return how the client stands, if its scheduler is gone, or away for too long."""
        status = self._client.status
        if status == "running":
            self._away_since = None
            return ""
        self._away_since = self._away_since or time.monotonic()
        is_over = status in ("closed", "closing")
        is_long = time.monotonic() - self._away_since > _GONE_AFTER_S
        return f"the Dask scheduler does not answer ({status})" if is_over or is_long else ""


class Dask:
    """The cluster of a client; `need` are the resources that each call needs there."""

    is_here, is_far = False, True

    def __init__(
        self, client: Any, submit_kwargs: Mapping[str, Any], need: Mapping[str, float]
    ) -> None:
        self._client = client
        self._how = dict(submit_kwargs)
        if need:
            self._how["resources"] = dict(need)

    def run(self, tasks: Sequence[Task]) -> Generator[Outcome, None, None]:
        """Yield the outcomes of tasks as they come."""
        run = _Run(self._client, self._how, tasks)
        try:
            yield from run.outcomes()
        finally:
            run.cancel()

    def replace_workers(self) -> None:
        """Do nothing: they are not this program's alone."""


class _Run:
    """The tasks of one map while they are on a cluster."""

    def __init__(self, client: Any, how: Mapping[str, Any], tasks: Sequence[Task]) -> None:
        self._client = client
        self._how = how
        self._total = len(tasks)
        self._tasks = list(tasks)
        self._waiting: deque[list[Task]] = deque()
        self._next = 0
        self._size = 1
        self._under_way: dict[Any, list[Task]] = {}
        self._finished: queue.SimpleQueue[Any] = queue.SimpleQueue()
        self._done = 0

    def outcomes(self) -> Generator[Outcome, None, None]:
        cores = max(1, sum(self._client.ncores().values()))
        while True:
            while len(self._under_way) < cores * (1 + _AHEAD) and (taken := self._take(cores)):
                self._submit(taken)
            if not self._under_way:
                return
            yield from self._outcome_of(self._wait())

    def _take(self, cores: int) -> list[Task]:
        """Return the next piece; smaller ones at the end, so that no core waits for another."""
        if self._waiting:
            return self._waiting.popleft()
        left = self._total - self._next
        size = max(1, min(self._size, left // (2 * cores)))
        taken = self._tasks[self._next : self._next + size]
        self._next += len(taken)
        return taken

    def _submit(self, taken: list[Task]) -> None:
        try:
            future = self._client.submit(piece, tuple(taken), pure=False, **self._how)
        except Exception as error:  # whatever a client raises that has no scheduler any more
            raise self._lost(str(error)) from error
        self._under_way[future] = taken
        future.add_done_callback(self._finished.put)

    def _wait(self) -> Any:
        """Return a future that has ended."""
        answers = Answers(self._client)
        while True:
            try:
                return self._finished.get(timeout=_LOOKS_EVERY_S)
            except queue.Empty:
                reason = answers.lost()
            if reason:
                raise self._lost(reason)

    def _outcome_of(self, future: Any) -> Generator[Outcome, None, None]:
        taken = self._under_way.pop(future)
        if future.status == "finished":
            try:
                outcomes, took_s = future.result()
            except Exception as gone:  # a piece raises nothing: the way there is gone
                raise self._lost(str(gone) or type(gone).__name__) from gone
            made = sum(not isinstance(one, Apart | Claimed) for one in outcomes)
            if made:  # else it says nothing about how long a call takes
                fitting = round(made * _PIECE_S / max(took_s, 1e-6))
                self._size = max(1, min(_MOST_IN_A_PIECE, fitting))
            self._done += made
            yield from outcomes
            return
        if future.status != "error":
            raise self._lost(f"a piece of work was {future.status}")
        if len(taken) > 1:
            self._waiting.extend([one] for one in taken)
            return
        error = future.exception()
        self._done += 1
        if not isinstance(error, Exception):
            raise error
        yield Raised(taken[0].number, error)

    def _lost(self, reason: str) -> WorkersLost:
        return WorkersLost(self._done, self._total, reason)

    def cancel(self) -> None:
        """Let nothing begin any more that was not begun."""
        if self._under_way and self._client.status == "running":
            self._client.cancel(list(self._under_way), force=True)
        self._under_way.clear()
