"""The codec of plain containers: what JSON cannot say of them, without running code.

For lists, tuples, dicts and sets, in one another, of scalars, bytes and numpy
arrays; not for subclasses, and not for shared parts: what a container holds
twice comes back as two. Invariant: reading makes nothing but these types, and
equal values give the same bytes whatever the hash seed.
"""

from __future__ import annotations

import base64
import json
import sys
from collections import Counter
from collections.abc import Callable, Collection
from itertools import chain
from typing import Any, TypeAlias

from gitmemo.codecs.arrays import MAP_FROM_BYTES, npy_chunks, opened, read_npy
from gitmemo.codecs.codec import Chunks, Source
from gitmemo.codecs.plain import MOST_INT_BITS
from gitmemo.hashing.encoding import part

Node: TypeAlias = "bool | int | float | str | list[Node] | dict[str, Node] | None"

_ALIGNMENT = 64
_LENGTH_BYTES = 8
_INLINE_BYTES = 64
_DEPTH = 100
_NODES = 2_000_000
# A value that shares its parts is small in memory but may be gigantic here.
_SHARED = 20_000
# Hashes of numbers are no secret: whoever wants can have all of them the same.
_MANY_KEYS = 10_000
_COMPARISONS = 100_000_000
_SELF = frozenset({type(None), bool, int, float, str})
_SCALAR_KINDS = "biufcmMSU"


class Foreign(Exception):
    """Something that another codec must write."""


class TreeCodec:
    """JSON with tags for what it lacks, then arrays and long bytes, each from a multiple of 64.

    A list is a JSON list; anything else that JSON lacks is an object with one
    key, its tag. That includes every dict, so that no value can pass for a tag.
    """

    name = "tree"
    safe = True

    def encode(self, value: object) -> Chunks | None:
        """Accept plain containers and scalars, to 100 levels and two million items."""
        return write_tree(value, TreeWriter())

    def decode(self, source: Source) -> object:
        """Read it, with large arrays mapped copy-on-write where the bytes are a file."""
        return read_tree(source, lambda data, is_map: TreeReader(data, is_map=is_map))


def write_tree(value: object, writer: TreeWriter) -> Chunks | None:
    """Return the bytes of `value`, or None where `writer` has no form for something in it."""
    try:
        node = writer.node(value, 0)
    except Foreign:
        return None
    text = json.dumps(node, separators=(",", ":"), ensure_ascii=False)
    encoded = text.encode("utf-8", "surrogatepass")
    head = len(encoded).to_bytes(_LENGTH_BYTES, "little") + encoded
    if not writer.buffers:
        return (head,)
    return (head.ljust(_aligned(len(head)), b"\0"), *writer.buffers)


def read_tree(source: Source, reader: Callable[[memoryview, bool], TreeReader]) -> object:
    """Return the value that `write_tree` wrote; `reader` makes the one that reads its tags."""
    data, is_map = opened(source)
    text, end = _text(data)
    return json.loads(text, object_hook=reader(data[_aligned(end) :], is_map).value)


def text_in(source: Source) -> str:
    """Return the JSON of what `write_tree` wrote."""
    return _text(opened(source)[0])[0]


def _text(data: memoryview) -> tuple[str, int]:
    end = _LENGTH_BYTES + int.from_bytes(data[:_LENGTH_BYTES], "little")
    return bytes(data[_LENGTH_BYTES:end]).decode("utf-8", "surrogatepass"), end


def _aligned(size: int) -> int:
    return -(-size // _ALIGNMENT) * _ALIGNMENT


class TreeWriter:
    """One value on its way to JSON; `buffers` are what follows the text."""

    def __init__(self) -> None:
        self.buffers: list[bytes | memoryview] = []
        self._end = 0
        self._left = _NODES
        self._seen: set[int] = set()
        self._shared = 0
        self._numpy: Any = sys.modules.get("numpy")  # no array without numpy

    def node(self, value: Any, depth: int) -> Node:
        """Return the JSON form of `value`; raise `Foreign` for what has none."""
        kind = type(value)
        if kind is int and value.bit_length() > MOST_INT_BITS:
            return {"i": hex(value)}
        if kind in _SELF:
            return value  # type: ignore[no-any-return]
        write = _WRITERS.get(kind)
        if write is not None:
            self._count(value)
            return write(self, value, depth)
        return self.other(value)

    def other(self, value: Any) -> Node:
        """Return the JSON form of what is neither a scalar nor a container; raise `Foreign` else."""
        kind = type(value)
        if self._numpy is not None:
            if kind is self._numpy.ndarray:
                return self._array(value)
            if isinstance(value, self._numpy.generic):
                return self._scalar(value)
        raise Foreign

    def _count(self, value: object) -> None:
        if id(value) not in self._seen:
            self._seen.add(id(value))
            return
        self._shared += 1
        if self._shared > _SHARED and value:
            raise Foreign

    def items(self, values: Collection[Any], depth: int) -> list[Node]:
        """Return the JSON forms of `values`."""
        self._left -= len(values)
        if depth >= _DEPTH or self._left < 0:
            raise Foreign
        kinds = set(map(type, values))
        if kinds <= _SELF and not (int in kinds and any(map(_is_huge, values))):
            return list(values)
        return [self.node(value, depth + 1) for value in values]

    def octets(self, value: bytes | bytearray) -> Node:
        """Return short bytes as text, or else where they are."""
        if len(value) < _INLINE_BYTES:
            return base64.b64encode(value).decode("ascii")
        return self._placed((bytes(value),), len(value))

    def _placed(self, chunks: Chunks, size: int) -> list[Node]:
        offset, padded = self._end, _aligned(size)
        self.buffers += (*chunks, bytes(padded - size))
        self._end += padded
        return [offset, size]

    def _array(self, value: Any) -> Node:
        chunks = npy_chunks(value)
        if chunks is None:
            raise Foreign
        return {"n": self._placed(chunks, sum(memoryview(chunk).nbytes for chunk in chunks))}

    def _scalar(self, value: Any) -> Node:
        dtype = value.dtype
        if dtype.kind not in _SCALAR_KINDS or type(value) is not dtype.type or not dtype.itemsize:
            raise Foreign
        element = self._numpy.array(value)
        text = base64.b64encode(element.tobytes()).decode("ascii")
        if (
            self._numpy.dtype(element.dtype.str) != dtype
            or element[()].dtype.type is not dtype.type
        ):
            raise Foreign
        return {"g": [element.dtype.str, text]}


def hashed(keys: list[Any]) -> list[Any]:
    """Return `keys`, unless so many have the same hashes that a table of them takes for ever."""
    if _is_slow(keys):
        raise ValueError("too many of its keys have the same hash")
    return keys


def _is_slow(keys: Collection[Any]) -> bool:
    if len(keys) < _MANY_KEYS:
        return False
    return sum(times * times for times in Counter(map(hash, keys)).values()) > _COMPARISONS


def _is_huge(value: object) -> bool:
    return type(value) is int and value.bit_length() > MOST_INT_BITS


def _dict(writer: TreeWriter, value: dict[Any, Any], depth: int) -> Node:
    if _is_slow(value):
        raise Foreign
    return {"d": writer.items(list(chain.from_iterable(value.items())), depth)}


def _tagged(tag: str, *, is_set: bool = False) -> Callable[[TreeWriter, Any, int], Node]:
    def write(writer: TreeWriter, value: Collection[Any], depth: int) -> Node:
        if is_set and _is_slow(value):
            raise Foreign
        # By content: the order of a set is that of hashes, which differ between processes.
        return {tag: writer.items(sorted(value, key=part) if is_set else value, depth)}

    return write


_WRITERS: dict[type, Callable[[TreeWriter, Any, int], Node]] = {
    list: lambda writer, value, depth: writer.items(value, depth),
    tuple: _tagged("t"),
    dict: _dict,
    set: _tagged("s", is_set=True),
    frozenset: _tagged("f", is_set=True),
    complex: lambda _, value, __: {"c": [value.real, value.imag]},
    bytes: lambda writer, value, _: {"b": writer.octets(value)},
    bytearray: lambda writer, value, _: {"a": writer.octets(value)},
}


class TreeReader:
    """Values from tagged objects. Raises anything at all for what `TreeWriter` did not write."""

    def __init__(self, data: memoryview, *, is_map: bool) -> None:
        self._data = data
        self._left = len(data)
        self._is_map = is_map
        self.readers: dict[str, Callable[[Any], object]] = {
            "t": tuple,
            "d": lambda body: dict(zip(hashed(body[::2]), body[1::2], strict=True)),
            "s": lambda body: set(hashed(body)),
            "f": lambda body: frozenset(hashed(body)),
            "c": lambda body: complex(*body),
            "i": lambda body: int(body, 16),
            "b": self._octets,
            "a": lambda body: bytearray(self._octets(body)),
            "n": self._array,
            "g": _scalar,
        }

    def value(self, tagged: dict[str, Any]) -> object:
        """Return what a JSON object stands for."""
        ((tag, body),) = tagged.items()
        return self.readers[tag](body)

    def _octets(self, body: Any) -> bytes:
        if isinstance(body, str):
            return base64.b64decode(body, validate=True)
        return bytes(self._slice(body))

    def _slice(self, body: Any) -> memoryview:
        offset, size = body
        if not 0 <= offset <= offset + size <= len(self._data):
            raise ValueError("it names bytes beyond its end")
        self._left -= size
        if self._left < 0:  # the writer names nothing twice: a few bytes would become gigabytes
            raise ValueError("it names more bytes than it has")
        return self._data[offset : offset + size]

    def _array(self, body: Any) -> object:
        array = read_npy(self._slice(body))
        # A small array must not keep the whole file mapped, nor all of the bytes.
        return array if self._is_map and array.nbytes >= MAP_FROM_BYTES else array.copy(order="K")


def _scalar(body: Any) -> object:
    import numpy as np

    text, encoded = body
    dtype = np.dtype(text)
    if dtype.kind not in _SCALAR_KINDS:
        raise ValueError(f"{text!r} is no type of a scalar")
    return np.frombuffer(base64.b64decode(encoded, validate=True), dtype, 1)[0]
