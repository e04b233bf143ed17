"""What an op does with its arguments: which of them identify a call, and what the body receives.

Not their names (`signature`) and not their hashing (`inputs`). Invariant: two
calls whose bodies could tell each other apart have different inputs, except
where the op or the caller said that a difference does not count.
"""

from __future__ import annotations

import copy
import functools
import math
from collections.abc import Callable, Collection, Mapping
from typing import Any, TypeGuard

from gitmemo.approx import Approx
from gitmemo.hashing import content_id
from gitmemo.hashing.digest import Digest
from gitmemo.memo.annotations import Shapes
from gitmemo.memo.options import Options
from gitmemo.memo.signature import ORDER, Binder
from gitmemo.model.names import CLOSURE
from gitmemo.ref import AtomRef, Ref, stand_ins, unwrap_all
from gitmemo.ref.leaves import leaf
from gitmemo.special import Ignore, NewArgDefault, ValuePointer, bare

_WRAPPERS = frozenset({Ignore, NewArgDefault})
_STAND_INS = (Ref, ValuePointer)

Body = tuple[tuple[Any, ...], dict[str, Any]]
Inputs = dict[str, Any]


class Arguments:
    """The arguments of one op."""

    def __init__(self, function: Callable[..., object], options: Options) -> None:
        self._function = function
        self._options = options
        self.binder = Binder(function)
        defaults = self.binder.defaults.values()
        self._has_special_defaults = any(type(value) in _WRAPPERS for value in defaults)
        cells = getattr(function, "__closure__", None)
        self._cells = dict(zip(function.__code__.co_freevars, cells, strict=True)) if cells else {}

    @functools.cached_property
    def has_rules(self) -> bool:
        """Whether what identifies a call can differ from what is passed.

        Asked at the first call, when all names that annotations use are there.
        """
        options = self._options
        said = options.ignored or options.mutates or self._has_special_defaults
        return bool(said or self.shapes.has_approximations)

    @functools.cached_property
    def has_fixed_names(self) -> bool:
        """Whether the inputs have the same names in every call."""
        return self.binder.is_plain and not self.has_rules and not self._cells

    @property
    def has_cells(self) -> bool:
        """Whether the function closes over variables."""
        return bool(self._cells)

    def changed_cell(self, inputs: Mapping[str, Any]) -> str | None:
        """Return the name of what the function closes over and has rebound since `inputs`, if any."""
        for name, value in self.hidden().items() if self._cells else ():
            before = inputs.get(name, value)
            if before is not value and content_id(before) != content_id(value):
                return name
        return None

    def bind(self, args: tuple[Any, ...], kwargs: dict[str, Any]) -> Inputs:
        """Return everything that is passed, by name, and what the function closes over."""
        inputs = self.binder.bind(args, kwargs)
        return inputs | self.hidden() if self._cells else inputs

    def hidden(self) -> Inputs:
        """Return the values that the function closes over: they are inputs too."""
        return {
            f"{CLOSURE}{name}": cell.cell_contents
            for name, cell in self._cells.items()
            if not _is_empty(cell)
        }

    @functools.cached_property
    def shapes(self) -> Shapes:
        """Which inputs and outputs are collections of values; read when all annotations exist."""
        return Shapes(self._function)

    def needs_rules(self, inputs: Mapping[str, Any]) -> bool:
        """Whether the caller wrapped an argument."""
        return any(type(value) in _WRAPPERS for value in inputs.values())

    def identity(self, inputs: Mapping[str, Any]) -> Inputs:
        """Return the inputs that identify a call."""
        told: Inputs = {}
        for name, given in inputs.items():
            if self.is_ignored(name, given):
                continue
            value = bare(given)
            if type(value) is Ignore or self._is_new_default(name, value):
                continue
            rule = self.shapes.approximation(name)
            told[name] = value if rule is None else _approximated(value, rule, name)
        if ORDER in told:
            self._reorder(told)
        return told

    def ignored(self, inputs: Mapping[str, Any]) -> dict[str, bool | int | float | None]:
        """Return what is noted of ignored arguments beside a call: numbers, of others the name."""
        return {
            name: value if _is_number(value) else None
            for name, value in inputs.items()
            if self.is_ignored(name, value)
        }

    def is_ignored(self, name: str, given: object) -> bool:
        """Whether only the body receives an argument."""
        return type(given) is Ignore or self._is_one_of(self._options.ignored, name)

    def is_hashed(self, name: str) -> bool:
        """Whether only the content id of an argument is kept."""
        return self._is_one_of(self._options.hashed, name)

    def may_mutate(self, name: str) -> bool:
        """Whether the body may change an argument in place: it receives a copy."""
        return self._is_one_of(self._options.mutates, name)

    def body(self, inputs: Mapping[str, Any]) -> Body:
        """Return what the body receives: plain values, without wrappers and refs."""
        plain: Inputs = {}
        for name, given in inputs.items():
            value = bare(given)
            inside = unwrap_all(value, _STAND_INS)
            if inside is value and self.may_mutate(name):
                inside = copy.deepcopy(value)
            plain[name] = inside
        return self.binder.unbind(plain)

    def body_as_passed(self, args: tuple[Any, ...], kwargs: dict[str, Any]) -> Body:
        """Return the same for arguments without wrappers, exactly as they were passed."""
        return unwrap_all(args, _STAND_INS), unwrap_all(kwargs, _STAND_INS)

    def outside(self, args: tuple[Any, ...], kwargs: dict[str, Any]) -> Body:
        """Return what the function receives where nothing is remembered."""
        if self._has_special_defaults:
            return self.body(self.binder.bind(args, kwargs))
        values = (*args, *kwargs.values())
        if not any(type(value) in _WRAPPERS or isinstance(value, _STAND_INS) for value in values):
            return args, kwargs
        args = tuple(unwrap_all(bare(value), _STAND_INS) for value in args)
        return args, {key: unwrap_all(bare(value), _STAND_INS) for key, value in kwargs.items()}

    def defaults_since(self, names: Collection[str]) -> Inputs:
        """Return the defaults of arguments that calls with these inputs were made without."""
        return {
            name: bare(default)
            for name, default in self.binder.defaults.items()
            if name not in names
            and name not in self._options.ignored
            and (type(default) is NewArgDefault or self._options.match_defaults)
        }

    def is_default(self, name: str, cid: Digest) -> bool:
        """Whether a value with this content id is the default of an argument."""
        if name not in self.binder.defaults:
            return False
        return cid == content_id(stand_ins(bare(self.binder.defaults[name])))

    def _is_new_default(self, name: str, value: object) -> bool:
        default = self.binder.defaults.get(name)
        return type(default) is NewArgDefault and _is_same(value, default.value)

    def _is_one_of(self, names: frozenset[str], name: str) -> bool:
        if not names:
            return False
        if name.removeprefix("**") in names:
            return True
        return self.binder.variadic in names and self.binder.is_numbered(name)

    def _reorder(self, told: Inputs) -> None:
        """Keep of the order of keywords what can be seen of the ones that count."""
        order = [key for key in told[ORDER] if key in told or f"**{key}" in told]
        if order == sorted(order):
            del told[ORDER]
        else:
            told[ORDER] = order


def _is_number(value: object) -> TypeGuard[bool | int | float]:
    """Whether a value can be noted as it is: JSON has no infinity."""
    return type(value) in (bool, int) or (type(value) is float and math.isfinite(value))


def _is_same(value: object, default: object) -> bool:
    """Whether a value has the same content as a default; a ref is not loaded for it."""
    if isinstance(value, Ref):
        return value._cid == content_id(stand_ins(default))
    if type(value) is not type(default):
        return False
    return value is default or content_id(stand_ins(value)) == content_id(stand_ins(default))


def _approximated(value: Any, rule: Approx, name: str) -> Any:
    """Return what stands for a value that counts only approximately; a ref keeps its history."""
    rounded = rule.rounded(unwrap_all(value))
    if not isinstance(value, Ref):
        return rounded
    item = leaf(rounded, f"argument {name!r}")
    return AtomRef(item.cid, value._hid, None, item.inline, rounded, item.short)


def _is_empty(cell: Any) -> bool:
    try:
        cell.cell_contents  # noqa: B018  raises when empty
    except ValueError:
        return True
    return False
