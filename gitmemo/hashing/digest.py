"""BLAKE3-256 digests: the one hash function of every id in gitmemo.

Not the encoding of values (that is `encoding`), only bytes to 32 bytes.
Invariant: the digest depends on the bytes alone; threads are used only for
speed, and only where they pay.
"""

from __future__ import annotations

import binascii
from collections.abc import Iterable
from typing import NewType

from blake3 import blake3

Digest = NewType("Digest", bytes)
"""32 bytes of BLAKE3."""

SIZE = 32
# Starting threads costs 90 to 300 µs, more than hashing a megabyte on one.
_THREADS_FROM_BYTES = 1 << 22
_URL_SAFE = bytes.maketrans(b"+/", b"-_")
_STANDARD = bytes.maketrans(b"-_+/", b"+/!!")  # "!" is in no base64
_LAST_CHARACTERS = frozenset("AEIMQUYcgkosw048")  # the last of 43 has two spare bits: zeros


def digest(data: bytes | bytearray | memoryview) -> Digest:
    """Return the BLAKE3-256 digest of `data`."""
    if len(data) < _THREADS_FROM_BYTES:
        return Digest(blake3(data).digest())
    return Digest(blake3(data, max_threads=blake3.AUTO).digest())


def digest_chunks(chunks: Iterable[bytes | bytearray | memoryview]) -> Digest:
    """Return the digest of the concatenation of `chunks`, without joining them."""
    hasher = blake3()
    for chunk in chunks:
        hasher.update(chunk)
    return Digest(hasher.digest())


def to_hex(value: Digest) -> str:
    """Return the form that people see: 64 lower-case hex digits."""
    return value.hex()


def to_text(value: Digest) -> str:
    """Return the form that files hold: 43 characters of URL-safe base64, no padding."""
    return binascii.b2a_base64(value, newline=False).translate(_URL_SAFE)[:43].decode("ascii")


def from_text(text: str) -> Digest:
    """Read what `to_text` wrote; raise `ValueError` for anything else."""
    if len(text) != 43:
        raise ValueError(f"{text!r} is not a digest")
    try:
        raw = text.encode("ascii").translate(_STANDARD) + b"="
        value = binascii.a2b_base64(raw, strict_mode=True)
    except ValueError:
        raise ValueError(f"{text!r} is not a digest") from None
    if len(value) != SIZE or text[42] not in _LAST_CHARACTERS:
        raise ValueError(f"{text!r} is not a digest")
    return Digest(value)
