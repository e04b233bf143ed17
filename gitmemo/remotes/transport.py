"""The seam between the layout of a remote and where its bytes lie.

Two implementations: directories, and everything that fsspec reaches.
Invariant: names are relative, `/`-separated and come from `layout`.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import Protocol

from gitmemo.errors import RemoteObjectRefused

Progress = Callable[[int, int], None]
"""Told, in the calling thread, of each step done: its bytes, its number of values."""

Reached = Callable[[int], None]
"""Told how many bytes of an object are there, in the thread that moves them; back to less when
they are moved again."""

CHUNK_SIZE = 8 << 20
"""The pieces in which large objects are read."""
LARGEST_PIECE = 16 << 20
"""More than this of one large object is never in memory."""
SLOWEST = 1 << 10
"""Bytes in a second that an answer must bring, after as long as a silent server is waited for."""


def within(remote: str, name: str, data: bytes, most: int) -> bytes:
    """Return `data`, of which at most one byte more than allowed was read, if it is not too long."""
    if len(data) > most:
        raise too_large(remote, name, most)
    return data


def too_large(remote: str, name: str, most: int) -> RemoteObjectRefused:
    """Return the error for an object of more than `most` bytes."""
    return RemoteObjectRefused(remote, name, f"is larger than any such object ({most} bytes)")


class Transport(Protocol):
    """Moves whole objects. Every method is safe to repeat and to call from any thread.

    What may pass is repeated here for a while. A service that does not answer
    raises `RemoteUnreachable`; an object that is not there raises
    `FileNotFoundError`, one that cannot be ours `RemoteObjectRefused`.
    """

    def listing(self) -> dict[str, int | None]:
        """Return the size of every object, by name; empty if there is nothing yet."""
        ...

    def read(self, name: str, most: int) -> bytes:
        """Return a whole object; one of more than `most` bytes is refused, and not read."""
        ...

    def read_ranges(self, name: str, ranges: Sequence[tuple[int, int]]) -> list[bytes]:
        """Return the bytes from start to end (exclusive) of each range, as far as they exist."""
        ...

    def stream(self, name: str, size: int, start: int = 0) -> Iterator[bytes]:
        """Yield an object of `size` bytes from `start` in pieces; never one piece more than that."""
        ...

    def write(self, name: str, data: bytes) -> None:
        """Create or replace an object."""
        ...

    def upload(self, name: str, path: Path, reached: Reached = ...) -> None:
        """Create or replace an object from a file, telling `reached` where it is moved in pieces."""
        ...

    def write_new(self, name: str, data: bytes) -> bool:
        """Create an object unless there is one; say whether it was written.

        Some services replace it all the same: nothing may rely on the answer.
        """
        ...

    def delete(self, name: str) -> None:
        """Remove an object; one that is not there is removed."""
        ...

    def written_at(self, name: str) -> float | None:
        """Return when an object was written, in seconds since 1970 by the service's clock."""
        ...
