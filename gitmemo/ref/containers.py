"""Containers with refs in them: lists, tuples, dicts, sets, and kinds of these.

Not collections that an op returned (`collections`). Invariant: types, order and
shared parts are kept, and what holds no refs is handed on as it is.
"""

from __future__ import annotations

import itertools
import types
from collections import OrderedDict, defaultdict
from collections.abc import Callable, Collection, Iterator
from contextlib import contextmanager, suppress
from contextvars import ContextVar
from typing import Any, TypeAlias

from gitmemo.codecs.fingerprint import fingerprint
from gitmemo.errors import RefInside, Unhashable
from gitmemo.hashing.digest import Digest
from gitmemo.hashing.encoding import Encoder
from gitmemo.hashing.registry import exact
from gitmemo.ref.atoms import IMMUTABLE, Ref, in_place, shortened

StandIns: TypeAlias = tuple[type, ...]
"""Kinds of objects that stand for another value, which their `unwrap` returns."""


def unwrap_all(value: Any, kinds: StandIns = (Ref,)) -> Any:
    """Return `value` with every ref inside lists, tuples, dicts and sets replaced by its value.

    Containers without refs are returned as they are; types and shared parts are kept.
    `kinds` says what is replaced.

    Raises:
        Unhashable: A container holds both itself and refs.
    """
    if not isinstance(value, _CONTAINERS) or _at_hand.get() is not None:
        return map_refs(value, _stood_for, kinds)
    with at_hand(value):
        return map_refs(value, _stood_for, kinds)


_at_hand: ContextVar[object] = ContextVar("at_hand", default=None)


@contextmanager
def at_hand(value: object) -> Iterator[None]:
    """Say that the refs in `value` are about to be unwrapped, all of them."""
    token = _at_hand.set(value)
    try:
        yield
    finally:
        _at_hand.reset(token)


def contents_at_hand() -> set[Digest]:
    """Return the content ids of the refs about to be unwrapped whose values are not at hand."""
    found: set[Digest] = set()

    def note(ref: Any) -> Any:
        if isinstance(ref, Ref) and not ref.in_memory and ref._inline is None and ref._loader:
            found.add(ref._cid)
        return ref

    map_refs(_at_hand.get(), note)
    return found


def _stood_for(stand_in: Any) -> Any:
    return stand_in.unwrap()


class StandIn:
    """What is hashed in the place of a ref that the body gets the value of."""

    __slots__ = ("ref",)

    def __init__(self, ref: Ref[Any]) -> None:
        self.ref = ref


@exact(StandIn)
def _as_its_value(encoder: Encoder, stand_in: StandIn) -> bytes:
    return in_place(encoder, stand_in.ref)


def stand_ins(value: Any) -> Any:
    """Return `value` as it is hashed: refs inside containers count as their values, unloaded.

    Equal refs in a set stay two items.
    """
    return map_refs(value, StandIn)


def map_refs(value: Any, change: Callable[[Any], Any], kinds: StandIns = (Ref,)) -> Any:
    """Return `value` with every ref inside lists, tuples, dicts and sets changed."""
    if isinstance(value, kinds):
        return change(value)

    def replaced(node: Node, made: dict[int, Any]) -> Any:
        return node.like(
            [
                change(item) if isinstance(item, kinds) else made.get(id(item), item)
                for item in node.parts
            ]
        )

    return fold(value, replaced, value, kinds)


def fold(
    value: Any,
    combine: Callable[[Node, dict[int, Any]], Any],
    plain: Any,
    kinds: StandIns = (Ref,),
) -> Any:
    """Return what `combine` makes of a container, and before of every container in it, with refs.

    `combine` gets what was made of the containers inside by their `id`. `plain` is returned for
    what holds no refs.

    Raises:
        Unhashable: A container holds both itself and refs.
    """
    if not isinstance(value, _CONTAINERS) or _is_flat(value):
        return plain
    nodes = _explore(value, kinds)
    holders = _holders(nodes)
    if id(value) not in holders:
        return plain
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
            made[id(done)] = combine(nodes[id(done)], made)
        elif id(below) in entered:
            raise _loop([*path, below], nodes)
        elif id(below) not in made:
            path.append(below)
            entered.add(id(below))
            left.append(_inner(nodes[id(below)], holders))
    return made[id(value)]


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
_BASES = (*_CONTAINERS, OrderedDict, defaultdict)


class Node:
    """A container, and what it holds as far as it matters.

    Attributes:
        parts: Its items, or a dict's keys and then its values; empty if all are plain.
        inner: The containers among them.
    """

    __slots__ = ("container", "has_refs", "inner", "parts")

    def __init__(self, container: Any, stand_ins: StandIns) -> None:
        self.container = container
        groups = _groups(container)
        # One look at every type, not one at every item: most hold thousands of plain ones.
        kinds = set().union(*(map(type, group) for group in groups))
        nested = {kind for kind in kinds if issubclass(kind, _CONTAINERS)}
        self.has_refs = any(issubclass(kind, stand_ins) for kind in kinds)
        self.parts: list[Any] = []
        if nested or self.has_refs:
            self.parts = [item for group in groups for item in group]
        self.inner = [item for item in self.parts if type(item) in nested]

    @property
    def keys(self) -> list[Any]:
        """A dict's keys, if there are parts."""
        return self.parts[: len(self.parts) // 2] if isinstance(self.container, dict) else []

    def like(self, parts: list[Any]) -> Any:
        """Return a container like this one with other parts."""
        return like(self.container, parts)


def like(container: Any, parts: list[Any]) -> Any:
    """Return a container of the same type and attributes with other items.

    A dict's `parts` are its keys and then its values. Nothing that a subclass overrides is asked:
    its constructor or `extend` may do with the items what it wants.

    Raises:
        RefInside: Its type, made in C, lets nobody else make one.
    """
    kind = type(container)
    base = _base(kind)
    fixed = base in (tuple, frozenset)
    if kind is base and fixed:
        return base(parts)
    try:
        made = base.__new__(kind, parts) if fixed else base.__new__(kind)
    except TypeError as error:
        raise RefInside(kind.__qualname__, "", f"its items cannot be replaced: {error}") from None
    if issubclass(base, dict):
        half = len(parts) // 2
        for key, item in zip(parts[:half], parts[half:], strict=True):
            base.__setitem__(made, key, item)
    elif base is set:
        set.update(made, parts)
    elif base is list:
        list.extend(made, parts)
    _carry(container, made, base)
    return made


def _base(kind: type) -> Any:
    """Return the type whose methods reach the items of a container, whatever `kind` overrides."""
    return next(base for base in kind.__mro__ if base in _BASES)


def _carry(old: Any, new: Any, base: type) -> None:
    """Give a container the attributes of another one of its type."""
    if base is defaultdict:
        factory: Any = defaultdict.__dict__["default_factory"]
        factory.__set__(new, factory.__get__(old))
    if type(old) is base:
        return
    with suppress(TypeError):  # it has no `__dict__`
        vars(new).update(vars(old))
    for kind in type(old).__mro__:
        members = vars(kind).values() if "__slots__" in vars(kind) else ()
        for member in members:
            if isinstance(member, types.MemberDescriptorType):
                with suppress(AttributeError):
                    member.__set__(new, member.__get__(old))


def _groups(container: Any) -> tuple[Collection[Any], ...]:
    """Return the items, or the keys and the values, past whatever a subclass overrides."""
    kind = type(container)
    if isinstance(container, dict):
        base = _base(kind)
        return base.keys(container), base.values(container)
    if kind in _CONTAINERS:
        return (container,)
    return (tuple(_base(kind).__iter__(container)),)


def _explore(value: Any, kinds: StandIns, *, until_ref: bool = False) -> dict[int, Node]:
    """Return every container in `value` by `id`, itself included."""
    nodes: dict[int, Node] = {}
    todo = [value]
    while todo:
        container = todo.pop()
        if id(container) not in nodes:
            node = nodes[id(container)] = Node(container, kinds)
            if until_ref and node.has_refs:
                break
            todo += node.inner
    return nodes


def _holders(nodes: dict[int, Node]) -> set[int]:
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


def _inner(node: Node, holders: set[int]) -> list[Any]:
    return [item for item in reversed(node.inner) if id(item) in holders]


def _loop(path: list[Any], nodes: dict[int, Node]) -> Unhashable:
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


def _step(node: Node, item: Any) -> str:
    number = next(n for n, part in enumerate(node.parts) if part is item)
    if not isinstance(node.container, dict):
        return f"[{number}]"
    keys = len(node.parts) // 2
    return ".keys()" if number < keys else f"[{shortened(node.parts[number - keys])}]"
