"""What nobody else can see yet: calls in no commit, values and histories that were not pushed.

Not what a remote holds (`standing`). Invariant: nobody is asked; what is said is what earlier
pushes and pulls saw.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import TYPE_CHECKING

from gitmemo.errors import RemoteUnknown
from gitmemo.git.cli import Git
from gitmemo.git.objects import open_reader
from gitmemo.git.repository import Layout
from gitmemo.remotes import RemoteConfig, WantedBlob, known_on
from gitmemo.sync.git_remotes import git_remote
from gitmemo.sync.wanted import wanted_of
from gitmemo.workspace import Workspace, remote_cache
from gitmemo.world.trees import TreeSegments

if TYPE_CHECKING:
    from gitmemo.world.repository import RepositoryWorld


@dataclass(frozen=True, slots=True)
class Unshared:
    """What nobody else can see yet, as far as is known without asking a remote.

    Attributes:
        calls: How many calls are in no commit.
        values: How many values of commits are on this machine and not on the remote.
        size_bytes: Their bytes.
        histories: Whether function histories have grown since they were last pushed.
    """

    calls: int
    values: int
    size_bytes: int
    histories: bool


def pending_calls(workspace: Workspace) -> int:
    """Return how many calls of this world are in no commit."""
    world = workspace.world
    world.enter()
    if not world.pending(workspace.code):
        return 0
    from gitmemo.counts import count_pending  # hooks come here after each commit

    return count_pending(workspace)


def unshared(workspace: Workspace, commits: Iterable[str], pushed_to: str | None) -> Unshared:
    """Return what stays behind when `commits` are pushed to the git remote `pushed_to`.

    Without a remote for values none can be sent, so none are counted; the same with histories
    where `gitmemo push` would send them to another git remote.
    """
    world, layout = workspace.world, workspace.layout
    try:
        values = unshared_values(world, commits, workspace.remote(None))
    except RemoteUnknown:
        values = []
    histories_to = git_remote(layout)
    return Unshared(
        calls=pending_calls(workspace),
        values=len(values),
        size_bytes=sum(item.size for item in values),
        histories=histories_to is not None
        and pushed_to in (None, histories_to)
        and has_unshared_histories(layout, histories_to, workspace.settings.side_ref),
    )


def unshared_values(
    world: RepositoryWorld, commits: Iterable[str], config: RemoteConfig
) -> list[WantedBlob]:
    """Return the blobs of these commits that are on this machine and not known to be on the remote."""
    world.enter()
    trees = TreeSegments(world, open_reader(world.layout, fetches=False))
    wanted = wanted_of(world, world.index.members(trees.load_readable(commits)))
    known = known_on(config, remote_cache(world.layout, config))
    unknown = {item.blob for item in wanted} - known
    here = unknown - world.blobs.missing(unknown)
    return list({item.blob: item for item in wanted if item.blob in here}.values())


def has_unshared_histories(layout: Layout, remote: str, side_ref: str) -> bool:
    """Whether function histories have grown since the `side_ref` of `remote` was last seen."""
    from gitmemo.history.names import VERSIONS_REF, tracking_ref

    git = Git(layout.root)
    ours = git.try_run("rev-parse", "-q", "--verify", VERSIONS_REF)
    theirs = git.try_run("rev-parse", "-q", "--verify", tracking_ref(remote, side_ref))
    if not ours or ours == theirs:
        return False
    return not theirs or git.try_run("merge-base", "--is-ancestor", ours, theirs) is None
