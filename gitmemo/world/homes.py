"""Homes: which of the places where facts were recorded belong to what is checked out.

Not which facts are committed (`files`). Invariant: a place always has a home again
when git can say where it went, through a renamed, deleted or new branch; what has
none is kept, and its calls count wherever they are valid.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from functools import cached_property
from pathlib import Path

from gitmemo.git.cli import Git
from gitmemo.git.repository import Layout, has_branch
from gitmemo.world.journal import Place
from gitmemo.world.reflogs import by_commits_alone, content_of

_RENAMED = re.compile(rb"\tBranch: renamed refs/heads/(\S+) to refs/heads/\S+$", re.M)


class Homes:
    """The places that belong to one place: what was checked out when this was made.

    The rules are a table in `docs/git.md`. Git's own notes of moves (reflogs) are read only
    for places that are not simply the one that is checked out.
    """

    def __init__(self, layout: Layout, place: Place, moves: Moves | None = None) -> None:
        self.place = place
        self._layout = layout
        self._moves = moves or Moves(layout)
        self._known: dict[tuple[str, str], bool] = {}
        self._branches: dict[str, bool] = {}

    def at(self, place: Place) -> Homes:
        """Return the homes of what is checked out by now; refs are asked anew, reflogs if they grew."""
        return Homes(self._layout, place, self._moves)

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
        return self.exists(branch) or branch in self._moves.renamed()

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
        renamed = self._moves.renamed()
        if branch in renamed:
            return renamed[branch] == here.branch
        if not commit or here.commit is None:
            # Nothing can be said of a branch without commits, but that it had none either.
            return not commit and here.commit is None and here.branch is not None
        return commit == here.commit or self._moves.is_ancestor(commit, here.commit)

    def _was_detached(self, commit: str) -> bool:
        if commit == (self.place.commit or ""):
            return True
        if self.place.branch is None:
            return commit.encode() in self._moves.since_checkout()
        return commit.encode() == self._created_at

    @cached_property
    def _created_at(self) -> bytes:
        """The commit at which the checked-out branch was made, as far as git remembers."""
        log = content_of(self._layout.common_dir / "logs/refs/heads" / (self.place.branch or ""))
        fields = log.partition(b"\n")[0].split(b" ", 2)
        return fields[1] if len(fields) == 3 and not fields[0].strip(b"0") else b""


class Moves:
    """What git noted of branches and of HEAD; read again only where a note has changed."""

    def __init__(self, layout: Layout) -> None:
        self._layout = layout
        self._renamed: tuple[object, dict[str, str]] | None = None
        self._since: tuple[object, frozenset[bytes]] | None = None
        self._ancestors: dict[tuple[str, str], bool] = {}  # commits never change
        self._unknown: dict[tuple[str, str], object] = {}

    def renamed(self) -> Mapping[str, str]:
        """Return the branches that were renamed: the old name to the one of now."""
        top = self._layout.common_dir / "logs/refs/heads"
        logs = sorted(top.rglob("*"))
        stamps = [(log, _stamp(log)) for log in logs]
        if self._renamed is None or self._renamed[0] != stamps:
            found: dict[str, str] = {}
            for log in logs:
                now = log.relative_to(top).as_posix()
                for old in _RENAMED.findall(content_of(log)):
                    found[old.decode("utf-8", "surrogateescape")] = now
            self._renamed = stamps, found
        return self._renamed[1]

    def since_checkout(self) -> frozenset[bytes]:
        """Return the commits that HEAD went through by commits alone since it was detached."""
        log = self._layout.git_dir / "logs/HEAD"
        stamp = _stamp(log)
        if self._since is None or self._since[0] != stamp:
            self._since = stamp, frozenset(by_commits_alone(log))
        return self._since[1]

    def is_ancestor(self, commit: str, of: str) -> bool:
        """Whether one commit is an ancestor of another; not if git does not know them."""
        asked = commit, of
        objects = _stamp(self._layout.common_dir / "objects/pack")
        if asked not in self._ancestors and self._unknown.get(asked) != objects:
            said = Git(self._layout.root).process("merge-base", "--is-ancestor", commit, of)
            if said.returncode in (0, 1):
                self._ancestors[asked] = said.returncode == 0
            else:  # until git gets more objects
                self._unknown[asked] = objects
        return self._ancestors.get(asked, False)


def _stamp(path: Path) -> tuple[int, int, int] | None:
    try:
        status = path.stat()
    except OSError:
        return None
    return status.st_ino, status.st_size, status.st_mtime_ns
