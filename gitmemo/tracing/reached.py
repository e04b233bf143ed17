"""Which classes, functions and modules values lead to.

Not what of them counts (`resolver`). Invariant: looking changes nothing and
runs no code of the objects: only their attributes, slots and items are read,
and of huge values only the first thousands of objects.
"""

from __future__ import annotations

import functools
import gc
from collections import deque
from collections.abc import Iterable
from itertools import chain
from types import (
    BuiltinFunctionType,
    CellType,
    FunctionType,
    GetSetDescriptorType,
    MappingProxyType,
    MemberDescriptorType,
    MethodType,
    ModuleType,
)
from typing import Any

from gitmemo.tracing.values import cell_contents, is_ours, ref_id

_MOST_OBJECTS = 10_000
_ATOMS = frozenset({type(None), bool, int, float, complex, str, bytes, bytearray, range, type(...)})
_BARE = frozenset({list, tuple, dict, set, frozenset, deque})
_SEQUENCES = _BARE - {dict}
_OPAQUE = frozenset({BuiltinFunctionType, memoryview})
_ARRAY_PACKAGES = frozenset({"numpy", "pandas", "pyarrow", "polars", "scipy"})
_HEAP_TYPE = 1 << 9  # a class made by a class statement, not in C
_READERS = (GetSetDescriptorType, MemberDescriptorType)
_Layout = tuple[Any, tuple[Any, ...]]


class Reached:
    """What a walk met: every type of an object, and every class, function and module held.

    Attributes:
        kinds: Classes by their ids.
        functions, modules: Likewise.
    """

    __slots__ = ("_budget", "_layouts", "functions", "kinds", "modules")

    def __init__(self) -> None:
        self.kinds: dict[int, type] = {}
        self.functions: dict[int, FunctionType] = {}
        self.modules: dict[int, ModuleType] = {}
        self._layouts: dict[type, _Layout] = {}
        self._budget = _MOST_OBJECTS

    def walk(self, values: Iterable[object], *, items: bool) -> Reached:
        """Walk `values`; with `items`, plain functions that containers hold are met too."""
        todo: list[Any] = [value for value in values if type(value) not in _ATOMS]
        known: set[int] = set()
        for value in todo:  # it grows
            if id(value) in known:
                continue
            known.add(id(value))
            self._budget -= 1
            if self._budget < 0:
                break
            kind = type(value)
            if kind in _SEQUENCES:
                self.kinds[id(kind)] = kind
                if not _ATOMS.issuperset(map(type, value)):
                    todo.extend(self._items((tuple(value),), items=items))
            elif kind is dict:
                self.kinds[id(kind)] = kind
                if not only_atoms((value,)):
                    todo.extend(self._items((tuple(value), tuple(value.values())), items=items))
            else:
                todo.extend(self._inside(value, kind, items=items))
        return self

    def _inside(self, value: Any, kind: type, *, items: bool) -> Iterable[object]:
        """Return what to look at next."""
        if kind in _OPAQUE:
            return ()
        held = _held(value, kind)
        if held is not None:
            return [*self._items(held, items=items), *self._state(value, kind)]
        if kind is FunctionType:
            self.functions[id(value)] = value
            return values_of(value)
        if issubclass(kind, type):
            self.kinds[id(value)] = value
            self.kinds[id(kind)] = kind
            return ()
        if issubclass(kind, ModuleType):
            self.modules[id(value)] = value
            return ()
        if kind is CellType:
            return _without_atoms([cell_contents(value)])
        if kind is MethodType:
            return (value.__func__, value.__self__)
        if issubclass(kind, functools.partial):
            parts = (value.func, *value.args, *value.keywords.values())
            return [*_without_atoms(parts), *self._state(value, kind)]
        if is_ours(value):
            inner = None if ref_id(value) is not None else getattr(value, "__wrapped__", None)
            return () if inner is None else (inner,)
        return self._state(value, kind)

    def _items(self, groups: tuple[Iterable[Any], ...], *, items: bool) -> Iterable[object]:
        inner = [item for group in groups for item in group if type(item) not in _ATOMS]
        if not inner:
            return ()
        kinds = set(map(type, inner))
        self.kinds.update([(id(kind), kind) for kind in kinds])
        if not items and FunctionType in kinds:
            inner = [item for item in inner if not _is_plain_function(item)]
        return inner[: max(self._budget, 0) + 1]

    def _state(self, value: Any, kind: type) -> Iterable[object]:
        """Return the attributes of an instance."""
        self.kinds[id(kind)] = kind
        if kind in _BARE:
            return ()
        layout = self._layouts.get(kind)
        if layout is None:
            layout = self._layouts[kind] = _layout(kind)
        namespace, slots = layout
        found: list[object] = []
        if namespace is not None:
            attributes = namespace.__get__(value)
            if isinstance(attributes, dict):
                found.extend(_without_atoms(dict.values(attributes)))
        for slot in slots:
            try:
                found.append(slot.__get__(value))
            except AttributeError:  # not set
                continue
        return found


def only_atoms(groups: Iterable[object]) -> bool:
    """Whether tuples and dicts hold nothing but scalars, which lead nowhere."""
    for group in groups:
        if type(group) is tuple:
            if not _ATOMS.issuperset(map(type, group)):
                return False
        elif type(group) is dict:
            if group and not (
                _ATOMS.issuperset(map(type, group)) and _ATOMS.issuperset(map(type, group.values()))
            ):
                return False
        else:
            return False
    return True


def _without_atoms(values: Iterable[object]) -> Iterable[object]:
    return [value for value in values if type(value) not in _ATOMS]


def _held(value: Any, kind: type) -> tuple[Iterable[Any], ...] | None:
    """Return the items of a container, None for what is none."""
    if issubclass(kind, dict):
        return (tuple(dict.keys(value)), tuple(dict.values(value)))
    for plain in (list, tuple, set, frozenset, deque):
        if issubclass(kind, plain):
            return (tuple(plain.__iter__(value)),)
    if kind is MappingProxyType:
        # Not read as a mapping: of one that someone wrote, that would run their code.
        behind = [held for held in gc.get_referents(value) if type(held) is dict]
        return tuple(chain.from_iterable((tuple(d), tuple(d.values())) for d in behind))
    return None


def _is_plain_function(value: Any) -> bool:
    return type(value) is FunctionType and "__wrapped__" not in vars(value)


def holds_values(function: FunctionType) -> bool:
    """Whether a function holds anything but its code."""
    return bool(
        function.__closure__ or function.__defaults__ or function.__kwdefaults__ or vars(function)
    )


def values_of(function: FunctionType) -> Iterable[object]:
    """Return what a function holds besides its code: defaults, attributes, captured variables."""
    if not holds_values(function):
        return ()
    return _without_atoms(
        [
            *(cell_contents(cell) for cell in function.__closure__ or ()),
            *(function.__defaults__ or ()),
            *(function.__kwdefaults__ or {}).values(),
            *vars(function).values(),
        ]
    )


def _layout(kind: type) -> _Layout:
    """Return what reads the attributes and slots of instances without running their code."""
    bases = kind.__mro__[:-1]
    if kind.__module__.partition(".")[0] in _ARRAY_PACKAGES or _reduces_itself(bases):
        return None, ()
    namespace, slots = None, []
    for base in bases:
        for name, held in list(vars(base).items()):
            if name == "__dict__":
                if namespace is None and type(held) in _READERS:
                    namespace = held
            elif type(held) is MemberDescriptorType and base.__flags__ & _HEAP_TYPE:
                slots.append(held)
    return namespace, tuple(slots)


def _reduces_itself(bases: tuple[type, ...]) -> bool:
    """Whether an installed package says that instances are no more than a name, as loggers are."""
    first = next((base for base in bases if "__reduce__" in vars(base)), None)
    return first is not None and first.__module__.partition(".")[0] in ("logging", "threading")
