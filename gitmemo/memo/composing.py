"""How collections are stored: large items on their own, once, and small ones inside.

Not the bytes (`codecs.composite`). Invariant: what is stored already is neither
loaded nor encoded again.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

from gitmemo.codecs import Encoded, encode
from gitmemo.codecs.composite import Composition, Member
from gitmemo.errors import Unencodable
from gitmemo.hashing.digest import Digest
from gitmemo.model.items import Held, Item
from gitmemo.ref import Ref, unwrap_all

APART_BYTES = 4096
"""An item whose bytes are fewer is part of the collection's own, unless it is stored already."""

_SMALL = 8

IsStored = Callable[[Digest], bool]


def composed(held: Held, value: Any, where: str, is_stored: IsStored) -> Encoded:
    """Return the bytes of a value, which may hold refs; `where` names it in errors.

    Raises:
        Unencodable: It, or something in it, cannot be stored.
    """
    pairs = list(_pairs(held, value))
    known = [_member(item) for item, _ in pairs]
    apart = {
        item.cid: _apart(item, one, where, is_stored)
        for (item, one), member in zip(pairs, known, strict=True)
        if member is None
    }
    is_large = any(
        data is None or data.size >= APART_BYTES or data.parts for data in apart.values()
    )
    if not is_large or held.parts is None:
        return encoded(unwrap_all(value), where)
    members = [member or item.cid for (item, _), member in zip(pairs, known, strict=True)]
    return encoded(Composition(held.parts.kind, tuple(members), apart), where)


def _member(item: Item) -> Member | None:
    """Return what stands in the collection's own bytes: small values, and tuples of them."""
    if item.inline is not None:
        return item.inline
    if item.parts is None or item.parts.kind != "tuple" or len(item.parts.items or ()) > _SMALL:
        return None
    inner = [_member(one) for one in item.parts.items or ()]
    small = tuple(one for one in inner if one is not None)
    return small if len(small) == len(inner) else None


def _pairs(held: Held, value: Any) -> Iterator[tuple[Item, Any]]:
    """Yield the items of a list, tuple or dict with what they describe; nothing for other values."""
    if held.parts is None or held.parts.items is None:
        return
    if held.parts.kind == "dict":
        both = zip(held.parts.keys, held.parts.items, value.items(), strict=True)
        for key_item, item, (key, one) in both:
            yield key_item, key
            yield item, one
    elif held.parts.kind in ("list", "tuple"):
        yield from zip(held.parts.items, value, strict=True)


def _apart(item: Item, value: Any, where: str, is_stored: IsStored) -> Encoded | None:
    if isinstance(value, Ref):
        return None if is_stored(item.cid) else encoded(value.unwrap(), where)
    return composed(item, value, where, is_stored)


def encoded(value: Any, where: str) -> Encoded:
    """Return the bytes of `value`; `where` names it in errors."""
    try:
        return encode(value)
    except Unencodable as error:
        raise Unencodable(error.type_name, error.reason, where) from None
