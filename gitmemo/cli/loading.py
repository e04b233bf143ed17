"""The project's storage, for commands that import its files: to see its ops, not to make calls.

Not a program's run (`running`). Invariant: what the files print is not the result of the command.
"""

from __future__ import annotations

import sys
from collections.abc import Iterator
from contextlib import contextmanager, redirect_stdout

from gitmemo.memo.definitions import only_defining
from gitmemo.memo.opening import share, storage_of
from gitmemo.memo.storage import Storage
from gitmemo.workspace import find


@contextmanager
def loaded_storage() -> Iterator[Storage]:
    """Open the project's storage; files that are imported for it make no calls."""
    workspace = find()
    storage = storage_of(workspace)
    share(storage)
    with redirect_stdout(sys.stderr), only_defining(workspace.project):
        yield storage
