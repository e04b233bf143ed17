"""Removing values from a store while other processes use it.

Not the choice of values. Invariant: at every moment each value that is to stay is in at least one
whole file, so the process may be killed at any of them; what somebody has just said to need is
young, and stays.
"""

from __future__ import annotations

import os
import re
import stat
import time
from collections.abc import Collection, Iterator
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

from gitmemo.blobs import leases
from gitmemo.blobs.entry import SALT_SIZE, Entry, header, preamble, seed_of
from gitmemo.blobs.holding import Pack, damage_note, large_files, origins, packs
from gitmemo.blobs.large import fresh_stat
from gitmemo.hashing.digest import Digest, digest
from gitmemo.plain_files import read_at
from gitmemo.steps import steps

_TEMPORARY = ".tmp-gc-"
_UNFINISHED = re.compile(
    r"\.tmp-[0-9]{1,10}-[0-9a-f]{16}|\.part-[0-9a-f]{64}\.[a-z0-9][a-z0-9._+-]{0,63}"
)
_ABANDONED_S = 86_400.0
"""A large value to which nothing was added for so long is not being written any more."""


@dataclass(slots=True)
class Swept:
    """What was removed, and what could not be.

    Attributes:
        copies: Values removed, once for each place.
        freed_bytes: By how much the store is smaller.
        in_use: Files that a process writes to, or that somebody needed since they were looked at.
        damaged: Packs left alone because there is damage in them.
    """

    copies: int = 0
    freed_bytes: int = 0
    in_use: int = 0
    damaged: int = 0


def sweep(directory: Path, doomed: Collection[Digest], before_s: float) -> Swept:
    """Remove all copies of `doomed` from the store, but those written or needed since `before_s`."""
    done = Swept()
    for folder in origins(directory):
        _remove_remains(folder / "packs")
        _remove_unfinished(folder / "large", min(before_s, time.time() - _ABANDONED_S), done)
        found = [p for p in packs(folder) if any(blob in doomed for blob, *_ in p.entries)]
        for pack in steps("removing values", found, "pack"):
            _sweep_pack(directory, pack, doomed, before_s, done)
        large = [copy for copy in large_files(folder) if copy.blob in doomed]
        for copy in steps("removing large values", large, "file"):
            if _unlink(directory, copy.path, copy.size, before_s):
                done.copies += 1
                done.freed_bytes += copy.size
            else:
                done.in_use += 1
    return done


def _sweep_pack(
    directory: Path, pack: Pack, doomed: Collection[Digest], before_s: float, done: Swept
) -> None:
    """Copy what stays of a pack, then remove it."""
    if pack.written_s > before_s:
        done.in_use += 1
        return
    try:
        file = os.open(pack.path, os.O_RDONLY | os.O_CLOEXEC | os.O_NOFOLLOW)
    except OSError:
        return
    try:
        # Until the file is closed nobody takes it for one to append to; whoever made it and
        # appends to it holds the lock.
        if not leases.is_free(file):
            done.in_use += 1
            return
        kept = [entry for entry in pack.entries if entry[0] not in doomed]
        written = _copy(pack, file, kept)
        if written is None:
            done.damaged += 1
        elif _unlink(directory, pack.path, pack.size, before_s):
            done.copies += len(pack.entries) - len(kept)
            done.freed_bytes += pack.size - written
        else:
            done.in_use += 1  # the copy stays: twice is better than never
    finally:
        os.close(file)


def _copy(pack: Pack, file: int, kept: list[Entry]) -> int | None:
    """Write a pack of what stays, as old as it was; return its size, None if there is damage."""
    if not pack.is_whole or damage_note(pack.path).exists():
        return None
    if not kept:
        return 0
    # Of its own, and the same for the same values: what was copied before is not copied twice.
    data = bytearray(preamble(digest(b"".join(entry[0] for entry in kept))[:SALT_SIZE]))
    seed = seed_of(data) or 0
    for blob, codec, offset, length in kept:
        payload = read_at(file, length, offset)
        if digest(payload) != blob:
            return None
        data += header(blob, codec, length, seed) + payload
    _write(pack, bytes(data))
    return len(data)


def _write(pack: Pack, data: bytes) -> None:
    """Write what stays of a pack beside it, whole or not at all."""
    folder = pack.path.parent
    final = folder / f"kept-{digest(data).hex()[:48]}.pack"
    with suppress(OSError):
        if final.read_bytes() == data:  # of a sweep that was killed; perhaps needed since
            return
    temporary = folder / f"{_TEMPORARY}{os.getpid()}-{os.urandom(8).hex()}"
    with temporary.open("xb") as new:
        new.write(data)
        new.flush()
        os.utime(new.fileno(), (pack.written_s, pack.written_s))
        os.fsync(new.fileno())
    temporary.replace(final)
    _sync_folder(folder)


def _unlink(directory: Path, path: Path, size: int, before_s: float) -> bool:
    """Remove a file that is as it was when it was looked at."""
    with leases.removing(directory):
        if (status := fresh_stat(path)) is None:
            return True
        if status.st_mtime > before_s or status.st_size != size:
            return False
        path.unlink()
        damage_note(path).unlink(missing_ok=True)
    return True


def _remove_remains(folder: Path) -> None:
    """Remove what a killed sweep left: nobody else writes files with these names."""
    for path in _remains(folder):
        path.unlink(missing_ok=True)


def _remains(folder: Path) -> Iterator[Path]:
    with suppress(FileNotFoundError, NotADirectoryError):
        yield from list(folder.glob(f"{_TEMPORARY}*"))


def _remove_unfinished(folder: Path, before_s: float, done: Swept) -> None:
    """Remove the beginnings of large values that nobody goes on with."""
    with suppress(FileNotFoundError, NotADirectoryError):
        for path in list(folder.glob("[0-9a-f][0-9a-f]/.*")):
            if _UNFINISHED.fullmatch(path.name) and not path.parent.is_symlink():
                with suppress(OSError):
                    done.freed_bytes += _removed(path, before_s)


def _removed(path: Path, before_s: float) -> int:
    """Remove a file that nobody writes to and that is older; return its size."""
    file = os.open(path, os.O_RDONLY | os.O_CLOEXEC | os.O_NOFOLLOW | os.O_NONBLOCK)
    try:
        found = os.fstat(file)
        is_old = stat.S_ISREG(found.st_mode) and found.st_mtime < before_s
        # Who goes on with a value has its file locked, and looks whether it is there still.
        if not is_old or not leases.is_free(file):
            return 0
        path.unlink()
        return found.st_size
    finally:
        os.close(file)


def _sync_folder(folder: Path) -> None:
    file = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(file)
    finally:
        os.close(file)
