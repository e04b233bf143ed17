"""One growing pack file of this process.

Not the look-up of what packs hold. Invariant: the file always consists of
whole entries, except perhaps for its end after a crash, and after a failed
write nothing more is ever appended behind the remains.
"""

from __future__ import annotations

import os
import re
from contextlib import suppress
from pathlib import Path

from gitmemo.blobs import leases
from gitmemo.blobs.entry import SALT_SIZE, header, preamble, seed_of
from gitmemo.hashing.digest import Digest

PACK_LIMIT = 16 << 20
"""A pack this large gets no more entries."""


class PackWriter:
    """A pack opened for appending. Callers hold a lock."""

    def __init__(self, folder: Path) -> None:
        folder.mkdir(parents=True, exist_ok=True)
        first_bytes = preamble(os.urandom(SALT_SIZE))
        self.pid = os.getpid()
        self.path = folder / f"{_host()}-{self.pid}-{os.urandom(8).hex()}.pack"
        self.seed = seed_of(first_bytes) or 0
        self.end = 0
        self._open: int | None = os.open(
            self.path, os.O_WRONLY | os.O_APPEND | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC, 0o644
        )
        try:
            leases.mark_in_use(self._open)
            self._write(first_bytes)
        except BaseException:
            self.close()
            self.path.unlink(missing_ok=True)
            raise

    @property
    def usable(self) -> bool:
        """Whether this process may append another entry here."""
        if self._open is None or self.end >= PACK_LIMIT or self.pid != os.getpid():
            return False
        # Someone may have deleted the folder under a notebook that runs for days.
        return os.fstat(self._open).st_nlink > 0

    def append(self, blob: Digest, codec: str, payload: bytes) -> int:
        """Write one entry and return the offset of its payload."""
        head = header(blob, codec, len(payload), self.seed)
        self._write(head + payload)
        return self.end - len(payload)

    def close(self) -> None:
        """Write no more. Safe to repeat."""
        if self._open is not None:
            fd, self._open = self._open, None
            os.close(fd)

    def _write(self, data: bytes) -> None:
        # No fsync: the page cache survives kill -9, and an fsync per value would
        # cost more than most calls. After a power cut the verification of what
        # is read turns a lost tail into a value that is computed again.
        assert self._open is not None
        view = memoryview(data)
        try:
            while view:
                view = view[os.write(self._open, view) :]
            self.end += len(data)
        except OSError:
            # Disk full, quota, file size limit: part of it may be there.
            try:
                os.ftruncate(self._open, self.end)
            except OSError:
                self.close()
            raise
        except BaseException:
            # An interrupt may have come after the last byte, when others can
            # already see the entry: leave it, and never write behind it.
            self.close()
            raise

    def __del__(self) -> None:
        # At the interpreter's end even builtins may be gone; the system closes the file then.
        with suppress(Exception):
            self.close()


def _host() -> str:
    return re.sub(r"[^A-Za-z0-9.-]", "_", os.uname().nodename)[:40] or "host"
