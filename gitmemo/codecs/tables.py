"""Codecs of tables: Arrow's file format (Feather), for pyarrow, polars and pandas.

Not for tables that Arrow cannot give back exactly (columns of objects, complex
numbers, duplicate names, a frequency of the index), nor without pyarrow: those
are pickled. Invariant: importing this imports no library, only columns whose
values Arrow keeps bit for bit are accepted, and the schema of what is written
was read back and compared.
"""

from __future__ import annotations

import functools
import importlib
import json
import os
import sys
from pathlib import Path
from typing import Any

from gitmemo.codecs.arrays import MAP_FROM_BYTES
from gitmemo.codecs.codec import Chunks, Source
from gitmemo.codecs.feather import refuse_foreign
from gitmemo.hashing import content_id

# Before 14.0.1 reading could run code (CVE-2023-47248); 16 is what is tested.
_OLDEST_PYARROW = 16

# Rows without columns, or of nulls, take no bytes.
_ROWS = 1 << 20

_MASKED = frozenset(
    [f"{kind}{bits}" for kind in ("Int", "UInt") for bits in (8, 16, 32, 64)]
    + ["Float32", "Float64", "boolean"]
)


@functools.cache
def _pyarrow() -> Any:
    """Return pyarrow, or None where it is missing or too old."""
    try:
        pa = importlib.import_module("pyarrow")
        importlib.import_module("pyarrow.ipc")
    except ImportError:
        return None
    return pa if int(pa.__version__.partition(".")[0]) >= _OLDEST_PYARROW else None


def _written(pa: Any, table: Any) -> Chunks | None:
    sink = pa.BufferOutputStream()
    options = pa.ipc.IpcWriteOptions(unify_dictionaries=True)
    with pa.ipc.new_file(sink, table.schema, options=options) as writer:
        if table.num_rows:
            writer.write_table(table)
        else:  # one batch all the same, as categories are written with batches
            columns = [column.combine_chunks() for column in table.columns]
            arrays = [c.chunk(0) if isinstance(c, pa.ChunkedArray) else c for c in columns]
            writer.write_batch(pa.RecordBatch.from_arrays(arrays, schema=table.schema))
    data = sink.getvalue()
    return None if _is_hollow(table, data.size) else (memoryview(data),)


def _without_rows(pa: Any, table: Any) -> bytes:
    return b"".join(_written(pa, table) or ())


def _is_hollow(table: Any, size: int) -> bool:
    """Tell whether a table has very many rows that no bit of it stands for."""
    return bool(table.num_rows > max(_ROWS, 8 * size))


def _read(source: Source) -> Any:
    """Return the table, mapped where the bytes are a file, after checking every offset in it."""
    pa = _pyarrow()
    if pa is None:
        raise ImportError(f"pyarrow {_OLDEST_PYARROW} or newer is needed: pip install pyarrow")
    if isinstance(source, Path) and source.stat().st_size >= MAP_FROM_BYTES:
        data = pa.memory_map(os.fspath(source)).read_buffer()
    else:
        data = pa.py_buffer(source.read_bytes() if isinstance(source, Path) else bytes(source))
    refuse_foreign(memoryview(data))
    reader = pa.ipc.open_file(data)
    if any(_is_foreign(pa, field.type) for field in reader.schema):
        raise ValueError("it has a column of a type that gitmemo does not write")
    table = reader.read_all()
    if _is_hollow(table, data.size):
        raise ValueError("it has more rows than its bytes can hold")
    table.validate(full=True)
    return table


class ArrowCodec:
    """A `pyarrow.Table`, its metadata included."""

    name = "arrow"
    safe = True

    def encode(self, value: object) -> Chunks | None:
        """Accept exactly `pyarrow.Table`, without extension types."""
        pa = _loaded("pyarrow") and _pyarrow()
        if pa is None or type(value) is not pa.Table:
            return None
        table: Any = value
        try:
            if any(_is_foreign(pa, field.type) for field in table.schema):
                return None
            empty = _read(_without_rows(pa, table.slice(0, 0)))
            same = empty.schema.equals(table.schema, check_metadata=True)
            return _written(pa, table) if same else None
        except Exception:  # noqa: BLE001 what Arrow refuses is pickled
            return None

    def decode(self, source: Source) -> object:
        """Read it; the columns are immutable and may be a map of the file."""
        return _read(source)


def _is_foreign(pa: Any, kind: Any, *, inside: bool = False) -> bool:
    """Tell whether Arrow does not give a type back, or a few bytes of it are any number of values."""
    types = pa.types
    if isinstance(kind, pa.BaseExtensionType) or types.is_run_end_encoded(kind):
        return True
    if str(kind).startswith(("list_view<", "large_list_view<")):
        return True
    if inside and (types.is_null(kind) or (types.is_struct(kind) and not kind.num_fields)):
        return True
    inner = [kind.field(i).type for i in range(kind.num_fields)]
    if types.is_dictionary(kind):
        inner.append(kind.value_type)
    return any(_is_foreign(pa, each, inside=True) for each in inner)


class PolarsCodec:
    """A `polars.DataFrame`."""

    name = "arrow-polars"
    safe = True

    def encode(self, value: object) -> Chunks | None:
        """Accept exactly `polars.DataFrame` whose schema Arrow gives back."""
        pl = _loaded("polars")
        if pl is None or type(value) is not pl.DataFrame or (pa := _pyarrow()) is None:
            return None
        frame: Any = value
        try:
            table = frame.to_arrow()
            if any(_is_foreign(pa, field.type) for field in table.schema):
                return None
            empty = pl.from_arrow(_read(_without_rows(pa, table.slice(0, 0))))
            same = empty.schema == frame.schema and content_id(empty) == content_id(frame.clear())
            return _written(pa, table) if same else None
        except Exception:  # noqa: BLE001 likewise
            return None

    def decode(self, source: Source) -> object:
        """Read it."""
        table = _read(source)
        try:
            return importlib.import_module("polars").from_arrow(table)
        except BaseException as error:
            if type(error).__name__ != "PanicException":  # which is no `Exception`
                raise
            raise ValueError(str(error)) from None


class PandasCodec:
    """A `pandas.DataFrame`; what Arrow lacks is in pandas' own metadata."""

    name = "arrow-pandas"
    safe = True

    def encode(self, value: object) -> Chunks | None:
        """Accept exactly `pandas.DataFrame` whose labels and dtypes Arrow gives back."""
        pd = _loaded("pandas")
        if pd is None or type(value) is not pd.DataFrame or not _are_exact(pd, value):
            return None
        pa = _pyarrow()
        if pa is None:
            return None
        frame: Any = value
        try:
            # Labels, dtypes, categories and attributes are those of a frame without rows.
            empty = frame.iloc[:0]
            schema = pa.Table.from_pandas(empty, preserve_index=None).schema
            again = _frame(_read(_without_rows(pa, _table(pa, pd, empty, schema))))
            if content_id(again) != content_id(empty):
                return None
            return _written(pa, _table(pa, pd, frame, schema))
        except Exception:  # noqa: BLE001 likewise
            return None

    def decode(self, source: Source) -> object:
        """Read it."""
        table = _read(source)
        if not all(_is_flat(_pyarrow().types, field.type) for field in table.schema):
            raise ValueError("it has a column of a type that gitmemo does not write for pandas")
        return _frame(table)


def _is_flat(types: Any, kind: Any) -> bool:
    """Tell whether a column becomes no more in pandas than its bytes are, give or take."""
    if types.is_dictionary(kind):
        return _is_flat(types, kind.value_type) and not types.is_dictionary(kind.value_type)
    return any(
        is_kind(kind)
        for is_kind in (
            types.is_boolean,
            types.is_integer,
            types.is_floating,
            types.is_timestamp,
            types.is_duration,
            types.is_string,
            types.is_large_string,
        )
    )


def _loaded(library: str) -> Any:
    """Return a library that is imported already: without it, there is no value of its types."""
    return sys.modules.get(library)


def _frame(table: Any) -> Any:
    # Copied: columns over the bytes of the file would refuse to be changed.
    return table.to_pandas(split_blocks=False).copy()


def _are_exact(pd: Any, frame: Any) -> bool:
    """Tell whether Arrow keeps every value of every column and index bit for bit."""
    labels = _levels(pd, frame.columns)
    index = _levels(pd, frame.index)
    names = (*frame.columns.names, *frame.index.names)
    return (
        all(name is None or type(name) is str for name in names)
        and all(_is_exact(pd, level.dtype) or set(map(type, level)) <= {str} for level in labels)
        and all(_is_exact(pd, dtype) for dtype in {*frame.dtypes, *(i.dtype for i in index)})
    )


def _levels(pd: Any, index: Any) -> list[Any]:
    return list(index.levels) if isinstance(index, pd.MultiIndex) else [index]


def _is_exact(pd: Any, dtype: Any) -> bool:
    if isinstance(dtype, pd.CategoricalDtype):
        return dtype.categories is not None and _is_exact(pd, dtype.categories.dtype)
    if isinstance(dtype, pd.StringDtype | pd.DatetimeTZDtype):
        return True
    if isinstance(dtype, pd.api.extensions.ExtensionDtype):
        return dtype.name in _MASKED
    return dtype.kind in "biumM" or (dtype.kind == "f" and dtype.itemsize in (4, 8))


def _table(pa: Any, pd: Any, frame: Any, schema: Any) -> Any:
    """Return `frame` as an Arrow table of this schema, every NaN with its bits."""
    columns = [frame.iloc[:, i] for i in range(frame.shape[1])]
    if len(schema) > len(columns):
        columns += [frame.index.get_level_values(i) for i in range(frame.index.nlevels)]
    arrays = [
        _column(pa, values, field.type) for values, field in zip(columns, schema, strict=True)
    ]
    return pa.Table.from_arrays(arrays, schema=_with_range(pd, frame.index, schema))


def _column(pa: Any, values: Any, kind: Any) -> Any:
    # Where pandas has NaN and no mark beside it, Arrow would make nulls of every NaN alike.
    if pa.types.is_floating(kind) and not hasattr(values.array, "_mask"):
        return pa.array(values.to_numpy(), type=kind, from_pandas=False)
    made = pa.array(values.array, from_pandas=True)
    return made if made.type == kind else made.cast(kind)


def _with_range(pd: Any, index: Any, schema: Any) -> Any:
    """Return `schema` with the range of the whole index, where it is one."""
    if not isinstance(index, pd.RangeIndex):
        return schema
    notes = json.loads(schema.metadata[b"pandas"])
    (described,) = notes["index_columns"]
    described |= {"start": index.start, "stop": index.stop, "step": index.step}
    return schema.with_metadata({**schema.metadata, b"pandas": json.dumps(notes).encode()})
