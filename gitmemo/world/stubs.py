"""Stubs: what git keeps of a segment whose bytes were moved to a remote.

Not where the bytes are (`spilled`), nor the moving (`commits/spilling.py`). Invariant: a segment
has one stub, byte for byte, so that a file has two states only, whole and spilled, and no
merge finds a third; what it stands for is checked against the name of the file alone.
"""

from __future__ import annotations

import re
from dataclasses import dataclass

from gitmemo.errors import CorruptSegment
from gitmemo.hashing.digest import Digest
from gitmemo.world.segments import MAX_BYTES, read_segment, segment_name

CODEC = "segment"
"""As what the bytes are stored: no codec of values, so that nothing decodes them as one."""
LONGEST_STUB = 64
_STUB = re.compile(rb'\{"spilled":1,"size":([1-9][0-9]{0,9})\}\n')


@dataclass(frozen=True, slots=True)
class Stub:
    """What stands in the place of a segment.

    Attributes:
        path: Where, in the repository.
        size: How many bytes the segment has.
    """

    path: str
    size: int

    @property
    def blob(self) -> Digest:
        """The id of the segment's bytes, which is its name."""
        return Digest(bytes.fromhex(segment_name(self.path) or ""))


def stub_bytes(size: int) -> bytes:
    """Return the stub of a segment of so many bytes.

    >>> stub_bytes(12_000_000)
    b'{"spilled":1,"size":12000000}\\n'
    """
    return b'{"spilled":1,"size":%d}\n' % size


def read_stub(path: str, data: bytes) -> Stub | None:
    """Return the stub that a file of the index is; None if it is none.

    Raises:
        CorruptSegment: It is one of a segment that no reader takes.
    """
    match = _STUB.fullmatch(data) if len(data) <= LONGEST_STUB else None
    if match is None or segment_name(path) is None:
        return None
    stub = Stub(path, int(match.group(1)))
    if stub.size > MAX_BYTES:
        raise CorruptSegment(path, "it stands for a segment that is too large")
    return stub


def check_file(path: str, data: bytes) -> None:
    """Look at a file of the index, whether it is whole or spilled.

    Raises:
        CorruptSegment: It is neither.
    """
    if read_stub(path, data) is None:
        read_segment(path, data)
