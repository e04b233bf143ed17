"""Roles: which variable each input and output of a frame's calls is, before anybody names them.

Not names (`naming`) and not rows (`rows`). Invariant: a role follows from the calls of the frame
alone, and never from what a value is: equal values in two roles stay two.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping, Sequence
from functools import cached_property
from typing import NamedTuple, TypeAlias

from gitmemo.collector import uncollected
from gitmemo.frames.universe import Universe
from gitmemo.hashing.digest import Digest
from gitmemo.model.facts import Call, Slot


class Function(NamedTuple):
    """The calls of an op, or a part of them.

    Attributes:
        part: What part, where somebody split them.
    """

    op: str
    part: str = ""


class Variable(NamedTuple):
    """A role that values play.

    Attributes:
        produced: Whether it is what a function returns; else an argument from outside the frame,
            or one that stands alone because its function takes several from one variable.
        function: Who returns it, or whose argument it is.
        name: The name of the output or of the argument.
    """

    produced: bool
    function: Function
    name: str


Cells: TypeAlias = "list[tuple[Variable, Slot]]"


class _Shape:
    """Calls of one function with the same names, whose arguments came from the same variables."""

    __slots__ = ("example", "function", "sources")

    def __init__(
        self, function: Function, example: Call, sources: tuple[Variable | None, ...]
    ) -> None:
        self.function, self.example, self.sources = function, example, sources


class Roles:
    """The roles in the calls of a frame; `parts` says which were split off."""

    def __init__(
        self,
        inside: Universe,
        parts: Mapping[Digest, str],
        doubled: frozenset[tuple[Variable, Function]] = frozenset(),
    ) -> None:
        """`doubled` are variables that are several arguments in the frame that this is a part of."""
        self._inside, self._parts, self._doubled = inside, parts, doubled
        self._known: dict[tuple[bool, str, str, str], Variable] = {}

    def function(self, call: Call) -> Function:
        """Return the function that a call is of."""
        return Function(call.op, self._parts.get(call.hid, ""))

    @cached_property
    def order(self) -> list[Call]:
        """The calls, each after those that its inputs came from."""
        return self._inside.in_order(self._inside.hids)

    @property
    def before(self) -> Mapping[Digest, tuple[Call, ...]]:
        """For each call those of the frame that its inputs came from."""
        return self._inside.feeding

    @property
    def after(self) -> Mapping[Digest, Sequence[Call]]:
        """For each call those of the frame that used what it returned."""
        return self._inside.using

    def maker(self, hid: Digest) -> Call | None:
        """Return the call of the frame that made the value of a history, or what it is in."""
        made = self._inside.makers.get(hid)
        return made[0] if made is not None else None

    @cached_property
    def finals(self) -> list[Call]:
        """The calls whose results no other call of the frame used, in their order."""
        used = {maker.hid for makers in self.before.values() for maker in makers}
        return [call for call in self._inside.calls if call.hid not in used]

    @cached_property
    @uncollected()
    def _shapes(self) -> Mapping[Digest, _Shape]:
        """What each call has in common with others of its function: names, and where arguments came from."""
        source, known = self.source, dict[tuple[object, ...], _Shape]()
        found: dict[Digest, _Shape] = {}
        for call in self.order:
            sources = [source(slot) for slot in call.inputs]
            key = (
                self._parts.get(call.hid, "") if self._parts else "",
                call.op,
                tuple([slot.name for slot in call.inputs]),
                tuple([slot.name for slot in call.outputs]),
                *map(id, sources),
            )
            shape = known.get(key)
            if shape is None:
                shape = known[key] = _Shape(self.function(call), call, tuple(sources))
            found[call.hid] = shape
        return found

    @cached_property
    def _distinct(self) -> list[_Shape]:
        return list(dict.fromkeys(self._shapes.values()))

    @cached_property
    def takes(self) -> Mapping[Variable, Mapping[Function, frozenset[str]]]:
        """Which arguments of which functions a variable is, whole, not inside a collection."""
        found: dict[Variable, dict[Function, set[str]]] = defaultdict(lambda: defaultdict(set))
        for shape in self._distinct:
            for slot, source in zip(shape.example.inputs, shape.sources, strict=True):
                if source is not None:
                    found[source][shape.function].add(slot.name)
        return {
            variable: {function: frozenset(names) for function, names in users.items()}
            for variable, users in found.items()
        }

    def source(self, slot: Slot) -> Variable | None:
        """Return the variable that an argument is, if a call of the frame returned it as it is."""
        if slot.is_raw:
            return None
        made = self._inside.makers.get(slot.hid)
        if made is None or made[1].hid != slot.hid:
            return None
        return self._variable(True, made[0], made[1].name)

    def argument(self, call: Call, slot: Slot) -> Variable:
        """Return the variable that an argument is: what was returned, or its own."""
        return self.source(slot) or self._variable(False, call, slot.name)

    def port(self, call: Call, slot: Slot) -> Variable:
        """Return the variable that an argument is on its own."""
        return self._variable(False, call, slot.name)

    def output(self, call: Call, slot: Slot) -> Variable:
        """Return the variable that a result is."""
        return self._variable(True, call, slot.name)

    @cached_property
    def doubled(self) -> frozenset[tuple[Variable, Function]]:
        """The variables that are several arguments of one function, with that function.

        Tables have a column for each such argument: `add(a, b)` of two results of one op.
        """
        return self._doubled | frozenset(
            (variable, function)
            for variable, users in self.takes.items()
            for function, names in users.items()
            if len(names) > 1
        )

    @cached_property
    @uncollected()
    def cells(self) -> Mapping[Digest, Cells]:
        """What each call adds to a row: arguments from outside, what is doubled, results."""
        plans = {shape: self._plan(shape) for shape in self._distinct}
        found: dict[Digest, Cells] = {}
        for call in self.order:
            inputs, outputs = call.inputs, call.outputs
            found[call.hid] = [
                (variable, outputs[place] if variable.produced else inputs[place])
                for variable, place in plans[self._shapes[call.hid]]
            ]
        return found

    def _plan(self, shape: _Shape) -> list[tuple[Variable, int]]:
        """Return what calls of a shape add to a row: variables, with their places in the call."""
        call = shape.example
        arguments = [
            (self._variable(False, call, slot.name), place)
            for place, (slot, source) in enumerate(zip(call.inputs, shape.sources, strict=True))
            if source is None or (source, shape.function) in self.doubled
        ]
        results = [
            (self._variable(True, call, slot.name), place)
            for place, slot in enumerate(call.outputs)
        ]
        return arguments + results

    @cached_property
    def ports(self) -> Mapping[Variable, tuple[Variable, ...]]:
        """For each doubled variable the columns that its values stand in, too."""
        found: dict[Variable, list[Variable]] = defaultdict(list)
        for variable, function in sorted(self.doubled):
            takes = self.takes.get(variable, {}).get(function, ())
            for name in sorted(takes):
                found[variable].append(Variable(False, function, name))
        return {variable: tuple(ports) for variable, ports in found.items()}

    @cached_property
    def depths(self) -> Mapping[Function, int]:
        """How many functions come before each, on the longest way; a cycle counts once around."""
        depth = {shape.function: 0 for shape in self._distinct}
        feeds = {
            (source.function, shape.function)
            for shape in self._distinct
            for source in shape.sources
            if source is not None
        }
        feeds |= {
            (self.function(maker), self.function(call))
            for call in self.order
            if any(slot.parts is not None or not slot.is_raw for slot in call.inputs)
            and None in self._shapes[call.hid].sources
            for maker in self.before[call.hid]
        }
        for _ in range(len(depth)):
            for first, then in sorted(feeds):
                if first != then:
                    depth[then] = max(depth[then], min(depth[first] + 1, len(depth)))
        return depth

    @cached_property
    def variables(self) -> list[Variable]:
        """All variables, in the order of the computation: a function's arguments, then its results."""
        depths = self.depths
        found: dict[Variable, tuple[int, Function, int, int]] = {}
        for shape in self._distinct:
            at = (depths[shape.function], shape.function)
            for variable, place in self._plan(shape):
                key = (*at, int(variable.produced), place)
                if variable not in found or key < found[variable]:
                    found[variable] = key
        return sorted(found, key=lambda variable: (found[variable], variable))

    def _variable(self, is_produced: bool, call: Call, name: str) -> Variable:
        part = self._parts.get(call.hid, "") if self._parts else ""
        key = (is_produced, call.op, part, name)
        known = self._known.get(key)
        if known is None:
            known = self._known[key] = Variable(is_produced, Function(call.op, part), name)
        return known
