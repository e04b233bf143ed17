"""Codecs of plain data: JSON and bytes; and small values written inline.

Not for subclasses, tuples, sets or keys that are not strings: what is written
comes back exactly equal, types included. Invariant: reading runs no code.
"""

from __future__ import annotations

import json
from typing import Any

from gitmemo.codecs.codec import Chunks, Source, read
from gitmemo.model.items import INLINE_BYTES, Inline, JsonValue

# What surely fits, seen without writing it: most arguments and results are like this.
_SURELY_SMALL = 1 << 63
_FEW_CHARACTERS = 60

MOST_INT_BITS = 2_000
"""`sys.set_int_max_str_digits` refuses text of more digits, 640 at its strictest."""

_DEPTH = 100
# A value that shares its parts is a small pickle but may be a gigantic text.
_NODES = 1_000_000


def json_text(value: JsonValue) -> str:
    """Return the compact JSON text of `value`; raise `ValueError` for NaN and infinities."""
    return json.dumps(value, separators=(",", ":"), ensure_ascii=False, allow_nan=False)


def inline(value: object) -> Inline | None:
    """Return `value` in its inline form, or None when it needs a blob.

    >>> inline([1, "a"])
    Inline(json=[1, 'a'])
    >>> inline((1, "a")) is None
    True
    """
    if _is_surely_small(value):
        return Inline(value)  # type: ignore[arg-type]
    # Every node is at least one byte of text, so a larger value is never walked to its end.
    if (type(value) is str and len(value) > INLINE_BYTES) or not _is_plain(value, INLINE_BYTES):
        return None
    try:
        text = json_text(value)  # type: ignore[arg-type]
        if len(text.encode()) > INLINE_BYTES:
            return None
    except ValueError:  # NaN, an infinity or a lone surrogate
        return None
    return Inline(json.loads(text))


def from_inline(value: JsonValue) -> object:
    """Return the value that `inline` wrote as `value`, shared with nobody."""
    if isinstance(value, list):
        return [from_inline(item) for item in value]
    if isinstance(value, dict):
        return {key: from_inline(item) for key, item in value.items()}
    return value


def _is_surely_small(value: Any) -> bool:
    """Tell whether `value` is a scalar whose text is short and reads back exactly."""
    kind = type(value)
    if kind is int:
        return bool(-_SURELY_SMALL < value < _SURELY_SMALL)
    if kind is float:
        return bool(value - value == 0.0)  # neither NaN nor an infinity
    if kind is str:
        return len(value) <= _FEW_CHARACTERS and value.isascii() and value.isprintable()
    return kind is bool or value is None


def _is_plain(value: object, budget: int) -> bool:
    """Tell whether `value` consists of exactly the types that JSON gives back."""
    level: list[object] = [value]
    for _ in range(_DEPTH):  # level by level: a cycle never ends, but gets too deep
        below: list[object] = []
        budget -= len(level)
        if budget < 0:
            return False
        for item in level:
            kind = type(item)
            if kind is list:
                below += item  # type: ignore[arg-type]
            elif kind is dict:
                if not all(type(key) is str for key in item):  # type: ignore[attr-defined]
                    return False
                below += item.values()  # type: ignore[attr-defined]
            elif kind is int:
                if item.bit_length() > MOST_INT_BITS:  # type: ignore[attr-defined]
                    return False
            elif not (item is None or kind is str or kind is float or kind is bool):
                return False
            if len(below) > budget:
                return False
        if not below:
            return True
        level = below
    return False


class JsonCodec:
    """UTF-8 JSON text; NaN and infinities as Python writes them, lone surrogates as they are."""

    name = "json"
    safe = True

    def encode(self, value: object) -> Chunks | None:
        """Accept what `json.loads` gives back exactly."""
        if not _is_plain(value, _NODES):
            return None
        # Never \u escapes: two lone surrogates would be read as one character.
        text = json.dumps(value, separators=(",", ":"), ensure_ascii=False)
        return (text.encode("utf-8", "surrogatepass"),)

    def decode(self, source: Source) -> object:
        """Read the text."""
        return json.loads(read(source).decode("utf-8", "surrogatepass"))


class BytesCodec:
    """Bytes as they are."""

    name = "bytes"
    safe = True

    def encode(self, value: object) -> Chunks | None:
        """Accept exactly `bytes`."""
        return (value,) if type(value) is bytes else None

    def decode(self, source: Source) -> object:
        """Read them."""
        return read(source)
