"""The canonical encoding of values, scheme `gm1`: what content ids are made of.

`docs/content-ids.md` specifies it byte by byte. Here are the walk over a value
and the built-in containers; other types are in the modules that `registry` names.
Not a serialisation: nothing can be read back. Invariant: the encoding is a
function of the value alone, and a part longer than 64 bytes is replaced by its
own content id, so that a container can be hashed from the ids of its elements.
"""

from __future__ import annotations

import contextvars
import sys
import threading
from array import array
from collections.abc import Callable, Iterable, Mapping, Sequence
from itertools import chain
from typing import Any

from blake3 import blake3

from gitmemo.errors import Unhashable
from gitmemo.hashing.digest import Digest, to_hex
from gitmemo.hashing.parts import (
    LEAVES,
    PART_LIMIT,
    SCHEME,
    STR_HEADS,
    collapse,
    count,
    part_id,
    raw,
    record,
    sequence,
)
from gitmemo.hashing.registry import exact, handler_for

MAX_DEPTH = 2_000

# Every so many levels the walk continues on a new thread, because a deep value
# must not hit the recursion limit, and raising that limit would change it for
# the whole program. 60 levels of nested objects are about 400 Python frames.
_LEVELS_PER_STACK = 60
# Parts of a cycle are not remembered (their encoding depends on where the walk
# came in), so densely linked objects would be walked along every path.
_CYCLIC_VISITS = 500_000
_ACYCLIC = sys.maxsize
_UNIFORM_FROM = 32
_PATH_LENGTH = 200
_STR_HEADS_TEXT = [head.decode("ascii") for head in STR_HEADS]


def content_id(value: object) -> Digest:
    """Return the content id of `value`.

    Raises:
        Unhashable: nothing stable can be derived from it; names the culprit.

    >>> content_id([1, 2]) == content_id([1, 2]), content_id(1) == content_id(True)
    (True, False)
    """
    leaf = LEAVES.get(type(value))
    return part_id(part(value) if leaf is None else leaf(value))


def part(value: object) -> bytes:
    """Return what `value` contributes to a container: at most 64 bytes."""
    leaf = LEAVES.get(type(value))
    if leaf is not None:
        return leaf(value)
    try:
        return Encoder().node(value, type(value))
    except RecursionError:
        pass  # the caller is deep in its own recursion already
    try:
        return _on_new_stack(lambda: Encoder().node(value, type(value)))
    except RecursionError:
        raise Unhashable(type(value).__qualname__, "", "it is nested too deeply") from None


def locate(error: Unhashable, step: str) -> None:
    """Put `step` in front of the path from the value to the culprit."""
    if len(error.path) > _PATH_LENGTH:
        step = "" if error.path.startswith("…") else "…"
    error.path = step + error.path
    error.args = (error.type_name, error.path, error.reason, error.where)


# --- the walk ---------------------------------------------------------------


class Encoder:
    """One walk over one value: which containers are open, and which are done.

    Identity saves work here but never shows: only what has no cycle in it is
    remembered, and its part is what a second walk would have produced.
    """

    __slots__ = ("_cyclic_visits", "_done", "_open", "_reach")

    def __init__(self) -> None:
        self._open: dict[int, int] = {}  # id -> depth
        self._done: dict[int, tuple[object, bytes]] = {}  # the object, so that its id stays taken
        self._reach = _ACYCLIC  # the least depth that a cycle inside has led back to
        self._cyclic_visits = 0

    @property
    def is_inside(self) -> bool:
        """Whether what is encoded now is part of something, rather than all there is."""
        return len(self._open) > 1

    def part(self, value: object) -> bytes:
        """Return what `value` contributes to its container."""
        kind = type(value)
        leaf = LEAVES.get(kind)
        return self.node(value, kind) if leaf is None else leaf(value)

    def record(self, name: str, *values: object) -> bytes:
        """Return the encoding of a value that is a name and some values."""
        return record(name, *map(self.part, values))

    def elements(self, values: Iterable[object]) -> list[bytes]:
        """Return the parts of `values`, in their order."""
        parts: list[bytes] = []
        add, leaf_for, node = parts.append, LEAVES.get, self.node
        try:
            for value in values:
                kind = type(value)
                leaf = leaf_for(kind)
                add(node(value, kind) if leaf is None else leaf(value))
        except Unhashable as error:
            locate(error, f"[{len(parts)}]")
            raise
        return parts

    def attributes(self, state: Mapping[str, object]) -> bytes:
        """Return the part of an object's state: a dict sorted by name."""
        parts: list[bytes] = []
        for name in sorted(state):
            try:
                parts += (LEAVES[str](name), self.part(state[name]))
            except Unhashable as error:
                locate(error, f".{name}")
                raise
        return collapse(b"d" + count(len(state)) + b"".join(parts))

    def node(self, value: object, kind: type) -> bytes:
        """Return the part of a value that may have children."""
        key = id(value)
        done = self._done.get(key)
        if done is not None:
            return done[1]
        opened = self._open
        depth = len(opened)
        if key in opened:
            self._reach = min(self._reach, opened[key])
            return b"^" + count(depth - opened[key])
        if depth >= MAX_DEPTH:
            raise Unhashable(
                kind.__qualname__, "", f"it is nested more than {MAX_DEPTH} levels deep"
            )
        handler = handler_for(kind)
        outside, self._reach = self._reach, _ACYCLIC
        opened[key] = depth
        try:
            if depth % _LEVELS_PER_STACK == _LEVELS_PER_STACK - 1:
                encoded = _on_new_stack(lambda: handler(self, value))
            else:
                encoded = handler(self, value)
        finally:
            del opened[key]
        reach = self._reach
        if reach != _ACYCLIC:
            self._count_cyclic_visit(kind)
        # A part that leads out of itself has no content id of its own: other tag.
        if reach < depth:
            self._reach = min(outside, reach)
            if len(encoded) > PART_LIMIT:
                return b"O" + blake3(SCHEME + encoded).digest()
            return encoded
        self._reach = outside
        if len(encoded) <= PART_LIMIT:
            return encoded
        encoded = b"M" + blake3(SCHEME + encoded).digest()
        if reach == _ACYCLIC:
            self._done[key] = (value, encoded)
        return encoded

    def _count_cyclic_visit(self, kind: type) -> None:
        self._cyclic_visits += 1
        if self._cyclic_visits > _CYCLIC_VISITS:
            reason = "its parts refer to one another in too many ways"
            raise Unhashable(kind.__qualname__, "", reason)


def _on_new_stack(run: Callable[[], bytes]) -> bytes:
    """Run `run` on a thread of its own, which has its own recursion depth, and wait for it."""
    result: list[bytes] = []
    failure: list[BaseException] = []

    def target() -> None:
        try:
            result.append(run())
        except BaseException as error:  # noqa: BLE001 handed on to the waiting thread
            failure.append(error)

    context = contextvars.copy_context()  # decimal and numpy keep settings there
    thread = threading.Thread(target=context.run, args=(target,), name="gitmemo-hash")
    thread.start()
    thread.join()
    if failure:
        raise failure[0]
    return result[0]


# --- built-in containers -----------------------------------------------------


def _uniform(values: Sequence[Any]) -> bytes | None:
    """Return the joined parts of many values of one scalar type, without a loop in Python.

    The bytes are those of the loop, so this is no rule of the encoding.
    """
    kinds = set(map(type, values))
    kind = kinds.pop()
    if kinds:
        return None
    if kind is float:
        total = sum(values)
        return _interleave(b"f", array("d", values)) if total == total else None
    if kind is int:
        try:
            return _interleave(b"i", array("q", values))
        except OverflowError:
            return None
    if kind is str and max(map(len, values)) < PART_LIMIT - 1:
        heads = map(_STR_HEADS_TEXT.__getitem__, map(len, values))
        try:
            # ASCII text has as many bytes as characters, heads and all.
            return "".join(chain.from_iterable(zip(heads, values, strict=True))).encode("ascii")
        except UnicodeEncodeError:
            return None
    return None


def _interleave(tag: bytes, numbers: array[Any]) -> bytes:
    """Return `tag` and eight little-endian bytes for every number."""
    if sys.byteorder == "big":
        numbers.byteswap()
    packed = numbers.tobytes()
    joined = bytearray(9 * len(numbers))
    joined[0::9] = tag * len(numbers)
    for place in range(8):
        joined[place + 1 :: 9] = packed[place::8]
    return bytes(joined)


def _sequence(encoder: Encoder, tag: bytes, values: Sequence[object]) -> bytes:
    if len(values) >= _UNIFORM_FROM:
        joined = _uniform(values)
        if joined is not None:
            return tag + count(len(values)) + joined
    return sequence(tag, encoder.elements(values))


@exact(list)
def _list(encoder: Encoder, value: list[object]) -> bytes:
    return _sequence(encoder, b"L", value)


@exact(tuple)
def _tuple(encoder: Encoder, value: tuple[object, ...]) -> bytes:
    return _sequence(encoder, b"(", value)


@exact(dict)
def mapping(encoder: Encoder, value: Mapping[object, object]) -> bytes:
    """Encode keys and values in their order; also for other mappings that have a dict inside."""
    parts = [b"d" + count(len(value))]
    add, leaf_for, node = parts.append, LEAVES.get, encoder.node
    for key, item in value.items():
        try:
            kind = type(key)
            leaf = leaf_for(kind)
            add(node(key, kind) if leaf is None else leaf(key))
            kind = type(item)
            leaf = leaf_for(kind)
            add(node(item, kind) if leaf is None else leaf(item))
        except Unhashable as error:
            locate(error, f"[{key!r:.40}]" if type(key) in LEAVES else "[…]")
            raise
    return b"".join(parts)


@exact(set)
def _set(encoder: Encoder, value: set[object]) -> bytes:
    return sequence(b"S", sorted(map(encoder.part, value)))


@exact(frozenset)
def _frozenset(encoder: Encoder, value: frozenset[object]) -> bytes:
    return sequence(b"Z", sorted(map(encoder.part, value)))


@exact(range)
def _range(encoder: Encoder, value: range) -> bytes:
    return encoder.record("range", value.start, value.stop, value.step)


@exact(slice)
def _slice(encoder: Encoder, value: Any) -> bytes:
    return encoder.record("slice", value.start, value.stop, value.step)


@exact(memoryview)
def _memoryview(encoder: Encoder, value: memoryview) -> bytes:
    return record(
        "memoryview", encoder.part(value.format), encoder.part(value.shape), raw(value.tobytes())
    )


def content_hash(value: object) -> str:
    """Return the content id of `value` as 64 hex digits.

    Examples:
        >>> gm.content_hash([1, 2]) == gm.content_hash([1, 2])
        True
        >>> gm.content_hash(1) == gm.content_hash(1.0)
        False
    """
    return to_hex(content_id(value))
