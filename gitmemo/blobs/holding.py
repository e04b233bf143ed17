"""What lies in a store: every copy of every value, with its file, size and time.

Not which of them anybody needs. Invariant: looking changes nothing, and what is listed has a
sound header; the bytes themselves are checked by whoever reads them.
"""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

from gitmemo.blobs.entry import PREAMBLE_SIZE, Entry, header, scan, seed_of
from gitmemo.blobs.large import fresh_stat
from gitmemo.blobs.packs import NO_PACK, PACK_NAME
from gitmemo.blobs.store import is_codec_name, is_remote_name
from gitmemo.hashing.digest import Digest
from gitmemo.plain_files import read_at


@dataclass(frozen=True, slots=True)
class Copy:
    """One copy of a value.

    Attributes:
        offset: Where its bytes begin in a pack; None for a file of its own.
        written_s: When its file was last written or said to be needed, in seconds since 1970.
    """

    blob: Digest
    codec: str
    size: int
    path: Path
    offset: int | None
    written_s: float


@dataclass(frozen=True, slots=True)
class Pack:
    """A pack as it was found.

    Attributes:
        entries: Those with a sound header.
        is_whole: Whether nothing but them is in it: no damage, no entry that was cut short.
    """

    path: Path
    size: int
    written_s: float
    entries: tuple[Entry, ...]
    is_whole: bool


def copies(directory: Path) -> Iterator[Copy]:
    """Yield all that lies in the store in `directory`."""
    for folder in origins(directory):
        for pack in packs(folder):
            for blob, codec, offset, length in pack.entries:
                yield Copy(blob, codec, length, pack.path, offset, pack.written_s)
        yield from large_files(folder)


def origins(directory: Path) -> Iterator[Path]:
    """Yield the folders of a store: of what was made here, and of what came from each remote."""
    yield directory / "self"
    with suppress(FileNotFoundError, NotADirectoryError):
        for path in sorted((directory / "remote").iterdir()):
            if is_remote_name(path.name) and path.is_dir() and not path.is_symlink():
                yield path


def packs(folder: Path) -> Iterator[Pack]:
    """Yield the packs of one origin."""
    with suppress(FileNotFoundError, NotADirectoryError):
        for path in sorted((folder / "packs").iterdir()):
            if PACK_NAME.fullmatch(path.name) and (found := read_pack(path)) is not None:
                yield found


def read_pack(path: Path) -> Pack | None:
    """Return what is in a pack; None if it is gone, or no pack."""
    try:
        file = os.open(path, os.O_RDONLY | os.O_CLOEXEC | os.O_NOFOLLOW)
    except OSError as error:
        if error.errno in NO_PACK:
            return None
        raise
    try:
        status = os.fstat(file)
        if (seed := seed_of(read_at(file, PREAMBLE_SIZE, 0))) is None:
            return Pack(path, status.st_size, status.st_mtime, (), is_whole=False)
        found = scan(
            lambda offset, length: read_at(file, length, offset),
            PREAMBLE_SIZE,
            status.st_size,
            seed,
        )
    finally:
        os.close(file)
    entries = tuple(found.entries)
    explained = PREAMBLE_SIZE + sum(
        length + len(header(blob, codec, length, seed)) for blob, codec, _, length in entries
    )
    return Pack(path, status.st_size, status.st_mtime, entries, explained == status.st_size)


def damage_note(pack: Path) -> Path:
    """Return where the offsets of damaged payloads of a pack are noted, one a line.

    A line `torn` says that somebody was told of bytes in it that are no value.
    """
    return pack.with_name(f"{pack.name}.damage")


def large_files(folder: Path) -> Iterator[Copy]:
    """Yield the values of one origin that have a file each."""
    with suppress(FileNotFoundError, NotADirectoryError):
        for path in sorted((folder / "large").glob("??/*")):
            blob, _, codec = path.name.partition(".")
            if len(blob) != 64 or not is_codec_name(codec):
                continue
            with suppress(ValueError):
                if (found := fresh_stat(path)) is not None:
                    ident = Digest(bytes.fromhex(blob))
                    yield Copy(ident, codec, found.st_size, path, None, found.st_mtime)
