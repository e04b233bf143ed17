"""Telling how far transfers are.

Not a display (`cli`). Invariant: who asked is told in the thread that asked,
and in the end of as many bytes and values as were moved: bytes of one value are
never told twice, even if it had to be moved twice.
"""

from __future__ import annotations

import threading

from gitmemo.remotes.transport import Progress


class Meter:
    """Collects from the threads that move bytes."""

    def __init__(self, progress: Progress | None) -> None:
        self._progress = progress
        self._lock = threading.Lock()
        self._bytes = 0

    def add(self, size: int) -> None:
        """Note bytes of a value that is still on its way."""
        with self._lock:
            self._bytes += size

    def tick(self) -> None:
        """Tell of what was noted."""
        with self._lock:
            size, self._bytes = self._bytes, 0
        if size:
            self._tell(size, 0)

    def finished(self, size: int, values: int) -> None:
        """Tell of values that have arrived, and of bytes that were not noted before."""
        self.tick()
        if size or values:
            self._tell(size, values)

    def _tell(self, size: int, values: int) -> None:
        if self._progress is not None:
            self._progress(size, values)


class Gauge:
    """How far one large value is. For one thread."""

    def __init__(self, meter: Meter, size: int) -> None:
        self._meter, self._size = meter, size
        self.told = 0

    def at(self, position: int) -> None:
        """Note that the bytes up to `position` are there."""
        position = min(position, self._size)
        if position > self.told:
            self._meter.add(position - self.told)
            self.told = position
