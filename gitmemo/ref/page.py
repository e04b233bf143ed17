"""A ref as a notebook shows it: its ids, and its value where that is at hand.

Not loading. Invariant: nothing is read for it, and values are text in it, never markup.
"""

from __future__ import annotations

from typing import Any

from gitmemo import markup
from gitmemo.codecs import from_inline
from gitmemo.model.items import plain_keys
from gitmemo.ref.atoms import Ref, shortened
from gitmemo.ref.collections import CollectionRef, DictRef
from gitmemo.short_ids import SHOWN_DIGITS

_MOST = 10


def page_of(ref: Ref[Any]) -> str:
    """Return a ref as HTML."""
    rows = [
        ("value", text_of(ref)),
        ("history id", f"{ref.hid[:SHOWN_DIGITS]}…"),
        ("content id", f"{ref.cid[:SHOWN_DIGITS]}…"),
    ]
    parts = [markup.table((type(ref).__name__, ""), rows)]
    if isinstance(ref, CollectionRef) and ref.is_listed:
        items = ref._items()
        keys = plain_keys(ref._parts, from_inline) if isinstance(ref, DictRef) else None
        labels = range(len(items)) if keys is None else keys
        pairs = list(zip(labels, items, strict=True))[:_MOST]
        shown = [(shortened(label), text_of(item)) for label, item in pairs]
        parts.append(markup.table(("", f"{len(items)} elements"), shown))
    return markup.block(*parts)


def text_of(ref: Ref[Any]) -> str:
    """Return a value in a few words, without loading it."""
    if ref._inline is not None:
        return shortened(from_inline(ref._inline.json))
    if ref.in_memory:
        return shortened(ref._obj)
    return "stored, not loaded"
