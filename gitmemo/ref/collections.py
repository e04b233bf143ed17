"""Refs to collections: their elements are refs as well.

Not the plain containers that people put refs into (`containers`). Invariant:
length, keys and the elements' refs come from the record, without loading a value.
"""

from __future__ import annotations

import functools
from collections.abc import Callable, Iterator
from typing import Any, overload

from gitmemo.codecs import from_inline
from gitmemo.errors import RefMisuse
from gitmemo.hashing.digest import Digest
from gitmemo.hashing.encoding import content_id
from gitmemo.model.facts import Inline
from gitmemo.model.items import Held, Parts, find, plain_keys
from gitmemo.ref.atoms import MISSING, AtomRef, Loader, R_co, Ref, shortened
from gitmemo.ref.leaves import leaf
from gitmemo.short_ids import SHOWN_DIGITS


class CollectionRef(Ref[R_co]):
    """What the refs to lists, tuples, sets and dicts have in common.

    Its truth is that of the collection: whether there is anything in it. Every
    other use of it as the value itself raises `RefMisuse`.
    """

    __slots__ = ()

    _elements: tuple[Ref[Any], ...] | None
    _parts: Parts

    def __init__(
        self,
        parts: Parts,
        cid: Digest,
        hid: Digest,
        loader: Loader | None,
        inline: Inline | None = None,
        obj: object = MISSING,
        short: bytes | None = None,
        within: Callable[[], object] | None = None,
    ) -> None:
        super().__init__(cid, hid, loader, inline, obj, short, within)
        self._parts = parts
        self._elements = None

    def _items(self) -> tuple[Ref[Any], ...]:
        """Return the refs to the elements, the same ones every time."""
        if self._elements is None:
            self._elements = self._made()
        return self._elements

    def _made(self) -> tuple[Ref[Any], ...]:
        if self._parts.items is None:
            return tuple(_from_outside(value) for value in self._values(self._value()))
        return tuple(
            _ref(item, self._loader, functools.partial(self._element, number))
            for number, item in enumerate(self._parts.items)
        )

    def _element(self, number: int) -> object:
        """Return an element's value, taken from the whole collection."""
        return self._values(self._value())[number]

    def _values(self, collection: Any) -> list[Any]:
        return list(collection)

    def __len__(self) -> int:
        return len(self._items())

    def __bool__(self) -> bool:
        return len(self) > 0

    def __contains__(self, element: object) -> bool:
        """Whether a ref is one of the elements: one of the same history."""
        if not isinstance(element, Ref):
            raise RefMisuse(
                repr(self), f"look for {shortened(element)} in", "it holds refs, not values"
            )
        return any(item._hid == element._hid for item in self._items())

    def __getstate__(self) -> tuple[object, ...]:
        return (*super().__getstate__(), self._parts)

    def __setstate__(self, state: tuple[Any, ...]) -> None:
        super().__setstate__(state[:-1])
        self._parts, self._elements = state[-1], None

    @property
    def is_listed(self) -> bool:
        """Whether its elements are known without loading the value."""
        return self._parts.items is not None or self._elements is not None

    def __repr__(self) -> str:
        size = f"{len(self)} elements, " if self.is_listed else ""
        return f"{type(self).__name__}({size}hid={self.hid[:SHOWN_DIGITS]}...)"


class _SequenceRef(CollectionRef[R_co]):
    """A ref to a list or a tuple."""

    __slots__ = ()

    @overload
    def __getitem__(self, index: int) -> Ref[Any]: ...
    @overload
    def __getitem__(self, index: slice) -> list[Ref[Any]]: ...
    def __getitem__(self, index: int | slice) -> Ref[Any] | list[Ref[Any]]:
        """Return the ref at an index; of a slice a plain list of refs."""
        if isinstance(index, slice):
            return list(self._items()[index])
        return self._items()[index]

    def __iter__(self) -> Iterator[Ref[Any]]:
        return iter(self._items())

    def __reversed__(self) -> Iterator[Ref[Any]]:
        return iter(self._items()[::-1])


class ListRef(_SequenceRef[R_co]):
    """A ref to a list: `len`, indices, slices (plain lists of refs), iteration."""

    __slots__ = ()


class TupleRef(_SequenceRef[R_co]):
    """A ref to a tuple that is one output: used like `ListRef`."""

    __slots__ = ()


class SetRef(CollectionRef[R_co]):
    """A ref to a set: `len` and iteration, in the order of the elements' content ids."""

    __slots__ = ()

    def __iter__(self) -> Iterator[Ref[Any]]:
        return iter(self._items())

    def _values(self, collection: Any) -> list[Any]:
        return sorted(collection, key=content_id)


class DictRef(CollectionRef[R_co]):
    """A ref to a dict: plain keys, and refs to the values."""

    __slots__ = ()

    _by_key: dict[Any, Ref[Any]] | None

    def __init__(self, *arguments: Any) -> None:
        super().__init__(*arguments)
        self._by_key = None

    def __setstate__(self, state: tuple[Any, ...]) -> None:
        super().__setstate__(state)
        self._by_key = None

    def _values(self, collection: Any) -> list[Any]:
        return list(collection.values())

    def keys(self) -> list[Any]:
        """Return the plain keys, in their order.

        They are loaded with the dict if one is neither small plain data nor a tuple of such.
        """
        return list(self._keyed())

    def values(self) -> list[Ref[Any]]:
        """Return the refs to the values, in the order of the keys."""
        return list(self._items())

    def items(self) -> list[tuple[Any, Ref[Any]]]:
        """Return pairs of a plain key and the ref to its value."""
        return list(self._keyed().items())

    def get(self, key: object, default: object = None) -> Any:
        """Return the ref to the value of `key`, or `default`."""
        return self._keyed().get(_plain_key(key), default)

    def __getitem__(self, key: object) -> Ref[Any]:
        return self._keyed()[_plain_key(key)]

    def __contains__(self, key: object) -> bool:
        return _plain_key(key) in self._keyed()

    def __iter__(self) -> Iterator[Any]:
        return iter(self._keyed())

    def _keyed(self) -> dict[Any, Ref[Any]]:
        if self._by_key is None:
            keys: Any = None
            if self._parts.items is not None:
                keys = plain_keys(self._parts, from_inline)
            if keys is None:
                keys = self._value()
            self._by_key = dict(zip(keys, self._items(), strict=True))
        return self._by_key


def _from_outside(value: object) -> Ref[Any]:
    """Return a ref to an element of a collection that is too large for its record to list."""
    item = leaf(value)
    return AtomRef(item.cid, item.hid, None, item.inline, value, item.short)


def _plain_key(key: object) -> object:
    return key.unwrap() if isinstance(key, Ref) else key


COLLECTIONS: dict[str, type[CollectionRef[Any]]] = {
    "list": ListRef,
    "tuple": TupleRef,
    "set": SetRef,
    "dict": DictRef,
}


def ref_to(held: Held, loader: Loader | None) -> Ref[Any]:
    """Return a lazy ref to an input or output of a call, or to something in one."""
    return _ref(held, loader, None)


def ref_inside(held: Held, hid: Digest, loader: Loader) -> Ref[Any] | None:
    """Return the ref with this history id: to `held` or to something in it; None if it is not there."""
    way = find(held, hid)
    if way is None:
        return None
    ref = ref_to(way[0], loader)
    for inner in way[1:]:
        assert isinstance(ref, CollectionRef)  # only collections have something inside
        ref = next(item for item in ref._items() if item._hid == inner.hid)
    return ref


def _ref(held: Held, loader: Loader | None, within: Callable[[], object] | None) -> Ref[Any]:
    kind = COLLECTIONS.get(held.parts.kind) if held.parts is not None else None
    if kind is None or held.parts is None:
        return AtomRef(held.cid, held.hid, loader, held.inline, MISSING, held.short, within)
    return kind(held.parts, held.cid, held.hid, loader, held.inline, MISSING, held.short, within)
