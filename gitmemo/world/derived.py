"""The file of a repository's derived index: opened, or made anew.

Not what is in it (`index`). Invariant: nothing is lost by deleting it, for all
facts are in segments and journals; it is deleted only if it cannot be used.
"""

from __future__ import annotations

import errno
import os
import sqlite3
import stat
from contextlib import suppress
from pathlib import Path

from gitmemo.database import refused
from gitmemo.errors import NewerFormat, OlderFormat
from gitmemo.world.index import Index
from gitmemo.world.table import DERIVED_VERSION

_DAMAGE = frozenset({sqlite3.SQLITE_CORRUPT, sqlite3.SQLITE_NOTADB})
_NO_LOCKS = frozenset({errno.ENOLCK, errno.ENOSYS, errno.ENOTSUP, errno.EOPNOTSUPP})
_LOCKS = "locks"
_OURS_ALONE = 0o600
"""Who may open the file may lock it, and let programs wait: even who can only read it."""
_PRIMARY = 0xFF  # the rest says more about the error


def open_derived(path: Path) -> Index:
    """Open the derived index; one that is damaged or of another scheme is made anew, from facts.

    Where it cannot be written (a repository that is read-only, a full disk), or nothing can be
    locked, it is kept in memory.
    """
    try:
        try:
            return _index(path)
        except (NewerFormat, OlderFormat):
            return _anew(path)
        except sqlite3.DatabaseError as error:
            if is_damage(error):
                return _anew(path)
            raise
    except sqlite3.DatabaseError as error:
        if refused(error, path):
            return in_memory()
        raise
    except OSError:
        return in_memory()


def in_memory() -> Index:
    """Return an index that no other process sees, of nothing yet."""
    return Index(None, DERIVED_VERSION)


def is_damage(error: sqlite3.DatabaseError) -> bool:
    """Whether an error means that the file is not a sound database."""
    return _code(error) in _DAMAGE


def remove(path: Path) -> None:
    """Delete a database and the files beside it."""
    for suffix in ("", "-wal", "-shm"):
        Path(f"{path}{suffix}").unlink(missing_ok=True)


def _anew(path: Path) -> Index:
    if not os.access(path.parent, os.W_OK):
        return in_memory()
    remove(path)
    return _index(path)


def _index(path: Path) -> Index:
    if not _has_locks(path.parent):
        return in_memory()
    _keep_for_us(path)
    return Index(path, DERIVED_VERSION)


def _keep_for_us(path: Path) -> None:
    """Let nobody else open the file, nor those that SQLite makes beside it with its mode."""
    try:
        mode = stat.S_IMODE(path.stat().st_mode)
    except FileNotFoundError:
        with suppress(FileExistsError):  # another process was quicker
            os.close(os.open(path, os.O_RDWR | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC, _OURS_ALONE))
        return
    if mode & 0o077:
        with suppress(OSError):  # one that somebody else has made is theirs
            path.chmod(_OURS_ALONE)


def _has_locks(folder: Path) -> bool:
    """Whether files in `folder` can be locked, as far as an empty file of its own tells.

    Where they cannot, SQLite takes that for a lock of somebody else, and waits for a minute.
    """
    try:
        import fcntl
    except ImportError:
        return True
    try:
        file = os.open(folder / _LOCKS, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, _OURS_ALONE)
    except OSError:  # SQLite says what is wrong
        return True
    try:
        fcntl.lockf(file, fcntl.LOCK_SH | fcntl.LOCK_NB)
    except OSError as error:
        return error.errno not in _NO_LOCKS
    finally:
        os.close(file)
    return True


def _code(error: sqlite3.DatabaseError) -> int:
    # Errors that Python itself raises have none.
    return int(getattr(error, "sqlite_errorcode", 0)) & _PRIMARY
