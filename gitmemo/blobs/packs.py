"""A folder of packs: the small values of one origin.

Not the format (`entry`) and not the verification against blob ids (`origin`).
Invariant: packs are only ever appended to, each by the one process that made
it, or removed whole, so that a place once seen stays what it was or is gone;
places found damaged are remembered beside the pack and not offered again.
"""

from __future__ import annotations

import errno
import os
import re
import threading
import weakref
from collections.abc import Collection, Iterable, Iterator
from contextlib import suppress
from pathlib import Path
from typing import NamedTuple

from gitmemo.blobs.entry import PREAMBLE_SIZE, scan, seed_of
from gitmemo.blobs.writer import PackWriter
from gitmemo.hashing.digest import Digest
from gitmemo.plain_files import read_at

PACK_NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]{0,100}\.pack")
NO_PACK = frozenset({errno.ENOENT, errno.ENOTDIR, errno.ELOOP})
"""What opening says if there is no pack of that name: it is gone, or a link."""
_DAMAGE_SUFFIX = ".damage"  # beside a pack: offsets of damaged payloads, one a line


class Place(NamedTuple):
    """Where a payload lies."""

    pack: str
    offset: int
    length: int
    codec: str


_Bare = tuple[str, int, int, str]
"""A `Place` before anyone asked for it: a scan makes 100,000 of them."""


class _Seen(NamedTuple):
    """How far a pack was scanned: its size then, and where the last whole entry ended."""

    size: int
    end: int


class PackFolder:
    """The packs in one folder, and the one that this process appends to."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self._places: dict[Digest, tuple[_Bare, ...]] = {}
        self._seen: dict[str, _Seen] = {}
        self._writer: PackWriter | None = None
        self._lock = threading.RLock()
        _FOLDERS.add(self)

    def places(self, blob: Digest) -> tuple[Place, ...]:
        """Return where `blob` is known to lie. Safe without the lock: one dictionary look-up."""
        if not self._seen:
            self.refresh()
        return tuple(Place(*place) for place in self._places.get(blob, ()))

    def absent(self, blobs: Iterable[Digest]) -> list[Digest]:
        """Return those of `blobs` that are in no pack, as far as known."""
        if not self._seen:
            self.refresh()
        return [blob for blob in blobs if blob not in self._places]

    def refresh(self) -> bool:
        """Notice what other processes have appended, and say whether there was anything.

        What lay in packs that are gone is forgotten.
        """
        with self._lock:
            changed = False
            listing = list(self._listing())
            self._forget_packs(self._seen.keys() - {name for name, _ in listing})
            for name, size in listing:
                seen = self._seen.get(name)
                if seen is None or seen.size != size:
                    self._scan(name, size, seen)
                    changed = True
            return changed

    def append(self, blob: Digest, codec: str, payload: bytes) -> None:
        """Write `payload`; when this returns, kill -9 cannot lose it."""
        with self._lock:
            if self._writer is None or not self._writer.usable:
                if self._writer is not None:
                    self._writer.close()
                self._writer = PackWriter(self.folder)
            writer = self._writer
            offset = writer.append(blob, codec, payload)
            name = writer.path.name
            self._seen[name] = _Seen(writer.end, writer.end)
            self._add(blob, (name, offset, len(payload), codec))

    def read(self, place: Place) -> bytes | None:
        """Return the bytes at `place`, unverified, or None if its pack is gone."""
        try:
            fd = os.open(self.folder / place.pack, os.O_RDONLY | os.O_CLOEXEC | os.O_NOFOLLOW)
        except FileNotFoundError:
            return None
        try:
            return read_at(fd, place.length, place.offset)
        finally:
            os.close(fd)

    def forget(self, blob: Digest, place: Place, *, damaged: bool) -> None:
        """Offer `place` no more; if it is damaged, tell later processes as well."""
        with self._lock:
            kept = tuple(p for p in self._places.get(blob, ()) if p != place)
            if kept:
                self._places[blob] = kept
            else:
                self._places.pop(blob, None)
        if damaged:
            # Without the note, `gitmemo pull` in the next process would see the
            # entry's sound header and believe the value to be here.
            with suppress(OSError), self._damage(place.pack).open("a") as notes:
                notes.write(f"{place.offset}\n")

    def touch(self, blob: Digest, codec: str) -> bool:
        """Make the pack that holds `blob` young; say whether it is there."""
        for place in self.places(blob):
            if place.codec == codec:
                with suppress(OSError):
                    os.utime(self.folder / place.pack)
                    return True
        return False

    def close(self) -> None:
        """Close the pack that this process appends to; the next `append` opens another."""
        with self._lock:
            if self._writer is not None:
                self._writer.close()

    def start_over_in_child(self) -> None:
        """Give a forked child its own lock and pack: the parent's may be in use by its threads."""
        self._lock = threading.RLock()
        self._writer = None

    def _listing(self) -> Iterator[tuple[str, int]]:
        with suppress(FileNotFoundError), os.scandir(self.folder) as entries:
            for entry in entries:
                if PACK_NAME.fullmatch(entry.name) and entry.is_file(follow_symlinks=False):
                    with suppress(FileNotFoundError):
                        yield entry.name, entry.stat(follow_symlinks=False).st_size

    def _scan(self, name: str, size: int, seen: _Seen | None) -> None:
        try:
            fd = os.open(self.folder / name, os.O_RDONLY | os.O_CLOEXEC | os.O_NOFOLLOW)
        except OSError as error:  # deleted since the listing, or not ours to read
            if error.errno in NO_PACK or error.errno == errno.EACCES:
                return
            raise  # what cannot be read now is not absent
        try:
            # pread, not mmap: a writer on a full disk truncates its last entry
            # away, and touching a mapped page behind the end kills the process.
            if (seed := seed_of(read_at(fd, PREAMBLE_SIZE, 0))) is None:
                return
            start = seen.end if seen else PREAMBLE_SIZE
            found = scan(lambda offset, length: read_at(fd, length, offset), start, size, seed)
        finally:
            os.close(fd)
        damaged = self._damaged_offsets(name)
        for blob, codec, offset, length in found.entries:
            if offset not in damaged:
                self._add(blob, (name, offset, length, codec))
        self._seen[name] = _Seen(size, found.end)

    def _forget_packs(self, gone: Collection[str]) -> None:
        if not gone:
            return
        for name in gone:
            del self._seen[name]
        kept = {
            blob: tuple(place for place in places if place[0] not in gone)
            for blob, places in self._places.items()
        }
        self._places = {blob: places for blob, places in kept.items() if places}

    def _add(self, blob: Digest, place: _Bare) -> None:
        known = self._places.get(blob)
        self._places[blob] = (place,) if known is None else (*known, place)

    def _damage(self, pack: str) -> Path:
        return self.folder / (pack + _DAMAGE_SUFFIX)

    def _damaged_offsets(self, pack: str) -> frozenset[int]:
        try:
            lines = self._damage(pack).read_text("ascii", "replace").split()
        except OSError:
            return frozenset()
        return frozenset(int(line) for line in lines if line.isdecimal() and len(line) < 20)


_FOLDERS: weakref.WeakSet[PackFolder] = weakref.WeakSet()


def _start_over_in_child() -> None:
    for folder in list(_FOLDERS):
        folder.start_over_in_child()


os.register_at_fork(after_in_child=_start_over_in_child)
