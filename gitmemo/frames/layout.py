"""What people did to the look of a frame: names, variables left out, functions split.

Not which calls it has (`frame`). Invariant: nothing here changes what is connected to what; two
layouts combine into one that does not depend on their order, or not at all.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import TypeAlias, TypeVar

from gitmemo.errors import FramesDiffer
from gitmemo.frames.roles import Function, Variable
from gitmemo.hashing.digest import Digest

K = TypeVar("K")
V = TypeVar("V")

Key: TypeAlias = "Variable | str"
"""A variable; or the name of values that stand alone."""

Changes: TypeAlias = "tuple[Callable[[object], object], ...]"


@dataclass(frozen=True, slots=True)
class Layout:
    """How the roles of a frame are shown.

    Attributes:
        names: What people called variables; several of one name are one.
        functions: What people called functions.
        hidden: Variables that are left out.
        parts: Which calls were split off from the others of their op, and what that part is called.
        shown: What is shown instead of values: what functions return, one after the other.
        sorted_by: What rows are sorted by: what one column was, and whether upwards.
    """

    names: Mapping[Variable, str] = field(default_factory=dict)
    functions: Mapping[Function, str] = field(default_factory=dict)
    hidden: frozenset[Variable] = frozenset()
    parts: Mapping[Digest, str] = field(default_factory=dict)
    shown: Mapping[Key, Changes] = field(default_factory=dict)
    sorted_by: tuple[tuple[frozenset[Key], bool], ...] = ()

    def also(self, other: Layout, *, hidden: frozenset[Variable]) -> Layout:
        """Return both, with these variables left out.

        Raises:
            FramesDiffer: They call one thing by two names, or split a function in two ways.
        """
        return replace(
            self,
            names=_both(self.names, other.names, "call a variable"),
            functions=_both(self.functions, other.functions, "call a function"),
            hidden=hidden,
            parts=_both(self.parts, other.parts, "put a call into the part"),
            shown=_both(self.shown, other.shown, "show a variable as", _named),
            sorted_by=self._order_with(other),
        )

    def changes(self, keys: Sequence[Key]) -> Changes:
        """Return what is shown of the first of `keys` of which people said it."""
        return next((self.shown[key] for key in keys if key in self.shown), ())

    def also_for(self, name: str, keys: Collection[Key]) -> Layout:
        """Return the layout in which `keys` look as the values do that stand alone as `name`."""
        if name in self.shown:
            shown = {**self.shown, **dict.fromkeys(keys, self.shown[name])}
        else:
            shown = dict(self.shown)
        order = tuple(
            (found.union(keys) if name in found else found, up) for found, up in self.sorted_by
        )
        return replace(self, shown=shown, sorted_by=order)

    def called(self, names: Mapping[str, str]) -> Layout:
        """Return the layout with other names for values that stand alone."""

        def key_of(key: Key) -> Key:
            return names.get(key, key) if isinstance(key, str) else key

        shown = {key_of(key): changes for key, changes in self.shown.items()}
        order = tuple((frozenset(map(key_of, keys)), up) for keys, up in self.sorted_by)
        return replace(self, shown=shown, sorted_by=order)

    def _order_with(self, other: Layout) -> tuple[tuple[frozenset[Key], bool], ...]:
        one, two = self.sorted_by, other.sorted_by
        if one and two and one != two:
            raise FramesDiffer("are sorted by", _columns(one), _columns(two))
        return one or two


def _named(changes: Changes) -> str:
    return ", ".join(getattr(change, "__name__", repr(change)) for change in changes)


def _columns(order: tuple[tuple[frozenset[Key], bool], ...]) -> str:
    return ", ".join(
        min(key if isinstance(key, str) else key.name for key in keys) for keys, _ in order
    )


def _both(
    one: Mapping[K, V], other: Mapping[K, V], what: str, spelled: Callable[[V], str] = str
) -> Mapping[K, V]:
    for key in sorted(one.keys() & other.keys(), key=repr):
        if one[key] != other[key]:
            raise FramesDiffer(what, spelled(one[key]), spelled(other[key]))
    return {**one, **other}


@dataclass(frozen=True, slots=True)
class Whole:
    """What a frame is called and shows that others are cut from: its parts have the same columns.

    Attributes:
        names: Its variables in their order, with their names.
        functions: Its functions in their order, with their names.
        free: The names of its values that stood alone.
        doubled: The variables that are several arguments of one function, with that function.
        fed: The variables that are no nodes: arguments that a doubled one feeds alone.
    """

    names: Mapping[Variable, str]
    functions: Mapping[Function, str]
    free: tuple[str, ...]
    doubled: frozenset[tuple[Variable, Function]]
    fed: frozenset[Variable]
