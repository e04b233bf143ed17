"""Segments that our hook staged for a commit which git then gave up, or did not complete.

Not the staging (`commits/export.py`). Invariant: what is taken out of the index is in a journal:
only the hook before a commit stages a segment that is not in the work tree.
"""

from __future__ import annotations

import os
from collections.abc import Iterable
from contextlib import suppress
from pathlib import Path

from gitmemo.errors import CorruptSegment, GitFailed, GitMissing, LinkInside
from gitmemo.git.cli import Git
from gitmemo.git.repository import Layout
from gitmemo.plain_files import replace_file
from gitmemo.world.segments import INDEX_FOLDER, segment_name
from gitmemo.world.stubs import check_file

_FILE_MODES = ("100644", "100755")


def note(layout: Layout) -> None:
    """Note that something is staged, so that whoever comes next looks whether it was committed."""
    path = _note_of(layout)
    path.parent.mkdir(parents=True, exist_ok=True)
    path.touch()


def tidy(layout: Layout) -> None:
    """Take out of the index what a commit left there, if a hook has staged something.

    Where git did commit it, and was killed, or found no room, before the hook after that had
    written it into the work tree, it is written now: `git commit -a` would take it for deleted.

    A commit that waits for its editor meanwhile has read the index already, and the hook after it
    stages again what the index lacks. Where git holds the index, the next one tries again.
    """
    path = _note_of(layout)
    if path.exists():
        with suppress(OSError, GitFailed, GitMissing, CorruptSegment, LinkInside):
            git = Git(layout.root)
            unstage(git, layout.root, staged_segments(git))
            complete(git, layout.root)
            path.unlink(missing_ok=True)


def staged_segments(git: Git) -> list[str]:
    """Return the paths below the folder of segments where the index differs from HEAD."""
    staged = git.try_run("diff-index", "--cached", "--name-only", "-z", "HEAD", "--", INDEX_FOLDER)
    if staged is None:  # unborn HEAD: everything in the index is new
        staged = git.run("ls-files", "-z", "--cached", "--", INDEX_FOLDER)
    return list(filter(None, staged.split("\0")))


def unstage(git: Git, root: Path, staged: Iterable[str]) -> None:
    """Remove those of the `staged` paths from the index that are segments and not in the work tree."""
    for path in staged:
        name = segment_name(path)
        if name and not (root / path).exists():
            git.run("update-index", "--force-remove", "--", path)


def complete(git: Git, root: Path) -> list[str]:
    """Write the segments of HEAD that the work tree lacks, there and into the index; return their paths.

    The hook before a commit puts them into the index only, and `git commit PATH` commits from a
    temporary one. One that a person deleted and staged as deleted is not in HEAD any more.
    """
    listing = git.try_run("ls-tree", "-r", "-z", "HEAD", "--", INDEX_FOLDER) or ""
    entries = []
    for line in filter(None, listing.split("\0")):
        meta, _, path = line.partition("\t")
        mode, _, oid = meta.split(" ")
        # Not a link, dangling or not: anybody may have committed one.
        if mode in _FILE_MODES and segment_name(path) and not os.path.lexists(root / path):
            entries.append((path, oid))
    for path, oid in entries:
        data = git.bytes("cat-file", "blob", oid)
        check_file(path, data)
        replace_file(root, path, data)
    if entries:
        git.update_index(entries)
        git.try_run("update-index", "-q", "--refresh")
    return [path for path, _ in entries]


def _note_of(layout: Layout) -> Path:
    return layout.private_dir / "staged" / layout.worktree_name
