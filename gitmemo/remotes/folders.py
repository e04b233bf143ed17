"""Files below one folder, reached step by step and never through a link.

Not what the files are (`layout`). Invariant: the root may be a link, nothing below it is
followed; only regular files are opened, and opening one waits for nobody.
"""

from __future__ import annotations

import os
import stat
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

_FOLDER = os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC
# Opening a pipe would wait for whoever writes to it.
_FILE = os.O_RDONLY | os.O_NONBLOCK | os.O_NOFOLLOW | os.O_CLOEXEC


class LinkedFolder(Exception):
    """A folder below the root is a link."""

    def __init__(self, path: Path) -> None:
        super().__init__(path)
        self.path = path


class NotRegular(Exception):
    """What has the name of an object is a link, a pipe, a device, a socket or a folder."""


@contextmanager
def folder_of(root: Path, name: str, *, make: bool = False) -> Iterator[tuple[int, str]]:
    """Open the folder in which `name` lies; give its descriptor, and the last part of the name."""
    *folders, last = name.split("/")
    if make:
        with suppress(FileExistsError):
            root.mkdir()
    at = os.open(root, _FOLDER)
    try:
        for number, folder in enumerate(folders):
            if make:
                with suppress(FileExistsError):
                    os.mkdir(folder, dir_fd=at)
            below = _step(at, folder, root.joinpath(*folders[: number + 1]))
            os.close(at)
            at = below
        yield at, last
    finally:
        os.close(at)


def _step(at: int, folder: str, path: Path) -> int:
    try:
        return os.open(folder, _FOLDER | os.O_NOFOLLOW, dir_fd=at)
    except OSError:
        if (found := status(at, folder)) is not None and stat.S_ISLNK(found.st_mode):
            raise LinkedFolder(path) from None
        raise


def open_regular(at: int, name: str) -> int:
    """Open a file of the folder `at` for reading.

    Raises:
        NotRegular: It is something else.
    """
    found = os.stat(name, dir_fd=at, follow_symlinks=False)
    if not stat.S_ISREG(found.st_mode):  # to open a device may do something
        raise NotRegular(name)
    file = os.open(name, _FILE, dir_fd=at)
    if not stat.S_ISREG(os.fstat(file).st_mode):
        os.close(file)
        raise NotRegular(name)
    return file


def status(at: int, name: str) -> os.stat_result | None:
    """Return what `name` in the folder `at` is, itself and not what it leads to; None if nothing."""
    try:
        return os.stat(name, dir_fd=at, follow_symlinks=False)
    except FileNotFoundError:
        return None


def sizes_below(root: Path, folder: str) -> Iterator[tuple[str, int]]:
    """Yield name and size of the regular files in the folders of `folder`; links are left out."""
    try:
        with folder_of(root, f"{folder}/") as (at, _):
            for middle in entries(at):
                if middle.is_dir(follow_symlinks=False):
                    yield from _sizes(at, folder, middle.name)
    except FileNotFoundError:
        return


def _sizes(at: int, folder: str, middle: str) -> Iterator[tuple[str, int]]:
    try:
        below = os.open(middle, _FOLDER | os.O_NOFOLLOW, dir_fd=at)
    except (FileNotFoundError, NotADirectoryError):  # gone since
        return
    try:
        for entry in entries(below):
            with suppress(FileNotFoundError):
                if entry.is_file(follow_symlinks=False):
                    size = entry.stat(follow_symlinks=False).st_size
                    yield f"{folder}/{middle}/{entry.name}", size
    finally:
        os.close(below)


def entries(at: int) -> list[os.DirEntry[str]]:
    """Return what lies in the folder `at`."""
    with os.scandir(at) as found:
        return list(found)


def remove_old(at: int, is_ours: Callable[[str], object], before_s: float) -> None:
    """Remove the regular files of the folder `at` with such names that are older."""
    for entry in entries(at):
        if is_ours(entry.name) and entry.is_file(follow_symlinks=False):
            with suppress(OSError):
                if entry.stat(follow_symlinks=False).st_mtime < before_s:
                    os.unlink(entry.name, dir_fd=at)
