"""The values themselves: a path whose content is what counts.

Not copies: the bytes stay in the file. Invariant: a value never changes, but
the file can; whoever asks for the content gets that of the file as it is.
"""

from __future__ import annotations

import os
import stat
from pathlib import Path
from typing import IO, Any, NoReturn

from gitmemo.errors import NotAFile
from gitmemo.files.names import is_private
from gitmemo.files.seen import Content, content_of


class _Located:
    """A path as it was given, and nothing else."""

    __slots__ = ("_path",)
    _path: str

    def __init__(self, path: str | os.PathLike[str]) -> None:
        text = os.fspath(path)
        if not isinstance(text, str) or not text or "\0" in text:
            raise TypeError(f"{path!r} is not a path in text")
        object.__setattr__(self, "_path", text)

    @property
    def path(self) -> Path:
        """The path as it was given."""
        return Path(self._path)

    def __setattr__(self, name: str, value: object) -> NoReturn:
        raise AttributeError(f"a {type(self).__name__} does not change; make another one")

    def __getstate__(self) -> str:
        return self._path

    def __setstate__(self, state: str) -> None:
        object.__setattr__(self, "_path", state)

    def __fspath__(self) -> str:
        return self._path

    def __repr__(self) -> str:
        return f"{type(self).__name__}({self._path!r})"

    def __gitmemo_hash__(self) -> object:
        """Return what identifies it."""
        raise NotImplementedError

    def __eq__(self, other: object) -> bool:
        if type(other) is not type(self) or not isinstance(other, _Located):
            return NotImplemented
        return self.__gitmemo_hash__() == other.__gitmemo_hash__()


class File(_Located):
    """A file, as an argument or a result of an op: its name, its bytes, whether it is executable.

    The folder where it lies does not count. The bytes are read once, and again only when the
    file's size, time or inode has changed.

    Args:
        path: The file; a relative path starts from the current folder.

    Examples:
        >>> from pathlib import Path
        >>> _ = Path("a.txt").write_text("one two")
        >>> @gm.op
        ... def words(file):
        ...     return len(file.read_text().split())
        >>> with storage:
        ...     storage.unwrap(words(gm.File("a.txt")))
        2
        >>> _ = Path("a.txt").write_text("one two three")
        >>> with storage:
        ...     words.is_cached(gm.File("a.txt"))
        False
    """

    __slots__ = ()

    @property
    def name(self) -> str:
        """The last part of the path."""
        return Path(os.path.normpath(self._path)).name

    def content(self) -> Content:
        """Return digest, size and executable bit of the file as it is now; raise `NotAFile`."""
        return content_of(self._path)

    def open(self, mode: str = "r", encoding: str | None = None) -> IO[Any]:
        """Open the file; text is UTF-8 unless `encoding` says otherwise."""
        if "b" not in mode and encoding is None:
            encoding = "utf-8"
        return Path(self._path).open(mode, encoding=encoding)

    def read_bytes(self) -> bytes:
        """Return all bytes."""
        return Path(self._path).read_bytes()

    def read_text(self, encoding: str = "utf-8") -> str:
        """Return the text."""
        return Path(self._path).read_text(encoding)

    def __gitmemo_hash__(self) -> object:
        """Return what identifies it: name, content id of the bytes, executable or not."""
        content = self.content()
        return (self.name, content.cid, content.is_executable)

    def __hash__(self) -> int:
        return hash(self.name)


class Dir(_Located):
    """A folder of files, as an argument or a result of an op.

    What counts are the files in it, at any depth: relative paths, bytes, executable bits. The
    folder's own name does not count, nor do empty folders. Links in it are refused.

    Args:
        path: The folder; a relative path starts from the current folder.

    Examples:
        >>> from pathlib import Path
        >>> Path("texts").mkdir()
        >>> _ = Path("texts/a.txt").write_text("one")
        >>> @gm.op
        ... def names(folder):
        ...     return folder.files()
        >>> with storage:
        ...     storage.unwrap(names(gm.Dir("texts")))
        ['a.txt']
    """

    __slots__ = ()

    def files(self) -> list[str]:
        """Return the relative paths of the files in it, with `/`, sorted; raise `NotAFile`."""
        if not self.path.is_dir():
            raise NotAFile(self._path, "there is no such folder")
        found: list[str] = []
        todo = [""]
        while todo:
            prefix = todo.pop()
            with os.scandir(self.path / prefix) as entries:
                for entry in entries:
                    relative = prefix + entry.name
                    if entry.is_dir(follow_symlinks=False):
                        todo.append(relative + "/")
                    else:
                        found.append(relative)
                    _check(entry, self._path)
        return sorted(found)

    def contents(self) -> list[tuple[str, Content]]:
        """Return relative path and content of each file in it."""
        folder = str(self.path.absolute())
        return [(name, content_of(f"{folder}/{name}")) for name in self.files()]

    def __truediv__(self, name: str) -> Path:
        return self.path / name

    def __gitmemo_hash__(self) -> object:
        """Return what identifies it: paths, content ids, executable bits."""
        return [(name, each.cid, each.is_executable) for name, each in self.contents()]

    def __hash__(self) -> int:
        return hash(Dir)


# What their content ids and pickles call them, wherever this module is.
File.__module__ = Dir.__module__ = "gitmemo.files"


def _check(entry: os.DirEntry[str], folder: str) -> None:
    """Refuse what a folder cannot hold: links would lead elsewhere on another machine."""
    mode = entry.stat(follow_symlinks=False).st_mode
    if is_private(entry.name):
        raise NotAFile(folder, f"{entry.path} belongs to git or gitmemo")
    if stat.S_ISLNK(mode):
        raise NotAFile(folder, f"{entry.path} in it is a link")
    if not (stat.S_ISREG(mode) or stat.S_ISDIR(mode)):
        raise NotAFile(folder, f"{entry.path} in it is no regular file")
