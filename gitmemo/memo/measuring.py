"""How far two values are apart: numbers by how much, arrays at most by how much.

Not whether they are the same: content ids say that. Invariant: pure; what cannot
be measured is described as far as that goes, and nothing raises.
"""

from __future__ import annotations

import math
import sys
from dataclasses import dataclass
from typing import Any

from gitmemo.memo.differences import difference

_NUMERIC = "biufc"


@dataclass(frozen=True, slots=True)
class Distance:
    """How far two values are apart.

    Attributes:
        absolute: Between numbers, the new one less the old one; between arrays, the greatest
            difference of two elements. None where that has no meaning.
        relative: `absolute` by the size of the old number; None for 0, and for arrays.
        shapes: Of two arrays, the old and the new one.
        what: How they differ, in words, for everything else.
    """

    absolute: float | None = None
    relative: float | None = None
    shapes: tuple[tuple[int, ...], tuple[int, ...]] | None = None
    what: str = ""

    def __str__(self) -> str:
        parts = []
        if self.shapes is not None:
            old, new = self.shapes
            parts.append(f"shape {old}" if old == new else f"shape {old} -> {new}")
            parts += [] if self.absolute is None else [f"at most by {self.absolute:.6g}"]
        elif self.absolute is not None:
            parts.append(f"{self.absolute:+.6g}")
        if self.relative is not None:
            parts.append(f"{100 * self.relative:+.3g} %")
        return ", ".join([*parts, self.what] if self.what else parts)

    def as_dict(self) -> dict[str, object]:
        """Return it as plain data; None for what is not finite, which JSON cannot say."""
        shapes = self.shapes or (None, None)
        return {
            "absolute": _finite(self.absolute),
            "relative": _finite(self.relative),
            "old_shape": shapes[0] and list(shapes[0]),
            "new_shape": shapes[1] and list(shapes[1]),
            "what": self.what or None,
        }


def distance(old: object, new: object) -> Distance:
    """Return how far `new` is from `old`.

    >>> str(distance(200, 250.0)), str(distance(0, 1)), str(distance("a", "b"))
    ('+50, +25 %', '+1', "was 'a', is 'b'")
    """
    one, other = _number(old), _number(new)
    if one is not None and other is not None:
        gap = other - one
        has_ratio = one != 0 and math.isfinite(one) and math.isfinite(gap)
        return Distance(gap, gap / abs(one) if has_ratio else None)
    if _is_numeric(old) and _is_numeric(new):
        return _of_arrays(old, new)
    found = difference(old, new)
    return Distance(what=str(found) if found else "")


def _number(value: Any) -> float | None:
    """Return a number as a float; None for what is none, truth values and complex numbers too."""
    numpy = sys.modules.get("numpy")
    if numpy is not None and isinstance(value, numpy.integer | numpy.floating):
        value = value.item()
    if isinstance(value, bool) or not isinstance(value, int | float):
        return None
    try:
        return float(value)
    except OverflowError:
        return None


def _is_numeric(value: Any) -> bool:
    numpy = sys.modules.get("numpy")
    return numpy is not None and isinstance(value, numpy.ndarray) and value.dtype.kind in _NUMERIC


def _of_arrays(old: Any, new: Any) -> Distance:
    import numpy as np

    shapes = (tuple(old.shape), tuple(new.shape))
    what = "" if old.dtype == new.dtype else f"dtype {old.dtype} -> {new.dtype}"
    if shapes[0] != shapes[1] or not old.size:
        return Distance(shapes=shapes, what=what)
    wide = np.complex128 if "c" in (old.dtype.kind, new.dtype.kind) else np.float64
    with np.errstate(all="ignore"):
        gaps = np.abs(new.astype(wide) - old.astype(wide))
        unlike = np.isnan(old.astype(wide)) != np.isnan(new.astype(wide))
    known = gaps[~np.isnan(gaps)]
    if unlike.any():
        more = f"NaN in one of them at {int(unlike.sum())} places"
        what = f"{what}, {more}" if what else more
    return Distance(float(known.max()) if known.size else None, shapes=shapes, what=what)


def _finite(number: float | None) -> float | None:
    return number if number is not None and math.isfinite(number) else None
