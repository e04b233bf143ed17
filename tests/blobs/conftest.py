"""Encoded values without codecs, and one store of each kind."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import pytest

from gitmemo.blobs import (
    BlobStore,
    DatabaseBlobs,
    Ledger,
    MemoryBlobs,
    Overflow,
    RepositoryBlobs,
    with_overflow,
)
from gitmemo.database import Database
from gitmemo.hashing.digest import Digest, digest_chunks


@dataclass(frozen=True)
class Encoded:
    """What a codec would return."""

    codec: str
    chunks: tuple[bytes, ...]

    @property
    def size(self) -> int:
        return sum(map(len, self.chunks))

    def blob_id(self) -> Digest:
        return digest_chunks(self.chunks)


@pytest.fixture
def encode() -> Callable[..., Encoded]:
    """`encode(b"…", codec="raw")`."""

    def encode(*chunks: bytes, codec: str = "raw") -> Encoded:
        return Encoded(codec, chunks)

    return encode


@pytest.fixture(params=["repository", "memory", "database", "database in parts", "overflow"])
def store(request: pytest.FixtureRequest, tmp_path: Path) -> BlobStore:
    """Each store of each kind in turn."""
    match request.param:
        case "repository":
            return RepositoryBlobs(tmp_path / "blobs")
        case "memory":
            return MemoryBlobs()
        case "database":
            return DatabaseBlobs(Database(None, lambda _: None))
        case "overflow":
            ledger = Ledger(Database(None, lambda _: None), tmp_path)
            return with_overflow(MemoryBlobs(), ledger, Overflow(tmp_path / "large", 1000))
        case _:
            return DatabaseBlobs(Database(None, lambda _: None), part_size=1000)


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """Where a repository's blobs go."""
    return tmp_path / "blobs"
