"""The store of `Storage()`: a dictionary.

Not durable. Invariant: bytes are checked when they come in and cannot change
afterwards, so that nothing needs checking on the way out.
"""

from __future__ import annotations

from collections.abc import Iterable

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
from gitmemo.hashing.digest import Digest


class MemoryBlobs:
    """A `BlobStore` that lives as long as this object."""

    def __init__(self) -> None:
        self._blobs: dict[Digest, dict[str, StoredBlob]] = {}

    def put(self, encoded: EncodedValue) -> Digest:
        """Keep `encoded` as this machine's own."""
        blob = encoded.blob_id()
        self.put_verified(blob, encoded.codec, encoded.chunks, SELF)
        return blob

    def put_verified(self, blob: Digest, codec: str, chunks: Iterable[Chunk], origin: str) -> None:
        """Keep bytes from elsewhere, or raise `BlobCorrupt` if they are not `blob`."""
        check_codec_name(codec)
        remote_of(origin)
        data = b"".join(checked(chunks, blob, "memory"))
        written = self._blobs.setdefault(blob, {})
        if codec not in written or origin == SELF:
            written[codec] = StoredBlob(blob, codec, len(data), origin, data)

    def put_arriving(self, blob: Digest, codec: str, read_from: ReadFrom, origin: str) -> None:
        """Keep bytes from elsewhere, all of them in one attempt."""
        self.put_verified(blob, codec, read_from(0), origin)

    def find(self, blob: Digest, codec: str | None = None) -> StoredBlob | None:
        """Return `blob`, or None."""
        written = self._blobs.get(blob, {})
        if codec is not None:
            return written.get(codec)
        return min(
            written.values(), key=lambda found: (found.origin != SELF, found.codec), default=None
        )

    def codecs(self, blob: Digest) -> frozenset[str]:
        """Return the codecs that `blob` was written with."""
        return frozenset(self._blobs.get(blob, {}))

    def missing(self, blobs: Iterable[Digest]) -> set[Digest]:
        """Return those of `blobs` that are not here."""
        return {blob for blob in blobs if blob not in self._blobs}
