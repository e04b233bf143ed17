"""What to share, and what is not shared yet: the values of a world, and the histories beside them.

Not which of them a command is about (`choice`), how bytes travel (`remotes`), nor how git does
(`history`). Invariant: a remote is asked by `standing` alone; everything else says what is known
in this clone.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass

from gitmemo.errors import RemoteUnknown
from gitmemo.git.cli import Git
from gitmemo.git.objects import open_reader
from gitmemo.git.repository import Layout, head
from gitmemo.quantities import count, size
from gitmemo.remotes import RemoteConfig, WantedBlob, holdings, known_on, open_remote
from gitmemo.source.tree import SourceTree
from gitmemo.workspace import Workspace, remote_cache
from gitmemo.world.repository import RepositoryWorld
from gitmemo.world.revisions import RevisionWorld
from gitmemo.world.stubs import CODEC
from gitmemo.world.trees import TreeSegments


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


@dataclass(frozen=True, slots=True)
class Standing:
    """Where the values of a world are, after its remote was asked.

    Attributes:
        there: Those that the remote holds.
        unsent: Those that are here and not there.
        unfetched: Those that are there and not here.
        nowhere: Those that are neither here nor there.
    """

    remote: str
    there: tuple[WantedBlob, ...]
    unsent: tuple[WantedBlob, ...]
    unfetched: tuple[WantedBlob, ...]
    nowhere: tuple[WantedBlob, ...]

    def as_dict(self) -> dict[str, object]:
        """Return how many there are of each, and their bytes."""
        found: dict[str, object] = {}
        for name in ("there", "unsent", "unfetched", "nowhere"):
            values: tuple[WantedBlob, ...] = getattr(self, name)
            found[name] = len(values)
            found[f"{name}_bytes"] = sum(item.size for item in values)
        return found

    def lines(self, command: Callable[[str], str]) -> Iterator[str]:
        """Yield what there is to say; `command` gives the one that pushes or pulls just this."""
        yield f"{self.remote}: holds {_amount(self.there)} of this world"
        if self.unsent:
            yield f"  here and not there: {_amount(self.unsent)} ({command('push')})"
        if self.unfetched:
            yield f"  there and not here: {_amount(self.unfetched)} ({command('pull')})"
        if self.nowhere:
            yield f"  neither here nor there: {_amount(self.nowhere)}"


def _amount(blobs: tuple[WantedBlob, ...]) -> str:
    segments = sum(item.codec == CODEC for item in blobs)
    also = f" and {count(segments, 'spilled segment')}" if segments else ""
    values = count(len(blobs) - segments, "value")
    return f"{values}{also} ({size(sum(item.size for item in blobs))})"


def standing(workspace: Workspace, config: RemoteConfig, wanted: Iterable[WantedBlob]) -> Standing:
    """Ask a remote which of `wanted` it holds, and compare with what is here."""
    distinct = {item.blob: item for item in wanted}
    cache = remote_cache(workspace.layout, config)
    there = holdings(open_remote(config, workspace.root), cache, distinct.values())
    absent = workspace.world.blobs.missing(distinct)

    def among(*, is_there: bool, is_here: bool | None) -> tuple[WantedBlob, ...]:
        return tuple(
            item
            for blob, item in distinct.items()
            if (blob in there) is is_there and (is_here is None or (blob not in absent) is is_here)
        )

    return Standing(
        config.name,
        there=among(is_there=True, is_here=None),
        unsent=among(is_there=False, is_here=True),
        unfetched=among(is_there=True, is_here=False),
        nowhere=among(is_there=False, is_here=False),
    )


def values_of(world: RepositoryWorld | RevisionWorld, code: SourceTree) -> list[WantedBlob]:
    """Return the blobs that the facts of this world name, pending ones included."""
    world.enter()
    return wanted_of(world, world.visible(code))


def missing_of(world: RepositoryWorld | RevisionWorld, code: SourceTree) -> list[WantedBlob]:
    """Return those of `values_of` that are not on this machine."""
    world.enter()
    return missing_among(world, world.visible(code))


def missing_among(
    world: RepositoryWorld | RevisionWorld, numbers: Iterable[int]
) -> list[WantedBlob]:
    """Return the blobs that these facts name and that are not on this machine."""
    wanted = wanted_of(world, numbers)
    absent = world.blobs.missing({item.blob for item in wanted})
    return [item for item in wanted if item.blob in absent]


def pending_calls(workspace: Workspace) -> int:
    """Return how many calls of this world are in no commit."""
    world = workspace.world
    world.enter()
    if not world.pending(workspace.code):
        return 0
    from gitmemo.query import count_pending  # hooks come here after each commit

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


def wanted_of(world: RepositoryWorld | RevisionWorld, numbers: Iterable[int]) -> list[WantedBlob]:
    """Return the blobs that the facts with these numbers name."""
    return [WantedBlob.of(value) for value in world.index.values_among(numbers)]


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
