"""Reading everything that is stored, to say what is damaged.

Not repairing values (a pull or a new run does). Invariant: nothing is deleted;
what is damaged is set aside.
"""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

from gitmemo.errors import CorruptSegment, GitmemoError
from gitmemo.short_ids import short
from gitmemo.workspace import Workspace
from gitmemo.world.files import names_in, segment_bytes
from gitmemo.world.journal import abandoned, read_entries
from gitmemo.world.journal import repair as repair_journal
from gitmemo.world.segments import INDEX_FOLDER, damage, read_segment, segment_name


def check(workspace: Workspace, *, repair: bool) -> Iterator[str]:
    """Yield a line about every segment and journal, and every value of this world, that is damaged."""
    for name in _below(workspace.root, INDEX_FOLDER):
        yield from map(str, _damage_of(workspace.root, name))
    for path in sorted((workspace.layout.private_dir / "journal").rglob("*.jsonl")):
        try:
            read_entries(path)
        except GitmemoError as error:
            yield str(error)
            if repair:
                yield _repaired(path)
    yield from _check_values(workspace)


def _repaired(path: Path) -> str:
    with abandoned(path) as is_free:
        if is_free:
            return f"set {repair_journal(path)} damaged lines of {path} aside"
    return f"{path} is in use: end the program that writes to it, then repair again"


def _below(root: Path, folder: str) -> Iterator[str]:
    """Yield what is in a folder of the repository but folders, without following links."""
    if (root / folder).is_symlink():
        yield folder
        return
    for name in names_in(root / folder):
        path = f"{folder}/{name}"
        if (root / path).is_dir():
            yield from _below(root, path)
        else:
            yield path


def _damage_of(root: Path, name: str) -> Iterator[CorruptSegment]:
    """Yield all that is wrong with a segment, or with what is no segment and lies among them."""
    if segment_name(name) is None:
        yield CorruptSegment(name, "it is not named like a segment, so it is not read")
        return
    try:
        yield from damage(name, read_segment(name, segment_bytes(root, name)))
    except CorruptSegment as error:
        yield error


def _anything_set_aside(workspace: Workspace) -> bool:
    blobs = workspace.layout.private_dir / "blobs"
    return any(blobs.rglob("*.damage")) or any(blobs.rglob(".damaged-*"))


def _check_values(workspace: Workspace) -> Iterator[str]:
    world = workspace.world
    try:
        world.enter()
    except GitmemoError:
        return  # what is wrong was said above
    set_aside = _anything_set_aside(workspace)
    for value in world.index.values_among(world.visible(workspace.code)):
        try:
            found = world.blobs.find(value.blob, value.codec)
        except GitmemoError as error:
            yield str(error)
            continue
        if found is None and set_aside:
            yield (
                f"a value ({value.codec}, {value.size} bytes, {short(value.cid)}) is missing "
                "or was damaged and set aside\n"
                "  fix: `gitmemo pull`, or run the program again"
            )
