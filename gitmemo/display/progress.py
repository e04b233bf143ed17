"""How a transfer, or many calls, go, on one line of a terminal that is written over.

Not what is done, nor what is said at its end. Invariant: where standard error is no terminal
nothing is written, and when it ends, however it ends, the line is gone.
"""

from __future__ import annotations

import sys
import time
from types import TracebackType
from typing import Self, TextIO

from gitmemo.config import is_plain_terminal
from gitmemo.quantities import count, duration, size

_BETWEEN_S = 0.1
_KNOWN_AFTER_S = 0.5  # a rate before that says more about the first answer than about the line
_CLEAR = "\r\x1b[K"


class _Line:
    """A line of a terminal that is written over."""

    def __init__(self, stream: TextIO | None, *, is_quiet: bool) -> None:
        self._stream = stream or sys.stderr
        self._is_shown = not is_quiet and self._stream.isatty() and not is_plain_terminal()
        self._is_drawn = False
        self._began = self._told = time.monotonic()

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        if self._is_drawn:
            self._is_drawn = False
            self._stream.write(_CLEAR)
            self._stream.flush()

    def _is_time(self, now: float) -> bool:
        if now - self._told < _BETWEEN_S:
            return False
        self._told = now
        return True

    def _write(self, text: str) -> None:
        if not self._is_shown:
            return
        import shutil  # slow to import, and only terminals need it

        width = shutil.get_terminal_size().columns - 1
        self._is_drawn = True
        self._stream.write(f"{_CLEAR}{text[:width]}")
        self._stream.flush()


class TransferLine(_Line):
    """What is moved, of how much, how fast, and how long it may still take."""

    def __init__(
        self,
        doing: str,
        size_bytes: int,
        values: int,
        *,
        is_quiet: bool = False,
        stream: TextIO | None = None,
    ) -> None:
        """`doing` begins the line, as `lab: sending`; the numbers are what is to be moved at most."""
        super().__init__(stream, is_quiet=is_quiet)
        self._doing, self._size_bytes, self._values = doing, size_bytes, values
        self._moved_bytes = self._moved = 0

    def __enter__(self) -> Self:
        self._write(f"{self._doing}: looking what is there …")
        return self

    def __call__(self, size_bytes: int, values: int) -> None:
        """Note that so much was moved besides: a `remotes.Progress`."""
        self._moved_bytes += size_bytes
        self._moved += values
        now = time.monotonic()
        if self._is_time(now):
            self._write(self.text(now - self._began))

    @property
    def moved(self) -> str:
        """What was moved, as people say it; how much there is at all is a guess until the end."""
        return f"{count(self._moved, 'value')} ({size(self._moved_bytes)})"

    def text(self, elapsed_s: float) -> str:
        """Return the line."""
        parts = [
            f"{self._doing} {size(self._moved_bytes)} of {size(self._size_bytes)}",
            f"{self._moved} of {count(self._values, 'value')}",
        ]
        if elapsed_s >= _KNOWN_AFTER_S and self._moved_bytes > 0:
            rate = self._moved_bytes / elapsed_s
            left = max(0, self._size_bytes - self._moved_bytes)
            parts += [f"{size(int(rate))}/s", f"{duration(round(left / rate))} left"]
        return ", ".join(parts)


class CallsLine(_Line):
    """How many calls of a map or a batch are done, how fast, and how long the rest may take.

    It may be shown several times, while somebody waits: what is counted meanwhile counts.
    """

    def __init__(self, doing: str, total: int, *, stream: TextIO | None = None) -> None:
        super().__init__(stream, is_quiet=False)
        self._doing, self._total, self._done, self._failed = doing, total, 0, 0
        self._waiting = 0
        # Before the first outcome workers are started: the rate is of what came after it.
        self._first: tuple[float, int] | None = None

    def __enter__(self) -> Self:
        self._waiting += 1
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self._waiting -= 1
        if not self._waiting:
            super().__exit__(kind, error, trace)

    def __call__(self, *, done: int = 0, failed: int = 0, more: int = 0) -> None:
        """Note that so many calls are done besides, of which so many failed; and that there are more."""
        self._done += done
        self._failed += failed
        self._total += more
        if not self._is_shown:
            return
        now = time.monotonic()
        if done and self._first is None:
            self._first = now - self._began, self._done
        if self._waiting and self._is_time(now):
            self._write(self.text(now - self._began))

    def text(self, elapsed_s: float) -> str:
        """Return the line."""
        parts = [f"{self._doing}: {self._done} of {count(self._total, 'call')}"]
        if self._failed:
            parts.append(f"{self._failed} failed")
        first_s, before = self._first or (elapsed_s, self._done)
        since_s, done = elapsed_s - first_s, self._done - before
        if self._done >= self._total:
            parts.append(f"in {duration(elapsed_s)}")
        elif since_s >= _KNOWN_AFTER_S and done:
            rate = done / since_s
            left = max(1, round((self._total - self._done) / rate))
            parts += [f"{rate:.3g}/s", f"{duration(left)} left"]
        return ", ".join(parts)
