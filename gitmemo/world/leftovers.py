"""Segments that our hook staged for a commit which git then gave up.

Not the staging (`commits/export.py`). Invariant: what is taken out of the index is in a journal:
only the hook before a commit stages a segment that is not in the work tree.
"""

from __future__ import annotations

from collections.abc import Iterable
from contextlib import suppress
from pathlib import Path

from gitmemo.errors import GitFailed, GitMissing
from gitmemo.git.cli import Git
from gitmemo.git.repository import Layout
from gitmemo.world.segments import INDEX_FOLDER, segment_name


def note(layout: Layout) -> None:
    """Note that something is staged, so that whoever comes next looks whether it was committed."""
    path = _note_of(layout)
    path.parent.mkdir(parents=True, exist_ok=True)
    path.touch()


def tidy(layout: Layout) -> None:
    """Take out of the index what a commit left there, if a hook has staged something.

    A commit that waits for its editor meanwhile has read the index already, and the hook after it
    stages again what the index lacks. Where git holds the index, the next one tries again.
    """
    path = _note_of(layout)
    if path.exists():
        with suppress(OSError, GitFailed, GitMissing):
            git = Git(layout.root)
            unstage(git, layout.root, staged_segments(git))
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


def _note_of(layout: Layout) -> Path:
    return layout.private_dir / "staged" / layout.worktree_name
