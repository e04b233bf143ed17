"""fsspec's drivers: which package each needs, and how it is told to behave.

Not the moving of bytes (`objects`). Invariant: a driver keeps no listing; where it can be told
(S3, SFTP) it gives up in bounded time on a server that is silent and repeats nothing itself, and
where it cannot (Google, Azure) we repeat once.
"""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING

from gitmemo.errors import RemoteDriverMissing, RemoteInvalid
from gitmemo.remotes.config import RemoteConfig
from gitmemo.remotes.retry import SETTINGS, Patience, patience_of

if TYPE_CHECKING:
    from fsspec import AbstractFileSystem

S3 = ("s3", "s3a")
SFTP = ("sftp", "ssh")
_EXTRAS = {
    "s3": "gitmemo[s3]",
    "s3a": "gitmemo[s3]",
    "gs": "gitmemo[gcs]",
    "gcs": "gitmemo[gcs]",
    "abfs": "gitmemo[azure]",
    "abfss": "gitmemo[azure]",
    "az": "gitmemo[azure]",
    "sftp": "gitmemo[ssh]",
    "ssh": "gitmemo[ssh]",
}
_CONNECTIONS = 16


def has_folders(config: RemoteConfig) -> bool:
    """Say whether a folder must be made before something is put into it."""
    # Object stores have none, and s3fs would try to create the bucket.
    return config.protocol not in _EXTRAS or config.protocol in SFTP


def patience(config: RemoteConfig) -> Patience:
    """Return how long a remote is waited for."""
    # The SDKs of Google and Azure repeat everything several times themselves.
    repeats_itself = config.protocol in _EXTRAS and config.protocol not in (*S3, *SFTP)
    return patience_of(
        config.name, config.options, Patience(retries=1) if repeats_itself else Patience()
    )


class Drivers:
    """The open drivers of one remote."""

    def __init__(self, config: RemoteConfig, *, thorough: bool = False) -> None:
        self._config, self._thorough = config, thorough
        self._idle: list[tuple[int, AbstractFileSystem, str]] = []
        self._shared = config.protocol not in SFTP

    @contextmanager
    def one(self) -> Iterator[tuple[AbstractFileSystem, str]]:
        """Lend a driver, and where in it the remote begins.

        Threads share one, except for SFTP: two who ask on one connection wait for
        each other's answers for ever, and a connection that failed stays broken.
        """
        opened = self._idle[-1:] if self._shared else self._taken()
        # Drivers keep an event loop and connections that do not survive a fork.
        if not opened or opened[0][0] != os.getpid():
            opened = [(os.getpid(), *open_driver(self._config, thorough=self._thorough))]
            if self._shared:
                self._idle = opened
        try:
            yield opened[0][1:]
        except FileNotFoundError:
            self._give_back(opened)
            raise
        self._give_back(opened)

    def _taken(self) -> list[tuple[int, AbstractFileSystem, str]]:
        try:
            return [self._idle.pop()]
        except IndexError:
            return []

    def _give_back(self, opened: list[tuple[int, AbstractFileSystem, str]]) -> None:
        if not self._shared:
            self._idle.extend(opened)


def open_driver(config: RemoteConfig, *, thorough: bool = False) -> tuple[AbstractFileSystem, str]:
    """Return the driver of a remote, or what has its methods, and where in it the remote begins.

    A `thorough` one takes no answer for a listing that is none, and starts more slowly.
    """
    if config.protocol in S3 and not thorough:
        from gitmemo.remotes.bucket import open_bucket

        if opened := open_bucket(config, patience(config), lambda: _opened(config)[0]):
            return opened
    return _opened(config)


def _opened(config: RemoteConfig) -> tuple[AbstractFileSystem, str]:
    """Return fsspec's driver of a remote, and where in it the remote begins."""
    try:
        from fsspec.core import url_to_fs
    except ImportError:
        raise RemoteDriverMissing(config.name, config.shown_url, "fsspec") from None
    try:
        fs, root = url_to_fs(config.url, skip_instance_cache=True, **driver_options(config))
    except ImportError as error:
        raise RemoteDriverMissing(
            config.name, config.shown_url, _requirement(config, error)
        ) from error
    except (ValueError, TypeError) as error:
        raise RemoteInvalid(
            config.name, str(error), "see `gitmemo remote add --help` for addresses and options"
        ) from error
    if config.protocol in S3:
        fs.retries = 1  # an attribute only: how often it tries
    if config.protocol in SFTP:
        fs.ftp.get_channel().settimeout(patience(config).timeout_s)
    return fs, root.rstrip("/")


def driver_options(config: RemoteConfig) -> dict[str, object]:
    """Return the arguments of the fsspec driver that the options of `config` stand for."""
    options: dict[str, object] = {
        k: _flag(v) for k, v in config.options.items() if k not in SETTINGS
    }
    waits = patience(config)
    if config.protocol in SFTP:
        return _sftp_options(options, waits)
    options["use_listings_cache"] = False  # `exists` would miss what others wrote since `ls`
    if config.protocol in S3:
        _add_s3_options(options, waits)
    return options


def _add_s3_options(options: dict[str, object], waits: Patience) -> None:
    from gitmemo.remotes.s3_session import PatientSession  # aiobotocore is slow to import

    client: dict[str, object] = {}
    _move(options, "endpoint_url", client, "endpoint_url")
    _move(options, "region", client, "region_name")
    if client:
        options["client_kwargs"] = client
    options["config_kwargs"] = {
        "retries": {"max_attempts": 0},
        "connect_timeout": waits.connect_timeout_s,
        "read_timeout": waits.timeout_s,
        "max_pool_connections": _CONNECTIONS,
        "http_session_cls": PatientSession,
    }
    # Values travel beside each other, not the pieces of one: else each would
    # be asked for its size first, and hold ten pieces of 50 MB.
    options["max_concurrency"] = 1


def _sftp_options(options: dict[str, object], waits: Patience) -> dict[str, object]:
    from gitmemo.remotes.ssh import host_key_policy

    times = dict.fromkeys(("timeout", "banner_timeout", "auth_timeout"), waits.connect_timeout_s)
    if isinstance(port := options.get("port"), str) and port.isdigit():
        options["port"] = int(port)  # known_hosts names another port only
    return {**times, **options, "host_key_policy": host_key_policy()}


def _requirement(config: RemoteConfig, error: ImportError) -> str:
    protocol = config.protocol or ""
    if protocol in _EXTRAS:
        return _EXTRAS[protocol]
    # fsspec words an ImportError of its own; the first one names the module.
    cause = error.__cause__
    return (cause.name if isinstance(cause, ImportError) else None) or error.name or protocol


def _flag(value: str) -> str | bool:
    return {"true": True, "false": False}.get(value.lower(), value)


def _move(source: dict[str, object], old: str, target: dict[str, object], new: str) -> None:
    if old in source:
        target[new] = source.pop(old)
