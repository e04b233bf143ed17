"""What every store of encoded values promises.

Not a store itself. Invariant: what a store hands out was checked against its
blob id, and carries the codec and the origin under which it was written, so
that nothing read elsewhere (an index, a listing) can relabel local bytes.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Protocol

from blake3 import blake3

from gitmemo.errors import BlobCorrupt, InvalidName
from gitmemo.hashing.digest import Digest, to_hex
from gitmemo.short_ids import short

SELF = "self"
"""The origin of what this machine encoded itself."""

_REMOTE_PREFIX = "remote:"
# Both become parts of paths, so both are far narrower than a file system allows.
_REMOTE_NAME = re.compile(r"[a-z0-9][a-z0-9_-]{0,63}")
_CODEC_NAME = re.compile(r"[a-z0-9][a-z0-9._+-]{0,63}")

Chunk = bytes | bytearray | memoryview
ReadFrom = Callable[[int], Iterable[Chunk]]
"""Yields the bytes of a value from an offset."""


class EncodedValue(Protocol):
    """What a codec returns: the bytes of one value, in pieces."""

    @property
    def codec(self) -> str: ...
    @property
    def chunks(self) -> Sequence[bytes | memoryview]: ...
    @property
    def size(self) -> int: ...
    def blob_id(self) -> Digest: ...


@dataclass(frozen=True, slots=True)
class StoredBlob:
    """Verified bytes, and what the store knows about them.

    Attributes:
        blob: BLAKE3 of the bytes.
        codec: The codec they were written with.
        size: Their number.
        origin: `self`, or `remote:NAME` for what was pulled.
        source: The bytes, or a read-only file that holds exactly them.
    """

    blob: Digest
    codec: str
    size: int
    origin: str
    source: bytes | Path

    def read(self) -> bytes:
        """Return the bytes, whichever way they are held."""
        return self.source if isinstance(self.source, bytes) else self.source.read_bytes()


class BlobStore(Protocol):
    """A set of encoded values. Every method is safe to repeat and to call from any thread."""

    def put(self, encoded: EncodedValue) -> Digest:
        """Keep `encoded` with origin `self`; when this returns, kill -9 cannot lose it.

        A failing disk raises the `OSError` as it is and leaves nothing half-written.
        """
        ...

    def put_verified(self, blob: Digest, codec: str, chunks: Iterable[Chunk], origin: str) -> None:
        """Keep bytes from elsewhere, or raise `BlobCorrupt` if they are not `blob`."""
        ...

    def put_arriving(self, blob: Digest, codec: str, read_from: ReadFrom, origin: str) -> None:
        """Keep a large value from elsewhere, as `put_verified` does.

        Where values are files, what has arrived when `read_from` fails is kept, and
        the next attempt begins there; it is no value before all of it was checked.
        """
        ...

    def find(self, blob: Digest, codec: str | None = None) -> StoredBlob | None:
        """Return `blob`, or None; raise `BlobCorrupt` if only damaged bytes are left.

        Two codecs may write the same bytes. With `codec`, only bytes written
        with it count. What is both own and pulled counts as `self`.
        """
        ...

    def codecs(self, blob: Digest) -> frozenset[str]:
        """Return the codecs that `blob` was written with, without reading it."""
        ...

    def missing(self, blobs: Iterable[Digest]) -> set[Digest]:
        """Return those of `blobs` that are not here, without reading any."""
        ...


def remote_origin(name: str) -> str:
    """Return the origin of what came from the remote `name`.

    >>> remote_origin("lab")
    'remote:lab'
    """
    return _REMOTE_PREFIX + check_remote_name(name)


def remote_of(origin: str) -> str | None:
    """Return the name of the remote in `origin`, or None for `self`; raise `InvalidName` else."""
    if origin == SELF:
        return None
    if not origin.startswith(_REMOTE_PREFIX):
        raise InvalidName("origin", origin)
    return check_remote_name(origin.removeprefix(_REMOTE_PREFIX))


def is_remote_name(name: str) -> bool:
    """Say whether `name` can name a remote."""
    return _REMOTE_NAME.fullmatch(name) is not None


def check_remote_name(name: str) -> str:
    """Return `name` if it can name a remote; raise `InvalidName` else."""
    if not is_remote_name(name):
        raise InvalidName("remote", name)
    return name


def is_codec_name(name: str) -> bool:
    """Say whether `name` can name a codec."""
    return _CODEC_NAME.fullmatch(name) is not None


def check_codec_name(name: str) -> str:
    """Return `name` if it can name a codec; raise `InvalidName` else."""
    if not is_codec_name(name):
        raise InvalidName("codec", name)
    return name


def checked(chunks: Iterable[Chunk], blob: Digest, where: str) -> Iterator[Chunk]:
    """Pass `chunks` on, then raise `BlobCorrupt` if together they are not `blob`."""
    hasher = blake3()
    for chunk in chunks:
        hasher.update(chunk)
        yield chunk
    if (actual := hasher.digest()) != blob:
        raise BlobCorrupt(to_hex(blob), where, f"the bytes hash to {short(actual)}…")
