"""A large value that arrives in pieces, perhaps in several attempts.

Not its place among the others (`large`). Invariant: what an earlier attempt
left is only a beginning: the file gets its final name when all of its bytes,
read back from the disk or just written, hash to the blob id.
"""

from __future__ import annotations

import fcntl
import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from blake3 import blake3

from gitmemo.blobs.store import Chunk, ReadFrom, checked
from gitmemo.errors import BlobCorrupt
from gitmemo.hashing.digest import Digest

PREFIX = ".part-"
_READ_SIZE = 1 << 20


def receive(path: Path, blob: Digest, read_from: ReadFrom) -> bool:
    """Complete the file `path`, or raise `BlobCorrupt`; False if another process is at it.

    Whatever `read_from` raises leaves what has arrived to the next attempt.
    """
    path.parent.mkdir(parents=True, exist_ok=True)
    partial = path.with_name(PREFIX + path.name)
    with _held(partial) as fd:
        if fd is None:
            return False
        if os.fstat(fd).st_size and _filled(fd, partial, read_from) != blob:
            os.ftruncate(fd, 0)  # the beginning was not of this value
        if not os.fstat(fd).st_size:
            _fill_checked(fd, partial, blob, read_from)
        os.fchmod(fd, 0o444)
        partial.replace(path)
    return True


def _filled(fd: int, partial: Path, read_from: ReadFrom) -> Digest:
    """Append what is missing, and return the digest of everything."""
    hasher, size = blake3(), 0
    while kept := os.pread(fd, _READ_SIZE, size):
        hasher.update(kept)
        size += len(kept)
    for chunk in read_from(size):
        hasher.update(chunk)
        _append(fd, partial, chunk)
    return Digest(hasher.digest())


def _fill_checked(fd: int, partial: Path, blob: Digest, read_from: ReadFrom) -> None:
    try:
        for chunk in checked(read_from(0), blob, "what was offered"):
            _append(fd, partial, chunk)
    except BlobCorrupt:
        partial.unlink()
        raise


def _append(fd: int, partial: Path, chunk: Chunk) -> None:
    view = memoryview(chunk).cast("B")
    try:
        while view:
            view = view[os.write(fd, view) :]
    except OSError:
        # A full disk: what cannot be finished should not fill it.
        partial.unlink(missing_ok=True)
        raise


@contextmanager
def _held(partial: Path) -> Iterator[int | None]:
    """Open a file that nobody else is writing; None if somebody is, or nobody can tell."""
    flags = os.O_RDWR | os.O_CREAT | os.O_APPEND | os.O_NOFOLLOW | os.O_CLOEXEC
    fd = os.open(partial, flags, 0o600)
    try:
        yield fd if _lock(fd, partial) else None
    finally:
        os.close(fd)


def _lock(fd: int, partial: Path) -> bool:
    try:
        fcntl.flock(fd, fcntl.LOCK_EX | fcntl.LOCK_NB)
        # Who held it before may have finished: then this is the final file by now.
        return os.path.samestat(os.fstat(fd), partial.lstat())
    except OSError:
        return False
