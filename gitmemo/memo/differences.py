"""Where two values that are not the same first differ, said for people.

Not whether they are the same: content ids say that. Invariant: bounded work,
without recursion, and a foreign value that misbehaves is only described less well.
"""

from __future__ import annotations

import math
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from gitmemo.errors import GitmemoError
from gitmemo.hashing import content_id
from gitmemo.memo.wording import short

_MOST_PARTS = 100_000
_PLAIN = (int, float, complex, bool, str, bytes, type(None))
_NUMBERS = "biufc"


@dataclass(frozen=True, slots=True)
class Difference:
    """The first place where two values differ.

    Attributes:
        path: What leads to it, such as `["weights"][3]`; empty for the values themselves.
        what: How they differ there.
    """

    path: str
    what: str

    def __str__(self) -> str:
        return f"at {self.path}: {self.what}" if self.path else self.what


_Pair = tuple[str, Any, Any]


def difference(was: object, now: object) -> Difference | None:
    """Return the first difference of two values; None if nothing that can be told apart differs.

    >>> str(difference({"a": 1, "b": [1, 2]}, {"a": 1, "b": [1, 3]}))
    "at ['b'][1]: was 2, is 3"
    >>> str(difference({"a": 1, "b": 2}, {"b": 2, "a": 1}))
    'only the order of the dict differs'
    """
    order: Difference | None = None
    path: list[str] = [""]
    left: list[Iterator[_Pair]] = [iter([("", was, now)])]
    budget = _MOST_PARTS
    while left:
        pair = next(left[-1], None)
        if pair is None:
            left.pop()
            path.pop()
            continue
        budget -= 1
        if budget < 0:
            return Difference("".join(path), "they differ somewhere inside, too far in to look for")
        label, a, b = pair
        if _same(a, b):
            continue
        here = "".join((*path, label))
        what = _at_once(a, b)
        if what is not None:
            return Difference(here, what)
        if isinstance(a, dict) and not _same_keys_in_order(a, b):
            order = order or Difference(here, f"only the order of the {type(a).__name__} differs")
        path.append(label)
        left.append(_inside(a, b))
    return order


def _same(a: object, b: object) -> bool:
    """Whether two parts are the same as far as content ids can tell, told cheaply where possible."""
    if a is b:
        return True
    if type(a) is not type(b):
        return False
    if isinstance(a, float) and isinstance(b, float):
        return a.hex() == b.hex()
    if type(a) in _PLAIN and not isinstance(a, complex):
        return a == b
    if isinstance(a, dict | list | tuple) and len(a) == len(b):  # type: ignore[arg-type]
        return False  # its parts are looked at one by one
    try:
        return content_id(a) == content_id(b)
    except (GitmemoError, RecursionError):
        return False


def _at_once(a: Any, b: Any) -> str | None:
    """Say how two values differ that need no look inside; None if they need one."""
    kind = type(a)
    if kind is not type(b):
        return _other_type(a, b)
    if kind is float:
        return _other_float(a, b)
    if isinstance(a, dict):
        return _other_keys(a, b)
    if isinstance(a, list | tuple):
        return None if len(a) == len(b) else f"was of length {len(a)}, is of length {len(b)}"
    if isinstance(a, set | frozenset):
        return _other_members(a, b)
    if _is_array(a):
        return None if a.dtype.kind == "O" and a.shape == b.shape else _other_array(a, b)
    if kind in _PLAIN or next(_inside(a, b), None) is None:
        return _was_is(a, b)
    return None


def _inside(a: Any, b: Any) -> Iterator[_Pair]:
    """Yield the parts of two values of one type, in pairs with what leads to them."""
    if isinstance(a, dict):
        for key in a:
            if key in b:
                yield f"[{short(key)}]", a[key], b[key]
    elif isinstance(a, list | tuple):
        for number, (one, other) in enumerate(zip(a, b, strict=False)):
            yield f"[{number}]", one, other
    elif _is_array(a):
        yield "", a.tolist(), b.tolist()
    elif type(a).__module__.partition(".")[0] == "pandas" and hasattr(a, "to_numpy"):
        yield from zip_parts(_table_parts(a), _table_parts(b))
    elif not isinstance(a, set | frozenset | type) and hasattr(a, "__dict__"):
        ours, theirs = vars(a), vars(b)
        for name in ours:
            if name in theirs:
                yield f".{name}", ours[name], theirs[name]


def zip_parts(
    ours: Iterator[tuple[str, Any]], theirs: Iterator[tuple[str, Any]]
) -> Iterator[_Pair]:
    """Pair the parts of two values; those that only one of them has are left out."""
    for (label, one), (_, other) in zip(ours, theirs, strict=False):
        yield label, one, other


def _table_parts(table: Any) -> Iterator[tuple[str, Any]]:
    if hasattr(table, "columns"):
        yield ".columns", list(table.columns)
        yield ".dtypes", [str(kind) for kind in table.dtypes]
    elif hasattr(table, "index"):
        yield ".name", table.name
    if hasattr(table, "index"):
        yield ".index", table.index.to_numpy()
    if not hasattr(table, "columns"):
        yield "", table.to_numpy()
        return
    for number, name in enumerate(table.columns):
        yield f"[{short(name)}]", table.iloc[:, number].to_numpy()


def _other_type(a: object, b: object) -> str:
    ours, theirs = type(a).__qualname__, type(b).__qualname__
    if _equal(a, b):
        return f"same value, other type: was {ours} {short(a)}, is {theirs} {short(b)}"
    return f"was {short(a)} ({ours}), is {short(b)} ({theirs})"


def _other_float(a: float, b: float) -> str:
    if a == b:
        return f"was {a!r}, is {b!r}: equal numbers, but not the same value"
    return "both are NaN, with other bits" if math.isnan(a) and math.isnan(b) else _was_is(a, b)


def _equal(a: Any, b: Any) -> bool:
    try:
        return bool(a == b)
    except Exception:  # noqa: BLE001  a foreign __eq__ may raise anything
        return False


def _was_is(a: object, b: object) -> str:
    was, now = short(a), short(b)
    return f"was {was}, is {now}" if was != now else f"both look like {was}, but they differ"


def _other_keys(a: dict[Any, Any], b: dict[Any, Any]) -> str | None:
    for gone in a:
        if gone not in b:
            return f"the key {short(gone)} is gone"
    for new in b:
        if new not in a:
            return f"the key {short(new)} is new"
    theirs = {key: key for key in b}
    for key in a:
        if type(theirs[key]) is not type(key):
            return f"the key: {_other_type(key, theirs[key])}"
    return None


def _same_keys_in_order(a: dict[Any, Any], b: dict[Any, Any]) -> bool:
    return all(one == other for one, other in zip(a, b, strict=False))


def _other_members(a: Any, b: Any) -> str:
    gone, new = sorted(map(short, a - b)), sorted(map(short, b - a))
    said = [f"{items[0]} is {what}" for items, what in ((gone, "gone"), (new, "new")) if items]
    return " and ".join(said) or "equal members of other types"


def _is_array(value: object) -> bool:
    numpy = sys.modules.get("numpy")
    return numpy is not None and isinstance(value, numpy.ndarray)


def _other_array(a: Any, b: Any) -> str:
    import numpy as np

    if a.dtype != b.dtype:
        return f"the dtype was {a.dtype}, is {b.dtype}"
    if a.shape != b.shape:
        return f"the shape was {a.shape}, is {b.shape}"
    if a.dtype.names or a.dtype.kind not in f"{_NUMBERS}SUmM":
        return "some elements differ"
    with np.errstate(all="ignore"):
        unequal = (a != b) & ~((a != a) & (b != b))
        number = int(np.count_nonzero(unequal))
        if not number:
            return "equal elements, with other bits (such as -0.0 and 0.0) or another layout"
        at = tuple(int(i) for i in np.unravel_index(int(np.argmax(unequal)), a.shape))
        said = f"{number:,} of {a.size:,} elements differ"
        if a.dtype.kind in _NUMBERS:
            wide = np.complex128 if a.dtype.kind == "c" else np.float64
            gap = float(np.max(np.abs(a[unequal].astype(wide) - b[unequal].astype(wide))))
            said += f", at most by {gap:.3g}"
    where = f", first at {list(at)}" if at else ""
    return f"{said}{where}: {_was_is(a[at].item(), b[at].item())}"
