"""The main script or notebook of a driver, as its workers see it.

Not pickling (`codecs.pickles`). Invariant: in a worker, code of the driver's main script has one
namespace, the one of `__main__`, in which whoever looks for a component finds what the driver has.
"""

from __future__ import annotations

import functools
import importlib
import linecache
import os
import sys
import threading
from collections import deque
from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import AbstractContextManager
from dataclasses import dataclass
from importlib.machinery import ModuleSpec
from pathlib import Path
from types import FunctionType, ModuleType
from typing import Any

from gitmemo.memo.op import Op
from gitmemo.model.components import Component
from gitmemo.tracing import CodeState
from gitmemo.tracing.cells import names_of_cells, nested
from gitmemo.tracing.observations import Observations
from gitmemo.tracing.project import NOTEBOOK_VARIABLES, main_file, main_module
from gitmemo.tracing.resolver import Resolver

_MAIN = "__main__"
_CACHED = functools._lru_cache_wrapper  # what `functools.cache` makes, too
_LIGHT = (FunctionType, ModuleType, Op, type, int, float, str, bool, bytes, type(None))
"""What may go along unasked: code, and values that are small."""


@dataclass(frozen=True, slots=True)
class Main:
    """The main script of a driver.

    Attributes:
        file: Its file; None for a notebook or a shell.
        module: The name it was started by with `python -m`; None if it was not.
        package: Its package, if it has one.
        cells: The names and texts of the cells that ran, in that order.
        variables: What a notebook says of itself.
        process: The process that it runs in, by a random name.
    """

    file: str | None
    module: str | None
    package: str | None
    cells: tuple[tuple[str, str], ...]
    variables: tuple[tuple[str, str], ...]
    process: str

    @property
    def is_here(self) -> bool:
        """Whether it is the main script of this process."""
        return self.process == _this_process()


_STARTED = os.urandom(16).hex()


def _this_process() -> str:
    return f"{_STARTED}-{os.getpid()}"  # a fork is another one


def main_of_here(notebook: Path | None = None) -> Main:
    """Return the main script of this process, or what runs in a notebook."""
    held = vars(main_module() or sys)
    spec = held.get("__spec__")
    file = main_file()
    cells: tuple[tuple[str, str], ...] = ()
    if file is None:
        cells = tuple((name, "".join(linecache.getlines(name))) for name in names_of_cells())
    said = () if notebook is None else ((NOTEBOOK_VARIABLES[-1], os.path.realpath(notebook)),)
    name, package = getattr(spec, "name", None), held.get("__package__")
    return Main(file, name, package, cells, said, _this_process())


class Namespace(dict[str, str]):
    """Stands for the globals of a module on their way to a worker: there they are the module's."""

    def __init__(self, module: str) -> None:
        super().__init__(module=module)  # not empty: cloudpickle would fill an empty one


def namespace_of(module: str) -> dict[str, Any]:
    """Return the globals of a module of this process, imported if need be."""
    held = main_module() if module == _MAIN else importlib.import_module(module)
    return vars(held)


def namespaces(code: CodeState | None) -> dict[int, Namespace]:
    """Return what stands for the globals of the main script and of the project's modules, by their ids."""
    found = {id(vars(main)): Namespace(_MAIN)} if (main := main_module()) else {}
    if code is None:
        return found
    for name, module in list(sys.modules.items()):
        if name == _MAIN or not isinstance(module, ModuleType):
            continue
        if module.__name__ == name and code.modules.path_of(module) is not None:
            found.setdefault(id(vars(module)), Namespace(name))
    return found


def cache_as_sent(thing: object) -> tuple[Any, ...] | None:
    """Return how a cached function of the main script goes to a worker, where its name leads nowhere.

    `functools` pickles it as its name; what it has cached stays here.
    """
    if not isinstance(thing, _CACHED) or thing.__module__ != _MAIN:
        return None
    return _cached, (thing.__wrapped__, thing.cache_parameters())


def _cached(function: Callable[..., Any], parameters: Mapping[str, Any]) -> object:
    return functools.lru_cache(**parameters)(function)


def names_needed(op: Op[..., Any], code: CodeState | None) -> dict[str, Any]:
    """Return what of the main script a worker needs, by name.

    What the op could touch; and what values that are stored may name: classes, and functions. Of
    those that it could not touch only functions that read no data: it could be all of a program's.
    """
    main = main_module()
    if main is None:
        return {}
    held = vars(main)
    names = {name for name, value in held.items() if _is_named_by_values(value, held)}
    function = op.__wrapped__
    if code is not None and isinstance(function, FunctionType):
        path = code.modules.path_of(main)
        components = Resolver(code).static(function).components
        own = [component for component in components if component.path == path]
        names.update(map(_top, own))
        names.update(n for n in _named_in(own, code) if isinstance(held.get(n), _LIGHT))
    return {name: held[name] for name in sorted(names) if name in held}


def _named_in(components: Iterable[Component], code: CodeState) -> Iterator[str]:
    """Yield the globals that definitions name: those of decorators are not in the code of functions."""
    for component in components:
        unit = code.live_unit(component, Observations())
        for use in unit.names.uses if unit else ():
            if use.chain and not use.module:
                yield use.chain[0]


def _is_named_by_values(value: object, held: Mapping[str, object]) -> bool:
    if getattr(value, "__module__", None) != _MAIN:
        return False
    if isinstance(value, type):
        return True
    function = getattr(value, "__wrapped__", value)
    if not isinstance(function, FunctionType) or function.__closure__:
        return False
    read = {name for code in nested(function.__code__) for name in code.co_names}
    return all(isinstance(held.get(name), _LIGHT) for name in read)


def _top(component: Component) -> str:
    return component.unit.removeprefix("class ").removeprefix("$").partition(".")[0]


class _Stage:
    """The main scripts that calls run in: one at a time, in the order in which calls come."""

    def __init__(self) -> None:
        self._changes = threading.Condition()
        self._running = 0
        self._now: ModuleType | None = None
        self._waiting: deque[object] = deque()

    def enter(self, module: ModuleType, main: Main) -> None:
        with self._changes:
            self._wait(module)
            if self._now is not module or sys.modules.get(_MAIN) is not module:
                self._now = sys.modules[_MAIN] = module
                if not main.is_here:
                    _show(main.cells)
            self._running += 1

    def _wait(self, module: ModuleType) -> None:
        """Wait for the calls of another driver, and for those that have waited for longer."""
        mine = object()
        self._waiting.append(mine)
        try:
            while self._waiting[0] is not mine or (self._running and self._now is not module):
                self._changes.wait()
        finally:
            self._waiting.remove(mine)
            self._changes.notify_all()

    def leave(self) -> None:
        with self._changes:
            self._running -= 1
            self._changes.notify_all()


_stage = _Stage()


class _AsMain:
    """A block on the stage. A class: what `@contextmanager` sets on exceptions, some refuse."""

    def __init__(self, module: ModuleType, main: Main) -> None:
        self._module, self._main = module, main

    def __enter__(self) -> None:
        _stage.enter(self._module, self._main)

    def __exit__(self, *_: object) -> None:
        _stage.leave()


def standing_in(main: Main) -> ModuleType:
    """Return a module that stands for the main script of a driver; its own where it is this process."""
    own = main_module()
    if main.is_here and own is not None:
        return own
    module = ModuleType(_MAIN)
    said: Mapping[str, Any] = dict(main.variables)
    vars(module).update(said)
    vars(module)["__package__"] = main.package
    if main.file is not None:
        module.__file__ = main.file
    if main.module is not None:
        module.__spec__ = ModuleSpec(main.module, None, origin=main.file)
    return module


def as_main(module: ModuleType, main: Main) -> AbstractContextManager[None]:
    """Return a block in which `module` is the main script of this process."""
    return _AsMain(module, main)


def _show(cells: tuple[tuple[str, str], ...]) -> None:
    """Let the texts of cells be found in the order in which they ran."""
    for name in names_of_cells():
        linecache.cache.pop(name, None)
    for name, text in cells:
        # Without a time: a file of this name is not there, and would not be missed.
        linecache.cache[name] = (len(text), None, text.splitlines(keepends=True), name)
