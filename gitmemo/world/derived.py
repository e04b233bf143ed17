"""The file of a repository's derived index: opened, or made anew.

Not what is in it (`index`). Invariant: nothing is lost by deleting it, for all
facts are in segments and journals; it is deleted only if it cannot be used.
"""

from __future__ import annotations

import os
import sqlite3
from pathlib import Path

from gitmemo.errors import NewerFormat, OlderFormat
from gitmemo.world.index import Index
from gitmemo.world.table import DERIVED_VERSION

_DAMAGE = frozenset({sqlite3.SQLITE_CORRUPT, sqlite3.SQLITE_NOTADB})
_NOT_OURS_TO_WRITE = frozenset(
    {sqlite3.SQLITE_READONLY, sqlite3.SQLITE_CANTOPEN, sqlite3.SQLITE_PERM}
)
_PRIMARY = 0xFF  # the rest says more about the error


def open_derived(path: Path) -> Index:
    """Open the derived index; one that is damaged or of another scheme is made anew, from facts.

    Where it cannot be written (a repository that is read-only) it is kept in memory.
    """
    try:
        return _index(path)
    except (NewerFormat, OlderFormat):
        return _anew(path)
    except sqlite3.DatabaseError as error:
        if is_damage(error):
            return _anew(path)
        if _code(error) in _NOT_OURS_TO_WRITE:
            return Index(None)
        raise


def is_damage(error: sqlite3.DatabaseError) -> bool:
    """Whether an error means that the file is not a sound database."""
    return _code(error) in _DAMAGE


def remove(path: Path) -> None:
    """Delete a database and the files beside it."""
    for suffix in ("", "-wal", "-shm"):
        Path(f"{path}{suffix}").unlink(missing_ok=True)


def _anew(path: Path) -> Index:
    if not os.access(path.parent, os.W_OK):
        return Index(None)
    remove(path)
    return _index(path)


def _index(path: Path) -> Index:
    return Index(path, DERIVED_VERSION)


def _code(error: sqlite3.DatabaseError) -> int:
    # Errors that Python itself raises have none.
    return int(getattr(error, "sqlite_errorcode", 0)) & _PRIMARY
