"""Errors of what runs calls in parallel: workers, backends, and what they have of resources.

Not errors of the calls (`parallel`). Invariant: whoever handles one of these is told that finished
calls are stored.
"""

from __future__ import annotations

from collections.abc import Sequence

from gitmemo.errors.base import GitmemoError

_MOST_NAMED = 5


class BackendUnfit(GitmemoError):
    """The backend of joblib that is selected cannot run calls that wait for each other."""

    kind = "backend-unfit"
    exit_code = 2

    def __init__(self, backend: str) -> None:
        super().__init__(backend)
        self.backend = backend

    def problem(self) -> str:
        return f"a batch cannot run its calls with joblib's {self.backend}"

    def remedy(self) -> str:
        return (
            'use `joblib.parallel_config` with "loky" (processes), "threading", "sequential" or '
            '"dask"; `storage.map` works with every backend'
        )


class RaisedElsewhere(GitmemoError):
    """A call in a worker raised something that cannot be sent to another process."""

    kind = "raised-elsewhere"

    def __init__(self, type_name: str, text: str) -> None:
        super().__init__(type_name, text)
        self.type_name, self.text = type_name, text

    def problem(self) -> str:
        return f"{self.type_name}: {self.text}"

    def remedy(self) -> str:
        return (
            "the exception itself cannot be pickled; the notes of this one say where it was raised"
        )


class WorkerDiffers(GitmemoError):
    """A worker has other code, or other packages, than the program that it works for."""

    kind = "worker-differs"
    exit_code = 3

    def __init__(self, host: str, process: int, differences: Sequence[str]) -> None:
        """`process` is 0 where it is not known."""
        super().__init__(host, process, differences)
        self.host, self.process, self.differences = host, process, tuple(differences)

    def problem(self) -> str:
        who = f"the worker {self.process} on {self.host}" if self.process else "a worker"
        found = "; ".join(self.differences[:_MOST_NAMED])
        more = len(self.differences) - _MOST_NAMED
        return f"{who} differs from this program: {found}" + (f"; {more} more" if more > 0 else "")

    def remedy(self) -> str:
        return (
            "none of its results was used: start this program again if its files were edited or its "
            "modules changed, and workers that were there before it (on Dask `client.restart()`)"
        )


class WorkersApart(GitmemoError):
    """A worker does not see the folder of the program, and cannot work without it either."""

    kind = "workers-apart"
    exit_code = 3

    def __init__(self, host: str, reason: str, advice: str) -> None:
        """`host` is empty where it is about all workers."""
        super().__init__(host, reason, advice)
        self.host, self.reason, self.advice = host, reason, advice

    def problem(self) -> str:
        who = f"a worker on {self.host} does" if self.host else "workers do"
        return f"{who} not see the folder of this program: {self.reason}"

    def remedy(self) -> str:
        return f"{self.advice}; or let workers see the folder under the same path"


class WorkersLost(GitmemoError):
    """Workers, or what hands them their work, are gone before all calls were made."""

    kind = "workers-lost"
    exit_code = 5

    def __init__(self, done: int, total: int, reason: str) -> None:
        super().__init__(done, total, reason)
        self.done, self.total, self.reason = done, total, reason

    def problem(self) -> str:
        return f"workers are gone after {self.done} of {self.total} calls: {self.reason}"

    def remedy(self) -> str:
        return (
            "what was finished is stored: run the same again; if workers are killed each time, they "
            "may need more memory: use fewer of them"
        )


class ResourceMissing(GitmemoError):
    """One call alone needs more of something than there is here, or than any worker of a cluster has."""

    kind = "resource-missing"
    exit_code = 2

    def __init__(
        self, name: str, need: float, capacity: float, *, is_on_cluster: bool = False
    ) -> None:
        super().__init__(name, need, capacity)
        self.name, self.need, self.capacity = name, need, capacity
        self.is_on_cluster = is_on_cluster

    def problem(self) -> str:
        needs = f"a call needs {self.need:g} {self.name}"
        if not self.is_on_cluster:
            return f"{needs}, and there is {self.capacity:g} here"
        return f"{needs}, and no worker of the Dask cluster fits: the nearest says it has {self.capacity:g}"

    def remedy(self) -> str:
        if self.is_on_cluster:
            return (
                "start workers that say what they have: "
                f"`LocalCluster(resources={{{self.name!r}: {self.need:g}}})`, or "
                f'`dask worker … --resources "{self.name}={self.need:g}"`'
            )
        return (
            f"say how much there is, with `[run] resources = {{{self.name} = {self.need:g}}}` in "
            f"gitmemo's settings or GITMEMO_RESOURCES={self.name}={self.need:g}, or run it on a cluster"
        )
