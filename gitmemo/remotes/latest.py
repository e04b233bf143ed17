"""The listing of a remote, kept in one object for readers that cannot list (HTTP).

Not an authority and not needed where there are listings. Each push that sends
something writes it anew from its own listing, so of two at once the later
one wins, and what it did not see comes back with the next push.
Invariant: reading gives names that `layout` made, or raises `ValueError`.
"""

from __future__ import annotations

import json
from collections.abc import Mapping

from gitmemo.hashing.digest import Digest, from_text, to_text
from gitmemo.remotes.layout import (
    FORMAT,
    MARKER,
    Inventory,
    catalogue_name,
    index_name,
    pack_name,
    read_listing,
    signature_name,
    single_name,
)

LARGEST_LATEST = 16 << 20


def write_latest(listing: Mapping[str, int | None]) -> bytes:
    """Return the object that stands for `listing`; names that are not ours are left out."""
    there = read_listing(listing)
    note = {
        "format": FORMAT,
        "packs": {to_text(p): [size, there.indexes[p]] for p, size in sorted(there.packs.items())},
        "singles": _sizes(there.singles),
        "catalogues": _sizes(there.catalogues),
    }
    if there.signatures:
        note["signatures"] = _sizes(there.signatures)
    return json.dumps(note, separators=(",", ":")).encode() + b"\n"


def read_latest(data: bytes) -> dict[str, int | None]:
    """Return the listing that `data` stands for."""
    if len(data) > LARGEST_LATEST:
        raise ValueError("the list of what is there is too long")
    # Small things take many times their length when they are read: each of ours has an id.
    if max(data.count(b","), data.count(b"[") + data.count(b":")) > 16 + len(data) // 20:
        raise ValueError("the list of what is there is malformed")
    try:
        note = json.loads(data)
        if note["format"] != FORMAT:
            raise ValueError("the list of what is there has another format")
        listing: dict[str, int | None] = {MARKER: None}
        for text, (size, index_size) in note["packs"].items():
            pack = from_text(text)
            listing |= {pack_name(pack): _size(size), index_name(pack): _size(index_size)}
        for text, size in note["singles"].items():
            listing[single_name(from_text(text))] = _size(size)
        for text, size in note["catalogues"].items():
            listing[catalogue_name(from_text(text))] = _size(size)
        for text, size in note.get("signatures", {}).items():
            listing[signature_name(from_text(text))] = _size(size)
    except (TypeError, KeyError, AttributeError, RecursionError) as error:
        raise ValueError(f"the list of what is there is malformed: {error}") from None
    return listing


def names_of(inventory: Inventory) -> dict[str, int | None]:
    """Return the listing that `inventory` was read from, as far as it concerns us."""
    listing = {pack_name(pack): size for pack, size in inventory.packs.items()}
    listing |= {index_name(pack): size for pack, size in inventory.indexes.items()}
    listing |= {single_name(blob): size for blob, size in inventory.singles.items()}
    listing |= {signature_name(name): size for name, size in inventory.signatures.items()}
    return listing | {catalogue_name(name): size for name, size in inventory.catalogues.items()}


def _sizes(objects: Mapping[Digest, int | None]) -> dict[str, int | None]:
    return {to_text(name): size for name, size in sorted(objects.items())}


def _size(value: object) -> int | None:
    if value is not None and (type(value) is not int or value < 0):
        raise ValueError("a size must be a number")
    return value
