"""Processes that joblib keeps, whose program is dead: they end when they have nothing to do.

By themselves they wait five minutes for a program that cannot come back, with its memory and its output. Not
other workers: a cluster has its own ways. Invariant: none ends while its program lives, nor in the middle of
a call, so that what was begun is finished and stored.
"""

from __future__ import annotations

import functools
import os
import sys
import threading
import time
from multiprocessing import current_process, parent_process
from types import CodeType, FrameType

_LOOKS_EVERY_S = 1.0


@functools.cache
def end_with_program() -> None:
    """Let this process end some time after its program has, if joblib keeps it for that."""
    program, call = parent_process(), _code_of_calls()
    if program is None or program.pid is None or call is None or os.name != "posix":
        return
    threading.Thread(
        target=_watch, args=(program.pid, call), name="gitmemo-program", daemon=True
    ).start()


def _code_of_calls() -> CodeType | None:
    """Return the code in which a process of joblib's runs what it was sent; None in other processes."""
    kind = type(current_process())
    if kind.__module__ != "joblib.externals.loky.backend.process":
        return None
    running = sys.modules.get("joblib.externals.loky.process_executor")
    made = getattr(running, "_CallItem", None)
    code = getattr(vars(made).get("__call__"), "__code__", None) if made else None
    return code if isinstance(code, CodeType) else None


def _watch(program: int, call: CodeType) -> None:
    while os.getppid() == program:  # who has lost a parent is given another one
        time.sleep(_LOOKS_EVERY_S)
    while _is_busy(call):
        time.sleep(_LOOKS_EVERY_S)
    os._exit(0)  # nobody is there for what an orderly end would say


def _is_busy(call: CodeType) -> bool:
    """Whether a call is running here, of whatever map, or a thread that somebody would wait for."""
    main = threading.main_thread()
    if any(not thread.daemon for thread in threading.enumerate() if thread is not main):
        return True
    frame: FrameType | None = sys._current_frames().get(main.ident or 0)
    while frame is not None:
        if frame.f_code is call:
            return True
        frame = frame.f_back
    return False
