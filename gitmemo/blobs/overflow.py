"""The store of `Storage(overflow_dir=…)`: large values in a folder, all others in another store.

Not the store of a repository, which does this by itself. Invariant: the
database knows which values are in the folder, so that a file that is missing
is noticed and named, and is never taken for a value that was not stored.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

from gitmemo.blobs.files import CheckedFiles
from gitmemo.blobs.marks import VerifiedMarks
from gitmemo.blobs.store import (
    SELF,
    BlobStore,
    Chunk,
    EncodedValue,
    ReadFrom,
    StoredBlob,
    check_codec_name,
)
from gitmemo.database import Database
from gitmemo.errors import BlobCorrupt, InvalidStorage, OverflowMissing
from gitmemo.hashing.digest import Digest

DEFAULT_THRESHOLD_BYTES = 50_000_000

_SCHEMA = """
create table if not exists overflow_folder(
    number integer primary key, path text not null, threshold_bytes integer not null);
create table if not exists overflow_blob(
    id blob not null, codec text not null, primary key(id, codec)) without rowid;
"""


@dataclass(frozen=True, slots=True)
class Overflow:
    """What was asked for when a storage was opened; None: as it was, or not at all.

    Attributes:
        folder: Where values go that are larger than the threshold.
        threshold_bytes: A value of this size still goes into the database.
    """

    folder: Path | None = None
    threshold_bytes: int | None = None


class OverflowBlobs:
    """A `BlobStore`; `folders` are searched in order, and the first is written to."""

    def __init__(
        self,
        small: BlobStore,
        ledger: Ledger,
        folders: Sequence[Path],
        threshold_bytes: int,
    ) -> None:
        self._small = small
        self._ledger = ledger
        self._threshold_bytes = threshold_bytes
        self._folders = [
            CheckedFiles(folder, SELF, VerifiedMarks(folder / "verified.jsonl"), folder)
            for folder in folders
        ]

    def put(self, encoded: EncodedValue) -> Digest:
        """Keep `encoded` as this machine's own: in the folder if it is large."""
        if encoded.size <= self._threshold_bytes:
            return self._small.put(encoded)
        blob, codec = encoded.blob_id(), check_codec_name(encoded.codec)
        with suppress(BlobCorrupt, OverflowMissing):  # then it is written again
            found = self.find(blob, codec)
            if found is not None and found.origin == SELF:
                return blob
        self._folders[0].write(blob, codec, encoded.chunks)
        self._ledger.add(blob, codec)
        return blob

    def put_verified(self, blob: Digest, codec: str, chunks: Iterable[Chunk], origin: str) -> None:
        """Keep bytes from elsewhere where small ones go: their origin is known there."""
        self._small.put_verified(blob, codec, chunks, origin)

    def put_arriving(self, blob: Digest, codec: str, read_from: ReadFrom, origin: str) -> None:
        """Keep a large value from elsewhere where small ones go."""
        self._small.put_arriving(blob, codec, read_from, origin)

    def find(self, blob: Digest, codec: str | None = None) -> StoredBlob | None:
        """Return `blob`, or None.

        Raises:
            BlobCorrupt: Its file has changed; it is set aside.
            OverflowMissing: Its file, or the whole folder, is not where it was.
        """
        damage: BlobCorrupt | None = None
        here = [name for name in self._ledger.codecs(blob) if codec in (None, name)]
        for folder in self._folders if here else ():
            for attempt in folder.find(blob, codec):
                if isinstance(attempt, StoredBlob):
                    return attempt
                damage = attempt
        if (found := self._small.find(blob, codec)) is not None:
            return found
        if damage is not None:
            raise damage
        if here:
            raise OverflowMissing(str(self._folders[0].path(blob, here[0])))
        return None

    def codecs(self, blob: Digest) -> frozenset[str]:
        """Return the codecs that `blob` was written with."""
        written = self._small.codecs(blob)
        return written.union(*(folder.codecs(blob) for folder in self._folders))

    def missing(self, blobs: Iterable[Digest]) -> set[Digest]:
        """Return those of `blobs` that are not here."""
        absent = self._small.missing(blobs)
        for folder in self._folders:
            absent = folder.absent(absent)
        return absent


class Ledger:
    """What a database remembers of overflow: folders, threshold, and which values went there.

    `base` is the folder of the database; folders below it are named relative to it, so that
    both can be moved together.
    """

    def __init__(self, database: Database, base: Path | None) -> None:
        self._database = database
        self._base = base

    def folders(self) -> list[tuple[Path, int]]:
        """Return the folders and thresholds that were ever set, the latest first."""
        with self._database.lock:
            known = self._database.execute(
                "select 1 from sqlite_master where name = 'overflow_folder'"
            ).fetchone()
            rows = (
                known
                and self._database.execute(
                    "select path, threshold_bytes from overflow_folder order by number desc"
                ).fetchall()
            )
        return [(self._absolute(path), threshold) for path, threshold in rows or ()]

    def remember(self, folder: Path, threshold_bytes: int) -> None:
        """Make `folder` the one that is written to."""
        path = folder
        if self._base is not None and folder.is_relative_to(self._base):
            path = folder.relative_to(self._base)
        with self._database.lock:
            for statement in _SCHEMA.split(";"):
                self._database.execute(statement)
            self._database.execute(
                "insert into overflow_folder(path, threshold_bytes) values (?, ?)",
                (str(path), threshold_bytes),
            )

    def add(self, blob: Digest, codec: str) -> None:
        """Note that a value is in the folder."""
        with self._database.lock:
            self._database.execute(
                "insert or ignore into overflow_blob(id, codec) values (?, ?)", (blob, codec)
            )

    def codecs(self, blob: Digest) -> list[str]:
        """Return the codecs with which `blob` went into the folder."""
        with self._database.lock:
            rows = self._database.execute(
                "select codec from overflow_blob where id = ? order by codec", (blob,)
            ).fetchall()
        return [str(codec) for (codec,) in rows]

    def _absolute(self, path: str) -> Path:
        return Path(path) if self._base is None else self._base / path


def with_overflow(small: BlobStore, ledger: Ledger, wanted: Overflow) -> BlobStore:
    """Return `small`, or a store over it where a folder is wanted now or was before.

    A new folder takes over from the one before, which is still searched.

    Raises:
        InvalidStorage: A threshold is given and there is no folder, or it cannot be a folder.
    """
    known = ledger.folders()
    if wanted.folder is None and not known:
        if wanted.threshold_bytes is not None:
            raise InvalidStorage(
                "overflow_threshold_MB is given, but no overflow_dir",
                "say in which folder large values belong: overflow_dir=...",
            )
        return small
    folder = known[0][0] if wanted.folder is None else wanted.folder.resolve()
    threshold = wanted.threshold_bytes
    if threshold is None:
        threshold = known[0][1] if known else DEFAULT_THRESHOLD_BYTES
    if wanted.folder is not None:
        _make(folder)
    if not known or known[0] != (folder, threshold):
        ledger.remember(folder, threshold)
    folders = dict.fromkeys([folder, *(path for path, _ in known)])
    return OverflowBlobs(small, ledger, list(folders), threshold)


def _make(folder: Path) -> None:
    try:
        folder.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise InvalidStorage(
            f"the overflow folder {folder} cannot be used: {error.strerror or error}",
            "name a folder that can be written to",
        ) from None
