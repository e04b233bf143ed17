"""Refs to results of calls that are not finished yet.

Not the calls themselves (`planned`). Invariant: whatever is asked of one that only the result can
tell is answered after the call is finished, and from then on it is an ordinary ref, of the class
that it has in a program without a batch.
"""

from __future__ import annotations

import operator
import time
from collections.abc import Callable, Iterator
from types import MemberDescriptorType
from typing import Any, NoReturn, Protocol, Self, SupportsIndex

from gitmemo import markup
from gitmemo.ref import DictRef, Ref, holds, map_refs
from gitmemo.ref.atoms import R_co
from gitmemo.special import bare

_SLOTS: dict[str, MemberDescriptorType] = {
    name: member for name, member in vars(Ref).items() if isinstance(member, MemberDescriptorType)
}
_TOLD_LATER = frozenset(_SLOTS) | {name for name in dir(DictRef) if not name.startswith("_")}


class Source(Protocol):
    """The call that a pending ref waits for."""

    def wait(self) -> None:
        """Return when its refs are ordinary ones; raise what the call raised if they never will be."""
        ...

    def in_words(self) -> str:
        """Say which call it is, and how it stands."""
        ...


class PendingRef(Ref[R_co]):
    """A ref to a result that is not there yet. It waits where a value, or an id, is needed."""

    # Until then `_elements` is the call, and the other slots are empty: asking for one comes to
    # `__getattr__`, also where code that knows nothing of pending refs asks.
    __slots__ = ()

    def __getattr__(self, name: str) -> Any:
        if name in _TOLD_LATER:
            return getattr(settled(self), name)
        return Ref.__getattr__(self, name)  # raises

    @property
    def __gitmemo_cid__(self) -> bytes:
        """The content id; empty while nobody knows it, for who must not wait."""
        return b"" if source_of(self) is not None else settled(self)._cid

    def unwrap(self) -> R_co:
        """Return the value, when it is there."""
        value: R_co = settled(self).unwrap()
        return value

    def attached(self, *, inplace: bool = False) -> Self:
        """Return a ref with the value in memory, when it is there."""
        ref: Self = settled(self).attached(inplace=inplace)
        return ref

    def __reduce_ex__(self, protocol: SupportsIndex) -> str | tuple[Any, ...]:
        found: str | tuple[Any, ...] = settled(self).__reduce_ex__(protocol)
        return found

    def __repr__(self) -> str:
        source = source_of(self)
        return repr(settled(self)) if source is None else f"PendingRef({source.in_words()})"

    def _repr_html_(self) -> str:
        is_there = source_of(self) is None
        return settled(self)._repr_html_() if is_there else markup.line(repr(self))


_INSIDE: dict[str, Callable[..., Any]] = {
    "iter": iter,
    "len": len,
    "getitem": operator.getitem,
    "contains": operator.contains,
    "reversed": reversed,
    "bool": bool,
}
"""What refs to collections answer, and others refuse: which it is, is known when it is there."""


def _when_there(ask: Callable[..., Any]) -> Callable[..., Any]:
    def method(self: Ref[Any], *args: Any) -> Any:
        return ask(settled(self), *args)

    return method


for _name, _ask in _INSIDE.items():
    setattr(PendingRef, f"__{_name}__", _when_there(_ask))


class RefTuple(Ref[R_co]):
    """What a pending ref becomes if the call returned a tuple of results, which nobody had declared.

    It can be unpacked and indexed, and passed on as the tuple of refs that it stands for.
    """

    __slots__ = ()

    @property
    def refs(self) -> tuple[Ref[Any], ...]:
        """The refs."""
        return self._elements or ()

    def __iter__(self) -> Iterator[Ref[Any]]:
        return iter(self.refs)

    def __len__(self) -> int:
        return len(self.refs)

    def __getitem__(self, index: Any) -> Any:
        return self.refs[index]

    def unwrap(self) -> Any:
        """Return the tuple of values."""
        return tuple([ref.unwrap() for ref in self.refs])

    def attached(self, *, inplace: bool = False) -> Any:
        """Return the tuple of refs, with their values in memory."""
        return tuple([ref.attached(inplace=inplace) for ref in self.refs])

    def __getattr__(self, name: str) -> NoReturn:
        raise AttributeError(
            f"these are {len(self.refs)} refs, and have no {name!r} together: unpack them, or let the "
            "op say how many results it returns (nout=)"
        )

    def __reduce_ex__(self, protocol: SupportsIndex) -> tuple[Any, ...]:
        return tuple, (self.refs,)

    def __repr__(self) -> str:
        return repr(self.refs)

    def _repr_html_(self) -> str:
        return markup.block(*(ref._repr_html_() for ref in self.refs))


def pending(source: Source) -> PendingRef[Any]:
    """Return a ref to a result of a call that is not finished."""
    ref = object.__new__(PendingRef)
    _SLOTS["_elements"].__set__(ref, source)
    return ref


def source_of(ref: PendingRef[Any]) -> Source | None:
    """Return what a pending ref waits for; None if it is an ordinary one by now."""
    found: Any = _SLOTS["_elements"].__get__(ref)
    return None if found is None or isinstance(found, tuple) else found


def settled(ref: Any) -> Any:
    """Return a ref when it is an ordinary one; raise what its call raised."""
    source = source_of(ref)
    if source is not None:
        source.wait()
    while type(ref) is PendingRef:  # another thread is about to give it its class
        time.sleep(0)
    return ref


def become(ref: PendingRef[Any], result: Ref[Any] | tuple[Ref[Any], ...]) -> None:
    """Make a pending ref what the call returned."""
    if isinstance(result, tuple):
        _SLOTS["_elements"].__set__(ref, result)
        ref.__class__ = RefTuple  # type: ignore[assignment]
        return
    elements = None
    for name, slot in _SLOTS.items():
        try:
            value = slot.__get__(result)
        except AttributeError:  # only collections have it
            continue
        if name == "_elements":
            elements = value
        else:
            slot.__set__(ref, value)
    # The last two, in this order: another thread may be looking for what to wait for.
    _SLOTS["_elements"].__set__(ref, elements)
    ref.__class__ = type(result)  # type: ignore[assignment]


def pending_in(values: object) -> list[PendingRef[Any]]:
    """Return the pending refs in a tuple or dict of arguments, also inside containers."""
    found: list[PendingRef[Any]] = []
    given = values.values() if isinstance(values, dict) else values

    def note(ref: Any) -> Any:
        if type(ref) is PendingRef:  # it may be an ordinary one since it was found
            found.append(ref)
        return ref

    for value in given:  # type: ignore[attr-defined]
        bared = bare(value)
        if isinstance(bared, Ref):
            note(bared)
        elif holds(bared, (PendingRef,)):
            map_refs(bared, note, (PendingRef,))
    return found


def without_tuples(values: Any) -> Any:
    """Return arguments in which every `RefTuple` is the tuple that it stands for."""
    return map_refs(values, lambda several: several.refs, (RefTuple,))


def ready(values: Any) -> Any:
    """Return arguments that wait for nothing: their pending refs are ordinary ones, and no `RefTuple`."""
    for ref in pending_in(values):
        settled(ref)
    return without_tuples(values)
