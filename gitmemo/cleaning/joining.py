"""Sharing one store among repositories, and having one's own again.

Not the copying (`blobs.moving`). Invariant: the setting that says where values lie changes only when
all that may be needed lies there, and nobody relies on where they lay; so it may be killed at any
moment, and said again.
"""

from __future__ import annotations

import secrets
from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path

from gitmemo.blobs import leases, shared
from gitmemo.blobs.home import ID, PATH, blobs_folder, is_same, keep_registered, own_folder
from gitmemo.blobs.moving import Carried, Wanted, carry, lying, remove_carried
from gitmemo.blobs.shared import Sharer
from gitmemo.cleaning.sharers import Footing, footing, name_of
from gitmemo.config import own_settings
from gitmemo.errors import GitmemoError, SharerUnknown, StoreInUse, StoreUnusable
from gitmemo.git.cli import Git
from gitmemo.git.repository import Layout
from gitmemo.hashing.digest import Digest
from gitmemo.remotes.origins import copy_notes
from gitmemo.settings_files import edit_own, setting
from gitmemo.workspace import Workspace
from gitmemo.world.named import named
from gitmemo.world.repository import RepositoryWorld


@dataclass(frozen=True, slots=True)
class Joined:
    """What came of it.

    Attributes:
        stays: Values that are where they were alone, as they are damaged or among such.
        lying: How many values lie in the folder now, and how large they are.
    """

    folder: Path
    carried: Carried
    stays: int
    lying: tuple[int, int]


def share(workspace: Workspace, path: Path) -> Joined:
    """Let a repository have its values in the shared store at `path`, which is made if need be.

    Raises:
        StoreUnusable, NewerFormat: That is no place for it, or the repository shares another one.
        StoreGone: As the other one is not there.
        StoreInUse, CollectingAlready: Programs use the values, or there are no file locks.
    """
    layout = workspace.layout
    folder = _place_for(layout, path)
    shared.make(folder)
    own = own_folder(layout)
    leases.in_use_since(folder)  # raises where there are no locks: no value would be safe there
    with _room_in(folder), leases.using(folder):
        carry(own, folder, _everything)  # most of it, while programs run
        with _nobody_else(own):
            carried = carry(own, folder, _everything)
            copy_notes(layout.private_dir, folder)
            _begin_sharing(layout, folder)
            stays = remove_carried(own, folder)
        return Joined(folder, carried, stays, _sum(lying(folder)))


def own(workspace: Workspace) -> Joined | None:
    """Let a repository have its values in its own folder again; None if it has them there.

    Raises:
        RecordsUnreadable, CorruptSegment, CorruptJournal: Nobody can say which these are.
        StoreGone: They are not there.
        StoreInUse, CollectingAlready: Programs use the store, or there are no file locks.
    """
    layout = workspace.layout
    folder, to = blobs_folder(layout), own_folder(layout)
    if folder == to:
        return None
    with _room_in(to):
        to.mkdir(parents=True, exist_ok=True)
        with leases.using(folder):
            carry(folder, to, _named_in(workspace.world))
        with _nobody_else(folder):
            carried = carry(folder, to, _named_in(workspace.world))
            copy_notes(folder, layout.private_dir)
            leave(layout, folder)
    there = lying(to)
    return Joined(to, carried, len(carried.damaged - there.keys()), _sum(there))


def abandon(workspace: Workspace) -> Path | None:
    """Begin with an empty store of one's own; return the shared one, None if there was none."""
    folder = workspace.settings.store
    if folder is not None:
        leave(workspace.layout, folder)
    return folder


def gone_named(workspace: Workspace, name: str) -> list[Sharer]:
    """Return the repositories that are gone and shared the store, named by path or id.

    Where one was replaced by another in its place, a path names all that are gone from there.

    Raises:
        SharerUnknown: There is no such one, or it is there and uses the store.
    """
    folder = blobs_folder(workspace.layout)
    known = [] if folder == own_folder(workspace.layout) else list(shared.sharers(folder))
    meant = [one for one in known if _is_meant(one, name)]
    if not meant:
        raise SharerUnknown(
            name, "no repository of this name shares the store", "gitmemo store show"
        )
    gone = [one for one in meant if footing(one, folder)[0] is not Footing.SHARES]
    if not gone:
        raise SharerUnknown(
            name, "it is there, and has its values in the store", "say `gitmemo store own` in it"
        )
    return gone


def forget(workspace: Workspace, gone: Iterable[Sharer]) -> None:
    """Let repositories share the store no longer."""
    folder = blobs_folder(workspace.layout)
    for one in gone:
        shared.unregister(folder, one.ident)


def leave(layout: Layout, folder: Path) -> None:
    """Have no values in a shared store any more."""
    ident = own_settings(layout.common_dir).store_id
    edit_own(layout.common_dir, setting(PATH, None))
    known = None if ident is None else shared.registered(folder, ident)
    # A repository that was copied, and not used since, has the name of the other one.
    if known is not None and known.is_now(layout.common_dir):
        with suppress(OSError):  # who reads the registration finds that we left
            shared.unregister(folder, known.ident)


def _begin_sharing(layout: Layout, folder: Path) -> None:
    ident = own_settings(layout.common_dir).store_id
    if ident is None:
        ident = secrets.token_hex(16)
        edit_own(layout.common_dir, setting(ID, ident))
    keep_registered(layout, folder, ident)
    edit_own(layout.common_dir, setting(PATH, str(folder)))


def _place_for(layout: Layout, path: Path) -> Path:
    folder = path.expanduser().resolve()
    now = blobs_folder(layout)
    if now != own_folder(layout) and not is_same(now, folder):
        raise StoreUnusable(
            str(folder), f"this repository shares {now}", "say `gitmemo store own` first"
        )
    listed = Git(layout.root).try_run("worktree", "list", "--porcelain", "-z") or ""
    trees = [Path(field[9:]) for field in listed.split("\0") if field.startswith("worktree ")]
    for place in (layout.root, layout.git_dir, layout.common_dir, *trees):
        if folder.is_relative_to(place.resolve()):
            raise StoreUnusable(
                str(folder), "it is inside this repository", "name a folder outside of it"
            )
    try:
        str(folder).encode()
    except UnicodeEncodeError:
        raise StoreUnusable(
            repr(str(folder)), "its name is no text", "name a folder with a plain name"
        ) from None
    return folder


def _is_meant(sharer: Sharer, name: str) -> bool:
    place = Path(name).expanduser().resolve()
    return name == sharer.ident or place in (sharer.common_dir, Path(name_of(sharer)))


@contextmanager
def _room_in(folder: Path) -> Iterator[None]:
    """Say what to do where values cannot be written, as on a full disk.

    Raises:
        StoreUnusable: What is in the way.
    """
    try:
        yield
    except GitmemoError:
        raise
    except OSError as error:
        raise StoreUnusable(
            str(folder),
            str(error),
            "make room there, or name a folder on another disk, and say it again: no value is lost, "
            "and what was copied is not copied twice",
        ) from None


def _sum(values: Mapping[Digest, int]) -> tuple[int, int]:
    return len(values), sum(values.values())


def _everything(_: object) -> bool:
    return True


def _named_in(world: RepositoryWorld) -> Wanted:
    """Return what says whether any record of a repository names a value, reachable or not."""
    names = named(world)
    return (names.known | names.segments).__contains__


@contextmanager
def _nobody_else(folder: Path) -> Iterator[None]:
    """Let nobody use a store in the body.

    Raises:
        StoreInUse, CollectingAlready: Somebody does, or nobody can tell.
    """
    with leases.alone(folder) as since:
        if since is not None:
            raise StoreInUse(str(folder))
        yield
