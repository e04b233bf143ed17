"""Spilled segments that a push or a pull is about, as blobs like those of values.

Not reading them (`gitmemo.world.spilled`). Invariant: nothing here reads a world: which values there
are is known only when the segments are here that name them.
"""

from __future__ import annotations

from gitmemo.git.cli import Git
from gitmemo.git.objects import open_reader
from gitmemo.hashing.digest import to_hex
from gitmemo.remotes import WantedBlob
from gitmemo.sync.choice import Choice, every_commit
from gitmemo.workspace import Workspace, commit_of
from gitmemo.world.files import segments_in
from gitmemo.world.spilled import committed_segments, stubs_among
from gitmemo.world.stubs import CODEC, Stub


def spilled_segments(workspace: Workspace, choice: Choice) -> list[WantedBlob]:
    """Return the spilled segments of the work tree, and of the commits that `choice` means.

    Raises:
        UnknownRevision, RangeGiven: A revision names no commit, or many.
    """
    root = workspace.root
    stubs = list(stubs_among(root, (path for _, path in segments_in(root))))
    git = Git(root)
    for commit in _commits(workspace, choice):
        stubs += [stub for _, stub in committed_segments(git, commit) if stub is not None]
    return list(map(as_wanted, dict.fromkeys(stubs)))


def unread_segments(workspace: Workspace, choice: Choice) -> list[WantedBlob]:
    """Return those that were never read in this clone and are not in its store.

    Raises:
        UnknownRevision, RangeGiven: A revision names no commit, or many.
    """
    found = {to_hex(item.blob): item for item in spilled_segments(workspace, choice)}
    if not found:
        return []
    known = workspace.world.files.segment_ids(found)
    unread = {item.blob: item for name, item in found.items() if name not in known}
    absent = workspace.world.blobs.missing(unread) if unread else set()
    return [item for blob, item in unread.items() if blob in absent]


def as_wanted(stub: Stub) -> WantedBlob:
    """Return the bytes that a stub stands for, as what transfers move."""
    return WantedBlob(stub.blob, CODEC, stub.size)


def _commits(workspace: Workspace, choice: Choice) -> list[str]:
    if not choice.revs:
        return every_commit(workspace) if choice.everything else []
    reader = open_reader(workspace.layout)
    commits = [commit_of(workspace.layout, reader, rev) for rev in choice.revs]
    reader.close()
    return [*commits, *(every_commit(workspace) if choice.everything else ())]
