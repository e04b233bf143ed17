"""What things of installed packages and of Python itself are called.

Not what the project calls them (`bindings`). Invariant: two things that have names
of their own are told apart; a name holds no private module and no version, so
that another Python or another release of a package has the same ones.
"""

from __future__ import annotations

import os
import sys
from types import (
    BuiltinFunctionType,
    FunctionType,
    GetSetDescriptorType,
    MemberDescriptorType,
    MethodDescriptorType,
    MethodWrapperType,
    ModuleType,
    WrapperDescriptorType,
)
from typing import Any

from gitmemo.hashing.digest import Digest, digest
from gitmemo.tracing.cells import nested
from gitmemo.tracing.observations import Observations

BUILTIN_KINDS = (
    BuiltinFunctionType,
    MethodWrapperType,
    WrapperDescriptorType,
    MethodDescriptorType,
    GetSetDescriptorType,
    MemberDescriptorType,
)
_SAME_AS = {"posixpath": "os", "ntpath": "os", "posix": "os", "nt": "os"}
_MOCK_MODULES = frozenset({"unittest.mock", "mock.mock"})
_SET_ON_MOCKS = ("_mock_return_value", "_mock_side_effect", "_mock_wraps")

_Settings = tuple[object, ...]
_mocks: dict[int, tuple[object, list[tuple[_Settings, Digest]]]] = {}


def foreign_name(value: Any) -> str | None:
    """Return `package.name` of a class, a function or a built-in, None for what has no name.

    >>> import operator, os.path
    >>> foreign_name(operator.add), foreign_name(int), foreign_name([].append)
    ('operator.add', 'builtins.int', None)
    """
    name = getattr(value, "__qualname__", None) or getattr(value, "__name__", None)
    if not isinstance(name, str) or "<" in name:
        return None
    if not isinstance(value, (type, FunctionType, *BUILTIN_KINDS)) and not callable(value):
        return None
    owner = getattr(value, "__self__", None)
    if owner is not None and not isinstance(owner, ModuleType | type):
        return None  # `[].append`: what it is bound to counts
    return f"{_module_of(value)}.{name}"


def maker_name(function: FunctionType) -> str | None:
    """Return the name of a foreign function that another function made, None if it tells too little.

    >>> import contextlib
    >>> maker_name(contextlib.contextmanager(iter))
    'contextlib.contextmanager.<locals>.helper'
    """
    name, space = function.__code__.co_qualname, function.__globals__
    outer, inside, _ = name.partition(".<locals>.")
    if not inside or "<lambda>" in name:
        return None
    first, *rest = outer.split(".")
    maker: Any = space.get(first)
    for part in rest:
        maker = vars(maker).get(part) if isinstance(maker, type) else None
    maker = getattr(maker, "__func__", maker)
    if not isinstance(maker, FunctionType):
        return None
    same = [code for code in nested(maker.__code__) if code.co_qualname == name]
    # Of two that are called the same, the name does not say which one it is.
    is_told = len(same) == 1 and same[0] is function.__code__
    return f"{_public(str(space.get('__name__')))}.{name}" if is_told else None


def package_of(name: str) -> str:
    """Return the package that a foreign name begins with.

    >>> package_of("numpy.linalg.norm"), package_of("_pickle.load")
    ('numpy', 'pickle')
    """
    first = name.partition(".")[0].strip("_")
    return _SAME_AS.get(first, first)


def kind_name(value: object) -> str:
    """Name the type of an object by package and class."""
    kind = type(value)
    return f"{package_of(str(kind.__module__))}.{kind.__qualname__}"


def _module_of(value: Any) -> str:
    module: Any = getattr(value, "__module__", None)
    if not isinstance(module, str):
        owner = getattr(value, "__objclass__", None) or getattr(value, "__self__", None)
        if isinstance(owner, ModuleType):
            module = owner.__name__
        else:
            owner = owner if isinstance(owner, type) else type(value)
            module = owner.__module__
    return _public(module)


def _public(module: str) -> str:
    first, *rest = module.split(".")
    return ".".join([package_of(first), *(part for part in rest if not part.startswith("_"))])


# --- stand-ins of tests -----------------------------------------------------------


def is_mock(value: object) -> bool:
    """Whether `value` is a mock object, or a function that stands before one."""
    return _mock_behind(value) is not None


def mock_id(value: object, seen: Observations) -> Digest:
    """Return an id that a mock has in this process alone, another one when it is set up anew.

    What it noted of its calls does not count, so that calling it changes nothing.
    """
    mock = _mock_behind(value)
    settings = _settings(mock)
    seen.guard(lambda: _are_same(_settings(mock), settings))
    known = _mocks.setdefault(id(mock), (mock, []))[1]  # kept, so that no other gets its id
    for before, found in known:
        if _are_same(before, settings):
            return found
    known.append((settings, digest(b"mock" + os.urandom(16))))
    return known[-1][1]


def _mock_behind(value: object) -> object | None:
    if "unittest.mock" not in sys.modules and "mock.mock" not in sys.modules:
        return None
    if isinstance(value, FunctionType):  # of `create_autospec`
        value = vars(value).get("mock")
    return value if type(value).__module__ in _MOCK_MODULES else None


def _settings(mock: Any) -> _Settings:
    held = map(vars(mock).get, _SET_ON_MOCKS)
    return tuple(each if _is_set(mock, each) else None for each in held)


def _are_same(ones: _Settings, others: _Settings) -> bool:
    return all(one is other for one, other in zip(ones, others, strict=True))


def _is_set(mock: object, value: Any) -> bool:
    """Whether somebody said what a mock does, rather than that it was made up when called."""
    if value is None or value is sys.modules[type(mock).__module__].__dict__.get("DEFAULT"):
        return False
    made_up = type(value).__module__ in _MOCK_MODULES
    return not (made_up and vars(value).get("_mock_new_parent") is mock)
