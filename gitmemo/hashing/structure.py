"""Encoding of code and of objects without a rule of their own.

Functions, classes and modules are named, not read: their code is a dependency
of the call, not part of a value. Code without an address (lambdas, functions
inside functions) is the exception. Everything else is taken apart as pickle
would, but structurally. Invariant: an object is read, never changed, and what
cannot be taken apart raises `Unhashable` with the path to it.
"""

from __future__ import annotations

import contextlib
import copyreg
import enum
import functools
import sys
import types
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from gitmemo.errors import Unhashable
from gitmemo.hashing.digest import Digest
from gitmemo.hashing.encoding import Encoder, content_id, locate
from gitmemo.hashing.parts import collapse, raw, record, sequence
from gitmemo.hashing.registry import bases, exact, fallback

_EMPTY_CELL = "<empty cell>"
_ITERATORS = ("builtins", "itertools")


MAINS = ("__main__", "__mp_main__")  # the second is what multiprocessing calls it
_MOST_WRAPPERS = 100
# What numpy calls otherwise since 2.0 and 2.3, and that is the same.
_RENAMED = {
    "numpy:bool_": "numpy:bool",
    "numpy:chararray": "numpy.char:chararray",
    "numpy:recarray": "numpy.rec:recarray",
    "numpy.ma.core:MaskedArray": "numpy.ma:MaskedArray",
}


def main_name() -> str:
    """Return what the main script is called, so that it and its import agree: as a module.

    It is `__main__` where there is no file.
    """
    main = sys.modules.get("__main__")
    spec = getattr(main, "__spec__", None)
    if spec is not None and spec.name not in MAINS:
        return str(spec.name)
    file = getattr(main, "__file__", None)
    return Path(file).stem if file else "__main__"


def address(value: Any) -> str:
    """Return `module:qualname` of a function or class."""
    module = value.__module__
    if module in MAINS:
        module = main_name()
    name = f"{module}:{value.__qualname__}"
    return _RENAMED.get(name, name)


def leads_back(value: Any) -> bool:
    """Tell whether the address of a function or class leads to it, decorated or not."""
    try:
        found = sys.modules.get(value.__module__)
        for name in value.__qualname__.split("."):
            found = getattr(found, name)
        for _ in range(_MOST_WRAPPERS):
            if found is value:
                return True
            found = getattr(found, "__wrapped__", None) or getattr(found, "__func__", None)
    except Exception:  # noqa: BLE001 a module or decorator may answer with anything
        return False
    return False


def slots(value: object) -> dict[str, object]:
    """Return what an object holds in the slots of its class and of its bases."""
    found: dict[str, object] = {}
    for base in type(value).__mro__:
        for name, member in vars(base).items() if "__slots__" in vars(base) else ():
            if isinstance(member, types.MemberDescriptorType) and name not in found:
                with contextlib.suppress(AttributeError):
                    found[name] = member.__get__(value)
    return found


def code_digest(code: types.CodeType) -> Digest:
    """Return a digest of what `code` does.

    Bytecode differs between Python versions, and so do these digests.
    """
    constants = tuple(
        code_digest(constant) if isinstance(constant, types.CodeType) else constant
        for constant in code.co_consts
    )
    parameters = (code.co_argcount, code.co_posonlyargcount, code.co_kwonlyargcount, code.co_flags)
    names = (code.co_names, code.co_varnames, code.co_freevars, code.co_cellvars)
    # Which instructions a `try` covers is only there.
    covered = code.co_exceptiontable
    return content_id((code.co_code, constants, parameters, names, covered))


# --- code ---------------------------------------------------------------


@exact(types.FunctionType)
def _function(encoder: Encoder, value: types.FunctionType) -> bytes:
    code = value.__code__
    # A wrapper made by `functools.wraps` has the wrapped function's name but not its code.
    named = value.__qualname__ == code.co_qualname and leads_back(value)
    cells = []
    for name, cell in zip(code.co_freevars, value.__closure__ or (), strict=True):
        try:
            cells.append(encoder.part(_content(cell)))
        except Unhashable as error:
            locate(error, f".{name}")
            raise
    own = [] if "__name__" in value.__globals__ else [encoder.attributes(_globals(value))]
    return record(
        "function",
        encoder.part(address(value)),
        encoder.part(None if named else code_digest(code)),
        collapse(sequence(b"(", cells)),
        encoder.part(value.__defaults__),
        encoder.part(value.__kwdefaults__),
        *own,
    )


def _globals(function: types.FunctionType) -> dict[str, object]:
    """Return the globals that a function names, if they are of no module that could be tracked."""
    names: set[str] = set()
    codes = [function.__code__]
    for code in codes:
        names.update(code.co_names)
        codes += (inner for inner in code.co_consts if isinstance(inner, types.CodeType))
    return {name: function.__globals__[name] for name in names & function.__globals__.keys()}


def _content(cell: types.CellType) -> object:
    try:
        return cell.cell_contents
    except ValueError:
        return _EMPTY_CELL


@exact(types.CodeType)
def _code(encoder: Encoder, value: types.CodeType) -> bytes:
    return record("code", raw(code_digest(value)))


@exact(types.BuiltinFunctionType)
def _builtin(encoder: Encoder, value: types.BuiltinFunctionType) -> bytes:
    owner = value.__self__
    if owner is None or isinstance(owner, types.ModuleType):
        return encoder.record("builtin", f"{value.__module__}:{value.__qualname__}")
    return encoder.record("builtin", value.__qualname__, owner)


@exact(types.MethodType)
def _method(encoder: Encoder, value: types.MethodType) -> bytes:
    return encoder.record("method", value.__func__, value.__self__)


@exact(types.ModuleType)
def _module(encoder: Encoder, value: types.ModuleType) -> bytes:
    name = value.__name__
    return encoder.record("module", main_name() if name in MAINS else name)


@exact(functools.partial)
def _partial(encoder: Encoder, value: functools.partial[object]) -> bytes:
    return encoder.record("partial", value.func, value.args, value.keywords)


@exact(types.MappingProxyType)
def _mapping_proxy(encoder: Encoder, value: Mapping[object, object]) -> bytes:
    return record("mappingproxy", encoder.part(dict(value)))


# --- objects --------------------------------------------------------------


@bases(enum.Enum)
def _enum(encoder: Encoder, value: enum.Enum) -> bytes:
    # A combination of flags has no name that is the same in every Python.
    is_flag = isinstance(value, enum.Flag)
    return encoder.record("enum", type(value), value.value if is_flag else value.name)


@fallback
def _object(encoder: Encoder, value: Any) -> bytes:
    """Encode an object by what it consists of."""
    kind = type(value)
    if isinstance(value, tuple) and hasattr(kind, "_fields") and not getattr(value, "__dict__", 0):
        return record(
            "namedtuple", encoder.part(kind), encoder.part(kind._fields), *encoder.elements(value)
        )
    if _is_plain_dataclass(kind):
        return record("dataclass", encoder.part(kind), encoder.attributes(_fields(value)))
    if kind.__module__ in _ITERATORS and hasattr(kind, "__next__"):
        raise _refused(kind, "reading it would use it up; pass a list instead")
    reduced = _reduce(value, kind)
    if isinstance(reduced, str):
        return _global(encoder, value, reduced)
    if not isinstance(reduced, tuple) or not 2 <= len(reduced) <= 6:
        raise _refused(kind, "its __reduce__ does not follow the pickle protocol")
    function, arguments, state, items, pairs = (*reduced, *(None,) * 4)[:5]
    if isinstance(value, set | frozenset):  # pickle would list them in hash order
        function, arguments, items = copyreg.__newobj__, (kind,), [frozenset(value)]  # type: ignore[attr-defined]
    if function is copyreg.__newobj__:  # type: ignore[attr-defined]
        function, arguments = None, tuple(arguments or ())[1:]
    if isinstance(value, tuple) and hasattr(kind, "_fields"):
        arguments = (kind._fields, arguments)
    return record(
        "object",
        encoder.part(kind),
        encoder.part(function),
        encoder.part(arguments),
        _state(encoder, kind, state),
        encoder.part(None if items is None else list(items)),
        encoder.part(None if pairs is None else dict(pairs)),
    )


def _is_plain_dataclass(kind: Any) -> bool:
    """Tell whether the fields of a dataclass are all there is to its values."""
    return (
        "__dataclass_fields__" in kind.__dict__
        and kind.__reduce_ex__ is object.__reduce_ex__
        and kind.__reduce__ is object.__reduce__
        and getattr(kind.__getstate__, "__module__", "dataclasses") == "dataclasses"
        and kind not in copyreg.dispatch_table
        and not any(base in kind.__mro__ for base in (int, float, str, bytes, tuple, list, dict))
        and not issubclass(kind, set | frozenset | BaseException)
    )


def _fields(value: Any) -> dict[str, object]:
    own = slots(value) | getattr(value, "__dict__", {})
    state = dict(_without_cached(type(value), own))
    # Not imported above: it costs 10 ms, and there is no dataclass without it.
    for field in sys.modules["dataclasses"].fields(value):
        if hasattr(value, field.name):
            state[field.name] = getattr(value, field.name)
    return state


def _reduce(value: Any, kind: type) -> Any:
    # `tblib`, which Dask uses, gives exceptions that it has seen one that tells of tracebacks.
    is_error = issubclass(kind, BaseException)
    reducer = None if is_error else copyreg.dispatch_table.get(kind)
    try:
        return reducer(value) if reducer else value.__reduce_ex__(4)
    except RecursionError:
        raise
    except Exception as error:  # noqa: BLE001 a foreign __reduce_ex__ may raise anything
        raise _refused(kind, str(error) or type(error).__name__) from None


def _global(encoder: Encoder, value: Any, name: str) -> bytes:
    """Encode an object that says it is a module's global, such as a cached function."""
    wrapped = getattr(value, "__wrapped__", None)
    if "<locals>" in name and wrapped is None:
        raise _refused(type(value), f"{name} has no address")
    module = getattr(value, "__module__", None) or type(value).__module__
    if module in MAINS:
        module = main_name()
    return encoder.record("global", type(value), f"{module}:{name}", wrapped)


def _state(encoder: Encoder, kind: type, state: object) -> bytes:
    """Return the part of an object's state; the order of attributes is no meaning."""
    if state is None:  # what pickle makes of an object without attributes
        state = {}
    if type(state) is dict and all(type(key) is str for key in state):
        return encoder.attributes(_without_cached(kind, state))
    if type(state) is tuple and len(state) == 2 and type(state[1]) is dict:  # slots
        return record("slots", *(_state(encoder, kind, half) for half in state))
    return encoder.part(state)


def _without_cached(kind: type, state: Mapping[str, object]) -> Mapping[str, object]:
    """Leave out what `functools.cached_property` has filled in."""
    if not any(isinstance(getattr(kind, key, None), functools.cached_property) for key in state):
        return state
    return {
        key: item
        for key, item in state.items()
        if not isinstance(getattr(kind, key, None), functools.cached_property)
    }


def _refused(kind: type, reason: str) -> Unhashable:
    return Unhashable(f"{kind.__module__}.{kind.__qualname__}", "", reason)
