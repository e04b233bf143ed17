"""What the repository has of gitmemo and the work tree has not: by sparse checkout, or deleted.

Not what to do about it. Invariant: a work tree without some of the committed settings or segments
is never taken for one that has none.
"""

from __future__ import annotations

import os

from gitmemo.errors import NotCheckedOut
from gitmemo.git.cli import Git
from gitmemo.git.repository import Layout

_LEFT_OUT = b"S "


def refuse_lost(layout: Layout, path: str) -> None:
    """Refuse a work tree without a file that the index or the last commit has.

    Raises:
        NotCheckedOut: It says which file, and whether sparse checkout leaves it out.
    """
    if layout.bare or (layout.root / path).exists():
        return
    git = Git(layout.root)
    # `S`: the entry has the bit that sparse checkout sets.
    staged = git.process("ls-files", "-t", "-z", "--", path).stdout
    if staged.startswith(_LEFT_OUT):
        raise NotCheckedOut(path, by_sparse_checkout=True)
    if staged or git.process("cat-file", "-e", f"HEAD:{path}").returncode == 0:
        raise NotCheckedOut(path, by_sparse_checkout=False)


def refuse_left_out(layout: Layout, folder: str) -> None:
    """Refuse a work tree of which sparse checkout leaves something in `folder` out.

    Git is asked only where there is a sparse checkout.

    Raises:
        NotCheckedOut: It does.
    """
    if not (layout.git_dir / "info" / "sparse-checkout").is_file():
        return
    entries = Git(layout.root).bytes("ls-files", "-t", "-z", "--", folder).split(b"\0")
    for entry in entries:
        if entry.startswith(_LEFT_OUT) and not _is_there(layout, entry.removeprefix(_LEFT_OUT)):
            raise NotCheckedOut(folder, by_sparse_checkout=True)


def _is_there(layout: Layout, path: bytes) -> bool:
    return (layout.root / os.fsdecode(path)).exists()
