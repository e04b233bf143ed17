"""A remote that is a directory: a network mount, a disk, a synchronised folder.

Not fsspec, whose local writer shows half-written files. Invariant: an object
appears under its name only when it is complete and on the disk.
"""

from __future__ import annotations

import os
import secrets
import time
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import suppress
from functools import partial
from pathlib import Path
from typing import TypeVar

from gitmemo.errors import GitmemoError, RemoteUnreachable
from gitmemo.remotes.failures import named
from gitmemo.remotes.layout import FOLDERS, MARKER
from gitmemo.remotes.parallel import pause
from gitmemo.remotes.retry import Patience
from gitmemo.remotes.transport import CHUNK_SIZE, Reached

_TEMPORARY_PREFIX = ".tmp-"
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
        return self._reached(self._listing)

    def _listing(self) -> dict[str, int | None]:
        self._check_parent()
        sizes: dict[str, int | None] = {}
        for folder in FOLDERS:
            sizes.update(_files(self._directory / folder, folder))
        if (self._directory / MARKER).is_file():
            sizes[MARKER] = None
        return sizes

    def read(self, name: str) -> bytes:
        """Return a whole object."""
        return self._reached((self._directory / name).read_bytes)

    def read_ranges(self, name: str, ranges: Sequence[tuple[int, int]]) -> list[bytes]:
        """Return the bytes of each range."""

        def read() -> list[bytes]:
            with (self._directory / name).open("rb", buffering=0) as file:
                return [_read_all(file.fileno(), end - start, start) for start, end in ranges]

        return self._reached(read)

    def stream(self, name: str, size: int, start: int = 0) -> Iterator[bytes]:
        """Yield an object in pieces."""
        file = self._reached(lambda: (self._directory / name).open("rb", buffering=0))
        with file:
            while start <= size:
                chunk = self._reached(partial(os.pread, file.fileno(), CHUNK_SIZE, start))
                if not chunk:
                    return
                yield chunk
                start += len(chunk)
                pause()

    def write(self, name: str, data: bytes) -> None:
        """Create or replace an object."""
        self._written(lambda: self._replace(name, (data,)))

    def upload(self, name: str, path: Path, reached: Reached = lambda _: None) -> None:
        """Create or replace an object from a file."""
        self._written(lambda: self._replace(name, _pieces(path, reached)))

    def write_new(self, name: str, data: bytes) -> bool:
        """Create an object unless there is one; say whether it was written."""
        if self._reached((self._directory / name).exists):
            return False
        self.write(name, data)
        return True

    def delete(self, name: str) -> None:
        """Remove an object; its folder stays, as somebody may be about to write there."""
        self._reached(lambda: (self._directory / name).unlink(missing_ok=True))

    def written_at(self, name: str) -> float | None:
        """Return when an object was written."""
        return self._reached(lambda: (self._directory / name).stat().st_mtime)

    def _replace(self, name: str, chunks: Iterable[bytes]) -> None:
        path = self._directory / name
        self._check_parent()
        path.parent.mkdir(parents=True, exist_ok=True)
        _remove_abandoned(path.parent)
        temporary = path.parent / f"{_TEMPORARY_PREFIX}{os.getpid()}-{secrets.token_hex(8)}"
        try:
            with temporary.open("xb", buffering=0) as file:
                for chunk in chunks:
                    _write_all(file.fileno(), chunk)
                os.fsync(file.fileno())
            temporary.replace(path)
        except BaseException:
            with suppress(OSError):
                temporary.unlink(missing_ok=True)
            raise

    def _check_parent(self) -> None:
        # Creating missing parents would fill the mount point of a share that is not mounted.
        if not self._directory.parent.is_dir():
            reason = f"the directory {self._directory.parent} does not exist (not mounted?)"
            raise RemoteUnreachable(self._name, self._url, reason)

    def _written(self, action: Callable[[], None]) -> None:
        try:
            self._reached(action)
        except FileNotFoundError as error:  # a folder vanished in between
            raise named(self._name, self._url, error) from error

    def _reached(self, action: Callable[[], Result]) -> Result:
        """Return `action()`, with its failure as an error of ours."""
        try:
            return self._patience.run(action)
        except (FileNotFoundError, GitmemoError):
            raise
        except OSError as error:
            raise named(self._name, self._url, error) from error


def _pieces(path: Path, reached: Reached) -> Iterator[bytes]:
    with path.open("rb", buffering=0) as source:
        while chunk := source.read(CHUNK_SIZE):
            yield chunk
            reached(source.tell())
            pause()


def _read_all(fd: int, size: int, start: int) -> bytes:
    """Return `size` bytes from `start`, or what there is of them; one call may give fewer."""
    pieces: list[bytes] = []
    while size > 0 and (piece := os.pread(fd, size, start)):
        pieces.append(piece)
        size, start = size - len(piece), start + len(piece)
    return pieces[0] if len(pieces) == 1 else b"".join(pieces)


def _write_all(fd: int, data: bytes) -> None:
    view = memoryview(data)
    while view:
        view = view[os.write(fd, view) :]


def _remove_abandoned(folder: Path) -> None:
    """Remove what pushes that were killed have left in a folder."""
    for entry in _entries(folder):
        if entry.name.startswith(_TEMPORARY_PREFIX):
            with suppress(OSError):
                if entry.stat(follow_symlinks=False).st_mtime < time.time() - _ABANDONED:
                    Path(entry.path).unlink()


def _files(folder: Path, prefix: str) -> Iterator[tuple[str, int]]:
    """Yield name and size of the files in the folders of `folder`."""
    for middle in _entries(folder):
        if middle.is_dir(follow_symlinks=False):
            for entry in _entries(Path(middle.path)):
                if entry.is_file(follow_symlinks=False):
                    size = entry.stat(follow_symlinks=False).st_size
                    yield f"{prefix}/{middle.name}/{entry.name}", size


def _entries(folder: Path) -> list[os.DirEntry[str]]:
    try:
        with os.scandir(folder) as entries:
            return list(entries)
    except FileNotFoundError:
        return []
