"""Encoding of classes and of what is in their bodies.

Not of their instances (`structure`). Invariant: a class that its address leads
to is its address, because its code is a dependency of the call; of any other,
everything in its body counts, and what cannot be hashed there is refused.
"""

from __future__ import annotations

import enum
import functools
import types
from collections.abc import Mapping

from gitmemo.errors import Unhashable
from gitmemo.hashing.encoding import Encoder
from gitmemo.hashing.parts import collapse, record, sequence
from gitmemo.hashing.registry import bases, exact
from gitmemo.hashing.structure import address, leads_back

# Types of C are there once; they cannot be made by a function.
_IS_MADE_BY_CODE = 1 << 9
_BOOKKEEPING = frozenset(
    {
        "__module__",
        "__dict__",
        "__weakref__",
        "__firstlineno__",
        "__static_attributes__",
        "__slotnames__",  # what pickle remembers
        "_abc_impl",
    }
)
_ENUM_HOOKS = ("_missing_", "_generate_next_value_", "_ignore_")


@bases(type)
def _class(encoder: Encoder, value: type) -> bytes:
    if not value.__flags__ & _IS_MADE_BY_CODE or leads_back(value):
        return encoder.record("class", address(value))
    inherited = encoder.elements(base for base in value.__bases__ if base is not object)
    return record(
        "class",
        # Cloudpickle gives a class back without its qualified name.
        encoder.part(f"{address(value).partition(':')[0]}:{value.__name__}"),
        encoder.part(type(value)),
        collapse(sequence(b"(", inherited)),
        encoder.attributes(_body(value)),
    )


def _body(kind: type) -> dict[str, object]:
    """Return what the statements of a class left in it, without what follows from the rest."""
    body = dict(vars(kind))
    if any(type(name) is not str for name in body):
        raise Unhashable(kind.__qualname__, "", "it has attributes whose names are not text")
    for name, member in vars(kind).items():
        is_slot = isinstance(member, types.MemberDescriptorType)  # `__slots__` says it too
        if is_slot or name in _BOOKKEEPING or _is_of_namedtuple(kind, member):
            del body[name]
    if not body.get("__annotations__"):  # asking for them makes an empty dict
        body.pop("__annotations__", None)
    if "__dataclass_fields__" in body and str(body.get("__doc__")).startswith(f"{kind.__name__}("):
        del body["__doc__"]  # made of the defaults' reprs, which hold memory addresses
    return _enum_body(kind, body) if issubclass(kind, enum.Enum) else body


def _is_of_namedtuple(kind: type, member: object) -> bool:
    """Tell whether `collections.namedtuple` made this of the names of the fields alone."""
    if kind.__bases__ != (tuple,):
        return False
    if type(member).__name__ == "_tuplegetter":
        return True
    function = getattr(member, "__func__", member)
    module = str(getattr(function, "__module__", ""))
    return isinstance(function, types.FunctionType) and (
        module == "collections" or module.startswith("namedtuple_")
    )


def _enum_body(kind: type[enum.Enum], body: Mapping[str, object]) -> dict[str, object]:
    """Return the body of an enumeration with its members for the tables that Python makes of them."""
    members = kind.__members__
    own = {
        name: member
        for name, member in body.items()
        if name not in members and (name in _ENUM_HOOKS or not _is_sunder(name))
    }
    own["_members_"] = [
        (name, member._value_, {k: v for k, v in vars(member).items() if k[:1] != "_"})
        for name, member in members.items()
    ]
    return own


def _is_sunder(name: str) -> bool:
    return name[:1] == name[-1:] == "_" and name[:2] != "__"


# --- descriptors ----------------------------------------------------------------


@exact(staticmethod, classmethod)
def _method_of_class(
    encoder: Encoder, value: staticmethod[..., object] | classmethod[object, ..., object]
) -> bytes:
    return encoder.record(type(value).__name__, value.__func__)


@exact(property)
def _property(encoder: Encoder, value: property) -> bytes:
    return encoder.record("property", value.fget, value.fset, value.fdel)


@exact(functools.cached_property)
def _cached_property(encoder: Encoder, value: functools.cached_property[object]) -> bytes:
    return encoder.record("cached_property", value.func, value.attrname)
