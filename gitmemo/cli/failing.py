"""What is said where gitmemo itself failed: one message, and a traceback for those who mend it.

Not the errors that are raised on purpose (`errors`), nor those of the user's programs. Invariant:
whatever fails in here, something is said.
"""

from __future__ import annotations

import os
import platform
import sys
import tempfile
import traceback
from pathlib import Path

from gitmemo import __version__
from gitmemo.config import environment_variable
from gitmemo.errors import GitmemoBug, GitmemoError, IndexUnusable


def told_of(error: Exception) -> GitmemoError:
    """Return what people are to be told of an exception that nobody raised on purpose."""
    sqlite = sys.modules.get("sqlite3")
    if sqlite is not None and isinstance(error, sqlite.DatabaseError):
        is_ours = isinstance(error, sqlite.ProgrammingError | sqlite.IntegrityError)
        return _bug(error) if is_ours else IndexUnusable(str(error))
    return _bug(error)


def _bug(error: Exception) -> GitmemoBug:
    said = "".join(traceback.format_exception_only(error)).strip().splitlines()[-1]
    text = "".join(traceback.format_exception(error))
    path = "" if environment_variable("GITMEMO_DEBUG") else _written(text)
    if not path and sys.stderr is not None:
        sys.stderr.write(text)
    return GitmemoBug(said, path)


def _written(text: str) -> str:
    """Write a traceback to a file of its own; return its path, empty if that fails too."""
    head = f"gitmemo {__version__}, Python {platform.python_version()}, {platform.platform()}\n\n"
    try:
        descriptor, name = tempfile.mkstemp(prefix="gitmemo-bug-", suffix=".txt")
        os.close(descriptor)
        Path(name).write_text(head + text, "utf-8", "backslashreplace")
    except OSError:
        return ""
    return name
