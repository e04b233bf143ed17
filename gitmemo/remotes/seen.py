"""What was seen on a remote before: indexes, what catalogues cover, signatures, large values.

Not what it holds now (`catalogue` asks). Invariant: nothing here is needed or trusted; a listing
that shows something else wins, but for a directory that shows nothing at all (`catalogue.refuse_gone`).
"""

from __future__ import annotations

import os
import secrets
from collections.abc import Collection, Iterable, Iterator
from contextlib import suppress
from pathlib import Path

from gitmemo.hashing.digest import Digest, digest, to_hex
from gitmemo.remotes.config import RemoteConfig
from gitmemo.remotes.index import Slot, read_index
from gitmemo.remotes.remote import Remote

_SINGLES = "singles"


def seen_on(remote: Remote, cache: Path | None) -> Seen:
    """Return what was seen on `remote` before."""
    return Seen(cache, remote.name, remote.config.address)


def known_on(config: RemoteConfig, cache: Path) -> frozenset[Digest]:
    """Return the values that a remote is known to hold, without asking it."""
    return Seen(cache, config.name, config.address).blobs()


def was_looked_at(config: RemoteConfig, cache: Path) -> bool:
    """Whether anything was ever asked of a remote, as far as that is remembered."""
    return Seen(cache, config.name, config.address).is_begun


def forget_seen(config: RemoteConfig, cache: Path) -> None:
    """Know nothing any more of what a remote held."""
    Seen(cache, config.name, config.address).forget()


class Seen:
    """A derived folder of one remote: it may be deleted, and is never needed.

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

    @property
    def is_begun(self) -> bool:
        """Whether a listing was seen: each leaves which values are objects of their own."""
        return self._folder is not None and (self._folder / _SINGLES).is_file()

    def forget(self) -> None:
        """Forget everything."""
        if self._folder is None or not self._folder.is_dir():
            return
        for path in self._folder.iterdir():
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
