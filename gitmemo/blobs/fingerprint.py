"""What tells the git folder of a repository from copies of it, wherever it is moved.

Not what it is called (`shared`). Invariant: a folder keeps its fingerprint when it is renamed, and
none that was copied or restored has the one of what it was made of.

A path does not tell it, nor does anything that is written in it: copies have both. So it is the
numbers that the file system gave to the folder and to an empty file in it, and the time of that file.
The number of the disk is left out: many change with each start of the machine.
"""

from __future__ import annotations

import os
import stat
from contextlib import suppress
from pathlib import Path

_FILE = "gitmemo/shared-store"


def fingerprint(common_dir: Path) -> str | None:
    """Return the fingerprint of a git folder; None if it was given none, or nobody can say."""
    try:
        folder, file = common_dir.stat(), (common_dir / _FILE).lstat()
    except OSError:
        return None
    if not stat.S_ISREG(file.st_mode):
        return None
    return f"{folder.st_ino:x}-{file.st_ino:x}-{file.st_mtime_ns:x}"


def give_fingerprint(common_dir: Path) -> str | None:
    """Give a git folder a fingerprint, unless it has one; processes that do it at once get the same.

    Raises:
        OSError: It cannot be written.
    """
    path = common_dir / _FILE
    path.parent.mkdir(parents=True, exist_ok=True)
    with suppress(FileExistsError):
        os.close(os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC, 0o600))
    return fingerprint(common_dir)
