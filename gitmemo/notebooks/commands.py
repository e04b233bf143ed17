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
from typing import IO, TextIO

_NAME_AT = 2  # `%gitmemo COMMAND`
_REST_S = 2.0  # to show what a command that ended has said


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
    is_over = threading.Event()
    copying = [
        threading.Thread(target=_copy, args=(source, target, is_over), daemon=True)
        for source, target in ((process.stdout, sys.stdout), (process.stderr, sys.stderr))
    ]
    for one in copying:
        one.start()
    try:
        code = process.wait()
    except BaseException:  # an interrupted cell ends its command
        process.terminate()
        process.wait()
        raise
    finally:
        _finish(copying)
        is_over.set()
    if code != 0:
        raise UsageError(f"gitmemo {line.strip()} ended with exit code {code}")


def _copy(source: IO[str], target: TextIO, is_over: threading.Event) -> None:
    """Show what a command says; read on after that, for a process that it left and that says more."""
    with source:
        for line in source:
            if not is_over.is_set():
                target.write(line)
                target.flush()


def _finish(copying: Iterable[threading.Thread]) -> None:
    """Wait until all is shown: not for long, as a process that was left keeps the pipes open."""
    until = time.monotonic() + _REST_S
    for one in copying:
        one.join(max(0.0, until - time.monotonic()))


def completions(line: str) -> list[str]:
    """Return the commands that a line `%gitmemo …` may go on with."""
    words = line.split()
    is_at_name = len(words) < _NAME_AT or (len(words) == _NAME_AT and not line.endswith(" "))
    if not is_at_name:
        return []
    from gitmemo.cli.commands import names

    return names()
