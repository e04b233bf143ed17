"""Codecs that a program registers for its own types.

Not built-in codecs, and no way to replace one: names have a prefix of their
own. Invariant: reading with such a codec runs the program's code, so it counts
as unsafe, like unpickling.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import Any, TypeVar

from gitmemo.codecs.codec import Chunks, Source, read
from gitmemo.errors import InvalidName, UndecodableValue, Unencodable
from gitmemo.hashing.parts import LEAVES

T = TypeVar("T")

PREFIX = "custom."
_NAME = re.compile(r"[a-z0-9][a-z0-9._+-]{0,55}")
_BUILT_IN = (object, list, tuple, dict, set, frozenset, *LEAVES)


class CustomCodec:
    """What `codec` was told: how to write and read objects of exactly one type."""

    safe = False

    def __init__(
        self,
        kind: type,
        name: str,
        write: Callable[[Any], bytes],
        restore: Callable[[bytes], object],
    ) -> None:
        self.kind, self.name = kind, name
        self._write, self._restore = write, restore

    def encode(self, value: object) -> Chunks | None:
        """Return what the registered function makes of `value`."""
        data = self._write(value)
        if type(data) is not bytes:
            kind = type(value)
            reason = f"{self.name} returned {type(data).__name__} instead of bytes"
            raise Unencodable(f"{kind.__module__}.{kind.__qualname__}", reason)
        return (data,)

    def decode(self, source: Source) -> object:
        """Return what the registered function makes of the bytes."""
        return self._restore(read(source))


# Replaced as a whole, so that another thread sees the old table or the new one.
_by_type: dict[type, CustomCodec] = {}


def codec(
    kind: type[T], *, name: str, encode: Callable[[T], bytes], decode: Callable[[bytes], T]
) -> None:
    """Store values of exactly type `kind` with `encode`, and read them with `decode`.

    Args:
        kind: A class; its subclasses and containers that hold it are not affected.
        name: What records call the format, after `custom.`; never give it to another format.
        encode: Returns all there is to a value as bytes.
        decode: Returns an equal value from them.

    Raises:
        TypeError: `kind` is no class, or is a built-in type that has a codec.
        InvalidName: `name` is not made of lower-case letters, digits and `._+-`, or another
            type has it.

    Examples:
        >>> class Word:
        ...     def __init__(self, text):
        ...         self.text = text
        >>> gm.codec(
        ...     Word,
        ...     name="word",
        ...     encode=lambda word: word.text.encode(),
        ...     decode=lambda data: Word(data.decode()),
        ... )
        >>> gm.deserialize(gm.serialize(Word("hello"))).text
        'hello'
    """
    global _by_type
    if not isinstance(kind, type) or kind in _BUILT_IN:
        raise TypeError(f"{kind!r} cannot be given a codec")
    full = PREFIX + name
    others = {own: each for own, each in _by_type.items() if not _is_same(own, kind)}
    if not _NAME.fullmatch(name) or any(each.name == full for each in others.values()):
        raise InvalidName("codec", name)
    _by_type = {**others, kind: CustomCodec(kind, full, encode, decode)}


def _is_same(one: type, other: type) -> bool:
    """Tell whether both are one class of the source; a notebook's cell makes it anew."""
    return (one.__module__, one.__qualname__) == (other.__module__, other.__qualname__)


def codec_for(value: object) -> CustomCodec | None:
    """Return the registered codec of exactly the type of `value`."""
    return _by_type.get(type(value))


def codec_named(name: str) -> CustomCodec:
    """Return the registered codec that records call `name`; raise `UndecodableValue` if none is."""
    for each in _by_type.values():
        if each.name == name:
            return each
    own = name.removeprefix(PREFIX)
    fix = f"import the module that calls gm.codec(..., name={own!r}) first"
    raise UndecodableValue(name, "no codec of this name is registered here", "", fix)
