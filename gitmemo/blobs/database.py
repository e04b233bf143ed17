"""The store of `Storage(db_path=…)`: a table in the caller's SQLite database.

A value is written in one transaction, the caller's if there is one. Invariant:
bytes are checked against their blob id on the way in and on the way out.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from contextlib import contextmanager

from gitmemo.blobs.store import (
    SELF,
    Chunk,
    EncodedValue,
    ReadFrom,
    StoredBlob,
    check_codec_name,
    checked,
    remote_of,
)
from gitmemo.database import Database
from gitmemo.errors import BlobCorrupt
from gitmemo.hashing.digest import Digest, digest, to_hex

# SQLite refuses a single field over 10^9 bytes, so a longer value has several parts.
_PART_SIZE = 256 << 20
# Pages of the log that SQLite gathers before it joins them, which waits for the disk: with its
# own 1000 each value of 4 MiB does. After kill -9 the next opening reads so many, 32 MiB.
_LOG_PAGES = 8192

_SCHEMA = """
CREATE TABLE IF NOT EXISTS blob (
    id BLOB NOT NULL,
    codec TEXT NOT NULL,
    part INTEGER NOT NULL,
    origin TEXT NOT NULL,
    data BLOB NOT NULL,
    PRIMARY KEY (id, codec, part)
)
"""


class DatabaseBlobs:
    """A `BlobStore` in a table of a database that holds other tables too."""

    def __init__(self, database: Database, *, part_size: int = _PART_SIZE) -> None:
        self._database = database
        self._part_size = part_size
        with database.lock:
            database.execute(_SCHEMA)
            database.execute(f"PRAGMA wal_autocheckpoint = {_LOG_PAGES}")

    def put(self, encoded: EncodedValue) -> Digest:
        """Keep `encoded` as this machine's own."""
        check_codec_name(encoded.codec)
        # Joined first, and hashed once: nothing comes between what is named and what is kept.
        data = encoded.chunks[0] if len(encoded.chunks) == 1 else b"".join(encoded.chunks)
        blob = digest(data)
        self._keep(blob, encoded.codec, memoryview(data).cast("B"), SELF)
        return blob

    def put_verified(self, blob: Digest, codec: str, chunks: Iterable[Chunk], origin: str) -> None:
        """Keep bytes from elsewhere, or raise `BlobCorrupt` if they are not `blob`."""
        check_codec_name(codec)
        remote_of(origin)
        self._keep(blob, codec, memoryview(b"".join(checked(chunks, blob, "the database"))), origin)

    def _keep(self, blob: Digest, codec: str, data: memoryview, origin: str) -> None:
        size = self._part_size
        parts = [data[at : at + size] for at in range(0, len(data), size)] or [data]
        with self._database.lock:
            if self._has(blob, codec, origin):
                return
            self._replace(blob, codec, origin, parts)

    def put_arriving(self, blob: Digest, codec: str, read_from: ReadFrom, origin: str) -> None:
        """Keep bytes from elsewhere, all of them in one attempt."""
        self.put_verified(blob, codec, read_from(0), origin)

    def _replace(self, blob: Digest, codec: str, origin: str, parts: list[memoryview]) -> None:
        with self._at_once():
            # Another process may have written it since it was looked for.
            if self._has(blob, codec, origin):
                return
            self._database.execute("DELETE FROM blob WHERE id = ? AND codec = ?", (blob, codec))
            self._database.executemany(
                "INSERT INTO blob VALUES (?, ?, ?, ?, ?)",
                [(blob, codec, number, origin, part) for number, part in enumerate(parts)],
            )

    @contextmanager
    def _at_once(self) -> Iterator[None]:
        """Make the body one write transaction, or a part of the caller's."""
        if self._database.in_transaction:
            yield
            return
        self._database.execute("BEGIN IMMEDIATE")
        try:
            yield
        except BaseException:
            self._database.execute("ROLLBACK")
            raise
        self._database.execute("COMMIT")

    def find(self, blob: Digest, codec: str | None = None) -> StoredBlob | None:
        """Return `blob`, or None; raise `BlobCorrupt` if its bytes have changed."""
        for name in self._ranked(blob) if codec is None else [codec]:
            if (found := self._read(blob, name)) is not None:
                return found
        return None

    def codecs(self, blob: Digest) -> frozenset[str]:
        """Return the codecs that `blob` was written with."""
        return frozenset(self._ranked(blob))

    def missing(self, blobs: Iterable[Digest]) -> set[Digest]:
        """Return those of `blobs` that are not here."""
        with self._database.lock:
            query = "SELECT 1 FROM blob WHERE id = ? LIMIT 1"
            return {b for b in blobs if self._database.execute(query, (b,)).fetchone() is None}

    def _ranked(self, blob: Digest) -> list[str]:
        with self._database.lock:
            rows = self._database.execute(
                "SELECT codec FROM blob WHERE id = ? AND part = 0 ORDER BY origin != ?, codec",
                (blob, SELF),
            ).fetchall()
        return [str(codec) for (codec,) in rows]

    def _is_own(self, blob: Digest, codec: str) -> bool:
        query = "SELECT 1 FROM blob WHERE id = ? AND codec = ? AND origin = ?"
        return self._database.execute(query, (blob, codec, SELF)).fetchone() is not None

    def _has(self, blob: Digest, codec: str, origin: str) -> bool:
        return self._sound(blob, codec) and (origin != SELF or self._is_own(blob, codec))

    def _sound(self, blob: Digest, codec: str) -> bool:
        try:
            return self._read(blob, codec) is not None
        except BlobCorrupt:
            return False

    def _read(self, blob: Digest, codec: str) -> StoredBlob | None:
        with self._database.lock:
            rows = self._database.execute(
                "SELECT origin, data FROM blob WHERE id = ? AND codec = ? ORDER BY part",
                (blob, codec),
            ).fetchall()
        if not rows:
            return None
        data = rows[0][1] if len(rows) == 1 else b"".join(part for _, part in rows)
        if digest(data) != blob:
            raise BlobCorrupt(to_hex(blob), "the database", "its bytes have changed")
        return StoredBlob(blob, codec, len(data), str(rows[0][0]), data)
