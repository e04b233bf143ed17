"""Where the values of a repository lie: in its own folder, or in one that it shares with others.

Not the moving of values (`moving`). Invariant: where a shared store is named but not there, it is an
error, never an empty store; and a repository that uses one is registered in it.
"""

from __future__ import annotations

from pathlib import Path

from gitmemo.blobs import shared
from gitmemo.blobs.repository import RepositoryBlobs
from gitmemo.blobs.shared import Sharer
from gitmemo.config import own_settings
from gitmemo.errors import BadSetting, StoreGone
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


def sharer_of(layout: Layout, ident: str) -> Sharer:
    """Return a repository as it is registered."""
    return Sharer(ident, layout.common_dir.resolve(), layout.root.resolve())


def is_known_as(common_dir: Path, ident: str) -> bool | None:
    """Whether the repository in a git folder has this name; None if nobody can say."""
    if not common_dir.is_dir():
        return None
    try:
        return own_settings(common_dir).store_id == ident
    except (BadSetting, OSError):
        return None


def is_same(noted: Path | None, common_dir: Path) -> bool:
    """Whether a git folder that was noted is this one, also where it is mounted twice."""
    try:
        return noted is not None and (noted == common_dir or noted.samefile(common_dir))
    except OSError:
        return False


def keep_registered(layout: Layout, folder: Path, ident: str | None) -> None:
    """Register a repository that is not, or is elsewhere now; a copy of one gets its own name.

    Raises:
        StoreUnusable: The store cannot be written to.
    """
    here = layout.common_dir.resolve()
    known = None if ident is None else shared.registered(folder, ident)
    if known is not None and is_same(known.common_dir, here):
        return
    is_copied = known is not None and _is_still_there(known)
    if ident is not None and not is_copied:
        shared.register(folder, sharer_of(layout, ident))
        return
    ident = shared.name_of_copy(ident or "", here)
    shared.register(folder, sharer_of(layout, ident))
    edit_own(layout.common_dir, setting(ID, ident))


def _is_still_there(known: Sharer) -> bool:
    """Whether what is registered is a repository of that name still: damage is no reason to say no."""
    where = known.common_dir
    return where is not None and where.is_dir() and is_known_as(where, known.ident) is not False
