"""How `git diff` shows segments in this clone: as `display/records.py` writes them.

Not the text itself. Invariant: a diff can always be shown. Where the program is gone,
or a clone has no such setting, git shows the lines as they are.
"""

from __future__ import annotations

import shlex
import sys
from pathlib import Path

from gitmemo.git.cli import Git
from gitmemo.git.repository import Layout

SETTING = "diff.gitmemo.textconv"
_SECTION = "diff.gitmemo"
_PROGRAM = Path(__file__).parents[1] / "display" / "records.py"


def explain_diffs(layout: Layout, python: str | None = None) -> None:
    """Let git show segments to people, in this clone; a setting that is not ours stays."""
    git = Git(layout.root)
    found = git.try_run("config", "--local", "--get-all", SETTING)
    wanted = _command(python or sys.executable)
    if found is None or (_is_ours(found) and found != wanted):
        # No `cachetextconv`: its notes would be a ref that `git log --all` shows.
        git.run("config", "--local", "--replace-all", SETTING, wanted)


def leave_diffs(layout: Layout) -> None:
    """Let git show segments as they are, unless somebody else said how."""
    git = Git(layout.root)
    found = git.try_run("config", "--local", "--get-all", SETTING)
    if found is None or not _is_ours(found):
        return
    git.run("config", "--local", "--unset-all", SETTING)
    if git.try_run("config", "--local", "--get-regexp", r"^diff\.gitmemo\.") is None:
        git.try_run("config", "--local", "--remove-section", _SECTION)


def _command(python: str) -> str:
    # -I, -S: quick, and nothing of the folder or the environment is imported. A function,
    # for git puts the file's name behind the command: a diff must not fail if Python moved.
    program = f"{shlex.quote(python)} -I -S {shlex.quote(str(_PROGRAM))}"
    return f'gitmemo() {{ {program} "$1" 2>/dev/null || cat "$1"; }}; gitmemo'


def _is_ours(command: str) -> bool:
    return command.startswith("gitmemo() {")
