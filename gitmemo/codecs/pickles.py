"""The codecs that are pickles, and the only place that unpickles anything.

Not safe: reading runs code that the bytes name, so callers ask `is_safe` first
and read only what they trust. Invariant: `unpickle` is the one way in; what has
a name in the main script is written as that name, never as code; and reading
changes no class that exists already.
"""

from __future__ import annotations

import functools
import inspect
import io
import pickle
import sys
import threading
from collections.abc import Callable, Mapping
from contextvars import ContextVar
from importlib.util import find_spec
from pathlib import Path
from typing import Any, NamedTuple

from gitmemo.codecs import scripts
from gitmemo.codecs.codec import Chunks, Source
from gitmemo.codecs.files import refuse_files
from gitmemo.errors import UndecodableValue, Unencodable

_PROTOCOL = 5
_MAP_FROM_BYTES = 1 << 16
_BY_VALUE = "cloudpickle"


def _refuse(value: object) -> None:
    """Raise `Unencodable` for what is no value inside an object: a file, and a ref."""
    refuse_files(value)
    if hasattr(type(value), "__gitmemo_cid__"):
        raise Unencodable(
            type(value).__qualname__,
            "a ref inside an object is not its value: take it first, with storage.unwrap(ref)",
        )


class _HoldsArrays(Exception):
    """Joblib writes it better."""


class _LosesItsType(Exception):
    """Joblib reads a matrix back as an array."""


class _Pickler(pickle.Pickler):
    """A pickler that names what the main script defines, and stops at large arrays."""

    def reducer_override(self, value: Any) -> Any:
        _refuse(value)
        named = scripts.reduced(value)
        if named is not None:
            return named
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
        """Accept what consists of things with a name and has no array of 64 KiB or more."""
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
        """Accept what has an array of 64 KiB or more and consists of things with a name."""
        try:
            return (_dumped(value),) if _holds_arrays(value) else None
        except Exception:  # noqa: BLE001 likewise
            return None

    def decode(self, source: Source) -> object:
        """Read it, with large arrays mapped copy-on-write where the bytes are a file."""
        return unpickle(source, with_joblib=True)


def _dumped(value: object) -> memoryview:
    file = io.BytesIO()
    _joblib_pickler()(file, protocol=_PROTOCOL).dump(value)
    return file.getbuffer()


@functools.cache
def _joblib_pickler() -> Any:
    """Return the pickler of `joblib.dump`, with names for what the main script defines."""
    from joblib.numpy_pickle import NumpyPickler

    class Pickler(NumpyPickler):  # type: ignore[misc]
        def reducer_override(self, value: Any) -> Any:
            _refuse(value)
            named = scripts.reduced(value)
            return NotImplemented if named is None else named

    return Pickler


class CloudpickleCodec:
    """Pickle with code inside: lambdas, classes and functions that no name leads to.

    Code is bytecode of one Python version, which is part of the codec's name:
    another version would run it, and crash.
    """

    name = f"{_BY_VALUE}-{sys.version_info[0]}.{sys.version_info[1]}"
    safe = False

    def encode(self, value: object) -> Chunks | None:
        """Accept anything that cloudpickle does; its exceptions pass."""
        file = io.BytesIO()
        _cloud_pickler()(file, protocol=_PROTOCOL).dump(value)
        return (file.getvalue(),)

    def decode(self, source: Source) -> object:
        """Read it."""
        with _READING_CODE:
            return unpickle(source)


# Else another thread finds a class before this one has filled it in.
_READING_CODE = threading.RLock()


class Sending(NamedTuple):
    """What is written in another way while something is on its way to a worker.

    Attributes:
        namespaces: What stands for the globals of modules, by the ids of their dicts.
        reduced: How to pickle an object; None for one that is pickled as ever.
    """

    namespaces: Mapping[int, object]
    reduced: Callable[[object], tuple[Any, ...] | None]


_sending: ContextVar[Sending | None] = ContextVar("gitmemo_sending", default=None)


def to_worker(value: object) -> bytes:
    """Return `value` as bytes for another process of this program: its main script's code included."""
    import cloudpickle

    sending = _sending.get()
    if sending is None:
        plain: bytes = cloudpickle.dumps(value)
        return plain
    file = io.BytesIO()
    _sending_pickler()(file, sending).dump(value)
    return file.getvalue()


def sent(value: object, sending: Sending) -> bytes:
    """Return `value` as `to_worker` does, also what is pickled within it, written as `sending` says."""
    token = _sending.set(sending)
    try:
        return to_worker(value)
    finally:
        _sending.reset(token)


@functools.cache
def _sending_pickler() -> Any:
    import cloudpickle

    class Pickler(cloudpickle.Pickler):  # type: ignore[misc]
        def __init__(self, file: io.BytesIO, sending: Sending) -> None:
            super().__init__(file, protocol=_PROTOCOL)
            self._reduced = sending.reduced
            # From here cloudpickle takes the globals of the functions that it makes.
            self.globals_ref.update(sending.namespaces)

        def reducer_override(self, obj: Any) -> Any:
            found = self._reduced(obj)
            return super().reducer_override(obj) if found is None else found

    return Pickler


def in_worker(data: bytes) -> Any:
    """Return what `to_worker` was given."""
    with _READING_CODE:
        return pickle.loads(data)


@functools.cache
def _cloud_pickler() -> Any:
    """Return cloudpickle's pickler, with names for what the main script defines."""
    import cloudpickle

    class Pickler(cloudpickle.Pickler):  # type: ignore[misc]
        def reducer_override(self, obj: Any) -> Any:
            _refuse(obj)
            named = scripts.reduced(obj)
            return super().reducer_override(obj) if named is None else named

    return Pickler


def refusal(codec: str) -> UndecodableValue | None:
    """Return why code in the bytes of `codec` cannot run here; None if that is not the matter."""
    kind, _, version = codec.partition("-")
    if kind != _BY_VALUE or codec == CloudpickleCodec.name:
        return None
    here = CloudpickleCodec.name.removeprefix(f"{_BY_VALUE}-")
    python = f"Python {version}" if version else "an unknown version of Python"
    return UndecodableValue(
        codec,
        f"it holds code for {python}, which Python {here} cannot run",
        "",
        (f"read it with {python}, or " if version else "")
        + "define the function or class at the top of a module, so that it is stored by its "
        "name, and compute the value again",
    )


def _as_here(module: str) -> str:
    """Return what a module is called here that has another name in other versions of its package.

    Python 3.13 alone says that paths are of `pathlib._local`, numpy 1 lacks the `numpy._core` of 2.
    """
    if module == "pathlib._local":
        return "pathlib"
    if module.startswith("numpy._core") and find_spec("numpy._core") is None:
        return module.replace("._core", ".core", 1)
    return module


class _Classes:
    """How names in a pickle become objects: live ones of this process first."""

    def __init__(self) -> None:
        self._known: list[Any] = []

    def find(self, module: str, name: str, standard: Callable[[str, str], Any]) -> Any:
        """Return what `module` calls `name`; `standard` is how pickle itself looks it up."""
        module = _as_here(module)
        if module == "cloudpickle.cloudpickle":
            if name in ("_make_skeleton_class", "_make_skeleton_enum"):
                return functools.partial(self._make, standard(module, name))
            if name == "_class_setstate":
                return functools.partial(self._fill, standard(module, name))
        return scripts.of_main(module, name, lambda: standard(module, name))

    def _make(self, make: Callable[..., Any], *args: Any) -> Any:
        """Return the class that the bytes describe: the very class, if this process has it."""
        from cloudpickle import cloudpickle

        known = cloudpickle._DYNAMIC_CLASS_TRACKER_BY_ID.get(args[-2]) if args[-2] else None
        if known is None:
            return make(*args)
        self._known.append(known)
        return known

    def _fill(self, fill: Callable[..., Any], made: Any, state: Any) -> Any:
        return made if any(made is known for known in self._known) else fill(made, state)


class _Unpickler(pickle.Unpickler):
    def __init__(self, file: io.BytesIO) -> None:
        super().__init__(file)
        self._classes = _Classes()

    def find_class(self, module: str, name: str) -> Any:
        return self._classes.find(module, name, super().find_class)


@functools.cache
def _joblib_unpickler() -> Any:
    import numpy as np
    from joblib.numpy_pickle import NumpyUnpickler

    class Unpickler(NumpyUnpickler):  # type: ignore[misc]
        def find_class(self, module: str, name: str) -> Any:
            standard, module = super().find_class, _as_here(module)
            return scripts.of_main(module, name, lambda: standard(module, name))

        def load_build(self) -> None:
            super().load_build()
            if type(self.stack[-1]) is np.memmap:  # wherever it is, it was a plain array
                self.stack[-1] = self.stack[-1].view(np.ndarray)

        dispatch = NumpyUnpickler.dispatch | {pickle.BUILD[0]: load_build}

    # Since joblib 1.5 it must be told; before, it always did this.
    if "ensure_native_byte_order" not in inspect.signature(NumpyUnpickler).parameters:
        return Unpickler

    def unpickler(filename: str, file: Any, mmap_mode: str | None) -> Any:
        return Unpickler(filename, file, mmap_mode is None, mmap_mode=mmap_mode)

    return unpickler


def unpickle(source: Source, *, with_joblib: bool = False) -> object:
    """Return the object that the bytes describe. This runs code: they must be trusted."""
    if not with_joblib:
        if isinstance(source, Path):
            source = source.read_bytes()
        return _Unpickler(io.BytesIO(source)).load()
    if isinstance(source, Path):
        with source.open("rb") as file:
            return _joblib_unpickler()(str(source), file, mmap_mode="c").load()
    return _joblib_unpickler()("", io.BytesIO(source), mmap_mode=None).load()


def load_dump(path: Path) -> object:
    """Return the object in a file that `joblib.dump` wrote, compressed or not. This runs code, too."""
    import joblib

    found: object = joblib.load(path)
    return found
