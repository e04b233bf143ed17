"""The listing that a push leaves for web servers, which cannot list.

Not trusted more than any listing, and no part of what other remotes read.
Invariant: reading one gives names and sizes or raises `ValueError`. A stale one
hides objects that were pushed since; it never makes one up that is believed.
"""

from __future__ import annotations

import json
from collections.abc import Mapping

NAME = "gitmemo-listing.json"
OPTION = "listing"
"""The option of a remote that asks each push to leave one."""

_LONGEST = 256 << 20


def write_published(listing: Mapping[str, int | None]) -> bytes:
    """Return the object that shows what `listing` shows."""
    objects = {name: size for name, size in sorted(listing.items()) if name != NAME}
    return json.dumps({"objects": objects}, separators=(",", ":")).encode() + b"\n"


def read_published(data: bytes) -> dict[str, int | None]:
    """Read what `write_published` wrote."""
    if len(data) > _LONGEST:
        raise ValueError("the listing is too long")
    try:
        objects = json.loads(data)["objects"].items()
    except (KeyError, TypeError, AttributeError, RecursionError) as error:
        raise ValueError(f"no listing: {error}") from None
    for _, size in objects:
        if size is not None and (type(size) is not int or size < 0):
            raise ValueError("sizes must be numbers")
    return dict(objects)
