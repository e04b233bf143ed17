"""The `.npy` format, and the codecs of numpy arrays and torch tensors that use it.

Not for arrays of Python objects and not for subclasses. Invariant: what comes
back is a writable plain array that is private to the caller, a copy-on-write
map where the bytes are a file, and nothing is ever unpickled.
"""

from __future__ import annotations

import importlib
import io
import math
import mmap
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Any

from gitmemo.codecs.codec import Chunks, Source

if TYPE_CHECKING:
    import numpy as np

MAP_FROM_BYTES = 1 << 16
"""Reading less than this costs less than a map and the open file behind it."""
# Else 200 bytes say that there are 10 billion elements, and to copy them takes minutes.
_MOST_EMPTY = 1 << 16
# numpy refuses to read more from a source that may not unpickle.
_HEADER_BYTES = 10_000


class NpyCodec:
    """A header that numpy documents, padded to 64 bytes, then the elements."""

    name = "npy"
    safe = True

    def encode(self, value: object) -> Chunks | None:
        """Accept exactly `numpy.ndarray`, of a dtype that the header describes fully."""
        np: Any = sys.modules.get("numpy")  # no array without numpy: never import it to ask
        if np is None or type(value) is not np.ndarray:
            return None
        return npy_chunks(value)  # type: ignore[arg-type]

    def decode(self, source: Source) -> object:
        """Map a file copy-on-write, or copy bytes."""
        import numpy as np

        data, is_map = opened(source)
        array = read_npy(data)  # which checks that they are the bytes of what they say
        if not (is_map and isinstance(source, Path)) or not array.nbytes:
            return array.copy(order="K")
        mapped = np.lib.format.open_memmap(source, mode="c")
        return np.asarray(mapped).view(np.ndarray)


class TensorCodec:
    """A torch tensor as the `.npy` bytes of the array that shares its memory.

    Not for tensors that record gradients, live on a device, or have a type
    that numpy lacks (`bfloat16`): those are pickled.
    """

    name = "npy-torch"
    safe = True

    def encode(self, value: object) -> Chunks | None:
        """Accept exactly `torch.Tensor`, dense, on the CPU, of a dtype that numpy has."""
        torch: Any = sys.modules.get("torch")  # no tensor without torch: never import it to ask
        if torch is None or type(value) is not torch.Tensor:
            return None
        tensor: Any = value
        if tensor.requires_grad or tensor.layout != torch.strided or tensor.device.type != "cpu":
            return None
        try:
            array = tensor.resolve_conj().resolve_neg().numpy()
        except (TypeError, RuntimeError):  # a dtype that numpy lacks
            return None
        return npy_chunks(array)

    def decode(self, source: Source) -> object:
        """Read the array and hand it to torch, which shares its memory."""
        torch: Any = importlib.import_module("torch")
        return torch.from_numpy(NpyCodec().decode(source))


def opened(source: Source) -> tuple[memoryview, bool]:
    """Return the bytes of `source`, and whether they are a copy-on-write map of a file."""
    if not isinstance(source, Path):
        return memoryview(source).cast("B"), False
    with source.open("rb") as file:
        if source.stat().st_size < MAP_FROM_BYTES:
            return memoryview(file.read()), False
        return memoryview(mmap.mmap(file.fileno(), 0, access=mmap.ACCESS_COPY)), True


def read_npy(data: memoryview) -> np.ndarray[Any, Any]:
    """Return an array over the elements in `data`, which holds `.npy` bytes; nothing is copied."""
    import numpy as np
    from numpy.lib import format as npy

    file = io.BytesIO(data[: 2 * _HEADER_BYTES])
    read_header = {(1, 0): npy.read_array_header_1_0, (2, 0): npy.read_array_header_2_0}
    shape, fortran, dtype = read_header[npy.read_magic(file)](file)
    elements = data[file.tell() :]
    size = math.prod(shape)
    if dtype.hasobject or elements.nbytes != size * dtype.itemsize or _is_hollow(size, dtype):
        raise ValueError("these are not the bytes of a plain array")
    if not elements.nbytes:
        return np.empty(shape, dtype)
    return np.frombuffer(elements, dtype).reshape(shape, order="F" if fortran else "C")


def npy_chunks(array: np.ndarray[Any, Any]) -> Chunks | None:
    """Return header and elements, or None where the header cannot say all of the dtype."""
    import numpy as np

    if not _is_describable(array.dtype) or _is_hollow(array.size, array.dtype):
        return None
    if not (array.flags.c_contiguous or array.flags.f_contiguous):
        array = np.ascontiguousarray(array)
    header = _header(array)
    if header is None or array.nbytes == 0:
        return None if header is None else (header,)
    in_order = array if array.flags.c_contiguous else array.T
    return header, in_order.reshape(-1).view(np.uint8).data


def _is_hollow(size: int, dtype: np.dtype[Any]) -> bool:
    """Tell whether an array has very many elements or fields that no byte stands for."""
    return size * _empties(dtype) > _MOST_EMPTY


def _empties(dtype: np.dtype[Any]) -> int:
    """Return how many parts of one element have no bytes."""
    if dtype.subdtype is not None:
        inner, shape = dtype.subdtype
        return math.prod(shape) * _empties(inner)
    if dtype.names:
        fields: Any = dtype.fields  # the stubs want literal keys
        return sum(_empties(fields[name][0]) for name in dtype.names)
    return int(dtype.itemsize == 0)


def _is_describable(dtype: np.dtype[Any]) -> bool:
    from numpy.lib import format as npy

    if dtype.hasobject or dtype.metadata is not None or dtype.kind == "T":
        return False
    try:
        described = npy.descr_to_dtype(npy.dtype_to_descr(dtype))
    except (TypeError, ValueError):
        return False
    return described == dtype and described.type is dtype.type


def _header(array: np.ndarray[Any, Any]) -> bytes | None:
    from numpy.lib import format as npy

    fields: dict[str, Any] = npy.header_data_from_array_1_0(array)
    for write in (npy.write_array_header_1_0, npy.write_array_header_2_0):
        header = io.BytesIO()
        try:
            write(header, fields)
        except UnicodeEncodeError:
            return None  # field names that only an unpublished writer can put down
        except ValueError:
            continue  # too long for this version of the header
        return header.getvalue() if header.tell() <= _HEADER_BYTES else None
    return None
