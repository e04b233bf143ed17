"""Opening the storage of a repository.

Not the storage. Invariant: while `gitmemo run` runs a script, the script's own
`gm.open()` is the storage that the run counts.
"""

from __future__ import annotations

import os
import sys
from collections.abc import Callable
from contextlib import suppress
from contextvars import ContextVar
from pathlib import Path
from typing import Any, TypeVar
from weakref import WeakValueDictionary

from gitmemo.errors import NotInRepository, ReadOnlyRevision, WrongQuestion
from gitmemo.frozen import frozen_of
from gitmemo.isolation import isolation_of
from gitmemo.memo import context
from gitmemo.memo.clone_trust import CloneTrust
from gitmemo.memo.lazy import Fetching
from gitmemo.memo.revision import RevisionStorage
from gitmemo.memo.storage import Storage
from gitmemo.setting_values import (
    Claiming,
    LazyPull,
    OnChange,
    Reuse,
    claiming_of,
    lazy_pull_of,
    policy,
    reuse_of,
)
from gitmemo.workspace import Workspace, find, look
from gitmemo.world.repository import RepositoryWorld
from gitmemo.world.standalone import StandaloneWorld

_T = TypeVar("_T")
_S = TypeVar("_S", bound=Storage)

# One per repository: each holds a journal and a connection.
_open: WeakValueDictionary[Path, Storage] = WeakValueDictionary()
# Kept alive: a worker would otherwise open a file anew for each task.
_reopened: dict[tuple[object, ...], Storage] = {}


moved: ContextVar[tuple[Path, Path] | None] = ContextVar("gitmemo_moved", default=None)
"""In a worker: the work tree of the program it works for, and its own clone that stands for it."""


def open(
    path: str | os.PathLike[str] | None = None,
    *,
    rev: str | None = None,
    later: bool = True,
    on_change: str | OnChange | None = None,
    reuse: str | Reuse | None = None,
    lazy_pull: str | bool | LazyPull | None = None,
    claims: str | bool | Claiming | None = None,
) -> Storage:
    """Return the storage of the git repository around `path`.

    If omitted: around the file that calls this, or else around the current folder, so that a
    script finds its repository wherever it is started from. Its calls are versioned with the
    repository's code; they become part of the commits that are made after them.

    `on_change` says what happens at the entry of a block when code that stored calls depend on has
    changed: "pending", "ask", "breaking", "non-breaking" or "error". If omitted: what the
    environment or the repository's settings say, else "pending".

    `reuse` says which stored calls may be used: "any" that is known on this machine (those of other
    branches become part of this one), or only those of this "world": what is checked out, and the
    pending calls that belong to it. If omitted: what the repository's settings say, else "any".

    `lazy_pull` says whether a value that is only on the default remote is fetched when it is needed:
    "on" (or True), "off" (or False), or "ask", once, where somebody can answer. If omitted: what
    the environment or the settings say, else "on".

    `claims` says whether a call that another program of this machine computes is waited for: "on"
    (or True) or "off" (or False). If omitted: what the environment or the settings say, else "on".

    With `rev`, a branch, tag or commit, the storage shows the results of that revision, without a
    checkout and read-only; the repository may be bare. `later=False` leaves out calls that were
    made with the revision's code and committed later, which tables mark.

    Raises:
        BadSetting: There is no such policy, reuse, `lazy_pull` or `claims`.
        UnknownRevision, RangeGiven: `rev` names no commit, or many.
        ReadOnlyRevision: A policy, reuse or claims are given for a revision, where nothing runs.
        NotInRepository: `path` is not in a git work tree.
        NotInitialised: `gitmemo init` was not run in it.
        NewerFormat: A newer gitmemo wrote its `.gitmemo/`.

    Examples:
        >>> storage = gm.open()  # in a folder where `gitmemo init` was run
        >>> @gm.op
        ... def double(x):
        ...     return 2 * x
        >>> with storage:
        ...     storage.unwrap(double(21))
        42
    """
    caller = sys._getframe(1).f_globals
    if rev is not None:
        for name, said in {"on_change": on_change, "reuse": reuse, "claims": claims}.items():
            if said is not None:
                raise ReadOnlyRevision(rev, name)
        shown = _around(path, caller, lambda start: reopened_at(start, rev, later))
        return _fetching(shown, lazy_pull)
    workspace = _around(path, caller, find)
    place = _place(workspace.root.resolve())
    storage = _open.get(place)
    if storage is None or storage.is_closed:
        storage = _open[place] = storage_of(workspace)
    if on_change is not None:
        storage.on_change = policy("on_change", on_change)
    if reuse is not None:
        storage.world.reuse = reuse_of(reuse)
        storage.clear_cache()
    if claims is not None:
        storage.world.claims.is_on = claiming_of(claims) is Claiming.ON
    return _fetching(storage, lazy_pull)


def _fetching(storage: _S, lazy_pull: str | bool | LazyPull | None) -> _S:
    if lazy_pull is not None:
        said = lazy_pull_of(lazy_pull)
        if storage.fetching is not None:
            storage.fetching.policy = said
    return storage


def reopened_at(path: str | os.PathLike[str], rev: str, later: bool) -> RevisionStorage:
    """Return the storage that shows a revision."""
    view = look(path, rev, later=later)
    workspace = view.workspace
    storage = RevisionStorage.of(view, CloneTrust(workspace), workspace.root, later=later)
    if workspace.settings.remotes and isolation_of(workspace.root.resolve()) is None:
        storage.fetch_from(Fetching(workspace, view.world))
    return storage


def shown_at(storage: Storage, rev: str) -> RevisionStorage:
    """Return what shows a revision of the repository of a storage, and fetches values as that does.

    Raises:
        WrongQuestion: It is not of a repository.
    """
    root = storage.project.root if storage.project is not None else None
    if root is None or isinstance(storage.world, StandaloneWorld):
        raise WrongQuestion(
            "this storage is in no repository, which would have revisions",
            "make it with `gm.open()` in a repository, or leave rev= out",
        )
    shown = reopened_at(root, rev, later=True)
    if storage.fetching is not None and shown.fetching is not None:
        shown.fetching.policy = storage.fetching.policy
    return shown


def reopened(*opened_with: Any) -> Storage:
    """Return the storage of a place for what came from another process; the same one every time.

    Changes are decided where the block began, not in workers.
    """
    if len(opened_with) == 1:
        there = moved.get()
        if there is not None and opened_with[0] == there[0]:
            opened_with = (there[1],)
        known = _open.get(_place(opened_with[0]))
        storage = open(opened_with[0])
        if storage is not known:
            storage.on_change = OnChange.PENDING
        return storage
    known = _reopened.get(opened_with)
    if known is not None and not known.is_closed:
        return known
    path, deps_path, care = opened_with
    on_change = None if deps_path is None else OnChange.PENDING
    storage = Storage(path, deps_path, on_change=on_change, **dict(care))
    _reopened[opened_with] = storage
    return storage


def _around(
    path: str | os.PathLike[str] | None,
    caller: dict[str, object],
    see: Callable[[str | os.PathLike[str]], _T],
) -> _T:
    """Return what `see` finds at `path`; if there is none, at the file of the caller, or else here."""
    if path is not None:
        return see(path)
    file = caller.get("__file__")
    if isinstance(file, str) and Path(file).is_file():
        with suppress(NotInRepository):
            return see(file)
    return see(".")


def storage_of(workspace: Workspace, *, becomes: Storage | None = None) -> Storage:
    """Return a storage over the repository of `workspace`, or what stands for it in tests.

    It is a new one, unless there is one that `becomes` it.
    """
    isolation = isolation_of(workspace.root.resolve())
    world: RepositoryWorld | StandaloneWorld = workspace.world
    if isolation is not None and isolation.store is not None:
        world = StandaloneWorld(isolation.store)
    elif isolation is not None:
        workspace.world.is_sealed = True
    settings = workspace.settings
    world.reuse = settings.reuse
    world.claims.is_on = settings.claims is Claiming.ON
    storage = Storage.over(
        world,
        workspace.project,
        CloneTrust(workspace),
        can_pull=bool(settings.remotes) and isolation is None,
        on_change=OnChange.PENDING if isolation else settings.on_change_running,
        records_user=settings.record_user,
        becomes=becomes,
    )
    storage._capacity = settings.resources
    if isolation is not None:
        storage.allow_new_calls(isolation.store is not None)
    elif settings.remotes:
        storage.fetch_from(Fetching(workspace, workspace.world))
    frozen = frozen_of(workspace.root.resolve())
    if frozen is not None:
        storage._freeze(frozen)
    return storage


def _place(root: Path) -> Path:
    """Return under what the storage of a work tree is known: another one may stand for it."""
    isolation = isolation_of(root)
    return root if isolation is None else isolation.store or root / ".gitmemo"


def follow() -> None:
    """Let open storages stand for what `open` would return now: tests begin, or are over.

    Who holds one holds the same object; one that comes back to a place is as it was there.
    """
    for place, storage in list(_open.items()):
        root = storage.project.root if storage.project is not None else None
        if root is None or storage.is_closed or _place(root) == place:
            continue
        now = _place(root)
        left = vars(storage).pop("_left", {})
        left[place] = dict(vars(storage))
        if now in left:
            vars(storage).clear()
            vars(storage).update(left.pop(now))
        else:
            storage_of(find(root), becomes=storage)
            if context.is_any_open():
                storage._notice()  # as at the entry of the block
        vars(storage)["_left"] = left
        del _open[place]
        _open[now] = storage


def share(storage: Storage) -> None:
    """Make `open` return `storage` for its repository, as long as it is in use."""
    if storage.project is not None and storage.project.root is not None:
        _open[_place(storage.project.root)] = storage
