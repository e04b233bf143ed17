"""What a class holds now, beyond what its statement says.

Not its methods, which are components of their own. Invariant: what a decorator,
a metaclass, a patch or a registration made of a class shows in its facts, in
words that do not depend on the process.
"""

from __future__ import annotations

import abc
import enum
from collections.abc import Callable, Iterator
from functools import cached_property, partial, partialmethod
from types import (
    BuiltinFunctionType,
    FunctionType,
    GetSetDescriptorType,
    MemberDescriptorType,
    MethodType,
    ModuleType,
)
from typing import Any

from gitmemo.hashing.digest import Digest
from gitmemo.model.components import Component
from gitmemo.source.class_bodies import bound_names, has_decorators
from gitmemo.tracing.callables import functions_inside
from gitmemo.tracing.foreign import foreign_name, is_mock, kind_name, mock_id
from gitmemo.tracing.observations import Observations
from gitmemo.tracing.places import Places
from gitmemo.tracing.reached import holds_values
from gitmemo.tracing.values import registrations, wrapped

_DESCRIPTORS = (FunctionType, staticmethod, classmethod, property, cached_property, partialmethod)
_READERS = (MemberDescriptorType, GetSetDescriptorType)
_BOUND = (partial, MethodType)
_MOST_SUBCLASSES = 10_000
_DEEPEST = 5
_BY_PYTHON = frozenset(
    {
        "__module__",
        "__qualname__",
        "__dict__",
        "__weakref__",
        "__doc__",
        "__annotations__",
        "__annotate__",
        "__annotate_func__",
        "__annotations_cache__",
        "__firstlineno__",
        "__static_attributes__",
        "__slots__",
        "__slotnames__",
        "__abstractmethods__",
        "__orig_bases__",
        "__parameters__",
        "__type_params__",
    }
)
"""What follows from the statement of a class, or differs between versions of Python."""

ValueId = Callable[[object, Observations], Digest]
"""Finds the id of a value, and notes what would show that it changed."""


class ClassFacts:
    """Describes classes of the project."""

    def __init__(self, places: Places) -> None:
        self._places = places

    def of(
        self, component: Component, kind: type, identify: ValueId, seen: Observations
    ) -> Iterator[str]:
        """Describe a class: where its members come from, and the values among them."""
        yield from self._bases(kind, seen)
        attributes: Any = vars(kind)
        members = isinstance(kind, enum.EnumMeta)
        for name in sorted(seen.keys(attributes)):
            value = seen.look(attributes, name)
            if is_mock(value):
                yield f"{name} cannot be described: {kind_name(value)} {mock_id(value, seen).hex()}"
                continue
            if isinstance(value, _DESCRIPTORS) or any(True for _ in functions_inside(value)):
                yield from self._member(component, name, value, identify, seen)
            if members or name in _BY_PYTHON:
                continue
            if name.startswith("__") and not self._is_set_here(component, kind, name, value):
                continue
            if self._is_data(kind, name, value) or isinstance(value, _BOUND):
                yield f"{name} = {identify(value, seen).hex()}"
            elif not self._is_own(kind, name, value):
                yield f"{name} is {self._held(value, identify, seen, 0)}"
        if members:
            for name, member in list(attributes["_member_map_"].items()):
                for part, value in _parts(member):
                    yield f"member {name}{part} = {identify(value, seen).hex()}"

    def subclasses(self, kind: type, seen: Observations) -> Iterator[str]:
        """Say which classes of the project a class is a base of."""
        names: set[str] = set()
        for found in self.own_subclasses(kind):
            seen.guard(_same_subclasses(found))
            names.add(self._named(found))
        seen.guard(_same_subclasses(kind))
        yield "subclasses " + " ".join(sorted(names))

    def own_subclasses(self, kind: type) -> list[type]:
        """Return the project's classes that have `kind` as a base, near or far."""
        found = _direct(kind)
        for each in found:  # it grows
            if len(found) < _MOST_SUBCLASSES:
                found.extend(_direct(each))
        return [each for each in found if self._places.class_place(each) is not None]

    def _bases(self, kind: type, seen: Observations) -> Iterator[str]:
        bases = kind.__bases__
        seen.guard(lambda: kind.__bases__ == bases)
        yield "bases " + " ".join(map(self._named, bases))
        if isinstance(kind, abc.ABCMeta):
            token, known = abc.get_cache_token(), _registered(kind)
            seen.guard(lambda: abc.get_cache_token() == token or _registered(kind) == known)
            yield from sorted(f"registered {self._named(each)}" for each in known)

    def _member(
        self,
        component: Component,
        name: str,
        value: object,
        identify: ValueId,
        seen: Observations,
    ) -> Iterator[str]:
        """Say where a method comes from, if not from its own place in the class."""
        if registrations(value) is not None:
            yield f"{name} dispatches {identify(value, seen).hex()}"
        expected = (component.path, f"{component.unit.removeprefix('class ')}.{name}")
        places: list[str] = []
        held: list[FunctionType] = []
        for function in functions_inside(value):
            seen.function(function)
            unit = self._places.unit_of_function(function)
            if unit is not None and (unit.path, unit.name) == expected:
                return
            if unit is not None and unit.name != component.unit:
                places.append(f"{unit.path}:{unit.name}")
            if unit is not None and holds_values(function):
                held.append(function)
        if places:
            yield f"{name} = func {' '.join(places)}"
        for function in held:
            yield f"{name} holds {identify(function, seen).hex()}"

    def _named(self, kind: object) -> str:
        """Name a class, one of an installed package without the module that it hides in."""
        own = self._places.code_name(kind) if isinstance(kind, type) else None
        package = str(getattr(kind, "__module__", "")).partition(".")[0].strip("_")
        return own or f"foreign {package}.{getattr(kind, '__qualname__', kind)}"

    def _is_set_here(self, component: Component, kind: type, name: str, value: object) -> bool:
        """Whether a name with two underscores may be more than what a decorator or a base made."""
        if self._is_own(kind, name, value):
            return False
        file = self._places.file(component.path)
        unit = file.units.get(component.unit) if file else None
        if unit is not None and (has_decorators(unit) or type(kind) not in (type, abc.ABCMeta)):
            return name in bound_names(unit)
        is_ours = all(
            base in (object, abc.ABC) or self._places.class_place(base) is not None
            for base in kind.__mro__
        )
        return is_ours or (unit is not None and name in bound_names(unit))

    def _is_own(self, kind: type, name: str, value: object) -> bool:
        """Whether an attribute is what the statement of the class says of it."""
        if name.startswith("_abc_") or (name.startswith("_") and issubclass(kind, tuple)):
            return True
        if isinstance(value, _READERS):
            return value.__objclass__ is kind
        if isinstance(value, type):
            place, own = self._places.class_place(value), self._places.class_place(kind)
            return place is not None and own is not None and place == (own[0], f"{own[1]}.{name}")
        if name == "__hash__" and value is None:  # `__eq__` alone makes it so
            return True
        return any(
            self._places.unit_of_function(function) is not None
            for function in functions_inside(value)
        )

    def _held(self, value: object, identify: ValueId, seen: Observations, depth: int) -> str:
        """Say what is no plain data, as far as it has a name."""
        if value is None or depth > _DEEPEST:
            return "nothing"
        if is_mock(value):
            return mock_id(value, seen).hex()
        if isinstance(value, type) and self._places.class_place(value) is not None:
            return identify(value, seen).hex()
        if isinstance(value, ModuleType):
            return f"module {self._places.module_name(value)}"
        parts = _parts_of(value)
        if parts is not None:
            inner = [self._held(part, identify, seen, depth + 1) for part in parts]
            return f"{kind_name(value)} of {' '.join(inner)}"
        name = foreign_name(value)
        is_code = isinstance(value, FunctionType)
        if isinstance(value, FunctionType) and self._places.code_name(value) is not None:
            name = None
        if name is not None:
            return f"foreign {name}"
        if is_code or depth or isinstance(value, BuiltinFunctionType):
            return identify(value, seen).hex()
        return f"cannot be described: {kind_name(value)}"

    def _is_data(self, kind: type, name: str, value: object) -> bool:
        if name.startswith("_abc_") or isinstance(value, type | ModuleType):
            return False
        if name.startswith("_") and issubclass(kind, tuple):  # what namedtuple keeps for itself
            return False
        if self._places.class_place(type(value)) is not None:  # a descriptor of one's own too
            return True
        has_functions = isinstance(value, _DESCRIPTORS) or any(functions_inside(value))
        return not has_functions and not hasattr(type(value), "__get__")


def _parts_of(value: Any) -> tuple[object, ...] | None:
    """Return what a descriptor or a wrapper is made of, None for what is neither."""
    if isinstance(value, staticmethod | classmethod):
        return (value.__func__,)
    if isinstance(value, property):
        return value.fget, value.fset, value.fdel
    if isinstance(value, cached_property):
        return (value.func,)
    if isinstance(value, partialmethod):
        return value.func, *value.args, *value.keywords.items()
    inner = wrapped(value)
    return None if inner is None else (inner,)


def _parts(member: enum.Enum) -> Iterator[tuple[str, object]]:
    """Return the value of a member, and what its own hooks have put beside it."""
    yield "", member._value_
    for name, value in sorted(vars(member).items()):
        if not (name.startswith("_") and name.endswith("_")):
            yield f".{name}", value


def _registered(kind: type) -> frozenset[type]:
    """Return the classes that were registered with an abstract one."""
    dump: Any = getattr(abc, "_get_dump", None)  # there is no public way to ask
    if dump is None:
        return frozenset()
    found = (reference() for reference in dump(kind)[0])
    return frozenset(each for each in found if each is not None)


def _direct(kind: type) -> list[type]:
    return list(type.__subclasses__(kind))


def _same_subclasses(kind: type) -> Callable[[], bool]:
    known = _direct(kind)
    return lambda: _direct(kind) == known
