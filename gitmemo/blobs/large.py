"""A folder of large values, a read-only file each.

Not for small ones (`packs`). Invariant: a file appears under its final name
only when it is complete.
"""

from __future__ import annotations

import errno
import os
import stat
from collections.abc import Iterable, Iterator
from pathlib import Path

from gitmemo.blobs.store import Chunk, is_codec_name
from gitmemo.hashing.digest import Digest, digest_chunks, to_hex

_READ_SIZE = 1 << 20
_TEMPORARY_PREFIX = ".tmp-"


class LargeFolder:
    """Files named `<aa>/<hex>.<codec>`, aa being the first two digits."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder

    def path(self, blob: Digest, codec: str) -> Path:
        """Return where `blob` belongs when written with `codec`."""
        hex_id = to_hex(blob)
        return self.folder / hex_id[:2] / f"{hex_id}.{codec}"

    def codecs(self, blob: Digest) -> list[str]:
        """Return the codecs that `blob` was written with, sorted: one small directory listing."""
        hex_id = to_hex(blob)
        return sorted(name[65:] for name in self._names(hex_id[:2]) if name[:64] == hex_id)

    def absent(self, blobs: Iterable[Digest]) -> set[Digest]:
        """Return those of `blobs` that are not here: one listing for each two first digits."""
        by_folder: dict[str, list[Digest]] = {}
        for blob in blobs:
            by_folder.setdefault(to_hex(blob)[:2], []).append(blob)
        absent: set[Digest] = set()
        for folder, wanted in by_folder.items():
            here = {name[:64] for name in self._names(folder)}
            absent.update(blob for blob in wanted if to_hex(blob) not in here)
        return absent

    def _names(self, folder: str) -> list[str]:
        try:
            names = os.listdir(f"{self.folder}/{folder}")
        except FileNotFoundError:
            return []
        return [name for name in names if name[64:65] == "." and is_codec_name(name[65:])]

    def write(self, blob: Digest, codec: str, chunks: Iterable[Chunk]) -> Path:
        """Write the file and return its path; whatever `chunks` raises leaves nothing behind."""
        path = self.path(blob, codec)
        path.parent.mkdir(parents=True, exist_ok=True)
        temporary = path.parent / f"{_TEMPORARY_PREFIX}{os.getpid()}-{os.urandom(8).hex()}"
        try:
            with temporary.open("xb", buffering=0) as file:
                for chunk in chunks:
                    _write_all(file.fileno(), chunk)
                os.fchmod(file.fileno(), 0o444)
            temporary.replace(path)
        except BaseException:
            temporary.unlink(missing_ok=True)
            raise
        return path


def regular_stat(path: Path) -> os.stat_result | None:
    """Return the stat of a regular file, or None if there is none; links are not followed."""
    try:
        found = path.lstat()
    except FileNotFoundError:
        return None
    return found if stat.S_ISREG(found.st_mode) else None


def fresh_stat(path: Path) -> os.stat_result | None:
    """Return the stat of a regular file that is opened for that; None if there is none.

    By its name alone a network file system may tell the time that it had a minute ago.
    """
    try:
        file = os.open(path, os.O_RDONLY | os.O_CLOEXEC | os.O_NOFOLLOW | os.O_NONBLOCK)
    except OSError as error:
        if error.errno in (errno.ENOENT, errno.ENOTDIR, errno.ELOOP):
            return None
        raise
    try:
        found = os.fstat(file)
    finally:
        os.close(file)
    return found if stat.S_ISREG(found.st_mode) else None


def file_digest(path: Path) -> Digest:
    """Return the blob id of what `path` holds."""
    return digest_chunks(file_chunks(path))


def file_chunks(path: Path) -> Iterator[bytes]:
    """Yield the bytes of `path`, a megabyte at a time."""
    with path.open("rb", buffering=0) as file:
        while chunk := file.read(_READ_SIZE):
            yield chunk


def _write_all(fd: int, chunk: Chunk) -> None:
    view = memoryview(chunk).cast("B")
    while view:
        view = view[os.write(fd, view) :]
