"""The code of a tree of files, read without running it: a work tree, the index, a commit.

Not a running program: values are known only where they are literals. Invariant:
nothing of the user's is imported, and a file is parsed once.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING

from gitmemo.errors import SourceError
from gitmemo.hashing.digest import Digest
from gitmemo.model.components import (
    FILE,
    Component,
    Content,
    is_elsewhere,
    is_external,
    stays_inside,
)
from gitmemo.model.externals import source_of, text_of_file
from gitmemo.source.file import SourceFile

if TYPE_CHECKING:
    from gitmemo.git.cli import Git
    from gitmemo.git.objects import ObjectReader

_LFS_POINTER = b"version https://git-lfs.github.com/spec/"


class SourceTree:
    """What components are according to files. Implements `model.validity.Code`.

    Attributes:
        unreadable: Files that are not valid Python, with the reason; their components count as
            absent.
        read: Returns the bytes of a repository path, or None if there is no such file.
    """

    def __init__(
        self,
        read: Callable[[str], bytes | None],
        identify: Callable[[str], Digest | None] | None = None,
    ) -> None:
        """`identify` returns the content id of a path, where that is known without reading it all."""
        self.read = read
        self._identify = identify or self._identified
        self._files: dict[str, SourceFile | None] = {}
        self._data: dict[Component, str | None] = {}
        self.unreadable: dict[str, str] = {}

    def current(self, component: Component) -> Content | None:
        """Return what the files say; None where they have no such component."""
        if component.path == FILE:
            text = self._text_of_data(component)
            return None if text is None else Content(source_of(text))
        file = self.file(component.path)
        source = file.source_of(component.unit) if file else None
        if file is None or source is None:
            return None
        unit = file.unit(component.unit)
        value = unit.literal_value if unit else None
        return Content(source, value, is_fixed=value is not None)

    def knows(self, component: Component) -> bool:
        """Whether files can tell.

        Not of code that was typed in or stands outside the repository; not of packages and
        variables, for where the code runs they may be others than here; and of a file that is
        no code only if it is in this tree: it may be one that git ignores.
        """
        if component.path == FILE:
            return self._text_of_data(component) is not None
        return not (is_elsewhere(component.path) or is_external(component))

    def text(self, component: Component) -> str | None:
        """Return the component's text as written, with the imports that it uses."""
        if component.path == FILE:
            return self._text_of_data(component)
        file = self.file(component.path)
        unit = file.unit(component.unit) if file else None
        return unit.text if unit else None

    def file(self, path: str) -> SourceFile | None:
        """Return the parsed file, None if there is none or it is not Python."""
        if path not in self._files:
            self._files[path] = self._parse(path)
        return self._files[path]

    def _text_of_data(self, component: Component) -> str | None:
        """Return what is written of a file that is no code; None if it cannot be read here."""
        if component not in self._data:
            cid = self._identify(component.unit) if stays_inside(component.unit) else None
            self._data[component] = None if cid is None else text_of_file(component, cid)
        return self._data[component]

    def _identified(self, path: str) -> Digest | None:
        data = self.read(path)
        if data is None or data.startswith(_LFS_POINTER):
            return None
        from gitmemo.hashing import content_id  # a hook that reads no data need not load it

        return content_id(data)

    def _parse(self, path: str) -> SourceFile | None:
        data = self.read(path) if stays_inside(path) else None
        if data is None:
            return None
        try:
            return SourceFile.parse(data, path)
        except SourceError as error:
            self.unreadable[path] = error.reason
            return None


def code_of(git: Git, rev: str, read: dict[str, bytes | None]) -> SourceTree:
    """Return the code of a revision, or of the index (`:0`), read with the program git.

    Of few files that is quicker than loading a library. `read` holds what was read before, as git
    names it: `HEAD:train.py`; more is added to it.
    """

    def file(path: str) -> bytes | None:
        name = f"{rev}:{path}"
        if name not in read:
            read.update(git.cat_file_batch([name]))
        return read[name]

    return SourceTree(file)


def code_at(reader: ObjectReader, commit: str) -> SourceTree:
    """Return the code of `commit`."""
    return SourceTree(lambda path: reader.read(commit, path))
