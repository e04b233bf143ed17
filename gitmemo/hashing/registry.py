"""Which function encodes which type.

Not the encoding itself (`encoding`, and one module per family of types), only
the tables and the order in which they are asked. Invariant: the answer for a
type depends on the type and on what `hasher` was told, never on which values
were met before.
"""

from __future__ import annotations

import threading
from collections.abc import Callable
from importlib import import_module
from typing import TYPE_CHECKING, Any, TypeVar

from gitmemo.hashing.parts import LEAVES

if TYPE_CHECKING:
    from gitmemo.hashing.encoding import Encoder

T = TypeVar("T")

# Any: the table guarantees the type of the second argument, the checker cannot.
Handler = Callable[["Encoder", Any], bytes]
PlainForm = Callable[[Any], object]

_exact: dict[type, Handler] = {}
_bases: dict[type, Handler] = {}
_hashers: dict[type, tuple[PlainForm, int]] = {}
_resolved: dict[type, Handler] = {}
_fallback: list[Handler] = []
_lock = threading.RLock()

# Package of a type -> the module that handles it. A handler is installed when a type of that
# package, or a subclass of one, is first met: never before, for that imports the package.
_families: dict[str, str] = {
    **dict.fromkeys(
        ("array", "collections", "datetime", "decimal", "fractions", "pathlib", "re", "uuid"),
        "gitmemo.hashing.standard",
    ),
    **dict.fromkeys(("logging", "zoneinfo"), "gitmemo.hashing.standard"),
    **dict.fromkeys(("numpy", "numpy.ma", "numpy.random"), "gitmemo.hashing.numeric"),
    "scipy": "gitmemo.hashing.sparse",
    "matplotlib": "gitmemo.hashing.figures",
    "pandas": "gitmemo.hashing.tables",
    "pyarrow": "gitmemo.hashing.arrow",
    "polars": "gitmemo.hashing.arrow",
    "sklearn": "gitmemo.hashing.learning",
    "torch": "gitmemo.hashing.learning",
}

# Types forgotten after this many: classes made in a loop must not pile up.
_REMEMBERED = 4096


def exact(*kinds: type) -> Callable[[Handler], Handler]:
    """Register a handler for these types, not for their subclasses."""

    def register(handler: Handler) -> Handler:
        _exact.update(dict.fromkeys(kinds, handler))
        return handler

    return register


def bases(*kinds: type) -> Callable[[Handler], Handler]:
    """Register a handler for these types and every subclass."""

    def register(handler: Handler) -> Handler:
        _bases.update(dict.fromkeys(kinds, handler))
        return handler

    return register


def fallback(handler: Handler) -> Handler:
    """Register the handler of every type that no table knows."""
    _fallback[:] = [handler]
    return handler


def hasher(
    kind: type[T], *, version: int = 1
) -> Callable[[Callable[[T], object]], Callable[[T], object]]:
    """Say which plain value stands for objects of `kind` and its subclasses.

    The version enters the id: raise it when the function starts to answer
    differently for the same object.

    Raises:
        TypeError: `kind` is not a class, or is one that always has its own encoding.

    Examples:
        >>> class Model:
        ...     def __init__(self, weights):
        ...         self.weights, self.made = weights, object()
        >>> @gm.hasher(Model)
        ... def what_counts(model):
        ...     return model.weights
        >>> gm.content_hash(Model([1.0])) == gm.content_hash(Model([1.0]))
        True
    """
    if not isinstance(kind, type) or kind in LEAVES or kind is object:
        raise TypeError(f"{kind!r} cannot be given a hasher")

    def register(plain_form: Callable[[T], object]) -> Callable[[T], object]:
        with _lock:
            _hashers[kind] = (plain_form, version)
            _resolved.clear()
        return plain_form

    return register


def handler_for(kind: type) -> Handler:
    """Return the one function that encodes values of exactly this type."""
    found = _resolved.get(kind)
    if found is None:
        with _lock:
            found = _resolve(kind)
            if len(_resolved) >= _REMEMBERED:
                _resolved.clear()
            _resolved[kind] = found
    return found


def _resolve(kind: type) -> Handler:
    """Ask every class of the MRO in turn, so that the nearest rule wins."""
    # `type.mro` may be a metaclass's own business; `__mro__` is what Python uses.
    for base in kind.__mro__:
        _install(base)
    for base in kind.__mro__[:-1]:
        if base in _hashers:
            return _registered(*_hashers[base])
        if "__gitmemo_hash__" in base.__dict__:
            return _by_protocol
        if base is kind and base in _exact:
            return _exact[base]
        if base in _bases:
            return _bases[base]
    if kind in _exact:
        return _exact[kind]
    return _fallback[0]


def _install(base: type) -> None:
    """Import the handlers of the packages that `base` comes from."""
    module: object = getattr(base, "__module__", "")
    if not isinstance(module, str):
        return
    top, _, rest = module.partition(".")
    for package in (top, f"{top}.{rest.partition('.')[0]}"):
        family = _families.get(package)
        if family is None:
            continue
        name = f"install_{package.replace('.', '_')}"
        installer = getattr(import_module(family), name, None)
        if installer is not None:
            installer()
        # Only now: another thread must not find the family gone and its handlers missing.
        del _families[package]


def _registered(plain_form: PlainForm, version: int) -> Handler:
    def encode(encoder: Encoder, value: object) -> bytes:
        return encoder.record("hasher", type(value), version, plain_form(value))

    return encode


def _by_protocol(encoder: Encoder, value: Any) -> bytes:
    return encoder.record("__gitmemo_hash__", type(value), value.__gitmemo_hash__())
