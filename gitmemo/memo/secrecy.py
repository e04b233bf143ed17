"""Secrets among arguments: found by the names under which text stands.

Not how they are kept out of records (`inputs`, `recorder`) and messages
(`wording`, `failures`). Invariant: whether a value holds a secret depends on names
and types alone; a text is never judged by what it says.
"""

from __future__ import annotations

import enum
import re
import types
from collections import deque
from collections.abc import Collection, Iterable, Iterator
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
_CODE = (type, types.ModuleType, types.FunctionType, types.MethodType, types.BuiltinFunctionType)
# A secret is near the surface; larger values are data, and are not searched to their end.
_PARTS = 100_000


def is_secret(name: str, value: object) -> bool:
    """Whether an argument must never be stored: it holds text under the name of a secret.

    The name can be that of the argument, a key of a dict, or an attribute of an
    object, at any depth; everything below such a name is secret.
    """
    return type(value) not in _NO_PARTS and next(secret_texts(name, value), None) is not None


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
        elif (secret, id(part)) not in seen:
            seen[secret, id(part)] = part
            if isinstance(part, list | set | frozenset | deque) or type(part) is tuple:
                todo.extend((secret, item) for item in _telling(part, secret=secret))
            else:
                todo.extend(
                    (secret or _names_secret(label), item) for label, item in _labelled(part)
                )


def _telling(items: Collection[Any], *, secret: bool) -> Iterable[Any]:
    """Return the items that can be or hold a secret: none of thousands of numbers or texts."""
    dull = {
        kind
        for kind in set(map(type, items))
        if kind in _NO_PARTS or (not secret and issubclass(kind, _TEXT))
    }
    return (item for item in items if type(item) not in dull)


def _labelled(value: Any) -> Iterator[tuple[str, Any]]:
    """Return the parts of a dict or an object that have names."""
    if isinstance(value, dict | types.MappingProxyType):
        yield from ((_label(key), item) for key, item in value.items())
    elif isinstance(value, tuple):
        fields = getattr(value, "_fields", ())
        yield from zip_longest(map(str, fields), value, fillvalue="")
    if isinstance(value, _CODE):
        return
    with suppress(TypeError):  # it has no `__dict__`
        yield from [(str(key), item) for key, item in vars(value).items()]
    for kind in type(value).__mro__:
        slots = kind.__dict__.get("__slots__", ())
        for slot in (slots,) if isinstance(slots, str) else tuple(slots):
            member = kind.__dict__.get(slot)
            if isinstance(member, types.MemberDescriptorType):
                with suppress(AttributeError):
                    yield slot, member.__get__(value)


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
