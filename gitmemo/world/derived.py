"""The file of a repository's derived index: opened, or made anew.

Not what is in it (`index`). Invariant: nothing is lost by deleting it, for all
facts are in segments and journals.
"""

from __future__ import annotations

import os
import sqlite3
from pathlib import Path

from gitmemo.errors import NewerFormat
from gitmemo.world.index import Index


def open_derived(path: Path) -> Index:
    """Open the derived index; one that is damaged or of another scheme is made anew, from facts.

    Where it cannot be written (a repository that is read-only) it is kept in memory.
    """
    try:
        return Index(path)
    except (sqlite3.DatabaseError, NewerFormat) as error:
        if isinstance(error, sqlite3.OperationalError) and "locked" in str(error):
            raise
        if not os.access(path.parent, os.W_OK) or _is_read_only(error):
            return Index(None)
        remove(path)
        return Index(path)


def is_damage(error: sqlite3.DatabaseError) -> bool:
    """Whether an error means that the file is not a sound database."""
    return any(word in str(error) for word in ("malformed", "not a database", "disk image"))


def _is_read_only(error: Exception) -> bool:
    return "readonly" in str(error) or "unable to open" in str(error)


def remove(path: Path) -> None:
    """Delete a database and the files beside it."""
    for suffix in ("", "-wal", "-shm"):
        Path(f"{path}{suffix}").unlink(missing_ok=True)
