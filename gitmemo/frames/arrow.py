"""Columns of tables as Arrow's, and as polars' frames.

Not what stands in the cells (`shown`). Invariant: a column that Arrow cannot hold without loss is
text: refs as history ids, what JSON can say as JSON, the rest as Python shows it.
"""

from __future__ import annotations

import json
import sys
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

from gitmemo.errors import WrongQuestion
from gitmemo.hashing.digest import to_hex
from gitmemo.ref import Ref

if TYPE_CHECKING:
    import polars as pl
    import pyarrow as pa


def arrow_table(columns: Mapping[str, Sequence[object]]) -> pa.Table:
    """Return columns as an Arrow table.

    Raises:
        WrongQuestion: pyarrow is not installed.
    """
    try:
        import pyarrow as pa
    except ImportError:
        raise _missing("Arrow tables", "pyarrow", "arrow") from None
    return pa.table({name: _array([*map(_shown, cells)]) for name, cells in columns.items()})


def polars_frame(columns: Mapping[str, Sequence[object]]) -> pl.DataFrame:
    """Return columns as a polars frame.

    Raises:
        WrongQuestion: polars or pyarrow is not installed.
    """
    try:
        import polars as pl
    except ImportError:
        raise _missing("polars frames", "polars", "polars") from None
    found = pl.from_arrow(arrow_table(columns))
    assert isinstance(found, pl.DataFrame)  # made of a table
    return found


def _missing(what: str, package: str, extra: str) -> WrongQuestion:
    return WrongQuestion(
        f"{what} need {package}, which is not installed", f"pip install 'gitmemo[{extra}]'"
    )


def _shown(value: object) -> object:
    if isinstance(value, Ref):
        return to_hex(value._hid)
    return [*map(_shown, value)] if isinstance(value, list) else value


def _array(cells: list[object]) -> pa.Array:
    """Return the cells of one column, with the type that fits all, or as texts."""
    import pyarrow as pa

    try:
        moments = _moments(cells)
        found = pa.array(cells if moments is None else moments)
        # Of dicts Arrow makes records with all keys: not where a key is missing somewhere.
        if not any(map(_has_dict, cells)) or found.to_pylist() == cells:
            return found
    except (pa.ArrowException, OverflowError, TypeError, ValueError):
        pass
    return pa.array([*map(_text, cells)], pa.string())


def _moments(cells: list[object]) -> Any:
    """Return moments of numpy, and gaps, as an array of one unit, which Arrow takes; None for others."""
    numpy = sys.modules.get("numpy")
    if numpy is None or not any(isinstance(cell, numpy.datetime64) for cell in cells):
        return None
    if not all(cell is None or isinstance(cell, numpy.datetime64) for cell in cells):
        return None
    return numpy.array([numpy.datetime64("NaT") if cell is None else cell for cell in cells])


def _has_dict(value: object) -> bool:
    return isinstance(value, dict) or (isinstance(value, list) and any(map(_has_dict, value)))


def _text(value: object) -> str | None:
    if value is None or isinstance(value, str):
        return value
    return json.dumps(value, ensure_ascii=False, default=_said)


def _said(value: object) -> str:
    numpy = sys.modules.get("numpy")
    return str(value) if numpy is not None and isinstance(value, numpy.generic) else repr(value)
