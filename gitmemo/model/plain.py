"""Plain values that are known without their bytes: those that stand in records, and a few floats.

Not a decoder (`codecs`). Invariant: nothing is loaded, and what is told is exactly what was stored.
"""

from __future__ import annotations

import math
from functools import cache

from gitmemo.hashing import content_id
from gitmemo.hashing.digest import Digest
from gitmemo.model.items import Held, Inline


def told(held: Held) -> Inline | None:
    """Return a small plain value; None where only its bytes would tell.

    NaN and the infinities stand in no record, because JSON has none; their content ids tell them.
    """
    return held.inline if held.inline is not None else _floats().get(held.cid)


@cache
def _floats() -> dict[Digest, Inline]:
    return {content_id(value): Inline(value) for value in (math.nan, math.inf, -math.inf)}


def as_json(value: object) -> object:
    """Return a plain value as JSON can say it: floats that it lacks as `NaN`, `Infinity`, `-Infinity`.

    >>> as_json(-math.inf)
    '-Infinity'
    """
    if not isinstance(value, float) or math.isfinite(value):
        return value
    return "NaN" if math.isnan(value) else "Infinity" if value > 0 else "-Infinity"
