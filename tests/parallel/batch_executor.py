"""An executor of batches whose tasks end when a test says so. Not a test."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import gitmemo as gm
from gitmemo.memo.parallel.executors import Cancelled, Fetch, Lost
from gitmemo.memo.parallel.outcomes import Outcome, Task


@dataclass(eq=False)
class Given:
    """A task that was submitted."""

    task: Task
    done: Callable[[Fetch], None]
    is_cancelled: bool = False


class ByHand:
    """Runs a task when it is told to, in the thread that tells it."""

    is_here, is_far = True, False

    def __init__(self, most: int = 2) -> None:
        self.most = most
        self.given: list[Given] = []
        self.reason = ""
        self.begun: list[Given] = []
        self.asked: list[Given] = []

    def submit(self, task: Task, op: gm.Op[..., Any], done: Callable[[Fetch], None]) -> Given:
        if self.reason:
            raise Lost(self.reason)
        self.given.append(Given(task, done))
        return self.given[-1]

    def end(self, given: Given) -> None:
        """Run a task, and tell what came of it."""
        self.given.remove(given)
        try:
            outcome: Outcome = given.task()
        except BaseException as error:  # noqa: BLE001  it is what came of it
            self._tell(given, error)
        else:
            given.done(lambda: outcome)

    def cancel(self, handle: Any) -> None:
        self.asked.append(handle)
        if handle in self.given and handle not in self.begun:
            self.given.remove(handle)
            self._tell(handle, Cancelled())

    def lose(self) -> None:
        """Tell of one task that it is lost, as all others are."""
        self.reason = "the plug was pulled"
        if self.given:
            self._tell(self.given.pop(), Lost(self.reason))

    def _tell(self, given: Given, error: BaseException) -> None:
        def fetch() -> Outcome:
            raise error

        given.done(fetch)

    def lost(self) -> str:
        return self.reason

    def close(self) -> None: ...

    def replace_workers(self) -> None: ...
