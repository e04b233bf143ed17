"""A remote that is a directory: a network mount, a disk, a synchronised folder.

Not fsspec, whose local writer shows half-written files. Invariant: an object
appears under its name only when it is complete and on the disk.
"""

from __future__ import annotations

import os
import secrets
import shutil
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

from gitmemo.errors import RemoteUnreachable
from gitmemo.remotes.layout import MARKER
from gitmemo.remotes.transport import CHUNK_SIZE


class DirectoryTransport:
    """Objects as files under `directory`."""

    def __init__(self, name: str, url: str, directory: Path) -> None:
        self._name, self._url, self._directory = name, url, directory

    def listing(self) -> dict[str, int | None]:
        """Return the size of every object, by name."""
        with self._reaching():
            self._check_parent()
            sizes: dict[str, int | None] = dict(_files(self._directory / "packs", "packs"))
            sizes.update(_files(self._directory / "blobs", "blobs"))
            if (self._directory / MARKER).is_file():
                sizes[MARKER] = None
            return sizes

    def read(self, name: str) -> bytes:
        """Return a whole object."""
        with self._reaching():
            return (self._directory / name).read_bytes()

    def read_ranges(self, name: str, ranges: Sequence[tuple[int, int]]) -> list[bytes]:
        """Return the bytes of each range."""
        with self._reaching(), (self._directory / name).open("rb", buffering=0) as file:
            return [os.pread(file.fileno(), end - start, start) for start, end in ranges]

    def stream(self, name: str, size: int) -> Iterator[bytes]:
        """Yield an object in pieces."""
        with self._reaching():
            file = (self._directory / name).open("rb", buffering=0)
        with file:
            seen = 0
            while seen <= size:
                with self._reaching():
                    chunk = file.read(CHUNK_SIZE)
                if not chunk:
                    return
                seen += len(chunk)
                yield chunk

    def write(self, name: str, data: bytes) -> None:
        """Create or replace an object."""
        with self._reaching(), self._replacing(name) as temporary, temporary.open("xb") as file:
            file.write(data)
            file.flush()
            os.fsync(file.fileno())

    def upload(self, name: str, path: Path) -> None:
        """Create or replace an object from a file."""
        with self._reaching(), self._replacing(name) as temporary, temporary.open("xb") as file:
            with path.open("rb") as source:
                shutil.copyfileobj(source, file, CHUNK_SIZE)
            file.flush()
            os.fsync(file.fileno())

    def write_new(self, name: str, data: bytes) -> bool:
        """Create an object unless there is one; say whether it was written."""
        path = self._directory / name
        with self._reaching():
            if path.exists():
                return False
        self.write(name, data)
        return True

    def delete(self, name: str) -> None:
        """Remove an object; its folder stays, as somebody may be about to write there."""
        with self._reaching():
            (self._directory / name).unlink(missing_ok=True)

    def written_at(self, name: str) -> float | None:
        """Return when an object was written."""
        with self._reaching():
            return (self._directory / name).stat().st_mtime

    @contextmanager
    def _replacing(self, name: str) -> Iterator[Path]:
        path = self._directory / name
        self._check_parent()
        path.parent.mkdir(parents=True, exist_ok=True)
        temporary = path.parent / f".tmp-{os.getpid()}-{secrets.token_hex(8)}"
        try:
            yield temporary
            temporary.replace(path)
        except BaseException:
            temporary.unlink(missing_ok=True)
            raise

    def _check_parent(self) -> None:
        # Creating missing parents would fill the mount point of a share that is not mounted.
        if not self._directory.parent.is_dir():
            reason = f"the directory {self._directory.parent} does not exist (not mounted?)"
            raise RemoteUnreachable(self._name, self._url, reason)

    @contextmanager
    def _reaching(self) -> Iterator[None]:
        try:
            yield
        except FileNotFoundError:
            raise
        except OSError as error:
            reason = f"{error.strerror or error} ({error.filename or self._directory})"
            raise RemoteUnreachable(self._name, self._url, reason) from error


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
