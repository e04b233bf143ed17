"""Opening the storage of a repository.

Not the storage. Invariant: while `gitmemo run` runs a script, the script's own
`gm.open()` is the storage that the run counts.
"""

from __future__ import annotations

import os
import sys
from contextlib import suppress
from pathlib import Path
from typing import Any
from weakref import WeakValueDictionary

from gitmemo.errors import NotInRepository
from gitmemo.memo.storage import Storage
from gitmemo.memo.trust import Trust
from gitmemo.remotes import RemoteConfig
from gitmemo.workspace import Workspace, find

# One per repository: each holds a journal and a connection.
_open: WeakValueDictionary[Path, Storage] = WeakValueDictionary()
# Kept alive: a worker would otherwise open a file anew for each task.
_reopened: dict[tuple[object, ...], Storage] = {}


def open(path: str | os.PathLike[str] | None = None) -> Storage:
    """Return the storage of the git repository around `path`.

    If omitted: around the file that calls this, or else around the current folder, so that a
    script finds its repository wherever it is started from. Its calls are versioned with the
    repository's code; they become part of the commits that are made after them.

    Raises:
        NotInRepository: `path` is not in a git work tree.
        NotInitialised: `gitmemo init` was not run in it.
        NewerFormat: A newer gitmemo wrote its `.gitmemo/`.
    """
    workspace = find(path) if path is not None else _around(sys._getframe(1).f_globals)
    root = workspace.root.resolve()
    storage = _open.get(root)
    if storage is None or storage.is_closed:
        storage = _open[root] = storage_of(workspace)
    return storage


def reopened(*opened_with: Any) -> Storage:
    """Return the storage of a place for what came from another process; the same one every time."""
    if len(opened_with) == 1:
        return open(opened_with[0])
    storage = _reopened.get(opened_with)
    if storage is None or storage.is_closed:
        storage = _reopened[opened_with] = Storage(*opened_with)
    return storage


def _around(caller: dict[str, object]) -> Workspace:
    file = caller.get("__file__")
    if isinstance(file, str) and Path(file).is_file():
        with suppress(NotInRepository):
            return find(file)
    return find(".")


def storage_of(workspace: Workspace) -> Storage:
    """Return a new storage over the repository of `workspace`."""
    settings = workspace.settings
    return Storage.over(
        workspace.world,
        workspace.project,
        Trust(frozenset(RemoteConfig(name, url).origin for name, url in settings.trusted.items())),
        can_pull=bool(settings.remotes),
    )


def share(storage: Storage) -> None:
    """Make `open` return `storage` for its repository, as long as it is in use."""
    if storage.project is not None and storage.project.root is not None:
        _open[storage.project.root] = storage
