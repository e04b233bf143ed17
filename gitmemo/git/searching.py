"""Which files of a repository have some words in them.

Not what the words mean there. Invariant: git's own search is asked once, and nothing is fetched; what
it cannot read has no words.
"""

from __future__ import annotations

import os
from collections.abc import Collection

from gitmemo.git.cli import OFFLINE, Git
from gitmemo.git.repository import CODE_FILES, Layout

_ASKED = (
    *("grep", "--files-with-matches", "--null", "-I", "--word-regexp", "--fixed-strings"),
    *("--no-color", "--no-recurse-submodules", "--no-textconv"),
)


def code_files_with(
    layout: Layout, words: Collection[str], commit: str | None = None, without: Collection[str] = ()
) -> list[str]:
    """Return the files of code with one of `words`, in a commit or in the work tree, sorted.

    Of the work tree also those that git does not track, but none that it ignores, nor what is in
    folders called as in `without`.
    """
    asked = [word for word in sorted(words) if word and "\n" not in word]
    if not asked or (commit is None and layout.bare):
        return []
    done = Git(layout.root).process(
        *_ASKED,
        *(() if commit else ("--untracked",)),
        *(part for word in asked for part in ("-e", word)),
        *((commit,) if commit else ()),
        "--",
        *CODE_FILES,
        *(f":(exclude,glob)**/{folder}/**" for folder in sorted(without)),
        variables=OFFLINE,
    )
    before = len(f"{commit}:") if commit else 0
    return sorted(os.fsdecode(path)[before:] for path in done.stdout.split(b"\0") if path)
