"""Rows: what led to a call, by role.

Not columns (`naming`, `tables`). Invariant: a row depends on the set of calls of the frame alone;
the values of one role stand in the order in which they are reached from the call: what its first
argument came from, then the second, each before what was made of it.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from typing import TypeAlias

from gitmemo.frames.roles import Cells, Roles, Variable
from gitmemo.frames.universe import element
from gitmemo.hashing.digest import Digest
from gitmemo.model.facts import Call, Slot

Cell: TypeAlias = "tuple[Slot, ...]"
"""The values of one role in one row, several where several calls led to the row."""

Row: TypeAlias = "dict[Variable, Cell]"

_MOST_MERGED = 16
"""Longer cells are not carried from call to call: in a chain that takes time without bound."""


def rows_of(roles: Roles, finals: Iterable[Call], most: int = _MOST_MERGED) -> list[Row]:
    """Return for each of `finals` what led to it; cells of up to `most` values are shared work."""
    wanted = list(finals)
    cells = roles.cells
    merged = _merged(roles, cells, {call.hid for call in wanted}, most)
    return [merged.get(call.hid) or _walked(roles, cells, call) for call in wanted]


def _merged(
    roles: Roles, cells: Mapping[Digest, Cells], wanted: Collection[Digest], most: int
) -> dict[Digest, Row]:
    """Return the rows of those of `wanted` whose cells stay short, made from the rows before them."""
    before = roles.before
    left: dict[Digest, int] = {}
    for hid in cells:
        for maker in before[hid]:
            left[maker.hid] = left.get(maker.hid, 0) + 1
    alive: dict[Digest, Row] = {}
    found: dict[Digest, Row] = {}
    for call in roles.order:
        hid = call.hid
        row = _row(before[hid], alive, cells[hid], most)
        if row is not None:
            alive[hid] = row
            if hid in wanted:
                found[hid] = row
        for maker in before[hid]:
            left[maker.hid] -= 1
            if not left[maker.hid]:
                alive.pop(maker.hid, None)
    return found


def _row(
    makers: Sequence[Call], alive: Mapping[Digest, Row], cells: Cells, most: int
) -> Row | None:
    row: Row = {}
    for maker in makers:
        other = alive.get(maker.hid)
        if other is None:
            return None
        if row:
            for variable, cell in other.items():
                known = row.get(variable)
                row[variable] = cell if known is None else _joined(known, cell)
        else:
            row = dict(other)
    for variable, slot in cells:
        known = row.get(variable)
        row[variable] = (slot,) if known is None else _joined(known, (slot,))
    return None if max(map(len, row.values()), default=0) > most else row


def _joined(one: Cell, other: Cell) -> Cell:
    if one == other and len(one) == 1:
        return one
    found = {element(slot): slot for slot in one}
    for slot in other:
        found.setdefault(element(slot), slot)
    return tuple(found.values())


def _walked(roles: Roles, cells: Mapping[Digest, Cells], final: Call) -> Row:
    """Return the row of a call by looking at everything that led to it."""
    found: dict[Variable, dict[Digest | str, Slot]] = {}
    for hid in _behind(roles.before, final):
        for variable, slot in cells[hid]:
            found.setdefault(variable, {}).setdefault(element(slot), slot)
    return {variable: tuple(slots.values()) for variable, slots in found.items()}


def _behind(before: Mapping[Digest, Sequence[Call]], final: Call) -> Iterator[Digest]:
    """Yield all that led to a call, each after what it came from; the call comes last."""
    seen = {final.hid}
    todo: list[tuple[Digest, Iterator[Call]]] = [(final.hid, iter(before[final.hid]))]
    while todo:
        hid, makers = todo[-1]
        for maker in makers:
            if maker.hid not in seen:
                seen.add(maker.hid)
                todo.append((maker.hid, iter(before[maker.hid])))
                break
        else:
            todo.pop()
            yield hid
