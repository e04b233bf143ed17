"""Choosing bytes for a value that give a value with the same content id back.

Not the codecs, and not ids. Invariant: what is read from the bytes that
`settle` returns has the content id that it returns.

What is checked: codecs of plain data, arrays and tables are exact by what they
accept, so their values are not. Pickled values and those of registered codecs
are read back and hashed: always up to a megabyte of bytes, and beyond only
until the first of their type and codec in this process has passed. What is in
a list or dict is not told by its type, so those are always read back.
"""

from __future__ import annotations

from dataclasses import dataclass

from gitmemo.codecs.codec import Encoded
from gitmemo.codecs.registry import EXACT, attempts, decode
from gitmemo.errors import UndecodableValue, Unencodable, Unhashable
from gitmemo.hashing import content_id
from gitmemo.hashing.digest import Digest

_ALWAYS_BYTES = 1 << 20

_passed: set[tuple[type, str]] = set()


@dataclass(frozen=True, slots=True)
class Settled:
    """A value as it will be read back.

    Attributes:
        value, cid: The given ones, or those of the value after one round trip.
        changed: Whether it is the latter.
    """

    value: object
    cid: Digest
    encoded: Encoded
    changed: bool = False


def settle(value: object, cid: Digest) -> Settled:
    """Return bytes for `value`, whose content id is `cid`; the value itself changes at most once.

    Raises:
        Unencodable: No codec can write it, or none can read what it wrote.
    """
    first: Settled | None = None
    problem = ""
    for encoded in attempts(value):
        if not _needs_check(value, encoded):
            return Settled(value, cid, encoded)
        try:
            again = _read_back(encoded)
            again_cid = content_id(again)
        except (UndecodableValue, Unhashable) as error:
            problem = problem or f"what {encoded.codec} wrote cannot be read back: {error.reason}"
            continue
        if again_cid == cid:
            if type(value).__module__ != "builtins":
                _passed.add((type(value), encoded.codec))
            return Settled(value, cid, encoded)
        first = first or Settled(again, again_cid, encoded, changed=True)
    if first is None:
        kind = type(value)
        raise Unencodable(f"{kind.__module__}.{kind.__qualname__}", problem)
    return first


def _needs_check(value: object, encoded: Encoded) -> bool:
    if encoded.codec in EXACT:
        return False
    return encoded.size <= _ALWAYS_BYTES or (type(value), encoded.codec) not in _passed


def _read_back(encoded: Encoded) -> object:
    return decode(encoded.codec, b"".join(encoded.chunks))
