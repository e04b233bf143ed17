"""Encoded values on this machine, each named by the BLAKE3 of its bytes.

Not what the bytes mean (`gitmemo.codecs`) and not how they travel
(`gitmemo.remotes`). Invariant: bytes are handed out only after they were
checked against their blob id, together with the codec they were written with
and the place they came from.
"""

from typing import TYPE_CHECKING

from gitmemo.late import loader

if TYPE_CHECKING:
    from gitmemo.blobs.database import DatabaseBlobs
    from gitmemo.blobs.memory import MemoryBlobs
    from gitmemo.blobs.overflow import Ledger, Overflow, with_overflow
    from gitmemo.blobs.repository import RepositoryBlobs
    from gitmemo.blobs.store import SELF, BlobStore, StoredBlob, remote_origin

__all__ = [
    "SELF",
    "BlobStore",
    "DatabaseBlobs",
    "Ledger",
    "MemoryBlobs",
    "Overflow",
    "RepositoryBlobs",
    "StoredBlob",
    "remote_origin",
    "with_overflow",
]

__getattr__ = loader(
    __name__,
    database=("DatabaseBlobs",),
    memory=("MemoryBlobs",),
    overflow=("Ledger", "Overflow", "with_overflow"),
    repository=("RepositoryBlobs",),
    store=("SELF", "BlobStore", "StoredBlob", "remote_origin"),
)
