"""What is in a frame: calls, the variables and functions that they form, and their names.

Not what can be made of it (`frame`). Invariant: edges are keyed by (call, argument) and history, so
equal raw values in two roles never meet; everything here follows from the calls and the layout.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, replace
from functools import cached_property

from gitmemo.errors import UnknownNode
from gitmemo.frames.backing import Backing, Node
from gitmemo.frames.layout import Key, Layout, Whole
from gitmemo.frames.naming import Spoken, function_names, nothing_spoken, variable_names
from gitmemo.frames.roles import Function, Roles, Variable
from gitmemo.frames.rows import Row, rows_of
from gitmemo.frames.twins import Twins, twins_among
from gitmemo.frames.universe import Hids, Universe, element
from gitmemo.hashing.digest import Digest
from gitmemo.model.facts import Call, Slot
from gitmemo.ref import Loader

_SHORTEST = 2
"""A name of one letter is no short form of all that begin with it."""


@dataclass(frozen=True, repr=False)
class FrameGraph:
    """Calls as a graph of functions and variables.

    Attributes:
        universe: The calls among which expansion looks.
        selected: The history ids of those that are part of the frame.
        backing: Where values are loaded from, and who knows of versions and commits.
        free: Values by name that no call of the frame was given or returned.
        layout: What people did to the look of it.
        later: Calls that tables mark: they were committed after the revision that is looked at.
        older: What tables say of the calls that do not count for the code, where such are part of it.
        left_out: What to say of an empty frame: which calls were meant, but do not count.
        spoken: Who knows what the user's program calls results.
        whole: What the frame shows that this one was cut from with all that led to its calls; None if
            none is known.
    """

    universe: Universe
    selected: Hids
    backing: Backing | None = field(default=None, compare=False)
    free: Mapping[str, tuple[Slot, ...]] = field(default_factory=dict)
    layout: Layout = field(default_factory=Layout)
    later: frozenset[Digest] = frozenset()
    older: Mapping[Digest, str] = field(default_factory=dict, compare=False)
    left_out: str = field(default="", compare=False)
    spoken: Spoken = field(default=nothing_spoken, compare=False)
    whole: Whole | None = field(default=None, compare=False)

    @property
    def loader(self) -> Loader | None:
        """Where values are loaded from."""
        return self.backing.loader if self.backing else None

    @cached_property
    def calls(self) -> tuple[Call, ...]:
        """The calls of the frame, in the order in which they ran."""
        return self.universe.only(self.selected).calls

    def __len__(self) -> int:
        return len(self.selected)

    @cached_property
    def roles(self) -> Roles:
        """Which variable each input and output is."""
        doubled = self.whole.doubled if self.whole else frozenset[tuple[Variable, Function]]()
        return Roles(self.universe.only(self.selected), self.layout.parts, doubled)

    @cached_property
    def rows(self) -> list[Row]:
        """What led to each final call."""
        return rows_of(self.roles, self.roles.finals)

    @cached_property
    def twins(self) -> Twins:
        """Calls, and what they returned, that are one result though they are stored as several."""
        return twins_among(self.universe, self.older)

    @cached_property
    def names(self) -> Mapping[Variable, str]:
        """The name of each variable; of one name are several that are one column."""
        if self.whole is not None:
            given = self.layout.names
            return {one: given.get(one, name) for one, name in self.whole.names.items()}
        return variable_names(self.roles, self.layout.names, lambda: self.rows, self.spoken)

    @cached_property
    def variables(self) -> Mapping[str, tuple[Variable, ...]]:
        """The variables by name, in the order of the computation; those on their own are left out."""
        alone = (*self.whole.free, *self.free) if self.whole else self.free
        found: dict[str, list[Variable]] = {name: [] for name in alone}
        for variable in self.names:
            if variable not in self.layout.hidden and variable not in self._fed:
                found.setdefault(self.names[variable], []).append(variable)
        return {name: tuple(variables) for name, variables in found.items()}

    @cached_property
    def _fed(self) -> frozenset[Variable]:
        """The arguments that a doubled variable feeds, and nothing from outside."""
        if self.whole is not None:
            return self.whole.fed
        ports = {port for ports in self.roles.ports.values() for port in ports}
        return frozenset(port for port in ports if not self._is_given(port))

    def _is_given(self, port: Variable) -> bool:
        """Whether an argument of a doubled variable also comes from outside."""
        return any(
            slot.name == port.name and self.roles.source(slot) is None
            for call in self._calls_of.get(port.function, ())
            for slot in call.inputs
        )

    @cached_property
    def functions(self) -> Mapping[str, Function]:
        """The functions by name, in the order of the computation: `f()` if a variable is called `f`."""
        depths = self.roles.depths
        usual = self.whole.functions if self.whole else function_names(depths)
        ordered = sorted(depths, key=lambda function: (depths[function], function))
        found: dict[str, Function] = {}
        for one in self.whole.functions if self.whole else ordered:
            name = self.layout.functions.get(one, usual[one])
            found[f"{name}()" if name in self.variables else name] = one
        return found

    @cached_property
    def as_whole(self) -> Whole:
        """What parts of this frame are to show as it does."""
        if self.whole is not None:
            return replace(self.whole, names=self.names)
        functions = {one: name.removesuffix("()") for name, one in self.functions.items()}
        return Whole(self.names, functions, tuple(self.free), self.roles.doubled, self._fed)

    def is_function(self, name: str) -> bool:
        """Whether a name means a function; `f()` always does."""
        return name not in self.variables and self._function(name) is not None

    def functions_in(self, names: Iterable[str]) -> set[Function]:
        """Return the functions that names mean, also where variables are called so, too."""
        return {found for name in names if (found := self._function(name)) is not None}

    def _function(self, name: str) -> Function | None:
        bare = name.removesuffix("()")
        return self.functions.get(f"{bare}()") or self.functions.get(bare)

    @cached_property
    def _calls_of(self) -> Mapping[Function, list[Call]]:
        found: dict[Function, list[Call]] = defaultdict(list)
        for call in self.calls:
            found[self.roles.function(call)].append(call)
        return found

    @property
    def vnames(self) -> list[str]:
        """The names of the variables."""
        return list(self.variables)

    @property
    def fnames(self) -> list[str]:
        """The names of the functions."""
        return list(self.functions)

    @property
    def nodes(self) -> list[str]:
        """The names of the variables and the functions."""
        return [*self.variables, *self.functions]

    def ops(self) -> list[str]:
        """Return the full names of the ops that the frame has calls of."""
        return sorted({call.op for call in self.calls})

    def calls_of(self, function: Node) -> list[Call]:
        """Return the calls of a function, in order."""
        return list(self._calls_of.get(self.function(function), ()))

    def function(self, name: Node) -> Function:
        """Return the function of an op, or of a name, with brackets or without.

        Raises:
            UnknownNode: There is none.
        """
        called = self._called(name)
        found = self._function(called)
        if found is None:
            raise self._unknown(called)
        return found

    def _called(self, node: Node) -> str:
        """Return the name of a node; of an op that of its function here."""
        if isinstance(node, str):
            return node
        op = self.backing.name_of(node) if self.backing else None
        for name, function in self.functions.items():
            if function.op == op:
                return name
        raise self._unknown(op or repr(node))

    @cached_property
    def _elements(self) -> Mapping[Variable, Mapping[Digest | str, Slot]]:
        found: dict[Variable, dict[Digest | str, Slot]] = defaultdict(dict)
        cells = self.roles.cells
        for call in self.calls:
            for variable, slot in cells[call.hid]:
                found[variable].setdefault(element(slot), slot)
        return found

    def elements(self, variable: str) -> list[Slot]:
        """Return the values of a variable, each history once, in the order in which they came up."""
        if variable not in self.variables:
            raise self._unknown(variable, tuple(self.vnames))
        found = {element(slot): slot for slot in self.free.get(variable, ())}
        for one in self.variables[variable]:
            found = (
                {**self._elements[one], **found} if not found else {**found, **self._elements[one]}
            )
        return list(found.values())

    def _unknown(self, name: str, known: tuple[str, ...] = ()) -> UnknownNode:
        known = known or tuple(self.nodes)
        asked = name.rpartition(":")[2]
        return UnknownNode(name, tuple(_close(asked, known)), known)

    @cached_property
    def _keys(self) -> Mapping[str, tuple[Key, ...]]:
        """By which keys the layout knows each column, the surest first.

        A variable has those of the arguments that it is, too: they are what is left of it where the
        calls that made it are gone, and what it was before these were there.
        """
        roles, found = self.roles, defaultdict[str, dict[Key, None]](dict)
        for name in self.free:
            found[name][name] = None
        for variable, name in self.names.items():
            takes = roles.takes.get(variable, {})
            ports = [Variable(False, f, one) for f in sorted(takes) for one in sorted(takes[f])]
            keys = [variable, *(port for port in ports if port not in self.names)]
            for key in keys:
                whole = key._replace(function=Function(key.function.op))
                found[name] |= {key: None, whole: None}
        return {name: tuple(keys) for name, keys in found.items()}

    def keys_of(self, column: str) -> tuple[Key, ...]:
        """Return by which keys the layout knows a column of the table."""
        return self._keys.get(column, ())

    def check_columns(self, names: Iterable[str]) -> None:
        """Raise UnknownNode for a name that no column of the table has."""
        known = {*self.free, *self.names.values()}
        for name in names:
            if name not in known:
                raise self._unknown(name, tuple(sorted(known)))

    def check_nodes(self, names: Iterable[Node]) -> list[str]:
        """Return names of variables and functions, given as such or as ops.

        Raises:
            UnknownNode: There is no such.
        """
        found = [self._called(name) for name in names]
        for name in found:
            if name not in self.variables and not self.is_function(name):
                raise self._unknown(name)
        return found


def _close(asked: str, known: tuple[str, ...]) -> list[str]:
    """Return the name that was perhaps meant: one spelt nearly so, or `acc` for `accuracy`."""
    longer = [one for one in known if one.startswith(asked) and asked]
    shorter = [one for one in known if asked.startswith(one) and len(one) >= _SHORTEST]
    begun = [*sorted(longer, key=len), *sorted(shorter, key=len, reverse=True)]
    import difflib  # only for names that are wrong

    return difflib.get_close_matches(asked, known, n=1) or begun[:1]
