"""Calls that differ as rows, with the columns of the tables of their ops.

Not which calls these are (`worlds`), nor how cells look (`cli.comparing`, `report`). Invariant: a row
has what the program was given, what the op was given, and what it returned, under the names that
a table of the op with all that led to it has; nothing is loaded.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from gitmemo.comparison.worlds import CallChange, Names
from gitmemo.frames import Cell, ComputationFrame, Universe
from gitmemo.frames.naming import asked_once
from gitmemo.frames.rows import Row, rows_of
from gitmemo.frames.universe import produced
from gitmemo.hashing.digest import Digest
from gitmemo.model.facts import Call
from gitmemo.versions.spoken import names_in_program
from gitmemo.workspace import View
from gitmemo.world.view import in_order


@dataclass(frozen=True, slots=True)
class ComparedCell:
    """What stands in one column of a row, in either world.

    Attributes:
        is_result: Whether it is what the call returned, in either world.
        old, new: The values; empty where a world has none.
    """

    name: str
    is_result: bool
    old: Cell
    new: Cell

    @property
    def differs(self) -> bool:
        """Whether the two worlds have something else there."""
        return [slot.cid for slot in self.old] != [slot.cid for slot in self.new]


@dataclass(frozen=True, slots=True)
class ComparedRow:
    """A call that differs, with its cells in the order of the computation."""

    change: CallChange
    cells: tuple[ComparedCell, ...]


def compared_rows(old: View, new: View, changes: Sequence[CallChange]) -> list[ComparedRow]:
    """Return the rows of `changes`, in their order; names are those that the newer program uses."""
    spoken = asked_once(names_in_program(new.world, new.project))
    names = Names.of(old, new)
    sides = _History(old, names), _History(new, names)
    by_op: dict[str, list[int]] = defaultdict(list)
    for place, change in enumerate(changes):
        by_op[change.call.op].append(place)
    found: dict[int, ComparedRow] = {}
    for op, places in by_op.items():
        several = [changes[place] for place in places]
        calls = {
            call.hid: call
            for side, ends in zip(sides, _ends(several), strict=True)
            for call in side.behind(ends)
        }
        universe = Universe(in_order(calls.values()))
        own = frozenset(call.hid for call in universe.calls if call.op == op)
        frame = ComputationFrame(universe, own, spoken=spoken).expand_back()
        found.update(zip(places, _rows(frame, several), strict=True))
    return [found[place] for place in range(len(changes))]


def _ends(changes: Iterable[CallChange]) -> tuple[list[Call], list[Call]]:
    several = list(changes)
    return [c.old for c in several if c.old], [c.new for c in several if c.new]


class _History:
    """Finds what led to calls of one world."""

    def __init__(self, view: View, names: Names) -> None:
        self._world, self._names = view.world, names
        self._makers: dict[Digest, Call | None] = {}

    def behind(self, calls: Iterable[Call]) -> Iterable[Call]:
        """Return `calls` with all that their inputs came from."""
        found = {call.hid: call for call in calls}
        todo = list(found.values())
        while todo:
            for slot in todo.pop().inputs:
                for maker in map(self._maker, produced(slot)):
                    if maker is not None and maker.hid not in found:
                        found[maker.hid] = maker
                        todo.append(maker)
        return found.values()

    def _maker(self, hid: Digest) -> Call | None:
        if hid not in self._makers:
            maker = self._world.creator(hid)
            self._makers[hid] = None if maker is None else self._names.call(maker)
        return self._makers[hid]


def _rows(frame: ComputationFrame, changes: Sequence[CallChange]) -> Iterable[ComparedRow]:
    before, after = _ends(changes)
    calls = list({call.hid: call for call in (*before, *after)}.values())
    rows = {
        call.hid: _named(frame, call, row)
        for call, row in zip(calls, rows_of(frame.roles, calls), strict=True)
    }
    order = {name: place for place, name in enumerate(dict.fromkeys(frame.names.values()))}
    for change in changes:
        old = rows[change.old.hid] if change.old else {}
        new = rows[change.new.hid] if change.new else {}
        both = [call for call in (change.old, change.new) if call is not None]
        results = {name for call in both for name in _results(frame, call)}
        cells = [
            ComparedCell(name, name in results, old.get(name, ()), new.get(name, ()))
            for name in sorted({**old, **new}, key=order.__getitem__)
        ]
        yield ComparedRow(change, tuple(cells))


def _named(frame: ComputationFrame, call: Call, row: Row) -> dict[str, Cell]:
    """Return what a row shows of a call: what came from outside, its own arguments, its results."""
    roles = frame.roles
    own = {roles.argument(call, slot) for slot in call.inputs}
    own |= {roles.output(call, slot) for slot in call.outputs}
    found: dict[str, Cell] = {}
    for variable, name in frame.names.items():
        cell = row.get(variable)
        if cell and (variable in own or not variable.produced):
            found.setdefault(name, cell)
    return found


def _results(frame: ComputationFrame, call: Call) -> set[str]:
    return {frame.names[frame.roles.output(call, slot)] for slot in call.outputs}
