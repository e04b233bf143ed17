"""Changing the settings: this clone's own file, or the committed one, which is staged.

Not what is changed. Invariant: a change of the committed file is staged, or nothing is changed.
"""

from __future__ import annotations

import time

from gitmemo.config import COMMITTED
from gitmemo.errors import GitFailed
from gitmemo.git.cli import Git
from gitmemo.git.repository import Layout
from gitmemo.settings_files import Change, edit, edit_own

OWN = "this clone's own settings"
_TRIES = 10
_BETWEEN_S = 0.2


def change_settings(layout: Layout, *changes: Change, is_local: bool) -> None:
    """Change this clone's own settings, or the committed ones and stage them.

    Raises:
        GitFailed: They cannot be staged; the file is as it was then.
    """
    if is_local:
        edit_own(layout.common_dir, *changes)
    else:
        edit(layout.root, COMMITTED, *changes, then=lambda: _stage(layout))


def _stage(layout: Layout) -> None:
    """Stage the file; git's own commands hold its lock for moments."""
    git = Git(layout.root)
    for _ in range(_TRIES):
        try:
            git.run("add", "--", COMMITTED)
        except GitFailed as error:
            if "index.lock" not in error.stderr:
                raise
            time.sleep(_BETWEEN_S)
        else:
            return
    git.run("add", "--", COMMITTED)
