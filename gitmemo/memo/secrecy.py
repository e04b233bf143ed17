"""Secrets among arguments: found by the names under which text stands.

Not how they are kept out of records (`inputs`, `recorder`) and messages
(`wording`, `failures`). Invariant: whether a value holds a secret depends on names
and types alone; a text is never judged by what it says.
"""

from __future__ import annotations

import enum
import functools
import re
import types
from collections import deque
from collections.abc import Collection, Iterable, Iterator, Sequence
from contextlib import suppress
from functools import lru_cache
from itertools import pairwise, zip_longest
from typing import Any

from gitmemo.ref import Ref

_WORD = re.compile(r"[A-Z]+(?=[A-Z][a-z])|[A-Z]?[a-z]+|[A-Z]+")
_SECRET_WORDS = frozenset(
    [
        "password",
        "passwd",
        "passphrase",
        "secret",
        "token",
        "credential",
        "authorization",
        "bearer",
        "apikey",
        "accesskey",
        "privatekey",
        "secretkey",
        "authtoken",
        "accesstoken",
    ]
)
_SECRET_PAIRS = frozenset({("api", "key"), ("access", "key"), ("private", "key")})
_TEXT = (str, bytes, bytearray, memoryview)
_NO_PARTS = frozenset({int, float, complex, bool, type(None), type(...)})
_METHODS = (types.MethodType, types.BuiltinMethodType, types.MethodWrapperType)
_LONGEST_NAME = 200
# A secret is near the surface; larger values are data, and are not searched to their end.
_PARTS = 100_000


def is_secret(name: str, value: object) -> bool:
    """Whether an argument must never be stored: it holds text under the name of a secret.

    The name can be that of the argument, a key of a dict, the first of a pair, an attribute of an
    object, a column of a table, or what a function closes over or has as a default, at any depth;
    everything below such a name is secret.
    """
    return type(value) not in _NO_PARTS and next(secret_texts(name, value), None) is not None


def is_secret_by_name(name: str, value: object) -> bool:
    """Whether a value holds text and its own name is that of a secret; others are not looked into."""
    return _names_secret(name) and is_secret(name, value)


def secret_texts(name: str, value: object) -> Iterator[Any]:
    """Yield the texts (also bytes) in an argument that are secret."""
    if type(value) in _NO_PARTS:
        return
    todo = deque([(_names_secret(name), value)])
    seen: dict[tuple[bool, int], object] = {}  # keeps the objects, so that no id is used twice
    while todo and len(seen) < _PARTS:
        secret, part = todo.popleft()
        if isinstance(part, Ref):
            part = part.obj if part.in_memory else part._inline and part._inline.json
        if isinstance(part, _TEXT):
            if secret:
                yield part
        elif type(part) not in _NO_PARTS and (secret, id(part)) not in seen:
            seen[secret, id(part)] = part
            if isinstance(part, list | set | frozenset | deque) or type(part) is tuple:
                todo.extend((secret, item) for item in _telling(part, secret=secret))
                if len(part) == 2 and isinstance(part, list | tuple) and _is_pair(part):
                    todo.append((True, part[1]))
            else:
                todo.extend(
                    (secret or _names_secret(label), item)
                    for label, item in _labelled(part, secret=secret)
                )


def _is_pair(items: Sequence[Any]) -> bool:
    """Whether two items are the name of a secret and a value, as in a list of headers."""
    if type(items[0]) not in (str, bytes):
        return False
    return len(items[0]) <= _LONGEST_NAME and _names_secret(_label(items[0]))


def _telling(items: Collection[Any], *, secret: bool) -> Iterable[Any]:
    """Return the items that can be or hold a secret: none of thousands of numbers or texts."""
    dull = {
        kind
        for kind in set(map(type, items))
        if kind in _NO_PARTS or (not secret and issubclass(kind, _TEXT))
    }
    return (item for item in items if type(item) not in dull)


def _labelled(value: Any, *, secret: bool) -> Iterator[tuple[str, Any]]:
    """Return the parts of a dict or an object that have names; of tables and arrays if `secret`."""
    kind: Any = type(value)
    if isinstance(value, dict | types.MappingProxyType):
        yield from ((_label(key), item) for key, item in value.items())
    elif isinstance(value, tuple):
        fields = getattr(value, "_fields", ())
        yield from zip_longest(map(str, fields), value, fillvalue="")
    elif isinstance(value, type | types.ModuleType):
        return
    elif isinstance(value, types.FunctionType):
        yield from _held_by(value)
    elif isinstance(value, _METHODS):
        yield "", value.__self__
        yield "", getattr(value, "__func__", None)
        return
    elif isinstance(value, functools.partial):
        yield "", value.func
        yield "", value.keywords
        yield from zip_longest(_parameters(value.func), value.args, fillvalue="")
    elif (family := _family(kind)) == "ndarray":
        yield "", _texts(value.ravel()) if secret else ()
        return
    elif family:
        yield from _columns(value, family, secret=secret)
        return
    with suppress(TypeError):  # it has no `__dict__`
        yield from [(str(key), item) for key, item in vars(value).items()]
    for base in kind.__mro__:
        slots = base.__dict__.get("__slots__", ())
        for slot in (slots,) if isinstance(slots, str) else tuple(slots):
            member = base.__dict__.get(slot)
            if isinstance(member, types.MemberDescriptorType):
                with suppress(AttributeError):
                    yield slot, member.__get__(value)


def _held_by(function: types.FunctionType) -> Iterator[tuple[str, Any]]:
    """Return what a function closes over, and its defaults."""
    for name, cell in zip(function.__code__.co_freevars, function.__closure__ or (), strict=True):
        with suppress(ValueError):  # nothing is in it yet
            yield name, cell.cell_contents
    yield from zip(
        reversed(_parameters(function)), reversed(function.__defaults__ or ()), strict=False
    )
    yield from (function.__kwdefaults__ or {}).items()


def _parameters(function: object) -> tuple[str, ...]:
    if not isinstance(function, types.FunctionType):
        return ()
    return function.__code__.co_varnames[: function.__code__.co_argcount]


@lru_cache(maxsize=1000)
def _family(kind: type) -> str:
    """Return what a type of pandas or NumPy is; they are not imported to ask."""
    for base in kind.__mro__:
        package = getattr(base, "__module__", "").partition(".")[0]
        if package == "numpy" and base.__name__ == "ndarray":
            return "ndarray"
        if package == "pandas" and base.__name__ in ("DataFrame", "Series", "Index"):
            return base.__name__
    return ""


def _columns(table: Any, family: str, *, secret: bool) -> Iterator[tuple[str, Any]]:
    """Return the columns of texts that are named like secrets, or all if the table is `secret`."""
    index = table if family == "Index" else table.index
    labels = [(name, index.get_level_values, level) for level, name in enumerate(index.names)]
    if family == "Series":
        labels.append((table.name, lambda _: table, 0))
    elif family == "DataFrame":
        column = functools.partial(_column, table)
        labels += [(label, column, number) for number, label in enumerate(table.columns)]
    for label, find, number in labels:
        if secret or _names_secret(_label(label)):
            yield _label(label), _texts(find(number).array)
    yield "", getattr(table, "attrs", None)


def _column(table: Any, number: int) -> Any:
    return table.iloc[:, number]


def _texts(column: Any) -> list[Any]:
    """Return the first values of a column, or of an array with one dimension, that can be text."""
    may_be_text = getattr(column.dtype, "kind", "O") in "OSU"
    return list(column[:_PARTS]) if may_be_text else []


def _label(key: object) -> str:
    if isinstance(key, str):
        return str.__str__(key)
    if isinstance(key, bytes):
        return key.decode("latin-1")
    if isinstance(key, enum.Enum):
        return key.name
    return " ".join(map(_label, key)) if type(key) is tuple else ""


@lru_cache(maxsize=10_000)
def _names_secret(name: str) -> bool:
    """Whether something of this name is a secret, however its words are put together.

    >>> _names_secret("dbPassword"), _names_secret("X-API-Keys"), _names_secret("tokenizer")
    (True, True, False)
    """
    words = [word.lower() for word in _WORD.findall(name)]
    words = [word if word.endswith("ss") else word.removesuffix("s") for word in words]
    return not _SECRET_WORDS.isdisjoint(words) or not _SECRET_PAIRS.isdisjoint(pairwise(words))
