"""The codecs that are pickles, and the only place that unpickles anything.

Not safe: reading runs code that the bytes name, so callers ask `is_safe` first
and read only what they trust. Invariant: `unpickle` is the one way in, and an
object of the main script is written so that another script can read it.
"""

from __future__ import annotations

import io
import pickle
import sys
import types
from pathlib import Path
from typing import Any

from gitmemo.codecs.codec import Chunks, Source

_PROTOCOL = 5
_MAP_FROM_BYTES = 1 << 16


class _HoldsArrays(Exception):
    """Joblib writes it better."""


class _BelongsToMain(Exception):
    """Only cloudpickle writes it so that another script can read it."""


class _LosesItsType(Exception):
    """Joblib reads a matrix back as an array."""


class _Pickler(pickle.Pickler):
    """A pickler that stops at code of the main script and at large arrays."""

    def reducer_override(self, value: Any) -> Any:
        if isinstance(value, type | types.FunctionType) and value.__module__ == "__main__":
            raise _BelongsToMain
        np: Any = sys.modules.get("numpy")  # no array without numpy: never import it to ask
        if np is None or type(value) not in (np.ndarray, np.memmap, np.matrix):
            return NotImplemented
        return self.reduce_array(value, np)

    def reduce_array(self, array: Any, np: Any) -> Any:
        if type(array) is np.matrix:
            return NotImplemented
        if _is_large(array):
            raise _HoldsArrays
        # A map of a file is no more than its array: another process lacks the file.
        return array.view(np.ndarray).__reduce_ex__(_PROTOCOL)


class _Search(_Pickler):
    """A pickler that leaves large arrays out, to see whether there are any."""

    found = False

    def reduce_array(self, array: Any, np: Any) -> Any:
        if type(array) is np.matrix:
            raise _LosesItsType
        if not _is_large(array):
            return super().reduce_array(array, np)
        self.found = True
        return int, ()


def _is_large(array: Any) -> bool:
    return bool(array.nbytes >= _MAP_FROM_BYTES and not array.dtype.hasobject)


def _pickled(value: object) -> bytes:
    file = io.BytesIO()
    _Pickler(file, protocol=_PROTOCOL).dump(value)
    return file.getvalue()


def _holds_arrays(value: object) -> bool:
    search = _Search(io.BytesIO(), protocol=_PROTOCOL)
    search.dump(value)
    return search.found


class PickleCodec:
    """Pickle protocol 5, all in one stream."""

    name = "pickle"
    safe = False

    def encode(self, value: object) -> Chunks | None:
        """Accept what any script can read and what has no array of 64 KiB or more."""
        try:
            return (_pickled(value),)
        except Exception:  # noqa: BLE001 cloudpickle is asked last, and says why not
            return None

    def decode(self, source: Source) -> object:
        """Read it."""
        return unpickle(source)


class JoblibCodec:
    """Uncompressed `joblib.dump`, whose arrays can be mapped from a file."""

    name = "joblib"
    safe = False

    def encode(self, value: object) -> Chunks | None:
        """Accept what has an array of 64 KiB or more and nothing of the main script."""
        try:
            return (_dumped(value),) if _holds_arrays(value) else None
        except Exception:  # noqa: BLE001 likewise
            return None

    def decode(self, source: Source) -> object:
        """Read it, with large arrays mapped copy-on-write where the bytes are a file."""
        return unpickle(source, with_joblib=True)


def _dumped(value: object) -> memoryview:
    import joblib

    file = io.BytesIO()
    joblib.dump(value, file, compress=0, protocol=_PROTOCOL)
    return file.getbuffer()


class CloudpickleCodec:
    """Pickle with code inside: lambdas, local classes, everything of the main script."""

    name = "cloudpickle"
    safe = False

    def encode(self, value: object) -> Chunks | None:
        """Accept anything that cloudpickle does; its exceptions pass."""
        import cloudpickle

        return (cloudpickle.dumps(value, protocol=_PROTOCOL),)

    def decode(self, source: Source) -> object:
        """Read it."""
        return unpickle(source)


def unpickle(source: Source, *, with_joblib: bool = False) -> object:
    """Return the object that the bytes describe. This runs code: they must be trusted."""
    if not with_joblib:
        if isinstance(source, Path):
            source = source.read_bytes()
        return pickle.loads(source)
    import joblib

    if isinstance(source, Path):
        return _without_memmaps(joblib.load(source, mmap_mode="c"))
    return joblib.load(io.BytesIO(source))


def _without_memmaps(value: Any) -> Any:
    """Return `value` with plain arrays for the memmaps in it, as far as plain containers go."""
    import numpy as np

    done: set[int] = set()

    def plain(item: Any) -> Any:
        kind = type(item)
        if kind is np.memmap:
            return np.asarray(item).view(np.ndarray)
        if kind not in (list, dict, tuple) or id(item) in done:
            return item
        done.add(id(item))
        if kind is tuple:
            return tuple(map(plain, item))
        for key, inner in list(item.items() if kind is dict else enumerate(item)):
            item[key] = plain(inner)
        return item

    return plain(value)
