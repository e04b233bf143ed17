"""Reading all records, to say what is damaged.

Not values (`gitmemo.cleaning`). Invariant: nothing is deleted; what is damaged is set aside.
"""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

from gitmemo.errors import CorruptSegment, GitmemoError, SegmentUnreadable
from gitmemo.git.repository import Layout
from gitmemo.quantities import count
from gitmemo.steps import steps
from gitmemo.workspace import Workspace
from gitmemo.world.files import names_in, segment_bytes
from gitmemo.world.intact import with_advice
from gitmemo.world.journal import PACKED, abandoned, read_entries
from gitmemo.world.journal import repair as repair_journal
from gitmemo.world.segments import INDEX_FOLDER, damage, read_segment, segment_name
from gitmemo.world.spilled import whole


def check_records(workspace: Workspace, *, repair: bool) -> Iterator[tuple[str, bool]]:
    """Yield a line about every segment and journal that is damaged, and whether it was repaired."""
    for name in steps("checking the index", list(_below(workspace.root, INDEX_FOLDER)), "segment"):
        found = list(_damage_of(workspace.layout, name))
        for number, error in enumerate(found):
            is_last = number == len(found) - 1  # one piece of advice for all its lines
            yield (str(error) if is_last else error.problem()), False
    journals = workspace.layout.private_dir / "journal"
    paths = sorted((*journals.rglob("*.jsonl"), *journals.rglob(f"*.jsonl{PACKED}")))
    for path in steps("checking journals", paths, "journal"):
        try:
            read_entries(path)
        except GitmemoError as error:
            if repair:
                said, is_repaired = _repaired(path)
                yield f"{error}\n{said}", is_repaired
            else:
                yield str(error), False


def _repaired(path: Path) -> tuple[str, bool]:
    """Repair a journal; say what was done, and whether all of it can be read now."""
    if path.suffix == PACKED:
        aside = path.with_name(f"{path.name}.damaged")
        path.replace(aside)
        return f"set {aside} aside; its calls were in commits when it was made", True
    with abandoned(path) as is_free:
        if is_free:
            lines = count(repair_journal(path), "damaged line")
            return f"set {lines} of {path} aside", True
    return f"{path} is in use: end the program that writes to it, then repair again", False


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


def _damage_of(layout: Layout, name: str) -> Iterator[SegmentUnreadable]:
    """Yield all that is wrong with a segment, or with what is no segment and lies among them."""
    if segment_name(name) is None:
        yield CorruptSegment(name, "it is not named like a segment, so it is not read")
        return
    try:
        data = whole(layout, name, segment_bytes(layout.root, name))
        found = list(damage(name, read_segment(name, data)))
        if found:
            yield from found[:-1]
            raise found[-1]
    except CorruptSegment as error:
        yield with_advice(layout.root, error)
    except SegmentUnreadable as error:
        yield error
