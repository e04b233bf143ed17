"""The values of one origin: packs for small ones, files for large ones.

Not the choice between origins (`repository`). Invariant: every byte that
leaves here was hashed and found equal to its blob id.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from contextlib import suppress
from itertools import chain
from pathlib import Path

from gitmemo.blobs import leases
from gitmemo.blobs.files import CheckedFiles
from gitmemo.blobs.marks import VerifiedMarks
from gitmemo.blobs.packs import PackFolder, Place
from gitmemo.blobs.store import SELF, Chunk, ReadFrom, StoredBlob, checked
from gitmemo.errors import BlobCorrupt
from gitmemo.hashing.digest import Digest, digest, to_hex

SMALL_LIMIT = 64 << 10
"""Values shorter than this share packs."""


class OriginBlobs:
    """One folder of the store: `self`, or `remote/NAME`."""

    def __init__(self, folder: Path, origin: str, marks: VerifiedMarks) -> None:
        self.origin = origin
        self._folder = folder
        self._store = folder.parent if origin == SELF else folder.parent.parent
        self._packs = PackFolder(folder / "packs")
        self._large = CheckedFiles(folder / "large", origin, marks, folder.parent)

    def refresh(self) -> bool:
        """Notice what other processes have packed, and say whether there was anything."""
        return self._packs.refresh()

    def close(self) -> None:
        """Close the pack being written."""
        self._packs.close()

    def packed_codecs(self, blob: Digest) -> frozenset[str]:
        """Return the codecs that `blob` was written with if it is small, as far as known."""
        return frozenset(place.codec for place in self._packs.places(blob))

    def file_codecs(self, blob: Digest) -> frozenset[str]:
        """Return the codecs that `blob` was written with if it is large."""
        return self._large.codecs(blob)

    def absent(self, blobs: Iterable[Digest]) -> set[Digest]:
        """Return those of `blobs` that are not here, as far as known."""
        return self._large.absent(self._packs.absent(blobs))

    def find(self, blob: Digest, codec: str | None) -> StoredBlob | None:
        """Return `blob`; raise `BlobCorrupt` if every copy is damaged."""
        damage: BlobCorrupt | None = None
        gone: list[Place] = []
        for attempt in chain(
            self._packed(blob, codec, gone),
            self._moved(blob, codec, gone),
            self._large.find(blob, codec),
        ):
            if isinstance(attempt, StoredBlob):
                return attempt
            damage = attempt or damage
        if damage is not None:
            raise damage
        return None

    def put(self, blob: Digest, codec: str, chunks: Iterable[Chunk], size: int) -> None:
        """Keep bytes that are known to be `blob`, unless a sound copy is here."""
        with suppress(BlobCorrupt):  # damaged: write it again
            if self.renew(blob, codec):
                return
        if size < SMALL_LIMIT:
            self._packs.append(blob, codec, b"".join(chunks))
        else:
            self._large.write(blob, codec, chunks)

    def renew(self, blob: Digest, codec: str) -> bool:
        """Say whether a sound copy is here, and make it young; raise `BlobCorrupt` as `find`."""
        return self.find(blob, codec) is not None and self._touch(blob, codec)

    def put_verified(self, blob: Digest, codec: str, chunks: Iterable[Chunk]) -> None:
        """Keep bytes that may be anything, if they turn out to be `blob`."""
        verified = checked(chunks, blob, "what was offered")
        first = b""
        for chunk in verified:
            first += chunk
            if len(first) >= SMALL_LIMIT:
                return self._large.write(blob, codec, chain((first,), verified))
        return self._packs.append(blob, codec, first)

    def put_arriving(self, blob: Digest, codec: str, read_from: ReadFrom) -> None:
        """Keep a large value that may be anything, if it turns out to be `blob`."""
        if not self._large.receive(blob, codec, read_from):
            self.put_verified(blob, codec, read_from(0))

    def _touch(self, blob: Digest, codec: str) -> bool:
        """Make what is here young: somebody is about to name it. Say whether it is here still."""
        with leases.relying(self._store):
            return self._packs.touch(blob, codec) or self._large.touch(blob, codec)

    def _moved(
        self, blob: Digest, codec: str | None, gone: list[Place]
    ) -> Iterator[StoredBlob | BlobCorrupt]:
        """Look again if places are gone: another process has copied what it keeps of their packs."""
        if gone:
            self._packs.refresh()
            yield from self._packed(blob, codec, [])

    def _packed(
        self, blob: Digest, codec: str | None, gone: list[Place]
    ) -> Iterator[StoredBlob | BlobCorrupt]:
        for place in self._packs.places(blob):
            if codec not in (None, place.codec):
                continue
            data = self._packs.read(place)
            if data is None:
                gone.append(place)
                self._packs.forget(blob, place, damaged=False)
            elif digest(data) == blob:
                yield StoredBlob(blob, place.codec, len(data), self.origin, data)
            else:
                self._packs.forget(blob, place, damaged=True)
                yield BlobCorrupt(to_hex(blob), self._where(place), "its bytes have changed")

    def _where(self, place: Place) -> str:
        return f"{self._folder / 'packs' / place.pack} at {place.offset}"
