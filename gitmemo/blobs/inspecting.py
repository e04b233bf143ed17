"""Reading every byte of a store, to find what is not what was written.

Not the repairing. Invariant: nothing is taken for sound because of what was seen before; damaged
bytes are set aside, never deleted.
"""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

from gitmemo.blobs import leases
from gitmemo.blobs.holding import Copy, Pack, damage_note, large_files, origins, packs
from gitmemo.blobs.large import file_digest
from gitmemo.blobs.store import is_codec_name
from gitmemo.hashing.digest import Digest, digest
from gitmemo.plain_files import read_at
from gitmemo.steps import steps

ASIDE = ".damaged-"
"""How the names of large files begin that were set aside."""
_TORN = "torn"


@dataclass(frozen=True, slots=True)
class Inspection:
    """What reading everything has shown.

    Attributes:
        sound: The blobs of which there is a sound copy.
        damaged: Copies that are not what was written and that programs may still meet.
        aside: Blobs of which a copy was set aside.
        torn: Packs with bytes in them that are no value: what was there is unknown.
        noted: Those of them of which somebody was told.
    """

    sound: frozenset[Digest]
    damaged: tuple[Copy, ...]
    aside: frozenset[Digest]
    torn: tuple[Path, ...]
    noted: frozenset[Path] = frozenset()

    @property
    def lost(self) -> frozenset[Digest]:
        """The blobs of which no sound copy is left."""
        return frozenset((*self.aside, *(copy.blob for copy in self.damaged))) - self.sound

    def is_settled(self, blob: Digest) -> bool:
        """Whether all that was found of a lost blob was set aside, or noted, by an earlier repair."""
        if any(copy.blob == blob for copy in self.damaged):
            return False
        return blob in self.aside or self.noted.issuperset(self.torn)


def inspect(directory: Path) -> Inspection:
    """Read all that lies in the store in `directory`."""
    sound: set[Digest] = set()
    damaged: list[Copy] = []
    aside: set[Digest] = set()
    torn: list[Path] = []
    for folder in origins(directory):
        for pack in steps("checking values", list(packs(folder)), "B", _pack_size):
            noted = _noted(pack.path)
            if not pack.is_whole and _is_finished(pack.path):
                torn.append(pack.path)
            for copy, is_sound in _checked_entries(pack.path, pack.entries, pack.written_s):
                if is_sound:
                    sound.add(copy.blob)
                elif copy.offset in noted:
                    aside.add(copy.blob)
                else:
                    damaged.append(copy)
        for copy in steps("checking large values", list(large_files(folder)), "B", _copy_size):
            with suppress(FileNotFoundError):
                if file_digest(copy.path) == copy.blob:
                    sound.add(copy.blob)
                else:
                    damaged.append(copy)
        aside.update(_set_aside_files(folder))
    noted_torn = frozenset(path for path in torn if _TORN in _notes(path))
    return Inspection(frozenset(sound), tuple(damaged), frozenset(aside), tuple(torn), noted_torn)


def _pack_size(pack: Pack) -> int:
    return pack.size


def _copy_size(copy: Copy) -> int:
    return copy.size


def set_aside(copy: Copy) -> None:
    """Let no program meet a damaged copy again; its bytes stay."""
    if copy.offset is None:
        with suppress(FileNotFoundError):
            copy.path.replace(copy.path.with_name(f"{ASIDE}{copy.path.name}"))
        return
    with damage_note(copy.path).open("a") as notes:
        notes.write(f"{copy.offset}\n")


def note_torn(pack: Path) -> None:
    """Note that somebody was told of the bytes in a pack that are no value."""
    with damage_note(pack).open("a") as notes:
        notes.write(f"{_TORN}\n")


def _checked_entries(
    path: Path, entries: tuple[tuple[Digest, str, int, int], ...], written_s: float
) -> Iterator[tuple[Copy, bool]]:
    try:
        file = os.open(path, os.O_RDONLY | os.O_CLOEXEC | os.O_NOFOLLOW)
    except FileNotFoundError:
        return
    try:
        for blob, codec, offset, length in entries:
            copy = Copy(blob, codec, length, path, offset, written_s)
            yield copy, digest(read_at(file, length, offset)) == blob
    finally:
        os.close(file)


def _noted(pack: Path) -> frozenset[int]:
    return frozenset(int(line) for line in _notes(pack) if line.isdecimal() and len(line) < 20)


def _notes(pack: Path) -> list[str]:
    try:
        return damage_note(pack).read_text("ascii", "replace").split()
    except OSError:
        return []


def _set_aside_files(folder: Path) -> Iterator[Digest]:
    for path in (folder / "large").glob(f"??/{ASIDE}*"):
        blob, _, codec = path.name.removeprefix(ASIDE).partition(".")
        if len(blob) == 64 and is_codec_name(codec):
            with suppress(ValueError):
                yield Digest(bytes.fromhex(blob))


def _is_finished(pack: Path) -> bool:
    """Whether no process appends to a pack: the end of one that grows may be half an entry."""
    try:
        file = os.open(pack, os.O_RDONLY | os.O_CLOEXEC | os.O_NOFOLLOW)
    except OSError:
        return False
    try:
        return leases.is_free(file)
    except (ImportError, OSError):
        return True
    finally:
        os.close(file)
