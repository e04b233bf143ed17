"""A remote behind fsspec: S3 and what speaks it, Google, Azure, SFTP, memory.

Not for directories (`directory`). Invariant: nothing is believed from a cache
of the driver, and every failure of a driver becomes one of our errors, except
that an absent object stays `FileNotFoundError`.
"""

from __future__ import annotations

import os
from collections.abc import Iterator, Sequence
from contextlib import contextmanager, suppress
from datetime import UTC
from pathlib import Path
from typing import TYPE_CHECKING

from gitmemo.errors import RemoteDriverMissing, RemoteInvalid, RemoteUnreachable
from gitmemo.remotes.config import RemoteConfig
from gitmemo.remotes.transport import CHUNK_SIZE

if TYPE_CHECKING:
    from fsspec import AbstractFileSystem

_EXTRAS = {
    "s3": "gitmemo[s3]",
    "s3a": "gitmemo[s3]",
    "gs": "gitmemo[gcs]",
    "gcs": "gitmemo[gcs]",
    "abfs": "gitmemo[azure]",
    "abfss": "gitmemo[azure]",
    "az": "gitmemo[azure]",
}


class ObjectTransport:
    """Objects under a URL."""

    def __init__(self, config: RemoteConfig) -> None:
        self._config = config
        self._opened: tuple[int, AbstractFileSystem, str] | None = None

    def listing(self) -> dict[str, int | None]:
        """Return the size of every object, by name."""
        fs, root = self._fs()
        with self._reaching():
            try:
                found = fs.find(root, detail=True)
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
        with self._reaching():
            return bytes(fs.cat_file(f"{root}/{name}"))

    def read_ranges(self, name: str, ranges: Sequence[tuple[int, int]]) -> list[bytes]:
        """Return the bytes of each range."""
        fs, root = self._fs()
        starts, ends = [start for start, _ in ranges], [end for _, end in ranges]
        with self._reaching():
            paths = [f"{root}/{name}"] * len(ranges)
            return [bytes(data) for data in fs.cat_ranges(paths, starts, ends, on_error="raise")]

    def stream(self, name: str, size: int) -> Iterator[bytes]:
        """Yield an object in pieces."""
        fs, root = self._fs()
        for start in range(0, size, CHUNK_SIZE):
            with self._reaching():
                end = min(start + CHUNK_SIZE, size)
                data = bytes(fs.cat_file(f"{root}/{name}", start=start, end=end))
            yield data

    def write(self, name: str, data: bytes) -> None:
        """Create or replace an object."""
        fs, root = self._fs()
        with self._reaching(), self._writing():
            self._make_folder(fs, f"{root}/{name}")
            fs.pipe_file(f"{root}/{name}", data)

    def upload(self, name: str, path: Path) -> None:
        """Create or replace an object from a file."""
        fs, root = self._fs()
        with self._reaching(), self._writing():
            self._make_folder(fs, f"{root}/{name}")
            fs.put_file(str(path), f"{root}/{name}")

    def write_new(self, name: str, data: bytes) -> bool:
        """Create an object unless there is one; say whether it was written."""
        fs, root = self._fs()
        with self._reaching(), self._writing():
            self._make_folder(fs, f"{root}/{name}")
            try:
                fs.pipe_file(f"{root}/{name}", data, mode="create")
            except FileExistsError:
                return False
        return True

    def delete(self, name: str) -> None:
        """Remove an object; one that is not there is removed."""
        fs, root = self._fs()
        with self._reaching(), suppress(FileNotFoundError):
            fs.rm_file(f"{root}/{name}")

    def written_at(self, name: str) -> float | None:
        """Return when an object was written; None where the driver does not say."""
        fs, root = self._fs()
        with self._reaching():
            try:
                moment = fs.modified(f"{root}/{name}")
            except NotImplementedError:
                return None
        if moment.tzinfo is None:
            moment = moment.replace(tzinfo=UTC)
        return float(moment.timestamp())

    def _make_folder(self, fs: AbstractFileSystem, path: str) -> None:
        # Object stores have no folders, and s3fs would try to create the bucket.
        if self._config.protocol not in _EXTRAS:
            fs.makedirs(path.rpartition("/")[0], exist_ok=True)

    def _fs(self) -> tuple[AbstractFileSystem, str]:
        # Drivers keep an event loop and connections that do not survive a fork.
        opened = self._opened
        if opened is None or opened[0] != os.getpid():
            opened = self._opened = (os.getpid(), *self._open())
        return opened[1:]

    def _open(self) -> tuple[AbstractFileSystem, str]:
        config = self._config
        try:
            from fsspec.core import url_to_fs
        except ImportError:
            raise RemoteDriverMissing(config.name, config.url, "fsspec") from None
        try:
            fs, root = url_to_fs(
                config.url,
                use_listings_cache=False,  # `exists` would miss what others wrote since `ls`
                skip_instance_cache=True,
                **driver_options(config),
            )
        except ImportError as error:
            raise RemoteDriverMissing(config.name, config.url, self._requirement(error)) from error
        except (ValueError, TypeError) as error:
            raise RemoteInvalid(
                config.name, str(error), "see `gitmemo remote add --help` for addresses and options"
            ) from error
        return fs, root.rstrip("/")

    def _requirement(self, error: ImportError) -> str:
        protocol = self._config.protocol or ""
        if protocol in _EXTRAS:
            return _EXTRAS[protocol]
        # fsspec words an ImportError of its own; the first one names the module.
        cause = error.__cause__
        return (cause.name if isinstance(cause, ImportError) else None) or error.name or protocol

    @contextmanager
    def _writing(self) -> Iterator[None]:
        try:
            yield
        except FileNotFoundError as error:
            reason = "there is no such bucket or folder"
            raise RemoteUnreachable(self._config.name, self._config.url, reason) from error

    @contextmanager
    def _reaching(self) -> Iterator[None]:
        try:
            yield
        except (FileNotFoundError, RemoteUnreachable):
            raise
        # Drivers raise the classes of their own SDK, which cannot be imported
        # here: whatever comes, the remote could not be used.
        except Exception as error:
            reason = f"{type(error).__name__}: {error}" if str(error) else type(error).__name__
            raise RemoteUnreachable(self._config.name, self._config.url, reason) from error


def driver_options(config: RemoteConfig) -> dict[str, object]:
    """Return the arguments of the fsspec driver that the options of `config` stand for."""
    options: dict[str, object] = {k: _flag(v) for k, v in config.options.items()}
    if config.protocol in ("s3", "s3a"):
        client: dict[str, object] = {}
        _move(options, "endpoint_url", client, "endpoint_url")
        _move(options, "region", client, "region_name")
        if client:
            options["client_kwargs"] = client
    return options


def _flag(value: str) -> str | bool:
    return {"true": True, "false": False}.get(value.lower(), value)


def _move(source: dict[str, object], old: str, target: dict[str, object], new: str) -> None:
    if old in source:
        target[new] = source.pop(old)
