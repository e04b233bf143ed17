"""Whether a world, or the code that judges it, is another than it was: what a served page asks for.

Not what changed. Invariants: looking records nothing; and while two marks are equal, a page made anew
would show the same, but for what no file of the repository says: packages and variables of the
environment, and damaged records that were mended. It is not so the other way round: an edited comment
is a new mark.
"""

from __future__ import annotations

from collections.abc import Hashable
from pathlib import Path

from gitmemo.config import COMMITTED, LOCAL
from gitmemo.errors import NotAFile
from gitmemo.files.seen import content_of
from gitmemo.git.cli import Git
from gitmemo.git.repository import CODE_FILES, is_code_file
from gitmemo.model.components import FILE
from gitmemo.workspace import View, commit_of


class News:
    """Takes the mark of what a view shows."""

    def __init__(self, view: View, since: str | None = None) -> None:
        """`since` is the revision that it is compared with."""
        self._view = view
        self._since = since
        layout = view.workspace.layout
        self._settings = layout.root / COMMITTED, layout.common_dir / LOCAL
        self._touched = frozenset[str]()
        if view.rev is None:
            versions = view.world.versions().values()
            components = {component for version in versions for component in version.pairs}
            self._touched = frozenset(
                component.unit if component.path == FILE else component.path
                for component in components
                if component.path == FILE or is_code_file(component.path)
            )

    def mark(self) -> Hashable:
        """Return what is another as soon as there is something new to show."""
        view = self._view
        view.world.enter()
        base = view.base
        return (
            (base.place, base.index.newest(), frozenset(base.files.active)),
            self._commit(self._since),
            tuple(map(_content, self._settings)),
            self._commit(view.rev) if view.rev is not None else self._files(),
        )

    def _commit(self, rev: str | None) -> str | None:
        if rev is None:
            return None
        return commit_of(self._view.workspace.layout, self._view.workspace.reader, rev)

    def _files(self) -> Hashable:
        """Return which files differ from the commit, and what is in the code that is not the commit's.

        Code that no call has touched counts too: results are called what it calls them.
        """
        root = self._view.workspace.root
        git = Git(root)
        differ = _paths(git.try_run("diff", "--name-only", "--no-renames", "-z", "HEAD", "--"))
        new = _paths(git.try_run("ls-files", "--others", "--exclude-standard", "-z", *CODE_FILES))
        wanted = self._touched | {path for path in differ | new if is_code_file(path)}
        return bool(differ), tuple((path, _content(root / path)) for path in sorted(wanted))


def _content(path: Path) -> Hashable:
    """Return what is the same for the same bytes, and does not follow when a file was written."""
    try:
        return content_of(str(path)).cid
    except (NotAFile, OSError):
        return None


def _paths(listed: str | None) -> frozenset[str]:
    return frozenset(filter(None, (listed or "").split("\0")))
