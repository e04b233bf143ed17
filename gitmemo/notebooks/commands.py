"""`%gitmemo COMMAND`: the command line, with its output in the notebook.

Not the commands (`gitmemo.cli`). Invariant: a command has no terminal, so it asks nothing.
"""

from __future__ import annotations

import shlex
import subprocess
import sys
import threading
import time
from collections.abc import Iterable
from itertools import groupby
from operator import itemgetter
from typing import IO, TextIO

_NAME_AT = 2  # `%gitmemo COMMAND`
_REST_S = 2.0  # to show what a command that ended has said
_GATHER_S = 1.0  # notebooks keep each piece that is shown as an output of its own
_LOOK_AGAIN_S = 0.1


def run_command(line: str) -> None:
    """Run a command in a process of its own, which sees the files as they are saved.

    Raises:
        UsageError: It is no command line, or ended with another exit code than 0; what it said is
            shown before.
    """
    from IPython.core.error import UsageError

    try:
        words = shlex.split(line)
    except ValueError as error:
        raise UsageError(f"gitmemo {line.strip()} cannot be read: {error}") from None
    # Files beside the notebook are none of its modules (-P). A session of its own: a kernel may
    # have been started from a terminal, where nobody looks.
    process = subprocess.Popen(
        [sys.executable, "-P", "-m", "gitmemo", *words],
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        encoding="utf-8",
        errors="replace",
        start_new_session=True,
    )
    assert process.stdout is not None  # both are pipes
    assert process.stderr is not None
    shown = _Shown()
    reading = [
        threading.Thread(target=shown.read, args=(source, target), daemon=True)
        for source, target in ((process.stdout, sys.stdout), (process.stderr, sys.stderr))
    ]
    for one in reading:
        one.start()
    try:
        code = _wait(process, shown)
    except BaseException:  # an interrupted cell ends its command
        process.terminate()
        process.wait()
        raise
    finally:
        _finish(reading)
        shown.end()
    if code != 0:
        raise UsageError(f"gitmemo {line.strip()} ended with exit code {code}")


class _Shown:
    """What a command says, for the cell: pieces that come soon after each other are one output."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._waiting: list[tuple[TextIO, str]] = []
        self._since_s = 0.0
        self._is_over = False

    def read(self, source: IO[str], target: TextIO) -> None:
        """Take what is said; read on after the end, for a process that was left and that says more."""
        with source:
            for line in source:
                with self._lock:
                    if self._is_over:
                        continue
                    if not self._waiting:
                        self._since_s = time.monotonic()
                    self._waiting.append((target, line))

    def show(self, *, after_s: float = 0.0) -> None:
        """Write what waits for so long."""
        with self._lock:
            if not self._waiting or time.monotonic() - self._since_s < after_s:
                return
            waiting, self._waiting = self._waiting, []
        for target, pieces in groupby(waiting, key=itemgetter(0)):
            target.write("".join(text for _, text in pieces))
            target.flush()

    def end(self) -> None:
        """Write what waits, and nothing that is said later."""
        with self._lock:
            self._is_over = True
        self.show()


def _wait(process: subprocess.Popen[str], shown: _Shown) -> int:
    while True:
        try:
            return process.wait(_LOOK_AGAIN_S)
        except subprocess.TimeoutExpired:
            shown.show(after_s=_GATHER_S)


def _finish(reading: Iterable[threading.Thread]) -> None:
    """Wait until all is read: not for long, as a process that was left keeps the pipes open."""
    until = time.monotonic() + _REST_S
    for one in reading:
        one.join(max(0.0, until - time.monotonic()))


def completions(line: str) -> list[str]:
    """Return the commands that a line `%gitmemo …` may go on with."""
    words = line.split()
    is_at_name = len(words) < _NAME_AT or (len(words) == _NAME_AT and not line.endswith(" "))
    if not is_at_name:
        return []
    from gitmemo.cli.commands import names

    return names()
