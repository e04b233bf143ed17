"""How ids are derived from other ids.

Not content ids of values (`gitmemo.hashing`). Invariant: an id is a function
of the parts named here and of nothing else; each kind has its own tag, so that
ids of two kinds never meet.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Protocol

from gitmemo.hashing.digest import Digest, digest

_LENGTH_BYTES = 4


class _Identified(Protocol):
    """An input by name and content."""

    @property
    def name(self) -> str: ...
    @property
    def cid(self) -> Digest: ...


def derive(tag: str, *parts: bytes) -> Digest:
    """Return BLAKE3 over `tag` and `parts`, each preceded by its length (4 bytes, little-endian)."""
    data = bytearray()
    for part in (tag.encode(), *parts):
        data += len(part).to_bytes(_LENGTH_BYTES, "little")
        data += part
    return digest(data)


def op_key(op: str, op_version: int) -> bytes:
    """Return the part of a look-up key that does not change from call to call."""
    return derive("op", op.encode(), str(op_version).encode())


def call_key(prefix: bytes, inputs: Iterable[tuple[str, Digest]]) -> Digest:
    """Return the look-up key of a call: its op and the content id of each input, by name."""
    data = bytearray(prefix)
    for name, cid in sorted(inputs):
        raw = name.encode()
        data += len(raw).to_bytes(_LENGTH_BYTES, "little")
        data += raw
        data += cid
    return digest(data)


def call_hid(
    op: str, op_version: int, version: Digest | None, inputs: Iterable[tuple[str, Digest]]
) -> Digest:
    """Return the history id of a call, from the history ids of its inputs."""
    parts: list[bytes] = [op.encode(), str(op_version).encode(), version or b""]
    for name, hid in sorted(inputs):
        parts += (name.encode(), hid)
    return derive("call", *parts)


def output_hid(call: Digest, name: str) -> Digest:
    """Return the history id of one output of a call."""
    return derive("output", call, name.encode())


def unkept_cid(
    op: str,
    op_version: int,
    version: Digest | None,
    inputs: Iterable[_Identified],
    name: str,
) -> Digest:
    """Return what stands for the content of an output of which not even an id is kept: its call."""
    call = call_hid(op, op_version, version, [(slot.name, slot.cid) for slot in inputs])
    return derive("unkept", call, name.encode())


def raw_hid(cid: Digest) -> Digest:
    """Return the history id of a value that came from outside: it has no history."""
    return derive("raw", cid)
