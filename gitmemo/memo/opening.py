"""Opening the storage of a repository.

Not the storage. Invariant: while `gitmemo run` runs a script, the script's own
`gm.open()` is the storage that the run counts.
"""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import contextmanager

from gitmemo.memo.storage import Storage
from gitmemo.memo.trust import Trust
from gitmemo.workspace import Workspace, find

_shared: list[Storage] = []


def open(path: str | os.PathLike[str] = ".") -> Storage:
    """Return the storage of the git repository around `path`.

    Its calls are versioned with the repository's code; they become part of the
    commits that are made after them.

    Raises:
        NotInRepository: `path` is not in a git work tree.
        NotInitialised: `gitmemo init` was not run in it.
        NewerFormat: A newer gitmemo wrote its `.gitmemo/`.
    """
    workspace = find(path)
    for storage in _shared:
        if storage.project is not None and storage.project.root == workspace.root:
            return storage
    return storage_of(workspace)


def storage_of(workspace: Workspace) -> Storage:
    """Return a new storage over the repository of `workspace`."""
    settings = workspace.settings
    return Storage.over(
        workspace.world,
        workspace.project,
        Trust(settings.trusted_remotes()),
        can_pull=bool(settings.remotes),
    )


@contextmanager
def shared(storage: Storage) -> Iterator[Storage]:
    """Make `open` return `storage` for its repository in the body of the `with` statement."""
    _shared.append(storage)
    try:
        yield storage
    finally:
        _shared.remove(storage)
