"""A remote: its settings and the way to its bytes.

Not what is pushed or pulled. Invariant: opening one touches nothing; the first
transfer does.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from pathlib import Path

from gitmemo.errors import RemoteTooNew
from gitmemo.remotes.config import RemoteConfig
from gitmemo.remotes.directory import DirectoryTransport
from gitmemo.remotes.drivers import patience
from gitmemo.remotes.layout import LARGEST_MARKER, MARKER, newer_format
from gitmemo.remotes.transport import Transport
from gitmemo.signing_keys import KeyRing


@dataclass(frozen=True, slots=True)
class Remote:
    """A place where values are shared, and the keys that sign what is there."""

    config: RemoteConfig
    transport: Transport
    keys: KeyRing = field(default_factory=KeyRing)

    @property
    def name(self) -> str:
        """The name in the settings."""
        return self.config.name

    def check_format(self) -> None:
        """Raise `RemoteTooNew` if a later gitmemo wrote here."""
        try:
            found = newer_format(self.transport.read(MARKER, LARGEST_MARKER))
        except FileNotFoundError:
            return
        if found is not None:
            raise RemoteTooNew(self.name, self.config.shown_url, found)


def open_remote(
    config: RemoteConfig, root: Path, keys: KeyRing | None = None, *, thorough: bool = False
) -> Remote:
    """Return the remote of `config`; relative directories start at `root`, the repository's.

    What deletes opens it `thorough`: a listing that lacks something would cost values.
    """
    keys = keys or KeyRing()
    if config.protocol in ("http", "https"):
        from gitmemo.remotes.web import WebTransport  # urllib is slow to import

        return Remote(config, WebTransport(config, patience(config)), keys)
    if config.protocol is not None:
        from gitmemo.remotes.objects import ObjectTransport  # so is what uploads need

        return Remote(config, ObjectTransport(config, thorough=thorough), keys)
    transport = DirectoryTransport(
        config.name, config.shown_url, _directory(config, root), patience(config)
    )
    return Remote(config, transport, keys)


def place_of(config: RemoteConfig, root: Path) -> str:
    """Return where the values lie: the absolute path of a directory, or the URL."""
    if config.protocol is not None:
        return config.shown_url
    return str(_directory(config, root).resolve())


def _directory(config: RemoteConfig, root: Path) -> Path:
    return root / config.folder
