"""Putting stored bytes back where a file belongs.

Not where that is (`names`). Invariant: a file appears whole or not at all, its
bytes are those that were asked for, and what lay there before is replaced only
if the store has its bytes too. The store's own files are never linked to: a
program that writes to its file would change them.
"""

from __future__ import annotations

import os
import re
import stat
import sys
import time
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path

from gitmemo.errors import FileInTheWay, UndecodableValue
from gitmemo.files.seen import Content, Hasher, content_of
from gitmemo.hashing.digest import Digest

Stored = Callable[[Digest], "bytes | memoryview | Path"]
"""Returns the bytes with a content id; raises whatever the store does if it has none."""
IsStored = Callable[[Digest], bool]

_COPY_BYTES = 1 << 20
_LEFTOVER = re.compile(r"\.gitmemo-[0-9a-f]{16}")
_ABANDONED_AFTER_S = 24 * 3600
_FICLONE = 0x40049409  # linux/fs.h: share the blocks of another file until one of them changes


def place(
    target: Path, cid: Digest, stored: Stored, is_stored: IsStored, *, executable: bool
) -> None:
    """Make `target` a file with these bytes, unless it is one already.

    Raises:
        FileInTheWay: Something else is there that cannot be had again.
    """
    there = _found(target)
    if there is not None and there.cid == cid:
        if there.is_executable != executable:
            _set_executable(target, executable=executable)
        return
    if there is not None and not is_stored(there.cid):
        raise FileInTheWay(str(target), "another file is there whose content is stored nowhere")
    target.parent.mkdir(parents=True, exist_ok=True)
    _clear_leftovers(target.parent)
    temporary = target.parent / f".gitmemo-{os.urandom(8).hex()}"
    try:
        _write(temporary, stored(cid), cid)
        _set_executable(temporary, executable=executable)
        if there is not None:
            temporary.replace(target)
        else:
            _claim(temporary, target, cid)
    finally:
        temporary.unlink(missing_ok=True)


def _clear_leftovers(folder: Path) -> None:
    """Remove what killed processes have left half-written: nobody else looks into this folder."""
    oldest = time.time() - _ABANDONED_AFTER_S
    for path in folder.glob(".gitmemo-*"):
        with suppress(OSError):  # another process was quicker, or it is not ours to remove
            if _LEFTOVER.fullmatch(path.name) and path.lstat().st_mtime < oldest:
                path.unlink()


def clear(target: Path, is_stored: IsStored) -> None:
    """Remove a file that does not belong there, if the store has its bytes."""
    there = _found(target)
    if there is None or is_stored(there.cid):
        target.unlink(missing_ok=True)
        return
    raise FileInTheWay(str(target), "a file is there that does not belong to the stored folder")


def _found(target: Path) -> Content | None:
    try:
        mode = target.lstat().st_mode
    except (FileNotFoundError, NotADirectoryError):
        return None
    if not stat.S_ISREG(mode):
        what = "a link" if stat.S_ISLNK(mode) else "something that is no file"
        raise FileInTheWay(str(target), f"{what} is there")
    return content_of(str(target))


def _set_executable(file: Path, *, executable: bool) -> None:
    """Let those run the file who may read it, or nobody."""
    mode = stat.S_IMODE(file.stat().st_mode)
    file.chmod(mode | (mode & 0o444) >> 2 if executable else mode & ~0o111)


def _claim(temporary: Path, target: Path, cid: Digest) -> None:
    """Give the file its name, unless another process has put something else there meanwhile."""
    try:
        os.link(temporary, target)
    except FileExistsError:
        there = _found(target)
        if there is None or there.cid != cid:
            reason = "another program has just put a file there"
            raise FileInTheWay(str(target), reason) from None
    except OSError:  # a file system without hard links
        temporary.replace(target)


def _write(temporary: Path, source: bytes | memoryview | Path, cid: Digest) -> None:
    if isinstance(source, Path):
        from shutil import copyfileobj

        with source.open("rb") as reader, temporary.open("xb") as writer:
            if not _cloned(reader.fileno(), writer.fileno()):
                copyfileobj(reader, writer, _COPY_BYTES)
    else:
        temporary.write_bytes(source)
    hasher = Hasher(temporary.stat().st_size)
    with temporary.open("rb", buffering=0) as reader:
        while chunk := reader.read(_COPY_BYTES):
            hasher.update(chunk)
    if hasher.digests()[0] != cid:
        raise UndecodableValue("files", "a file's bytes are not those that its record names")


def _cloned(source: int, target: int) -> bool:
    """Let `target` share the blocks of `source`, where the file system can: no time, no space."""
    if sys.platform != "linux":
        return False
    import fcntl

    with suppress(OSError):
        fcntl.ioctl(target, _FICLONE, source)
        return True
    return False
