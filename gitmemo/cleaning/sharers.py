"""What other repositories need of a store that they share with this one.

Not who they are (`blobs.shared`). Invariant: a repository that may have its values there is read, or
nothing is said at all: what cannot be read is never taken for needing nothing.
"""

from __future__ import annotations

import sqlite3
from collections.abc import Iterator
from contextlib import closing
from enum import StrEnum
from pathlib import Path

from gitmemo.blobs import shared
from gitmemo.blobs.home import is_same, own_folder
from gitmemo.blobs.shared import Sharer
from gitmemo.config import own_settings
from gitmemo.errors import GitmemoError, SharersUnreadable
from gitmemo.git.cli import Git
from gitmemo.git.repository import Layout, locate
from gitmemo.hashing.digest import Digest
from gitmemo.workspace import refuse_newer
from gitmemo.world.named import named
from gitmemo.world.repository import RepositoryWorld


class Footing(StrEnum):
    """How a registered repository stands to a store."""

    SHARES = "shares"
    LEFT = "left"
    UNREADABLE = "unreadable"


def footing(sharer: Sharer, folder: Path) -> tuple[Footing, str]:
    """Say how a repository stands to a store, and why nobody can say what it needs."""
    common = sharer.common_dir
    if common is None:
        return Footing.UNREADABLE, f"the registration {sharer.ident} is damaged"
    if not common.is_dir():
        return Footing.UNREADABLE, f"{name_of(sharer)} is not there"
    try:
        said = own_settings(common)
    except (GitmemoError, OSError) as error:
        return Footing.UNREADABLE, f"{name_of(sharer)}: {_problem(error)}"
    if said.store_id != sharer.ident:
        return Footing.UNREADABLE, f"{name_of(sharer)}: another repository is there now"
    if not sharer.is_now(common):
        return Footing.UNREADABLE, (
            f"{name_of(sharer)}: another folder is there now (what shares the store was moved away, "
            "or restored, and not used since)"
        )
    # A store that is not there may be this one, under the path that it had.
    if said.store is None or (shared.is_store(said.store) and not is_same(said.store, folder)):
        return Footing.LEFT, ""
    return Footing.SHARES, ""


def name_of(sharer: Sharer) -> str:
    """Return where a repository is, as people know it."""
    place = sharer.common_dir
    if place is None:
        return sharer.ident
    return str(place.parent if place.name == ".git" else place)


def needed_elsewhere(
    layout: Layout, folder: Path, here: frozenset[Digest], *, in_use: bool
) -> frozenset[Digest]:
    """Return which of the values in a store repositories other than this one need.

    While the store is in use, that is also what any of their records ever named: a program may
    be about to rely on it.

    Raises:
        SharersUnreadable: Names those of which nobody can say it.
    """
    if folder == own_folder(layout):
        return frozenset()
    found: set[Digest] = set()
    problems: list[str] = []
    for sharer in _others(layout, folder):
        how, why = footing(sharer, folder)
        if how is Footing.SHARES:
            try:
                found |= _needed(sharer, here, in_use=in_use)
            except (GitmemoError, OSError, sqlite3.Error) as error:
                problems.append(f"{name_of(sharer)}: {_problem(error)}")
        elif how is Footing.UNREADABLE:
            problems.append(why)
    if problems:
        raise SharersUnreadable(str(folder), tuple(problems))
    return frozenset(found)


def _others(layout: Layout, folder: Path) -> Iterator[Sharer]:
    mine = own_settings(layout.common_dir).store_id
    return (sharer for sharer in shared.sharers(folder) if sharer.ident != mine)


def _needed(sharer: Sharer, here: frozenset[Digest], *, in_use: bool) -> frozenset[Digest]:
    world = RepositoryWorld(_layout(sharer))
    with closing(world.index):
        names = named(world)
        return names.live(here) | (names.known & here if in_use else frozenset())


def _layout(sharer: Sharer) -> Layout:
    """Return a repository as its main work tree shows it; without one, its git folder alone."""
    common = sharer.common_dir
    assert common is not None  # else it is unreadable
    for place in filter(None, (sharer.root, common.parent, common)):
        try:
            layout = locate(place)
        except GitmemoError:
            continue
        if is_same(layout.common_dir, common):
            refuse_newer(layout)
            return layout
    object_format = Git(common).run("rev-parse", "--show-object-format").strip()
    return Layout(common, common, common, bare=True, object_format=object_format)


def _problem(error: Exception) -> str:
    return error.problem() if isinstance(error, GitmemoError) else str(error)
