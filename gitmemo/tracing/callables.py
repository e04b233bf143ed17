"""Which functions an object may run when it is called or read.

Not which of them did run (`events`). Invariant: nothing is called to find out.
"""

from __future__ import annotations

import functools
from collections.abc import Iterator
from types import FunctionType, MethodType, ModuleType
from typing import Any

from gitmemo.tracing.values import attributes, cell_contents, wrapped

_DEEPEST = 5
_MOST_ATTRIBUTES = 200


def functions_inside(value: Any) -> Iterator[FunctionType]:
    """Find the functions that calling or reading `value` may run.

    Wrappers, partials, methods, closures and the attributes of instances; not
    the elements of containers, where a call picks one and that one is seen.
    """
    return _found(value, 0, {})


def _found(value: Any, depth: int, known: dict[int, tuple[int, object]]) -> Iterator[FunctionType]:
    """Go on from `value`, unless that was done from no deeper a level: each may lead to all others."""
    before = known.get(id(value))
    if depth > _DEEPEST or (before is not None and before[0] <= depth):
        return
    known[id(value)] = depth, value  # kept, so that no other gets its id
    if isinstance(value, FunctionType):
        yield value
        for cell in value.__closure__ or ():
            held = cell_contents(cell)
            if not isinstance(held, ModuleType | type):
                yield from _found(held, depth + 1, known)
    for inner in _inside(value):
        yield from _found(inner, depth + 1, known)


def _inside(value: Any) -> Iterator[object]:
    if isinstance(value, type | ModuleType):
        return
    if isinstance(value, staticmethod | classmethod):
        yield value.__func__
    elif isinstance(value, MethodType):
        yield value.__func__
        yield value.__self__
    elif isinstance(value, functools.partial):
        yield from (value.func, *value.args, *value.keywords.values())
    elif isinstance(value, property):
        yield from (value.fget, value.fset, value.fdel)
    elif isinstance(value, functools.cached_property | functools.partialmethod):
        yield value.func
    held = attributes(value)
    if type(held) is dict and len(held) <= _MOST_ATTRIBUTES:
        yield from (item for item in list(held.values()) if callable(item) or _wraps(item))
    if _wraps(value):
        yield wrapped(value)
    if type(value).__module__.partition(".")[0] == "numba":  # runs a translation of it
        yield getattr(value, "py_func", None)


def _wraps(value: object) -> bool:
    # Not hasattr: an object that makes up any attribute would claim to wrap.
    return isinstance(wrapped(value), FunctionType)
