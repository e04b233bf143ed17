"""Which values a push or a pull is about: a world's, other revisions', those of some ops.

Not what is where (`standing`). Invariant: choosing reads only what is in this clone; nothing
is fetched for it.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator
from dataclasses import dataclass

from gitmemo.git.cli import Git
from gitmemo.git.objects import open_reader
from gitmemo.hashing.digest import Digest
from gitmemo.model.facts import Call
from gitmemo.model.items import inside
from gitmemo.remotes import WantedBlob
from gitmemo.sync.wanted import wanted_of
from gitmemo.workspace import Workspace, commit_of
from gitmemo.world.trees import TreeSegments


@dataclass(frozen=True, slots=True)
class Choice:
    """What somebody asked for; nothing means the checked-out world, pending calls included.

    Attributes:
        revs: Branches, tags or commits: what is committed there.
        everything: All branches and tags, those of git remotes too, and everything pending.
        ops: Only the inputs and outputs of calls of these, in full or in short.
    """

    revs: tuple[str, ...] = ()
    everything: bool = False
    ops: tuple[str, ...] = ()


def chosen(workspace: Workspace, choice: Choice) -> list[WantedBlob]:
    """Return the values that `choice` means.

    Raises:
        UnknownRevision, RangeGiven: A revision names no commit, or many.
        UnknownOp: An op has no calls there, or its short name means several.
    """
    world = workspace.world
    world.enter()
    numbers = _numbers(workspace, choice)
    if not choice.ops:
        return wanted_of(world, numbers)
    from gitmemo.world.view import values_behind  # most pushes and pulls name no op

    calls = world.index.calls(numbers)
    names = set().union(*(_names(workspace, calls, op) for op in choice.ops))
    cids = {cid for call in calls if call.op in names for cid in _contents(call)}
    return [WantedBlob.of(value) for value in values_behind(world, cids)]


def _numbers(workspace: Workspace, choice: Choice) -> set[int]:
    world = workspace.world
    if not (choice.revs or choice.everything):
        return world.visible(workspace.code)
    files: set[int] = set()
    if choice.revs:
        reader = open_reader(workspace.layout)
        trees = TreeSegments(world, reader)
        commits = [commit_of(workspace.layout, reader, rev) for rev in choice.revs]
        files.update(*map(trees.load, commits))
    if not choice.everything:
        return world.index.members(files)
    trees = TreeSegments(world, open_reader(workspace.layout, fetches=False))
    files |= trees.load_readable(every_commit(workspace))
    files.update(file for file, _ in world.index.files("journal").values())
    return world.index.members(files) | world.visible(workspace.code)


def every_commit(workspace: Workspace) -> list[str]:
    """Return the commits of all branches and tags, those of git remotes too."""
    git = Git(workspace.root)
    listed = git.try_run("rev-list", "--no-walk=unsorted", "--branches", "--tags", "--remotes")
    return (listed or "").split()


def _names(workspace: Workspace, calls: Iterable[Call], word: str) -> Collection[str]:
    """Return the names under which calls of the op that `word` means are stored."""
    from gitmemo.query import resolve_op

    former = workspace.world.renames().former_ops()
    known = {call.op for call in calls}
    name = resolve_op(word, sorted({*known, *(former.get(op, op) for op in known)}), former)
    now = former.get(name, name)
    return {name, now, *(old for old, new in former.items() if new == now)}


def _contents(call: Call) -> Iterator[Digest]:
    """Yield the content ids of what a call was given and returned, and of what is in it."""
    for slot in (*call.inputs, *call.outputs):
        yield slot.cid
        for item in inside(slot):
            yield item.cid
