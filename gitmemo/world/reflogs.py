"""Reflogs: whether git may have let go of commits that were made here, and how HEAD came where it is.

Not which commits are gone (`lost` asks git). Invariant: "no" is not wrong as long as HEAD's reflog has
the commits: commits and checkouts only append to it, and git drops entries by writing it anew.
"""

from __future__ import annotations

import os
from collections.abc import Iterator, Mapping
from pathlib import Path

from gitmemo.git.repository import Layout
from gitmemo.hashing.digest import digest

_TAIL = 256
"""Bytes in front of an offset that tell whether everything before it is still there."""


def marks(layout: Layout, commit: str | None) -> dict[str, str]:
    """Return what to remember of the reflogs as they are; `commit` is what is checked out."""
    if (layout.common_dir / "reftable").is_dir():
        return {"tables": _text(layout.common_dir / "reftable/tables.list")}
    found: dict[str, str] = {}
    for name, folder in git_folders(layout).items():
        log = folder / "logs/HEAD"
        try:
            status = log.stat()
        except OSError:
            # Without a reflog refs alone hold commits: each move of HEAD may let go of one.
            found[name] = commit or "" if folder == layout.git_dir else _text(folder / "HEAD")
        else:
            found[name] = f"{status.st_ino}:{status.st_size}:{_before(log, status.st_size)}"
    return found


def only_grew(layout: Layout, known: Mapping[str, str], now: Mapping[str, str]) -> bool:
    """Whether all that was there when `known` was noted is there still; `now` are marks of now."""
    folders = git_folders(layout)
    return all(
        then == now.get(name) or (name in folders and _is_prefix(folders[name] / "logs/HEAD", then))
        for name, then in known.items()
    )


def _is_prefix(log: Path, then: str) -> bool:
    """Whether a reflog is the file that it was, and begins as it did."""
    # Numbers of files are used again, and one that lost nothing may still be a reason to look:
    # git rewrites them when it cleans up, and refs may have been deleted before.
    number, _, rest = then.partition(":")
    size, _, tail = rest.partition(":")
    try:
        is_same = str(log.stat().st_ino) == number
    except OSError:
        return False
    return is_same and size.isdecimal() and tail == _before(log, int(size))


def _before(log: Path, offset: int) -> str:
    """Return a digest of what stands in front of `offset`; empty if the file is shorter."""
    try:
        with log.open("rb") as file:
            if os.fstat(file.fileno()).st_size < offset:
                return ""
            file.seek(max(0, offset - _TAIL))
            return digest(file.read(min(_TAIL, offset))).hex()[:32]
    except OSError:
        return ""


def by_commits_alone(log: Path) -> Iterator[bytes]:
    """Yield the commits that HEAD went through by commits alone to where it is, the newest first."""
    for line in reversed(content_of(log).splitlines()):
        old, _, rest = line.partition(b" ")
        yield rest.partition(b" ")[0]
        if not rest.partition(b"\t")[2].startswith(b"commit"):
            return
        yield old


def git_folders(layout: Layout) -> dict[str, Path]:
    """Return the git folders of all work trees, by their names; the main one's is empty."""
    top = layout.common_dir / "worktrees"
    try:
        names = sorted(os.listdir(top))
    except (FileNotFoundError, NotADirectoryError):
        names = []
    return {"": layout.common_dir, **{name: top / name for name in names}}


def content_of(path: Path) -> bytes:
    """Return what a small file holds; nothing where none is kept, or it cannot be read."""
    try:
        return path.read_bytes()
    except OSError:
        return b""


def _text(path: Path) -> str:
    return content_of(path).decode("utf-8", "replace").strip()
