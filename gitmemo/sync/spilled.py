"""Spilled segments that a push or a pull is about, as blobs like those of values.

Not reading them (`gitmemo.world.spilled`). Invariant: nothing here reads a world: which values there
are is known only when the segments are here that name them.
"""

from __future__ import annotations

from gitmemo.git.cli import Git
from gitmemo.git.objects import open_reader
from gitmemo.remotes import WantedBlob
from gitmemo.sync.choice import Choice, every_commit
from gitmemo.workspace import View, Workspace, commit_of
from gitmemo.world.files import stubs_in
from gitmemo.world.spilled import committed_segments
from gitmemo.world.stubs import CODEC, Stub


def spilled_segments(workspace: Workspace, choice: Choice) -> list[WantedBlob]:
    """Return the spilled segments of the work tree, and of the commits that `choice` means.

    Raises:
        UnknownRevision, RangeGiven: A revision names no commit, or many.
    """
    stubs = list(stubs_in(workspace.root))
    git = Git(workspace.root)
    for commit in _commits(workspace, choice):
        stubs += [stub for _, stub in committed_segments(git, commit) if stub is not None]
    return list(map(as_wanted, dict.fromkeys(stubs)))


def segments_seen(view: View) -> list[WantedBlob]:
    """Return the spilled segments of what is looked at: of the work tree, or of a revision alone."""
    if view.rev is None or view.world.place.commit is None:
        return spilled_segments(view.workspace, Choice())
    listed = committed_segments(Git(view.workspace.root), view.world.place.commit)
    return [as_wanted(stub) for _, stub in listed if stub is not None]


def absent_segments(workspace: Workspace, choice: Choice) -> list[WantedBlob]:
    """Return those that are not in the local store.

    Raises:
        UnknownRevision, RangeGiven: A revision names no commit, or many.
    """
    found = spilled_segments(workspace, choice)
    absent = workspace.world.blobs.missing({item.blob for item in found}) if found else set()
    return [item for item in found if item.blob in absent]


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
