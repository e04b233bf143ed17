"""What Arrow's file format says of itself before any of it is read.

Not a reader of tables: pyarrow is. Invariant: a file that pyarrow would
decompress is refused, since it does so without a limit, and so is one that would
make it call what other packages have registered; gitmemo writes neither.
"""

from __future__ import annotations

import struct
from collections.abc import Iterator

_MAGIC = b"ARROW1"
_CONTINUATION = 0xFFFFFFFF
_DICTIONARY, _RECORDS = 2, 3


# With this note on a column, opening a file calls `__arrow_ext_deserialize__` of whichever
# package registered the type: that is code from elsewhere, and some of it unpickles.
_EXTENSION = b"ARROW:extension:"


def refuse_foreign(data: memoryview) -> None:
    """Raise any exception unless `data` is an Arrow file without compression and extension types."""
    if bytes(data[-len(_MAGIC) :]) != _MAGIC:
        raise ValueError("it is no Arrow file")
    (size,) = struct.unpack_from("<i", data, len(data) - 10)
    start = len(data) - 10 - size
    if size <= 0 or start < 0 or _EXTENSION in bytes(data[start : len(data) - 10]):
        raise ValueError("it has no footer, or a column of a type that gitmemo does not write")
    footer = _followed(data, start)
    for field in (2, 3):  # dictionaries, record batches
        for place in _blocks(data, _field(data, footer, field)):
            _check(data, place)


def _blocks(data: memoryview, field: int | None) -> Iterator[int]:
    """Return where the messages start that a list in the footer names."""
    if field is None:
        return
    vector = _followed(data, field)
    (count,) = struct.unpack_from("<I", data, vector)
    for number in range(count):
        yield struct.unpack_from("<q", data, vector + 4 + 24 * number)[0]


def _check(data: memoryview, place: int) -> None:
    if struct.unpack_from("<I", data, place)[0] != _CONTINUATION:
        raise ValueError("it is of a version that gitmemo does not write")
    message = _followed(data, place + 8)
    kind, header = _field(data, message, 1), _field(data, message, 2)
    if kind is None or header is None or _field(data, message, 4) is not None:
        # Old versions say in a message's metadata that it is compressed.
        raise ValueError("it has a message that gitmemo does not write")
    batch: int | None = _followed(data, header)
    if data[kind] == _DICTIONARY:
        inner = _field(data, _followed(data, header), 1)
        batch = None if inner is None else _followed(data, inner)
    elif data[kind] != _RECORDS:
        raise ValueError("it has a message that gitmemo does not write")
    if batch is None or _field(data, batch, 3) is not None:
        raise ValueError("it is compressed: a few bytes may be gigabytes")


# --- flatbuffers ------------------------------------------------------------------


def _followed(data: memoryview, place: int) -> int:
    """Return what the offset at `place` leads to."""
    return place + int(struct.unpack_from("<I", data, place)[0])


def _field(data: memoryview, table: int, number: int) -> int | None:
    """Return where a field of a table is; None if it is not set."""
    layout = table - struct.unpack_from("<i", data, table)[0]
    entry = 4 + 2 * number
    if entry + 2 > struct.unpack_from("<H", data, layout)[0]:
        return None
    offset = int(struct.unpack_from("<H", data, layout + entry)[0])
    return table + offset if offset else None
