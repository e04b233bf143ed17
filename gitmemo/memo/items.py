"""Values as the items that records hold: ids, small values, and what collections consist of.

Not how items are written (`model.notation`) or stored (`composing`). Invariant:
a listed collection has the content id of the plain one.
"""

from __future__ import annotations

from collections import OrderedDict, defaultdict
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from gitmemo.errors import Unhashable
from gitmemo.memo.annotations import Shape
from gitmemo.model.ids import raw_hid
from gitmemo.model.items import (
    MOST_ITEMS,
    OBJECT,
    Item,
    Parts,
    collection_hid,
    inside,
    of_parts,
)
from gitmemo.ref import (
    MISSING,
    AtomRef,
    CollectionRef,
    Ref,
    StandIn,
    fold,
    stand_ins,
    unwrap_all,
)
from gitmemo.ref.containers import Node
from gitmemo.ref.leaves import leaf

_EXACT: dict[type, str] = {list: "list", tuple: "tuple", set: "set", dict: "dict"}
# Made again from other items, these are what they were; a subclass may hold more.
_TRANSPARENT = frozenset({list, tuple, dict, OrderedDict, defaultdict})
# A record is read by recursion; what is deeper is one item with all refs in it.
_LEVELS = 30


def item_of(ref: Ref[Any], *, whole: bool = False) -> Item:
    """Return the item that a ref stands for.

    What is in a collection follows from its history; `whole` says it too.
    """
    parts = ref._parts if whole and isinstance(ref, CollectionRef) else None
    return Item(ref._cid, ref._hid, ref._inline, ref._short, parts)


# --- collections that an annotation names ---------------------------------------


def shaped(value: Any, shape: Shape | None, where: str) -> Item:
    """Return a plain value, as the collection that `shape` says, if it is one.

    Raises:
        Unhashable: It has no content id.
    """
    whole = leaf(value, where)
    kind = _kind(value, shape)
    if shape is None or kind is None:
        return whole
    if _size(value, shape, MOST_ITEMS) > MOST_ITEMS:
        return whole.holding(Parts(kind, None), whole.hid)
    item = _listed(value, shape, kind)
    # Of a value that is inside itself the items alone have other ids.
    return item if item.cid == whole.cid else whole


def _kind(value: Any, shape: Shape | None) -> str | None:
    kind = _EXACT.get(type(value))
    return kind if kind is not None and shape is not None and kind in shape.kinds else None


def _size(value: Any, shape: Shape | None, most: int) -> int:
    """Return how many items a listing has, or more than `most`."""
    kind = _kind(value, shape)
    if shape is None or kind is None:
        return 0
    total = len(value)
    for number, item in enumerate(value.values() if kind == "dict" else value):
        if total > most:
            break
        total += _size(item, shape.item(kind, number), most - total)
    return total


def _item(value: Any, shape: Shape | None) -> Item:
    kind = _kind(value, shape)
    return leaf(value) if shape is None or kind is None else _listed(value, shape, kind)


def _listed(value: Any, shape: Shape, kind: str) -> Item:
    if kind == "dict":
        items = [_item(one, shape.item(kind, number)) for number, one in enumerate(value.values())]
        return of_parts(Parts(kind, tuple(items), tuple(map(_key, value))))
    items = [_item(one, shape.item(kind, number)) for number, one in enumerate(value)]
    return of_parts(Parts(kind, _in_order(kind, items)))


def _in_order(kind: str, items: Iterable[Item]) -> tuple[Item, ...]:
    return tuple(sorted(items, key=lambda item: item.cid) if kind == "set" else items)


def _key(key: Any, levels: int = _LEVELS) -> Item:
    """Return a dict's key; tuples of small plain values are listed, so that records hold them."""
    whole = leaf(key)
    if levels and whole.inline is None and type(key) is tuple:
        inner = tuple(_key(one, levels - 1) for one in key)
        if all(item.inline or item.parts for item in inner):
            return of_parts(Parts("tuple", inner))
    return whole


# --- plain containers that hold refs ----------------------------------------------


def holding(value: Any, where: str) -> Item | None:
    """Return a container with refs in it as a collection; None if there are none in it.

    No value is loaded where the content id follows from those of the refs: in lists, tuples,
    values of dicts, and named tuples.

    Raises:
        Unhashable: Something in it has no content id, or it is inside itself.
    """
    census = fold(value, _counted, None)
    if census is None:
        return None
    total, is_lazy = census
    if total > MOST_ITEMS:
        return leaf(stand_ins(value) if is_lazy else unwrap_all(value), where)
    levels: dict[int, int] = {}

    def combine(node: Node, made: dict[int, Item]) -> Item:
        level = 1 + max((levels[id(one)] for one in node.inner if id(one) in made), default=0)
        item = _holder(node, made)
        if level > _LEVELS:
            item, level = _flat(item), 1
        levels[id(node.container)] = level
        return item

    try:
        found: Item = fold(value, combine, None)
    except Unhashable as error:
        raise type(error)(error.type_name, error.path, error.reason, where) from None
    return found


def _counted(node: Node, made: dict[int, tuple[int, bool]]) -> tuple[int, bool]:
    """Return how many items there are, and whether refs can be hashed where they are."""
    below = [made[id(one)] for one in node.inner if id(one) in made]
    total = len(node.parts) + sum(count for count, _ in below)
    return total, _is_lazy(node, made) and all(lazy for _, lazy in below)


def _is_lazy(node: Node, made: Mapping[int, object]) -> bool:
    """Whether a container with refs has the content of the plain one: equal refs stay two items."""
    kind = type(node.container)
    if issubclass(kind, dict) and any(_has_history(key, made) for key in node.keys):
        return False
    named = kind.__bases__ == (tuple,) and "_fields" in vars(kind)
    return kind in _TRANSPARENT or named


def _holder(node: Node, made: dict[int, Item]) -> Item:
    items = [_held(one, made) for one in node.parts]
    kind = _EXACT.get(type(node.container))
    is_lazy = _is_lazy(node, made)
    if kind == "dict" and is_lazy:
        values = tuple(items[len(node.keys) :])
        return of_parts(Parts(kind, values, tuple(map(_key, node.keys))))
    if kind in ("list", "tuple"):
        return of_parts(Parts(kind, tuple(items)))
    whole = leaf(_with_stand_ins(node, items) if is_lazy else unwrap_all(node.container))
    held = zip(node.parts, items, strict=True)
    known = [item for one, item in held if _has_history(one, made)]
    if isinstance(node.container, set | frozenset):  # its order is that of hash seeds and addresses
        known.sort(key=lambda item: (item.cid, item.hid))
    parts = Parts(OBJECT, tuple(known))
    return whole.holding(parts, collection_hid(whole.cid, parts))


def _held(value: Any, made: dict[int, Item]) -> Item:
    if isinstance(value, Ref):
        return item_of(value)
    return made[id(value)] if id(value) in made else leaf(value)


def _has_history(value: Any, made: Mapping[int, object]) -> bool:
    return isinstance(value, Ref) or id(value) in made


def _with_stand_ins(node: Node, items: Sequence[Item]) -> Any:
    """Return a container of refs only: its content is that of the plain one, and quickly hashed."""
    values = items[len(node.keys) :]
    refs = [
        StandIn(AtomRef(one.cid, one.hid, None, one.inline, MISSING, one.short)) for one in values
    ]
    return node.like([*node.keys, *refs])


def _flat(item: Item) -> Item:
    """Return a collection as one item with everything in it that has a history."""
    held = [one for one in inside(item) if one.parts is None and one.hid != raw_hid(one.cid)]
    parts = Parts(OBJECT, tuple(held))
    return item.holding(parts, collection_hid(item.cid, parts))


def hidden(item: Item) -> Item:
    """Return an item without anything that tells its value: only ids."""
    if item.parts is None:
        return Item(item.cid, item.hid)
    held = tuple(hidden(one) for one in inside(item) if one.parts is None)
    parts = Parts(OBJECT, tuple(one for one in held if one.hid != raw_hid(one.cid)))
    return Item(item.cid, collection_hid(item.cid, parts), None, None, parts)
