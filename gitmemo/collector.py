"""Keeping Python's collector of reference cycles away from work that makes many objects at once.

Not the removal of stored values (`cleaning`). Invariant: the collector is on again afterwards if it
was on before, whatever happens, and however many threads do such work at once.
"""

from __future__ import annotations

import gc
import threading
from collections.abc import Iterator
from contextlib import contextmanager

_SELDOM = 70_000
_AS_PYTHON_DOES = gc.get_threshold()
_lock = threading.Lock()
_inside = 0
_was_on = False


@contextmanager
def uncollected() -> Iterator[None]:
    """Run the body without looking for cycles: each look visits all objects that were made so far.

    Reading 100,000 calls takes half the time. Use it where next to no garbage is made.
    """
    global _inside, _was_on
    with _lock:
        if not _inside:
            _was_on = gc.isenabled()
            gc.disable()
        _inside += 1
    try:
        yield
    finally:
        with _lock:
            _inside -= 1
            if not _inside and _was_on:
                gc.enable()


def collect_seldom() -> None:
    """Look for cycles a hundred times less often: a command makes few, and ends soon."""
    gc.set_threshold(_SELDOM, 10, 10)


def collect_as_python_does() -> None:
    """Look for cycles as often as any program does that did not say otherwise."""
    gc.set_threshold(*_AS_PYTHON_DOES)
