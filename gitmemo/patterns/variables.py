"""Variables of queries: `Q()`, what may be in what, and the calls that ops pose between them.

Not patterns (`pattern`): people hold these objects. Invariant: what is posed is never taken back,
so that a variable means the same inside its block and after it.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import count
from typing import NoReturn, Self

from gitmemo.errors import NotInPattern
from gitmemo.hashing import content_id
from gitmemo.hashing.digest import Digest
from gitmemo.model.ids import raw_hid
from gitmemo.patterns.pattern import Among, Atom, CallAtom, MemberAtom, Pattern
from gitmemo.ref import MISSING, Ref, holds, stand_ins
from gitmemo.ref.atoms import shortened
from gitmemo.ref.leaves import leaf

_numbers = count(1)


@dataclass(frozen=True, slots=True)
class Posed:
    """An atom, when it was posed, and its variables."""

    order: int
    atom: Atom
    variables: tuple[Q, ...]


class Q:
    """A variable that stands for any stored value that fits the calls in which it is used.

    `Q([x, ...])` stands for a list with a match of `x` in it, whatever else it holds, in any
    order; likewise `Q((x, ...))`, `Q({x, ...})`, and `Q({key: x, ...: ...})`, whose key is a
    value, a variable, or `...` for any. `lists[Q()]` is anything in a collection.
    """

    __slots__ = ("_among", "_label", "_number", "_posed")

    def __init__(self, holding: object = MISSING, /) -> None:
        self._number = next(_numbers)
        self._posed: list[Posed] = []
        self._among: Among | None = None
        self._label: str | None = None
        if holding is not MISSING:
            self._hold(holding)

    def named(self, name: str) -> Self:
        """Call the variable's column `name`; return the variable."""
        self._label = name
        return self

    def pin(self, *values: object) -> Self:
        """Let it stand only for one of `values`: by content, a ref by its history; return it."""
        self._among = _among(values)
        return self

    def unpin(self) -> Self:
        """Let it stand for anything again; return it."""
        self._among = None
        return self

    def __getitem__(self, index: object) -> Q:
        """Return what the collection has at an index or key: of a variable, or a value."""
        is_negative = type(index) is int and index < 0
        if isinstance(index, slice) or is_negative:
            raise NotInPattern(
                f"[{shortened(index)}]", "positions count from the start", "use [Q()], or [0]"
            )
        element = Q()
        _pose_member(self, element, None if index is ... else variable(index), None)
        return element

    def __iter__(self) -> NoReturn:
        raise NotInPattern(
            "for … in Q()",
            "it stands for one value, and how many are in it is not known",
            "`x[Q()]` is anything in it; if it is the result of an op that returns several values, "
            "say how many: @op(nout=2), or -> tuple[A, B]",
        )

    def __bool__(self) -> NoReturn:
        raise NotInPattern(
            "if Q()", "it has no value", "restrict it with .pin(…), or filter the table"
        )

    def __repr__(self) -> str:
        return f"Q({self._label or ''})"

    def _hold(self, holding: object) -> None:
        kind = _KINDS.get(type(holding))
        if kind is None or not isinstance(holding, Collection):
            raise NotInPattern(
                f"Q({shortened(holding)})",
                "only a list, a tuple, a set or a dict says what a collection holds",
                "for one value: Q().pin(value)",
            )
        pairs: Iterable[tuple[object, object]]
        if isinstance(holding, Mapping):
            pairs = holding.items()
        else:
            pairs = ((..., one) for one in _in_order(holding))
        for key, value in pairs:
            if value is not ...:
                index = None if key is ... else variable(key)
                _pose_member(self, variable(value), index, kind)


_KINDS: dict[type, str] = {list: "list", tuple: "tuple", set: "set", dict: "dict"}


def ListQ(elts: Iterable[object], idxs: Iterable[object] | None = None) -> Q:
    """Return a list with a match of each of `elts` in it, at `idxs` if they are given."""
    return _holding("list", elts, idxs)


def DictQ(
    elts: Mapping[object, object] | Iterable[object], keys: Iterable[object] | None = None
) -> Q:
    """Return a dict with a match of each of `elts` among its values: a dict, or values and `keys`."""
    if isinstance(elts, Mapping):
        return Q(dict(elts))
    return _holding("dict", elts, keys)


def SetQ(elts: Iterable[object]) -> Q:
    """Return a set with a match of each of `elts` in it."""
    return _holding("set", elts, None)


def _holding(kind: str, elts: Iterable[object], places: Iterable[object] | None) -> Q:
    around = Q()
    values = [value for value in elts if value is not ...]
    indices = [...] * len(values) if places is None else list(places)
    if len(indices) != len(values):
        raise NotInPattern(
            f"a {kind} with {len(values)} elements at {len(indices)} places",
            "each element has one place",
            "give as many of one as of the other, or leave the places out",
        )
    for value, place in zip(values, indices, strict=True):
        _pose_member(around, variable(value), None if place is ... else variable(place), kind)
    return around


def variable(value: object) -> Q:
    """Return the variable that an argument is: itself, a collection of such, or one value.

    Raises:
        Unhashable: It is a value without a content id.
    """
    if isinstance(value, Q):
        return value
    if not isinstance(value, Ref) and holds(value, (Q, Ref)):
        return Q(value)
    constant = Q()
    among = _among([value])
    constant._among = Among(among.cids, among.hids, among.pins)
    return constant


def constant_of(variables: Iterable[Q], ref: Ref[object]) -> Q | None:
    """Return the variable among `variables` that is this ref, as an argument."""
    for one in variables:
        among = one._among
        is_constant = among is not None and among.shown is not None
        if among and is_constant and (ref._hid in among.hids or ref._cid in among.cids):
            return one
    return None


def pose_call(op: str, op_version: int, inputs: Mapping[str, Q], outputs: Sequence[str]) -> list[Q]:
    """Pose that a call was made, and return what it gave."""
    made = {name: Q() for name in outputs}
    atom = CallAtom(
        op,
        op_version,
        tuple((name, one._number) for name, one in inputs.items()),
        tuple((name, one._number) for name, one in made.items()),
    )
    _pose(atom, (*inputs.values(), *made.values()))
    return list(made.values())


def asked_pattern(asked: Iterable[Q]) -> tuple[Pattern, dict[int, Q]]:
    """Return everything that was posed about variables, and all variables that have to do with them.

    A value that was given as an argument has nothing to do with other calls that it was given to.
    """
    asked = tuple(asked)
    found = {one._number: one for one in asked}
    posed: dict[int, Posed] = {}
    todo = list(asked)
    while todo:
        for one in todo.pop()._posed:
            if one.order not in posed:
                posed[one.order] = one
                todo += _newly_met(one, found)
    atoms = tuple(posed[order].atom for order in sorted(posed))
    among = {number: one._among for number, one in sorted(found.items()) if one._among is not None}
    return Pattern(atoms, tuple(one._number for one in asked), among), found


def _newly_met(posed: Posed, found: dict[int, Q]) -> Iterator[Q]:
    for other in posed.variables:
        if other._number not in found:
            found[other._number] = other
            if other._among is None or other._among.shown is None:
                yield other


def _pose(atom: Atom, variables: tuple[Q, ...]) -> None:
    posed = Posed(next(_numbers), atom, variables)
    for one in dict.fromkeys(variables):
        one._posed.append(posed)


def _pose_member(around: Q, element: Q, index: Q | None, kind: str | None) -> None:
    number = None if index is None else index._number
    atom = MemberAtom(around._number, element._number, number, kind)
    _pose(atom, (around, element) if index is None else (around, element, index))


def _in_order(holding: Collection[object]) -> list[object]:
    """Return what a container holds; a set has no order of its own that lasts."""
    if not isinstance(holding, set):
        return list(holding)
    return sorted(
        holding, key=lambda one: (one._number, "") if isinstance(one, Q) else (0, repr(one))
    )


def _among(values: Iterable[object]) -> Among:
    cids: set[Digest] = set()
    hids: set[Digest] = set()
    shown: list[str] = []
    for value in values:
        shown.append(_as_code(value))
        if not isinstance(value, Ref):
            cids.add(content_id(stand_ins(value)) if holds(value, (Ref,)) else leaf(value).cid)
        elif value._hid == raw_hid(value._cid):
            cids.add(value._cid)  # it has no history: any equal value is it
        else:
            hids.add(value._hid)
    return Among(frozenset(cids), frozenset(hids), pins=", ".join(shown))


def _as_code(value: object) -> str:
    """Return a value as code, as far as it can be."""
    if not isinstance(value, Ref):
        return shortened(value)
    if value._hid != raw_hid(value._cid):
        return f"storage.load_ref({value.hid!r})"
    return shortened(value.unwrap())
