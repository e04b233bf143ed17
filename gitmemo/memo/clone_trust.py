"""The trust of a clone: what its own settings say now, while programs run.

Not the judgement of single values (`trust`). Invariant: trust is given to places and keys, whatever
they are called; giving and taking it counts from the next value that is read.
"""

from __future__ import annotations

from collections.abc import Iterable
from contextlib import suppress
from typing import TYPE_CHECKING

from gitmemo.blobs import SELF, RepositoryBlobs
from gitmemo.blobs.home import notes_folder
from gitmemo.codecs import is_safe
from gitmemo.config import LOCAL, Settings, own_settings, read_settings, signing_key_given
from gitmemo.errors import GitmemoError, UntrustedValue
from gitmemo.hashing.digest import Digest
from gitmemo.memo.trust import Trust
from gitmemo.remote_tables import readable
from gitmemo.remotes.config import RemoteConfig, origin_of
from gitmemo.remotes.origins import address_in, mark_of, name_in
from gitmemo.workspace import Workspace

if TYPE_CHECKING:
    from gitmemo.remotes import WantedBlob


class CloneTrust(Trust):
    """Trust in this machine, and in what the clone of a workspace says."""

    def __init__(self, workspace: Workspace) -> None:
        """From now on, the store of the workspace prefers copies that are trusted."""
        self._workspace = workspace
        self._path = workspace.layout.common_dir / LOCAL
        self._seen: tuple[int, ...] | None = None
        self._keys: frozenset[str] = frozenset()
        self._marks: frozenset[str | None] = frozenset()
        self._look()
        if isinstance(workspace.world.blobs, RepositoryBlobs):
            workspace.world.blobs.prefer(self.covers)

    def covers(self, origin: str) -> bool:
        """Whether values of this origin may be unpickled."""
        if origin == SELF:
            return True
        self._look()
        return origin in self._keys or mark_of(origin) in self._marks

    def refusal(self, what: str, codec: str, origin: str) -> UntrustedValue:
        """Return the error that says where a value came from, and what to do now."""
        settings = self._settings()
        remotes = _remotes(Workspace(self._workspace.layout, settings))
        trusted = tuple(sorted(c.name for c in remotes if self.covers(c.origin)))
        key = _key_in(origin)
        if key is not None:
            return UntrustedValue(what, codec, "", key, trusted=trusted)
        was = name_in(origin)
        there = sorted(c.name for c in remotes if mark_of(c.origin) == mark_of(origin))
        known = (*(c.true_address for c in remotes), *settings.trusted.values())
        address = address_in(origin, notes_folder(self._workspace.layout), known)
        return UntrustedValue(
            what,
            codec,
            was,
            address=None if address is None else readable(address),
            now=was if was in there else next(iter(there), None),
            trusted=trusted,
        )

    def _look(self) -> None:
        """Read again what this clone says, if its file has changed."""
        seen: tuple[int, ...] = ()
        with suppress(OSError):
            found = self._path.stat()
            seen = (found.st_mtime_ns, found.st_size, found.st_ino)
        if seen == self._seen:
            return
        said = own_settings(self._workspace.layout.common_dir)
        self._keys = _key_origins(said)
        self._marks = frozenset(mark_of(origin_of("any", at)) for at in said.trusted.values())
        self._seen = seen

    def _settings(self) -> Settings:
        layout = self._workspace.layout
        if layout.bare:
            return self._workspace.settings
        try:
            return read_settings(layout.root, layout.common_dir)
        except GitmemoError:
            return self._workspace.settings


def untrusted_here(
    workspace: Workspace, config: RemoteConfig, wanted: Iterable[WantedBlob]
) -> frozenset[Digest]:
    """Return what a pull from a trusted remote fetches again: what is here from others only.

    They are values that need trust to be read.
    """
    store, trust = workspace.world.blobs, CloneTrust(workspace)
    if not isinstance(store, RepositoryBlobs) or not trust.covers(config.origin):
        return frozenset()
    found = set[Digest]()
    for item in wanted:
        if not is_safe(item.codec):
            origins = tuple(store.origins(item.blob, item.codec))
            if origins and not any(map(trust.covers, origins)):
                found.add(item.blob)
    return frozenset(found)


def awaiting_trust(workspace: Workspace, config: RemoteConfig, wanted: Iterable[WantedBlob]) -> int:
    """Return how many values are here that can be read only once this remote is trusted."""
    store, trust = workspace.world.blobs, CloneTrust(workspace)
    if not isinstance(store, RepositoryBlobs) or trust.covers(config.origin):
        return 0
    found = 0
    for item in {item.blob: item for item in wanted}.values():
        if not is_safe(item.codec):
            origins = set(store.origins(item.blob, item.codec))
            found += config.origin in origins and not any(map(trust.covers, origins))
    return found


def _remotes(workspace: Workspace) -> list[RemoteConfig]:
    found = []
    for name in workspace.settings.remotes:
        with suppress(GitmemoError):  # one that makes no sense leads nowhere
            found.append(workspace.remote(name))
    return found


def _key_origins(said: Settings) -> frozenset[str]:
    tables, given = said.keys.values(), signing_key_given()
    if not (tables or given):
        return frozenset()
    from gitmemo.remotes.signing import key_origin
    from gitmemo.signing_keys import trusted_ids

    return frozenset(map(key_origin, trusted_ids(tables, given)))


def _key_in(origin: str) -> str | None:
    prefix = "remote:signed_"
    return origin.removeprefix(prefix) if origin.startswith(prefix) else None
