"""Large values in files of their own, checked before they are handed out.

Not the choice of what is large (`origin`, `overflow`). Invariant: a file that
leaves here was hashed and found equal to its blob id, and has not changed
since as far as its size, time and inode tell.
"""

from __future__ import annotations

import os
from collections.abc import Iterable, Iterator
from pathlib import Path

from gitmemo.blobs.arrival import receive
from gitmemo.blobs.large import LargeFolder, file_digest, regular_stat
from gitmemo.blobs.marks import VerifiedMarks
from gitmemo.blobs.store import Chunk, ReadFrom, StoredBlob
from gitmemo.errors import BlobCorrupt
from gitmemo.hashing.digest import Digest, to_hex


class CheckedFiles:
    """A folder of large values; `root` is what the names of marks are relative to."""

    def __init__(self, folder: Path, origin: str, marks: VerifiedMarks, root: Path) -> None:
        self._large = LargeFolder(folder)
        self._origin = origin
        self._marks = marks
        self._root = root

    def path(self, blob: Digest, codec: str) -> Path:
        """Return where `blob` belongs when written with `codec`."""
        return self._large.path(blob, codec)

    def codecs(self, blob: Digest) -> frozenset[str]:
        """Return the codecs that `blob` was written with."""
        return frozenset(self._large.codecs(blob))

    def absent(self, blobs: Iterable[Digest]) -> set[Digest]:
        """Return those of `blobs` that are not here."""
        return self._large.absent(blobs)

    def find(self, blob: Digest, codec: str | None) -> Iterator[StoredBlob | BlobCorrupt]:
        """Yield `blob` for each codec, or what is wrong with its file, which is then set aside."""
        for name in self._large.codecs(blob) if codec is None else [codec]:
            path = self._large.path(blob, name)
            if (found := regular_stat(path)) is None:
                continue
            if self._marks.holds(self._mark_name(path), found) or file_digest(path) == blob:
                self._marks.add(self._mark_name(path), found)
                yield StoredBlob(blob, name, found.st_size, self._origin, path)
            else:
                yield BlobCorrupt(to_hex(blob), str(_set_aside(path)), "its bytes have changed")

    def touch(self, blob: Digest, codec: str) -> bool:
        """Make the file of `blob` young; say whether it is there."""
        path = self._large.path(blob, codec)
        before = regular_stat(path)
        if before is None:
            return False
        is_checked = self._marks.holds(self._mark_name(path), before)
        try:
            os.utime(path)
        except OSError:
            return False
        if is_checked and (found := regular_stat(path)) is not None:
            self._marks.add(self._mark_name(path), found)
        return True

    def write(self, blob: Digest, codec: str, chunks: Iterable[Chunk]) -> None:
        """Write bytes that are known to be `blob`."""
        self._mark(self._large.write(blob, codec, chunks))

    def receive(self, blob: Digest, codec: str, read_from: ReadFrom) -> bool:
        """Write bytes that arrive, or raise `BlobCorrupt`; False if another process is at it."""
        path = self.path(blob, codec)
        if not receive(path, blob, read_from):
            return False
        self._mark(path)
        return True

    def _mark(self, path: Path) -> None:
        if (found := regular_stat(path)) is not None:
            self._marks.add(self._mark_name(path), found)

    def _mark_name(self, path: Path) -> str:
        return path.relative_to(self._root).as_posix()


def _set_aside(path: Path) -> Path:
    """Move a damaged file out of the way, so that the next pull or run can replace it."""
    aside = path.with_name(f".damaged-{path.name}")
    try:
        path.replace(aside)
    except OSError:  # read-only file system, or someone else was faster
        return path
    return aside
