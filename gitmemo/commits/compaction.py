"""Many segments of a month into few: an explicit step, never done by itself.

Not needed for anything but the number of files: git keeps the old ones in its history.
Invariant: the facts of the work tree stay the same set, and a merge with branches that
add segments, or that compact too, has no conflict. Hence the rules of `plan`: git takes
a deleted file and a new one for a rename where half of their bytes are the same, so
no input may be near half of its output; and no file goes to another folder.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path

from gitmemo.commits.settled import in_the_way
from gitmemo.errors import CompactionRefused
from gitmemo.git.cli import Git
from gitmemo.git.repository import Layout, head
from gitmemo.plain_files import replace_file
from gitmemo.world.files import segment_bytes
from gitmemo.world.segments import (
    Segment,
    build_segment,
    damage,
    read_segment,
)
from gitmemo.world.spilled import committed_segments

LARGEST_SHARE = 0.3
"""An input of this share of the output, or more, is left as it is.

Git measures what is shared by the larger file, so that 0.5 is a rename; libgit2, in which
hosting sites and editors merge, by the mean of both, so that 0.33 is one.
"""
MOST_BYTES = 32_000_000
"""Hosting sites warn of files of 50 MB and refuse those of 100.

The largest share of it is below what may be spilled, so no branch joins what another one spills.
"""


@dataclass(frozen=True, slots=True)
class Group:
    """Segments of one month that become one.

    Attributes:
        inputs: Their paths in the repository.
        bytes_before: Their size together.
        path: Where the output goes.
        output: What holds their facts, each once.
    """

    inputs: tuple[str, ...]
    bytes_before: int
    path: str
    output: Segment


def plan_compaction(layout: Layout, most_bytes: int = MOST_BYTES) -> tuple[Group, ...]:
    """Decide which segments of the checked-out tree become one.

    Raises:
        CompactionRefused: This is not the moment or the branch for it.
        CorruptSegment: A segment is damaged.
    """
    git = Git(layout.root)
    _refuse(git, layout)
    months: dict[str, list[str]] = defaultdict(list)
    for path, stub in committed_segments(git, "HEAD"):
        if stub is None:
            months[path.split("/")[3]].append(path)
    found: list[Group] = []
    for month, paths in sorted(months.items()):
        found += _groups(layout.root, month, paths, most_bytes)
    return tuple(found)


def stage_compaction(layout: Layout, groups: Iterable[Group]) -> None:
    """Write the outputs, and take the inputs out of the index and the work tree."""
    git = Git(layout.root)
    groups = tuple(groups)
    for group in groups:
        replace_file(layout.root, group.path, group.output.data)
    added = [(group.path, git.hash_object(group.output.data)) for group in groups]
    removed = [path for group in groups for path in group.inputs]
    nothing = "0" * (64 if layout.object_format == "sha256" else 40)
    git.update_index(added)
    git.update_index(((path, nothing) for path in removed), mode="0")
    for path in removed:  # last: killed before, they are untracked, and a commit takes them again
        (layout.root / path).unlink(missing_ok=True)
    git.try_run("update-index", "-q", "--refresh")


def _groups(root: Path, month: str, paths: list[str], most_bytes: int) -> Iterator[Group]:
    sized = sorted(((root / path).lstat().st_size, path) for path in paths)
    batch: list[str] = []
    room = most_bytes
    for size, path in sized:
        if size > room and batch:
            yield from _group(root, month, batch)
            batch, room = [], most_bytes
        batch.append(path)
        room -= size
    yield from _group(root, month, batch)


def _group(root: Path, month: str, paths: list[str]) -> Iterator[Group]:
    """Yield the group of `paths`, the smallest first, without those that are too large a part."""
    held = [(path, segment_bytes(root, path)) for path in paths]
    lines = [_facts(path, data) for path, data in held]
    while held:  # three or fewer can never be that small a share, each of them
        output = build_segment(line for some in lines for line in some)
        if len(held[-1][1]) < LARGEST_SHARE * len(output.data):
            size = sum(len(data) for _, data in held)
            yield Group(tuple(path for path, _ in held), size, output.path(month), output)
            return
        del held[-1], lines[-1]


def _facts(path: str, data: bytes) -> list[str]:
    lines = read_segment(path, data)
    for error in damage(path, lines):
        raise error
    return lines


def _refuse(git: Git, layout: Layout) -> None:
    if found := in_the_way(git, layout):
        raise CompactionRefused(*found)
    now = head(layout)
    if now.branch is None or now.commit is None:
        raise CompactionRefused(
            "no branch with commits is checked out", "check out the default branch"
        )
    default = _default_branch(git, now.branch)
    if now.branch != default:
        # Of two branches that compact differently both outputs stay: twice the files' space.
        reason = f"the checked-out branch is {now.branch!r}, not the default one"
        raise CompactionRefused(reason, f"git checkout {default}")


def _default_branch(git: Git, current: str) -> str:
    remote = git.try_run("symbolic-ref", "--quiet", "--short", "refs/remotes/origin/HEAD")
    if remote:
        return remote.removeprefix("origin/")
    usual = [git.try_run("config", "init.defaultBranch"), "main", "master"]
    there = [
        n for n in usual if n and git.try_run("rev-parse", "-q", "--verify", f"refs/heads/{n}")
    ]
    return current if current in there or not there else there[0]
