"""Values from outside that are one piece: with a content id, and no history.

Not collections and what is in them (`memo.items`). Invariant: equal values have
equal items.
"""

from __future__ import annotations

from gitmemo.codecs import inline
from gitmemo.errors import Unhashable
from gitmemo.hashing.encoding import content_id, part
from gitmemo.hashing.parts import part_id, short_of
from gitmemo.model.items import Item, raw


def leaf(value: object, where: str = "") -> Item:
    """Return a value that is one piece; `where` names it in errors.

    Raises:
        Unhashable: It has no content id.
    """
    try:
        encoded = part(value)
    except Unhashable as error:
        raise type(error)(error.type_name, error.path, error.reason, where) from None
    small = inline(value)
    return raw(part_id(encoded), small, None if small else short_of(encoded))


def scalar(value: object) -> Item | None:
    """Return a value of a type without children, if it is small enough to stand in a record."""
    small = inline(value)
    return raw(content_id(value), small) if small else None
