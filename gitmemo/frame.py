"""Computation frames: calls as one table, joined along the values that flowed between them.

Pure algebra over calls; it never sees a store. Invariant: edges are keyed by
(call, argument) and history, so equal raw values in two roles never meet, and
the table depends on the set of calls alone, not on their order.
"""

from __future__ import annotations

import warnings
from collections import Counter, defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from typing import TYPE_CHECKING, Any, Literal, NamedTuple, TypeAlias

from gitmemo.errors import GitmemoError
from gitmemo.hashing.digest import Digest
from gitmemo.model.facts import Call, Slot
from gitmemo.model.items import histories
from gitmemo.model.names import number_of_output
from gitmemo.quantities import count
from gitmemo.ref import Loader, Ref, at_hand, ref_to

if TYPE_CHECKING:
    import pandas as pd

Cell: TypeAlias = "tuple[Slot, ...]"
"""The values of one column in one row, several where several calls led to the row."""

Makers: TypeAlias = "Mapping[Digest, tuple[Call, Slot]]"
"""Which call made the values of a history, and as what; those in a collection too."""


COMMITTED_LATER = "committed_later"
"""The column that tables have where calls were committed after the revision that is looked at."""


class Variable(NamedTuple):
    """A role that values play: what an op returns, or an argument that comes from outside."""

    produced: bool
    op: str
    name: str


@dataclass(frozen=True)
class Table:
    """Columns in the order of the computation, and one row per final call.

    Attributes:
        later: The rows whose final call was committed after the revision that is looked at.
    """

    columns: tuple[str, ...]
    rows: tuple[Mapping[str, Cell], ...]
    later: frozenset[int] = frozenset()

    @property
    def later_column(self) -> str | None:
        """What the column is called that says which rows are `later`; None if there are none."""
        if not self.later:
            return None
        name = COMMITTED_LATER
        while name in self.columns:
            name += "_"
        return name


@dataclass(frozen=True)
class ComputationFrame:
    """Calls, and everything that can be asked of them as a table.

    Attributes:
        universe: The calls among which expansion looks.
        selected: Those that are part of the frame.
        loader: Where values are loaded from when a table wants them.
        later: Calls that tables mark: they were committed after the revision that is looked at.
    """

    universe: tuple[Call, ...]
    selected: frozenset[Digest]
    loader: Loader | None = field(default=None, repr=False)
    later: frozenset[Digest] = field(default=frozenset(), repr=False)

    @cached_property
    def calls(self) -> tuple[Call, ...]:
        """The calls of the frame."""
        return tuple(call for call in self.universe if call.hid in self.selected)

    def __len__(self) -> int:
        return len(self.calls)

    # --- expansion -------------------------------------------------------

    def expand_back(self) -> ComputationFrame:
        """Return the frame with all calls that its inputs came from, however far back."""
        return self._grown(self.selected | self._reachable(self._feeds_back))

    def expand_forward(self) -> ComputationFrame:
        """Return the frame with all calls that used its outputs, however far on, and their inputs' calls."""
        forward = self._grown(self.selected | self._reachable(self._feeds_forward))
        return forward.expand_back()

    def expand_all(self) -> ComputationFrame:
        """Return the frame with every call that is connected to it."""

        def both(call: Call) -> Iterator[Call]:
            yield from self._feeds_back(call)
            yield from self._feeds_forward(call)

        return self._grown(self.selected | self._reachable(both))

    def _grown(self, selected: frozenset[Digest]) -> ComputationFrame:
        return ComputationFrame(self.universe, selected, self.loader, self.later)

    def _reachable(self, neighbours: Any) -> frozenset[Digest]:
        seen: set[Digest] = set()
        todo = list(self.calls)
        while todo:
            call = todo.pop()
            for other in neighbours(call):
                if other.hid not in seen:
                    seen.add(other.hid)
                    todo.append(other)
        return frozenset(seen)

    def _feeds_back(self, call: Call) -> Iterator[Call]:
        for slot in call.inputs:
            yield from _feeding(slot, self._makers)

    def _feeds_forward(self, call: Call) -> Iterator[Call]:
        for slot in call.outputs:
            for hid in histories(slot):
                yield from self._users.get(hid, ())

    @cached_property
    def _makers(self) -> Makers:
        return _makers_of(self.universe)

    @cached_property
    def _users(self) -> dict[Digest, list[Call]]:
        users: dict[Digest, list[Call]] = defaultdict(list)
        for call in self.universe:
            for slot in call.inputs:
                for hid in histories(slot):
                    users[hid].append(call)
        return users

    # --- tables ----------------------------------------------------------

    def table(self) -> Table:
        """Return one row per call whose outputs no other call of the frame used.

        A row holds that call's arguments and results and those of all calls
        that led to it.
        """
        makers = _makers_of(self.calls)
        used = {hid for call in self.calls for slot in call.inputs for hid in histories(slot)}
        final = [
            call
            for call in self.calls
            if not any(hid in used for slot in call.outputs for hid in histories(slot))
        ]
        rows = [_row(call, makers) for call in final]
        order = _variables(self.calls, makers)
        names = _names(order, rows, self.calls, makers)
        columns = tuple(dict.fromkeys(names[variable] for variable in order))
        named = [_named(row, names, columns) for row in rows]
        kept = _without_repetitions(final, named)
        later = frozenset(n for n, (call, _) in enumerate(kept) if call.hid in self.later)
        return Table(columns, tuple(row for _, row in kept), later)

    def df(self, *, values: Literal["inline", "refs", "objs"] = "inline") -> pd.DataFrame:
        """Return the table as a pandas frame, one row per final call.

        Args:
            values: `inline`: plain small values, and refs for the rest; `refs`: refs only;
                `objs`: every value loaded; one that cannot be read stays a ref, with a warning.

        A frame of a revision has a last column of booleans, `committed_later`, if some rows were
        computed with the revision's code but committed after it.
        """
        import pandas as pd

        table = self.table()
        # All that is not on this machine comes in one go.
        with at_hand(self._refs(table) if values == "objs" else None):
            data = {
                name: [self._cell(row.get(name, ()), values) for row in table.rows]
                for name in table.columns
            }
        mark = table.later_column
        marks = {} if mark is None else {mark: [n in table.later for n in range(len(table.rows))]}
        return pd.DataFrame({**data, **marks}, columns=[*table.columns, *marks])

    def _refs(self, table: Table) -> list[Ref[Any]]:
        if self.loader is None:
            return []
        slots = (slot for row in table.rows for cell in row.values() for slot in cell)
        return [ref_to(slot, self.loader) for slot in slots]

    def _cell(self, cell: Cell, values: str) -> object:
        shown = [self._shown(slot, values) for slot in cell]
        return None if not shown else shown[0] if len(shown) == 1 else shown

    def _shown(self, slot: Slot, values: str) -> object:
        if self.loader is None:
            return slot.inline.json if slot.inline else None
        ref = ref_to(slot, self.loader)
        if values == "inline" and slot.inline is not None:
            return ref.unwrap()
        return _loaded(ref) if values == "objs" else ref

    def __repr__(self) -> str:
        ops = ", ".join(sorted({call.op for call in self.calls}))
        return f"ComputationFrame({count(len(self.calls), 'call')} of {ops or 'nothing'})"


def _loaded(ref: Ref[Any]) -> object:
    """Return the value of `ref`; the ref itself where it cannot be read, so that one does not cost all."""
    try:
        return ref.unwrap()
    except GitmemoError as error:
        warnings.warn(f"{ref!r} stays a ref: {error.problem()}", stacklevel=6)
        return ref


def _makers_of(calls: Iterable[Call]) -> Makers:
    """Return which output the values of each history are, or are in."""
    return {hid: (call, slot) for call in calls for slot in call.outputs for hid in histories(slot)}


def _feeding(slot: Slot, makers: Makers) -> Iterator[Call]:
    """Yield the calls that an argument, or what is in it, came from."""
    for hid in histories(slot):
        if hid in makers:
            yield makers[hid][0]


def _role(call: Call, slot: Slot, makers: Makers) -> Variable:
    """Return the role of an argument: only a whole output is the same column as that output."""
    if slot.hid in makers:
        maker, output = makers[slot.hid]
        if output.hid == slot.hid:
            return Variable(True, maker.op, output.name)
    return Variable(False, call.op, slot.name)


def _row(final: Call, makers: Makers) -> dict[Variable, dict[Digest, Slot]]:
    """Return what led to `final`: for each variable its values, by history."""
    cells: dict[Variable, dict[Digest, Slot]] = defaultdict(dict)
    seen, todo = {final.hid}, [final]
    while todo:
        call = todo.pop()
        for slot in call.outputs:
            cells[Variable(True, call.op, slot.name)][slot.hid] = slot
        before: list[Call] = []
        for slot in call.inputs:
            role = _role(call, slot, makers)
            if not role.produced:
                cells[role][slot.hid] = slot
            for maker in _feeding(slot, makers):
                if maker.hid not in seen:
                    seen.add(maker.hid)
                    before.append(maker)
        todo += reversed(before)  # so that the elements of a list stand in its order
    return cells


def _variables(calls: Sequence[Call], makers: Makers) -> list[Variable]:
    """Return the variables in the order of the computation: an op's arguments, then its results."""
    depth: dict[str, int] = {call.op: 0 for call in calls}
    feeds: set[tuple[str, str]] = {
        (maker.op, call.op)
        for call in calls
        for slot in call.inputs
        for maker in _feeding(slot, makers)
    }
    for _ in range(len(depth)):  # longest path; a cycle of ops stops at the number of ops
        for before, after in feeds:
            if before != after:
                depth[after] = max(depth[after], min(depth[before] + 1, len(depth)))
    found: dict[Variable, tuple[int, str, int, int]] = {}
    for call in calls:
        for position, slot in enumerate(call.inputs):
            role = _role(call, slot, makers)
            if not role.produced:
                found.setdefault(role, (depth[call.op], call.op, 0, position))
        for position, slot in enumerate(call.outputs):
            role = Variable(True, call.op, slot.name)
            found.setdefault(role, (depth[call.op], call.op, 1, position))
    return sorted(found, key=lambda variable: (found[variable], variable))


def _names(
    variables: Sequence[Variable],
    rows: Sequence[Mapping[Variable, Mapping[Digest, Slot]]],
    calls: Sequence[Call],
    makers: Makers,
) -> dict[Variable, str]:
    """Return the column of each variable: its plain name where that is clear, else with its op."""
    consumers: dict[Variable, set[str]] = defaultdict(set)
    for call in calls:
        for slot in call.inputs:
            role = _role(call, slot, makers)
            if role.produced:
                consumers[role].add(slot.name)
    plain = {variable: _plain_name(variable, consumers[variable]) for variable in variables}
    sharing: dict[str, list[Variable]] = defaultdict(list)
    for variable, name in plain.items():
        sharing[name].append(variable)
    named = {
        variable: name if _agree(sharing[name], rows) else f"{_short(variable.op)}.{variable.name}"
        for variable, name in plain.items()
    }
    qualified = Counter(name for variable, name in named.items() if name != plain[variable])
    return {  # of two ops with one short name only the full names tell which is which
        variable: f"{variable.op}.{variable.name}" if qualified[name] > 1 else name
        for variable, name in named.items()
    }


def _plain_name(variable: Variable, consumers: Iterable[str]) -> str:
    number = number_of_output(variable.name) if variable.produced else None
    if number is None:
        return variable.name
    used_as = sorted(consumers)
    if used_as:
        return used_as[0]
    return _short(variable.op) if number == "0" else f"{_short(variable.op)}_{number}"


def _agree(
    variables: Sequence[Variable], rows: Sequence[Mapping[Variable, Mapping[Digest, Slot]]]
) -> bool:
    """Whether variables of one name are arguments that always have the same value in a row."""
    if len(variables) == 1:
        return True
    if any(variable.produced for variable in variables):
        return False
    return all(
        len({slot.cid for variable in variables for slot in row.get(variable, {}).values()}) <= 1
        for row in rows
    )


def _named(
    row: Mapping[Variable, Mapping[Digest, Slot]],
    names: Mapping[Variable, str],
    columns: Sequence[str],
) -> dict[str, Cell]:
    cells: dict[str, dict[Digest, Slot]] = {name: {} for name in columns}
    for variable, slots in row.items():
        cells[names[variable]].update(slots)
    return {name: tuple(slots.values()) for name, slots in cells.items() if slots}


def _without_repetitions(
    final: Sequence[Call], rows: Sequence[Mapping[str, Cell]]
) -> list[tuple[Call, Mapping[str, Cell]]]:
    """Return the calls and rows but for links that repeat what another row shows.

    A link is the same result under another history, not another result.
    """
    shown = {_contents(row) for call, row in zip(final, rows, strict=True) if not call.is_link}
    kept: list[tuple[Call, Mapping[str, Cell]]] = []
    for call, row in zip(final, rows, strict=True):
        contents = _contents(row)
        if call.is_link and contents in shown:
            continue
        shown.add(contents)
        kept.append((call, row))
    return kept


def _contents(row: Mapping[str, Cell]) -> tuple[tuple[str, tuple[Digest, ...]], ...]:
    return tuple((name, tuple(slot.cid for slot in cell)) for name, cell in row.items())


def _short(op: str) -> str:
    return op.rpartition(":")[2].rpartition(".")[2]
