"""Encoding of pandas objects.

Invariant: index, names, column order, dtypes and values count; how pandas
keeps them (blocks, chunks, caches, values under a missing mark, unused levels
of a MultiIndex, a range in place of its numbers) does not.
"""

from __future__ import annotations

from typing import Any

import numpy as np
import pandas as pd
from pandas.api import extensions

from gitmemo.hashing.encoding import Encoder
from gitmemo.hashing.parts import collapse, raw, record, sequence
from gitmemo.hashing.registry import bases, exact


def _values(encoder: Encoder, value: Any) -> bytes:
    """Return the part of the values of a Series, an Index or an extension array."""
    array = getattr(value, "array", value)
    if isinstance(array, pd.arrays.NumpyExtensionArray) and not isinstance(
        array.dtype, pd.StringDtype
    ):
        array = array.to_numpy()
    if isinstance(array, np.ndarray):
        return encoder.part(array)
    return collapse(_extension(encoder, array))


def _extension(encoder: Encoder, array: Any) -> bytes:
    dtype = array.dtype
    name = encoder.part(str(dtype))
    parts: tuple[bytes, ...]
    if isinstance(dtype, pd.StringDtype):
        parts = _strings(encoder, array)
    elif isinstance(dtype, pd.CategoricalDtype):
        codes = np.asarray(array.codes, dtype=np.int64)
        parts = (
            encoder.part(bool(array.ordered)),
            _values(encoder, array.categories),
            encoder.part(codes),
        )
    elif isinstance(dtype, pd.IntervalDtype):
        parts = (_values(encoder, array.left), _values(encoder, array.right))
    elif isinstance(dtype, pd.SparseDtype):
        parts = (encoder.part(np.asarray(array.to_dense())),)
    elif dtype.kind in "mM" or isinstance(dtype, pd.PeriodDtype):
        parts = (encoder.part(np.asarray(array.asi8)),)
    elif isinstance(getattr(dtype, "numpy_dtype", None), np.dtype) and hasattr(array, "_mask"):
        plain = array.to_numpy(dtype=dtype.numpy_dtype, na_value=dtype.numpy_dtype.type(0))
        parts = (encoder.part(plain), encoder.part(np.array(array._mask)))
    elif isinstance(dtype, getattr(pd, "ArrowDtype", ())):
        parts = (encoder.part(array.__arrow_array__()),)
    else:
        parts = (encoder.part(type(array)), encoder.part(_objects(array)))
    return record("pandas.array", name, *parts)


def _objects(array: Any) -> list[object]:
    """Return the elements of a third-party array, None where one is missing."""
    missing = np.asarray(array.isna())
    return [None if gone else item for gone, item in zip(missing, array, strict=True)]


def _strings(encoder: Encoder, array: Any) -> tuple[bytes, ...]:
    """Return missing marks, byte lengths and joined UTF-8, whatever holds the strings."""
    if array.dtype.storage == "pyarrow":
        from gitmemo.hashing.arrow import string_columns

        nulls, sizes, data = string_columns(array.__arrow_array__())
        return encoder.part(nulls), encoder.part(sizes), raw(data)
    missing = np.asarray(array.isna())
    encoded = [
        b"" if gone else item.encode("utf-8", "surrogatepass")
        for gone, item in zip(missing.tolist(), array.to_numpy(dtype=object), strict=True)
    ]
    lengths = np.fromiter(map(len, encoded), dtype=np.int64, count=len(encoded))
    return encoder.part(missing), encoder.part(lengths), raw(b"".join(encoded))


def _index(encoder: Encoder, value: Any) -> bytes:
    if isinstance(value, pd.MultiIndex):
        levels = [_values(encoder, value.get_level_values(i)) for i in range(value.nlevels)]
        names = encoder.part(list(value.names))
        return record("pandas.MultiIndex", names, *levels)
    freq = value.freqstr if isinstance(value, pd.DatetimeIndex | pd.TimedeltaIndex) else None
    name = encoder.part(value.name)
    return record("pandas.Index", name, encoder.part(freq), _values(encoder, value))


def _series(encoder: Encoder, value: Any) -> bytes:
    return record(
        "pandas.Series",
        encoder.part(value.name),
        collapse(_index(encoder, value.index)),
        _values(encoder, value),
        encoder.part(value.attrs),
    )


def _frame(encoder: Encoder, value: Any) -> bytes:
    columns = [_values(encoder, value.iloc[:, i]) for i in range(value.shape[1])]
    return record(
        "pandas.DataFrame",
        collapse(_index(encoder, value.index)),
        collapse(_index(encoder, value.columns)),
        collapse(sequence(b"L", columns)),
        encoder.part(value.attrs),
    )


def install_pandas() -> None:
    exact(pd.DataFrame)(_frame)
    exact(pd.Series)(_series)
    bases(pd.Index)(_index)

    @bases(pd.DataFrame, pd.Series)
    def _subclass(encoder: Encoder, value: Any) -> bytes:
        plain = _frame if isinstance(value, pd.DataFrame) else _series
        extra = {name: getattr(value, name, None) for name in value._metadata if name != "name"}
        return record(
            "pandas subclass",
            encoder.part(type(value)),
            collapse(plain(encoder, value)),
            encoder.attributes(extra),
        )

    @bases(extensions.ExtensionArray)
    def _array(encoder: Encoder, value: Any) -> bytes:
        return record("pandas.ExtensionArray", _values(encoder, value))

    @bases(extensions.ExtensionDtype)
    def _dtype(encoder: Encoder, value: Any) -> bytes:
        if isinstance(value, pd.CategoricalDtype) and value.categories is not None:
            return record(
                "pandas.dtype",
                encoder.part("category"),
                _values(encoder, value.categories),
                encoder.part(value.ordered),
            )
        return encoder.record("pandas.dtype", str(value))

    _install_scalars()


def _install_scalars() -> None:
    @exact(pd.Timestamp)
    def _timestamp(encoder: Encoder, value: Any) -> bytes:
        zone = None if value.tz is None else str(value.tz)
        count = int(value.asm8.view(np.int64))
        return encoder.record("pandas.Timestamp", count, value.unit, zone)

    @exact(pd.Timedelta)
    def _timedelta(encoder: Encoder, value: Any) -> bytes:
        return encoder.record("pandas.Timedelta", int(value.asm8.view(np.int64)), value.unit)

    @exact(pd.Period)
    def _period(encoder: Encoder, value: Any) -> bytes:
        return encoder.record("pandas.Period", value.ordinal, value.freqstr)

    @exact(pd.Interval)
    def _interval(encoder: Encoder, value: Any) -> bytes:
        return encoder.record("pandas.Interval", value.left, value.right, value.closed)

    @exact(type(pd.NA))
    def _na(encoder: Encoder, value: object) -> bytes:
        return encoder.record("pandas.NA")

    @exact(type(pd.NaT))
    def _nat(encoder: Encoder, value: object) -> bytes:
        return encoder.record("pandas.NaT")
