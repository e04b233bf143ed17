"""What goes wrong with the machine: files that may not be read or written, a disk that is full.

Not what one of our own modules expects and explains better. Invariant: as in `base`.
"""

from __future__ import annotations

import errno
import os
from typing import Final, Self

from gitmemo.errors.base import GitmemoError

_SHOWN_AT_ONCE: Final = "GITMEMO_DEBUG=1 shows it at once"
_FULL: Final = frozenset({errno.ENOSPC, errno.EDQUOT})
_DENIED: Final = frozenset({errno.EACCES, errno.EPERM})


class GitmemoBug(GitmemoError):
    """Something that gitmemo did not expect: a mistake in gitmemo, not in what it was asked for."""

    kind = "bug"
    exit_code = 70

    def __init__(self, said: str, path: str) -> None:
        super().__init__(said, path)
        self.said, self.path = said, path

    def problem(self) -> str:
        return f"this is a bug of gitmemo, not of your program: {self.said}"

    def remedy(self) -> str:
        where = f"the traceback is in {self.path}" if self.path else "the traceback is above"
        return f"{where} ({_SHOWN_AT_ONCE}): report it with that, and with what `gitmemo doctor` prints"


class IndexUnusable(GitmemoError):
    """SQLite cannot use one of gitmemo's own databases."""

    kind = "index-unusable"
    exit_code = 5

    def __init__(self, reason: str) -> None:
        super().__init__(reason)
        self.reason = reason

    def problem(self) -> str:
        return f"a database of gitmemo's own cannot be used: SQLite says: {self.reason}"

    def remedy(self) -> str:
        return (
            "see that the disk is not full, that `.git/gitmemo/` may be written, and that no other "
            "program holds it; `.git/gitmemo/index.db` holds nothing that is not elsewhere too and "
            "can be deleted"
        )


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
        if self.code == errno.EFBIG:
            return "no file may grow so large here: `ulimit -f` says how large, ask who set it"
        if self.code in _DENIED:
            return "`ls -ld` shows who owns it and who may write there: be that user, or let them change it"
        if self.code == errno.EROFS:
            return (
                "that file system may only be read: have it mounted for writing, or work in a copy"
            )
        return "see to that path, and say the same again; `gitmemo doctor` looks at what is needed here"
