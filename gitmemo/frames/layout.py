"""What people did to the look of a frame: names, variables left out, functions split.

Not which calls it has (`frame`). Invariant: nothing here changes what is connected to what; two
layouts combine into one that does not depend on their order, or not at all.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from typing import TypeVar

from gitmemo.errors import FramesDiffer
from gitmemo.frames.roles import Function, Variable
from gitmemo.hashing.digest import Digest

K = TypeVar("K")
V = TypeVar("V")


@dataclass(frozen=True, slots=True)
class Layout:
    """How the roles of a frame are shown.

    Attributes:
        names: What people called variables; several of one name are one.
        functions: What people called functions.
        hidden: Variables that are left out.
        parts: Which calls were split off from the others of their op, and what that part is called.
        shown: What is shown instead of the values of variables: the result of a function, by name.
        sorted_by: The columns that rows are sorted by, and whether upwards.
    """

    names: Mapping[Variable, str] = field(default_factory=dict)
    functions: Mapping[Function, str] = field(default_factory=dict)
    hidden: frozenset[Variable] = frozenset()
    parts: Mapping[Digest, str] = field(default_factory=dict)
    shown: Mapping[str, Callable[[object], object]] = field(default_factory=dict)
    sorted_by: tuple[tuple[str, bool], ...] = ()

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
            shown={**other.shown, **self.shown},
            sorted_by=self.sorted_by or other.sorted_by,
        )


def _both(one: Mapping[K, V], other: Mapping[K, V], what: str) -> Mapping[K, V]:
    for key in sorted(one.keys() & other.keys(), key=repr):
        if one[key] != other[key]:
            raise FramesDiffer(what, str(one[key]), str(other[key]))
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
