"""The pieces that encodings are made of, and the types without children.

`docs/content-ids.md` specifies them byte by byte. Not the walk over a value
(`encoding`). Invariant: every piece says its own length, so that different
values never have the same bytes.
"""

from __future__ import annotations

import struct
from collections.abc import Callable, Sequence
from typing import Any

from blake3 import blake3

from gitmemo.hashing.digest import Digest

SCHEME = b"gm1"
PART_LIMIT = 64

_THREADS_FROM_BYTES = 1 << 22

_int64 = struct.Struct("<q").pack
_float64 = struct.Struct("<d").pack
_length64 = struct.Struct("<Q").pack
_NAN = b"\0\0\0\0\0\0\xf8\x7f"  # sign and payload of a NaN are accidents
_COUNTS = [bytes([n]) for n in range(255)]
STR_HEADS = [b"s" + count for count in _COUNTS[: PART_LIMIT - 1]]


def part_id(encoded: bytes) -> Digest:
    """Return the content id of the value that has this part."""
    if encoded[:1] == b"M":
        return Digest(encoded[1:])
    return Digest(blake3(SCHEME + encoded).digest())


def part_from_id(content: Digest) -> bytes:
    """Return the part of a value known by its id alone, if its encoding is longer than 64 bytes."""
    return b"M" + content


def short_of(encoded: bytes) -> bytes | None:
    """Return a part if it is the whole encoding of its value; None if it is only an id."""
    return None if encoded[:1] == b"M" else encoded


def count(number: int) -> bytes:
    """Return a length: one byte below 255, else FF and eight bytes, little-endian."""
    return _COUNTS[number] if number < 255 else b"\xff" + _length64(number)


def bulk(tag: bytes, payload: bytes | bytearray | memoryview) -> bytes:
    """Return the part of a length-prefixed payload, without copying a long one.

    A memoryview must be one-dimensional and of bytes.
    """
    size = len(payload)
    head = tag + count(size)
    if len(head) + size <= PART_LIMIT:
        return head + bytes(payload)
    threads = blake3.AUTO if size >= _THREADS_FROM_BYTES else 1
    hasher = blake3(SCHEME + head, max_threads=threads)
    hasher.update(payload)
    return b"M" + hasher.digest()


def raw(payload: bytes | bytearray | memoryview) -> bytes:
    """Return the part of a buffer inside another value: that of equal `bytes`."""
    return bulk(b"b", payload)


def record(name: str, *parts: bytes) -> bytes:
    """Return the encoding of a value that is a name and some parts."""
    encoded = name.encode("ascii")
    return b"".join((b"R", count(len(encoded)), encoded, count(len(parts)), *parts))


def sequence(tag: bytes, parts: Sequence[bytes]) -> bytes:
    """Return the encoding of a container from the parts of its elements."""
    return tag + count(len(parts)) + b"".join(parts)


def collapse(encoded: bytes) -> bytes:
    """Return the part of a value from its encoding."""
    if len(encoded) <= PART_LIMIT:
        return encoded
    return b"M" + blake3(SCHEME + encoded).digest()


# --- leaves: types without children ----------------------------------------


def _none(_: None) -> bytes:
    return b"N"


def _bool(value: bool) -> bytes:
    return b"T" if value else b"F"


def _int(value: int) -> bytes:
    try:
        return b"i" + _int64(value)
    except struct.error:
        return bulk(b"I", value.to_bytes((value.bit_length() >> 3) + 1, "little", signed=True))


def _float(value: float) -> bytes:
    return b"f" + (_float64(value) if value == value else _NAN)


def _complex(value: complex) -> bytes:
    return b"c" + _float(value.real)[1:] + _float(value.imag)[1:]


def _str(value: str) -> bytes:
    try:
        encoded = value.encode()
    except UnicodeEncodeError:
        encoded = value.encode("utf-8", "surrogatepass")
    size = len(encoded)
    return STR_HEADS[size] + encoded if size < PART_LIMIT - 1 else bulk(b"s", encoded)


def _bytearray(value: bytearray) -> bytes:
    return bulk(b"a", value)


def _ellipsis(_: object) -> bytes:
    return b"."


LEAVES: dict[type, Callable[[Any], bytes]] = {
    type(None): _none,
    bool: _bool,
    int: _int,
    float: _float,
    complex: _complex,
    str: _str,
    bytes: raw,
    bytearray: _bytearray,
    type(Ellipsis): _ellipsis,
}
