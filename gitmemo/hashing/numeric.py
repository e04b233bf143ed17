"""Encoding of numpy's arrays, scalars, dtypes and random generators.

Invariant: only dtype, shape and element values count, never memory order,
strides, byte order, padding, or what lies under a mask.
"""

from __future__ import annotations

from functools import cache
from typing import Any

import numpy as np

from gitmemo.hashing.encoding import Encoder
from gitmemo.hashing.parts import collapse, raw, record, sequence
from gitmemo.hashing.registry import bases, exact
from gitmemo.hashing.structure import slots

Array = np.ndarray[Any, Any]

# What a masked array keeps in its instance dict: parts of its value, or caches.
_MASKED_OWN = frozenset(
    {
        "_mask",
        "_fill_value",
        "_hardmask",
        "_sharedmask",
        "_isfield",
        "_baseclass",
        "_optinfo",
        "_basedict",
    }
)


def _dtype(encoder: Encoder, dtype: np.dtype[Any]) -> bytes:
    """Return the part that stands for a dtype, without byte order and offsets."""
    if dtype.names is not None and dtype.fields is not None:
        types: Any = dtype.fields  # the stubs want literal keys
        fields = [
            collapse(sequence(b"(", [encoder.part(name), _dtype(encoder, types[name][0])]))
            for name in dtype.names
        ]
        return collapse(sequence(b"L", fields))
    if dtype.subdtype is not None:
        inner, shape = dtype.subdtype
        return collapse(sequence(b"(", [_dtype(encoder, inner), encoder.part(shape)]))
    if dtype.kind == "T":
        return encoder.part(["StringDType", getattr(dtype, "na_object", None)])
    if dtype.kind == "V" and dtype.type is not np.void:  # types of other packages
        return encoder.part(dtype.name)
    if _is_long_double(dtype):
        return encoder.part(f"{dtype.kind}{dtype.itemsize}/{_long_double_bytes()}")
    return encoder.part(dtype.str.lstrip("<>|="))


def _is_long_double(dtype: np.dtype[Any]) -> bool:
    size = np.dtype(np.longdouble).itemsize
    return size > 8 and (dtype.kind, dtype.itemsize) in (("f", size), ("c", 2 * size))


@cache
def _long_double_bytes() -> int:
    """Return the size of a long double; those of x87 have 10 bytes of value in 12 or 16."""
    # Asked late: numpy tries the type out to answer.
    return 10 if np.finfo(np.longdouble).nmant == 63 else np.dtype(np.longdouble).itemsize


def array_encoding(encoder: Encoder, array: Array) -> bytes:
    """Return the encoding of a plain array of any dtype and layout."""
    dtype = array.dtype
    head = (_dtype(encoder, dtype), encoder.part(array.shape))
    return record("numpy.ndarray", *head, _elements(encoder, array))


def _elements(encoder: Encoder, array: Array) -> bytes:
    dtype = array.dtype
    if dtype.names is not None:  # field by field: between them lies junk
        fields = [collapse(array_encoding(encoder, array[name])) for name in dtype.names]
        return collapse(sequence(b"L", fields))
    if dtype.hasobject or dtype.kind == "T":
        return encoder.part(list(array.flat))
    return raw(_buffer(array))


def _buffer(array: Array) -> memoryview | bytes:
    """Return the element bytes in C order and little-endian; a view where they lie so."""
    if array.nbytes == 0:
        return b""
    if not array.flags.c_contiguous:
        array = np.ascontiguousarray(array)
    if not _is_little(array.dtype):
        array = array.astype(array.dtype.newbyteorder("<"))
    octets = array.reshape(-1).view(np.uint8)
    if _is_long_double(array.dtype):
        size = np.dtype(np.longdouble).itemsize
        octets = np.ascontiguousarray(octets.reshape(-1, size)[:, : _long_double_bytes()]).reshape(
            -1
        )
    return octets.data


def _is_little(dtype: np.dtype[Any]) -> bool:
    return dtype.newbyteorder("<").byteorder in ("|", dtype.byteorder) or (
        dtype.isnative and np.little_endian
    )


def _state(value: object) -> dict[str, object]:
    return slots(value) | (getattr(value, "__dict__", None) or {})


def install_numpy() -> None:
    exact(np.ndarray)(array_encoding)

    @exact(np.memmap)
    def _memmap(encoder: Encoder, value: np.memmap[Any, Any]) -> bytes:
        return array_encoding(encoder, value.view(np.ndarray))

    @bases(np.ndarray)
    def _subclass(encoder: Encoder, value: Array) -> bytes:
        plain = collapse(array_encoding(encoder, np.asarray(value)))
        return record(
            "numpy.ndarray subclass",
            encoder.part(type(value)),
            plain,
            encoder.attributes(_state(value)),
        )

    @bases(np.generic)
    def _scalar(encoder: Encoder, value: np.generic) -> bytes:
        if value.dtype.kind == "f" and value != value:  # one NaN for all
            value = value.dtype.type("nan")
        array = np.asarray(value)
        return record("numpy.scalar", _dtype(encoder, array.dtype), _elements(encoder, array))

    @bases(np.dtype)
    def _dtype_value(encoder: Encoder, value: np.dtype[Any]) -> bytes:
        return record("numpy.dtype", _dtype(encoder, value))

    @exact(np.ufunc)
    def _ufunc(encoder: Encoder, value: np.ufunc) -> bytes:
        return encoder.record("numpy.ufunc", value.__name__)


def install_numpy_ma() -> None:
    from numpy import ma

    def masked(encoder: Encoder, value: Any) -> bytes:
        fill = value._fill_value  # reading `fill_value` would store a default in the array
        if fill is None:
            fill = ma.default_fill_value(value.dtype)
        return record(
            "numpy.ma.MaskedArray",
            collapse(array_encoding(encoder, _blanked(value))),
            collapse(array_encoding(encoder, ma.getmaskarray(value))),
            collapse(array_encoding(encoder, np.asarray(fill, dtype=value.dtype))),
            encoder.part(bool(value.hardmask)),
        )

    def _blanked(value: Any) -> Array:
        data: Array = np.array(value.data, subok=False)
        mask = ma.getmaskarray(value)
        _blank(data, mask)
        return data

    def _blank(data: Array, mask: Array) -> None:
        if data.dtype.names is None:
            data[mask] = np.zeros((), data.dtype)[()]
            return
        for name in data.dtype.names:
            _blank(data[name], mask[name])

    @bases(ma.MaskedArray)
    def _masked_array(encoder: Encoder, value: Any) -> bytes:
        plain = masked(encoder, value)
        extra = _masked_state(value)
        if type(value) is ma.MaskedArray and not extra:
            return plain
        return record(
            "numpy.ma subclass",
            encoder.part(type(value)),
            collapse(plain),
            encoder.attributes(extra),
        )

    @exact(type(ma.masked))
    def _masked_constant(encoder: Encoder, value: object) -> bytes:
        return encoder.record("numpy.ma.masked")


def _masked_state(value: Any) -> dict[str, object]:
    """Return the attributes of a masked array that numpy does not keep for itself."""
    state = {name: item for name, item in _state(value).items() if name not in _MASKED_OWN}
    if value._baseclass is not np.ndarray:
        state["_baseclass"] = value._baseclass
    return dict(value._optinfo) | state


def install_numpy_random() -> None:
    from numpy.random import BitGenerator, Generator, RandomState, SeedSequence

    @bases(Generator)
    def _generator(encoder: Encoder, value: Generator) -> bytes:
        return encoder.record("numpy.random.Generator", value.bit_generator)

    @bases(BitGenerator)
    def _bit_generator(encoder: Encoder, value: BitGenerator) -> bytes:
        # The seed sequence counts: it decides what `spawn` gives.
        return encoder.record("numpy.random.BitGenerator", _fresh(value.state), value.seed_seq)

    @exact(RandomState)
    def _random_state(encoder: Encoder, value: RandomState) -> bytes:
        return encoder.record("numpy.random.RandomState", _fresh(value.get_state(legacy=False)))

    @exact(SeedSequence)
    def _seed_sequence(encoder: Encoder, value: SeedSequence) -> bytes:
        return encoder.record(
            "numpy.random.SeedSequence",
            value.entropy,
            value.spawn_key,
            value.pool_size,
            value.n_children_spawned,
        )


def _fresh(state: Any) -> dict[str, object]:
    """Return a generator's state without the left-over of a used-up second draw."""
    cleaned = dict(state)
    if not cleaned.get("has_uint32", 1):
        cleaned["uinteger"] = 0
    if not cleaned.get("has_gauss", 1):
        cleaned["gauss"] = 0.0
    return cleaned
