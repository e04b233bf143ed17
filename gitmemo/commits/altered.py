"""Staged segments that do not hold what their names say: edited, or mixed in a merge.

Not what is damaged in the work tree (`check`). Invariant: only what a commit would add or
change is read, and nothing is repaired.
"""

from __future__ import annotations

from collections.abc import Iterator

from gitmemo.errors import CorruptSegment, SegmentsAltered
from gitmemo.git.cli import Git
from gitmemo.world.segments import INDEX_FOLDER, segment_name
from gitmemo.world.stubs import check_file

_FILE_MODES = ("100644", "100755")
_SIDES = ("HEAD", "MERGE_HEAD", "CHERRY_PICK_HEAD", "REVERT_HEAD", "REBASE_HEAD")
"""Where the right bytes may be, by the names that git gives to what it is about."""


def refuse_altered(git: Git) -> None:
    """Look at the segments that are staged.

    Raises:
        SegmentsAltered: Some do not fit their names.
    """
    staged = list(_staged(git))
    contents = git.cat_file_batch(oid for _, _, oid in staged) if staged else {}
    altered = [
        (path, reason)
        for path, mode, oid in staged
        if (reason := _wrong_with(path, mode, contents[oid]))
    ]
    if altered:
        raise SegmentsAltered(tuple((*one, _side_with(git, one[0])) for one in altered))


def _staged(git: Git) -> Iterator[tuple[str, str, str]]:
    """Yield path, mode and object id of the segments that the index adds to HEAD or changes."""
    listing = git.try_run(
        "diff-index", "--cached", "--raw", "-z", "--no-renames", "--diff-filter=d", "HEAD", "--",
        INDEX_FOLDER,
    )  # fmt: skip
    if listing is None:  # unborn HEAD: everything in the index is new
        for line in filter(None, git.run("ls-files", "-z", "-s", "--", INDEX_FOLDER).split("\0")):
            meta, _, path = line.partition("\t")
            mode, oid, _ = meta.split(" ")
            yield from _if_segment(path, mode, oid)
        return
    fields = iter(listing.split("\0"))
    for meta, path in zip(fields, fields, strict=False):
        _, mode, _, oid, _ = meta.split(" ")
        yield from _if_segment(path, mode, oid)


def _if_segment(path: str, mode: str, oid: str) -> Iterator[tuple[str, str, str]]:
    if segment_name(path):
        yield path, mode, oid


def _wrong_with(path: str, mode: str, data: bytes | None) -> str | None:
    if mode not in _FILE_MODES:
        return "it is not a regular file"
    if data is None:
        return "git does not have its bytes"
    try:
        check_file(path, data)
    except CorruptSegment as error:
        return error.reason
    return None


def _side_with(git: Git, path: str) -> str | None:
    """Return what names a commit that has the right bytes of a segment."""
    found = git.cat_file_batch(f"{side}:{path}" for side in _SIDES)
    for side in _SIDES:
        data = found[f"{side}:{path}"]
        if data is not None and _wrong_with(path, _FILE_MODES[0], data) is None:
            return side
    return None
