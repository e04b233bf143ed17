"""Pending calls whose code is in the work tree, and not in the commit that is being made.

They wait for the commit that has it: then it is asked about, and nobody gets results without
their code. Not what is exported (`export`). Invariant: nothing is read but the index of git, unless
it says that a file which such calls touched is not staged as it is.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Collection, Iterable
from dataclasses import dataclass
from typing import TYPE_CHECKING

from gitmemo.git.cli import Git
from gitmemo.hashing.digest import Digest
from gitmemo.model.components import FILE, Component, is_external
from gitmemo.model.facts import Call, Version, sources
from gitmemo.model.items import histories
from gitmemo.model.tombstones import origin_of
from gitmemo.model.validity import holds
from gitmemo.workspace import Workspace

if TYPE_CHECKING:
    from gitmemo.model.validity import Code


@dataclass(frozen=True, slots=True)
class Absent:
    """Calls that a commit leaves out.

    Attributes:
        numbers: Their records in the index, with those of calls that used their results.
        paths: The files whose code made them.
    """

    numbers: frozenset[int] = frozenset()
    paths: tuple[str, ...] = ()


def absent_code(git: Git, workspace: Workspace, numbers: Collection[int], staged: Code) -> Absent:
    """Return which of these calls were made by code of the work tree that is not staged.

    Code that is neither staged nor in the work tree was thrown away, or replaced since; and what
    git is told to ignore, no commit will have.
    """
    world = workspace.world
    versions = {tally.version for tally in world.index.tally(numbers)}
    found = [version for version in map(world.version, versions) if version is not None]
    touched = {c for version in found for c in version.pairs if _file_of(c)}
    files = {c for c in touched if is_external(c)}
    # Data that git does not know may never be in a commit: what is made of it does not wait for that.
    differing = _not_staged(git, set(map(_file_of, touched - files)), "-m", "-o")
    differing |= _not_staged(git, set(map(_file_of, files)), "-m")
    lacking = {v.id: paths for v in found if (paths := _lacking(workspace, v, differing, staged))}
    if not lacking:
        return Absent()
    calls = world.index.numbered_calls(numbers)
    own = {number for number, call in calls if call.version in lacking}
    return Absent(with_users(calls, own), tuple(sorted(set().union(*lacking.values()))))


def _not_staged(git: Git, paths: Collection[str], *which: str) -> set[str]:
    """Return those of the files that git has otherwise, or not at all, in what it is committing."""
    if not paths:
        return set()
    options = ("ls-files", "-z", *which, "--exclude-standard")
    # Paths that are none in this repository are not worth a commit without its results.
    listing = git.try_run("--literal-pathspecs", *options, "--", *sorted(paths))
    return set(filter(None, (listing or "").split("\0")))


def _file_of(component: Component) -> str:
    """Return the file in which a component stands, or that it is; empty if it is none."""
    if component.path == FILE:
        return component.unit
    return "" if is_external(component) else component.path


def _lacking(
    workspace: Workspace, version: Version, differing: Collection[str], staged: Code
) -> set[str]:
    decisions = workspace.world.decisions()
    return {
        path
        for component, content in version.pairs.items()
        if (path := _file_of(component)) in differing
        and not holds(component, content, staged, decisions)
        and holds(component, content, workspace.code, decisions)
    }


def with_users(calls: Iterable[tuple[int, Call]], own: Collection[int]) -> frozenset[int]:
    """Return the records `own` with those of the calls that used what they made, however far."""
    users: dict[Digest, list[tuple[int, Call]]] = defaultdict(list)
    todo = []
    for number, call in calls:
        if number in own:
            todo.append(call)
        for used in (*sources(call), *call.inner, origin_of(call)):
            if used is not None:
                users[used].append((number, call))
    found = set(own)
    while todo:
        call = todo.pop()
        made = (call.hid, *(hid for slot in call.outputs for hid in histories(slot)))
        for number, user in (one for hid in made for one in users.get(hid, ())):
            if number not in found:
                found.add(number)
                todo.append(user)
    return frozenset(found)
