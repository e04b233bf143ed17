"""What stands in the cells of tables: values, refs or ids, as pandas frames.

Not which cells there are (`tables`). Invariant: a table without pandas and one with it have the same
columns and rows.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Sequence
from dataclasses import replace
from functools import reduce
from numbers import Integral
from typing import TYPE_CHECKING, Any, Literal, get_args

from gitmemo.errors import BadSetting
from gitmemo.frames.layout import Changes
from gitmemo.frames.rows import Cell
from gitmemo.frames.tables import CURRENT, Table, Tables, table_of_calls
from gitmemo.hashing.digest import to_hex
from gitmemo.model.facts import Call, Slot
from gitmemo.model.plain import as_json, exact, told
from gitmemo.ref import at_hand, ref_to, value_or_ref
from gitmemo.ref.columns import as_column

if TYPE_CHECKING:
    import pandas as pd

    from gitmemo.frames.graph import FrameGraph

Values = Literal["inline", "refs", "objs", "hids", "cids"]

_PLAIN = frozenset({int, float, bool, str})
_WORD_BITS = 64


class ShownTables:
    """Makes the pandas frames of one computation frame."""

    def __init__(self, frame: FrameGraph) -> None:
        self._frame = frame

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

        shown, rows = self._shown(nodes, values, lazy, include_calls, explode)
        typed = {name: _typed(cells) for name, cells in shown.items()}
        return pd.DataFrame(typed, columns=list(typed), index=range(rows))

    def columns(
        self, nodes: Sequence[str], values: Values, explode: bool | Sequence[str]
    ) -> dict[str, list[object]]:
        """Return the cells of each column, all lists where one holds several values."""
        shown, _ = self._shown(nodes, values, frozenset(), False, explode, alike=True)
        return shown

    def _shown(
        self,
        nodes: Sequence[str],
        values: Values,
        lazy: frozenset[str],
        include_calls: bool,
        explode: bool | Sequence[str],
        *,
        alike: bool = False,
    ) -> tuple[dict[str, list[object]], int]:
        """Return what stands in the columns, and how many rows there are."""
        functions = [name for name in nodes if self._frame.is_function(name)]
        variables = [name for name in nodes if name not in functions]
        self._frame.check_columns(sorted(lazy))
        table = Tables(self._frame).table(variables, explode)
        if nodes and not variables:
            table = replace(table, columns=())
        shown = self._shown_columns(table, values, lazy, alike=alike)
        if include_calls or functions:
            calls = self._call_columns(table, functions)
            shown |= {name: _alike(cells) for name, cells in calls.items()} if alike else calls
        return shown | table.marks(), len(table.rows)

    def of_function(
        self, calls: Sequence[Call], values: Values, *, meta: bool = False
    ) -> pd.DataFrame:
        """Return the calls of one function as a pandas frame; with `meta`, what is known of each run."""
        import pandas as pd

        table = table_of_calls(calls)
        calls = [call for call in table.finals if call is not None]
        cells = self._shown_columns(table, values, frozenset())
        shown: dict[str, Any] = {name: _typed(column) for name, column in cells.items()}
        if meta:
            shown |= {f"call.{name}": cells for name, cells in self._noted(calls).items()}
        return pd.DataFrame(shown, columns=list(shown), index=range(len(calls)))

    def _noted(self, calls: Sequence[Call]) -> dict[str, list[object]]:
        """Return what is known of each run."""
        backing = self._frame.backing
        waiting = backing.pending() if backing else ()
        older = self._frame.older
        states: list[object] = [older.get(call.hid, CURRENT) for call in calls]
        return {
            "hid": [to_hex(call.hid) for call in calls],
            "version": [to_hex(call.version) if call.version else None for call in calls],
            **{n: [call.run.get(n) for call in calls] for n in ("start", "seconds", "commit")},
            "pending": [call.hid in waiting for call in calls],
            **({"state": states} if older else {}),
        }

    def _shown_columns(
        self, table: Table, values: Values, lazy: frozenset[str], *, alike: bool = False
    ) -> dict[str, list[object]]:
        """Return what stands in the columns. All that is not on this machine comes in one go."""
        if values not in get_args(Values):
            raise BadSetting("values", values, get_args(Values))
        loaded = [name for name in table.columns if values == "objs" and name not in lazy]
        loader = self._frame.loader
        slots = (s for name in loaded for row in table.rows for s in row.get(name, ()))
        coming = [ref_to(slot, loader) for slot in slots if loader and exact(slot) is None]
        with at_hand(coming):
            return {
                name: self._column(table, name, "refs" if name in lazy else values, alike=alike)
                for name in table.columns
            }

    def _column(
        self, table: Table, name: str, values: Values, *, alike: bool = False
    ) -> list[object]:
        show = self._shower(values)
        changes = self._frame.layout.changes(self._frame.keys_of(name))
        if changes:
            show = _changed(self._shower("objs"), changes)
        cells = [row.get(name, ()) for row in table.rows]
        if alike and any(len(cell) > 1 for cell in cells):
            return [[show(slot) for slot in cell] or None for cell in cells]
        return [_cell(cell, show) for cell in cells]

    def _shower(self, values: Values) -> Callable[[Slot], object]:
        loader = self._frame.loader
        if values in ("hids", "cids"):
            return lambda slot: to_hex(slot.hid if values == "hids" else slot.cid)

        def show(slot: Slot) -> object:
            plain = exact(slot) if values != "refs" else None
            if plain is not None:
                return plain
            ref = ref_to(slot, loader)
            if values == "inline" and slot.inline is not None:
                return ref.unwrap()
            if values == "inline" and (known := told(slot)) is not None:
                return known.json  # an array without dimensions, or numpy is not installed
            return value_or_ref(ref, stacklevel=9) if values == "objs" else ref

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


def _alike(cells: list[object]) -> list[object]:
    """Return cells of which some are lists as lists."""
    if not any(isinstance(cell, list) for cell in cells):
        return cells
    return [cell if cell is None or isinstance(cell, list) else [cell] for cell in cells]


def plain_frame(table: Table, plain: Callable[[Slot], object]) -> pd.DataFrame:
    """Return a table as a pandas frame of plain values that every file format takes.

    `plain` gives what stands for a value; where a column holds something that is no number of 64
    bits, no text and no truth, or several of these, its values stand there as JSON.
    """
    import pandas as pd

    shown: dict[str, Any] = {}
    for name in table.columns:
        cells = [[plain(slot) for slot in row.get(name, ())] for row in table.rows]
        values = [one[0] if len(one) == 1 else one or None for one in cells]
        kinds = {type(value) for value in values} - {type(None)}
        alike = kinds <= {int, float} or (len(kinds) == 1 and kinds <= _PLAIN)
        alike = alike and max(map(_width, values), default=0) < _WORD_BITS
        shown[name] = _typed(values) if alike else [_as_json(value) for value in values]
    shown |= table.marks()
    return pd.DataFrame(shown, columns=list(shown), index=range(len(table.rows)))


def _as_json(value: object) -> str | None:
    if isinstance(value, list):
        value = [as_json(one) for one in value]
    return None if value is None else json.dumps(as_json(value), ensure_ascii=False)


def _typed(values: list[object]) -> Any:
    """Return whole numbers or truths with gaps as what pandas has for them, not as floats or objects."""
    kinds = {type(value) for value in values}
    if type(None) in kinds and len(kinds) > 1:
        others = kinds - {type(None)}
        dtype = "boolean" if all(map(_is_truth, others)) else ""
        if all(map(_is_whole, others)) and max(map(_width, values)) < _WORD_BITS:
            dtype = "Int64"
        if dtype:
            import pandas as pd

            return pd.array(values, dtype=dtype)  # type: ignore[call-overload]
    return as_column(values)


def _is_truth(kind: type) -> bool:
    return kind is bool or (kind.__module__ == "numpy" and kind.__name__ in ("bool", "bool_"))


def _is_whole(kind: type) -> bool:
    # numpy registers its integers as such.
    return issubclass(kind, Integral) and not issubclass(kind, bool)


def _width(value: object) -> int:
    return int(value).bit_length() if isinstance(value, Integral) else 0


def _cell(cell: Cell, show: Callable[[Slot], object]) -> object:
    if len(cell) == 1:
        return show(cell[0])
    return [show(slot) for slot in cell] if cell else None


def _changed(show: Callable[[Slot], object], changes: Changes) -> Callable[[Slot], object]:
    return lambda slot: reduce(lambda value, change: change(value), changes, show(slot))
