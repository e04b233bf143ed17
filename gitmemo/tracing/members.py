"""What a class holds, sorted by whether it is data, code that is seen when it runs, or neither.

Not what of it counts (`classes`, `walk`). Invariant: nothing is called or bound to find out.
"""

from __future__ import annotations

from types import FunctionType, MemberDescriptorType

_MEMBERS = (FunctionType, staticmethod, classmethod, property, type, MemberDescriptorType)


def data_of(kind: type) -> list[object]:
    """Return the attributes that are values rather than code."""
    return [
        held
        for name, held in list(vars(kind).items())
        if not name.startswith(("__", "_abc_")) and not isinstance(held, _MEMBERS)
    ]


def hidden_callables(kind: type) -> list[object]:
    """Return the attributes that run functions without being functions themselves."""
    return [held for held in list(vars(kind).values()) if not _is_plain_member(held)]


def _is_plain_member(held: object) -> bool:
    """Whether what a class holds is a function that is seen when it runs, or no code at all."""
    if isinstance(held, staticmethod | classmethod):
        return _is_plain_member(held.__func__)
    if isinstance(held, property):
        return all(map(_is_plain_member, (held.fget, held.fset, held.fdel)))
    if isinstance(held, FunctionType):
        return "__wrapped__" not in vars(held)
    return held is None or isinstance(held, type)


def attribute(kind: type, name: str) -> object:
    """Return what a class holds by a name, as it stands there."""
    return next((vars(base)[name] for base in kind.__mro__ if name in vars(base)), None)
