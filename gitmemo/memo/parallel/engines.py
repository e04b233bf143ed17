"""What runs tasks: this thread, or whatever joblib has been told to use.

Not what a task does (`work`). Invariant: every task that was begun ends in one outcome, or
`WorkersLost` is raised; whoever stops asking for outcomes has cancelled the rest.
"""

from __future__ import annotations

import warnings
from collections.abc import Generator, Iterator, Mapping, Sequence
from concurrent.futures import BrokenExecutor
from contextlib import AbstractContextManager, closing
from typing import Any, Protocol

from gitmemo.errors import WorkersLost
from gitmemo.memo.parallel import resources
from gitmemo.memo.parallel.meeting import Apart
from gitmemo.memo.parallel.outcomes import Claimed, Ended, Outcome, Task
from gitmemo.memo.waiting import LONGEST_S, SHORTEST_S


class Engine(Protocol):
    """Something that runs tasks.

    Attributes:
        is_here: Whether tasks stay in this process.
        is_far: Whether they may run on other hosts.
    """

    is_here: bool
    is_far: bool

    def run(self, tasks: Sequence[Task]) -> Generator[Outcome, None, None]:
        """Yield the outcomes of tasks as they come."""
        ...

    def replace_workers(self) -> None:
        """Have other workers the next time, where they are this program's own."""
        ...


class Serial:
    """This thread, one task after the other."""

    is_here, is_far = True, False

    def run(self, tasks: Sequence[Task]) -> Generator[Outcome, None, None]:
        """Yield the outcomes of tasks in their order."""
        for task in tasks:
            yield task()

    def replace_workers(self) -> None:
        """Do nothing: there are none."""


class Joblib:
    """The backend of joblib that is selected: loky, threading, sequential, ray, …"""

    def __init__(self, n_jobs: int | None) -> None:
        import joblib

        try:
            self._parallel = joblib.Parallel(n_jobs=n_jobs, return_as="generator_unordered")
            self.is_streaming = True
        except ValueError:  # a backend that cannot hand results out as they come
            self._parallel = joblib.Parallel(n_jobs=n_jobs)
            self.is_streaming = False
        backend = self._parallel._backend
        is_shared = bool(getattr(backend, "supports_sharedmem", False))
        self.is_here = is_shared or self._parallel._effective_n_jobs() == 1
        self.is_far = type(backend).__name__ not in _ON_THIS_HOST

    def run(self, tasks: Sequence[Task]) -> Generator[Outcome, None, None]:
        """Yield the outcomes of tasks as they come."""
        done = 0
        found: Any = self._parallel((task, (), {}) for task in tasks)
        try:
            for outcome in found:
                done += not isinstance(outcome, Apart | Claimed)
                yield outcome
        except BrokenExecutor as error:
            raise WorkersLost(done, len(tasks), _first_line(error)) from error
        finally:
            if self.is_streaming:
                with warnings.catch_warnings():  # that results were not used
                    warnings.simplefilter("ignore", UserWarning)
                    found.close()

    def replace_workers(self) -> None:
        """End the processes that joblib keeps for the next map."""
        if type(self._parallel._backend).__name__ == "LokyBackend":
            end_kept_processes()


def end_kept_processes() -> None:
    """End the processes that joblib keeps."""
    from joblib.externals.loky import get_reusable_executor

    get_reusable_executor(reuse=True).shutdown(wait=True, kill_workers=True)


_ON_THIS_HOST = frozenset(
    {"LokyBackend", "ThreadingBackend", "SequentialBackend", "MultiprocessingBackend"}
)


def engine(n_jobs: int | None, need: Mapping[str, float], capacity: Mapping[str, float]) -> Engine:
    """Return what joblib has been told to use.

    `need` are the resources that each call needs, and `capacity` what there is of them here.

    Raises:
        ResourceMissing: One call alone needs more than there is here, or on any worker.
    """
    from joblib.parallel import get_active_backend

    backend, chosen = get_active_backend()
    if type(backend).__name__ == "DaskDistributedBackend":
        from gitmemo.memo.parallel.dask import Dask, check_resources

        check_resources(backend.client, need)
        return Dask(backend.client, backend.submit_kwargs, need)
    most = resources.most_at_once(need, capacity)
    if most is None:
        return Joblib(n_jobs)
    wanted = backend.effective_n_jobs(chosen if n_jobs is None else n_jobs)
    return Joblib(min(wanted, most))


class Driver(Protocol):
    """What has to be done before calls that were not made are tried again."""

    def meet(self, those: Sequence[Apart]) -> None:
        """Get ready for workers that do not see the folder of here."""
        ...

    def stand_by(self, those: Sequence[Claimed], pause_s: float) -> None:
        """Wait until one of these calls is not computed by others, and for `pause_s` seconds."""
        ...


def outcomes(
    of: Engine, tasks: Sequence[Task], driver: Driver
) -> AbstractContextManager[Iterator[Ended]]:
    """Return a block with the outcomes of tasks; the rest is cancelled when it is left.

    Calls that were not made are tried again after all others: as a worker does not see the folder
    of here, or as somebody else computes them.
    """
    return closing(_outcomes(of, tasks, driver))


def _outcomes(of: Engine, tasks: Sequence[Task], driver: Driver) -> Generator[Ended, None, None]:
    total, pause_s = len(tasks), SHORTEST_S
    while tasks:
        apart: list[Apart] = []
        claimed: list[Claimed] = []
        try:
            with closing(of.run(tasks)) as found:
                for outcome in found:
                    if isinstance(outcome, Apart):
                        apart.append(outcome)
                    elif isinstance(outcome, Claimed):
                        claimed.append(outcome)
                    else:
                        yield outcome
        except WorkersLost as lost:
            done = total - len(tasks) + lost.done
            raise WorkersLost(done, total, lost.reason) from lost.__cause__
        if apart:
            driver.meet(apart)
        elif len(claimed) == len(tasks):
            driver.stand_by(claimed, pause_s)
            # Where locks of another host are not seen, nothing seems to be computed by others.
            pause_s = min(2 * pause_s, LONGEST_S)
        else:
            pause_s = SHORTEST_S
        numbers = {one.number for one in apart} | {one.number for one in claimed}
        tasks = [task for task in tasks if task.number in numbers]


def _first_line(error: BaseException) -> str:
    text = str(error).strip()
    return text.splitlines()[0] if text else type(error).__name__
