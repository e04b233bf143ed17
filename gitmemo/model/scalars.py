"""Scalars of numpy as plain values, read from the encodings that records hold.

Not a decoder (`codecs`), nor the encoding itself (`hashing.numeric`). Invariant: neither numpy nor any
stored bytes are needed, and different values of one type are told as different plain values.
"""

from __future__ import annotations

import struct
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from functools import lru_cache
from typing import Any

from gitmemo.hashing.parts import record
from gitmemo.model.items import Inline

_SCALAR = record("numpy.scalar")[:-1] + b"\x02"
_ARRAY = record("numpy.ndarray")[:-1] + b"\x03"
_NO_DIMENSIONS = b"(\0"
_DIGITS = {"f2": 5, "f4": 9}  # so many tell any two of them apart
_NUMBERS = {"b1": "<?", "f2": "<e", "f4": "<f", "f8": "<d"} | {
    f"{kind}{1 << power}": f"<{sign if kind == 'i' else sign.upper()}"
    for kind in "iu"
    for power, sign in enumerate("bhiq")
}
_NOT_A_TIME = -(1 << 63)
_FRACTIONS = {"ms": 3, "us": 6, "ns": 9}
_SECONDS = {"W": 604_800, "D": 86_400, "h": 3_600, "m": 60, "s": 1}
_LENGTHS = {"Y": 4, "M": 7, "W": 10, "D": 10, "h": 13, "m": 16, "s": 19}
_BEGAN = datetime(1970, 1, 1, tzinfo=UTC)


@lru_cache(maxsize=1 << 16)
def plain_scalar(short: bytes) -> Inline | None:
    """Return the number, truth or text that an encoding is of, None if it is none of numpy's.

    An array without dimensions is told as its element, a moment as the text that numpy makes of it.
    """
    found = _dtype_and_bytes(short)
    if found is None:
        return None
    dtype, data = found
    try:
        return _plain(dtype, data)
    except (struct.error, UnicodeDecodeError, ValueError, OverflowError):
        return None  # of a newer scheme, perhaps: it stays a stored value


def scalar(short: bytes) -> object:
    """Return the scalar itself, an object of numpy; None where it is none, or numpy is not installed."""
    found = _dtype_and_bytes(short) if short.startswith(_SCALAR) else None
    if found is None or plain_scalar(short) is None:
        return None
    try:
        import numpy as np
    except ImportError:
        return None
    dtype, data = found
    little: np.dtype[Any] = np.dtype(dtype).newbyteorder("<")
    return np.frombuffer(data, little, 1)[0] if data else little.type()


def _dtype_and_bytes(short: bytes) -> tuple[str, bytes] | None:
    """Return the parts of a scalar, or of an array without dimensions, that tell it."""
    for head, shape in ((_SCALAR, b""), (_ARRAY, _NO_DIMENSIONS)):
        if short.startswith(head + b"s"):
            dtype, rest = _sized(short[len(head) + 1 :])
            if not rest.startswith(shape + b"b"):
                return None
            data, after = _sized(rest[len(shape) + 1 :])
            return None if after else (dtype.decode("ascii", "replace"), data)
    return None


def _sized(part: bytes) -> tuple[bytes, bytes]:
    """Return what a length in one byte stands before, and what follows."""
    end = 1 + (part[0] if part else 0)
    return part[1:end], part[end:]


def _plain(dtype: str, data: bytes) -> Inline | None:
    if dtype in _NUMBERS:
        (number,) = struct.unpack(_NUMBERS[dtype], data)
        return Inline(_shortest(number, dtype) if dtype in _DIGITS else number)
    if dtype.startswith("U"):
        return Inline(data.decode("utf-32-le").rstrip("\0"))
    if dtype.startswith("M8[") and dtype.endswith("]"):
        (ticks,) = struct.unpack("<q", data)
        text = "NaT" if ticks == _NOT_A_TIME else _moment(ticks, dtype[3:-1])
        return None if text is None else Inline(text)
    return None


def _shortest(number: float, dtype: str) -> float:
    """Return the number with the fewest digits that is this one in its type: 0.1, not 0.10000000149."""
    if number != number or number - number != 0.0:
        return number
    pack: Callable[[float], bytes] = struct.Struct(_NUMBERS[dtype]).pack
    found = (float(f"{number:.{digits}g}") for digits in range(1, _DIGITS[dtype] + 1))
    return next((one for one in found if _packed(pack, one) == pack(number)), number)


def _packed(pack: Callable[[float], bytes], number: float) -> bytes:
    try:
        return pack(number)
    except OverflowError:  # rounded upwards, beyond the largest
        return b""


def _moment(ticks: int, unit: str) -> str | None:
    """Return a moment as numpy writes it; None for units that are finer than a nanosecond, or unusual."""
    if unit in ("Y", "M"):
        years, months = (ticks, 0) if unit == "Y" else divmod(ticks, 12)
        began = _BEGAN.replace(year=1970 + years, month=1 + months)
        return began.isoformat()[: _LENGTHS[unit]]
    if unit in _SECONDS:
        began = _BEGAN + timedelta(seconds=ticks * _SECONDS[unit])
        return began.isoformat()[: _LENGTHS[unit]]
    if unit in _FRACTIONS:
        seconds, rest = divmod(ticks, 10 ** _FRACTIONS[unit])
        whole = (_BEGAN + timedelta(seconds=seconds)).isoformat()[: _LENGTHS["s"]]
        return f"{whole}.{rest:0{_FRACTIONS[unit]}d}"
    return None
