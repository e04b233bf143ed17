"""Bytes that tell small plain values apart, quicker than their content ids.

Not an id: only good within one process, and equal values may have several.
Invariant: two values with the same fingerprint have the same content.
"""

from __future__ import annotations

import pickle
from typing import NoReturn

_MOST_BYTES = 16_384


class _NotPlain(Exception):
    """The value is large, or not made of builtin types alone."""


class _Sink:
    """A file that takes a few kilobytes."""

    __slots__ = ("parts", "room")

    def __init__(self) -> None:
        self.parts: list[bytes] = []
        self.room = _MOST_BYTES

    def write(self, data: bytes) -> int:
        self.room -= len(data)
        if self.room < 0:
            raise _NotPlain
        self.parts.append(bytes(data))
        return len(data)


class _Pickler(pickle.Pickler):
    """Pickles exact builtin types, which it does without asking, and refuses all others."""

    def reducer_override(self, obj: object) -> NoReturn:
        raise _NotPlain


def _refuse(_: object) -> NoReturn:
    raise _NotPlain


def fingerprint(value: object) -> bytes | None:
    """Return bytes that no value of other content has; None where `value` is not small and plain.

    Of these types a pickle holds everything that a content id sees. It also shows which parts
    are one object, so an equal value may have another: that costs a look-up, never a wrong one.
    """
    sink = _Sink()
    try:
        # Without a callback a PickleBuffer is written as the bytes in it.
        _Pickler(sink, 5, buffer_callback=_refuse).dump(value)
    except (_NotPlain, RecursionError, pickle.PicklingError, ValueError):
        return None
    return b"".join(sink.parts)
