"""What to share: the values of a world, and the histories beside them.

Not how bytes travel (`remotes`) nor how git does (`history`). Invariant: values
go first, git last, so that nobody sees a record whose values are still on the way
because of a push that was cut off.
"""

from __future__ import annotations

from gitmemo.git.cli import Git
from gitmemo.git.repository import Layout, head
from gitmemo.remotes import WantedBlob
from gitmemo.source.tree import SourceTree
from gitmemo.world.repository import RepositoryWorld
from gitmemo.world.revisions import RevisionWorld


def values_of(world: RepositoryWorld | RevisionWorld, code: SourceTree) -> list[WantedBlob]:
    """Return the blobs that the facts of this world name, pending ones included."""
    world.enter()
    return [
        WantedBlob(value.blob, value.codec, value.size)
        for value in world.index.values_among(world.visible(code))
    ]


def missing_of(world: RepositoryWorld | RevisionWorld, code: SourceTree) -> list[WantedBlob]:
    """Return those of `values_of` that are not on this machine."""
    wanted = values_of(world, code)
    absent = world.blobs.missing({item.blob for item in wanted})
    return [item for item in wanted if item.blob in absent]


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
