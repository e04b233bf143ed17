"""What tells one state of a file from the next without reading it.

Not what is in the file. Invariant: two equal states of one path that are not
fresh have the same bytes, unless somebody wrote through a memory map without
flushing it. The time of the inode counts too: no program can set it back.
"""

from __future__ import annotations

import os
import time

SETTLED_AFTER_NS = 2_000_000_000

FileState = tuple[int, int, int, int, int]
"""Size, time of the content, time of the inode, inode and device."""


def state_of(status: os.stat_result) -> FileState:
    """Return the state of a file from its stat."""
    times = (status.st_mtime_ns, status.st_ctime_ns)
    return (status.st_size, *times, status.st_ino, status.st_dev)


def is_fresh(state: FileState, read_at_ns: int | None = None) -> bool:
    """Whether a file was too young, when it was read, for its state to tell of the next change.

    What was written just now may be written again within one tick of the clock.
    """
    read_at_ns = time.time_ns() if read_at_ns is None else read_at_ns
    return read_at_ns - max(state[1], state[2]) < SETTLED_AFTER_NS
