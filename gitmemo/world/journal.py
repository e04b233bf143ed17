"""The journal: facts that are not committed yet, one append-only file per process.

Not the committed index (`segments`). Invariant: a line that was written whole is
durable when `append` returns; a torn last line is a call that was still running.

A line is `CHECK BRANCH HEAD FACT`: the first 16 hex digits of the BLAKE3 of the
rest, the checked-out branch (`-` when detached), the commit (`-` when unborn),
and the fact's JSON.
"""

from __future__ import annotations

import os
import threading
import zlib
from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from gitmemo.errors import CorruptJournal
from gitmemo.hashing.digest import digest
from gitmemo.plain_files import replace_own

_CHECK_CHARACTERS = 16
PACKED = ".gz"
"""How the names of journals end that were set aside."""


@dataclass(frozen=True, slots=True)
class Place:
    """Where a fact was recorded: the branch and the commit at block entry."""

    branch: str | None
    commit: str | None

    @property
    def owner(self) -> str:
        """The branch; where there is none, the commit. All that a journal holds has the same."""
        return f"refs/heads/{self.branch}" if self.branch else self.commit or ""

    def __str__(self) -> str:
        return f"{self.branch or '-'} {self.commit or '-'}"


@dataclass(frozen=True, slots=True)
class Entry:
    """One fact of a journal.

    Attributes:
        position: Where its line begins in the file, in bytes.
    """

    place: Place
    line: str
    position: int


class Journal:
    """This process's own file in a worktree's journal folder; made when first written to.

    One for each branch: what a commit of the branch takes can then be set aside whole.
    """

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._file: int | None = None
        self._owner = ""
        self._pid = 0
        self._size = 0
        self._lock = threading.Lock()

    def append(self, place: Place, lines: Sequence[str]) -> None:
        """Write the facts `lines` in one piece; raise `OSError`, having written nothing, if it fails."""
        start = f"{place} "
        data = b"".join([_checked((start + line).encode("utf-8")) for line in lines])
        with self._lock:
            file = self._open(place.owner)
            try:
                written = os.write(file, data)
                if written < len(data):
                    raise OSError(28, "no space left on device", str(self._folder))
                self._size += written
            except OSError:  # the disk is full: take the torn piece back
                self._take_back(file)
                raise
            except BaseException:
                # An interrupt may have come after the last byte, when `_size` is too small to
                # go back to: never write behind it.
                self._close()
                raise

    def _take_back(self, file: int) -> None:
        try:
            os.ftruncate(file, self._size)
        except OSError:  # a torn end harms nobody; a line behind it would be damaged
            self._close()

    def close(self) -> None:
        """Close the file; a later `append` begins another."""
        with self._lock:
            self._close()

    def _close(self) -> None:
        if self._file is not None and self._pid == os.getpid():
            os.close(self._file)
        self._file = None

    def _open(self, owner: str) -> int:
        # After fork the child must not share the parent's file: `_size` would lie.
        if self._file is not None and self._pid == os.getpid() and self._owner == owner:
            return self._file
        self._close()
        self._owner = owner
        self._folder.mkdir(parents=True, exist_ok=True)
        self._pid, self._size = os.getpid(), 0
        import socket  # here: half of what importing this module would take

        host = "".join(c if c.isalnum() else "-" for c in socket.gethostname())[:40]
        while (file := _begin(self._folder, host)) is None:
            continue
        self._file = file
        return file


def read_entries(path: Path, offset: int = 0) -> tuple[list[Entry], int]:
    """Return the whole lines of a journal from byte `offset` on, and the offset behind them.

    Raises:
        CorruptJournal: A whole line does not match its check.
    """
    if path.suffix == PACKED:
        data = _unpacked(path)[offset:]
    else:
        with path.open("rb") as file:
            file.seek(offset)
            data = file.read()
    end = data.rfind(b"\n") + 1
    return list(_entries(path, data[:end], offset)), offset + end


def write_again(folder: Path, entries: Iterable[tuple[Place, str]]) -> bool:
    """Write facts into a journal of their own, named after what it holds; return whether it is new.

    So two processes that do the same write one file.
    """
    data = b"".join(_checked(f"{place} {line}".encode()) for place, line in entries)
    path = folder / f"again-{digest(data).hex()[:32]}.jsonl"
    if path.exists() and not exported_size(path):
        return False
    folder.mkdir(parents=True, exist_ok=True)
    _note_of(path).unlink(missing_ok=True)
    replace_own(path, data)
    return True


def repair(path: Path) -> int:
    """Move the damaged lines of `path` to `<path>.damaged` and keep the others; return how many."""
    good: list[bytes] = []
    bad: list[bytes] = []
    for raw in path.read_bytes().splitlines(keepends=True):
        (good if _is_whole(raw.rstrip(b"\n")) else bad).append(raw)
    if bad:
        with Path(f"{path}.damaged").open("ab") as file:
            file.writelines(bad)
        replace_own(path, b"".join(good))
    return len(bad)


@contextmanager
def abandoned(path: Path) -> Iterator[bool]:
    """Yield whether no process writes to `path` any more (its lock is free).

    None begins to before the context ends: one that has just made the file waits for its lock.
    """
    try:
        import fcntl
    except ImportError:  # Windows: a file that a process has open cannot be moved there anyway
        yield True
        return
    with path.open("rb") as file:
        try:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError:
            is_free = False
        else:
            is_free = True
        yield is_free


def _entries(path: Path, data: bytes, position: int) -> Iterable[Entry]:
    for raw in data.split(b"\n")[:-1]:
        if not _is_whole(raw):
            raise CorruptJournal(str(path), _line_number(path, position))
        _check, branch, commit, line = raw.decode("utf-8").split(" ", 3)
        yield Entry(Place(_or_none(branch), _or_none(commit)), line, position)
        position += len(raw) + 1


def _line_number(path: Path, position: int) -> int:
    data = _unpacked(path) if path.suffix == PACKED else path.read_bytes()
    return data[:position].count(b"\n") + 1


def _unpacked(path: Path) -> bytes:
    import gzip

    data = path.read_bytes()
    try:
        return gzip.decompress(data)
    except (OSError, EOFError, zlib.error):
        raise CorruptJournal(str(path), 1) from None


def mark_exported(path: Path, size_bytes: int) -> None:
    """Note that everything in a journal before this size is committed."""
    replace_own(_note_of(path), str(size_bytes).encode("ascii"))


def exported_size(path: Path) -> int:
    """Return how much of a journal is committed, as noted by `mark_exported`."""
    try:
        return int(_note_of(path).read_text("ascii"))
    except (FileNotFoundError, ValueError):
        return 0


def retire(path: Path, folder: Path) -> None:
    """Move a journal that nobody writes to, and that is committed whole, to `folder`, compressed.

    Killed in between, it is in both places: its facts are the same in each.
    """
    import gzip

    folder.mkdir(parents=True, exist_ok=True)
    packed = folder / f"{path.name}{PACKED}"
    replace_own(packed, gzip.compress(path.read_bytes(), mtime=0))
    path.unlink()
    _note_of(path).unlink(missing_ok=True)


def _note_of(path: Path) -> Path:
    return path.with_suffix(".exported")


def _is_whole(raw: bytes) -> bool:
    check, _, rest = raw.partition(b" ")
    return check == _check_of(rest) and rest.count(b" ") >= 2


def _or_none(text: str) -> str | None:
    return None if text == "-" else text


def _checked(rest: bytes) -> bytes:
    return b"%b %b\n" % (_check_of(rest), rest)


def _check_of(rest: bytes) -> bytes:
    return digest(rest).hex()[:_CHECK_CHARACTERS].encode()


def _begin(folder: Path, host: str) -> int | None:
    """Create a journal and mark it as in use; None if it was set aside before it was marked."""
    path = folder / f"{host}-{os.getpid()}-{os.urandom(4).hex()}.jsonl"
    flags = os.O_WRONLY | os.O_APPEND | os.O_CREAT | os.O_EXCL | getattr(os, "O_BINARY", 0)
    file = os.open(path, flags, 0o644)
    _lock_shared(file)
    # Before that a commit's hook may have seen a journal that nobody writes to, and taken it
    # away: what is written into a file without a name is lost.
    try:
        is_there = os.path.samestat(os.fstat(file), path.stat())
    except FileNotFoundError:
        is_there = False
    if is_there:
        return file
    os.close(file)
    return None


def _lock_shared(file: int) -> None:
    """Mark the journal as in use until this process ends, however it ends."""
    try:
        import fcntl
    except ImportError:
        return
    try:
        fcntl.flock(file, fcntl.LOCK_SH)
    except OSError:
        # A file system without locks: nothing is lost, the file is only moved
        # to `exported/` while it is in use, and read there just the same.
        return
