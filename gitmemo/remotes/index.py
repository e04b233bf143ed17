"""The index of a remote pack: which value lies where in it.

Not trusted: it says where to look, the blob id says whether that is it.
Invariant: reading one gives well-formed slots or raises `ValueError`, whatever
the bytes.
"""

from __future__ import annotations

import json
import os
import secrets
from collections.abc import Collection, Iterable, Iterator
from contextlib import suppress
from pathlib import Path
from typing import NamedTuple

from gitmemo.blobs.store import is_codec_name
from gitmemo.hashing.digest import Digest, digest, from_text, to_hex, to_text

_LARGEST_INDEX = 64 << 20
_SINGLES = "singles"


class Slot(NamedTuple):
    """Where a payload lies in a pack."""

    blob: Digest
    offset: int
    length: int
    codec: str


def write_index(slots: Iterable[Slot]) -> bytes:
    """Return the index object: one JSON line a value."""
    lines = ([to_text(s.blob), s.offset, s.length, s.codec] for s in slots)
    return b"".join(json.dumps(line, separators=(",", ":")).encode() + b"\n" for line in lines)


def read_index(data: bytes) -> tuple[Slot, ...]:
    """Read what `write_index` wrote."""
    if len(data) > _LARGEST_INDEX or not data.endswith(b"\n"):
        raise ValueError("the index is too long or cut short")
    try:
        return tuple(_read_line(line) for line in data[:-1].split(b"\n"))
    except (TypeError, RecursionError) as error:
        raise ValueError(str(error)) from None


def _read_line(line: bytes) -> Slot:
    blob, offset, length, codec = json.loads(line)
    if not (type(offset) is int and type(length) is int and offset >= 0 and length >= 0):
        raise ValueError("offset and length must be numbers")
    if not (isinstance(blob, str) and isinstance(codec, str) and is_codec_name(codec)):
        raise ValueError("blob id and codec must be names")
    return Slot(from_text(blob), offset, length, codec)


class IndexCache:
    """What was seen on a remote before. A derived folder: it may be deleted, and is never needed.

    One folder for each name and address: a hostile remote could otherwise put
    a wrong index of a pack that another remote holds as well.
    """

    def __init__(self, directory: Path | None, name: str, url: str) -> None:
        address = to_hex(digest(url.encode("utf-8", "surrogatepass")))[:16]
        self._folder = None if directory is None else directory / f"{name}-{address}"

    def get(self, pack: Digest) -> tuple[Slot, ...] | None:
        """Return the slots of `pack`, or None if they are not known or not readable."""
        if self._folder is None:
            return None
        try:
            return read_index((self._folder / f"{to_hex(pack)}.idx").read_bytes())
        except (OSError, ValueError):
            return None

    def put(self, pack: Digest, data: bytes) -> None:
        """Remember the index of `pack`."""
        self._write(f"{to_hex(pack)}.idx", data)

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
