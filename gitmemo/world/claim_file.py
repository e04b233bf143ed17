"""The file `claims`: which calls are being computed, by whichever process of this machine or folder.

Not who waits, nor for how long (`claims`). Invariant: what is said here of a process is said by
record locks, which the system takes back when the process ends, however it ends; bytes without a
lock are only hints. So nothing is left over, and no clock counts.

Record locks belong to a process and to a file, not to a descriptor: they are gone when *any*
descriptor of the file is closed in the process. So there is one for each file, and it is closed
only when nobody has the file in use; and threads must be told apart in memory.
"""

from __future__ import annotations

import errno
import os
import struct
import sys
import threading
from collections.abc import Iterable, Iterator
from contextlib import suppress
from functools import lru_cache
from pathlib import Path
from weakref import WeakValueDictionary

SLOTS = 4096
MARK_BYTES = 8
NO_MARK = bytes(MARK_BYTES)
_PRESENT_AT = SLOTS * MARK_BYTES
_NOTES_AT = 1 << 16
_NOTES = 256
_NOTE = struct.Struct("<128Q")
_MOST_HELD = 126
_CALLS_AT = 1 << 20
_HELD_BY_OTHERS = (errno.EAGAIN, errno.EACCES)

Wait = tuple[int, tuple[int, ...]]
"""A call that is waited for, and those that whoever waits is computing."""

_OPENING = threading.RLock()
_known: WeakValueDictionary[tuple[int, int], ClaimFile] = WeakValueDictionary()
_unused: list[tuple[tuple[int, int], int]] = []


class ClaimFile:
    """An open claim file; its threads must see to it that no two ask for one call at a time.

    Calls are numbers below 2**60.

    Attributes:
        key: Which file it is: device and inode.
        trouble: Why there are no locks here; None while there are. Then every lock is granted.
        is_told: Whether somebody was told of the trouble.
    """

    def __init__(self, key: tuple[int, int], file: int) -> None:
        import fcntl

        self.key = key
        self.trouble: OSError | None = None
        self.is_told = False
        self._file = file
        self._lockf = fcntl.lockf
        self._alone, self._free = fcntl.LOCK_EX | fcntl.LOCK_NB, fcntl.LOCK_UN
        self._exclusive, self._shared = fcntl.LOCK_EX, fcntl.LOCK_SH | fcntl.LOCK_NB
        self._noted: set[int] = set()
        # Marks differ from all others, for 2**32 calls of a process.
        self._name, self._count = os.urandom(4), 0
        self.attend()

    def __del__(self, _unused: list[tuple[tuple[int, int], int]] = _unused) -> None:
        # Closed with the next opening: another thread may be opening this file right now.
        _unused.append((self.key, self._file))

    def lock(self, call: int) -> bool:
        """Take a call for this process; return whether no other process has it."""
        return self._taken(_CALLS_AT + call)

    def unlock(self, call: int) -> None:
        """Give a call back."""
        self._let_go(_CALLS_AT + call, 1)

    def attend(self) -> None:
        """Let other processes see that this one reads marks; to be said before they are read."""
        try:
            self._lockf(self._file, self._shared, 1, _PRESENT_AT)
        except OSError as error:
            self.trouble = error

    def is_alone(self) -> bool:
        """Whether certainly no other process reads marks; one that comes later reads journals first."""
        return self.trouble is None and _holder(self._file, _PRESENT_AT) is None

    def mark(self, slot: int) -> bytes:
        """Return the mark of a slot: it changes when a call of the slot is recorded."""
        return os.pread(self._file, MARK_BYTES, slot * MARK_BYTES) or NO_MARK

    def marks(self) -> bytearray:
        """Return the marks of all slots."""
        try:
            found = bytearray(os.pread(self._file, SLOTS * MARK_BYTES, 0))
        except OSError:
            found = bytearray()
        return found + bytes(SLOTS * MARK_BYTES - len(found))

    def change(self, slot: int) -> tuple[bytes, bytes]:
        """Change the mark of a slot; return the one before and the new one."""
        start = slot * MARK_BYTES
        self._count += 1
        new = self._name + (self._count & 0xFFFFFFFF).to_bytes(4)
        if self.trouble:
            return new, new
        # Alone: a mark of another process that was overwritten unseen would never be noticed.
        self._lockf(self._file, self._exclusive, MARK_BYTES, start)
        try:
            before = self.mark(slot)
            os.pwrite(self._file, new, start)
        finally:
            self._let_go(start, MARK_BYTES)
        return before, new

    def who(self, call: int) -> str:
        """Say in words which process has a call."""
        pid = _holder(self._file, _CALLS_AT + call)
        return f"process {pid}" if pid is not None and pid > 0 else "another process"

    def note(self, wait: Wait) -> int | None:
        """Let other processes see that somebody here waits; None if there is no room for it."""
        wanted, held = wait
        first = os.urandom(1)[0]
        for number in range(_NOTES):
            index = (first + number) % _NOTES
            if index not in self._noted and self._taken(_NOTES_AT + index * _NOTE.size):
                self._noted.add(index)
                numbers = [wanted + 1, *(call + 1 for call in held[:_MOST_HELD])]
                data = _NOTE.pack(*numbers, *(0,) * (128 - len(numbers)))
                os.pwrite(self._file, data, _NOTES_AT + index * _NOTE.size)
                return index
        return None

    def erase(self, index: int) -> None:
        """Take a note back."""
        start = _NOTES_AT + index * _NOTE.size
        with suppress(OSError):
            os.pwrite(self._file, bytes(_NOTE.size), start)
        self._noted.discard(index)
        self._let_go(start, 1)

    def notes(self) -> Iterator[Wait]:
        """Yield who waits, here and in other processes that live."""
        data = os.pread(self._file, _NOTES * _NOTE.size, _NOTES_AT)
        for index in range(len(data) // _NOTE.size):
            start = index * _NOTE.size
            if data[start : start + 8].strip(b"\0") and self._lives(index):
                wanted, *held = _NOTE.unpack_from(data, start)
                yield wanted - 1, tuple(call - 1 for call in held if call)

    def start_over(self) -> None:
        """Begin anew in a child that was forked off: it has the descriptor, and no locks."""
        self._noted = set()
        self._name, self._count = os.urandom(4), 0
        self.attend()

    def _lives(self, index: int) -> bool:
        if index in self._noted:
            return True
        start = _NOTES_AT + index * _NOTE.size
        if not self._taken(start):
            return True
        self._let_go(start, 1)
        return False

    def _taken(self, start: int) -> bool:
        try:
            self._lockf(self._file, self._alone, 1, start)
        except OSError as error:
            if error.errno in _HELD_BY_OTHERS:
                return False
            self.trouble = error
        return True

    def _let_go(self, start: int, length: int) -> None:
        try:  # noqa: SIM105 - `suppress` is three calls more, twice in each call that is run
            self._lockf(self._file, self._free, length, start)
        except OSError:
            pass


def opened(path: Path, *, create: bool) -> ClaimFile | None:
    """Return the file at `path`; None if there is none and it is not to be created.

    Raises:
        OSError: It cannot be opened for writing.
        ImportError: This system has no record locks.
    """
    with _OPENING:
        _close_unused()
        try:
            known = _known.get(key_of(path))
        except FileNotFoundError:
            if not create:
                return None
        else:
            if known is not None:
                return known
        import fcntl  # noqa: F401  before there is a descriptor that nobody would close

        # Who may open it may lock it, and let everybody wait: even who can only read it.
        file = os.open(path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
        status = os.fstat(file)
        found = _known[status.st_dev, status.st_ino] = ClaimFile(
            (status.st_dev, status.st_ino), file
        )
        return found


def key_of(path: Path) -> tuple[int, int]:
    """Return which file is at `path` now."""
    status = path.stat()
    return status.st_dev, status.st_ino


def _close_unused() -> None:
    for one in list(_unused):
        key, file = one
        if key not in _known:  # else that would take locks of the one in use
            _unused.remove(one)
            os.close(file)


def is_circle(wait: Wait, others: Iterable[Wait]) -> bool:
    """Whether what `wait` waits for is held by somebody who, in the end, waits for it."""
    wanted, held = wait
    edges = list(others)
    reached, todo = {wanted}, [wanted]
    while todo:
        call = todo.pop()
        for further, computing in edges:
            if call in computing and further not in reached:
                reached.add(further)
                todo.append(further)
    return not reached.isdisjoint(held)


def _holder(file: int, start: int) -> int | None:
    """Return the id of another process that has a lock of a byte; None if there certainly is none.

    0 where that cannot be said.
    """
    import fcntl

    question = _question(start)
    if question is None:
        return 0
    layout, kind, pid, asked = question
    try:
        found = fcntl.fcntl(file, fcntl.F_GETLK, asked)
    except OSError:
        return 0
    told = layout.unpack(found)
    return int(told[pid]) if told[kind] != fcntl.F_UNLCK else None


@lru_cache(maxsize=100)
def _question(start: int) -> tuple[struct.Struct, int, int, bytes] | None:
    """Return how the system is asked for locks of a byte: layout, places of kind and process, bytes."""
    import fcntl

    layouts = {"linux": ("hhqqi4x", (0, 1, 4)), "darwin": ("qqihh", (3, 4, 2))}
    if sys.platform not in layouts or struct.calcsize("P") != 8:
        return None
    layout, (kind, whence, pid) = layouts[sys.platform]
    values = [start, 1, 0, 0, 0] if sys.platform == "darwin" else [0, 0, start, 1, 0]
    values[kind], values[whence] = fcntl.F_WRLCK, os.SEEK_SET
    shape = struct.Struct(layout)
    return shape, kind, pid, shape.pack(*values)


def _start_over_in_child() -> None:
    global _OPENING
    _OPENING = threading.RLock()
    for file in list(_known.values()):
        file.start_over()


if hasattr(os, "register_at_fork"):  # not on Windows, where nothing forks
    os.register_at_fork(after_in_child=_start_over_in_child)
