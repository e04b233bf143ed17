"""`%gitmemo COMMAND`: the command line, with its output in the notebook.

Not the commands (`gitmemo.cli`). Invariant: a command has no terminal, so it asks nothing.
"""

from __future__ import annotations

import shlex
import subprocess
import sys
import threading
from typing import IO, TextIO

_NAME_AT = 2  # `%gitmemo COMMAND`


def run_command(line: str) -> None:
    """Run a command in a process of its own, which sees the files as they are saved.

    Raises:
        UsageError: It ended with another exit code than 0; what it said is shown before.
    """
    command = [sys.executable, "-m", "gitmemo", *shlex.split(line)]
    # A session of its own: a kernel may have been started from a terminal, where nobody looks.
    process = subprocess.Popen(
        command,
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
    said = threading.Thread(target=_copied, args=(process.stderr, sys.stderr))
    said.start()
    try:
        _copied(process.stdout, sys.stdout)
        code = process.wait()
    except BaseException:  # an interrupted cell ends its command
        process.terminate()
        process.wait()
        raise
    finally:
        said.join()
        process.stdout.close()
        process.stderr.close()
    if code != 0:
        from IPython.core.error import UsageError

        raise UsageError(f"gitmemo {line.strip()} ended with exit code {code}")


def _copied(source: IO[str], target: TextIO) -> None:
    for line in source:
        target.write(line)
        target.flush()


def completions(line: str) -> list[str]:
    """Return the commands that a line `%gitmemo …` may go on with."""
    words = line.split()
    is_at_name = len(words) < _NAME_AT or (len(words) == _NAME_AT and not line.endswith(" "))
    if not is_at_name:
        return []
    from gitmemo.cli.commands import names

    return names()
