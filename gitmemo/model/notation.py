"""How values stand in the lines of calls: inputs, outputs, and collections of items.

The format is in docs/format.md. Not the other facts (`lines`). Invariant: what
follows from something else in the line is not written, so that a value has one
notation.
"""

from __future__ import annotations

import base64
import json
from collections.abc import Callable
from functools import lru_cache
from json.encoder import encode_basestring
from typing import cast

from gitmemo.hashing.digest import Digest, from_text, to_text
from gitmemo.hashing.parts import PART_LIMIT, part_id, short_of
from gitmemo.model.facts import Slot
from gitmemo.model.ids import raw_hid
from gitmemo.model.items import (
    KINDS,
    OBJECT,
    Held,
    Inline,
    Item,
    JsonValue,
    Parts,
    collection_hid,
    of_parts,
    raw,
)

ContentId = Callable[[object], Digest]
_NUMBERS = frozenset({int, float, bool})
_LITERALS = (bool, int, float, type(None))
_encode = json.JSONEncoder(
    ensure_ascii=False, allow_nan=False, separators=(",", ":"), check_circular=False
).encode


# --- writing --------------------------------------------------------------


def json_of(value: JsonValue) -> str:
    """Return the JSON text of `value`; raise `ValueError` for NaN and infinities."""
    kind = type(value)
    if kind is str:
        return encode_basestring(cast("str", value))
    if kind is int or (kind is float and value - value == 0.0):  # type: ignore[operator]
        return repr(value)
    if kind is bool:
        return "true" if value else "false"
    return _encode(value)


json_of_name = lru_cache(maxsize=4096)(encode_basestring)
"""Do the same for the name of an op or a slot, which every call repeats."""


def input_json(slot: Slot) -> str:
    """Return the notation of an input as JSON text."""
    if slot.inline is None or slot.parts is not None or not slot.is_raw:
        return _encode(write_input(slot))
    return f'[{json_of_name(slot.name)},{{"v":{json_of(slot.inline.json)}}}]'


def output_json(slot: Slot) -> str:
    """Return the notation of an output as JSON text."""
    if slot.inline is None or slot.parts is not None:
        return _encode(write_output(slot))
    return f'[{json_of_name(slot.name)},{{"v":{json_of(slot.inline.json)}}}]'


def write_input(slot: Slot) -> list[JsonValue]:
    """Return the notation of an input."""
    value = _value(slot)
    if slot.hid == _derived_hid(slot):
        return [slot.name, value]
    return [slot.name, value, to_text(slot.hid)]


def write_output(slot: Slot) -> list[JsonValue]:
    """Return the notation of an output: its history ids follow from the call's."""
    return [slot.name, _value(slot, histories=False)]


def _derived_hid(held: Held) -> Digest:
    return collection_hid(held.cid, held.parts) if held.parts else raw_hid(held.cid)


def _value(held: Held, *, histories: bool = True) -> JsonValue:
    if held.parts is not None:
        return {held.parts.kind: _listed(held, held.parts, histories=histories)}
    return _alone(held)


def _alone(held: Held) -> JsonValue:
    if held.inline is not None:
        return {"v": held.inline.json}
    if held.short is not None:
        return {"p": base64.urlsafe_b64encode(held.short).decode("ascii").rstrip("=")}
    return to_text(held.cid)


def _listed(held: Held, parts: Parts, *, histories: bool) -> JsonValue:
    if parts.items is None:
        return _alone(held)
    items = [_item(item, histories=histories) for item in parts.items]
    if parts.kind == "dict":
        keys = [_item(key, histories=histories) for key in parts.keys]
        return [list(pair) for pair in zip(keys, items, strict=True)]
    return [_alone(held), *items] if parts.kind == OBJECT else items


def _item(item: Item, *, histories: bool) -> JsonValue:
    if histories and item.hid != _derived_hid(item):
        return [_value(item), to_text(item.hid)]
    if item.parts is None and item.inline and type(item.inline.json) in _LITERALS:
        return item.inline.json
    return _value(item, histories=histories)


# --- reading --------------------------------------------------------------


def read_input(array: list[object], content_id: ContentId) -> Slot:
    """Return an input from its notation."""
    name, value, *history = array
    hid = from_text(_string(*history)) if history else None
    if type(value) is dict and len(value) == 1 and _is_simple(value.get("v")):
        return Slot(_string(name), None, hid, Inline(value["v"]), is_raw=hid is None)
    return Slot.of(_string(name), _read(value, content_id), hid)


def read_output(call: Digest, array: list[object], content_id: ContentId) -> Slot:
    """Return an output of the call with history id `call` from its notation."""
    name, value = array
    if type(value) is dict and len(value) == 1 and "v" in value:
        # As nearly always. What each call returned is its own: nothing is kept of it in a cache.
        plain = value["v"]
        cid = None if _is_simple(plain) else content_id(plain)
        return Slot(_string(name), cid, None, Inline(plain), maker=call)
    return Slot.output(call, _string(name), _read(value, content_id))


def _is_simple(plain: object) -> bool:
    """Whether a value has a content id for certain, so that it need not be computed to know that."""
    kind = type(plain)
    return kind in _NUMBERS or (kind is str and cast("str", plain).isascii())


def _read(value: object, content_id: ContentId) -> Item:
    if type(value) is not dict:
        return raw(from_text(_string(value)))
    ((kind, inner),) = value.items()
    if kind == "v":
        kind_of = type(inner)
        if kind_of is int or kind_of is str or kind_of is bool or (kind_of is float and inner):
            return _scalar(inner, content_id)
        return raw(content_id(inner), Inline(inner))
    if kind == "p":
        short = _short(_string(inner))
        return raw(part_id(short), None, short)
    if kind not in KINDS:
        raise ValueError(f"{kind!r} is no kind of value")
    if type(inner) is not list:
        alone = _read(inner, content_id)
        return Item(alone.cid, alone.hid, alone.inline, alone.short, Parts(kind, None))
    return _collection(kind, inner, content_id)


@lru_cache(maxsize=4096, typed=True)  # many calls have arguments in common
def _scalar(value: JsonValue, content_id: ContentId) -> Item:
    """Read a value whose equals of its type have the same content."""
    return raw(content_id(value), Inline(value))


def _collection(kind: str, listed: list[object], content_id: ContentId) -> Item:
    if kind == OBJECT:
        alone = _read(listed[0], content_id)
        parts = Parts(kind, tuple([_read_item(item, content_id) for item in listed[1:]]))
        hid = collection_hid(alone.cid, parts)
        return Item(alone.cid, hid, alone.inline, alone.short, parts)
    keys: tuple[Item, ...] = ()
    if kind == "dict":
        pairs = cast("list[tuple[object, object]]", listed)
        keys = tuple([_read_item(key, content_id) for key, _ in pairs])
        listed = [item for _, item in pairs]
    parts = Parts(kind, tuple([_read_item(item, content_id) for item in listed]), keys)
    return of_parts(parts)


def _read_item(value: object, content_id: ContentId) -> Item:
    if type(value) is list:
        inner, hid = value
        item = _read(inner, content_id)
        return Item(item.cid, from_text(_string(hid)), item.inline, item.short, item.parts)
    if type(value) in _LITERALS:
        return raw(content_id(value), Inline(cast("JsonValue", value)))
    return _read(value, content_id)


def _short(text: str) -> bytes:
    short = base64.b64decode(text + "=" * (-len(text) % 4), altchars=b"-_", validate=True)
    if not 0 < len(short) <= PART_LIMIT or short_of(short) is None:
        raise ValueError(f"{text!r} is not a short encoding")
    return short


def _string(value: object) -> str:
    if type(value) is not str:
        raise TypeError(f"{value!r} is not text")
    return value
