"""A remote that is a directory: a network mount, a disk, a synchronised folder.

Not fsspec, whose local writer shows half-written files. Invariant: an object
appears under its name only when it is complete and on the disk; nothing is read,
written or removed through a link below the directory.
"""

from __future__ import annotations

import os
import re
import secrets
import time
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import suppress
from functools import partial
from io import FileIO
from pathlib import Path
from typing import TypeVar

from gitmemo.errors import (
    GitmemoError,
    RemoteFolderLinked,
    RemoteObjectRefused,
    RemoteUnreachable,
)
from gitmemo.plain_files import read_at
from gitmemo.remotes.failures import named
from gitmemo.remotes.folders import (
    LinkedFolder,
    NotRegular,
    folder_of,
    open_regular,
    remove_old,
    sizes_below,
    status,
)
from gitmemo.remotes.layout import FOLDERS, MARKER
from gitmemo.remotes.parallel import pause
from gitmemo.remotes.retry import Patience
from gitmemo.remotes.transport import CHUNK_SIZE, Reached, within

_OURS = re.compile(r"\.tmp-(?:[0-9]{1,10}-)?[0-9a-f]{16}")
"""Names of files that are being written here, or over SFTP; whatever else begins so is somebody's."""
_SWEPT = re.compile(r"(packs|blobs|catalogues)/[0-9a-f]{2}/[^/]+|" + re.escape(MARKER))
"""Objects beside which such files may lie: the other folders may hold anything."""
_ABANDONED = 24 * 3600.0
"""Seconds after which nobody is writing a temporary file any more: its writer touches it often."""

Result = TypeVar("Result")


class DirectoryTransport:
    """Objects as files under `directory`."""

    def __init__(self, name: str, url: str, directory: Path, patience: Patience) -> None:
        self._name, self._url, self._directory = name, url, directory
        self._patience = patience

    def listing(self) -> dict[str, int | None]:
        """Return the size of every object, by name."""
        return self._reached(MARKER, self._listing)

    def _listing(self) -> dict[str, int | None]:
        self._check_parent()
        sizes: dict[str, int | None] = {}
        for folder in FOLDERS:
            sizes.update(sizes_below(self._directory, folder))
        # Whatever it is: what is no note about the format stops those who read it.
        if os.path.lexists(self._directory / MARKER):
            sizes[MARKER] = None
        return sizes

    def read(self, name: str, most: int) -> bytes:
        """Return a whole object of at most `most` bytes."""

        def read() -> bytes:
            with self._open(name) as file:
                size = os.fstat(file.fileno()).st_size
                return read_at(file.fileno(), min(size, most) + 1, 0)

        return within(self._name, name, self._reached(name, read), most)

    def read_ranges(self, name: str, ranges: Sequence[tuple[int, int]]) -> list[bytes]:
        """Return the bytes of each range."""

        def read() -> list[bytes]:
            with self._open(name) as file:
                return [read_at(file.fileno(), end - start, start) for start, end in ranges]

        return self._reached(name, read)

    def stream(self, name: str, size: int, start: int = 0) -> Iterator[bytes]:
        """Yield an object in pieces."""
        file = self._reached(name, lambda: self._open(name))
        with file:
            while start <= size:
                read = partial(os.pread, file.fileno(), CHUNK_SIZE, start)
                if not (chunk := self._reached(name, read)):
                    return
                yield chunk
                start += len(chunk)
                pause()

    def _open(self, name: str) -> FileIO:
        with folder_of(self._directory, name) as (folder, last):
            return FileIO(open_regular(folder, last))

    def write(self, name: str, data: bytes) -> None:
        """Create or replace an object."""
        self._written(name, lambda: self._replace(name, (data,)))

    def upload(self, name: str, path: Path, reached: Reached = lambda _: None) -> None:
        """Create or replace an object from a file."""
        self._written(name, lambda: self._replace(name, _pieces(path, reached)))

    def write_new(self, name: str, data: bytes) -> bool:
        """Create an object unless there is one; say whether it was written."""
        if self._reached(name, lambda: self._status(name)) is not None:
            return False
        self.write(name, data)
        return True

    def delete(self, name: str) -> None:
        """Remove an object; its folder stays, as somebody may be about to write there."""

        def delete() -> None:
            with suppress(FileNotFoundError), folder_of(self._directory, name) as (folder, last):
                os.unlink(last, dir_fd=folder)

        self._reached(name, delete)

    def written_at(self, name: str) -> float | None:
        """Return when an object was written."""
        found = self._reached(name, lambda: self._status(name))
        if found is None:
            raise FileNotFoundError(name)
        return found.st_mtime

    def _status(self, name: str) -> os.stat_result | None:
        try:
            with folder_of(self._directory, name) as (folder, last):
                return status(folder, last)
        except FileNotFoundError:
            return None

    def _replace(self, name: str, chunks: Iterable[bytes]) -> None:
        self._check_parent()
        with folder_of(self._directory, name, make=True) as (folder, last):
            if _SWEPT.fullmatch(name):
                remove_old(folder, _OURS.fullmatch, time.time() - _ABANDONED)
            _place(folder, last, chunks)

    def _check_parent(self) -> None:
        # Creating missing parents would fill the mount point of a share that is not mounted.
        if not self._directory.parent.is_dir():
            reason = f"the directory {self._directory.parent} does not exist (not mounted?)"
            raise RemoteUnreachable(self._name, self._url, reason)

    def _written(self, name: str, action: Callable[[], None]) -> None:
        try:
            self._reached(name, action)
        except FileNotFoundError as error:  # a folder vanished in between
            raise named(self._name, self._url, error) from error

    def _reached(self, name: str, action: Callable[[], Result]) -> Result:
        """Return `action()`, which concerns the object `name`, with its failure as one of ours."""
        try:
            return self._patience.run(action)
        except (FileNotFoundError, GitmemoError):
            raise
        except LinkedFolder as error:
            raise RemoteFolderLinked(self._name, self._url, str(error.path)) from None
        except NotRegular:
            raise RemoteObjectRefused(self._name, name, "is no regular file") from None
        except OSError as error:
            raise named(self._name, self._url, error) from error


def _place(folder: int, name: str, chunks: Iterable[bytes]) -> None:
    """Write a file into `folder`, whole or not at all."""
    temporary = f".tmp-{os.getpid()}-{secrets.token_hex(8)}"
    flags = os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_NOFOLLOW | os.O_CLOEXEC
    try:
        with FileIO(os.open(temporary, flags, 0o666, dir_fd=folder), "w") as file:
            for chunk in chunks:
                _write_all(file.fileno(), chunk)
            os.fsync(file.fileno())
        os.replace(temporary, name, src_dir_fd=folder, dst_dir_fd=folder)
    except BaseException:
        with suppress(OSError):
            os.unlink(temporary, dir_fd=folder)
        raise


def _pieces(path: Path, reached: Reached) -> Iterator[bytes]:
    with path.open("rb", buffering=0) as source:
        while chunk := source.read(CHUNK_SIZE):
            yield chunk
            reached(source.tell())
            pause()


def _write_all(fd: int, data: bytes) -> None:
    view = memoryview(data)
    while view:
        view = view[os.write(fd, view) :]
