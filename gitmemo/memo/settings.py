"""What a program asks of `Storage(...)`, checked.

Not the settings of a repository (`config`). Invariant: a setting is honoured or
refused with an error; none is silently left out.
"""

from __future__ import annotations

import math
import os
from pathlib import Path

from gitmemo.blobs import Overflow
from gitmemo.errors import InvalidStorage
from gitmemo.memo.names import MAIN
from gitmemo.tracing import Project

_MEGABYTE = 1_000_000


def overflow_of(
    spillover_dir: str | os.PathLike[str] | None,
    overflow_dir: str | os.PathLike[str] | None,
    threshold_mb: float | None,
) -> Overflow:
    """Return where large values go.

    Raises:
        InvalidStorage: Both names of the folder are given, or the threshold is no size.
    """
    if spillover_dir is not None and overflow_dir is not None:
        raise InvalidStorage(
            "overflow_dir and spillover_dir are both given, and they name the same thing",
            "give overflow_dir alone",
        )
    if threshold_mb is not None and not 0 <= threshold_mb < math.inf:
        raise InvalidStorage(
            f"overflow_threshold_MB={threshold_mb!r} is not a size",
            "give a number of megabytes, 0 or more",
        )
    folder = overflow_dir if spillover_dir is None else spillover_dir
    return Overflow(
        None if folder is None else Path(folder),
        None if threshold_mb is None else round(threshold_mb * _MEGABYTE),
    )


def absolute(path: str | os.PathLike[str] | None) -> str | None:
    """Return a path as another process can use it; `"__main__"` is none."""
    if path is None:
        return None
    return MAIN if path == MAIN else str(Path(path).absolute())


def project_of(deps_path: str | os.PathLike[str] | None) -> Project | None:
    """Return what code is tracked; raise `InvalidStorage` if there is none in `deps_path`."""
    if deps_path is None:
        return None
    if deps_path == MAIN:
        return Project(None, main_only=True)
    if not Path(deps_path).is_dir():
        raise InvalidStorage(
            f"deps_path={str(deps_path)!r} is no folder",
            'give the folder of your code, or "__main__" for the script that runs',
        )
    return Project(Path(deps_path).resolve())
