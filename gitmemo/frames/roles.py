"""Roles: which variable each input and output of a frame's calls is, before anybody names them.

Not names (`naming`) and not rows (`rows`). Invariant: a role follows from the calls of the frame
alone, and never from what a value is: equal values in two roles stay two.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping, Sequence
from functools import cached_property
from operator import attrgetter, itemgetter
from typing import NamedTuple, TypeAlias

from gitmemo.frames.universe import Hids, Universe
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


class Roles:
    """The roles in the calls `selected` of a universe; `parts` says which were split off."""

    def __init__(self, universe: Universe, selected: Hids, parts: Mapping[Digest, str]) -> None:
        self._universe, self._selected, self._parts = universe, selected, parts
        self._known: dict[tuple[bool, str, str, str], Variable] = {}

    def function(self, call: Call) -> Function:
        """Return the function that a call is of."""
        return Function(call.op, self._parts.get(call.hid, ""))

    @cached_property
    def order(self) -> list[Call]:
        """The calls, each after those that its inputs came from."""
        return self._universe.in_order(self._selected)

    @cached_property
    def before(self) -> Mapping[Digest, tuple[Call, ...]]:
        """For each call those of the frame that its inputs came from."""
        feeding, selected = self._universe.feeding, self._selected
        if len(selected) == len(self._universe.calls):
            return feeding
        return {
            hid: tuple([maker for maker in feeding[hid] if maker.hid in selected])
            for hid in selected
        }

    @cached_property
    def after(self) -> Mapping[Digest, Sequence[Call]]:
        """For each call those of the frame that used what it returned."""
        using, selected = self._universe.using, self._selected
        if len(selected) == len(self._universe.calls):
            return using
        return {
            hid: [user for user in using.get(hid, ()) if user.hid in selected] for hid in selected
        }

    def maker(self, hid: Digest) -> Call | None:
        """Return the call of the frame that made the value of a history, or what it is in."""
        made = self._universe.makers.get(hid)
        return made[0] if made is not None and made[0].hid in self._selected else None

    @cached_property
    def finals(self) -> list[Call]:
        """The calls whose results no other call of the frame used, in their order."""
        used = {maker.hid for hid in self._selected for maker in self.before[hid]}
        return [call for call in self._universe.calls if self._is_final(call.hid, used)]

    def _is_final(self, hid: Digest, used: set[Digest]) -> bool:
        return hid in self._selected and hid not in used

    @cached_property
    def takes(self) -> Mapping[Variable, Mapping[Function, frozenset[str]]]:
        """Which arguments of which functions a variable is, whole, not inside a collection."""
        found: dict[Variable, dict[Function, set[str]]] = defaultdict(lambda: defaultdict(set))
        for call in self.order:
            for slot, source in zip(call.inputs, self._sources[call.hid], strict=True):
                if source is not None:
                    found[source][self.function(call)].add(slot.name)
        return {
            variable: {function: frozenset(names) for function, names in users.items()}
            for variable, users in found.items()
        }

    def source(self, slot: Slot) -> Variable | None:
        """Return the variable that an argument is, if a call of the frame returned it as it is."""
        if slot.is_raw:
            return None
        made = self._universe.makers.get(slot.hid)
        if made is None or made[0].hid not in self._selected or made[1].hid != slot.hid:
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
        return frozenset(
            (variable, function)
            for variable, users in self.takes.items()
            for function, names in users.items()
            if len(names) > 1
        )

    @cached_property
    def cells(self) -> Mapping[Digest, Cells]:
        """What each call adds to a row: arguments from outside, what is doubled, results."""
        doubled, sources, variable = self.doubled, self._sources, self._variable
        found: dict[Digest, Cells] = {}
        for call in self.order:
            cells: Cells = []
            for slot, source in zip(call.inputs, sources[call.hid], strict=True):
                if source is None or (doubled and (source, self.function(call)) in doubled):
                    cells.append((variable(False, call, slot.name), slot))
            for slot in call.outputs:
                cells.append((variable(True, call, slot.name), slot))
            found[call.hid] = cells
        return found

    @cached_property
    def _sources(self) -> Mapping[Digest, list[Variable | None]]:
        source = self.source
        return {call.hid: [source(slot) for slot in call.inputs] for call in self.order}

    @cached_property
    def ports(self) -> Mapping[Variable, tuple[Variable, ...]]:
        """For each doubled variable the columns that its values stand in, too."""
        found: dict[Variable, list[Variable]] = defaultdict(list)
        for variable, function in sorted(self.doubled):
            for name in sorted(self.takes[variable][function]):
                found[variable].append(Variable(False, function, name))
        return {variable: tuple(ports) for variable, ports in found.items()}

    @cached_property
    def depths(self) -> Mapping[Function, int]:
        """How many functions come before each, on the longest way; a cycle counts once around."""
        depth = {self.function(call): 0 for call in self.order}
        feeds = {
            (self.function(maker), self.function(call))
            for call in self.order
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
        looks: set[tuple[object, ...]] = set()
        for call in self.order:
            cells = self.cells[call.hid]
            look = (*map(itemgetter(0), cells), *map(attrgetter("name"), call.inputs))
            if look in looks:
                continue
            looks.add(look)
            function = self.function(call)
            at = (depths[function], function)
            places = {slot.name: place for place, slot in enumerate(call.inputs)}
            outputs = {slot.name: place for place, slot in enumerate(call.outputs)}
            for variable, _ in cells:
                place = (outputs if variable.produced else places)[variable.name]
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
