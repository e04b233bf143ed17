"""Files without symbolic links, for the many modules that lie in the same few folders.

Not which of them count (`project`). Invariant: the answer is that of `os.path.realpath`, as the
folders were when they were first looked at.
"""

from __future__ import annotations

import os
import stat


class RealPaths:
    """Follows links, and remembers folders."""

    def __init__(self) -> None:
        self._folders: dict[str, str] = {}

    def of(self, filename: str) -> str:
        """Return the file without links."""
        folder, name = _split(filename)
        real = self._folders.get(folder)
        return _followed(self._folder(folder) if real is None else real, name)

    def _folder(self, folder: str) -> str:
        """Return a folder without links; nearly all lie in folders that were looked at before."""
        real = self._folders.get(folder)
        if real is None:
            parent, name = _split(folder)
            # On Windows links are not all that `realpath` resolves.
            if os.altsep or parent in ("", os.sep) or name in ("", os.curdir, os.pardir):
                real = os.path.realpath(folder)
            else:
                real = _followed(self._folder(parent), name)
            self._folders[folder] = real
        return real


def _split(path: str) -> tuple[str, str]:
    """Return folder and name, as `os.path.split`, which takes five times as long."""
    folder, separator, name = path.rpartition(os.sep)
    if os.altsep or not separator or not folder.strip(os.sep):
        return os.path.split(path)
    return folder, name


def _followed(folder: str, name: str) -> str:
    """Return `name` in a folder without links, following it if it is one."""
    path = f"{folder.rstrip(os.sep)}{os.sep}{name}"
    try:
        is_link = stat.S_ISLNK(os.lstat(path).st_mode)
    except (OSError, ValueError):
        return path
    return os.path.realpath(path) if is_link else path
