"""How ids are derived from other ids.

Not content ids of values (`gitmemo.hashing`). Invariant: an id is a function
of the parts named here and of nothing else; each kind has its own tag, so that
ids of two kinds never meet.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from functools import lru_cache
from itertools import count
from typing import Protocol

from gitmemo.hashing.digest import SIZE, Digest, digest

_LENGTH_BYTES = 4
_OF_DIGEST = SIZE.to_bytes(_LENGTH_BYTES, "little")
_NOTHING = bytes(_LENGTH_BYTES)


class _Identified(Protocol):
    """An input by name and content."""

    @property
    def name(self) -> str: ...
    @property
    def cid(self) -> Digest: ...


def derive(tag: str, *parts: bytes) -> Digest:
    """Return BLAKE3 over `tag` and `parts`, each preceded by its length (4 bytes, little-endian)."""
    framed = [_text(tag)]
    for part in parts:
        framed += (len(part).to_bytes(_LENGTH_BYTES, "little"), part)
    return digest(b"".join(framed))


@lru_cache(maxsize=10_000)  # names of ops and arguments, which every call repeats
def _text(text: str) -> bytes:
    """Return `text` with its length before it."""
    raw = text.encode()
    return len(raw).to_bytes(_LENGTH_BYTES, "little") + raw


@lru_cache(maxsize=10_000)
def op_key(op: str, op_version: int) -> bytes:
    """Return the part of a look-up key that does not change from call to call."""
    return derive("op", op.encode(), str(op_version).encode())


def call_key(prefix: bytes, inputs: Iterable[tuple[str, Digest]]) -> Digest:
    """Return the look-up key of a call: its op and the content id of each input, by name."""
    parts = [prefix]
    for name, cid in sorted(inputs):
        parts += (_text(name), cid)
    return digest(b"".join(parts))


def call_hid(
    op: str, op_version: int, version: Digest | None, inputs: Iterable[tuple[str, Digest]]
) -> Digest:
    """Return the history id of a call, from the history ids of its inputs."""
    parts = [_CALL, _text(op), _text(str(op_version))]
    parts += (_OF_DIGEST, version) if version else (_NOTHING,)
    for name, hid in sorted(inputs):
        parts += (_text(name), _OF_DIGEST, hid)
    return digest(b"".join(parts))


class CallIds:
    """Gives the ids of calls that have the op, the version and the names of the inputs in common.

    The same as `call_hid` and `call_key`, quicker for many. The names must differ.
    """

    __slots__ = ("_hid", "_key", "_parts_of_hid", "_parts_of_key")

    def __init__(
        self, op: str, op_version: int, version: Digest | None, names: Sequence[str]
    ) -> None:
        framed = (_OF_DIGEST, version) if version else (_NOTHING,)
        self._hid = b"".join((_CALL, _text(op), _text(str(op_version)), *framed))
        self._key = op_key(op, op_version)
        framed_names = [(_text(name), place) for name, place in sorted(zip(names, count()))]
        self._parts_of_key = framed_names
        self._parts_of_hid = [(name + _OF_DIGEST, place) for name, place in framed_names]

    def hid(self, hids: Sequence[Digest]) -> Digest:
        """Return the history id of the call whose inputs have these history ids."""
        data = self._hid
        for name, place in self._parts_of_hid:
            data += name + hids[place]
        return digest(data)

    def key(self, cids: Sequence[Digest]) -> Digest:
        """Return the look-up key of the call whose inputs have these contents."""
        data = self._key
        for name, place in self._parts_of_key:
            data += name + cids[place]
        return digest(data)


def version_id(pairs: Iterable[tuple[str, str, Digest, Digest | None]]) -> Digest:
    """Return the id of a version: path, unit, source and value of each component, in order."""
    parts = [_VERSION]
    for path, unit, source, value in pairs:
        parts += (_text(path), _text(unit), _OF_DIGEST, source)
        parts += (_OF_DIGEST, value) if value else (_NOTHING,)
    return digest(b"".join(parts))


def output_hid(call: Digest, name: str) -> Digest:
    """Return the history id of one output of a call."""
    return digest(_OUTPUT + call + _text(name))


def unkept_cid(
    op: str,
    op_version: int,
    version: Digest | None,
    inputs: Iterable[_Identified],
    name: str,
) -> Digest:
    """Return what stands for the content of an output of which not even an id is kept: its call."""
    call = call_hid(op, op_version, version, [(slot.name, slot.cid) for slot in inputs])
    return derive("unkept", call, name.encode())


@lru_cache(maxsize=1000)  # of what calls have in common, and of what was asked just now
def raw_hid(cid: Digest) -> Digest:
    """Return the history id of a value that came from outside: it has no history."""
    return digest(_RAW + cid)


# What `derive` would put before the first part.
_CALL = _text("call")
_VERSION = _text("version")
_OUTPUT = _text("output") + _OF_DIGEST
_RAW = _text("raw") + _OF_DIGEST
