"""Values into refs and back, without a storage.

Not loading (a ref asks the storage that it came from). Invariant: wrapping has
no effect on what an op computes, and a wrapped value has no history.
"""

from __future__ import annotations

import copy
from contextlib import suppress
from typing import Any, TypeVar, cast, overload

from gitmemo.errors import RefInside
from gitmemo.ref import IMMUTABLE, AtomRef, Ref, like, unwrap_all
from gitmemo.ref.leaves import leaf

R = TypeVar("R")


def wrap(obj: Any) -> Any:
    """Return a ref to `obj`, which has no history; lists, tuples and sets are mapped over.

    Examples:
        >>> gm.wrap([1, 2])
        [AtomRef(1, hid=b1df8d...), AtomRef(2, hid=eb66ad...)]
    """
    if isinstance(obj, list | tuple | set):
        with suppress(RefInside):  # its items cannot be replaced: it is one piece
            return like(obj, list(map(wrap, obj)))
    return wrap_atom(obj)


def wrap_atom(obj: R) -> Ref[R]:
    """Return a ref to `obj`, which has no history. Its content id is computed once, here.

    Examples:
        >>> @gm.op
        ... def total(numbers):
        ...     return sum(numbers)
        >>> numbers = gm.wrap_atom(list(range(1000)))
        >>> with storage:
        ...     storage.unwrap(total(numbers)), total.is_cached(list(range(1000)))
        (499500, True)
    """
    if isinstance(obj, Ref):
        return cast("Ref[R]", obj)
    value = unwrap_all(obj)
    if type(value) not in IMMUTABLE:
        value = copy.deepcopy(value)  # the caller may go on changing the original
    item = leaf(value, "the wrapped value")
    return AtomRef(item.cid, item.hid, None, item.inline, value, item.short)


@overload
def unwrap(obj: Ref[R]) -> R: ...
@overload
def unwrap(obj: R) -> R: ...
def unwrap(obj: Any) -> Any:
    """Return `obj` with every ref in it replaced by a copy of its value, from the storage it came from.

    Examples:
        >>> gm.unwrap({"a": gm.wrap(1), "b": [gm.wrap(2), 3]})
        {'a': 1, 'b': [2, 3]}
    """
    return unwrap_all(obj)
