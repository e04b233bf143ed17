"""A few transfers at once.

Not a scheduler. Invariant: no more than `jobs` items, and no more than
`IN_FLIGHT` bytes of them, are worked on at once, however many and large they
are; one item is always worked on, whatever its size. An error, or Ctrl-C, begins
nothing more.
"""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Generator, Iterable
from dataclasses import dataclass
from queue import Empty, SimpleQueue
from typing import Generic, TypeVar

JOBS = 4
"""Transfers at once unless told."""
IN_FLIGHT = 64 << 20
"""Bytes that all transfers together may hold in memory: four packs."""

_TICK = 0.2
_GRACE = 1.0

Item = TypeVar("Item")
Result = TypeVar("Result")


class Stopped(BaseException):
    """Raised inside a transfer that nobody waits for any more.

    Not an `Exception`, so that nobody takes it for a failure of the remote.
    """


class _Current(threading.local):
    stop: threading.Event | None = None


_current = _Current()


def pause(seconds: float = 0.0) -> None:
    """Sleep, unless the transfers that this thread works for are to stop: then raise `Stopped`."""
    stop = _current.stop
    if stop is None:
        time.sleep(seconds)
    elif stop.wait(seconds) if seconds > 0 else stop.is_set():
        raise Stopped


@dataclass(frozen=True, slots=True)
class _Outcome(Generic[Result]):
    weight: int
    results: tuple[Result, ...] = ()
    error: BaseException | None = None


def in_parallel(
    work: Callable[[Item], Result],
    items: Iterable[Item],
    jobs: int,
    *,
    weigh: Callable[[Item], int] = lambda _: 0,
    tick: Callable[[], None] = lambda: None,
) -> Generator[Result, None, None]:
    """Yield `work(item)` for each item as they finish.

    After an error no item is begun; the ones being worked on are yielded before
    it is raised. `weigh` says how many bytes of memory an item takes; `tick` is
    called several times a second, in the calling thread.
    """
    outcomes: SimpleQueue[_Outcome[Result]] = SimpleQueue()
    stop = threading.Event()
    todo = ((item, weigh(item)) for item in items)
    held: tuple[Item, int] | None = None
    threads: set[threading.Thread] = set()
    running = in_flight = 0
    failure: BaseException | None = None
    try:
        while True:
            while failure is None and running < max(1, jobs):
                held = held or next(todo, None)
                if held is None or (running and in_flight + held[1] > IN_FLIGHT):
                    break
                threads.add(_begin(work, *held, stop, outcomes))
                running, in_flight = running + 1, in_flight + held[1]
                held = None
            if not running:
                break
            outcome = _next(outcomes, tick)
            running, in_flight = running - 1, in_flight - outcome.weight
            failure = failure or outcome.error
            yield from outcome.results
        if failure is not None:
            raise failure
    finally:
        stop.set()
        _leave(threads)


def abandonable(action: Callable[[], Result]) -> Result:
    """Return `action()`; Ctrl-C and a stop leave it alone, if nothing else can interrupt it."""
    if _current.stop is not None:  # whoever waits for this thread leaves it alone as well
        return action()
    (result,) = in_parallel(lambda _: action(), (None,), 1)
    return result


def _begin(
    work: Callable[[Item], Result],
    item: Item,
    weight: int,
    stop: threading.Event,
    outcomes: SimpleQueue[_Outcome[Result]],
) -> threading.Thread:
    def run() -> None:
        _current.stop = stop
        try:
            outcome = _Outcome(weight, (work(item),))
        except BaseException as error:  # noqa: BLE001  raised again by who waits for it
            outcome = _Outcome(weight, error=error)
        outcomes.put(outcome)

    # Python waits for threads that are no daemons, and so for a server that is
    # silent, before it exits. Being killed anywhere is what transfers are made for.
    thread = threading.Thread(target=run, name="gitmemo-remote", daemon=True)
    thread.start()
    return thread


def _next(outcomes: SimpleQueue[_Outcome[Result]], tick: Callable[[], None]) -> _Outcome[Result]:
    while True:
        tick()
        try:
            outcome = outcomes.get(timeout=_TICK)
        except Empty:
            continue
        tick()  # the last one tells what came before a failure
        return outcome


def _leave(threads: Iterable[threading.Thread]) -> None:
    """Wait a moment for transfers that were told to stop."""
    until = time.monotonic() + _GRACE
    for thread in threads:
        thread.join(max(0.0, until - time.monotonic()))
