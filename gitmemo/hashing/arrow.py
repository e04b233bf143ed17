"""Encoding of pyarrow's and polars' tables and columns.

Invariant: schema and values count; chunks, offsets, slack in buffers and what
lies under a null do not.
"""

from __future__ import annotations

import json
from typing import Any

import numpy as np
import pyarrow as pa
from pyarrow import types

from gitmemo.hashing.encoding import Encoder
from gitmemo.hashing.parts import collapse, raw, record
from gitmemo.hashing.registry import bases, exact


def _one_chunk(column: Any) -> Any:
    if not isinstance(column, pa.ChunkedArray):
        return column
    if column.num_chunks == 0:
        return pa.array([], column.type)
    return column.chunk(0) if column.num_chunks == 1 else pa.concat_arrays(column.chunks)


def _nulls(array: Any) -> Any:
    return np.asarray(array.is_null().to_numpy(zero_copy_only=False), dtype=np.bool_)


def string_columns(column: Any) -> tuple[Any, Any, memoryview | bytes]:
    """Return nulls, byte lengths and joined bytes of a column of strings or binaries."""
    array = _one_chunk(column)
    nulls = _nulls(array)
    array = _one_chunk(array.cast(pa.large_binary()))
    if len(array) == 0:
        return nulls, np.zeros(0, dtype=np.int64), b""
    if array.null_count:
        array = _one_chunk(array.fill_null(b""))
    _, offsets, data = array.buffers()
    ends = np.frombuffer(offsets, dtype=np.int64)[array.offset : array.offset + len(array) + 1]
    joined = memoryview(data).cast("B")[int(ends[0]) : int(ends[-1])] if data else b""
    return nulls, np.diff(ends), joined


def _array(encoder: Encoder, array: Any) -> bytes:
    """Return the part of one column."""
    kind = array.type
    if isinstance(array, pa.ExtensionArray):
        return _array(encoder, array.storage)
    if types.is_dictionary(kind):
        return _array(encoder, array.dictionary_decode())
    if types.is_boolean(kind):
        return _array(encoder, array.cast(pa.uint8()))
    nulls = encoder.part(_nulls(array))
    if types.is_struct(kind):
        fields = [_array(encoder, _one_chunk(field)) for field in array.flatten()]
        return collapse(record("arrow.struct", nulls, *fields))
    if _is_bytes_like(kind):
        _, lengths, data = string_columns(array)
        return collapse(record("arrow.strings", nulls, encoder.part(lengths), raw(data)))
    if types.is_list(kind) or types.is_large_list(kind):
        lengths = array.value_lengths().fill_null(0).to_numpy(zero_copy_only=False)
        inner = _array(encoder, array.flatten())
        return collapse(
            record("arrow.list", nulls, encoder.part(np.asarray(lengths, dtype=np.int64)), inner)
        )
    if types.is_primitive(kind) or types.is_decimal(kind) or types.is_fixed_size_binary(kind):
        return collapse(record("arrow.fixed", nulls, raw(_fixed(array))))
    return collapse(encoder.record("arrow.objects", array.to_pylist()))


def _is_bytes_like(kind: Any) -> bool:
    return bool(
        types.is_string(kind)
        or types.is_large_string(kind)
        or types.is_binary(kind)
        or types.is_large_binary(kind)
        or getattr(types, "is_string_view", lambda _: False)(kind)
        or getattr(types, "is_binary_view", lambda _: False)(kind)
    )


def _fixed(array: Any) -> memoryview | bytes:
    """Return the element bytes of a fixed-width column, zero under nulls."""
    width = array.type.bit_width // 8
    data = array.buffers()[1]
    if data is None or len(array) == 0 or width == 0:
        return b""
    start = array.offset * width
    octets = np.frombuffer(data, dtype=np.uint8)[start : start + len(array) * width]
    if array.null_count:
        octets = octets.copy().reshape(-1, width)
        octets[_nulls(array)] = 0
        octets = octets.reshape(-1)
    return octets.data


def _metadata(metadata: Any) -> object:
    """Return a schema's metadata, without the versions that pandas writes into it."""
    if not metadata:
        return None
    entries = {bytes(key): bytes(item) for key, item in metadata.items()}
    pandas = entries.get(b"pandas")
    if pandas is not None:
        try:
            notes = json.loads(pandas)
        except ValueError:
            notes = None
        if isinstance(notes, dict):
            kept = {k: v for k, v in notes.items() if k not in ("creator", "pandas_version")}
            entries[b"pandas"] = json.dumps(kept, sort_keys=True).encode()
    return sorted(entries.items())


def _schema(encoder: Encoder, schema: Any) -> bytes:
    fields = [(f.name, str(f.type), f.nullable, _metadata(f.metadata)) for f in schema]
    return encoder.part((fields, _metadata(schema.metadata)))


def install_pyarrow() -> None:
    @exact(pa.Table, pa.RecordBatch)
    def _table(encoder: Encoder, value: Any) -> bytes:
        columns = [_array(encoder, _one_chunk(column)) for column in value.columns]
        name = encoder.part(type(value).__name__)
        return record("pyarrow.Table", name, _schema(encoder, value.schema), *columns)

    @bases(pa.Array)
    def _column(encoder: Encoder, value: Any) -> bytes:
        column = _array(encoder, _one_chunk(value))
        return record("pyarrow.Array", encoder.part(str(value.type)), column)

    bases(pa.ChunkedArray)(_column)

    @bases(pa.Schema)
    def _schema_value(encoder: Encoder, value: Any) -> bytes:
        return record("pyarrow.Schema", _schema(encoder, value))

    @bases(pa.DataType)
    def _type(encoder: Encoder, value: object) -> bytes:
        return encoder.record("pyarrow.DataType", str(value))

    @bases(pa.Scalar)
    def _scalar(encoder: Encoder, value: Any) -> bytes:
        return encoder.record("pyarrow.Scalar", str(value.type), value.as_py())


def install_polars() -> None:
    import polars as pl

    def column(encoder: Encoder, value: Any) -> bytes:
        head = (encoder.part(value.name), encoder.part(str(value.dtype)))
        if value.dtype == pl.Object:
            values = encoder.part(value.to_list())
        else:
            values = _array(encoder, _one_chunk(value.rechunk().to_arrow()))
        return record("polars.Series", *head, values)

    exact(pl.Series)(column)

    @exact(pl.DataFrame)
    def _frame(encoder: Encoder, value: Any) -> bytes:
        columns = [collapse(column(encoder, series)) for series in value.get_columns()]
        return record("polars.DataFrame", encoder.part(value.height), *columns)
