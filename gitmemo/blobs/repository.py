"""The store of a git repository: `<git common dir>/gitmemo/blobs/`, or one that it shares (`home`).

Not the layout of one origin's values (`origin`). Invariant: the origin of a
value is the folder it lies in, so it survives the loss of every derived file,
and what this machine wrote itself is never shadowed by what it pulled.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from contextlib import suppress
from pathlib import Path

from gitmemo.blobs import leases
from gitmemo.blobs.marks import VerifiedMarks
from gitmemo.blobs.origin import OriginBlobs
from gitmemo.blobs.store import (
    SELF,
    Chunk,
    EncodedValue,
    ReadFrom,
    StoredBlob,
    check_codec_name,
    is_remote_name,
    remote_of,
    remote_origin,
)
from gitmemo.errors import BlobCorrupt
from gitmemo.hashing.digest import Digest


class RepositoryBlobs:
    """A `BlobStore` in a folder that several processes share."""

    def __init__(self, directory: Path, where_now: Callable[[], Path] | None = None) -> None:
        """`where_now` says where the values of the repository lie, once this process relies on it."""
        self._where_now = where_now
        self._used = False
        self._prefers: Callable[[str], bool] | None = None
        self._lie_in(directory)

    def _lie_in(self, directory: Path) -> None:
        self.directory = directory
        self._marks = VerifiedMarks(directory / "verified.jsonl")
        self._own = OriginBlobs(directory / "self", SELF, self._marks)
        self._remotes: dict[str, OriginBlobs] = {}
        self._notice_remotes()

    def put(self, encoded: EncodedValue) -> Digest:
        """Keep `encoded` as this machine's own."""
        self._begin()
        blob = encoded.blob_id()
        self._own.put(blob, check_codec_name(encoded.codec), encoded.chunks, encoded.size)
        return blob

    def put_verified(self, blob: Digest, codec: str, chunks: Iterable[Chunk], origin: str) -> None:
        """Keep bytes from elsewhere, or raise `BlobCorrupt` if they are not `blob`."""
        self._begin()
        self._folder(origin).put_verified(blob, check_codec_name(codec), chunks)

    def put_arriving(self, blob: Digest, codec: str, read_from: ReadFrom, origin: str) -> None:
        """Keep a large value from elsewhere, going on where an earlier attempt was cut off."""
        self._begin()
        self._folder(origin).put_arriving(blob, check_codec_name(codec), read_from)

    def find(self, blob: Digest, codec: str | None = None) -> StoredBlob | None:
        """Return `blob`, preferring own bytes; look for what others wrote before saying None."""
        if codec is not None:
            check_codec_name(codec)
        self._use()
        damage: list[BlobCorrupt] = []
        if found := _sound(self._own, blob, codec, damage):
            return found
        # Another process may have computed it meanwhile: own bytes need no trust.
        if self._own.refresh() and (found := _sound(self._own, blob, codec, damage)):
            return found
        for folder in self._notice_remotes():
            if found := _sound(folder, blob, codec, damage):
                return found
            if folder.refresh() and (found := _sound(folder, blob, codec, damage)):
                return found
        if damage:
            raise damage[0]
        return None

    def codecs(self, blob: Digest) -> frozenset[str]:
        """Return the codecs that `blob` was written with, without reading it."""
        if not (known := self._known_codecs(blob)):
            self._refresh()
            known = self._known_codecs(blob)
        return known

    def missing(self, blobs: Iterable[Digest]) -> set[Digest]:
        """Return those of `blobs` that are not here, without reading any."""
        absent = self._absent(blobs)
        if absent:
            self._refresh()
            absent = self._absent(absent)
        return absent

    def origins(self, blob: Digest, codec: str) -> Iterator[str]:
        """Yield the origins of the copies that are here and were written with `codec`."""
        for folder in (self._own, *self._pulled()):
            packed = folder.packed_codecs(blob)
            if codec in packed or (not packed and codec in folder.file_codecs(blob)):
                yield folder.origin

    def prefer(self, prefers: Callable[[str], bool]) -> None:
        """Look for values in these origins before others: what is there may be trusted."""
        self._prefers = prefers

    def close(self) -> None:
        """Close the packs being written. The store stays usable."""
        for folder in (self._own, *self._pulled()):
            folder.close()

    def _begin(self) -> None:
        """Make the folder that something is to be written to."""
        if not self._used:
            self._follow()
        self.directory.mkdir(parents=True, exist_ok=True)
        self._use()

    def _use(self) -> None:
        """From now on records may name what was found here: nobody is to remove it, or move it."""
        # Waits while somebody moves the values. Who relied on nothing yet goes on where they are now:
        # a program may have computed for hours before it stores its first result.
        while not self._used and leases.use(self.directory):
            self._used = not self._follow()

    def _follow(self) -> bool:
        """Say whether the values went elsewhere; if so look there from now on."""
        now = self.directory if self._where_now is None else self._where_now()
        if now == self.directory:
            return False
        self._lie_in(now)
        return True

    def _known_codecs(self, blob: Digest) -> frozenset[str]:
        folders = [self._own, *self._pulled()]
        # Its size puts a value into packs or into files, so most are spared the listings.
        packed = frozenset[str]().union(*(folder.packed_codecs(blob) for folder in folders))
        return packed or packed.union(*(folder.file_codecs(blob) for folder in folders))

    def _absent(self, blobs: Iterable[Digest]) -> set[Digest]:
        absent = self._own.absent(blobs)
        for folder in self._pulled():
            absent = folder.absent(absent)
        return absent

    def _refresh(self) -> None:
        for folder in (self._own, *self._notice_remotes()):
            folder.refresh()

    def _pulled(self) -> list[OriginBlobs]:
        folders = [folder for _, folder in sorted(self._remotes.items())]
        prefers = self._prefers
        if prefers is not None and len(folders) > 1:
            folders.sort(key=lambda folder: not prefers(folder.origin))
        return folders

    def _notice_remotes(self) -> list[OriginBlobs]:
        for name in _folder_names(self.directory / "remote"):
            self._remote(name)
        return self._pulled()

    def _folder(self, origin: str) -> OriginBlobs:
        name = remote_of(origin)
        return self._own if name is None else self._remote(name)

    def _remote(self, name: str) -> OriginBlobs:
        if name not in self._remotes:
            folder = self.directory / "remote" / name
            # Atomic, so no lock that a forked child could inherit closed.
            self._remotes.setdefault(name, OriginBlobs(folder, remote_origin(name), self._marks))
        return self._remotes[name]


def _sound(
    folder: OriginBlobs, blob: Digest, codec: str | None, damage: list[BlobCorrupt]
) -> StoredBlob | None:
    """Return what `folder` has; a damaged copy goes to `damage`, as another may be sound."""
    try:
        return folder.find(blob, codec)
    except BlobCorrupt as error:
        damage.append(error)
        return None


def _folder_names(directory: Path) -> Iterator[str]:
    with suppress(FileNotFoundError, NotADirectoryError):
        for path in sorted(directory.iterdir()):
            if is_remote_name(path.name) and path.is_dir() and not path.is_symlink():
                yield path.name
