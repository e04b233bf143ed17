"""Which segments are spilled, and their bytes, from the local store.

Not how they come there (`gitmemo.sync.spilled`, `commits/spilling.py`): nothing here asks a
remote, for hooks read segments too. Invariant: what is returned for a stub is checked against
the name by whoever reads it, like the bytes of any segment.
"""

from __future__ import annotations

import os

from gitmemo.errors import BlobCorrupt, CorruptSegment, SegmentSpilled
from gitmemo.git.cli import OFFLINE, Git
from gitmemo.git.repository import Layout
from gitmemo.world.segments import INDEX_FOLDER, segment_name
from gitmemo.world.stubs import CODEC, LONGEST_STUB, Stub, read_stub

_FILE_MODES = ("100644", "100755")


def whole(layout: Layout, path: str, data: bytes) -> bytes:
    """Return the bytes of a segment, given what stands in its file.

    Raises:
        SegmentSpilled: It is spilled, and its bytes are not on this machine.
        CorruptSegment: It is spilled, and the stub does not fit it.
    """
    stub = read_stub(path, data)
    if stub is None:
        return data
    from gitmemo.blobs.home import repository_blobs  # most repositories have no stubs

    blobs = repository_blobs(layout)
    try:
        found = blobs.find(stub.blob, CODEC)
    except BlobCorrupt:  # set aside by now: to be fetched again
        found = None
    finally:
        blobs.close()
    if found is None:
        raise SegmentSpilled(path, stub.size)
    if found.size != stub.size:
        raise CorruptSegment(path, "its stub gives another size than its bytes have")
    return found.read()


def committed_segments(git: Git, commit: str) -> list[tuple[str, Stub | None]]:
    """Return the paths of the segments in a commit, each with its stub if it is spilled.

    Nothing is fetched: what a partial clone lacks is taken for whole.
    """
    asked = ("ls-tree", "-r", "-l", "-z", commit, "--", INDEX_FOLDER)
    listing = os.fsdecode(git.process(*asked, variables=OFFLINE).stdout)
    found: dict[str, str | None] = {}
    for line in filter(None, listing.split("\0")):
        meta, _, path = line.partition("\t")
        mode, _, oid, size = meta.split()
        if segment_name(path):
            is_short = mode in _FILE_MODES and size.isdigit() and int(size) <= LONGEST_STUB
            found[path] = oid if is_short else None
    contents = git.cat_file_batch(filter(None, found.values()))
    return [(path, _stub_in(path, contents.get(oid or ""))) for path, oid in found.items()]


def _stub_in(path: str, data: bytes | None) -> Stub | None:
    try:
        return None if data is None else read_stub(path, data)
    except CorruptSegment:
        return None
