"""Items: values inside collections, each with its own ids, and what follows from them.

Not Python values (`memo.items` describes those) and not lines (`lines`).
Invariant: the content id of a listed collection is that of the plain container,
and it follows from its items, like the history ids that are not recorded.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from itertools import chain
from typing import TYPE_CHECKING, TypeAlias

from gitmemo.hashing.digest import Digest
from gitmemo.hashing.encoding import part
from gitmemo.hashing.parts import collapse, count, part_from_id, part_id, sequence, short_of
from gitmemo.model import ids

if TYPE_CHECKING:
    from gitmemo.model.facts import Slot

JsonValue: TypeAlias = "bool | int | float | str | list[JsonValue] | dict[str, JsonValue] | None"

INLINE_BYTES = 256
MOST_ITEMS = 10_000
"""Collections of more items, those inside them included, are not listed."""

OBJECT = "object"
"""The kind of a container that is not exactly a list, tuple, set or dict."""

_TAGS = {"list": b"L", "tuple": b"(", "set": b"S"}
KINDS = (*_TAGS, "dict", OBJECT)


@dataclass(frozen=True, slots=True)
class Inline:
    """A small JSON value that stands in the record itself, instead of in a blob."""

    json: JsonValue


class Item:
    """A value inside a collection. Nobody changes one.

    Attributes:
        cid: Its content id.
        inline: The value itself when it is small and plain.
        short: Its encoding where that is at most 64 bytes and the value is not inline: then a
            collection around it cannot be hashed from the content id.
        parts: What it holds, if it is a collection itself.
    """

    # Not a dataclass: one is made of each result, and of most nobody asks for this history id.
    __slots__ = ("_hid", "cid", "inline", "parts", "short")

    def __init__(
        self,
        cid: Digest,
        hid: Digest | None,
        inline: Inline | None = None,
        short: bytes | None = None,
        parts: Parts | None = None,
    ) -> None:
        """Make one; without `hid` it came from outside."""
        self.cid, self._hid, self.inline, self.short, self.parts = cid, hid, inline, short, parts

    @property
    def hid(self) -> Digest:
        """History id of the value."""
        if self._hid is None:
            self._hid = ids.raw_hid(self.cid)
        return self._hid

    @property
    def is_raw(self) -> bool:
        """Whether the value came from outside, and all that is in it."""
        return self._hid is None or self._hid == ids.raw_hid(self.cid)

    def holding(self, parts: Parts, hid: Digest) -> Item:
        """Return the same with other parts, and the history id that follows from them."""
        return Item(self.cid, hid, self.inline, self.short, parts)

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Item) and self._fields() == other._fields()

    def __hash__(self) -> int:
        return hash((self.cid, self.hid))

    def __repr__(self) -> str:
        return f"Item{self._fields()!r}"

    def _fields(self) -> tuple[object, ...]:
        return self.cid, self.hid, self.inline, self.short, self.parts


@dataclass(frozen=True, slots=True)
class Parts:
    """What a collection holds.

    Attributes:
        kind: `list`, `tuple`, `set` or `dict`; `object` for any other container, of which only
            what has a history is listed.
        items: In their order, those of a set by content id; None where there are too many.
        keys: A dict's keys, in the order of its items.
    """

    kind: str
    items: tuple[Item, ...] | None
    keys: tuple[Item, ...] = ()


Held: TypeAlias = "Slot | Item"
"""Anything with ids: an input, an output, or a value inside one."""


def raw(
    cid: Digest,
    inline: Inline | None = None,
    short: bytes | None = None,
    parts: Parts | None = None,
) -> Item:
    """Return an item that came from outside."""
    return Item(cid, None, inline, short, parts)


def inside(held: Held) -> Iterator[Item]:
    """Yield what is in a collection, at every depth; not a dict's keys, which have no history."""
    if held.parts is None or held.parts.items is None:
        return
    for item in held.parts.items:
        yield item
        if item.parts is not None:
            yield from inside(item)


def histories(held: Held) -> Iterator[Digest]:
    """Yield the history ids of a value and of everything in it."""
    yield held.hid
    if held.parts is not None:
        for item in inside(held):
            yield item.hid


def ways(held: Held, way: tuple[object, ...] = ()) -> Iterator[tuple[tuple[object, ...], Held]]:
    """Yield a value and all that has a place in it, each with the way to it."""
    yield way, held
    for place, item in placed(held):
        yield from ways(item, (*way, place))


def placed(held: Held) -> list[tuple[object, Item]]:
    """Return what is in a list, tuple or dict, with its place or key.

    What is in a set, or in an object of which only a part is listed, has no place of its own.
    """
    parts = held.parts
    if parts is None or parts.items is None or parts.kind in ("set", OBJECT):
        return []
    places = [key.cid for key in parts.keys] if parts.kind == "dict" else range(len(parts.items))
    return list(zip(places, parts.items, strict=True))


def find(held: Held, hid: Digest) -> tuple[Item | Slot, ...] | None:
    """Return the way from `held` to what has this history id in it, both included."""
    if held.hid == hid:
        return (held,)
    for item in (held.parts.items or ()) if held.parts else ():
        way = find(item, hid)
        if way:
            return (held, *way)
    return None


def encoding_part(held: Held) -> bytes:
    """Return what a value contributes to the encoding of the collection around it."""
    if held.short is not None:
        return held.short
    if held.inline is not None:
        return part(held.inline.json)
    return part_from_id(held.cid)


def collected(kind: str, items: Sequence[Item], keys: Sequence[Item] = ()) -> bytes:
    """Return the part, in the sense of content ids, of a collection of these items."""
    if kind == "dict":
        pairs = chain.from_iterable(zip(keys, items, strict=True))
        return collapse(b"d" + count(len(items)) + b"".join(map(encoding_part, pairs)))
    parts = [encoding_part(item) for item in items]
    return collapse(sequence(_TAGS[kind], sorted(parts) if kind == "set" else parts))


def collection_hid(cid: Digest, parts: Parts) -> Digest:
    """Return the history id of an argument that is a collection: raw if everything in it is."""
    held = parts.items or ()
    if all(item.hid == ids.raw_hid(item.cid) for item in held):
        return ids.raw_hid(cid)
    return ids.derive("collection", parts.kind.encode(), cid, *(item.hid for item in held))


def of_parts(parts: Parts) -> Item:
    """Return the item that a listed collection of an exact builtin type is."""
    encoded = collected(parts.kind, parts.items or (), parts.keys)
    inline = inline_of(parts)
    cid = part_id(encoded)
    short = None if inline else short_of(encoded)
    return Item(cid, collection_hid(cid, parts), inline, short, parts)


def inline_of(parts: Parts) -> Inline | None:
    """Return a listed collection in its inline form, None where it has none."""
    found = _json_of(parts)
    if found is None:
        return None
    text = json.dumps(found.json, separators=(",", ":"), ensure_ascii=False)
    return found if len(text.encode()) <= INLINE_BYTES else None


def _json_of(parts: Parts) -> Inline | None:
    if parts.items is None:
        return None
    if len(parts.items) > INLINE_BYTES or any(item.inline is None for item in parts.items):
        return None
    values = [item.inline.json for item in parts.items if item.inline]
    if parts.kind == "list":
        return Inline(values)
    names = [key.inline.json for key in parts.keys if key.inline]
    if parts.kind == "dict" and len(names) == len(values):
        texts = [name for name in names if isinstance(name, str)]
        if len(texts) == len(values):
            return Inline(dict(zip(texts, values, strict=True)))
    return None


def made_by(parts: Parts, hid: Digest) -> Parts:
    """Return `parts` with the history ids of what is in an output (or an item) with this one."""
    if parts.items is None:
        return parts
    steps: Iterable[bytes]
    if parts.kind == "dict":
        steps = (key.cid for key in parts.keys)
    elif parts.kind == "set":
        steps = (item.cid for item in parts.items)
    else:
        steps = (str(number).encode() for number in range(len(parts.items)))
    return replace(
        parts,
        items=tuple(
            _made(item, ids.derive("item", hid, step))
            for item, step in zip(parts.items, steps, strict=True)
        ),
    )


def _made(item: Item, hid: Digest) -> Item:
    parts = made_by(item.parts, hid) if item.parts else None
    return Item(item.cid, hid, item.inline, item.short, parts)


def plain_keys(parts: Parts, thaw: Callable[[JsonValue], object]) -> list[object] | None:
    """Return a dict's keys where the record says them all; `thaw` makes values of inline ones."""
    keys: list[object] = []
    for key in parts.keys:
        known = _plain(key, thaw)
        if known is None:
            return None
        keys.append(known[0])
    return keys


def _plain(item: Item, thaw: Callable[[JsonValue], object]) -> tuple[object] | None:
    if item.inline is not None:
        return (thaw(item.inline.json),)
    if item.parts is None or item.parts.kind != "tuple" or item.parts.items is None:
        return None
    found = [_plain(inner, thaw) for inner in item.parts.items]
    known = [one for one in found if one is not None]
    return (tuple(value for (value,) in known),) if len(known) == len(found) else None
