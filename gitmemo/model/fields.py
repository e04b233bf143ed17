"""What the fields of lines hold: texts, counts, digests.

Not whole lines (`lines`). Invariant: what cannot have been written is refused when it is read.
"""

from __future__ import annotations

from collections.abc import Iterable

from gitmemo.hashing.digest import Digest, from_text, to_text
from gitmemo.model.facts import JsonValue


def texts(digests: Iterable[Digest]) -> list[JsonValue]:
    """Return digests as they are written."""
    return [to_text(one) for one in digests]


def digests(values: list[str]) -> tuple[Digest, ...]:
    """Read digests."""
    return tuple([from_text(value) for value in values]) if values else ()


def string(value: object) -> str:
    """Return `value` if it is text."""
    if type(value) is not str:
        raise TypeError(f"{value!r} is not text")
    return value


def number(value: object) -> int:
    """Return `value` if it is a count that a line can hold."""
    if type(value) is not int or not 0 <= value < 1 << 63:
        raise TypeError(f"{value!r} is not a count")
    return value
