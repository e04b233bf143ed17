"""What a codec is, and what it makes of a value.

Not a codec itself. Invariant: `Encoded` holds every byte that is stored, so
that its blob id can be known before anything is written.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Protocol

from gitmemo.hashing.digest import Digest, digest, digest_chunks

Chunks = Sequence[bytes | memoryview]
Source = bytes | memoryview | Path
"""Stored bytes, or a file that holds exactly them and never changes."""


Parts = Callable[[Digest], "tuple[str, Source]"]
"""What reads the values that others name: content id to codec and bytes."""


@dataclass(frozen=True, slots=True)
class Encoded:
    """A value as bytes.

    Attributes:
        codec: Name of the codec that reads them back.
        chunks: The bytes, in pieces, so that a large array is not copied. A
            piece may be a view of the value: use it before the value changes.
        parts: The other values that the bytes name, by content id; None for one that is stored.
    """

    codec: str
    chunks: Chunks
    parts: Mapping[Digest, Encoded | None] = field(default_factory=dict)

    @property
    def size(self) -> int:
        """Number of bytes."""
        return sum(memoryview(chunk).nbytes for chunk in self.chunks)

    def blob_id(self) -> Digest:
        """Return the name of these bytes."""
        if len(self.chunks) == 1:
            return digest(self.chunks[0])
        return digest_chunks(self.chunks)


class Codec(Protocol):
    """One way to write values. Reading gives a value that nobody else holds."""

    @property
    def name(self) -> str:
        """What records call it; never reused for another format."""
        ...

    @property
    def safe(self) -> bool:
        """Whether reading runs no code that the bytes name."""
        ...

    def encode(self, value: object) -> Chunks | None:
        """Return the bytes of `value`, or None when another codec must take it."""
        ...

    def decode(self, source: Source) -> object:
        """Return the value; raise any exception for bytes that are not this codec's."""
        ...


class CompositeCodec(Protocol):
    """A way to write values that are made of other values, which are stored on their own."""

    @property
    def name(self) -> str:
        """What records call it; never reused for another format."""
        ...

    @property
    def safe(self) -> bool:
        """Whether reading runs no code that the bytes name, apart from the parts' own codecs."""
        ...

    def compose(self, value: object) -> Encoded | None:
        """Return `value` and its parts, or None when another codec must take it."""
        ...

    def assemble(self, source: Source, parts: Parts) -> object:
        """Return the value; raise any exception for bytes that are not this codec's."""
        ...


def read(source: Source) -> bytes:
    """Return all bytes of `source`."""
    return source.read_bytes() if isinstance(source, Path) else bytes(source)
