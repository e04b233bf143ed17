"""What goes wrong with the machine: files that may not be read or written, a disk that is full.

Not what one of our own modules expects and explains better. Invariant: as in `base`.
"""

from __future__ import annotations

import errno
import os
from typing import Final, Self

from gitmemo.errors.base import GitmemoError

_FULL: Final = frozenset({errno.ENOSPC, errno.EDQUOT})
_DENIED: Final = frozenset({errno.EACCES, errno.EPERM})


class SystemRefused(GitmemoError):
    """The operating system refused to open, read, write or remove something."""

    kind = "system-refused"

    def __init__(self, path: str, code: int, reason: str) -> None:
        super().__init__(path, code, reason)
        self.path, self.code, self.reason = path, code, reason

    @classmethod
    def of(cls, error: OSError) -> Self:
        """Return what people are to be told of an error of the system."""
        named = error.filename
        path = os.fsdecode(named) if isinstance(named, str | bytes | os.PathLike) else ""
        return cls(path, error.errno or 0, error.strerror or str(error) or type(error).__name__)

    def problem(self) -> str:
        return f"{self.path}: {self.reason}" if self.path else f"the system says: {self.reason}"

    def remedy(self) -> str:
        if self.code in _FULL:
            return "free space there; `gitmemo gc` says which values nothing needs"
        if self.code in _DENIED:
            return "`ls -ld` shows who owns it and who may write there: be that user, or let them change it"
        if self.code == errno.EROFS:
            return (
                "that file system may only be read: have it mounted for writing, or work in a copy"
            )
        return "see to that path, and say the same again; `gitmemo doctor` looks at what is needed here"
