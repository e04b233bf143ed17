"""The form of a value inside a remote pack: as it is, or compressed where that pays.

Not for values that are objects of their own: those are streamed, resumed by ranges and
known to be whole by their size, all of which compression would take away.
Invariant: the form depends on codec and bytes alone, and what is unpacked is
never longer than the slot says, whatever the bytes.
"""

from __future__ import annotations

import zlib

from gitmemo.blobs.entry import compressed_header, header
from gitmemo.hashing.digest import Digest
from gitmemo.remotes.index import LARGEST_UNPACKED, PLAIN, ZLIB, Slot

# The fastest level: higher ones take three to five times as long for a tenth less.
_LEVEL = 1
_NOT_BELOW = 512  # what little is saved is not worth 10 µs a value
_SAMPLED_FROM = 16 << 10
_SAMPLE = 4 << 10


def stored_form(
    blob: Digest, codec: str, data: bytes, at: int, seed: int
) -> tuple[Slot, bytes, bytes]:
    """Return the slot of a value whose entry begins at `at`, the entry's header and its payload."""
    packed = _compressed(data)
    if packed is None:
        head = header(blob, codec, len(data), seed)
        return Slot(blob, at + len(head), len(data), codec), head, data
    head = compressed_header(blob, codec, len(packed), len(data), seed)
    slot = Slot(blob, at + len(head), len(packed), codec, ZLIB, len(data))
    return slot, head, packed


def payload(slot: Slot, data: bytes | memoryview) -> bytes | memoryview:
    """Return the bytes of the value whose stored form is `data`; `ValueError` if it is not one."""
    if slot.method == PLAIN:
        return data
    if slot.method != ZLIB:
        raise ValueError(f"compressed in a way that is not known here: {slot.method}")
    unpacker = zlib.decompressobj()
    try:
        # One more than expected, so that a longer value shows without being unpacked.
        found = unpacker.decompress(data, slot.size + 1)
    except zlib.error as error:
        raise ValueError(str(error)) from None
    if len(found) != slot.size or not unpacker.eof or unpacker.unused_data:
        raise ValueError("it does not unpack to what its slot says")
    return found


def _compressed(data: bytes) -> bytes | None:
    """Return `data` compressed, or None where that saves less than an eighth."""
    if not _NOT_BELOW <= len(data) <= LARGEST_UNPACKED:
        return None
    if len(data) >= _SAMPLED_FROM and not _pays(_sample(data)):
        return None
    packed = zlib.compress(data, _LEVEL)
    return packed if len(packed) * 8 <= len(data) * 7 else None


def _pays(data: bytes) -> bool:
    return len(zlib.compress(data, _LEVEL)) * 8 <= len(data) * 7


def _sample(data: bytes) -> bytes:
    """Return the beginning, the middle and the end: a header alone would speak for anything."""
    middle = (len(data) - _SAMPLE) // 2
    return data[:_SAMPLE] + data[middle : middle + _SAMPLE] + data[-_SAMPLE:]
