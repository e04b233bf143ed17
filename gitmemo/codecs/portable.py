"""A value as one piece of bytes that says itself how to read it.

Not what stores keep: there the codec stands beside the bytes. Invariant: what
`serialize` wrote, `deserialize` gives back with the same content id. Reading
can run code, as unpickling can, so it is for bytes of one's own.
"""

from __future__ import annotations

from pathlib import Path

from gitmemo.codecs import pickles
from gitmemo.codecs.registry import decode, encode
from gitmemo.errors import Unencodable


def serialize(value: object) -> bytes:
    """Return the name of a codec, a newline, and `value` in that codec.

    Raises:
        Unencodable: No codec can write it.

    Examples:
        >>> gm.serialize([1, "two"]).splitlines()
        [b'json', b'[1,"two"]']
    """
    encoded = encode(value)
    if encoded.parts:
        raise Unencodable(type(value).__qualname__, "it is made of values that are stored apart")
    return b"".join((encoded.codec.encode(), b"\n", *encoded.chunks))


def deserialize(data: bytes) -> object:
    """Return the value that `serialize` wrote.

    Raises:
        UndecodableValue: The bytes are not what `serialize` writes.

    Examples:
        >>> gm.deserialize(gm.serialize({"a": [1, 2]}))
        {'a': [1, 2]}
    """
    codec, _, payload = data.partition(b"\n")
    return decode(codec.decode("ascii", "replace"), payload)


def load_dump(path: Path) -> object:
    """Return the object in a file of one's own that `joblib.dump` wrote, compressed or not."""
    return pickles.load_dump(path)
