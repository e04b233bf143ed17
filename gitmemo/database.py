"""One SQLite file, or memory, that threads share and that survives a fork.

Not what is in it. Invariant: no connection is ever used in two processes:
SQLite's locks belong to a process, and a child that uses its parent's can
damage the file (https://www.sqlite.org/howtocorrupt.html, 2.6).
"""

from __future__ import annotations

import errno
import os
import sqlite3
import threading
import weakref
from collections.abc import Callable, Iterable, Mapping, Sequence
from pathlib import Path
from types import TracebackType
from typing import NoReturn, cast

from gitmemo.errors import StorageClosed, SystemRefused

_BUSY_S = 60

Parameters = Sequence[object] | Mapping[str, object]
"""The values of a statement: by place for `?`, by name for `:name`."""


class Lock:
    """A lock that one thread may take several times; a forked child has its own, open."""

    def __init__(self) -> None:
        self._lock = threading.RLock()

    def __enter__(self) -> None:
        self._lock.acquire()

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        self._lock.release()

    def start_over(self) -> None:
        """Forget who holds it: that thread is not in this process."""
        self._lock = threading.RLock()


class Database:
    """A connection of this process; `lock` guards it against other threads.

    Args:
        path: The file; in memory if None. A child that is forked off has a copy of what is in
            memory.
        prepare: What is done with each new connection; what it raises closes it.
    """

    def __init__(self, path: Path | None, prepare: Callable[[sqlite3.Connection], None]) -> None:
        self.lock = Lock()
        self._path = path
        self._prepare = prepare
        self._parents: list[sqlite3.Connection] = []
        self.connection = self._open()
        _DATABASES.add(self)

    @property
    def in_transaction(self) -> bool:
        """Whether a transaction is open."""
        return self.connection.in_transaction

    def execute(self, sql: str, parameters: Parameters = (), /) -> sqlite3.Cursor:
        """Run one statement.

        Raises:
            SystemRefused: The disk is full, or the system refused something else.
        """
        try:
            return self.connection.execute(sql, parameters)
        except sqlite3.OperationalError as error:
            raise refused(error, self._path) or error from None

    def executemany(self, sql: str, rows: Iterable[Parameters], /) -> None:
        """Run one statement for each of `rows`; raises what `execute` raises."""
        try:
            self.connection.executemany(sql, rows)
        except sqlite3.OperationalError as error:
            raise refused(error, self._path) or error from None

    def close(self) -> None:
        """Close the connection; whatever is asked afterwards raises `StorageClosed`."""
        self.connection.close()
        self.connection = cast("sqlite3.Connection", _Closed())

    def start_over_in_child(self) -> None:
        """Give a forked child its own lock and connection."""
        self.lock.start_over()
        if self._path is not None and not isinstance(self.connection, _Closed):
            # Kept, never closed: closing it here would release locks of the parent.
            self._parents.append(self.connection)
            try:
                self.connection = self._open()
            except Exception as error:  # noqa: BLE001  whoever uses it is told, not whoever forks
                self.connection = cast("sqlite3.Connection", _Lost(error))

    def _open(self) -> sqlite3.Connection:
        connection = sqlite3.connect(
            self._path or ":memory:",
            timeout=_BUSY_S,
            isolation_level=None,
            check_same_thread=False,
        )
        try:
            self._prepare(connection)
        except BaseException:
            connection.close()
            raise
        return connection


def refused(error: sqlite3.Error, path: Path | None) -> SystemRefused | None:
    """Return what people are to be told of an error, if the system refused something to SQLite."""
    # Errors that Python itself raises have no code; the higher bits say more about others.
    number = _REFUSALS.get(int(getattr(error, "sqlite_errorcode", 0)) & 0xFF)
    return SystemRefused(os.fspath(path or ""), number, str(error)) if number else None


_REFUSALS = {
    sqlite3.SQLITE_FULL: errno.ENOSPC,
    sqlite3.SQLITE_IOERR: errno.EIO,
    sqlite3.SQLITE_READONLY: errno.EROFS,
    sqlite3.SQLITE_CANTOPEN: errno.EACCES,
    sqlite3.SQLITE_PERM: errno.EACCES,
    sqlite3.SQLITE_BUSY: errno.EBUSY,
    sqlite3.SQLITE_PROTOCOL: errno.EBUSY,
    sqlite3.SQLITE_NOLFS: errno.EFBIG,
}


class _Closed:
    """What stands where a connection was."""

    def close(self) -> None:
        """Do nothing: closing twice is no mistake."""

    def __getattr__(self, name: str) -> NoReturn:
        raise StorageClosed


class _Lost(_Closed):
    """What stands where a child could open no connection of its own: the file is gone."""

    def __init__(self, error: Exception) -> None:
        self._error = error

    def __getattr__(self, name: str) -> NoReturn:
        raise self._error


_DATABASES: weakref.WeakSet[Database] = weakref.WeakSet()


def close_all() -> None:
    """Close what this process has open, where it ends at once: SQLite joins its log then."""
    for database in list(_DATABASES):
        database.close()


def _start_over_in_child() -> None:
    for database in list(_DATABASES):
        database.start_over_in_child()


if hasattr(os, "register_at_fork"):  # not on Windows, where nothing forks
    os.register_at_fork(after_in_child=_start_over_in_child)
