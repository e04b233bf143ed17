"""Refs to single values.

Not refs to collections, whose elements are refs too (`collections`). Invariant:
a ref is never taken for its value; every use as one is refused with advice.
"""

from __future__ import annotations

import copy
from collections.abc import Callable
from typing import Any, Generic, NoReturn, Protocol, Self, SupportsIndex, TypeVar, cast

from gitmemo.codecs import from_inline
from gitmemo.errors import RefInside, RefMisuse
from gitmemo.hashing.digest import Digest, to_hex
from gitmemo.hashing.encoding import Encoder
from gitmemo.hashing.parts import part_from_id
from gitmemo.hashing.registry import bases
from gitmemo.model.facts import Inline
from gitmemo.short_ids import SHOWN_DIGITS

R_co = TypeVar("R_co", covariant=True)


class Loader(Protocol):
    """What a ref needs of a storage: the value behind a content id."""

    def load(
        self, cid: Digest, hid: Digest, what: str, within: Callable[[], object] | None = None
    ) -> object:
        """Return a fresh copy of the value; `what` names it in errors.

        `within` takes it from the collection that it is in, for a value that is not stored alone.
        """
        ...


class Shared:
    """A value of which nothing is kept, and that cannot be copied either: all have the same one."""

    def __init__(self, value: object) -> None:
        self.value = value


class Missing:
    """The type of `MISSING`."""

    def __reduce__(self) -> str:
        return "MISSING"  # what comes out of a pickle is it, too

    def __repr__(self) -> str:
        return "MISSING"


MISSING = Missing()


class Ref(Generic[R_co]):
    """A value that an op returned, or that was wrapped.

    Attributes:
        cid: Content id of the value: 64 hex digits.
        hid: History id: which calls, on which inputs, led to it.

    Examples:
        >>> @gm.op
        ... def double(x):
        ...     return 2 * x
        >>> with storage:
        ...     six = double(3)
        >>> six.unwrap(), len(six.cid), six.same_as(gm.wrap(6))
        (6, 64, False)
    """

    # Those of every kind of ref: one that is pending becomes what its value turns out to be in place,
    # which Python allows only between classes of one layout.
    __slots__ = (
        *("_cid", "_hid", "_inline", "_loader", "_obj", "_short", "_within"),
        *("_by_key", "_elements", "_parts"),
    )

    def __init__(
        self,
        cid: Digest,
        hid: Digest,
        loader: Loader | None,
        inline: Inline | None = None,
        obj: object = MISSING,
        short: bytes | None = None,
        within: Callable[[], object] | None = None,
    ) -> None:
        self._cid, self._hid, self._loader, self._inline, self._obj = cid, hid, loader, inline, obj
        self._short, self._within = short, within

    @property
    def cid(self) -> str:
        """Content id, in hex."""
        return to_hex(self._cid)

    @property
    def hid(self) -> str:
        """History id, in hex."""
        return to_hex(self._hid)

    @property
    def uid(self) -> str:
        """The older name of `cid`."""
        return self.cid

    @property
    def in_memory(self) -> bool:
        """Whether the value is at hand, rather than only in the storage."""
        return self._obj is not MISSING

    @property
    def is_stored_alone(self) -> bool:
        """Whether a storage handed it out, rather than `wrap`, and not as part of a collection."""
        return self._loader is not None and self._within is None

    @property
    def obj(self) -> R_co:
        """The value; loaded if it is not in memory."""
        return self.unwrap()

    @property
    def __gitmemo_cid__(self) -> bytes:
        """The content id in bytes, for who meets a ref and knows nothing of refs."""
        return self._cid

    def unwrap(self) -> R_co:
        """Return the value, as a private copy."""
        # `Any`: what the stored bytes hold is known only to the op that made it.
        value: Any = self._value()
        return cast("R_co", value)

    def _value(self) -> object:
        if self._obj is not MISSING:
            return self._obj.value if type(self._obj) is Shared else private(self._obj)
        if self._inline is not None:
            return from_inline(self._inline.json)
        if self._loader is not None:
            return self._loader.load(self._cid, self._hid, repr(self), self._within)
        if self._within is not None:
            return self._within()
        raise RefMisuse(repr(self), "load", "it came from no storage")

    def same_as(self, other: Ref[object]) -> bool:
        """Whether both stand for the same history."""
        return self._hid == other._hid

    def attached(self, *, inplace: bool = False) -> Self:
        """Return a ref with the value in memory: a new one, or this one."""
        ref = self if inplace else _twin(self)
        ref._obj = self._value()
        return ref

    def __getattr__(self, name: str) -> NoReturn:
        # Not RefMisuse: code that asks what an object can do expects AttributeError.
        raise AttributeError(f"a ref has no {name!r}; if its value has: storage.unwrap(ref).{name}")

    def __hash__(self) -> int:
        return hash(self._hid)

    def __copy__(self) -> Self:
        return self

    def __deepcopy__(self, memo: object) -> Self:
        return self  # a copy would lose the storage that it loads from

    def __reduce_ex__(self, protocol: SupportsIndex) -> str | tuple[Any, ...]:
        # It takes its value along: no storage goes with it to load it from.
        is_lazy = self._obj is MISSING and self._inline is None
        can_load = self._loader is not None or self._within is not None
        return object.__reduce_ex__(self.attached() if is_lazy and can_load else self, protocol)

    def __getstate__(self) -> tuple[object, ...]:
        return (self._cid, self._hid, self._inline, self._obj, self._short)

    def __setstate__(self, state: tuple[Any, ...]) -> None:
        self._cid, self._hid, self._inline, self._obj, self._short = state
        self._loader = self._within = None

    def __format__(self, spec: str) -> str:
        if spec:
            raise RefMisuse(repr(self), "format", "a ref is not its value")
        return repr(self)

    def __repr__(self) -> str:
        if self.in_memory:
            return (
                f"{type(self).__name__}({shortened(self._obj)}, hid={self.hid[:SHOWN_DIGITS]}...)"
            )
        return f"{type(self).__name__}(hid={self.hid[:SHOWN_DIGITS]}..., in_memory=False)"

    def _repr_html_(self) -> str:
        from gitmemo.ref.page import page_of

        return page_of(self)


def _twin(ref: Any) -> Any:
    twin = object.__new__(type(ref))
    twin.__setstate__(ref.__getstate__())
    twin._loader, twin._within = ref._loader, ref._within
    return twin


@bases(Ref)
def _as_its_value(encoder: Encoder, ref: Ref[object]) -> bytes:
    """Encode a ref as the value that it stands for, without loading it.

    Only one that is all there is: where a ref stays in an object, the body sees the ref, and the
    call must not be taken for one whose body sees the value.

    Raises:
        RefInside: It is part of something that was not taken apart as a container of refs.
    """
    if encoder.is_inside:
        raise RefInside(type(ref).__qualname__, "", "a ref in an object is not its value there")
    return in_place(encoder, ref)


def in_place(encoder: Encoder, ref: Ref[object]) -> bytes:
    """Encode a ref as its value, also within a container whose body gets the value."""
    if ref._inline is not None:
        return encoder.part(ref._inline.json)
    return ref._short or part_from_id(ref._cid)


def private(value: object) -> object:
    """Return `value`, or a copy that nobody else holds if it could be changed."""
    return value if type(value) in IMMUTABLE else copy.deepcopy(value)


# Immutable values may be shared; everything else is copied when handed out.
IMMUTABLE = frozenset({int, float, complex, bool, str, bytes, type(None), type(...)})


class AtomRef(Ref[R_co]):
    """A ref to a value that is stored as one piece.

    It is not the value: using it as one raises `RefMisuse`, which says how to
    get the value.
    """

    __slots__ = ()


def _refusal(action: str) -> Callable[..., NoReturn]:
    def method(self: Ref[object], *_: object, **__: object) -> NoReturn:
        raise RefMisuse(repr(self), action, "a ref is not its value")

    return method


_COMPARED = ("eq", "ne", "lt", "le", "gt", "ge")
_ARITHMETIC = (
    *("add", "sub", "mul", "matmul", "truediv", "floordiv", "mod", "divmod", "pow"),
    *("lshift", "rshift", "and", "or", "xor"),
)
_NUMBER = (
    *("neg", "pos", "abs", "invert", "complex", "int", "float", "index"),
    *("round", "trunc", "floor", "ceil"),
)
_REFUSED = {
    **dict.fromkeys(_COMPARED, "compare"),
    **dict.fromkeys(_ARITHMETIC, "calculate with"),
    **dict.fromkeys([f"r{name}" for name in _ARITHMETIC], "calculate with"),
    **dict.fromkeys(_NUMBER, "calculate with"),
    **dict.fromkeys(("array", "array_ufunc", "array_function"), "make an array of"),
    "setitem": "change",
    "delitem": "change",
    "call": "call",
}
_REFUSED_OF_ATOMS = {
    **dict.fromkeys(("iter", "len", "getitem", "contains", "reversed"), "look inside"),
    "bool": "use as a condition",
}


def _refuse(kind: type, refused: dict[str, str]) -> None:
    for name, action in refused.items():
        setattr(kind, f"__{name}__", _refusal(action))


_refuse(Ref, _REFUSED)
_refuse(AtomRef, _REFUSED_OF_ATOMS)


ValueRef = AtomRef
"""The older name."""


def shortened(value: object) -> str:
    """Return the start of `repr(value)`."""
    text = repr(value)
    return text if len(text) <= 60 else f"{text[:57]}..."
