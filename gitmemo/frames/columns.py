"""Variables to ask by their values, and the masks that come of it.

Not tables. Invariant: a mask is a test of values by the name of their variable, so that it can be
used on any frame; masks combine as those of pandas do.
"""

from __future__ import annotations

import operator
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any, Literal, NoReturn

from gitmemo.errors import WrongQuestion
from gitmemo.model.facts import Slot
from gitmemo.model.plain import exact, told
from gitmemo.ref import Loader, Ref, at_hand, ref_to

if TYPE_CHECKING:
    from gitmemo.frames.frame import ComputationFrame

Test = Callable[[Sequence[Slot], "Loader | None"], Sequence[bool]]
"""Says of each value of a variable whether it passes."""


class Column:
    """One variable of a frame: its values, and comparisons that make masks."""

    def __init__(self, frame: ComputationFrame, name: str, slots: tuple[Slot, ...]) -> None:
        self.frame, self.name, self.slots = frame, name, slots

    def __len__(self) -> int:
        return len(self.slots)

    def __iter__(self) -> Iterator[Ref[Any]]:
        return iter(self.refs())

    def refs(self) -> list[Ref[Any]]:
        """Return the values as refs."""
        return [ref_to(slot, self.frame.loader) for slot in self.slots]

    def values(self) -> list[Any]:
        """Return the values, loaded."""
        return values_of(self.slots, self.frame.loader)

    def __lt__(self, other: object) -> Mask:
        return self._compared(operator.lt, other, "<")

    def __le__(self, other: object) -> Mask:
        return self._compared(operator.le, other, "<=")

    def __gt__(self, other: object) -> Mask:
        return self._compared(operator.gt, other, ">")

    def __ge__(self, other: object) -> Mask:
        return self._compared(operator.ge, other, ">=")

    def __eq__(self, other: object) -> Mask:  # type: ignore[override]  # as columns of pandas
        return self._compared(operator.eq, other, "==")

    def __ne__(self, other: object) -> Mask:  # type: ignore[override]
        return self._compared(operator.ne, other, "!=")

    __hash__ = None  # type: ignore[assignment]

    def between(self, low: object, high: object) -> Mask:
        """Return a mask of the values from `low` to `high`, both included."""
        return (self >= low) & (self <= high)

    def map(self, test: Callable[[Any], object]) -> Mask:
        """Return a mask of the values for which `test(value)` is true."""
        return mapped(self.name, test)

    def isin(self, values: Iterable[Any], by: Literal["val", "hid", "cid"] = "val") -> Mask:
        """Return a mask of the values that are in `values`.

        Args:
            values: Values and refs; with `hid` or `cid` refs, and ids in hex.
            by: What has to be equal: the values (of refs the contents), the histories, or the contents.

        Raises:
            WrongQuestion: With `hid` or `cid`, something is neither a ref nor an id.
        """
        wanted = list(values)
        if by != "val":
            ids = {_id_of(value, by) for value in wanted}
            return Mask.leaf(
                self.name, lambda slots, _: [getattr(s, by).hex() in ids for s in slots]
            )
        cids = {value.cid for value in wanted if isinstance(value, Ref)}
        is_wanted = one_of([value for value in wanted if not isinstance(value, Ref)])
        if not cids:
            return self.map(is_wanted)

        def test(slots: Sequence[Slot], loader: Loader | None) -> Sequence[bool]:
            found = [slot.cid.hex() in cids for slot in slots]
            if len(cids) < len(wanted):
                left = [number for number, is_in in enumerate(found) if not is_in]
                others = values_of([slots[number] for number in left], loader)
                for number, value in zip(left, others, strict=True):
                    found[number] = is_wanted(value)
            return found

        return Mask.leaf(self.name, test)

    def _compared(self, compare: Callable[[Any, Any], Any], other: object, sign: str) -> Mask:
        return compared(self.name, compare, other, sign)

    def __bool__(self) -> NoReturn:
        raise WrongQuestion(
            f"the variable {self.name!r} is neither true nor false",
            "compare it, `cf[cf['acc'] > 0.8]`, or take its length",
        )

    def __repr__(self) -> str:
        return f"Column({self.name!r}, {len(self)} values)"


def mapped(name: str, test: Callable[[Any], object], *, as_told: bool = False) -> Mask:
    """Return a mask of the values of a variable for which `test(value)` is true."""
    return Mask.leaf(
        name, lambda slots, at: [bool(test(v)) for v in values_of(slots, at, name, as_told=as_told)]
    )


def compared(
    name: str,
    compare: Callable[[Any, Any], Any],
    other: object,
    sign: str,
    *,
    as_told: bool = False,
) -> Mask:
    """Return a mask of the values of a variable that compare so with `other`; `as_told`: see `values_of`."""

    def test(slots: Sequence[Slot], loader: Loader | None) -> Sequence[bool]:
        values = values_of(slots, loader, name, as_told=as_told)
        return [_truth(compare, value, other, name, sign) for value in values]

    return Mask.leaf(name, test)


def _truth(
    compare: Callable[[Any, Any], Any], value: object, other: object, name: str, sign: str
) -> bool:
    if value is None and sign not in ("==", "!="):
        return False  # nothing is less or more than it is
    try:
        return bool(compare(value, other))
    except (TypeError, ValueError) as error:
        raise WrongQuestion(
            f"a value of {name!r} cannot be compared: {type(value).__name__} {sign} "
            f"{type(other).__name__} ({error})",
            f"use `cf[{name!r}].map(test)` with a function that returns True or False",
        ) from error


def one_of(wanted: Iterable[object]) -> Callable[[object], bool]:
    """Return what tells the values that equal one of `wanted`; NaN is NaN, as in pandas."""
    every = list(wanted)
    known = {value for value in every if _is_hashable(value)}
    others = [value for value in every if not _is_hashable(value)]
    has_nan = any(_is_nan(value) for value in every)

    def is_wanted(value: object) -> bool:
        if not _is_hashable(value):
            return any(_equal(value, other) for other in every)
        if value in known or (has_nan and _is_nan(value)):
            return True
        return any(_equal(value, other) for other in others)

    return is_wanted


def _is_hashable(value: object) -> bool:
    try:
        hash(value)
    except TypeError:
        return False
    return True


def _is_nan(value: object) -> bool:
    return isinstance(value, float) and value != value


def _equal(value: object, other: object) -> bool:
    try:
        return bool(value == other)
    except ValueError:  # arrays are equal element by element
        return False


def _id_of(value: object, by: Literal["val", "hid", "cid"]) -> str:
    if isinstance(value, Ref):
        return value.hid if by == "hid" else value.cid
    if isinstance(value, str):
        return value.lower()
    raise WrongQuestion(f"{value!r} is neither a ref nor an id", "give refs, or their ids in hex")


def values_of(
    slots: Sequence[Slot], loader: Loader | None, name: str = "", *, as_told: bool = False
) -> list[Any]:
    """Return the values of slots; what is elsewhere comes in one go.

    `as_told` are scalars of numpy as plain values, which is how conditions in text see them anywhere.

    Raises:
        WrongQuestion: Some have to be loaded, and there is no storage to load them from.
    """
    plain = [_told(slot) if as_told or loader is None else exact(slot) for slot in slots]
    if loader is None and any(told(slot) is None for slot in slots):
        raise WrongQuestion(
            f"some of the values{f' of {name!r}' if name else ''} stand in no record: "
            "they would have to be loaded",
            "ask in Python, of `gm.open().cf(…)`; conditions on small plain values work everywhere",
        )
    refs: list[Any] = [
        ref_to(slot, loader) if known is None else known
        for slot, known in zip(slots, plain, strict=True)
    ]
    with at_hand([ref for ref in refs if isinstance(ref, Ref)]):
        return [ref.unwrap() if isinstance(ref, Ref) else ref for ref in refs]


def _told(slot: Slot) -> object:
    plain = told(slot)
    return None if plain is None or isinstance(plain.json, list | dict) else plain.json


@dataclass(frozen=True)
class Mask:
    """A test of variables: `cf["acc"] > 0.8`; `&`, `|` and `~` combine them.

    Attributes:
        name, test: The variable that is tested, and how; of a leaf.
        parts: The masks that are combined.
        all_of: Whether all parts must hold, or any.
        is_negated: Whether it holds where that does not.
    """

    name: str = ""
    test: Test | None = None
    parts: tuple[Mask, ...] = ()
    all_of: bool = True
    is_negated: bool = False

    @classmethod
    def leaf(cls, name: str, test: Test) -> Mask:
        """Return a mask of one variable."""
        return cls(name, test)

    def __and__(self, other: Mask) -> Mask:
        return Mask(parts=(*self._parts(all_of=True), other))

    def __or__(self, other: Mask) -> Mask:
        return Mask(parts=(*self._parts(all_of=False), other), all_of=False)

    def __invert__(self) -> Mask:
        return replace(self, is_negated=not self.is_negated)

    def __bool__(self) -> NoReturn:
        raise WrongQuestion(
            "a mask is neither true nor false", "combine masks with `&`, `|` and `~`, in brackets"
        )

    def _parts(self, *, all_of: bool) -> tuple[Mask, ...]:
        """Return the parts of a mask that combines them so; else the mask, so that masks stay flat."""
        alike = self.parts and self.all_of == all_of and not self.is_negated
        return self.parts if alike else (self,)

    def leaves(self) -> Iterator[Mask]:
        """Yield the masks of one variable that this one is made of."""
        if self.test is not None:
            yield self
        for part in self.parts:
            yield from part.leaves()
