"""How rows are filtered and sorted: what people type into a column, and the order of cells.

Not the cells (`cells`). `static/asking.js` does the same in a page that nobody serves; one list of
cases holds both to it. Invariant: pure.

    tree            cells whose text has `tree` in it, in any case
    >0.9  <=3  !=2  numbers that compare so; with a text (`>2026-11`), texts
    =tree           cells whose text is just that; `=` alone finds gaps, `!=` alone everything else
    0.1..0.5        numbers from one to the other
"""

from __future__ import annotations

import math
import operator
import re
from collections.abc import Callable, Iterator
from typing import Any, TypeAlias

from gitmemo.report.cells import Shown

Test: TypeAlias = "Callable[[Shown], bool]"

_COMPARISON = re.compile(r"(>=|<=|!=|==|>|<|=)\s*(.*)", re.DOTALL)
_RANGE = re.compile(r"(.+?)\.\.(.+)", re.DOTALL)
_NUMBER = re.compile(r"[+-]?(\d+\.?\d*|\.\d+)([eE][+-]?\d+)?|[+-]?inf(inity)?|nan", re.IGNORECASE)
_SIGNS: dict[str, Callable[[Any, Any], bool]] = {  # of two numbers, or of two texts
    ">=": operator.ge,
    "<=": operator.le,
    ">": operator.gt,
    "<": operator.lt,
}
Order: TypeAlias = "tuple[int, float, str]"


def values_in(cell: Shown) -> Iterator[Shown]:
    """Yield the values of a cell: itself, or each of several."""
    if isinstance(cell, dict) and isinstance(cell.get("l"), list):
        yield from cell["l"]  # type: ignore[misc]
    elif cell is not None:
        yield cell


def number_in(value: Shown) -> float | None:
    """Return the number that a value is, None if it is none; a truth is none."""
    if isinstance(value, dict):
        if "n" in value:
            return float(str(value["n"]))
        value = value.get("v")
    if isinstance(value, bool) or not isinstance(value, int | float):
        return None
    return float(value)


def text_of(cell: Shown) -> str:
    """Return the text that a cell is searched by."""
    if isinstance(cell, dict):
        if isinstance(cell.get("l"), list):
            return ", ".join(text_of(value) for value in values_in(cell))
        for key in ("n", "j", "s"):
            if key in cell:
                return str(cell[key])
        cell = cell.get("v")
    if cell is None:
        return ""
    return number_text(cell) if isinstance(cell, float) else str(cell)


def number_text(number: float) -> str:
    """Return a finite number that is not whole as browsers write it.

    >>> number_text(1e-7), number_text(-0.000015), number_text(123456.75)
    ('1e-7', '-0.000015', '123456.75')
    """
    digits, _, exponent = repr(number).partition("e")
    power = int(exponent or 0)
    if not -7 < power < 0:
        return digits if not exponent else f"{digits}e{power:+d}"
    sign, whole, part = re.fullmatch(r"(-?)(\d)\.?(\d*)", digits).groups()  # type: ignore[union-attr]
    return f"{sign}0.{'0' * (-power - 1)}{whole}{part}"


def order_of(cell: Shown, *, upwards: bool = True) -> Order:
    """Return what a cell is sorted by: numbers, NaN, texts, the rest; gaps last in either direction."""
    for value in values_in(cell):
        number = number_in(value)
        bare = value.get("v") if isinstance(value, dict) else value
        if isinstance(bare, bool):
            number = float(bare)
        if number is not None:
            return (0, number, "") if not math.isnan(number) else (_turned(1, upwards), 0.0, "")
        return _turned(2 if isinstance(bare, str) else 3, upwards), 0.0, text_of(value)
    return _turned(4, upwards), 0.0, ""


def _turned(rank: int, upwards: bool) -> int:
    """Ranks stay where they are when the order is turned round."""
    return rank if upwards else -rank


def filter_of(asked: str) -> Test | None:
    """Return what tells the cells that somebody asks for; None if all are meant."""
    asked = asked.strip()
    if not asked:
        return None
    comparison = _COMPARISON.fullmatch(asked)
    if comparison:
        return _compared(comparison[1], comparison[2].strip())
    between = _RANGE.fullmatch(asked)
    if between and _is_number(between[1]) and _is_number(between[2]):
        low, high = float(between[1]), float(between[2])
        return _any(lambda number: low <= number <= high)
    needle = asked.lower()
    return lambda cell: needle in text_of(cell).lower()


def _compared(sign: str, wanted: str) -> Test:
    if sign in ("=", "==", "!="):
        equal = _equal(wanted)
        return (lambda cell: not equal(cell)) if sign == "!=" else equal
    compare = _SIGNS[sign]
    if not wanted:
        return lambda _: True
    if _is_number(wanted):
        bound = float(wanted)
        return _any(lambda number: compare(number, bound))
    lower = wanted.lower()
    return lambda cell: any(
        number_in(value) is None and compare(text_of(value).lower(), lower)
        for value in values_in(cell)
    )


def _equal(wanted: str) -> Test:
    if not wanted:
        return lambda cell: cell is None
    lower, number = wanted.lower(), float(wanted) if _is_number(wanted) else None

    def is_equal(value: Shown) -> bool:
        found = number_in(value)
        if found is not None and number is not None:
            return found == number or (math.isnan(found) and math.isnan(number))
        return text_of(value).lower() == lower

    return lambda cell: any(map(is_equal, values_in(cell)))


def _any(test: Callable[[float], bool]) -> Test:
    return lambda cell: any(
        test(number) for value in values_in(cell) if (number := number_in(value)) is not None
    )


def _is_number(text: str) -> bool:
    return _NUMBER.fullmatch(text.strip()) is not None
