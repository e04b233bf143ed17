"""The files of a repository's store of values, looked at and aged from outside. Not a test."""

from __future__ import annotations

import os
import time
from dataclasses import dataclass
from pathlib import Path

from driver import Clone

from gitmemo.blobs.holding import copies
from gitmemo.hashing.digest import Digest, digest, to_hex

DAY_S = 86_400


def store(clone: Clone) -> Path:
    return clone.root / ".git/gitmemo/blobs"


def blobs(clone: Clone) -> set[str]:
    """What lies in the store, by blob ids in hex."""
    return {to_hex(copy.blob) for copy in copies(store(clone))}


def make_old(clone: Clone, days: float = 30) -> None:
    """Let everything in the store have been written long ago, and nobody use it since."""
    then = time.time() - days * DAY_S
    for folder in ("packs", "large"):
        for path in store(clone).glob(f"**/{folder}/**/*"):
            os.utime(path, (then, then))


@dataclass(frozen=True)
class Encoded:
    """Bytes as a codec gives them."""

    data: bytes
    codec: str = "raw"

    @property
    def chunks(self) -> tuple[bytes, ...]:
        return (self.data,)

    @property
    def size(self) -> int:
        return len(self.data)

    def blob_id(self) -> Digest:
        return digest(self.data)


PUT = """
import sys
from pathlib import Path
from gitmemo.blobs import RepositoryBlobs
from gitmemo.codecs import encode
store = RepositoryBlobs(Path(sys.argv[1]))
for text in sys.argv[2:]:
    print(store.put(encode(int(text) * (b"%d " % int(text)))).hex(), flush=True)
"""
