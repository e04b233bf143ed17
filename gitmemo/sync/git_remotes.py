"""Which git remote function histories go to.

Not a remote for values (`gitmemo.remotes`). Invariant: git's own settings decide; nothing is written.
"""

from __future__ import annotations

from gitmemo.git.cli import Git
from gitmemo.git.repository import Layout, head


def git_remote(layout: Layout) -> str | None:
    """Return the git remote for histories: the branch's own, else `origin`, else the only one."""
    git = Git(layout.root)
    branch = head(layout).branch
    configured = git.try_run("config", "--get", f"branch.{branch}.remote") if branch else None
    remotes = (git.try_run("remote") or "").split("\n")
    if configured and configured in remotes:
        return configured
    if "origin" in remotes:
        return "origin"
    return remotes[0] if len(remotes) == 1 and remotes[0] else None
