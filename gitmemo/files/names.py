"""Which paths stored files may have, and where those paths start.

Not the files. Invariant: a path that passes `check` stays inside the folder
where it starts, and never leads into the folders of git and gitmemo.
"""

from __future__ import annotations

import os
import re
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from pathlib import Path, PurePosixPath

from gitmemo.errors import FileOutside

_PRIVATE = frozenset({".git", ".gitmemo", "git~1", "gitmem~1"})
# What some file systems leave out when they compare names.
_IGNORED = re.compile("[\u200c-\u200f\u202a-\u202e\u206a-\u206f\ufeff]")
_PATH_CHARACTERS = 4096

_root: ContextVar[Path | None] = ContextVar("gitmemo_files_root", default=None)


def _no_project() -> Path | None:
    return None


project_root: Callable[[], Path | None] = _no_project
"""Returns the root of the active project; set by the layer that knows it."""


def root() -> Path:
    """Return where relative paths of stored files start: the project, or the current folder."""
    return (_root.get() or project_root() or Path.cwd()).resolve()


@contextmanager
def rooted(folder: Path | None) -> Iterator[None]:
    """Let paths start at `folder`, or at the current folder, in the body of the `with` statement."""
    token = _root.set(folder or Path.cwd())
    try:
        yield
    finally:
        _root.reset(token)


def is_private(name: str) -> bool:
    """Tell whether a folder or file of this name belongs to git or gitmemo, on some file system."""
    plain = _IGNORED.sub("", name).casefold().partition(":")[0]  # `.git::$INDEX_ALLOCATION`
    return plain.rstrip(" .") in _PRIVATE


def check(path: str, start: Path) -> str:
    """Return `path` if it stays inside its folder; raise `FileOutside` else."""
    parts = path.split("/")
    bad = any(part in ("", ".", "..") or is_private(part) for part in parts)
    if bad or "\0" in path or "\\" in path or len(path) > _PATH_CHARACTERS:
        raise FileOutside(path, str(start))
    return path


def portable(path: str) -> str:
    """Return how records call `path`: relative to the root with `/`; absolute if it lies outside."""
    absolute = Path(os.path.normpath(Path(path).absolute()))
    place = absolute.parent.resolve() / absolute.name
    start = root()
    if place != start and place.is_relative_to(start):
        return place.relative_to(start).as_posix()
    return absolute.as_posix()


def located(path: str) -> tuple[Path, bool]:
    """Return where a file of a record belongs here, and whether gitmemo may write there.

    Raises:
        FileOutside: The path is relative and leads out of the root.
    """
    if PurePosixPath(path).is_absolute():
        return Path(path), False
    start = root()
    place = start.joinpath(*check(path, start).split("/"))
    really = place.parent.resolve()  # a link may lead anywhere
    if not really.is_relative_to(start) or any(map(is_private, really.relative_to(start).parts)):
        raise FileOutside(path, str(start))
    return place, True


def shown(place: Path) -> str:
    """Return `place` as a program in the current folder would write it."""
    current = Path.cwd()
    return str(place.relative_to(current)) if place.is_relative_to(current) else str(place)
