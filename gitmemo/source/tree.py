"""The code of a tree of files, read without running it: a work tree, the index, a commit.

Not a running program: values are known only where they are literals. Invariant:
nothing of the user's is imported, and a file is parsed once.
"""

from __future__ import annotations

from collections.abc import Callable

from gitmemo.errors import SourceError
from gitmemo.model.components import MAIN_PATH, Component, Content
from gitmemo.source.file import SourceFile


class SourceTree:
    """What components are according to files. Implements `model.validity.Code`.

    Attributes:
        unreadable: Files that are not valid Python, with the reason; their components count as
            absent.
    """

    def __init__(self, read: Callable[[str], bytes | None]) -> None:
        """`read` returns the bytes of a repository path, or None if there is no such file."""
        self._read = read
        self._files: dict[str, SourceFile | None] = {}
        self.unreadable: dict[str, str] = {}

    def current(self, component: Component) -> Content | None:
        """Return what the files say; None where they have no such component."""
        file = self.file(component.path)
        source = file.source_of(component.unit) if file else None
        if file is None or source is None:
            return None
        unit = file.units.get(component.unit)
        return Content(source, unit.literal_value if unit else None)

    def knows(self, component: Component) -> bool:
        """Whether files can tell: not of code that was typed in or stands outside the repository."""
        return not _is_elsewhere(component.path)

    def text(self, component: Component) -> str | None:
        """Return the component's text as written, with the imports that it uses."""
        file = self.file(component.path)
        unit = file.units.get(component.unit) if file else None
        return unit.text if unit else None

    def file(self, path: str) -> SourceFile | None:
        """Return the parsed file, None if there is none or it is not Python."""
        if path not in self._files:
            self._files[path] = self._parse(path)
        return self._files[path]

    def _parse(self, path: str) -> SourceFile | None:
        data = self._read(path) if _is_plain(path) else None
        if data is None:
            return None
        try:
            return SourceFile.parse(data, path)
        except SourceError as error:
            self.unreadable[path] = error.reason
            return None


def _is_elsewhere(path: str) -> bool:
    return path == MAIN_PATH or path.startswith("@")


def _is_plain(path: str) -> bool:
    """Whether `path` stays in the tree: names in segments that came from elsewhere are not trusted."""
    parts = path.split("/")
    return not (_is_elsewhere(path) or "\\" in path or {"", ".", ".."} & set(parts))
