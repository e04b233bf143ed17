"""Reading pickles of mandala without mandala: its refs, ops and versions of code, and values.

Not what they mean (`mandala_database`). Invariant: no class of mandala is imported: a `Stub` that
holds what was pickled stands for its objects. All else that a pickle names is loaded and may run,
so whoever reads has been told to.
"""

from __future__ import annotations

import inspect
import io
from collections.abc import Mapping
from typing import Any, ClassVar

from joblib.numpy_pickle import NumpyUnpickler

_TABLES = "pandas"
_OWN = "mandala"


class Stub:
    """An object of a class that is not loaded; its attributes are those that were pickled."""

    named: ClassVar[str] = ""

    def __init__(self, *_: object, **__: object) -> None:
        """Ignore what the class would have been given."""

    def __setstate__(self, state: object) -> None:
        if isinstance(state, dict):
            vars(self).update({str(name): value for name, value in state.items()})


class _OwnUnpickler(NumpyUnpickler):  # type: ignore[misc]
    """Reads what mandala wrote of its own: its classes, and the tables in them, are stubs."""

    def find_class(self, module: str, name: str) -> Any:
        if module.partition(".")[0] in (_OWN, _TABLES):
            return type("Named", (Stub,), {"named": name})
        return super().find_class(module, name)


class _ValueUnpickler(NumpyUnpickler):  # type: ignore[misc]
    """Reads values of users."""

    def find_class(self, module: str, name: str) -> Any:
        if module.partition(".")[0] == _OWN:
            raise ValueError(f"it holds an object of mandala's own ({name})")
        return super().find_class(module, name)


def read_own(data: bytes) -> Any:
    """Return an object of mandala's own, with stubs for its classes.

    Raises:
        ValueError: It cannot be read.
    """
    return _read(_OwnUnpickler, data)


def read_value(data: bytes) -> Any:
    """Return a value; mandala stores it as bytes inside of bytes.

    Raises:
        ValueError: It cannot be read.
    """
    inner = _read(_ValueUnpickler, data)
    return _read(_ValueUnpickler, inner) if isinstance(inner, bytes) else inner


def attribute(obj: object, name: str, default: Any = None) -> Any:
    """Return an attribute that was pickled with an object."""
    return vars(obj).get(name, default) if isinstance(obj, Stub) else default


def table(obj: object) -> Mapping[Any, Any]:
    """Return what should be a dict; an empty one for anything else."""
    return obj if isinstance(obj, dict) else {}


def kind_of(obj: object) -> str:
    """Return the name of the class of an object that was pickled."""
    return obj.named if isinstance(obj, Stub) else ""


def _read(kind: type[Any], data: bytes) -> Any:
    wanted = inspect.signature(kind).parameters  # joblib 1.5 added one
    options = {"ensure_native_byte_order": True} if "ensure_native_byte_order" in wanted else {}
    try:
        return kind("", io.BytesIO(data), **options).load()
    except ValueError:
        raise
    except (Exception, SystemExit) as error:  # any bytes may stand there, and run anything
        raise ValueError(f"{type(error).__name__}: {error}") from error
