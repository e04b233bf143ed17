"""What runs the calls of a batch one by one, as they become ready, and tells when each has ended.

Not what runs the calls of a map (`engines`), which are all ready at once. Invariant: each task that was
submitted is told of once: by its outcome, by what was lost, or that it was cancelled.
"""

from __future__ import annotations

from collections.abc import Callable
from concurrent.futures import BrokenExecutor, CancelledError, Future, ThreadPoolExecutor
from typing import TYPE_CHECKING, Any, Protocol, TypeAlias

from gitmemo.errors import BackendUnfit
from gitmemo.memo.parallel.engines import end_kept_processes
from gitmemo.memo.parallel.outcomes import Outcome, Task

if TYPE_CHECKING:
    from gitmemo.memo.op import Op

Fetch: TypeAlias = Callable[[], Outcome]
"""Returns what came of a task; raises `Cancelled`, or `Lost`."""

Cancelled = CancelledError


class Lost(Exception):
    """Workers, or what hands them their work, are gone."""


class Executor(Protocol):
    """Something that runs tasks.

    Attributes:
        is_here: Whether tasks stay in this process.
        is_far: Whether they may run on other hosts.
        most: How many tasks it is given at once.
    """

    is_here: bool
    is_far: bool

    @property
    def most(self) -> int: ...

    def submit(self, task: Task, op: Op[..., Any], done: Callable[[Fetch], None]) -> Any:
        """Begin a call of an op soon; `done` is called when it has ended, in any thread."""
        ...

    def cancel(self, handle: Any) -> None:
        """Do not begin what `submit` returned this for, if it has not begun."""
        ...

    def lost(self) -> str:
        """Return why nothing will ever be told any more; empty if all is well."""
        ...

    def close(self) -> None:
        """Give back what was taken."""
        ...

    def replace_workers(self) -> None:
        """Have other workers the next time, where they are this program's own."""
        ...


class Threads:
    """Threads of this process."""

    is_here, is_far = True, False

    def __init__(self, count: int) -> None:
        self.most = count
        self._pool = ThreadPoolExecutor(count, "gitmemo-batch")

    def submit(
        self, task: Task, op: Op[..., Any], done: Callable[[Fetch], None]
    ) -> Future[Outcome]:
        """Begin a task soon."""
        return _told(self._pool.submit(task), done)

    def cancel(self, handle: Future[Outcome]) -> None:
        """Do not begin it."""
        handle.cancel()

    def lost(self) -> str:
        """Threads are not lost."""
        return ""

    def close(self) -> None:
        """End the threads, which have nothing to do any more."""
        self._pool.shutdown(wait=True, cancel_futures=True)

    def replace_workers(self) -> None:
        """Do nothing: they have the code of this process."""


class Loky:
    """The processes that joblib keeps."""

    is_here, is_far = False, False

    def __init__(self, count: int) -> None:
        import joblib

        self.most = 2 * count  # so that none waits for this process
        self._parallel = joblib.Parallel(n_jobs=count)
        self._parallel.__enter__()
        self._workers = self._parallel._backend._workers

    def submit(
        self, task: Task, op: Op[..., Any], done: Callable[[Fetch], None]
    ) -> Future[Outcome]:
        """Begin a task soon."""
        try:
            return _told(self._workers.submit(task), done)
        except BrokenExecutor as error:
            raise Lost(first_line(error)) from error

    def cancel(self, handle: Future[Outcome]) -> None:
        """Do not begin it."""
        handle.cancel()

    def lost(self) -> str:
        """Return nothing: what is lost with a process is told by `done`."""
        return ""

    def close(self) -> None:
        """Let joblib keep the processes for whoever comes next."""
        self._parallel.__exit__(None, None, None)

    def replace_workers(self) -> None:
        """End the processes."""
        end_kept_processes()


def _told(future: Future[Outcome], done: Callable[[Fetch], None]) -> Future[Outcome]:
    future.add_done_callback(lambda ended: done(lambda: _of_future(ended)))
    return future


def _of_future(future: Future[Outcome]) -> Outcome:
    try:
        return future.result()
    except BrokenExecutor as error:
        raise Lost(first_line(error)) from error


def executor(n_jobs: int | None) -> Executor | None:
    """Return what joblib has been told to use; None where calls run in the thread that waits for them.

    Raises:
        BackendUnfit: It has no way to run one call after another has ended.
    """
    from joblib.parallel import get_active_backend

    backend, chosen = get_active_backend()
    name = type(backend).__name__
    if name == "DaskDistributedBackend":
        from gitmemo.memo.parallel.cluster import Dask

        return Dask(backend.client, dict(backend.submit_kwargs))
    if name not in _KINDS:
        raise BackendUnfit(name)
    count = backend.effective_n_jobs(chosen if n_jobs is None else n_jobs)
    kind = _KINDS[name]
    return None if kind is None or count == 1 else kind(count)


_KINDS: dict[str, Callable[[int], Executor] | None] = {
    "LokyBackend": Loky,
    "ThreadingBackend": Threads,
    "SequentialBackend": None,
}


def first_line(error: BaseException) -> str:
    """Return what an exception says, in a line."""
    text = str(error).strip()
    return text.splitlines()[0] if text else type(error).__name__
