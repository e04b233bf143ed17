"""Writing files of the project, following no link.

Not what is in them. Invariant: nothing outside of the root is created or changed, whatever links a
repository holds; a file is replaced whole or not at all.
"""

from __future__ import annotations

import os
from contextlib import suppress
from pathlib import Path

from gitmemo.errors import LinkInside


def is_plain_folder(root: Path, folder: Path) -> bool:
    """Whether `folder` is under `root` without passing a symbolic link."""
    while folder != root:
        if folder.is_symlink():
            return False
        folder = folder.parent
    return True


def replace_file(root: Path, path: str, data: bytes) -> None:
    """Write `path`, relative to `root` and with slashes, with its folders; replace what is there.

    Raises:
        LinkInside: The file, or a folder on its way, is a symbolic link.
        OSError: It cannot be written.
    """
    folder = root
    *above, name = path.split("/")
    for part in above:
        folder /= part
        if folder.is_symlink():
            raise LinkInside(folder.relative_to(root).as_posix())
        folder.mkdir(exist_ok=True)
    target = folder / name
    if target.is_symlink():
        raise LinkInside(path)
    # A name that nobody can foresee: a repository may hold a link of any other one.
    new = folder / f".{name}.{os.urandom(8).hex()}.new"
    flags = os.O_WRONLY | os.O_CREAT | os.O_EXCL | getattr(os, "O_NOFOLLOW", 0)
    try:
        with os.fdopen(os.open(new, flags | getattr(os, "O_BINARY", 0), 0o666), "wb") as file:
            file.write(data)
        new.replace(target)
    except BaseException:
        with suppress(OSError):
            new.unlink()
        raise
