"""A remote behind fsspec: S3 and what speaks it, Google, Azure, SFTP, memory.

Not for directories (`directory`) and web servers (`web`). Invariant: nothing is
believed from a cache of the driver, and every failure of a driver becomes one of
our errors, except that an absent object stays `FileNotFoundError`.
"""

from __future__ import annotations

import os
import secrets
from collections.abc import Callable, Iterator, Sequence
from contextlib import suppress
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, TypeVar

from gitmemo.errors import GitmemoError, RemoteUnreachable
from gitmemo.remotes.config import RemoteConfig
from gitmemo.remotes.drivers import S3, SFTP, has_folders, open_driver, patience
from gitmemo.remotes.failures import named
from gitmemo.remotes.multipart import ONE_PUT_BELOW, upload_in_parts
from gitmemo.remotes.parallel import pause
from gitmemo.remotes.transport import CHUNK_SIZE, Reached

if TYPE_CHECKING:
    from fsspec import AbstractFileSystem

Result = TypeVar("Result")


class ObjectTransport:
    """Objects under a URL."""

    def __init__(self, config: RemoteConfig) -> None:
        self._config = config
        self._patience = patience(config)
        self._opened: tuple[int, AbstractFileSystem, str] | None = None

    def listing(self) -> dict[str, int | None]:
        """Return the size of every object, by name."""
        fs, root = self._fs()
        try:
            found = self._reached(lambda: fs.find(root, detail=True))
        except FileNotFoundError:
            return {}
        prefix = f"{root}/"
        return {
            path.removeprefix(prefix): info.get("size")
            for path, info in found.items()
            if path.startswith(prefix)
        }

    def read(self, name: str) -> bytes:
        """Return a whole object."""
        fs, root = self._fs()
        return self._reached(lambda: bytes(fs.cat_file(f"{root}/{name}")))

    def read_ranges(self, name: str, ranges: Sequence[tuple[int, int]]) -> list[bytes]:
        """Return the bytes of each range."""
        fs, root = self._fs()
        paths = [f"{root}/{name}"] * len(ranges)
        starts, ends = [start for start, _ in ranges], [end for _, end in ranges]
        return self._reached(
            lambda: [bytes(data) for data in fs.cat_ranges(paths, starts, ends, on_error="raise")]
        )

    def stream(self, name: str, size: int, start: int = 0) -> Iterator[bytes]:
        """Yield an object in pieces."""
        fs, root = self._fs()
        while start < size:
            end = min(start + CHUNK_SIZE, size)
            data: bytes = self._reached(
                partial(fs.cat_file, f"{root}/{name}", start=start, end=end)
            )
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
            fs, root = self._fs()
            self._writing(
                lambda: upload_in_parts(fs, f"{root}/{name}", path, self._reached, reached)
            )
        else:
            self._place(name, lambda fs, to: fs.put_file(str(path), to))

    def _place(self, name: str, put: Callable[[AbstractFileSystem, str], object]) -> None:
        fs, root = self._fs()
        path = f"{root}/{name}"
        folder = path.rpartition("/")[0]

        def place() -> None:
            if has_folders(self._config):
                fs.makedirs(folder, exist_ok=True)
            if self._config.protocol in SFTP:
                _replace(fs, path, put)
            else:
                put(fs, path)

        self._writing(lambda: self._reached(place))

    def _fs(self) -> tuple[AbstractFileSystem, str]:
        # Drivers keep an event loop and connections that do not survive a fork.
        opened = self._opened
        if opened is None or opened[0] != os.getpid():
            opened = (os.getpid(), *self._reached(lambda: open_driver(self._config)))
            self._opened = opened
        return opened[1:]

    def _writing(self, action: Callable[[], None]) -> None:
        try:
            action()
        except FileNotFoundError as error:
            reason = "there is no such bucket or folder"
            raise RemoteUnreachable(self._config.name, self._config.url, reason) from error

    def _reached(self, action: Callable[[], Result]) -> Result:
        """Return `action()`, repeated while it may succeed, with its failure as an error of ours."""
        try:
            return self._patience.run(action)
        except (FileNotFoundError, GitmemoError):
            raise
        # Drivers raise the classes of their own SDK, which cannot be imported
        # here: whatever comes, the remote could not be used.
        except Exception as error:
            raise named(self._config.name, self._config.url, error) from error


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
