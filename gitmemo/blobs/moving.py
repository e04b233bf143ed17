"""Taking values from one store to another: copying first, removing only what was copied.

Not the choice of stores (`gitmemo.cleaning.joining`). Invariant: at every moment each value is whole in
at least one of the two, under the origin that it had; what is damaged stays where it is.

Large values are linked where both stores are on one disk: no bytes are copied.
"""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path

from gitmemo.blobs.holding import Copy, Pack, copies, damage_note, large_files, origins, packs
from gitmemo.blobs.large import file_chunks
from gitmemo.blobs.marks import VerifiedMarks
from gitmemo.blobs.origin import OriginBlobs
from gitmemo.blobs.store import SELF, remote_origin
from gitmemo.errors import BlobCorrupt
from gitmemo.hashing.digest import Digest, digest
from gitmemo.plain_files import read_at

Wanted = Callable[[Digest], bool]
_JUNK = ("large/??/.part-*", "large/??/.tmp-*", "packs/.tmp-gc-*")
"""Beginnings of values: what is begun again is whole."""


@dataclass(slots=True)
class Carried:
    """What was looked at, once for each place.

    Attributes:
        copies: Values that are in the other store now.
        damaged: Those of which there is a copy whose bytes are not what was written.
    """

    copies: int = 0
    size_bytes: int = 0
    damaged: set[Digest] = field(default_factory=set)


def carry(source: Path, target: Path, wanted: Wanted) -> Carried:
    """Copy what is wanted from the store in `source` to the one in `target`, verified, onto the disk."""
    done = Carried()
    marks = VerifiedMarks(target / "verified.jsonl")
    for folder in origins(source):
        there = _counterpart(source, folder, target, marks)
        place = _place(source, folder, target)
        before = set(_files(place))
        for pack in packs(folder):
            for blob, codec, payload in _payloads(pack, wanted, done):
                there.put(blob, codec, (payload,), len(payload))
                done.copies += 1
                done.size_bytes += len(payload)
        for copy in large_files(folder):
            if wanted(copy.blob):
                _carry_file(copy, place, there, done)
        there.close()
        _settle(set(_files(place)) - before, target)
    return done


def remove_carried(source: Path, target: Path) -> int:
    """Remove what the store in `target` has as well; return how many values are in `source` alone.

    Nobody may use either store meanwhile but to add to `target`.
    """
    stays: set[Digest] = set()
    torn = 0
    marks = VerifiedMarks(target / "verified.jsonl")
    for folder in origins(source):
        there = _counterpart(source, folder, target, marks)
        for pack in packs(folder):
            if _is_all_there(pack, there):
                pack.path.unlink()
            else:
                stays.update(blob for blob, *_ in pack.entries)
                torn += not pack.is_whole
        for copy in large_files(folder):
            if _is_there(there, copy.blob, copy.codec):
                copy.path.unlink()
            else:
                stays.add(copy.blob)
        for junk in [path for pattern in _JUNK for path in folder.glob(pattern)]:
            junk.unlink()
    return torn + len(stays - lying(target).keys())


def lying(folder: Path) -> dict[Digest, int]:
    """Return what lies in a store, and how large all copies of it are."""
    found: dict[Digest, int] = {}
    for copy in copies(folder):
        found[copy.blob] = found.get(copy.blob, 0) + copy.size
    return found


def _place(source: Path, folder: Path, target: Path) -> Path:
    return target / folder.relative_to(source)


def _counterpart(source: Path, folder: Path, target: Path, marks: VerifiedMarks) -> OriginBlobs:
    """Return the values of the same origin in the other store."""
    origin = SELF if folder.parent == source else remote_origin(folder.name)
    return OriginBlobs(_place(source, folder, target), origin, marks)


def _payloads(pack: Pack, wanted: Wanted, done: Carried) -> Iterator[tuple[Digest, str, bytes]]:
    with suppress(FileNotFoundError), pack.path.open("rb") as file:
        for blob, codec, offset, length in pack.entries:
            if wanted(blob):
                payload = read_at(file.fileno(), length, offset)
                if digest(payload) == blob:
                    yield blob, codec, payload
                else:
                    done.damaged.add(blob)


def _carry_file(copy: Copy, folder: Path, there: OriginBlobs, done: Carried) -> None:
    if not _is_there(there, copy.blob, copy.codec):
        _link(copy.path, folder / copy.path.relative_to(copy.path.parents[2]))
    try:
        # Young from now on: `gc` is not to take what is about to be found there alone.
        if not there.renew(copy.blob, copy.codec):
            there.put_verified(copy.blob, copy.codec, file_chunks(copy.path))
    except BlobCorrupt:
        done.damaged.add(copy.blob)
    except FileNotFoundError:
        return  # `gc` removed it meanwhile
    else:
        done.copies += 1
        done.size_bytes += copy.size


def _link(path: Path, target: Path) -> None:
    """Give a file that nobody ever changes a second name, where the disk can do that."""
    target.parent.mkdir(parents=True, exist_ok=True)
    new = target.with_name(f".tmp-{os.getpid()}-{os.urandom(8).hex()}")
    with suppress(OSError):
        os.link(path, new)
        new.replace(target)


def _is_there(there: OriginBlobs, blob: Digest, codec: str) -> bool:
    try:
        return there.find(blob, codec) is not None
    except BlobCorrupt:
        return False


def _is_all_there(pack: Pack, there: OriginBlobs) -> bool:
    if not pack.is_whole or damage_note(pack.path).exists():
        return False
    return all(_is_there(there, blob, codec) for blob, codec, *_ in pack.entries)


def _files(folder: Path) -> Iterator[Path]:
    yield from folder.glob("packs/*.pack")
    yield from folder.glob("large/??/[0-9a-f]*")


def _settle(new: set[Path], target: Path) -> None:
    """Bring new files onto the disk, names included: what they are copies of will be removed."""
    folders = {folder for path in new for folder in path.parents if folder.is_relative_to(target)}
    for path in (*new, *folders):
        file = os.open(path, os.O_RDONLY | os.O_CLOEXEC)
        try:
            os.fsync(file)
        finally:
            os.close(file)
