"""The pack format: how small values lie one after the other in a file.

Not where packs are or who writes them. Invariant: whatever the bytes, a scan
ends, raises nothing, and reports only entries whose header checks out and
whose payload lies inside the file; the payload itself is checked by whoever
reads it. `docs/sharing-format.md` describes every byte.
"""

from __future__ import annotations

import struct
from collections.abc import Callable
from typing import NamedTuple
from zlib import crc32

from gitmemo.blobs.store import is_codec_name
from gitmemo.hashing.digest import Digest

PACK_MAGIC = b"gmpack1\n"
SALT_SIZE = 8
PREAMBLE_SIZE = len(PACK_MAGIC) + SALT_SIZE
NO_SALT = bytes(SALT_SIZE)
"""The salt of packs that are named by their content: equal values, equal name."""

_ENTRY_MAGIC = b"gmb1"
_COMPRESSED_MAGIC = b"gmz1"  # on remotes only, so no scan knows it
_FIXED = struct.Struct("<4s32sQB")  # magic, blob id, payload length, length of the codec's name
_COMPRESSED = struct.Struct(
    "<4s32sQQB"
)  # the same, with the length of the value after the payload's
_CHECK = struct.Struct("<I")
_LONGEST_HEADER = _FIXED.size + 64 + _CHECK.size
# Large enough that packs of tiny values are read in few calls, small enough
# that packs of 60 kB values are skipped through rather than read.
_WINDOW = 8 << 10


Entry = tuple[Digest, str, int, int]
"""Blob id, codec, offset and length of a payload. Bare, as a scan makes 100,000 of them."""


class Scan(NamedTuple):
    """The entries found, and the offset after which nothing complete was seen."""

    entries: list[Entry]
    end: int


def preamble(salt: bytes) -> bytes:
    """Return the first bytes of a pack."""
    return PACK_MAGIC + salt


def seed_of(first_bytes: bytes | bytearray) -> int | None:
    """Return what header checksums start from in this pack, or None if it is no pack.

    The salt makes a value that itself holds the bytes of a pack unable to pass
    for entries when a scan has to find its way again after a damaged header.
    """
    if len(first_bytes) < PREAMBLE_SIZE or not first_bytes.startswith(PACK_MAGIC):
        return None
    return crc32(first_bytes[len(PACK_MAGIC) : PREAMBLE_SIZE])


def header(blob: Digest, codec: str, length: int, seed: int) -> bytes:
    """Return the bytes that stand before a payload."""
    name = codec.encode("ascii")
    data = _FIXED.pack(_ENTRY_MAGIC, blob, length, len(name)) + name
    return data + _CHECK.pack(crc32(data, seed))


def compressed_header(blob: Digest, codec: str, length: int, size: int, seed: int) -> bytes:
    """Return the bytes that stand before `length` bytes that unpack to `size`."""
    name = codec.encode("ascii")
    data = _COMPRESSED.pack(_COMPRESSED_MAGIC, blob, length, size, len(name)) + name
    return data + _CHECK.pack(crc32(data, seed))


def scan(read: Callable[[int, int], bytes], start: int, size: int, seed: int) -> Scan:
    """Find the entries between `start` and `size`, without reading payloads.

    `read(offset, length)` returns at most `length` bytes. An entry that runs
    past `size` is one being written, or one cut short: it ends the scan. After
    a damaged header the scan goes on at the next sound one.
    """
    entries: list[Entry] = []
    names: dict[bytes, str | None] = {}
    unpack, pack_check, fixed_size = _FIXED.unpack_from, _CHECK.pack, _FIXED.size
    at, base, window = start, start, b""
    while at < size:
        i = at - base
        if i + _LONGEST_HEADER > len(window):
            base, i, window = at, 0, read(at, _WINDOW)
        if (codec_at := i + fixed_size) > len(window):
            break
        magic, blob, length, name_length = unpack(window, i)
        check_at = codec_at + name_length
        offset = at + (check_at - i) + 4
        # Spelt out rather than calling `_sound`: this line runs once per stored value.
        check = window[check_at : check_at + 4]
        if magic != _ENTRY_MAGIC or check != pack_check(crc32(window[i:check_at], seed)):
            if (found := _resync(read, at + 1, size, seed)) is None:
                break
            at = found
            continue
        raw = window[codec_at:check_at]
        if raw not in names:
            names[raw] = _codec(raw)
        if offset + length > size:
            break
        if (codec := names[raw]) is not None:
            entries.append((blob, codec, offset, length))
        at = offset + length
    return Scan(entries, at)


def _sound(window: bytes, start: int, check_at: int, seed: int) -> bool:
    stored = window[check_at : check_at + _CHECK.size]
    return len(stored) == _CHECK.size and stored == _CHECK.pack(crc32(window[start:check_at], seed))


def _codec(raw: bytes) -> str | None:
    name = raw.decode("ascii", "replace")
    return name if is_codec_name(name) else None


def _resync(read: Callable[[int, int], bytes], start: int, size: int, seed: int) -> int | None:
    """Return where the next sound header begins, or None."""
    base = start
    while base < size:
        window = read(base, _WINDOW)
        i = window.find(_ENTRY_MAGIC)
        while 0 <= i <= len(window) - _FIXED.size:
            check_at = i + _FIXED.size + window[i + _FIXED.size - 1]
            if _sound(window, i, check_at, seed):
                return base + i
            i = window.find(_ENTRY_MAGIC, i + 1)
        if len(window) <= _LONGEST_HEADER:
            return None
        base += len(window) - _LONGEST_HEADER  # a header may straddle two windows
    return None
