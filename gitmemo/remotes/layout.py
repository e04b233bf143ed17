"""How a remote is laid out: names of objects, and the note that says which format.

Not how objects are moved. Invariant: a name is only ever built here from a
digest, or accepted from a listing because it has exactly that form.
`docs/sharing-format.md` is the specification.
"""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from dataclasses import dataclass, field

from gitmemo.hashing.digest import Digest, to_hex

FORMAT = 1
MARKER = "gitmemo-remote.json"
LARGEST_MARKER = 64 << 10
SINGLE_FROM = 4 << 20
"""Values of this size and more are objects of their own."""
PACK_TARGET = 16 << 20
"""A pack that has reached this size gets no more values."""
VALUES_IN_PACK = 100_000
"""Nor does one that holds so many: its index would be long."""

LATEST = "catalogues/latest.json"
"""What was there after some push, for those who cannot list."""

_OBJECT = re.compile(r"([a-z]+)/([0-9a-f]{2})/(([0-9a-f]{2})[0-9a-f]{62})(\.[a-z]{3,4})?")
_PACK, _INDEX = ("packs", ".pack"), ("packs", ".idx")
_SINGLE, _CATALOGUE = ("blobs", None), ("catalogues", ".cat")
_SIGNATURE = ("signatures", ".sig")
FOLDERS = ("packs", "blobs", "catalogues", "signatures", "gc")
_KINDS = (_PACK, _INDEX, _SINGLE, _CATALOGUE, _SIGNATURE)


@dataclass(frozen=True, slots=True)
class Inventory:
    """What one listing of a remote shows; sizes are None where the service tells none.

    Attributes:
        marked: Whether the note about the format is there.
        packs: Sizes of the packs that have an index; one without is an interrupted push.
        singles: Sizes of the values that are objects of their own.
        indexes: Sizes of the indexes of `packs`.
        catalogues: Sizes of the copies of many indexes.
        signatures: Sizes of the lists of signed values.
    """

    marked: bool
    packs: Mapping[Digest, int | None]
    singles: Mapping[Digest, int | None]
    indexes: Mapping[Digest, int | None] = field(default_factory=dict)
    catalogues: Mapping[Digest, int | None] = field(default_factory=dict)
    signatures: Mapping[Digest, int | None] = field(default_factory=dict)


def pack_name(pack: Digest) -> str:
    """Return the name of a pack: BLAKE3 of its bytes."""
    return f"packs/{to_hex(pack)[:2]}/{to_hex(pack)}.pack"


def index_name(pack: Digest) -> str:
    """Return the name of the object that lists what is in a pack."""
    return f"packs/{to_hex(pack)[:2]}/{to_hex(pack)}.idx"


def single_name(blob: Digest) -> str:
    """Return the name of a value that is an object of its own."""
    return f"blobs/{to_hex(blob)[:2]}/{to_hex(blob)}"


def catalogue_name(catalogue: Digest) -> str:
    """Return the name of a copy of many indexes: BLAKE3 of its bytes."""
    return f"catalogues/{to_hex(catalogue)[:2]}/{to_hex(catalogue)}.cat"


def signature_name(signatures: Digest) -> str:
    """Return the name of a list of signed values: BLAKE3 of its bytes."""
    return f"signatures/{to_hex(signatures)[:2]}/{to_hex(signatures)}.sig"


def read_listing(listing: Mapping[str, int | None]) -> Inventory:
    """Sort the names of a listing; what gitmemo did not name is none of its business."""
    found: dict[tuple[str, str | None], dict[Digest, int | None]] = {kind: {} for kind in _KINDS}
    for name, size in listing.items():
        match = _OBJECT.fullmatch(name)
        if match is None:
            continue
        kind, folder, hex_id, first, suffix = match.groups()
        if folder == first and (kind, suffix) in found:
            found[kind, suffix][Digest(bytes.fromhex(hex_id))] = size
    packs, indexes = found[_PACK], found[_INDEX]
    return Inventory(
        marked=MARKER in listing,
        packs={pack: size for pack, size in packs.items() if pack in indexes},
        singles=found[_SINGLE],
        indexes={pack: size for pack, size in indexes.items() if pack in packs},
        catalogues=found[_CATALOGUE],
        signatures=found[_SIGNATURE],
    )


def marker() -> bytes:
    """Return the note about the format. The same everywhere, so that two may write it at once."""
    return json.dumps({"format": FORMAT, "hash": "blake3-256"}).encode() + b"\n"


def newer_format(data: bytes) -> str | None:
    """Return the format that the note `data` names if it is not this one, else None."""
    try:
        note = json.loads(data)
        found = note["format"], note["hash"]
    except (ValueError, KeyError, TypeError, RecursionError):
        return "(unreadable)"
    return None if found == (FORMAT, "blake3-256") else f"{found[0]!s:.20} ({found[1]!s:.20})"
