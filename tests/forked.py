"""gitmemo's commands in a fork of the tests' own process: real processes, without their start. Not a test."""

from __future__ import annotations

import os
import sys
import tempfile
import traceback
import warnings
from pathlib import Path

from driver import Clone, Done

from gitmemo.cli import main


def forked(clone: Clone, *arguments: str, code: int | None = 0) -> Done:
    """Run a command as `clone.gitmemo` does; nothing of it stays in this process."""
    with tempfile.TemporaryDirectory() as folder:
        streams = [Path(folder) / name for name in ("out", "err")]
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", DeprecationWarning)  # other threads of pytest wait
            child = os.fork()
        if child == 0:
            _become(clone, arguments, streams)
        _, status = os.waitpid(child, 0)
        out, err = (path.read_text("utf-8") for path in streams)
    done = Done(os.waitstatus_to_exitcode(status), out, err)
    assert code is None or done.code == code, f"{arguments}: {done.code}\n{done.text}"
    return done


def _become(clone: Clone, arguments: tuple[str, ...], streams: list[Path]) -> None:
    """Run a command in this process, and end it."""
    result = 70
    try:
        os.setsid()
        os.chdir(clone.root)
        os.environ.clear()
        os.environ.update(clone.env())
        os.dup2(os.open(os.devnull, os.O_RDONLY), 0)
        for number, path in enumerate(streams, 1):
            os.dup2(os.open(path, os.O_WRONLY | os.O_CREAT), number)
        sys.stdin = open(0, encoding="utf-8", closefd=False)  # noqa: SIM115
        sys.stdout = open(1, "w", encoding="utf-8", closefd=False)  # noqa: SIM115
        sys.stderr = open(2, "w", encoding="utf-8", closefd=False)  # noqa: SIM115
        result = main(arguments)
    except BaseException:  # noqa: BLE001 - as the interpreter would show it
        traceback.print_exc()
    finally:
        sys.stdout.flush()
        sys.stderr.flush()
        os._exit(result)
