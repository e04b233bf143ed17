"""Which values of the checked-out tree are not on this machine: how many, after a checkout.

Not which a pull would fetch (`gitmemo.sync`). Invariant: a number for people; nothing
follows from it.
"""

from __future__ import annotations

from contextlib import suppress
from typing import TYPE_CHECKING

from gitmemo.git.repository import Layout
from gitmemo.world.files import FactFiles
from gitmemo.world.index import Index
from gitmemo.world.journal import Place
from gitmemo.world.reflogs import by_commits_alone, content_of

if TYPE_CHECKING:
    from collections.abc import Callable

    from gitmemo.blobs import BlobStore


class Absent:
    """Counts values of one work tree that are not here, once for each checkout."""

    def __init__(self, layout: Layout, blobs: Callable[[], BlobStore]) -> None:
        """`blobs` returns the store: most commands and hooks never ask for it."""
        self._blobs = blobs
        self._log = layout.git_dir / "logs/HEAD"
        self._note = layout.private_dir / "noticed" / layout.worktree_name
        self._last: str | None = None

    def news(self, place: Place, index: Index, files: FactFiles) -> int:
        """Return how many values are not here, if git moved HEAD since the last time; else 0.

        What was committed here is here, so after a commit nothing is counted.
        """
        now = place.commit or "-"
        # A hook, or another process, may have said it since; where nothing can be noted, we know.
        before, self._last = content_of(self._note).decode("ascii", "replace") or self._last, now
        if now == before:
            return 0
        with suppress(OSError):
            self._note.parent.mkdir(parents=True, exist_ok=True)
            self._note.write_text(now, "ascii")
        return 0 if before and self._only_committed_since(before) else self.count(index, files)

    def count(self, index: Index, files: FactFiles) -> int:
        """Return how many values of the checked-out tree are not here."""
        blobs = index.blobs_in(files.active)
        return len(self._blobs().missing(blobs)) if blobs else 0

    def _only_committed_since(self, before: str) -> bool:
        """Whether HEAD came from `before` to where it is by commits alone."""
        through = by_commits_alone(self._log)
        if before == "-":  # nothing was committed then
            return not all(commit.strip(b"0") for commit in through)
        return before.encode() in through
