"""What to share: the values of a world, and the histories beside them; and what a world lacks.

Not how bytes travel (`remotes`) nor how git does (`history`). Invariant: values
go first, git last, so that nobody sees a record whose values are still on the way
because of a push that was cut off.
"""

from __future__ import annotations

from dataclasses import asdict, dataclass

from gitmemo.errors import RemoteUnknown
from gitmemo.git.cli import Git
from gitmemo.git.repository import Layout, head
from gitmemo.remotes import WantedBlob, holdings, open_remote
from gitmemo.source.tree import SourceTree
from gitmemo.workspace import View
from gitmemo.world.later import find_later
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


@dataclass(frozen=True, slots=True)
class Missing:
    """Values that are not on this machine.

    Attributes:
        remote: The default remote; None if there is none.
        at_remote: How many of them it is known to hold.
    """

    blobs: int
    size_bytes: int
    remote: str | None
    at_remote: int


@dataclass(frozen=True, slots=True)
class Inventory:
    """What is in a world.

    Attributes:
        rev: What the revision was called; None for the work tree.
        reusable: Calls of its code that are known in this clone and are not in it; of a revision
            also those that were committed later.
        values: Places of bytes that its facts name.
    """

    rev: str | None
    branch: str | None
    commit: str | None
    calls: int
    ops: int
    versions: int
    segments: int
    values: int
    pending: int
    reusable: int
    missing: Missing

    def as_dict(self) -> dict[str, object]:
        """Return it as plain data."""
        return asdict(self)


def inventory(view: View, *, ask: bool) -> Inventory:
    """Return what is in a world; `ask` asks the default remote what it holds."""
    world, index, place = view.world, view.world.index, view.world.place
    # What came later is counted on its own, also where it is shown.
    numbers = world.committed() | world.pending(view.code)
    per_op = index.calls_per_op(numbers, without=())
    return Inventory(
        rev=view.rev,
        branch=place.branch,
        commit=place.commit,
        calls=sum(per_op.values()),
        ops=len(per_op),
        versions=len({tally.version for tally in index.tally(numbers)}),
        segments=world.segments,
        values=len(index.of_kinds(numbers, ("value",))),
        pending=len(index.of_kinds(world.pending(view.code), ("call",))),
        reusable=_reusable(view, numbers),
        missing=_missing(view, ask=ask),
    )


def _reusable(view: View, numbers: set[int]) -> int:
    world = view.world
    if isinstance(world, RevisionWorld):
        return len(world.later.numbers)
    found = find_later(world, numbers, world.graves().here, world.decisions(), view.code)
    return len(found.hids)


def _missing(view: View, *, ask: bool) -> Missing:
    absent = {item.blob: item for item in missing_of(view.world, view.code)}
    size_bytes = sum(item.size for item in absent.values())
    workspace = view.workspace
    try:
        config = workspace.remote(None)
    except RemoteUnknown:
        return Missing(len(absent), size_bytes, None, 0)
    cache = workspace.layout.private_dir / "remotes" / config.name
    held = holdings(open_remote(config, workspace.root), cache, absent.values(), ask=ask)
    return Missing(len(absent), size_bytes, config.name, len(held))


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
