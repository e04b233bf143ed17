"""Reading everything that is stored, to say what is damaged.

Not repairing values (a pull or a new run does). Invariant: nothing is deleted;
what is damaged is set aside.
"""

from __future__ import annotations

from collections.abc import Iterator

from gitmemo.errors import GitmemoError
from gitmemo.workspace import Workspace
from gitmemo.world.journal import read_entries
from gitmemo.world.journal import repair as repair_journal
from gitmemo.world.segments import INDEX_FOLDER, read_segment


def check(workspace: Workspace, *, repair: bool) -> Iterator[str]:
    """Yield a line about every segment, journal and local value that cannot be read."""
    for path in sorted((workspace.root / INDEX_FOLDER).glob("*/*.jsonl")):
        name = path.relative_to(workspace.root).as_posix()
        try:
            read_segment(name, path.read_bytes())
        except GitmemoError as error:
            yield str(error)
    for path in sorted((workspace.layout.private_dir / "journal").rglob("*.jsonl")):
        try:
            read_entries(path)
        except GitmemoError as error:
            yield str(error)
            if repair:
                yield f"set {repair_journal(path)} damaged lines of {path} aside"
    yield from _check_values(workspace)


def _check_values(workspace: Workspace) -> Iterator[str]:
    world = workspace.world
    try:
        world.enter()
    except GitmemoError:
        return  # what is wrong was said above
    for value in world.index.all_values():
        try:
            world.blobs.find(value.blob, value.codec)
        except GitmemoError as error:
            yield str(error)
