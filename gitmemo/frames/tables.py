"""Tables of frames: rows with names for columns.

Not what is in a row (`rows`), nor what stands in the cells (`shown`). Invariant: a table follows from
its frame alone; rows that repeat others are left out.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from itertools import groupby
from typing import TYPE_CHECKING, Any

from gitmemo.errors import WrongQuestion
from gitmemo.frames.exploding import INDEX, ITEM, exploded_rows
from gitmemo.frames.naming import content, short
from gitmemo.frames.roles import Variable
from gitmemo.frames.rows import Cell, Row, rows_of
from gitmemo.frames.twins import Twins
from gitmemo.frames.universe import element
from gitmemo.hashing.digest import Digest, to_hex
from gitmemo.model.facts import Call, Slot
from gitmemo.model.plain import told
from gitmemo.short_ids import short as short_id

if TYPE_CHECKING:
    from gitmemo.frames.graph import FrameGraph

COMMITTED_LATER = "committed_later"
"""The column that tables have where calls were committed after the revision that is looked at."""

VERSION, STATE = "version", "state"
"""The columns that tables have where rows are about calls that do not count for the code as it is."""

_NOT_TOLD, _NOTHING = 3, 4
"""The order of values that are neither numbers nor texts, and of gaps."""

CURRENT, OLDER_CODE, ON_OLDER_RESULTS = "current", "older code", "on older results"
"""What stands in the column `state`."""

OTHER_VALUE, ON_OTHER_VALUES = "other value of", "on results of other values"
"""The same of calls that had another value of a variable than the newest one; the first with its name."""

_Line = tuple[Call | None, Mapping[str, Cell]]
"""A row, and the call that it is about."""


@dataclass(frozen=True)
class Table:
    """Columns in the order of the computation, or in that in which they were asked for, and rows.

    Attributes:
        later: The rows whose final call was committed after the revision that is looked at.
        finals: For each row the call that it is about; None for a value that stands alone.
        older: What is said of the rows that are about calls which do not count, by their number.
    """

    columns: tuple[str, ...]
    rows: tuple[Mapping[str, Cell], ...]
    later: frozenset[int] = frozenset()
    finals: tuple[Call | None, ...] = ()
    older: Mapping[int, str] = field(default_factory=dict)

    def marks(self) -> dict[str, list[Any]]:
        """Return the columns that say of which calls the rows are; none if all of them count here."""
        numbers = range(len(self.rows))
        found: dict[str, list[Any]] = {}
        if self.older:
            versions = [call.version if call else None for call in self.finals]
            shown = [None if version is None else short_id(version) for version in versions]
            found[mark_beside(self.columns, VERSION)] = shown
            states = [self.older.get(n, CURRENT) for n in numbers]
            found[mark_beside(self.columns, STATE)] = states
        if self.later:
            found[mark_beside(self.columns)] = [n in self.later for n in numbers]
        return found

    def head(self, n: int | None) -> Table:
        """Return the first `n` rows, all if None."""
        if n is None or n >= len(self.rows):
            return self
        later = frozenset(number for number in self.later if number < n)
        older = {number: state for number, state in self.older.items() if number < n}
        return Table(self.columns, self.rows[:n], later, self.finals[:n], older)


def mark_beside(columns: Sequence[str], name: str = COMMITTED_LATER) -> str:
    """Return what a column is called, beside others, that says of which calls the rows are."""
    while name in columns:
        name += "_"
    return name


class Tables:
    """Makes the tables of one frame."""

    def __init__(self, frame: FrameGraph) -> None:
        self._frame = frame

    def table(self, nodes: Sequence[str], explode: bool | Sequence[str] = False) -> Table:
        """Return the rows of a frame, or of some of its nodes."""
        frame = self._frame
        wanted = self._wanted(nodes) if nodes else None
        # What rows are sorted by belongs to them, shown or not.
        touched = None if wanted is None else wanted | self._ordering
        finals = frame.roles.finals if touched is None else self._last_of(touched)
        if explode:
            pairs = list(exploded_rows(frame.roles, finals, self._explodes(explode), touched))
        elif touched is None:
            pairs = list(zip(finals, frame.rows, strict=True))
        else:
            pairs = list(zip(finals, rows_of(frame.roles, finals), strict=True))
        names = self._names(pairs, explode=bool(explode))
        columns = tuple(dict.fromkeys(names.values()))
        rows: list[_Line] = [(call, _named(row, names, columns)) for call, row in pairs]
        if wanted is not None:
            rows = self._in_order(columns, _told_apart(columns, rows))
            shown = {name for one, name in names.items() if _base(one) in wanted}
            columns = tuple(sorted((one for one in columns if one in shown), key=_placed(nodes)))
            rows = [(call, {k: v for k, v in row.items() if k in shown}) for call, row in rows]
        calls = [(call, row) for call, row in rows if call is not None]
        rows = [
            *_once(calls, frame, every=wanted is None),
            *((None, r) for r in self._alone(nodes)),
        ]
        alone = [name for name in frame.free if not frame.free[name] and name in (nodes or [name])]
        every = tuple(dict.fromkeys([*columns, *alone, *(name for _, row in rows for name in row)]))
        if wanted is None:
            rows = self._in_order(every, _told_apart(every, rows))
        return self._marked(every, rows)

    @cached_property
    def _ordering(self) -> set[Variable]:
        """The variables of the columns that rows are sorted by."""
        frame = self._frame
        keys = {key for keys, _ in frame.layout.sorted_by for key in keys}
        return {one for one, name in frame.names.items() if keys.intersection(frame.keys_of(name))}

    def _wanted(self, nodes: Sequence[str]) -> set[Variable]:
        """Return the variables of these nodes; arguments that stand on their own have names too."""
        frame = self._frame
        by_name: dict[str, list[Variable]] = {}
        for variable in frame.names:
            by_name.setdefault(frame.names[variable], []).append(variable)
        names = [name for name in nodes if name not in by_name]
        frame.check_nodes(names)
        return {one for name in nodes for one in by_name.get(name, ())}

    def _last_of(self, wanted: set[Variable]) -> list[Call]:
        """Return the calls that touch what is wanted, and that no later one builds on which does, too."""
        roles = self._frame.roles
        last: list[Call] = []
        built_on: set[Digest] = set()
        for call in reversed(roles.order):
            touches = any(variable in wanted for variable, _ in roles.cells[call.hid])
            if touches and call.hid not in built_on:
                last.append(call)
            if touches or call.hid in built_on:
                built_on.update(maker.hid for maker in roles.before[call.hid])
        hids = {call.hid for call in last}
        return [call for call in self._frame.universe.calls if call.hid in hids]

    def _explodes(self, explode: bool | Sequence[str]) -> Callable[[Variable], bool]:
        if explode is True:
            return lambda _: True
        names = set(
            self._frame.check_nodes([explode] if isinstance(explode, str) else explode or ())
        )
        known = self._frame.names
        return lambda variable: known.get(variable) in names

    def _names(self, pairs: Sequence[tuple[Call, Row]], *, explode: bool) -> dict[Variable, str]:
        """Return the columns of variables, in order; with those of elements behind their collections."""
        frame = self._frame
        names = {one: name for one, name in frame.names.items() if one not in frame.layout.hidden}
        if not explode:
            return names
        present = {variable for _, row in pairs for variable in row}
        found: dict[Variable, str] = {}
        for variable, name in names.items():
            found[variable] = name
            for suffix in (INDEX, ITEM):
                part = variable._replace(name=variable.name + suffix)
                if not variable.produced and part in present:
                    found[part] = name + suffix
        return found

    def _alone(self, nodes: Sequence[str]) -> Iterator[dict[str, Cell]]:
        frame = self._frame
        for name, slots in frame.free.items():
            for slot in slots if not nodes or name in nodes else ():
                made = frame.universe.makers.get(slot.hid) if not slot.is_raw else None
                if made is None or made[0].hid not in frame.selected:
                    yield {name: (slot,)}

    def _in_order(self, columns: Sequence[str], rows: list[_Line]) -> list[_Line]:
        for keys, upwards in reversed(self._frame.layout.sorted_by):
            known = self._frame.keys_of
            name = next((one for one in columns if not keys.isdisjoint(known(one))), None)
            if name is not None:
                rows = _sorted_by(rows, name, upwards=upwards)
        return rows

    def _marked(self, columns: tuple[str, ...], rows: Sequence[_Line]) -> Table:
        marked = self._frame.later
        later = frozenset(n for n, (call, _) in enumerate(rows) if call and call.hid in marked)
        states = self._frame.older
        older = {n: states[c.hid] for n, (c, _) in enumerate(rows) if c and c.hid in states}
        finals = tuple(call for call, _ in rows)
        return Table(columns, tuple(row for _, row in rows), later, finals, older)


def table_of_calls(calls: Sequence[Call]) -> Table:
    """Return the arguments and results of the calls of one function, a row for each call.

    A result that is called like an argument has the function in its name.
    """
    taken = {slot.name for call in calls for slot in call.inputs}
    pairs: list[_Line] = []
    for call in calls:
        row = {slot.name: (slot,) for slot in call.inputs}
        for slot in call.outputs:
            name = f"{short(call.op)}_{slot.name}" if slot.name in taken else slot.name
            while name in taken:
                name += "_"
            row[name] = (slot,)
        pairs.append((call, row))
    columns = tuple(dict.fromkeys(name for _, row in pairs for name in row))
    pairs = _told_apart(columns, pairs)
    rows = tuple(row for _, row in pairs)
    return Table(columns, rows, finals=tuple(call for call, _ in pairs))


def _placed(nodes: Sequence[str]) -> Callable[[str], int]:
    """Return where a column stands among those that were asked for; those of elements by their collection."""
    places = {name: n for n, name in reversed(list(enumerate(nodes)))}

    def place(column: str) -> int:
        base = column.removesuffix(INDEX).removesuffix(ITEM)
        return places.get(column, places.get(base, len(nodes)))

    return place


def _base(variable: Variable) -> Variable:
    """Return the collection of a column of elements."""
    for suffix in (INDEX, ITEM):
        if variable.name.endswith(suffix) and not variable.produced:
            return variable._replace(name=variable.name.removesuffix(suffix))
    return variable


def _named(row: Row, names: Mapping[Variable, str], columns: Sequence[str]) -> dict[str, Cell]:
    if len(names) == len(columns):
        return {names[one]: cell for one, cell in row.items() if one in names}
    cells: dict[str, dict[object, Slot]] = {}
    for variable, cell in row.items():
        if variable in names:
            found = cells.setdefault(names[variable], {})
            for slot in cell:
                found.setdefault(element(slot), slot)
    return {name: tuple(slots.values()) for name, slots in cells.items()}


def _once(
    pairs: Sequence[tuple[Call, Mapping[str, Cell]]], frame: FrameGraph, *, every: bool
) -> list[_Line]:
    """Return calls and rows but for repetitions: twins, and links that show what another row shows.

    Both are the same result, not another one. Where only some variables are shown (not `every`),
    each way in which they occur together is one row. Calls that count and older ones are never
    the same row.
    """
    older, twins = frame.older, frame.twins
    if not every:
        found: dict[object, tuple[Call, Mapping[str, Cell]]] = {}
        for call, row in pairs:
            state = (older.get(call.hid), call.version) if older else None
            cells = sorted((name, _elements(cell, twins)) for name, cell in row.items())
            found.setdefault((state, tuple(cells)), (call, row))
        return list(found.values())
    firsts: dict[Digest, Call] = {}
    for call, _ in sorted(pairs, key=_when) if twins else pairs:
        firsts.setdefault(twins.get(call.hid, call.hid), call)
    # Of one call there are several rows where they are of elements.
    kept = [(call, row) for call, row in pairs if firsts[twins.get(call.hid, call.hid)] is call]
    if not any(call.is_link for call, _ in kept):
        return list(kept)
    return list(_without_links(kept, older))


def _when(pair: tuple[Call, object]) -> tuple[str, Digest]:
    return pair[0].start, pair[0].hid


def _elements(cell: Cell, twins: Twins) -> tuple[Digest | str, ...]:
    found = map(element, cell)
    return tuple([twins.get(one, one) if isinstance(one, bytes) else one for one in found])


def _without_links(
    pairs: Sequence[tuple[Call, Mapping[str, Cell]]], older: Mapping[Digest, str]
) -> Iterator[tuple[Call, Mapping[str, Cell]]]:
    linked = {_given(call) for call, _ in pairs if call.is_link}
    doubtful = [_given(call) in linked for call, _ in pairs]
    shown = {
        (older.get(call.hid), _contents(row))
        for (call, row), is_in in zip(pairs, doubtful, strict=True)
        if is_in and not call.is_link
    }
    for (call, row), is_in in zip(pairs, doubtful, strict=True):
        if call.is_link and is_in:
            contents = older.get(call.hid), _contents(row)
            if contents in shown:
                continue
            shown.add(contents)
        yield call, row


def _given(call: Call) -> tuple[object, ...]:
    """Return what a link has in common with the call that it repeats."""
    return call.op, *map(content, call.inputs)


def _contents(row: Mapping[str, Cell]) -> frozenset[tuple[str, tuple[object, ...]]]:
    return frozenset((name, tuple(map(content, cell))) for name, cell in row.items())


def _told_apart(columns: Sequence[str], rows: list[_Line]) -> list[_Line]:
    """Return rows in their order; those of calls that began in one millisecond by their values."""

    def start(pair: _Line) -> str:
        return pair[0].start if pair[0] else "~"

    found: list[_Line] = []

    def least(of_call: list[_Line]) -> list[Any]:
        return min([_order(row.get(name, ())) for name in columns] for _, row in of_call)

    for _, group in groupby(rows, start):  # rows of one call stay in the order of its collections
        calls: dict[object, list[_Line]] = {}
        for number, pair in enumerate(group):
            calls.setdefault(pair[0].hid if pair[0] else number, []).append(pair)
        several = list(calls.values())
        if len(several) > 1:
            several.sort(key=least)
        found += [pair for of_call in several for pair in of_call]
    return found


def _sorted_by(rows: list[_Line], name: str, *, upwards: bool) -> list[_Line]:
    """Return rows sorted by a column: numbers are first and gaps last, upwards and downwards.

    Raises:
        WrongQuestion: No record tells any of its values, so that every order would mislead.
    """
    known = {_order(row.get(name, ()))[:2] for _, row in rows}
    if len(known) > 1 and {kind for kind, _ in known} <= {_NOT_TOLD, _NOTHING}:
        raise WrongQuestion(
            f"no table can be sorted by {name!r}: its values are neither numbers nor texts",
            "return a number beside it, or sort in pandas: "
            f"`cf.df(values='objs').sort_values({name!r})`",
        )

    def key(pair: _Line) -> tuple[int, str, Any]:
        kind, text, number = _order(pair[1].get(name, ()))
        return kind if upwards else -kind, text, number

    return sorted(rows, key=key, reverse=not upwards)


def _order(cell: Iterable[Slot]) -> tuple[int, str, Any]:
    """Return what cells are sorted by: numbers, NaN, texts, the rest by content, nothing."""
    for slot in cell:
        inline = told(slot)
        value = inline.json if inline else None
        if isinstance(value, bool | int | float):
            return (0, "", value) if value == value else (1, "", 0)
        if isinstance(value, str):
            return 2, value, 0
        return _NOT_TOLD, to_hex(slot.cid), 0
    return _NOTHING, "", 0
