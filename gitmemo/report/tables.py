"""Tables of a page: the calls of an op with what led to them, by column.

Not which ops there are (`gathering`) nor what stands in a cell (`cells`). Invariant: a row is one
result, and its versions are those of all calls that are part of it.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Collection, Hashable, Iterable, Sequence
from dataclasses import dataclass, replace

from gitmemo.frames import Cell, ComputationFrame, Table
from gitmemo.frames.roles import Variable
from gitmemo.hashing.digest import Digest, to_hex
from gitmemo.model.facts import Call
from gitmemo.report.asking import number_in
from gitmemo.report.cells import ID_DIGITS, Cells, Shown, key_of, plain_cell, without_id
from gitmemo.report.document import Column, Role, TableOfOp
from gitmemo.short_ids import short

_COMMIT_DIGITS = 9
_MOSTLY = 0.8
"""Of the different cells of a numeric column so many are numbers."""


@dataclass(frozen=True, slots=True)
class Made:
    """What is the same for all tables of a page.

    Attributes:
        frame: All calls that the page is about, with what led to them.
        number: Gives a version of an op its place in the list of them.
        pending: The calls that are in no commit.
        most: How many rows a table has at most.
    """

    frame: ComputationFrame
    cells: Cells
    number: Callable[[str, Digest], int]
    pending: Collection[Digest]
    most: int


def table_of(made: Made, function: str) -> TableOfOp:
    """Return the calls of a function, each with what led to it."""
    calls = made.frame.calls_of(function)
    newest = frozenset(call.hid for call in calls[-made.most :])
    frame = replace(made.frame, selected=newest, whole=None).expand_back()
    table = frame.table()
    finals = [call for call in table.finals if call is not None]
    op = made.frame.function(function).op
    sorts = _sorts(frame, op)
    columns = [
        _column(name, sorts[name], [row.get(name, ()) for row in table.rows], made.cells)
        for name in table.columns
    ]
    columns += _of_calls(table, finals, made, {column.name for column in columns})
    codes, code_at = _codes(frame, finals, made.number)
    total = len(finals) + max(0, len(calls) - made.most)
    return TableOfOp(op, function.removesuffix("()"), total, tuple(columns), codes, code_at)


@dataclass(frozen=True, slots=True)
class _Sort:
    """What is known of a column before its cells."""

    role: Role
    own: bool


def _sorts(frame: ComputationFrame, op: str) -> dict[str, _Sort]:
    """Return where the values of columns come from, and whether calls of `op` have them."""
    found: dict[str, _Sort] = {}
    for variable, name in frame.names.items():
        before = found.get(name)
        role = _role(variable, op)
        takers = {function.op for function in frame.roles.takes.get(variable, ())}
        own = op in takers or variable.function.op == op
        if before is not None:
            own, role = own or before.own, before.role if role == "input" else role
        found[name] = _Sort(role, own)
    return found


def _role(variable: Variable, op: str) -> Role:
    if not variable.produced:
        return "input"
    return "result" if variable.function.op == op else "between"


def _column(name: str, sort: _Sort, cells: Sequence[Cell], maker: Cells) -> Column:
    places: dict[object, int] = {}
    shown: list[Shown] = []
    at: list[int] = []
    for cell in cells:
        key = key_of(cell)
        place = places.get(key)
        if place is None:
            place = places[key] = len(shown)
            shown.append(maker.of(cell))
        at.append(place)
    return column_of(name, sort.role, shown, at, own=sort.own)


def column_of(
    name: str, role: Role, cells: Iterable[Shown], at: Sequence[int], *, own: bool = True
) -> Column:
    """Return the column of these cells, each different one once, of which each row has one."""
    pairs = [without_id(cell) for cell in cells]
    bare = [cell for cell, _ in pairs]
    ids = "".join(hid.ljust(ID_DIGITS) for _, hid in pairs) if any(hid for _, hid in pairs) else ""
    numbers = sum(number_in(cell) is not None for cell in bare)
    filled = sum(cell is not None for cell in bare)
    is_numeric = bool(filled) and numbers >= _MOSTLY * filled
    first = bare[0] if bare else None
    is_constant = all(type(cell) is type(first) and cell == first for cell in bare)
    places = None if len(at) == len(bare) else at  # each new cell has the next place
    return Column(name, role, own, bare, ids, places, is_constant, is_numeric)


def _of_calls(
    table: Table, finals: Sequence[Call], made: Made, taken: Collection[str]
) -> list[Column]:
    """Return the columns that say of which call each row is."""

    def said(name: str, values: Iterable[Hashable]) -> Column:
        while name in taken:
            name += "_"
        places: dict[Hashable, int] = {}
        at = [places.setdefault(value, len(places)) for value in values]
        cells = [None if value is None else plain_cell(value) for value in places]
        return column_of(name, "call", cells, at)

    found = [
        said("call", (to_hex(call.hid)[:12] for call in finals)),
        said("began", (call.start or None for call in finals)),
        said("seconds", (call.seconds for call in finals)),
        said("commit", (_commit(call) for call in finals)),
        said("pending", (call.hid in made.pending for call in finals)),
    ]
    marks = table.marks()
    if not table.older:
        versions = (short(call.version) if call.version else None for call in finals)
        found.append(said("version", versions))
    return found + [said(name, values) for name, values in marks.items()]


def _commit(call: Call) -> str | None:
    commit = call.run.get("commit")
    if not isinstance(commit, str):
        return None
    return commit[:_COMMIT_DIGITS] + (" + changes" if call.run.get("dirty") else "")


def _codes(
    frame: ComputationFrame, finals: Sequence[Call], number: Callable[[str, Digest], int]
) -> tuple[list[list[int]], list[int]]:
    """Return the sets of versions that are behind rows, and which of them each row has."""
    universe = frame.universe.only(frame.selected)
    left = Counter(maker.hid for call in universe.calls for maker in universe.feeding[call.hid])
    known: dict[frozenset[int], frozenset[int]] = {}
    behind: dict[Digest, frozenset[int]] = {}
    wanted = {call.hid for call in finals}
    places: dict[frozenset[int], int] = {}
    of_call: dict[Digest, int] = {}
    for call in universe.in_order(frame.selected):
        own = {number(call.op, call.version)} if call.version else set()
        makers = universe.feeding[call.hid]
        found = frozenset(own.union(*(behind[maker.hid] for maker in makers)))
        found = known.setdefault(found, found)
        for maker in makers:  # what nobody asks for again is let go
            left[maker.hid] -= 1
            if not left[maker.hid]:
                del behind[maker.hid]
        if left[call.hid]:
            behind[call.hid] = found
        if call.hid in wanted:
            of_call[call.hid] = places.setdefault(found, len(places))
    return [sorted(one) for one in places], [of_call[call.hid] for call in finals]
