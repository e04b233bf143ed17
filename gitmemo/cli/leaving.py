"""The end of a command's process, without the 30 ms in which Python takes everything apart.

Not the exit code (`main`). Invariant: nothing that would have happened at the end of the process is
left out: where a thread runs, or somebody waits for the end, or a program of the user ran, the
process ends as Python ends it.
"""

from __future__ import annotations

import atexit
import os
import sys
import threading
from typing import NoReturn


def leave(code: int) -> NoReturn:
    """End the process."""
    if _is_alone():
        _close_databases()
        if _flushed():
            os._exit(code)
    sys.exit(code)


def _is_alone() -> bool:
    programs_may_have_run = "gitmemo.memo" in sys.modules
    return not (programs_may_have_run or threading.active_count() > 1 or atexit._ncallbacks())


def _close_databases() -> None:
    database = sys.modules.get("gitmemo.database")
    if database is not None:
        database.close_all()


def _flushed() -> bool:
    try:
        for stream in (sys.stdout, sys.stderr):
            if stream is not None:
                stream.flush()
    except (OSError, ValueError):  # Python says what it says of that
        return False
    return True
