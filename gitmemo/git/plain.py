"""Repositories as `git init` and `git clone` make them, found without asking git.

Not a second git: whatever is unusual is left to it. Invariant: what is answered here is what
`git rev-parse` answers, its verdict on the owner included; a process of git takes longer than a
program needs to find its results. What else git refuses (a value of a setting, the user's own file of
settings), the next process of it says.
"""

from __future__ import annotations

import os
import re
import stat
import sys
from pathlib import Path

_HEADER = re.compile(rb'\[([A-Za-z0-9-]+)( "(?:[^"\\]|\\["\\])*")?\]')
_VALUE = rb'(?:[^"\\;#]|\\["\\ntb]|"(?:[^"\\]|\\["\\ntb])*")*(?:[;#].*)?'
_SETTING = re.compile(rb"([A-Za-z][A-Za-z0-9-]*)(?:[ \t]*=[ \t]*(" + _VALUE + rb"))?")
_BLANK = b" \t\r"
_HEAD = re.compile(rb"ref: refs/[^\n]+\n|[0-9a-f]{40}\n")
# `extensions` change what a repository is, and an include may hold them.
_UNUSUAL_SECTIONS = frozenset({b"extensions", b"include", b"includeif"})
_EXPECTED = {b"core.bare": b"false", b"core.repositoryformatversion": b"0"}


def plain_root(folder: Path) -> Path | None:
    """Return the top of the work tree around a folder, without links; None if git has to say it.

    Its git folder is `.git` in it, for this one work tree, in the format that git has by default.
    """
    # Elsewhere folders have other rules: case may not count, and owners may be others.
    if sys.platform != "linux":
        return None
    try:
        start = folder.resolve()
        device = start.stat().st_dev
        for root in (start, *start.parents):
            if root.lstat().st_dev != device:  # git stops there
                return None
            if _mode(root / ".git"):
                return root if _is_plain(root, root / ".git") else None
            if _mode(root / "HEAD"):  # a git folder itself, perhaps
                return None
    except OSError:
        return None
    return None


def _is_plain(root: Path, git_dir: Path) -> bool:
    folders = (git_dir, git_dir / "objects", git_dir / "refs")
    if not all(stat.S_ISDIR(_mode(folder)) for folder in folders):
        return False
    if not root.lstat().st_uid == git_dir.lstat().st_uid == os.geteuid():
        return False
    head, config = git_dir / "HEAD", git_dir / "config"
    if _mode(git_dir / "commondir") or not stat.S_ISREG(_mode(head)):
        return False
    return _HEAD.fullmatch(head.read_bytes()) is not None and _is_usual(config.read_bytes())


def _mode(path: Path) -> int:
    """Return what is there, links not followed; 0 if there is nothing."""
    try:
        return path.lstat().st_mode
    except (FileNotFoundError, NotADirectoryError):
        return 0


def _is_usual(config: bytes) -> bool:
    """Whether settings of a repository say nothing about it that a new one would not say."""
    found: dict[bytes, bytes] = {}
    section = b""
    for line in (line.strip(_BLANK) for line in config.split(b"\n")):
        if line.endswith(b"\\"):
            return False
        if not line or line.startswith((b"#", b";")):
            continue
        if header := _HEADER.fullmatch(line):
            section = header[1].lower() + (header[2] or b"")
            if header[1].lower() in _UNUSUAL_SECTIONS:
                return False
        elif setting := _SETTING.fullmatch(line):
            found[section + b"." + setting[1].lower()] = setting[2] or b""
        else:
            return False
    is_expected = all(found.get(name) == value for name, value in _EXPECTED.items())
    return is_expected and b"core.worktree" not in found
