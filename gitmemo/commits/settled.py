"""Whether committed segments may be exchanged for others now.

Not which (`compaction`, `spilling`). Invariant: nothing that is not committed is mixed with what
these stage, and nothing of git's own is disturbed.
"""

from __future__ import annotations

from gitmemo.git.cli import Git
from gitmemo.git.repository import Layout, under_way


def in_the_way(git: Git, layout: Layout) -> tuple[str, str] | None:
    """Return what stands in the way, and what to do about it."""
    if operation := under_way(layout):
        return f"a {operation} is under way", "finish or abort it first"
    if git.run("status", "--porcelain", "--untracked-files=all", "--", ".gitmemo"):
        return ".gitmemo has uncommitted changes", "commit or undo them first"
    return None
