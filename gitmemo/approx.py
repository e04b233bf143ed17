"""Numbers that count as equal when they are nearly so: what `Annotated[float, gm.Approx(6)]` says.

Not how arguments are bound, and not a distance: numbers are put into buckets by
rounding, so two that are nearly equal can still fall on different sides of an
edge. Invariant: the op gets the number as it is; only the id is that of the
rounded one.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from gitmemo.errors import ApproxTooLarge, ApproxUnsupported

MAX_NUMBERS = 1_000
"""More numbers than this do not all stay on their side of an edge: see `docs/values.md`."""

_MAX_DECIMALS = 300
_DEPTH = 100
_UNCHANGED = (bool, int, type(None))
_CONTAINERS = (list, tuple, set, frozenset)


@dataclass(frozen=True, slots=True)
class Approx:
    """How many decimals of an argument count: `x: Annotated[float, gm.Approx(decimals=6)]`.

    Attributes:
        decimals: Digits after the point; negative ones are tens, hundreds and so on.
    """

    decimals: int

    def __post_init__(self) -> None:
        if type(self.decimals) is not int or abs(self.decimals) > _MAX_DECIMALS:
            raise TypeError(f"decimals={self.decimals!r} is not a number of decimals")

    def rounded(self, value: object) -> object:
        """Return `value` with each number in it rounded, zero without a sign, types kept.

        Numbers are int, float, complex, numpy's scalars, and those in numpy arrays; they may be
        in lists, tuples, sets and dicts (keys stay as they are). `None` and booleans stay.

        Raises:
            ApproxUnsupported: There is something else in it.
            ApproxTooLarge: There are more than `MAX_NUMBERS` in it.
        """
        return _Rounding(self.decimals).rounded(value, "", 0)


class _Rounding:
    """One value being rounded; `count` is how many of its numbers could be near an edge."""

    def __init__(self, decimals: int) -> None:
        self._decimals = decimals
        self._count = 0

    def rounded(self, value: Any, path: str, depth: int) -> Any:
        kind = type(value)
        if kind is int and self._decimals < 0:
            self._add(1)
            return round(value, self._decimals)
        if kind in _UNCHANGED:
            return value
        if kind is float:
            self._add(1)
            return round(value, self._decimals) + 0.0  # -0.0 is another content than 0.0
        if kind is complex:
            self._add(2)
            parts = (round(part, self._decimals) + 0.0 for part in (value.real, value.imag))
            return complex(*parts)
        if depth > _DEPTH:
            raise ApproxUnsupported(kind.__qualname__, path[:80], "it is nested too deeply")
        if kind is dict:
            return {
                key: self.rounded(item, f"{path}[{key!r:.40}]", depth + 1)
                for key, item in value.items()
            }
        if kind in _CONTAINERS:
            return kind(
                self.rounded(item, f"{path}[{number}]", depth + 1)
                for number, item in enumerate(value)
            )
        return self._numpy(value, path)

    def _numpy(self, value: Any, path: str) -> Any:
        dtype: Any = getattr(value, "dtype", None)
        if type(value).__module__ == "numpy" and getattr(dtype, "kind", "") in "biufc":
            if dtype.kind in "fc" or (dtype.kind in "iu" and self._decimals < 0):
                self._add(value.size * (2 if dtype.kind == "c" else 1))
                return _rounded(value, self._decimals)
            return value
        kind = type(value)
        name = f"{kind.__module__}.{kind.__qualname__}"
        raise ApproxUnsupported(name, path, "it has no decimals that could be rounded")

    def _add(self, numbers: int) -> None:
        self._count += numbers
        if self._count > MAX_NUMBERS:
            raise ApproxTooLarge(self._count, MAX_NUMBERS)


def _rounded(numbers: Any, decimals: int) -> Any:
    """Return a numpy array or scalar rounded, with no -0.0."""
    import numpy as np

    with np.errstate(over="ignore", invalid="ignore"):
        made = numbers.round(decimals)
        if numbers.dtype.kind in "iu":
            return made
        # numpy multiplies first: a number so large that this overflows has no decimals to lose.
        kept = np.where(np.isfinite(made), made, numbers) + numbers.dtype.type(0)
    return kept if isinstance(numbers, np.ndarray) else kept[()]
