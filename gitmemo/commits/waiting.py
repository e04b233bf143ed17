"""What waits for a commit although git sees no change: statements are in no file of the work tree.

Not what they say. Invariant: nothing is recorded, and nothing is staged.
"""

from __future__ import annotations

from gitmemo.git.cli import Git
from gitmemo.workspace import Workspace

HINT = "git itself sees no change to commit: `gitmemo commit` commits what is pending"


def is_alone(workspace: Workspace) -> bool:
    """Whether tracked files are as in HEAD, so that git would refuse a commit of what is pending."""
    changed = ("status", "--porcelain", "--untracked-files=no", "--", ".", ":(exclude).gitmemo")
    return Git(workspace.root).try_run(*changed) == ""
