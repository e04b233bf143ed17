"""Cells in a file: those of a million rows take little memory, and few are read at a time.

Not columns (`document`) nor what is asked of them (`source`). Invariants: cells never change once
they are kept; and the file has no name by which others could open it, and goes with the last of them.
"""

from __future__ import annotations

import json
import tempfile
from array import array
from collections.abc import Iterable, Iterator, Sequence
from itertools import islice
from threading import Lock
from typing import TypeVar, overload

from gitmemo.errors import PageNotWritten
from gitmemo.report.asking import text_of
from gitmemo.report.cells import Shown

_BLOCK = 32
"""So many cells are read at once: those of a page of sorted rows are all over the file."""
_STRETCH = 4096
"""So many texts are searched at once."""
_END = "\0"

_Item = TypeVar("_Item")


class Shelf:
    """A file for the cells of one document. Safe to use from several threads."""

    def __init__(self) -> None:
        self._file = tempfile.TemporaryFile(prefix="gitmemo-page-")  # noqa: SIM115  (as long as its cells)
        self._lock = Lock()
        self._size = 0

    def keep(self, cells: Iterable[Shown]) -> KeptCells:
        """Return these cells, kept in the file."""
        return KeptCells(self, cells)

    def append(self, data: bytes) -> int:
        """Write bytes and return where they begin.

        Raises:
            PageNotWritten: There is no room for them.
        """
        with self._lock:
            start = self._size
            try:
                self._file.seek(start)
                self._size += self._file.write(data)
            except OSError as error:
                raise PageNotWritten(tempfile.gettempdir(), error.strerror or str(error)) from error
            return start

    def read(self, start: int, length: int) -> bytes:
        """Return the bytes at a place of the file."""
        with self._lock:
            self._file.seek(start)
            return self._file.read(length)


class _Blocks:
    """What was written to a shelf piece by piece."""

    def __init__(self, shelf: Shelf, pieces: Iterable[bytes]) -> None:
        self._shelf = shelf
        self._starts, self._lengths = array("Q"), array("Q")
        for piece in pieces:
            self._starts.append(shelf.append(piece))
            self._lengths.append(len(piece))

    def __len__(self) -> int:
        return len(self._starts)

    def __getitem__(self, number: int) -> bytes:
        return self._shelf.read(self._starts[number], self._lengths[number])


class KeptCells(Sequence[Shown]):
    """Cells by their places, as a list has them."""

    def __init__(self, shelf: Shelf, cells: Iterable[Shown]) -> None:
        self._shelf = shelf
        self._count = 0
        self._blocks = _Blocks(shelf, map(self._written, _parts(cells, _BLOCK)))
        self._texts: _Blocks | None = None
        self._last: tuple[int, list[Shown]] = -1, []

    def _written(self, cells: list[Shown]) -> bytes:
        self._count += len(cells)
        return json.dumps(cells, separators=(",", ":")).encode()

    def __len__(self) -> int:
        return self._count

    @overload
    def __getitem__(self, place: int) -> Shown: ...
    @overload
    def __getitem__(self, place: slice) -> list[Shown]: ...
    def __getitem__(self, place: int | slice) -> Shown | list[Shown]:
        if isinstance(place, slice):
            return [self[one] for one in range(self._count)[place]]
        number, within = divmod(range(self._count)[place], _BLOCK)
        last = self._last  # neighbours are asked for one after the other
        if last[0] != number:
            last = self._last = number, json.loads(self._blocks[number])
        return last[1][within]

    def __iter__(self) -> Iterator[Shown]:
        for number in range(len(self._blocks)):
            yield from json.loads(self._blocks[number])

    def having(self, word: str) -> Iterator[int]:
        """Yield the places of the cells that have a word, in small letters, in their text."""
        if self._texts is None:
            self._texts = _Blocks(self._shelf, map(_searched, _parts(self, _STRETCH)))
        wanted = _searchable(word)
        for number in range(len(self._texts)):
            texts = self._texts[number]
            place, counted = number * _STRETCH, 0
            found = texts.find(wanted)
            while found >= 0:
                place += texts.count(b"\0", counted, found)
                yield place
                counted = texts.index(b"\0", found)
                found = texts.find(wanted, counted)


def _searched(cells: Iterable[Shown]) -> bytes:
    """Return the texts of cells with an end each: a place is the number of ends before it."""
    return b"".join(_searchable(text_of(cell).lower()) + b"\0" for cell in cells)


def _searchable(text: str) -> bytes:
    return text.replace(_END, " ").encode("utf-8", "surrogatepass")


def _parts(items: Iterable[_Item], length: int) -> Iterator[list[_Item]]:
    rest = iter(items)
    while part := list(islice(rest, length)):
        yield part
