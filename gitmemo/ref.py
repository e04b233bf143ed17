"""Refs: values with a history, handed out instead of the values themselves.

Not the values' storage. Invariant: a ref never shares a mutable object with
anyone; whoever unwraps it gets a copy of their own.
"""

from __future__ import annotations

import copy
import itertools
from collections.abc import Callable
from typing import Any, Generic, NoReturn, Protocol, TypeAlias, TypeVar, cast

from gitmemo.codecs import from_inline
from gitmemo.codecs.fingerprint import fingerprint
from gitmemo.errors import RefMisuse, Unhashable
from gitmemo.hashing.digest import Digest, to_hex
from gitmemo.model.facts import Inline, Slot

R_co = TypeVar("R_co", covariant=True)


class Loader(Protocol):
    """What a ref needs of a storage: the value behind a content id."""

    def load(self, cid: Digest, hid: Digest, what: str) -> object:
        """Return a fresh copy of the value; `what` names it in errors."""
        ...


class Shared:
    """A value of which nothing is kept, and that cannot be copied either: all have the same one."""

    def __init__(self, value: object) -> None:
        self.value = value


class Missing:
    """The type of `MISSING`."""

    def __repr__(self) -> str:
        return "MISSING"


MISSING = Missing()


class Ref(Generic[R_co]):
    """A value that an op returned, or that was wrapped.

    Attributes:
        cid: Content id of the value: 64 hex digits.
        hid: History id: which calls, on which inputs, led to it.
    """

    __slots__ = ("_cid", "_hid", "_inline", "_loader", "_obj")

    def __init__(
        self,
        cid: Digest,
        hid: Digest,
        loader: Loader | None,
        inline: Inline | None = None,
        obj: object = MISSING,
    ) -> None:
        self._cid, self._hid, self._loader, self._inline, self._obj = cid, hid, loader, inline, obj

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
    def is_from_storage(self) -> bool:
        """Whether a storage handed it out, rather than `wrap`."""
        return self._loader is not None

    @property
    def obj(self) -> R_co:
        """The value; loaded if it is not in memory."""
        return self.unwrap()

    @property
    def __gitmemo_cid__(self) -> bytes:
        """The content id in bytes: a ref inside data counts as the value that it stands for."""
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
        if self._loader is None:
            raise RefMisuse(repr(self), "load", "it came from no storage")
        return self._loader.load(self._cid, self._hid, repr(self))

    def same_as(self, other: Ref[object]) -> bool:
        """Whether both stand for the same history."""
        return self._hid == other._hid

    def __hash__(self) -> int:
        return hash(self._hid)

    def __getstate__(self) -> tuple[Digest, Digest, Inline | None, object]:
        return (self._cid, self._hid, self._inline, self._obj)

    def __setstate__(self, state: tuple[Digest, Digest, Inline | None, object]) -> None:
        self._cid, self._hid, self._inline, self._obj = state
        self._loader = None

    def __repr__(self) -> str:
        if self.in_memory:
            return f"{type(self).__name__}({_short(self._obj)}, hid={self.hid[:3]}...)"
        return f"{type(self).__name__}(hid={self.hid[:3]}..., in_memory=False)"


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

    def __getattr__(self, name: str) -> NoReturn:
        # Not RefMisuse: code that asks what an object can do expects AttributeError.
        raise AttributeError(f"a ref has no {name!r}; if its value has: storage.unwrap(ref).{name}")

    def __format__(self, spec: str) -> str:
        if spec:
            raise RefMisuse(repr(self), "format", "a ref is not its value")
        return repr(self)

    def __bool__(self) -> NoReturn:
        raise RefMisuse(repr(self), "use as a condition", "a ref is not its value")


def _refuse(action: str) -> Callable[..., NoReturn]:
    def method(self: AtomRef[object], *_: object) -> NoReturn:
        raise RefMisuse(repr(self), action, "a ref is not its value")

    return method


for _names, _action in (
    (("__eq__", "__ne__", "__lt__", "__le__", "__gt__", "__ge__"), "compare"),
    (
        ("__add__", "__radd__", "__sub__", "__rsub__", "__mul__", "__rmul__", "__truediv__"),
        "calculate with",
    ),
    (
        ("__rtruediv__", "__floordiv__", "__mod__", "__pow__", "__neg__", "__abs__"),
        "calculate with",
    ),
    (("__matmul__", "__int__", "__float__", "__index__", "__round__"), "calculate with"),
    (("__array__",), "make an array of"),
    (("__iter__", "__len__", "__getitem__", "__contains__"), "look inside"),
):
    for _name in _names:
        setattr(AtomRef, _name, _refuse(_action))
# Defining `__eq__` would otherwise have removed it.
AtomRef.__hash__ = Ref.__hash__  # type: ignore[method-assign]


ValueRef = AtomRef
"""The older name."""


def ref_to(slot: Slot, loader: Loader) -> AtomRef[Any]:
    """Return a lazy ref to one input or output of a call."""
    return AtomRef(slot.cid, slot.hid, loader, slot.inline)


StandIns: TypeAlias = tuple[type, ...]
"""Kinds of objects that stand for another value, which their `unwrap` returns."""


def unwrap_all(value: Any, kinds: StandIns = (Ref,)) -> Any:
    """Return `value` with every ref inside lists, tuples, dicts and sets replaced by its value.

    Containers without refs are returned as they are; types and shared parts are kept.
    `kinds` says what is replaced.

    Raises:
        Unhashable: A container holds both itself and refs.
    """
    if isinstance(value, kinds):
        return _stood_for(value)
    if not isinstance(value, _CONTAINERS) or _is_flat(value):
        return value
    nodes = _explore(value, kinds)
    holders = _holders(nodes)
    if id(value) not in holders:
        return value
    made: dict[int, Any] = {}
    path = [value]  # a stack of our own: containers may be nested deeper than Python recurses
    entered = {id(value)}
    left = [_inner(nodes[id(value)], holders)]
    while path:
        below = left[-1].pop() if left[-1] else None
        if below is None:
            done = path.pop()
            left.pop()
            entered.discard(id(done))
            made[id(done)] = _replaced(nodes[id(done)], made, kinds)
        elif id(below) in entered:
            raise _loop([*path, below], nodes)
        elif id(below) not in made:
            path.append(below)
            entered.add(id(below))
            left.append(_inner(nodes[id(below)], holders))
    return made[id(value)]


def _stood_for(stand_in: Any) -> Any:
    return stand_in.unwrap()


def holds(value: object, kinds: StandIns) -> bool:
    """Whether `value` is one of `kinds`, or a builtin container with one somewhere inside."""
    if isinstance(value, kinds):
        return True
    if not isinstance(value, _CONTAINERS) or _is_flat(value):
        return False
    return any(node.has_refs for node in _explore(value, kinds, until_ref=True).values())


def holds_refs(value: object) -> bool:
    """Whether `value` is a builtin container (or a kind of one) with a ref somewhere inside."""
    return not isinstance(value, Ref) and holds(value, (Ref,))


def _is_flat(value: Any) -> bool:
    """Whether a container is quickly seen to hold no refs: most arguments are like this."""
    kind = type(value)
    if kind is tuple and IMMUTABLE.issuperset(map(type, value)):
        return True
    if (
        kind is dict
        and IMMUTABLE.issuperset(map(type, value))
        and IMMUTABLE.issuperset(map(type, value.values()))
    ):
        return True
    return (kind is dict or kind is list or kind is tuple) and fingerprint(value) is not None


_CONTAINERS = (list, tuple, dict, set, frozenset)


class _Node:
    """A container, and what it holds as far as it matters.

    Attributes:
        parts: Its items, or a dict's keys and then its values; empty if all are plain.
        inner: The containers among them.
    """

    __slots__ = ("container", "has_refs", "inner", "parts")

    def __init__(self, container: Any, stand_ins: StandIns) -> None:
        self.container = container
        is_dict = isinstance(container, dict)
        groups = (container.keys(), container.values()) if is_dict else (container,)
        # One look at every type, not one at every item: most hold thousands of plain ones.
        kinds = set().union(*(map(type, group) for group in groups))
        nested = {kind for kind in kinds if issubclass(kind, _CONTAINERS)}
        self.has_refs = any(issubclass(kind, stand_ins) for kind in kinds)
        self.parts: list[Any] = []
        if nested or self.has_refs:
            self.parts = [item for group in groups for item in group]
        self.inner = [item for item in self.parts if type(item) in nested]


def _explore(value: Any, kinds: StandIns, *, until_ref: bool = False) -> dict[int, _Node]:
    """Return every container in `value` by `id`, itself included."""
    nodes: dict[int, _Node] = {}
    todo = [value]
    while todo:
        container = todo.pop()
        if id(container) not in nodes:
            node = nodes[id(container)] = _Node(container, kinds)
            if until_ref and node.has_refs:
                break
            todo += node.inner
    return nodes


def _holders(nodes: dict[int, _Node]) -> set[int]:
    """Return which containers have a ref somewhere inside."""
    outer: dict[int, list[int]] = {}
    for key, node in nodes.items():
        for item in node.inner:
            outer.setdefault(id(item), []).append(key)
    todo = [key for key, node in nodes.items() if node.has_refs]
    found = set(todo)
    while todo:
        around = [key for key in outer.get(todo.pop(), ()) if key not in found]
        found.update(around)
        todo += around
    return found


def _inner(node: _Node, holders: set[int]) -> list[Any]:
    return [item for item in reversed(node.inner) if id(item) in holders]


def _replaced(node: _Node, made: dict[int, Any], kinds: StandIns) -> Any:
    """Return a container like that of `node`, with values for refs and for what holds refs."""
    items = [
        _stood_for(item) if isinstance(item, kinds) else made.get(id(item), item)
        for item in node.parts
    ]
    like = node.container
    if isinstance(like, dict):
        half = len(items) // 2
        return _refill(like, zip(items[:half], items[half:], strict=True))
    return type(like)(*items) if hasattr(like, "_fields") else type(like)(items)


def _loop(path: list[Any], nodes: dict[int, _Node]) -> Unhashable:
    steps = "".join(
        _step(nodes[id(around)], item) for around, item in itertools.pairwise(path[:_STEPS])
    )
    kind = type(path[-1])
    return Unhashable(
        f"{kind.__module__}.{kind.__qualname__}",
        steps if len(path) <= _STEPS else f"{steps}...",
        "it is inside itself and holds refs, which cannot be replaced there",
    )


_STEPS = 10


def _step(node: _Node, item: Any) -> str:
    number = next(n for n, part in enumerate(node.parts) if part is item)
    if not isinstance(node.container, dict):
        return f"[{number}]"
    keys = len(node.parts) // 2
    return ".keys()" if number < keys else f"[{_short(node.parts[number - keys])}]"


def _refill(like: Any, pairs: Any) -> Any:
    if hasattr(like, "default_factory"):
        return type(like)(like.default_factory, pairs)
    return type(like)(pairs)


def _short(value: object) -> str:
    text = repr(value)
    return text if len(text) <= 60 else f"{text[:57]}..."
