"""What is in a world, and what it lacks.

Not what to share (`sync`). Invariant: nothing is asked of a remote unless the caller says so.
"""

from __future__ import annotations

from dataclasses import asdict, dataclass

from gitmemo.counts import count_calls, count_pending
from gitmemo.errors import RemoteUnknown
from gitmemo.remotes import holdings, known_on, open_remote
from gitmemo.sync.wanted import missing_among
from gitmemo.workspace import View, remote_cache
from gitmemo.world.later import find_later
from gitmemo.world.revisions import RevisionWorld


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


def inventory(view: View, asked: str | None) -> Inventory:
    """Return what is in a world; `asked` is the remote to ask what it holds, "" the default one.

    Raises:
        RemoteUnknown: It should be asked, and there is no such remote, or no default one.
    """
    world, index, place = view.world, view.world.index, view.world.place
    # What came later is counted on its own, also where it is shown.
    pending = world.pending(view.code)
    numbers = world.committed() | pending
    per_op = count_calls(view, numbers)
    return Inventory(
        rev=view.rev,
        branch=place.branch,
        commit=place.commit,
        calls=sum(per_op.values()),
        ops=len(per_op),
        versions=len({tally.version for tally in index.tally(numbers)}),
        segments=world.segments,
        values=len(index.of_kinds(numbers, ("value",))),
        pending=count_pending(view),
        reusable=_reusable(view, numbers),
        missing=_missing(view, numbers | view.later_numbers, asked),
    )


def _reusable(view: View, numbers: set[int]) -> int:
    world = view.world
    if isinstance(world, RevisionWorld):
        return len(view.later_numbers)
    found = find_later(world, numbers, world.graves().here, world.decisions(), view.code)
    return len(found.hids)


def _missing(view: View, numbers: set[int], asked: str | None) -> Missing:
    absent = {item.blob: item for item in missing_among(view.world, numbers)}
    size_bytes = sum(item.size for item in absent.values())
    workspace = view.workspace
    try:
        config = workspace.remote(asked or None)
    except RemoteUnknown:
        if asked is not None:
            raise
        return Missing(len(absent), size_bytes, None, 0)
    cache = remote_cache(workspace.layout, config)
    if asked is not None:
        held = holdings(open_remote(config, workspace.root), cache, absent.values())
    else:
        held = known_on(config, cache).intersection(absent)
    return Missing(len(absent), size_bytes, config.name, len(held))
