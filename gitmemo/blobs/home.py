"""Where the values of a repository lie: in its own folder, or in one that it shares with others.

Not the moving of values (`moving`). Invariant: where a shared store is named but not there, it is an
error, never an empty store; and a repository that uses one is registered in it.
"""

from __future__ import annotations

import os
from pathlib import Path

from gitmemo.blobs import leases, shared
from gitmemo.blobs.fingerprint import give_fingerprint
from gitmemo.blobs.repository import RepositoryBlobs
from gitmemo.blobs.shared import Sharer
from gitmemo.config import own_settings
from gitmemo.errors import StoreGone, StoreUnusable
from gitmemo.git.repository import Layout
from gitmemo.settings_files import edit_own, setting

ID = ("store", "id")
PATH = ("store", "path")


def own_folder(layout: Layout) -> Path:
    """Return the folder for the values of this repository alone."""
    return layout.private_dir / "blobs"


def blobs_folder(layout: Layout) -> Path:
    """Return the folder in which this repository has its values; register it if it was moved.

    Raises:
        StoreGone: It is shared, and not there.
        StoreUnusable, NewerFormat: What is there is no store, or not this user's alone.
        BadSetting: This clone's own settings make no sense.
    """
    said = own_settings(layout.common_dir)
    if said.store is None:
        return own_folder(layout)
    try:
        shared.check(said.store)
    except OSError:
        raise StoreGone(str(said.store), str(layout.root)) from None
    keep_registered(layout, said.store, said.store_id)
    return said.store


def repository_blobs(layout: Layout) -> RepositoryBlobs:
    """Return the values of a repository.

    Raises:
        StoreGone, StoreUnusable, NewerFormat, BadSetting: As `blobs_folder`.
    """
    return RepositoryBlobs(blobs_folder(layout), lambda: blobs_folder(layout))


def notes_folder(layout: Layout) -> Path:
    """Return the folder where it is noted what the origins of these values stand for."""
    folder = blobs_folder(layout)
    return layout.private_dir if folder == own_folder(layout) else folder


def is_same(noted: Path | None, common_dir: Path) -> bool:
    """Whether a git folder that was noted is this one, also where it is mounted twice."""
    try:
        return noted is not None and (noted == common_dir or noted.samefile(common_dir))
    except OSError:
        return False


def keep_registered(layout: Layout, folder: Path, ident: str | None) -> None:
    """Register a repository that is not, or is elsewhere now; a copy of one gets its own name.

    Raises:
        StoreUnusable: The store, or the git folder, cannot be written to.
    """
    if _is_registered(layout, folder, ident):
        return
    try:
        # Processes of a copy that begin at once are to give it one name.
        with leases.settling(layout.private_dir):
            ident = own_settings(layout.common_dir).store_id or ident
            if not _is_registered(layout, folder, ident):
                _register(layout, folder, ident)
    except OSError as error:
        advice = f"make {layout.private_dir} writable"
        raise StoreUnusable(
            str(folder), f"this repository cannot be registered: {error}", advice
        ) from None


def _is_registered(layout: Layout, folder: Path, ident: str | None) -> bool:
    known = None if ident is None else shared.registered(folder, ident)
    here = layout.common_dir.resolve()
    return known is not None and is_same(known.common_dir, here) and known.is_now(here)


def _register(layout: Layout, folder: Path, ident: str | None) -> None:
    here = layout.common_dir.resolve()
    mark = give_fingerprint(here)
    known = None if ident is None else shared.registered(folder, ident)
    is_ours = known is None or known.fingerprint == mark or _is_damaged_here(known, here)
    # What has the name, and is another folder, may be anywhere: its registration has to stay.
    ours = ident if ident is not None and is_ours else os.urandom(16).hex()
    if ours != ident:
        # First of all: of a name that its repository does not know, gc elsewhere cannot say who it is.
        edit_own(layout.common_dir, setting(ID, ours))
    shared.register(folder, Sharer(ours, here, layout.root.resolve(), mark))


def _is_damaged_here(known: Sharer, here: Path) -> bool:
    """Whether a registration does not say which folder is meant, and nothing speaks for another."""
    return known.fingerprint is None and known.common_dir in (None, here)
