"""The index of a remote pack: which value lies where in it.

Not trusted: it says where to look, the blob id says whether that is it. The last
line has the BLAKE3 of the others, for a bit that flips on the way would hide a
value from whoever remembers the index. It has the form of a value of no bytes that
nobody wants, which gitmemos of before read as such; the indexes that they write have none.
Invariant: reading one gives well-formed slots or raises `ValueError`, whatever
the bytes.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterable
from typing import NamedTuple

from gitmemo.hashing.digest import Digest, digest, from_text, to_text

LARGEST_INDEX = 32 << 20
MOST_SLOTS = 1 << 18
"""More are in no index: each takes 500 bytes of memory, ten times what it takes in the index."""
LARGEST_UNPACKED = 16 << 20  # unpacked in memory; what is larger is in no pack, or as it is
_NUMBER = rb"(0|[1-9][0-9]{0,18})"
_LINE = re.compile(
    rb'^\["([A-Za-z0-9_-]{43})",' + _NUMBER + rb"," + _NUMBER + rb',"([a-z0-9][a-z0-9._+-]{0,63})"'
    rb'(?:,"([a-z0-9]{1,16})",' + _NUMBER + rb")?\]$",
    re.MULTILINE,
)
_SUM = b'["%s",0,0,"checksum"]\n'
_SUM_BYTES = len(_SUM % bytes(43))
_IS_SUM = re.compile(_SUM.replace(b"[", rb"\[").replace(b"]", rb"\]") % b"([A-Za-z0-9_-]{43})")

PLAIN = ""
ZLIB = "zlib"
METHODS = frozenset({PLAIN, ZLIB})
"""How payloads are compressed, as far as this gitmemo knows."""


class Slot(NamedTuple):
    """Where a payload lies in a pack.

    `length` is what it takes there; `unpacked` is its own length where a
    `method` of compression is named.
    """

    blob: Digest
    offset: int
    length: int
    codec: str
    method: str = PLAIN
    unpacked: int = 0

    @property
    def size(self) -> int:
        """The length of the value itself."""
        return self.unpacked if self.method else self.length

    @property
    def end(self) -> int:
        """Where the payload ends in the pack."""
        return self.offset + self.length


def write_index(slots: Iterable[Slot]) -> bytes:
    """Return the index object: one JSON line a value, and the checksum of these lines."""
    lines = write_lines(slots)
    return lines + _SUM % to_text(digest(lines)).encode()


def write_lines(slots: Iterable[Slot]) -> bytes:
    """Return the index object without a checksum, as it once was."""
    return b"".join(_line(slot) for slot in slots)


def _line(slot: Slot) -> bytes:
    line = [to_text(slot.blob), slot.offset, slot.length, slot.codec]
    if slot.method:
        line += [slot.method, slot.unpacked]
    return json.dumps(line, separators=(",", ":")).encode() + b"\n"


def read_index(data: bytes) -> tuple[Slot, ...]:
    """Read what `write_index` or `write_lines` wrote: those bytes and no others."""
    if len(data) > LARGEST_INDEX or not data.endswith(b"\n"):
        raise ValueError("the index is too long or cut short")
    if checksum := _IS_SUM.fullmatch(data, max(0, len(data) - _SUM_BYTES)):
        data = data[: checksum.start()]
        if from_text(checksum[1].decode("ascii")) != digest(data):
            raise ValueError("the index is not what its checksum says")
    lines = data.count(b"\n")
    if lines > MOST_SLOTS:
        raise ValueError("the index lists too much")
    codecs: dict[bytes, str] = {}
    # An expression rather than `json.loads`: half the time, and nothing to surprise it.
    slots = tuple(_slot(line.groups(b""), codecs) for line in _LINE.finditer(data))
    if len(slots) != lines:
        raise ValueError("a line of the index is malformed")
    return slots


def _slot(line: tuple[bytes, ...], names: dict[bytes, str]) -> Slot:
    text, offset, length, codec, method, unpacked = line
    if (name := names.get(codec)) is None:
        name = names[codec] = codec.decode("ascii")
    blob = from_text(text.decode("ascii"))
    if not method:
        return Slot(blob, int(offset), int(length), name)
    if int(unpacked) > LARGEST_UNPACKED:
        raise ValueError("a compressed value is too long")
    if int(length) > int(unpacked):
        raise ValueError("a compressed value takes more than the value itself")
    return Slot(blob, int(offset), int(length), name, method.decode("ascii"), int(unpacked))
