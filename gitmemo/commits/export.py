"""Pending facts into the commit that is being made, and back into the work tree after it.

Not which changes are decided (`changes`). Invariant: a fact leaves the journal's
pending set only when a segment that holds it is part of a commit; every step
can be interrupted and done again.
"""

from __future__ import annotations

import sqlite3
import time
from collections.abc import Collection, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

from gitmemo.errors import SystemRefused
from gitmemo.git.cli import Git
from gitmemo.hashing import content_id
from gitmemo.hashing.digest import Digest
from gitmemo.model.facts import Call, Source, Statement, Tombstone, Undo, referenced_cids
from gitmemo.model.lines import from_line, to_line
from gitmemo.world.files import EXPORTED, segment_bytes
from gitmemo.world.journal import abandoned, exported_size, mark_exported, read_entries, retire
from gitmemo.world.lost import EXPORTED_KINDS
from gitmemo.world.repository import RepositoryWorld
from gitmemo.world.segments import (
    INDEX_FOLDER,
    Segment,
    build_segment,
    segment_name,
)
from gitmemo.world.sketches import needs_of_line
from gitmemo.world.spans import Numbers
from gitmemo.world.stubs import check_file
from gitmemo.world.view import values_behind

_FILE_MODES = ("100644", "100755")


@dataclass(frozen=True, slots=True)
class Plan:
    """What a commit will take.

    Attributes:
        lines: The facts in the segment.
        known: The numbers in the index of those that are pending; others are what these need.
    """

    segment: Segment
    lines: Sequence[str]
    known: Mapping[str, int]


def plan_export(world: RepositoryWorld, numbers: Collection[int]) -> Plan | None:
    """Return the segment of these facts, with what they need; None if there are none."""
    lines: set[str] = set()
    versions: set[Digest | None] = set()
    known = world.index.numbered_lines(numbers)
    for line in known:
        needs = needs_of_line(line)
        if needs is None:
            fact = from_line(line, content_id)
            if isinstance(fact, Call):
                needs = fact.version, referenced_cids([fact])
            elif isinstance(fact, Source | Statement | Tombstone | Undo):
                lines.add(line)
        if needs is not None:
            version, cids = needs
            lines.add(line)
            versions.add(version)
            if cids:
                lines.update(map(to_line, values_behind(world, cids)))
    for found in filter(None, map(world.version, filter(None, versions))):
        lines.add(to_line(found))
        lines.update(to_line(fact) for fact in world.histories(found))
    return Plan(build_segment(lines), sorted(lines), known) if lines else None


def stage(git: Git, world: RepositoryWorld, plan: Plan) -> None:
    """Put a segment into the index that git is committing."""
    path = plan.segment.path(time.strftime("%Y-%m", time.gmtime()))
    git.update_index([(path, git.hash_object(plan.segment.data))])
    # All of it was read from the derived index: whoever comes after the commit need not check
    # the lines again. Where that cannot be noted, they are.
    with suppress(sqlite3.DatabaseError, SystemRefused):
        world.files.expect(plan.segment, plan.lines, plan.known)


def stage_untracked(git: Git, root: Path) -> None:
    """Put segments into the index that are in the work tree only: a mixed reset leaves them there."""
    found = git.run("ls-files", "-z", "--others", "--", INDEX_FOLDER)
    for path in filter(None, found.split("\0")):
        if segment_name(path):
            data = segment_bytes(root, path)
            check_file(path, data)
            git.update_index([(path, git.hash_object(data))])


def retire_journals(world: RepositoryWorld) -> None:
    """Note which journals are committed whole, and move those away that nobody writes to."""
    top = world.layout.private_dir / "journal" / EXPORTED
    committed = Numbers(world.index.runs(world.files.active))
    dead = world.index.covered(world.graves().here)  # forgotten: no commit will take them
    for path, file, loaded in world.files.journals():
        size = exported_size(path)
        spans = [span for span in world.index.spans([file]) if span.position >= size]
        numbers = {n for span in spans for n in range(span.first, span.last + 1)}
        # What another branch will take stays pending for it, also if this one took it too.
        if any(world.homes.awaits(span.branch, span.commit) for span in spans):
            continue
        if not world.index.of_kinds(committed.without(numbers) - dead, EXPORTED_KINDS):
            mark_exported(path, loaded)
            with abandoned(path) as is_free:
                # What was written since it was read is not committed.
                if not is_free or read_entries(path, loaded)[0]:
                    continue
                retire(path, top / path.parent.name)
            with world.index.transaction():
                world.index.rename_kind(file, EXPORTED)
