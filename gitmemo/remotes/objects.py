"""A remote behind fsspec: S3 and what speaks it, Google, Azure, SFTP, memory.

Not for directories (`directory`) and web servers (`web`). Invariant: nothing is
believed from a cache of the driver, and every failure of a driver becomes one of
our errors, except that an absent object stays `FileNotFoundError`.
"""

from __future__ import annotations

import secrets
from collections.abc import Callable, Iterator, Sequence
from contextlib import suppress
from datetime import UTC, datetime
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, TypeVar

from gitmemo.errors import RemotePlaceMissing, RemoteUnreachable
from gitmemo.remotes.config import RemoteConfig
from gitmemo.remotes.drivers import S3, SFTP, Drivers, has_folders, patience
from gitmemo.remotes.multipart import ONE_PUT_BELOW, upload_in_parts
from gitmemo.remotes.parallel import pause
from gitmemo.remotes.transport import CHUNK_SIZE, Reached, within

if TYPE_CHECKING:
    from fsspec import AbstractFileSystem

Result = TypeVar("Result")


class ObjectTransport:
    """Objects under a URL."""

    def __init__(self, config: RemoteConfig, *, thorough: bool = False) -> None:
        self._config = config
        self._patience = patience(config)
        self._drivers = Drivers(config, thorough=thorough)
        self._empty: frozenset[str] = frozenset()

    def listing(self) -> dict[str, int | None]:
        """Return the size of every object, by name."""

        def find(fs: AbstractFileSystem, root: str) -> dict[str, int | None]:
            prefix = f"{root}/"
            return {
                path.removeprefix(prefix): info.get("size")
                for path, info in fs.find(root, detail=True).items()
                if path.startswith(prefix)
            }

        try:
            sizes = self._reached(find)
        except FileNotFoundError:
            return {}
        self._empty = frozenset(name for name, size in sizes.items() if size == 0)
        return sizes

    def read(self, name: str, most: int) -> bytes:
        """Return a whole object of at most `most` bytes."""
        if name in self._empty:  # services refuse any range of it
            return b""
        data = self._reached(partial(_piece, name, 0, most + 1))
        return within(self._config.name, name, data, most)

    def read_ranges(self, name: str, ranges: Sequence[tuple[int, int]]) -> list[bytes]:
        """Return the bytes of each range."""
        starts, ends = [start for start, _ in ranges], [end for _, end in ranges]

        def read(fs: AbstractFileSystem, root: str) -> list[bytes]:
            paths = [f"{root}/{name}"] * len(ranges)
            return [bytes(data) for data in fs.cat_ranges(paths, starts, ends, on_error="raise")]

        return self._reached(read)

    def stream(self, name: str, size: int, start: int = 0) -> Iterator[bytes]:
        """Yield an object in pieces."""
        while start < size:
            data = self._reached(partial(_piece, name, start, min(start + CHUNK_SIZE, size)))
            if not data:
                return
            yield data
            start += len(data)
            pause()

    def write(self, name: str, data: bytes) -> None:
        """Create or replace an object."""
        self._place(name, lambda fs, path: fs.pipe_file(path, data))

    def upload(self, name: str, path: Path, reached: Reached = lambda _: None) -> None:
        """Create or replace an object from a file."""
        if self._config.protocol in S3 and path.stat().st_size >= ONE_PUT_BELOW:
            self._written(lambda: upload_in_parts(self._reached, name, path, reached))
        else:
            self._place(name, lambda fs, to: fs.put_file(str(path), to))

    def write_new(self, name: str, data: bytes) -> bool:
        """Create an object unless there is one; say whether it was written."""
        try:
            self._place(name, lambda fs, path: fs.pipe_file(path, data, mode="create"))
        except RemoteUnreachable as error:
            if isinstance(error.__cause__, FileExistsError):
                return False
            raise
        return True

    def delete(self, name: str) -> None:
        """Remove an object; one that is not there is removed."""
        with suppress(FileNotFoundError):
            self._reached(lambda fs, root: fs.rm_file(f"{root}/{name}"))

    def written_at(self, name: str) -> float | None:
        """Return when an object was written; None where the driver does not say."""

        def modified(fs: AbstractFileSystem, root: str) -> datetime | None:
            try:
                moment: datetime = fs.modified(f"{root}/{name}")
            except NotImplementedError:
                return None
            return moment if moment.tzinfo is not None else moment.replace(tzinfo=UTC)

        moment = self._reached(modified)
        return None if moment is None else moment.timestamp()

    def _place(self, name: str, put: Callable[[AbstractFileSystem, str], object]) -> None:
        def place(fs: AbstractFileSystem, root: str) -> None:
            path = f"{root}/{name}"
            if has_folders(self._config):
                fs.makedirs(path.rpartition("/")[0], exist_ok=True)
            if self._config.protocol in SFTP:
                _replace(fs, path, put)
            else:
                put(fs, path)

        self._written(lambda: self._reached(place))

    def _written(self, action: Callable[[], None]) -> None:
        try:
            action()
        except FileNotFoundError as error:
            reason = "there is no such bucket or folder"
            raise RemotePlaceMissing(self._config.name, self._config.shown_url, reason) from error

    def _reached(self, action: Callable[[AbstractFileSystem, str], Result]) -> Result:
        """Return what `action` returns, repeated while it may succeed, or raise an error of ours."""

        def attempt() -> Result:
            with self._drivers.one() as (fs, root):
                return action(fs, root)

        return self._patience.reach(self._config.name, self._config.shown_url, attempt)


def _piece(name: str, start: int, end: int, fs: AbstractFileSystem, root: str) -> bytes:
    return bytes(fs.cat_file(f"{root}/{name}", start=start, end=end))


def _replace(
    fs: AbstractFileSystem, path: str, put: Callable[[AbstractFileSystem, str], object]
) -> None:
    """Put under a temporary name first, where others would see a half-written file."""
    temporary = f"{path.rpartition('/')[0]}/.tmp-{secrets.token_hex(8)}"
    try:
        put(fs, temporary)
        fs.mv(temporary, path)
    except BaseException:
        with suppress(Exception):
            fs.rm_file(temporary)
        raise
