"""What annotations say of inputs and outputs: which are collections of values, which are approximate.

Not how many outputs there are (`signature`). Invariant: annotations are hints:
one that cannot be read, or that is not kept to, is never an error.
"""

from __future__ import annotations

import builtins
import re
import types
import typing
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Annotated, Any, TypeVar, Union

from gitmemo.approx import Approx

__all__ = ["MDict", "MList", "MSet", "MTuple", "Shape", "Shapes", "shape_of"]

T = TypeVar("T")
K = TypeVar("K")
V = TypeVar("V")

if TYPE_CHECKING:
    from builtins import dict as MDict
    from builtins import list as MList
    from builtins import set as MSet
    from builtins import tuple as MTuple
else:

    class MList(list[T]):
        """Annotation of a list whose elements are values of their own; `list` says the same."""

    class MDict(dict[K, V]):
        """Annotation of a dict whose values are values of their own; `dict` says the same."""

    class MSet(set[T]):
        """Annotation of a set whose elements are values of their own; `set` says the same."""

    class MTuple(tuple[T, ...]):
        """Annotation of a tuple that is one output, whose elements are values of their own.

        A plain `tuple[...]` annotation says how many outputs there are instead.
        """


@dataclass(frozen=True, slots=True)
class Shape:
    """What an annotation says of a value: which collections are to be listed.

    Attributes:
        kinds: Names of builtin types, each with the shapes of its items: one for all of them,
            or, for a tuple, one each.
    """

    kinds: Mapping[str, tuple[Shape | None, ...]]
    fixed: bool = False

    def item(self, kind: str, number: int) -> Shape | None:
        """Return the shape of an item of a collection of this kind."""
        shapes = self.kinds[kind]
        if kind == "tuple" and self.fixed:
            return shapes[number] if number < len(shapes) else None
        return shapes[0] if shapes else None


_KINDS = {
    list: "list",
    MList: "list",
    dict: "dict",
    MDict: "dict",
    set: "set",
    MSet: "set",
    MTuple: "tuple",
}


def shape_of(annotation: object, *, plain_tuple: bool = False) -> Shape | None:
    """Return the shape that an annotation gives, None if it names no collection.

    A plain `tuple` counts only where it cannot mean several outputs.
    """
    annotation = getattr(annotation, "__value__", annotation)  # `type Name = ...`
    origin = typing.get_origin(annotation)
    arguments = typing.get_args(annotation)
    if origin is Annotated:
        return shape_of(arguments[0], plain_tuple=plain_tuple)
    if origin in (Union, types.UnionType):
        found = [shape_of(one, plain_tuple=plain_tuple) for one in arguments]
        return _either([shape for shape in found if shape])
    kind = origin or _BARE.get(annotation, annotation)
    name = "tuple" if kind is tuple and plain_tuple else _kind(kind)
    if name is None:
        return None
    if name == "dict":
        arguments = arguments[1:]
    fixed = name == "tuple" and bool(arguments) and arguments[-1] is not Ellipsis
    inner = [shape_of(one, plain_tuple=True) for one in arguments if one is not Ellipsis]
    return Shape({name: tuple(inner)}, fixed)


_BARE: dict[object, object] = {
    typing.List: list,  # noqa: UP006 the older spellings are what is recognized here
    typing.Dict: dict,  # noqa: UP006
    typing.Set: set,  # noqa: UP006
    typing.Tuple: tuple,  # noqa: UP006
}


def _kind(kind: object) -> str | None:
    try:
        return _KINDS.get(kind)  # type: ignore[call-overload, no-any-return]
    except TypeError:  # an annotation may be any object
        return None


def _either(shapes: list[Shape]) -> Shape | None:
    kinds = {name: inner for shape in shapes for name, inner in shape.kinds.items()}
    return Shape(kinds, any(shape.fixed for shape in shapes)) if kinds else None


class Shapes:
    """The shapes of an op's inputs and outputs.

    Attributes:
        returned: The annotation of what is returned, None if it cannot be read.
        result: Its shape, if it is one output.
    """

    def __init__(self, function: Callable[..., object]) -> None:
        self._inputs: dict[str, Shape] = {}
        self._approximations: dict[str, Approx] = {}
        self.returned: object = None
        annotations = getattr(function, "__annotations__", {})
        scope = _scope(function)
        stars = _stars(function)
        for name, annotation in annotations.items():
            known = _evaluated(name, annotation, scope)
            if name == "return":
                self.returned = known
                continue
            shape = shape_of(known, plain_tuple=True)
            if shape is not None:
                self._inputs[name] = shape
            rules = [rule for rule in getattr(known, "__metadata__", ()) if type(rule) is Approx]
            if rules:
                self._approximations[name] = rules[0]
        self._stars = stars
        self.result = shape_of(self.returned)
        self._is_tuple = typing.get_origin(self.returned) is tuple

    @property
    def has_approximations(self) -> bool:
        """Whether any input counts only approximately."""
        return bool(self._approximations)

    def approximation(self, name: str) -> Approx | None:
        """Return how nearly an input counts, by the name that it has in records."""
        return self._approximations.get(self._parameter(name)) if self._approximations else None

    def input(self, name: str) -> Shape | None:
        """Return the shape of an input, by the name that it has in records."""
        return self._inputs.get(self._parameter(name))

    def _parameter(self, name: str) -> str:
        """Return the parameter that takes an input; "" if none does."""
        if name in self._stars or ":" in name:
            return name
        numbered = re.fullmatch(r"\*?(.+)_\d+", name)
        if numbered and self._stars.get(numbered[1]) == "*":
            return numbered[1]
        return next((name for name, star in self._stars.items() if star == "**"), "")

    def outputs(self, count: int) -> tuple[Shape | None, ...]:
        """Return the shapes of `count` outputs."""
        if self._is_tuple:
            inner = typing.get_args(self.returned)
            if inner[-1:] == (Ellipsis,):
                return (shape_of(inner[0]),) * count
            if len(inner) == count:
                return tuple(shape_of(one) for one in inner)
            return (None,) * count
        return (self.result,) if count == 1 else (None,) * count


def _stars(function: Any) -> dict[str, str]:
    code = getattr(function, "__code__", None)
    if code is None:
        return {}
    plain = code.co_argcount + code.co_kwonlyargcount
    stars = dict.fromkeys(code.co_varnames[:plain], "")
    names = list(code.co_varnames[plain : plain + 2])
    if code.co_flags & 0x04:
        stars[names.pop(0)] = "*"
    if code.co_flags & 0x08:
        stars[names.pop(0)] = "**"
    return stars


def _scope(function: Any) -> dict[str, object]:
    """Return the names that annotations of `function` can use."""
    scope = dict(vars(builtins)) | getattr(function, "__globals__", {})
    cells = getattr(function, "__closure__", None) or ()
    names = function.__code__.co_freevars if cells else ()
    for name, cell in zip(names, cells, strict=True):
        if cell != types.CellType():
            scope[name] = cell.cell_contents
    return scope


def _evaluated(name: str, annotation: object, scope: dict[str, Any]) -> object:
    """Return an annotation without strings in it, None if it cannot be read."""
    holder = types.SimpleNamespace(__annotations__={name: annotation})
    try:
        # One at a time: a name that exists for type checkers only must not spoil the others.
        return typing.get_type_hints(holder, scope, scope, include_extras=True)[name]
    except Exception:  # noqa: BLE001  annotations may name anything; they are only a hint
        return None
