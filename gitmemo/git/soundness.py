"""Whether git itself can read what is checked out here: many questions take its silence for "nothing".

Not `git fsck`: values of files are not read. Invariant: nothing is changed, and nothing is fetched.
"""

from __future__ import annotations

import shlex
from collections.abc import Iterator
from enum import StrEnum

from gitmemo.errors import GitFailed
from gitmemo.git.cli import OFFLINE, Git
from gitmemo.git.repository import Layout, head


class Part(StrEnum):
    """What git may be unable to read."""

    INDEX = "index"
    COMMIT = "commit"


def unreadable(layout: Layout) -> Iterator[tuple[Part, GitFailed]]:
    """Yield what git cannot read, with what it said."""
    # The whole of the index is read, and none of it matches.
    if failed := _failed(layout, "ls-files", "--", ":(top,literal).git"):
        yield Part.INDEX, failed
    try:
        if head(layout).commit is None:
            return
    except GitFailed as error:
        yield Part.COMMIT, error
        return
    if failed := _failed(layout, "cat-file", "-e", "HEAD^{tree}"):
        yield Part.COMMIT, failed


def _failed(layout: Layout, *arguments: str) -> GitFailed | None:
    done = Git(layout.root).process(*arguments, variables=OFFLINE)
    if not done.returncode:
        return None
    return GitFailed(shlex.join(("git", *arguments)), done.stderr.decode("utf-8", "replace"))
