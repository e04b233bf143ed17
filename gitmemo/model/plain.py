"""Plain values that are known without their bytes: those that stand in records, and what records tell.

The one place that says what a value looks like where it is shown, sorted, compared and written: scalars
of numpy are the numbers that they are. Not a decoder (`codecs`). Invariant: nothing is loaded; `exact` is
exactly what was stored, `told` is so but for its type.
"""

from __future__ import annotations

import math
from functools import cache

from gitmemo.hashing import content_id
from gitmemo.hashing.digest import Digest
from gitmemo.model.items import Held, Inline
from gitmemo.model.scalars import plain_scalar, scalar


def told(held: Held) -> Inline | None:
    """Return a small plain value; None where only its bytes would tell.

    NaN and the infinities stand in no record, because JSON has none; their content ids tell them.
    """
    if held.inline is not None:
        return held.inline
    short = held.short
    return (
        plain_scalar(short) if short is not None and short[:1] == b"R" else _floats().get(held.cid)
    )


def exact(held: Held) -> object:
    """Return a number, truth or text as a program has it, scalars of numpy among them; None for others."""
    plain = told(held)
    if plain is None or type(plain.json) not in _SIMPLE:
        return None
    short = held.short
    is_own = held.inline is not None or short is None or short[:1] != b"R"
    return plain.json if is_own or short is None else scalar(short)


_SIMPLE = frozenset({int, float, bool, str})


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
