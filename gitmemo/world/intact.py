"""Which commit has a damaged segment whole, for the advice that an error gives.

Not mending it: that is for whoever reads the advice. Invariant: git is only read, and nothing is
fetched for it.
"""

from __future__ import annotations

from pathlib import Path

from gitmemo.errors import CorruptSegment, GitMissing
from gitmemo.git.cli import OFFLINE, Git
from gitmemo.world.segments import damage, read_segment
from gitmemo.world.stubs import read_stub

_MOST_COMMITS = "20"
NOWHERE = ""


def with_advice(root: Path, error: CorruptSegment) -> CorruptSegment:
    """Return the error of a file of the work tree, with the revision to take it from."""
    return CorruptSegment(error.path, error.reason, error.line, _intact(root, error.path))


def _intact(root: Path, path: str) -> str | None:
    """Return the revision that has it whole, HEAD if that has; `NOWHERE` if none here has."""
    git = Git(root)
    try:
        if _is_intact(git, "HEAD", path):
            return "HEAD"
        asked = ("log", "--all", "--full-history", "-n", _MOST_COMMITS, "--format=%h", "--", path)
        commits = (git.try_run(*asked) or "").split()
        return next((one for one in commits if _is_intact(git, one, path)), NOWHERE)
    except (GitMissing, OSError):
        return None


def _is_intact(git: Git, rev: str, path: str) -> bool:
    found = git.process("cat-file", "blob", f"{rev}:{path}", variables=OFFLINE)
    if found.returncode:
        return False
    try:
        if read_stub(path, found.stdout) is not None:
            return True
        return next(damage(path, read_segment(path, found.stdout)), None) is None
    except CorruptSegment:
        return False
