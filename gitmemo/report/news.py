"""Whether a world, or the code that judges it, is another than it was: what a served page asks for.

Not what changed. Invariant: looking records nothing, and two marks are equal as long as a page made
anew would show the same.
"""

from __future__ import annotations

from collections.abc import Hashable
from pathlib import Path

from gitmemo.git.repository import is_code_file
from gitmemo.workspace import View, commit_of


class News:
    """Takes the mark of what a view shows."""

    def __init__(self, view: View) -> None:
        self._view = view
        versions = view.world.versions().values()
        paths = {component.path for version in versions for component in version.pairs}
        root = view.workspace.root
        self._files = [root / path for path in sorted(paths) if is_code_file(path)]

    def mark(self) -> Hashable:
        """Return what is another as soon as there is something new to show."""
        view = self._view
        view.world.enter()
        base = view.base
        here = base.place, base.index.newest(), frozenset(base.files.active)
        if view.rev is not None:
            return here, commit_of(view.workspace.layout, view.workspace.reader, view.rev)
        return here, tuple(map(_seen, self._files))


def _seen(path: Path) -> tuple[int, int] | None:
    try:
        found = path.stat()
    except OSError:
        return None
    return found.st_mtime_ns, found.st_size
