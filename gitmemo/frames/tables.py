"""Tables of frames: rows with names for columns, for pandas and for everybody else.

Not what is in a row (`rows`). Invariant: a table without pandas and one with it have the same
columns and rows.
"""

from __future__ import annotations

import json
import warnings
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import groupby
from typing import TYPE_CHECKING, Any, Literal

from gitmemo.errors import GitmemoError
from gitmemo.frames.exploding import INDEX, ITEM, exploded_rows
from gitmemo.frames.naming import content
from gitmemo.frames.roles import Variable
from gitmemo.frames.rows import Cell, Row, rows_of
from gitmemo.frames.universe import element
from gitmemo.hashing.digest import Digest, to_hex
from gitmemo.model.facts import Call, Slot
from gitmemo.ref import Ref, at_hand, ref_to

if TYPE_CHECKING:
    import pandas as pd

    from gitmemo.frames.frame import ComputationFrame

Values = Literal["inline", "refs", "objs", "hids", "cids"]

COMMITTED_LATER = "committed_later"
"""The column that tables have where calls were committed after the revision that is looked at."""

_PLAIN = frozenset({int, float, bool, str})
_WORD_BITS = 64


@dataclass(frozen=True)
class Table:
    """Columns in the order of the computation, and rows.

    Attributes:
        later: The rows whose final call was committed after the revision that is looked at.
        finals: For each row the call that it is about; None for a value that stands alone.
    """

    columns: tuple[str, ...]
    rows: tuple[Mapping[str, Cell], ...]
    later: frozenset[int] = frozenset()
    finals: tuple[Call | None, ...] = ()

    @property
    def later_column(self) -> str | None:
        """What the column is called that says which rows are `later`; None if there are none."""
        if not self.later:
            return None
        name = COMMITTED_LATER
        while name in self.columns:
            name += "_"
        return name

    def head(self, n: int | None) -> Table:
        """Return the first `n` rows, all if None."""
        if n is None or n >= len(self.rows):
            return self
        later = frozenset(number for number in self.later if number < n)
        return Table(self.columns, self.rows[:n], later, self.finals[:n])


class Tables:
    """Makes the tables of one frame."""

    def __init__(self, frame: ComputationFrame) -> None:
        self._frame = frame

    def table(self, nodes: Sequence[str], explode: bool | Sequence[str] = False) -> Table:
        """Return the rows of a frame, or of some of its nodes."""
        frame = self._frame
        wanted = self._wanted(nodes) if nodes else None
        finals = frame.roles.finals if wanted is None else self._last_of(wanted)
        if explode:
            pairs = list(exploded_rows(frame.roles, finals, self._explodes(explode)))
        elif wanted is None:
            pairs = list(zip(finals, frame.rows, strict=True))
        else:
            pairs = list(zip(finals, rows_of(frame.roles, finals), strict=True))
        names = self._names(pairs, explode=bool(explode))
        if wanted is not None:
            names = {one: name for one, name in names.items() if _base(one) in wanted}
        columns = tuple(dict.fromkeys(names.values()))
        named = [_named(row, names, columns) for _, row in pairs]
        kept = _once([call for call, _ in pairs], named, every=wanted is None)
        rows = kept + [(None, row) for row in self._alone(nodes)]
        columns = tuple(dict.fromkeys([*columns, *(name for _, row in rows for name in row)]))
        return self._sorted(columns, rows)

    def _wanted(self, nodes: Sequence[str]) -> set[Variable]:
        """Return the variables of these nodes; arguments that stand on their own have names too."""
        frame = self._frame
        by_name: dict[str, list[Variable]] = {}
        for variable in frame.roles.variables:
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
        names = {
            one: frame.names[one] for one in frame.roles.variables if one not in frame.layout.hidden
        }
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

    def _sorted(
        self, columns: tuple[str, ...], rows: list[tuple[Call | None, Mapping[str, Cell]]]
    ) -> Table:
        rows = _told_apart(columns, rows)
        for name, upwards in reversed(self._frame.layout.sorted_by):
            rows = sorted(rows, key=lambda pair: _order(pair[1].get(name, ())), reverse=not upwards)
        marked = self._frame.later
        later = frozenset(n for n, (call, _) in enumerate(rows) if call and call.hid in marked)
        return Table(columns, tuple(row for _, row in rows), later, tuple(call for call, _ in rows))

    # --- for pandas ------------------------------------------------------

    def df(
        self,
        nodes: Sequence[str],
        values: Values,
        lazy: frozenset[str],
        include_calls: bool,
        explode: bool | Sequence[str],
    ) -> pd.DataFrame:
        """Return a table as a pandas frame; see `ComputationFrame.df`."""
        import pandas as pd

        functions = [name for name in nodes if self._frame.is_function(name)]
        variables = [name for name in nodes if name not in functions]
        table = self.table(variables if variables or not nodes else [], explode)
        if nodes and not variables:
            table = Table((), table.rows, table.later, table.finals)
        shown = self._shown_columns(table, values, lazy)
        if include_calls or functions:
            shown |= self._call_columns(table, functions)
        mark = table.later_column
        if mark is not None:
            shown[mark] = [n in table.later for n in range(len(table.rows))]
        return pd.DataFrame(shown, columns=list(shown), index=range(len(table.rows)))

    def of_function(
        self, calls: Sequence[Call], values: Values, *, meta: bool = False
    ) -> pd.DataFrame:
        """Return the calls of one function as a pandas frame; with `meta`, what is known of each run."""
        import pandas as pd

        rows = [{s.name: (s,) for s in (*call.inputs, *call.outputs)} for call in calls]
        columns = tuple(dict.fromkeys(name for row in rows for name in row))
        table = Table(columns, tuple(rows), frozenset(), tuple(calls))
        shown = self._shown_columns(table, values, frozenset())
        if meta:
            shown |= {f"call.{name}": cells for name, cells in _noted(calls).items()}
        return pd.DataFrame(shown, columns=list(shown), index=range(len(rows)))

    def _shown_columns(self, table: Table, values: Values, lazy: frozenset[str]) -> dict[str, Any]:
        """Return what stands in the columns. All that is not on this machine comes in one go."""
        loaded = [name for name in table.columns if values == "objs" and name not in lazy]
        loader = self._frame.loader
        slots = (s for name in loaded for row in table.rows for s in row.get(name, ()))
        coming = [ref_to(slot, loader) for slot in slots if loader and not _is_plain(slot)]
        with at_hand(coming):
            return {
                name: _typed(self._column(table, name, "refs" if name in lazy else values))
                for name in table.columns
            }

    def _column(self, table: Table, name: str, values: Values) -> list[object]:
        show = self._shower(values)
        change = self._frame.layout.shown.get(name)
        if change is not None:
            show = _changed(self._shower("objs"), change)
        return [_cell(row.get(name, ()), show) for row in table.rows]

    def _shower(self, values: Values) -> Callable[[Slot], object]:
        loader = self._frame.loader
        if values in ("hids", "cids"):
            return lambda slot: to_hex(slot.hid if values == "hids" else slot.cid)

        def show(slot: Slot) -> object:
            if values != "refs" and _is_plain(slot):
                assert slot.inline is not None
                return slot.inline.json
            if loader is None:
                return slot.inline.json if slot.inline else None
            ref = ref_to(slot, loader)
            if values == "inline" and slot.inline is not None:
                return ref.unwrap()
            return _loaded(ref) if values == "objs" else ref

        return show

    def _call_columns(self, table: Table, functions: Sequence[str]) -> dict[str, list[object]]:
        """Return for functions the short history ids of the calls that led to each row."""
        frame = self._frame
        wanted = functions or frame.fnames
        shown: dict[str, list[object]] = {name: [] for name in wanted}
        for call in table.finals:
            behind = frame.universe.reach([call.hid], [frame.roles.before]) if call else ()
            for name in wanted:
                hids = [to_hex(one.hid)[:12] for one in frame.calls_of(name) if one.hid in behind]
                shown[name].append(hids[0] if len(hids) == 1 else hids or None)
        taken = set(table.columns)
        return {name if name not in taken else f"{name}()": cells for name, cells in shown.items()}


def _noted(calls: Sequence[Call]) -> dict[str, list[object]]:
    """Return what is known of each run."""
    return {
        "hid": [to_hex(call.hid) for call in calls],
        "version": [to_hex(call.version) if call.version else None for call in calls],
        **{name: [call.run.get(name) for call in calls] for name in ("start", "seconds", "commit")},
    }


def plain_frame(table: Table, plain: Callable[[Slot], object]) -> pd.DataFrame:
    """Return a table as a pandas frame of plain values that every file format takes.

    `plain` gives what stands for a value; what is no number, text or truth stands there as JSON.
    """
    import pandas as pd

    shown: dict[str, Any] = {}
    for name in table.columns:
        cells = [[plain(slot) for slot in row.get(name, ())] for row in table.rows]
        values = [one[0] if len(one) == 1 else one or None for one in cells]
        kinds = {type(value) for value in values} - {type(None)}
        alike = kinds <= {int, float} or (len(kinds) == 1 and kinds <= _PLAIN)
        shown[name] = _typed(values) if alike else [_as_json(value) for value in values]
    mark = table.later_column
    if mark is not None:
        shown[mark] = [n in table.later for n in range(len(table.rows))]
    return pd.DataFrame(shown, columns=list(shown), index=range(len(table.rows)))


def _as_json(value: object) -> str | None:
    return None if value is None else json.dumps(value, ensure_ascii=False)


def _typed(values: list[object]) -> Any:
    """Return whole numbers or truths with gaps as what pandas has for them, not as floats or objects."""
    kinds = {type(value) for value in values}
    for kind, dtype in ((int, "Int64"), (bool, "boolean")):
        if kinds == {kind, type(None)} and (kind is bool or max(map(_width, values)) < _WORD_BITS):
            import pandas as pd

            return pd.array(values, dtype=dtype)  # type: ignore[call-overload]
    return values


def _width(value: object) -> int:
    return value.bit_length() if isinstance(value, int) else 0


def _is_plain(slot: Slot) -> bool:
    return slot.inline is not None and type(slot.inline.json) in _PLAIN


def _cell(cell: Cell, show: Callable[[Slot], object]) -> object:
    if len(cell) == 1:
        return show(cell[0])
    return [show(slot) for slot in cell] if cell else None


def _changed(
    show: Callable[[Slot], object], change: Callable[[object], object]
) -> Callable[[Slot], object]:
    return lambda slot: change(show(slot))


def _loaded(ref: Ref[Any]) -> object:
    """Return the value of `ref`; the ref itself where it cannot be read, so that one does not cost all."""
    try:
        return ref.unwrap()
    except GitmemoError as error:
        warnings.warn(f"{ref!r} stays a ref: {error.problem()}", stacklevel=9)
        return ref


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
    finals: Sequence[Call], rows: Sequence[Mapping[str, Cell]], *, every: bool
) -> list[tuple[Call | None, Mapping[str, Cell]]]:
    """Return the calls and rows but for repetitions: links that show what another row shows.

    A link is the same result under another history, not another result. Where only some variables
    are shown (not `every`), each way in which they occur together is one row.
    """
    kept: list[tuple[Call | None, Mapping[str, Cell]]] = []
    if not every:
        seen: set[object] = set()
        for call, row in zip(finals, rows, strict=True):
            key = tuple(sorted((name, tuple(map(element, cell))) for name, cell in row.items()))
            if key not in seen:
                seen.add(key)
                kept.append((call, row))
        return kept
    if not any(call.is_link for call in finals):
        return list(zip(finals, rows, strict=True))
    linked = {_given(call) for call in finals if call.is_link}
    doubtful = [_given(call) in linked for call in finals]
    triples = list(zip(finals, rows, doubtful, strict=True))
    shown = {_contents(row) for call, row, is_in in triples if is_in and not call.is_link}
    for call, row, is_in in triples:
        if call.is_link and is_in:
            contents = _contents(row)
            if contents in shown:
                continue
            shown.add(contents)
        kept.append((call, row))
    return kept


def _given(call: Call) -> tuple[object, ...]:
    """Return what a link has in common with the call that it repeats."""
    return call.op, *map(content, call.inputs)


def _contents(row: Mapping[str, Cell]) -> frozenset[tuple[str, tuple[object, ...]]]:
    return frozenset((name, tuple(map(content, cell))) for name, cell in row.items())


def _told_apart(
    columns: Sequence[str], rows: list[tuple[Call | None, Mapping[str, Cell]]]
) -> list[tuple[Call | None, Mapping[str, Cell]]]:
    """Return rows in their order; those of calls that began in one millisecond by their values."""

    def start(pair: tuple[Call | None, Mapping[str, Cell]]) -> str:
        return str(pair[0].run.get("start", "")) if pair[0] else "~"

    found: list[tuple[Call | None, Mapping[str, Cell]]] = []
    for _, group in groupby(rows, start):
        several = list(group)
        if len(several) > 1:
            several.sort(key=lambda pair: [_order(pair[1].get(name, ())) for name in columns])
        found += several
    return found


def _order(cell: Iterable[Slot]) -> tuple[int, str, Any]:
    """Return what cells are sorted by: numbers, then texts, then the rest by content, then nothing."""
    for slot in cell:
        value = slot.inline.json if slot.inline else None
        if isinstance(value, bool | int | float):
            return 0, "", value
        if isinstance(value, str):
            return 1, value, 0
        return 2, to_hex(slot.cid), 0
    return 3, "", 0
