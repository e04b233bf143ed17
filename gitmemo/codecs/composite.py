"""The codec of collections whose large items are values of their own.

Not which items those are (`memo.composing` decides). Invariant: reading runs no
code but that of the codecs which the items were written with.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from typing import TypeAlias

from gitmemo.codecs.codec import Encoded, Parts, Source, read
from gitmemo.codecs.plain import from_inline, json_text
from gitmemo.codecs.tree import hashed
from gitmemo.hashing.digest import Digest, from_text, to_text
from gitmemo.model.items import Inline, JsonValue

Member: TypeAlias = "Inline | Digest | tuple[Member, ...]"
"""A small value, a tuple of them, or the content id of one that is stored on its own."""


@dataclass(frozen=True, slots=True)
class Composition:
    """A collection as what it is made of.

    Attributes:
        kind: `list`, `tuple` or `dict`.
        members: Its items, or a dict's keys and values in turn.
        parts: The values among them that are stored on their own; None for one that is already.
    """

    kind: str
    members: tuple[Member, ...]
    parts: Mapping[Digest, Encoded | None]


class CollectionCodec:
    """JSON: `{"list": [item, …]}`, an item being `{"v": JSON}`, `{"t": [item, …]}` or a content id."""

    name = "collection"
    safe = True

    def compose(self, value: object) -> Encoded | None:
        """Accept a `Composition`."""
        if not isinstance(value, Composition):
            return None
        members = [_written(member) for member in value.members]
        text = json_text({value.kind: members})
        return Encoded(self.name, (text.encode(),), value.parts)

    def assemble(self, source: Source, parts: Parts) -> object:
        """Read the items and return the collection."""
        ((kind, members),) = json.loads(read(source)).items()
        values = [_read(member, parts) for member in members]
        if kind == "dict":
            return dict(zip(hashed(values[::2]), values[1::2], strict=True))
        return _KINDS[kind](values)


_KINDS = {"list": list, "tuple": tuple}


def _written(member: Member) -> JsonValue:
    if isinstance(member, tuple):
        return {"t": [_written(inner) for inner in member]}
    return {"v": member.json} if isinstance(member, Inline) else to_text(member)


def _read(member: object, parts: Parts) -> object:
    if isinstance(member, dict) and "t" in member:
        return tuple([_read(inner, parts) for inner in member["t"]])
    if isinstance(member, dict):
        return from_inline(member["v"])
    from gitmemo.codecs.registry import decode  # it knows this codec

    codec, source = parts(from_text(str(member)))
    return decode(codec, source, parts)
