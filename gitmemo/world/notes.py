"""Notes: what this machine keeps for the person in front of it, such as failed calls.

Not facts: no look-up, no commit and no push reads them. Invariant: there are
never many more than the newest `KEPT`, and a note that was cut off is skipped.
"""

from __future__ import annotations

import os
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import BinaryIO, Protocol

from gitmemo.database import Database

KEPT = 1_000


class Notes(Protocol):
    """An append-only list of lines that forgets the oldest."""

    def append(self, line: str) -> None:
        """Add a line, which holds no newline."""
        ...

    def lines(self) -> list[str]:
        """Return the newest lines, oldest first."""
        ...


class FileNotes:
    """Notes of all processes of a repository, in one file."""

    def __init__(self, path: Path) -> None:
        self._path = path
        self._until_trim = 0
        self._lock = threading.Lock()

    def append(self, line: str) -> None:
        """Add a line in one write."""
        with self._lock, _locked(self._path) as file:
            # At a process's first note, and then seldom: a note costs no reading.
            if self._until_trim == 0:
                _trim(file)
                self._until_trim = KEPT
            self._until_trim -= 1
            file.write(f"{line}\n".encode())

    def lines(self) -> list[str]:
        """Return the newest whole lines."""
        try:
            data = self._path.read_bytes()
        except FileNotFoundError:
            return []
        whole = data[: data.rfind(b"\n") + 1].split(b"\n")[:-1]
        return [raw.decode("utf-8", "replace") for raw in whole[-KEPT:]]


class DatabaseNotes:
    """Notes in a storage's own SQLite database, on disk or in memory."""

    def __init__(self, database: Database) -> None:
        self._database = database

    def append(self, line: str) -> None:
        """Add a line; the table is made with the first one."""
        with self._database.lock:
            self._database.execute(
                "create table if not exists note(id integer primary key, line text not null)"
            )
            added = self._database.execute("insert into note(line) values (?)", (line,))
            self._database.execute(
                "delete from note where id <= ?", ((added.lastrowid or 0) - KEPT,)
            )

    def lines(self) -> list[str]:
        """Return the newest lines."""
        with self._database.lock:
            known = self._database.execute(
                "select 1 from sqlite_master where type = 'table' and name = 'note'"
            ).fetchone()
            rows = self._database.execute("select line from note order by id") if known else ()
            return [line for (line,) in rows]


def _trim(file: BinaryIO) -> None:
    file.seek(0)
    lines = file.read().split(b"\n")
    if len(lines) > KEPT or lines[-1]:  # the last piece is empty, or cut off
        file.truncate(0)
        file.write(b"".join(line + b"\n" for line in lines[:-1][-KEPT:]))


@contextmanager
def _locked(path: Path) -> Iterator[BinaryIO]:
    """Open a file to append, alone where the file system has locks."""
    path.parent.mkdir(parents=True, exist_ok=True)
    # Who can read it may lock it and let everybody wait; and messages of errors hold arguments.
    flags = os.O_RDWR | os.O_CREAT | os.O_APPEND | os.O_CLOEXEC | getattr(os, "O_BINARY", 0)
    with os.fdopen(os.open(path, flags, 0o600), "a+b", buffering=0) as file:
        try:
            import fcntl

            fcntl.flock(file, fcntl.LOCK_EX)  # freed when the file is closed
        except (ImportError, OSError):
            pass  # two processes that trim at the same moment may lose notes, nothing else
        yield file
