"""Cleaning the local store of a repository: looking, deciding, removing.

Not the decision (`plan`) nor the order of renames (`blobs.sweeping`). Invariant: what is removed
was decided under the same lock under which it is removed.
"""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import dataclass, replace
from functools import cache

from gitmemo.blobs import leases
from gitmemo.blobs.holding import copies
from gitmemo.blobs.home import blobs_folder
from gitmemo.blobs.sweeping import Swept, sweep
from gitmemo.cleaning.plan import Plan, Standing, Wish, plan
from gitmemo.cleaning.recomputing import makers_of_blobs
from gitmemo.cleaning.sharers import needed_elsewhere
from gitmemo.hashing.digest import Digest
from gitmemo.model.facts import Call
from gitmemo.model.validity import changed
from gitmemo.workspace import Workspace
from gitmemo.world.named import Named, named

OnRemote = Callable[[Named], frozenset[Digest]]
"""Says which values the remote holds, by asking it now."""


@dataclass(frozen=True, slots=True)
class Cleaned:
    """What came of it.

    Attributes:
        swept: None for a dry run.
        in_use_since_s: Since when other processes use the store without a break, None if none do.
    """

    plan: Plan
    swept: Swept | None
    in_use_since_s: float | None


def clean(workspace: Workspace, wish: Wish, on_remote: OnRemote, *, remove: bool) -> Cleaned:
    """Say what may go from the store of a repository, and remove it if told to.

    Raises:
        RecordsUnreadable, CorruptSegment, CorruptJournal: Nobody can say what is needed.
        SharersUnreadable: Nobody can say what another repository needs that shares the store.
        CollectingAlready: Another process does the same, or there are no locks.
    """
    directory = blobs_folder(workspace.layout)
    asked = frozenset[Digest]()
    if wish.evicts:  # before programs have to wait
        asked = on_remote(named(workspace.world))
    if not remove:
        since = leases.in_use_since(directory)
        return Cleaned(_plan(workspace, wish, asked, time.time(), since), None, since)
    with leases.collecting(directory), leases.alone(directory) as since:
        now = time.time()
        found = _plan(workspace, wish, asked, now, since)
        swept = sweep(directory, found.blobs, now if since is None else since)
    return Cleaned(found, swept, since)


def _plan(
    workspace: Workspace, wish: Wish, on_remote: frozenset[Digest], now: float, since: float | None
) -> Plan:
    directory = blobs_folder(workspace.layout)
    lying = list(copies(directory))
    here = frozenset(copy.blob for copy in lying)
    names = named(workspace.world)
    elsewhere = needed_elsewhere(workspace.layout, directory, here, in_use=since is not None)
    standing = Standing(
        live=names.live(here),
        relied_on=names.known if since is not None else frozenset(),
        forgotten=names.forgotten if wish.forgotten else frozenset(),
        elsewhere=elsewhere,
    )
    if wish.evicts:
        makers = makers_of_blobs(names, here, _is_of_this_code(workspace))
        standing = replace(standing, makers=makers, on_remote=on_remote)
    # What is younger than the longest running process may be what it is about to name.
    least_age_s = 0.0 if since is None else now - since
    return plan(lying, standing, replace(wish, least_age_s=least_age_s), now)


def _is_of_this_code(workspace: Workspace) -> Callable[[Call], bool]:
    """Return what says whether the code that is checked out would make a call's results again."""
    world, code = workspace.world, workspace.code
    decisions = world.decisions()

    @cache
    def is_valid(version: Digest) -> bool:
        found = world.version(version)
        return found is not None and not changed(found, code, decisions)

    return lambda call: is_valid(call.version)
