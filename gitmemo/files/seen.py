"""Digests of files, computed once and kept as long as the file's stat stays the same.

Not the files. Invariant: a digest is remembered only for a file that was last
changed two seconds or more before it was read, so that a later write moves its
time (`gitmemo.file_states`); everything here is derived and can be deleted.
"""

from __future__ import annotations

import os
import sqlite3
import stat
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from blake3 import blake3

from gitmemo.config import cache_folder
from gitmemo.errors import NotAFile
from gitmemo.file_states import FileState, is_fresh, state_of
from gitmemo.hashing.digest import Digest
from gitmemo.hashing.parts import PART_LIMIT, SCHEME, count, part_id, raw

_READ_BYTES = 1 << 20
_ATTEMPTS = 3
_REMEMBERED = 100_000
_LEFT_ALONE_S = 60
_SCHEMA = """
create table if not exists seen(
    path text primary key, size integer, written integer, changed integer, inode integer, device integer,
    cid blob, blob blob) without rowid
"""


@dataclass(frozen=True, slots=True)
class Content:
    """What is in a file.

    Attributes:
        size: Number of bytes.
        cid: Content id of the bytes, as of equal `bytes`.
        blob: BLAKE3 of the bytes.
        is_executable: Whether its owner may run it.
    """

    size: int
    cid: Digest
    blob: Digest
    is_executable: bool


_known: dict[str, tuple[FileState, Digest, Digest]] = {}


def content_of(path: str) -> Content:
    """Return what is in the file at `path`, reading it only if it may have changed.

    Raises:
        NotAFile: There is none, it is no regular file, or it changes all the time.
    """
    file = Path(path)
    place = path if path.startswith("/") else str(file.absolute())
    for _ in range(_ATTEMPTS):
        found = _stat(file)
        digests = _recall(place, state_of(found))
        if digests is None:
            digests = _read(place, found)
            if digests is None:
                continue  # somebody is writing to it
        return Content(found.st_size, *digests, bool(found.st_mode & stat.S_IXUSR))
    raise NotAFile(path, "it changes while it is read")


def _stat(file: Path) -> os.stat_result:
    try:
        found = file.stat()
    except (FileNotFoundError, NotADirectoryError):
        raise NotAFile(str(file), "there is no such file") from None
    if stat.S_ISDIR(found.st_mode):
        raise NotAFile(str(file), "it is a folder; use gm.Dir")
    if not stat.S_ISREG(found.st_mode):
        raise NotAFile(str(file), "it is no regular file")
    return found


def _read(place: str, found: os.stat_result) -> tuple[Digest, Digest] | None:
    """Hash the file; return None if it changed meanwhile."""
    started = time.time_ns()
    hasher = Hasher(found.st_size)
    with Path(place).open("rb", buffering=0) as file:
        while chunk := file.read(_READ_BYTES):
            hasher.update(chunk)
        after = os.fstat(file.fileno())
    state = state_of(found)
    if hasher.size != found.st_size or state_of(after) != state:
        return None
    digests = hasher.digests()
    if not is_fresh(state, started):
        _remember(place, state, digests)
    return digests


class Hasher:
    """Both digests of bytes that come in pieces; their number must be known before."""

    def __init__(self, size: int) -> None:
        self.size = 0
        self._blob = blake3()
        self._content = blake3(SCHEME + b"b" + count(size))
        self._short = b""

    def update(self, chunk: bytes | memoryview) -> None:
        """Add bytes."""
        if self.size <= PART_LIMIT:
            self._short += chunk[: PART_LIMIT + 1]
        self.size += len(chunk)
        self._blob.update(chunk)
        self._content.update(chunk)

    def digests(self) -> tuple[Digest, Digest]:
        """Return content id and blob id."""
        is_short = self.size <= PART_LIMIT
        cid = part_id(raw(self._short)) if is_short else Digest(self._content.digest())
        return cid, Digest(self._blob.digest())


# --- what is remembered -------------------------------------------------------


def _recall(place: str, state: FileState) -> tuple[Digest, Digest] | None:
    known = _known.get(place)
    if known is None:
        known = _database.recall(place)
        if known is not None:
            _known[place] = known
    return known[1:] if known is not None and known[0] == state else None


def _remember(place: str, state: FileState, digests: tuple[Digest, Digest]) -> None:
    if len(_known) >= _REMEMBERED:
        _known.clear()
    _known[place] = (state, *digests)
    _database.remember(place, state, digests)


class _Database:
    """A table in the user's cache folder that processes share; a missing one is no matter."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._connection: sqlite3.Connection | None = None
        self._opened: tuple[int, Path] | None = None
        self._inherited: list[sqlite3.Connection] = []
        self._failed: tuple[Path, float] | None = None

    def recall(self, place: str) -> tuple[FileState, Digest, Digest] | None:
        """Return what is known of a path."""
        if self._failed_just_now():
            return None
        with self._lock, self._trying():
            row = self._open().execute("select * from seen where path = ?", (_text(place),))
            for _, size, written, changed, inode, device, cid, blob in row:
                state = (size, written, changed, _whole(inode), _whole(device))
                return state, Digest(cid), Digest(blob)
        return None

    def remember(self, place: str, state: FileState, digests: tuple[Digest, Digest]) -> None:
        """Keep what is known of a path."""
        if self._failed_just_now():
            return
        *numbers, inode, device = state
        with self._lock, self._trying():
            self._open().execute(
                "insert or replace into seen values (?, ?, ?, ?, ?, ?, ?, ?)",
                (_text(place), *numbers, _signed(inode), _signed(device), *digests),
            )

    @contextmanager
    def _trying(self) -> Iterator[None]:
        """Go on without the table where it fails."""
        try:
            yield
        except (sqlite3.Error, OSError):
            self._failed = cache_folder(), time.monotonic()

    def _failed_just_now(self) -> bool:
        """Whether the table is left alone: without locks each try would wait for a second."""
        if self._failed is None:
            return False
        folder, when = self._failed
        return time.monotonic() - when < _LEFT_ALONE_S and folder == cache_folder()

    def _open(self) -> sqlite3.Connection:
        folder = cache_folder()
        here = (os.getpid(), folder)  # a connection must not cross a fork
        if self._connection is None or self._opened != here:
            if self._connection is not None:
                self._retire(self._connection)
            folder.mkdir(parents=True, exist_ok=True)
            connection = sqlite3.connect(
                folder / "files-1.db", timeout=1, isolation_level=None, check_same_thread=False
            )
            connection.execute("pragma journal_mode = wal")
            connection.execute("pragma synchronous = off")
            connection.execute(_SCHEMA)
            self._connection, self._opened = connection, here
        return self._connection

    def _retire(self, connection: sqlite3.Connection) -> None:
        if self._opened and self._opened[0] == os.getpid():
            connection.close()
        else:
            self._inherited.append(connection)  # closing it would break the parent's locks


_database = _Database()


def _text(place: str) -> str | bytes:
    """Return a path as SQLite can hold it."""
    try:
        place.encode()
    except UnicodeEncodeError:
        return os.fsencode(place)
    return place


def _signed(number: int) -> int:
    return number - (1 << 64) if number >= 1 << 63 else number  # SQLite's integers are signed


def _whole(number: int) -> int:
    return number + (1 << 64) if number < 0 else number
