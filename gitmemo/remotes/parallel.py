"""A few transfers at once.

Not a scheduler. Invariant: no more items are taken than are being worked on,
so that memory is bounded by `jobs` items however many there are.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import FIRST_COMPLETED, Future, ThreadPoolExecutor, wait
from itertools import islice
from typing import TypeVar

JOBS = 4
"""Transfers at once unless told; each may hold a pack of 20 MB in memory."""

Item = TypeVar("Item")
Result = TypeVar("Result")


def in_parallel(
    work: Callable[[Item], Result], items: Iterable[Item], jobs: int
) -> Iterator[Result]:
    """Yield `work(item)` for each item as they finish; the first error ends it."""
    todo = iter(items)
    running: set[Future[Result]] = set()
    with ThreadPoolExecutor(max(1, jobs), thread_name_prefix="gitmemo-remote") as pool:
        while True:
            running.update(pool.submit(work, i) for i in islice(todo, max(1, jobs) - len(running)))
            if not running:
                return
            done, running = wait(running, return_when=FIRST_COMPLETED)
            for future in done:
                yield future.result()
