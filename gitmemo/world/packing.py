"""Lines of facts, written as what differs from a line like them, or as what fills their form.

Not a file format: only the index holds lines like this, and says which pattern
belongs to which. Invariant: what `pack` made of a line and a pattern, `unpack`
turns into the line again; so does `fill` with what was taken out of it.
"""

from __future__ import annotations

import zlib
from functools import cached_property
from typing import TYPE_CHECKING

from gitmemo.errors import CorruptRecord

if TYPE_CHECKING:
    from zlib import _Compress as Packer
    from zlib import _Decompress as Unpacker

# A window as long as most lines and their pattern: a larger one takes much longer to set up.
_WINDOW = -11
_MEMORY = 2
_LEVEL = 6

FILLED = "\n"
"""Stands in a pattern where each line has something else, and between these parts of a line."""


class Pattern:
    """A line that others resemble, or what is the same in all of them."""

    def __init__(self, line: str) -> None:
        self.line = line
        self._raw = line.encode("utf-8")

    # Made once and copied, which is quicker than setting up another for every line.
    @cached_property
    def _packer(self) -> Packer:
        return zlib.compressobj(_LEVEL, zlib.DEFLATED, _WINDOW, _MEMORY, 0, self._raw)

    @cached_property
    def _unpacker(self) -> Unpacker:
        return zlib.decompressobj(_WINDOW, self._raw)

    @cached_property
    def _form(self) -> str:
        return self.line.replace("%", "%%").replace(FILLED, "%s")

    def fill(self, fields: str) -> str:
        """Return the line that has these fields.

        Raises:
            CorruptRecord: There are more or fewer than the pattern has room for.
        """
        try:
            return self._form % tuple(fields.split(FILLED))
        except TypeError as error:
            raise CorruptRecord(fields[:80], str(error), "the index") from None

    def pack(self, line: str) -> bytes:
        """Return `line` as what it adds to the pattern."""
        packer = self._packer.copy()
        return packer.compress(line.encode("utf-8")) + packer.flush()

    def unpack(self, packed: bytes) -> str:
        """Return the line that `pack` was given.

        Raises:
            CorruptRecord: The bytes are not what `pack` returned.
        """
        unpacker = self._unpacker.copy()
        try:
            return (unpacker.decompress(packed) + unpacker.flush()).decode("utf-8")
        except (zlib.error, UnicodeDecodeError) as error:
            raise CorruptRecord(packed[:16].hex(), str(error), "the index") from None
