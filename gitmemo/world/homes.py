"""Homes: which of the places where facts were recorded belong to what is checked out.

Not which facts are committed (`files`). Invariant: a place always has a home again
when git can say where it went, through a renamed, deleted or new branch; what has
none is kept, and its calls count wherever they are valid.
"""

from __future__ import annotations

import re
from functools import cached_property, lru_cache
from pathlib import Path

from gitmemo.git.cli import Git
from gitmemo.git.repository import Layout, has_branch
from gitmemo.world.journal import Place

_RENAMED = re.compile(rb"\tBranch: renamed refs/heads/(\S+) to refs/heads/(\S+)$", re.M)


class Homes:
    """The places that belong to one place: what was checked out when this was made.

    The rules are a table in `docs/git.md`. Git's own notes of moves (reflogs) are read only
    for places that are not simply the one that is checked out.
    """

    def __init__(self, layout: Layout, place: Place) -> None:
        self.place = place
        self._layout = layout
        self._known: dict[tuple[str, str], bool] = {}
        self._branches: dict[str, bool] = {}

    def is_home(self, branch: str, commit: str) -> bool:
        """Whether what was recorded on `branch` (empty: detached) at `commit` belongs here."""
        if branch and branch == self.place.branch:
            return True
        found = self._known.get((branch, commit))
        if found is None:
            found = self._follows(branch, commit) if branch else self._was_detached(commit)
            self._known[branch, commit] = found
        return found

    def awaits(self, branch: str, commit: str) -> bool:
        """Whether another branch that there is will take what was recorded there."""
        if not branch or self.is_home(branch, commit):
            return False
        return self.exists(branch) or branch in self._renamed

    def exists(self, branch: str) -> bool:
        """Whether there is such a branch, checked out or not."""
        if branch not in self._branches:
            self._branches[branch] = branch == self.place.branch or has_branch(self._layout, branch)
        return self._branches[branch]

    def _follows(self, branch: str, commit: str) -> bool:
        """Whether another branch, which is gone, became what is checked out."""
        here = self.place
        if self.exists(branch):
            return False
        if branch in self._renamed:
            return self._renamed[branch] == here.branch
        if not commit or here.commit is None:
            # Nothing can be said of a branch without commits, but that it had none either.
            return not commit and here.commit is None and here.branch is not None
        return commit == here.commit or _is_ancestor(self._layout.root, commit, here.commit)

    def _was_detached(self, commit: str) -> bool:
        if commit == (self.place.commit or ""):
            return True
        if self.place.branch is None:
            return commit.encode() in self._since_checkout
        return commit.encode() == self._created_at

    @cached_property
    def _renamed(self) -> dict[str, str]:
        """Branches that were renamed: the old name to the one of now."""
        top = self._layout.common_dir / "logs/refs/heads"
        found: dict[str, str] = {}
        for log in sorted(top.rglob("*")):
            now = log.relative_to(top).as_posix()
            for old, _new in _RENAMED.findall(_read(log)):
                found[old.decode("utf-8", "surrogateescape")] = now
        return found

    @cached_property
    def _created_at(self) -> bytes:
        """The commit at which the checked-out branch was made, as far as git remembers."""
        log = _read(self._layout.common_dir / "logs/refs/heads" / (self.place.branch or ""))
        fields = log.partition(b"\n")[0].split(b" ", 2)
        return fields[1] if len(fields) == 3 and not fields[0].strip(b"0") else b""

    @cached_property
    def _since_checkout(self) -> frozenset[bytes]:
        """The commits that HEAD went through by commits alone since it was detached."""
        found: set[bytes] = set()
        for line in reversed(_read(self._layout.git_dir / "logs/HEAD").splitlines()):
            old, new, *_ = line.split(b" ", 2)
            _, _, what = line.partition(b"\t")
            if not what.startswith(b"commit"):
                found.add(new)
                break
            found.update((old, new))
        return frozenset(found)


@lru_cache(maxsize=1024)  # asked at every entry of a block; commits never change
def _is_ancestor(root: Path, commit: str, of: str) -> bool:
    return Git(root).process("merge-base", "--is-ancestor", commit, of).returncode == 0


def _read(path: Path) -> bytes:
    try:
        return path.read_bytes()
    except OSError:  # none is kept, or it is a folder
        return b""
