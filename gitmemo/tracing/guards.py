"""Cheap checks that a mutable value has not been changed in place.

Not content ids: a guard is only good within this process and only for the
object that it was made for. Invariant: a guard that answers True is right; one
that cannot tell compares content ids.
"""

from __future__ import annotations

import datetime
import enum
import importlib
import marshal
import os
import pathlib
import pickle
import re
import sys
import types
from collections.abc import Callable, Iterable
from functools import cache
from itertools import islice
from typing import Any

from gitmemo.hashing.digest import Digest, digest
from gitmemo.tracing.observations import MISSING, Guard
from gitmemo.tracing.values import attributes, is_made_by_function, is_ours, ref_id, wrapped

_ATOMS = frozenset(
    {type(None), bool, int, float, complex, str, bytes, range, type(...), type(NotImplemented)}
)
_IMMUTABLE = frozenset(
    {
        *_ATOMS,
        datetime.date,
        datetime.datetime,
        datetime.time,
        datetime.timedelta,
        re.Pattern,
    }
)
_IMMUTABLE_ELSEWHERE = (("decimal", "Decimal"), ("fractions", "Fraction"), ("uuid", "UUID"))
"""Most programs load none of these modules, and gitmemo does not do it for them."""
_STANDARD_LIBRARY = os.__file__.removesuffix("os.py")
_PLAIN = (list, tuple, dict, set, frozenset)
_PLAIN_ATOMS = _ATOMS - {bytes, range, type(NotImplemented)}
# Elements that are looked at before giving up on the quick ways.
_SMALL_ELEMENTS = 5_000
_MOST_PLAIN_ELEMENTS = 5_000_000
_MANY_CONTAINERS = 50_000
_SMALL_BYTES = 1 << 16


def guard_for(value: object, identify: Callable[[], Digest]) -> Guard | None:
    """Return a check for changes inside `value`, None if it can have none.

    `identify` finds the value's id anew; the last resort.
    """
    if is_immutable(value) or ref_id(value) is not None:
        return None
    return (
        _function_guard(value)
        or _array_guard(value)
        or _marshal_guard(value)
        or _pickle_guard(value)
        or _id_guard(identify)
    )


def is_immutable(value: object) -> bool:
    """Whether nothing in `value` can change while it stays the same object."""
    kind = type(value)
    if _never_changes(kind) or isinstance(value, pathlib.PurePath | types.ModuleType):
        return True
    if isinstance(value, enum.Enum):
        return _is_immutable_member(value)
    if (
        isinstance(value, type) and not is_made_by_function(value)
    ) or kind is types.BuiltinFunctionType:
        return True
    return isinstance(value, tuple | frozenset) and _holds_immutable_only(value)


def _never_changes(kind: type) -> bool:
    return kind in _IMMUTABLE or any(
        getattr(sys.modules.get(module), name, None) is kind and _is_standard(module)
        for module, name in _IMMUTABLE_ELSEWHERE
    )


def _is_standard(module: str) -> bool:
    """Whether a loaded module is Python's own, and no file of the project that is called alike."""
    file = getattr(sys.modules.get(module), "__file__", None)
    return file == f"{_STANDARD_LIBRARY}{module}.py"


def _holds_immutable_only(value: Iterable[object]) -> bool:
    """Look into tuples and frozen sets, though not into many: one that is shared counts each time."""
    todo: list[Any] = [value]
    budget = _SMALL_ELEMENTS
    for found in todo:  # it grows
        if type(found) in (tuple, frozenset):
            budget -= len(found)
            if budget < 0:
                return False
            todo.extend(item for item in found if not _never_changes(type(item)))
        elif isinstance(found, tuple | frozenset) or not is_immutable(found):
            return False
    return True


def _is_immutable_member(member: enum.Enum) -> bool:
    held = [v for k, v in list(vars(member).items()) if k not in ("_name_", "__objclass__")]
    return all(value is not member and is_immutable(value) for value in held)


def _function_guard(value: object) -> Guard | None:
    """Compare what a plain function consists of: only where none of it can change in place."""
    if not isinstance(value, types.FunctionType) or vars(value):
        return None
    cells = value.__closure__ or ()
    held = [_cell(cell) for cell in cells]
    defaults, keywords = value.__defaults__, value.__kwdefaults__
    known_keywords = dict(keywords or {})
    parts = (*held, *(defaults or ()), *known_keywords.values())
    if not all(map(is_immutable, parts)):
        return None
    code, attributes = value.__code__, vars(value)

    def check() -> bool:
        return (
            value.__code__ is code
            and value.__defaults__ is defaults
            and value.__kwdefaults__ is keywords
            and not attributes
            and (not cells or all(_cell(c) is h for c, h in zip(cells, held, strict=True)))
            and (not keywords or _same_items(keywords, known_keywords))
        )

    return check


def _same_items(now: dict[str, Any], before: dict[str, Any]) -> bool:
    return now.keys() == before.keys() and all(now[name] is before[name] for name in before)


def _cell(cell: types.CellType) -> object:
    try:
        return cell.cell_contents
    except ValueError:  # empty
        return MISSING


def _marshal_guard(value: Any) -> Guard | None:
    """Compare marshalled bytes: sound only for plain containers without bytes.

    marshal writes any other object that has a buffer as if it were bytes, so
    that a numpy scalar put in the place of such bytes could go unnoticed.
    """
    if type(value) not in _PLAIN or not _is_plain(value, _MOST_PLAIN_ELEMENTS):
        return None
    dumps = marshal.dumps
    try:
        known = dumps(value, 2)
    except ValueError:  # nested too deeply
        return None
    if len(known) > _SMALL_BYTES:
        return _large_marshal_guard(value, fingerprint(known))

    def check() -> bool:
        try:
            return dumps(value, 2) == known
        except ValueError:  # now it holds something else
            return False

    return check


def _large_marshal_guard(value: Any, known: bytes) -> Guard:
    def check() -> bool:
        try:
            return fingerprint(marshal.dumps(value, 2)) == known
        except ValueError:
            return False

    return check


def _is_plain(value: Any, budget: int) -> bool:
    todo = [value]
    next_look = _MANY_CONTAINERS
    for found in todo:  # it grows
        if len(todo) > next_look:
            if len(set(map(id, todo))) * 2 < len(todo):  # marshal would write shared ones often
                return False
            next_look = len(todo) * 10
        for group in (found.keys(), found.values()) if type(found) is dict else (found,):
            budget -= len(group) + 1
            if budget < 0:  # too large, or it contains itself
                return False
            if _PLAIN_ATOMS.issuperset(map(type, group)):
                continue
            inner = [item for item in group if type(item) not in _PLAIN_ATOMS]
            if not all(type(item) in _PLAIN for item in inner):
                return False
            todo.extend(inner)
    return True


def _array_guard(value: Any) -> Guard | None:
    numpy = sys.modules.get("numpy")
    if numpy is None or type(value) is not numpy.ndarray or value.dtype.hasobject:
        return None

    is_small = value.nbytes <= _SMALL_BYTES

    def state() -> tuple[object, ...]:
        # Writeable or not: the flag can be set, and a view from before it was can still write.
        held = value.tobytes() if is_small else fingerprint(_memory(value))
        return held, value.shape, value.strides, value.dtype

    try:
        known = state()
    except (TypeError, ValueError):  # no plain buffer: sub-arrays
        return None
    return lambda: state() == known


def _memory(array: Any) -> memoryview:
    """Return the bytes of an array in the order in which they lie, copied only if there are gaps."""
    return memoryview(array.ravel(order="K").view("u1"))


def fingerprint(data: bytes | memoryview) -> bytes:
    """Return what tells one state of large memory from the next, within this process alone."""
    quick = _quick_hash()
    return digest(data) if quick is None else quick(data)


@cache
def _quick_hash() -> Callable[[bytes | memoryview], bytes] | None:
    """Return XXH3 if the package `xxhash` is installed: it reads memory five times as fast."""
    try:
        found: Any = importlib.import_module("xxhash")
    except ImportError:
        return None
    hashed: Callable[[bytes | memoryview], bytes] = found.xxh3_128_digest
    return hashed


def _pickle_guard(value: object) -> Guard | None:
    """Compare pickles: sound because pickle sees what a content id sees.

    Only where it is repeatable, and only where it does not stop at a name:
    functions and their defaults and cells are for `identify`.
    """
    if sys.getsizeof(value, 0) > _SMALL_BYTES or _holds_code(value, _SMALL_ELEMENTS):
        return None
    known = _pickled(value)
    if known is None or len(known) > _SMALL_BYTES or known != _pickled(value):
        return None
    return lambda: _pickled(value) == known


def _pickled(value: object) -> bytes | None:
    try:
        return pickle.dumps(value, 5)
    except Exception:  # noqa: BLE001 - a foreign __reduce__ may raise anything
        return None


def _holds_code(value: Any, budget: int) -> bool:
    """Whether functions may hide in `value`; True when it is too large to tell."""
    todo = [value]
    while todo:
        found = todo.pop()
        kind = type(found)
        budget -= 1
        if budget < 0:
            return True
        if _never_changes(kind):
            continue
        if kind is dict:
            todo.extend(islice(found.keys(), budget + 1))
            todo.extend(islice(found.values(), budget + 1))
        elif kind in _PLAIN:
            todo.extend(islice(found, budget + 1))
        elif (
            is_ours(found)
            or callable(found)
            or hasattr(kind, "__gitmemo_hash__")
            or wrapped(found) is not None
        ):
            return True
        else:
            state = attributes(found)
            if isinstance(state, dict):
                todo.append(dict(state))
    return False


def _id_guard(identify: Callable[[], Digest]) -> Guard:
    known = identify()
    return lambda: identify() == known
