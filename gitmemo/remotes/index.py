"""The index of a remote pack: which value lies where in it.

Not trusted: it says where to look, the blob id says whether that is it.
Invariant: reading one gives well-formed slots or raises `ValueError`, whatever
the bytes.
"""

from __future__ import annotations

import json
import os
import re
import secrets
from collections.abc import Collection, Iterable, Iterator
from contextlib import suppress
from pathlib import Path
from typing import NamedTuple

from gitmemo.hashing.digest import Digest, digest, from_text, to_hex, to_text

LARGEST_INDEX = 32 << 20
MOST_SLOTS = 1 << 18
"""More are in no index: each takes 500 bytes of memory, ten times what it takes in the index."""
LARGEST_UNPACKED = 16 << 20  # unpacked in memory; what is larger is in no pack, or as it is
_SINGLES = "singles"
_NUMBER = rb"(0|[1-9][0-9]{0,18})"
_LINE = re.compile(
    rb'^\["([A-Za-z0-9_-]{43})",' + _NUMBER + rb"," + _NUMBER + rb',"([a-z0-9][a-z0-9._+-]{0,63})"'
    rb'(?:,"([a-z0-9]{1,16})",' + _NUMBER + rb")?\]$",
    re.MULTILINE,
)


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
    """Return the index object: one JSON line a value."""
    return b"".join(_line(slot) for slot in slots)


def _line(slot: Slot) -> bytes:
    line = [to_text(slot.blob), slot.offset, slot.length, slot.codec]
    if slot.method:
        line += [slot.method, slot.unpacked]
    return json.dumps(line, separators=(",", ":")).encode() + b"\n"


def read_index(data: bytes) -> tuple[Slot, ...]:
    """Read what `write_index` wrote: those bytes and no others."""
    if len(data) > LARGEST_INDEX or not data.endswith(b"\n"):
        raise ValueError("the index is too long or cut short")
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


class IndexCache:
    """What was seen on a remote before. A derived folder: it may be deleted, and is never needed.

    One folder for each name and address: a hostile remote could otherwise put
    a wrong index of a pack that another remote holds as well.
    """

    def __init__(self, directory: Path | None, name: str, url: str) -> None:
        address = to_hex(digest(url.encode("utf-8", "surrogatepass")))[:16]
        self._folder = None if directory is None else directory / f"{name}-{address}"

    def get(self, pack: Digest, size: int | None = None) -> tuple[Slot, ...] | None:
        """Return the slots of `pack`, or None if they are not known, not readable or not `size`."""
        if self._folder is None:
            return None
        try:
            data = (self._folder / f"{to_hex(pack)}.idx").read_bytes()
            return read_index(data) if size in (None, len(data)) else None
        except (OSError, ValueError):
            return None

    def put(self, pack: Digest, data: bytes) -> None:
        """Remember the index of `pack`."""
        self._write(f"{to_hex(pack)}.idx", data)

    def covered(self, catalogue: Digest) -> frozenset[Digest] | None:
        """Return the packs whose indexes lie in `catalogue`, or None if that is not known."""
        if self._folder is None:
            return None
        try:
            lines = (self._folder / f"{to_hex(catalogue)}.cat").read_text("ascii").splitlines()
            return frozenset(Digest(bytes.fromhex(line)) for line in lines)
        except (OSError, ValueError):
            return None

    def put_covered(self, catalogue: Digest, packs: Iterable[Digest]) -> None:
        """Remember the packs whose indexes lie in `catalogue`."""
        self._write(f"{to_hex(catalogue)}.cat", "".join(f"{to_hex(p)}\n" for p in packs).encode())

    def signatures(self, name: Digest) -> bytes | None:
        """Return a list of signed values that was read before; whoever reads it checks it again."""
        if self._folder is None:
            return None
        try:
            return (self._folder / f"{to_hex(name)}.sig").read_bytes()
        except OSError:
            return None

    def put_signatures(self, name: Digest, data: bytes) -> None:
        """Remember a list of signed values."""
        self._write(f"{to_hex(name)}.sig", data)

    def put_singles(self, blobs: Iterable[Digest]) -> None:
        """Remember which values are objects of their own, instead of those remembered before."""
        self._write(_SINGLES, "".join(f"{to_hex(blob)}\n" for blob in blobs).encode())

    def add_single(self, blob: Digest) -> None:
        """Remember one more value that is an object of its own."""
        if self._folder is None:
            return
        with suppress(OSError):
            self._folder.mkdir(parents=True, exist_ok=True)
            with (self._folder / _SINGLES).open("a", encoding="ascii") as file:
                file.write(f"{to_hex(blob)}\n")

    def keep(self, packs: Collection[Digest]) -> None:
        """Forget the indexes of all packs but these, which a listing has just shown."""
        if self._folder is None or not self._folder.is_dir():
            return
        names = {f"{to_hex(pack)}.idx" for pack in packs}
        for path in self._folder.glob("*.idx"):
            if path.name not in names:
                with suppress(OSError):
                    path.unlink()

    def blobs(self) -> frozenset[Digest]:
        """Return the values that were on the remote when it was last looked at."""
        return frozenset(self._blobs())

    def _blobs(self) -> Iterator[Digest]:
        if self._folder is None or not self._folder.is_dir():
            return
        for path in self._folder.glob("*.idx"):
            with suppress(OSError, ValueError):
                yield from (slot.blob for slot in read_index(path.read_bytes()))
        with suppress(OSError, ValueError):
            for line in (self._folder / _SINGLES).read_text("ascii").splitlines():
                yield Digest(bytes.fromhex(line))

    def _write(self, name: str, data: bytes) -> None:
        if self._folder is None:
            return
        with suppress(OSError):  # a cache that cannot be written is only slower
            self._folder.mkdir(parents=True, exist_ok=True)
            temporary = self._folder / f".tmp-{os.getpid()}-{secrets.token_hex(8)}"
            temporary.write_bytes(data)
            temporary.replace(self._folder / name)
