"""Writing files of the project, following no link; reading a part of a file, whole.

Not what is in them. Invariant: nothing outside of the root is created or changed, whatever links a
repository holds; a file is replaced whole or not at all.
"""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

from gitmemo.errors import LinkInside


def read_at(file: int, size: int, start: int) -> bytes:
    """Return `size` bytes from `start`, or what there is of them; one call of the system may give fewer."""
    pieces: list[bytes] = []
    while size > 0 and (piece := os.pread(file, size, start)):
        pieces.append(piece)
        size, start = size - len(piece), start + len(piece)
    return pieces[0] if len(pieces) == 1 else b"".join(pieces)


def is_plain_folder(root: Path, folder: Path) -> bool:
    """Whether `folder` is under `root` without passing a symbolic link."""
    while folder != root:
        if folder.is_symlink():
            return False
        folder = folder.parent
    return True


def refuse_links(root: Path, path: str) -> None:
    """Refuse `path`, relative to `root` and with slashes, if a link is on its way or in its place.

    Raises:
        LinkInside: Names the first one.
    """
    place = root
    for part in path.split("/"):
        place /= part
        if place.is_symlink():
            raise LinkInside(place.relative_to(root).as_posix())


@contextmanager
def alone_in(folder: Path) -> Iterator[None]:
    """Let one program after the other change files in a folder, where the system has locks for that."""
    opened = _locked(folder)
    try:
        yield
    finally:
        if opened is not None:
            os.close(opened)


def _locked(folder: Path) -> int | None:
    try:
        import fcntl

        opened = os.open(folder, os.O_RDONLY)
    except (ImportError, OSError):
        return None
    try:
        fcntl.flock(opened, fcntl.LOCK_EX)
    except OSError:
        pass  # some network file systems: two changes at once may lose one
    except BaseException:  # Ctrl-C: the lock would be waited for when this process tries again
        os.close(opened)
        raise
    return opened


def replace_file(root: Path, path: str, data: bytes, mode: int = 0o666) -> None:
    """Write `path`, relative to `root` and with slashes, with its folders; replace what is there.

    Raises:
        LinkInside: The file, or a folder on its way, is a symbolic link.
        OSError: It cannot be written.
    """
    refuse_links(root, path)
    target = root / path
    target.parent.mkdir(parents=True, exist_ok=True)
    # A name that nobody can foresee: a repository may hold a link of any other one.
    new = _waiting_room(root, target.parent) / f".{target.name}.{os.urandom(8).hex()}.new"
    flags = os.O_WRONLY | os.O_CREAT | os.O_EXCL | getattr(os, "O_NOFOLLOW", 0)
    try:
        with os.fdopen(os.open(new, flags | getattr(os, "O_BINARY", 0), mode), "wb") as file:
            file.write(data)
        new.replace(target)
    except BaseException:
        with suppress(OSError):
            new.unlink()
        raise


def replace_own(path: Path, data: bytes) -> None:
    """Write a file in a folder of gitmemo's own; replace what is there, whole or not at all."""
    new = path.with_name(f"{path.name}.{os.getpid()}-{os.urandom(4).hex()}.new")
    try:
        new.write_bytes(data)
        new.replace(path)
    except BaseException:
        with suppress(OSError):
            new.unlink()
        raise


def _waiting_room(root: Path, folder: Path) -> Path:
    """Return where to write what will be a file in `folder`: where git does not look, if there is one.

    Who is killed leaves a file there, which `git add` would take in the work tree.
    """
    git, room = root / ".git", root / ".git/gitmemo"
    with suppress(OSError):
        if git.is_dir() and not git.is_symlink() and not room.is_symlink():
            room.mkdir(exist_ok=True)
            return room if room.stat().st_dev == folder.stat().st_dev else folder
    return folder
