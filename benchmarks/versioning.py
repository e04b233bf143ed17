"""What versions cost: watching, and looking into arguments.

Not blocks (`blocks`), nor listing versions (`listing`). CPU time, in turn.
"""

from __future__ import annotations

import shutil
import sys
import tempfile
from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import AbstractContextManager, contextmanager
from dataclasses import replace
from functools import partial
from itertools import count
from pathlib import Path
from types import FrameType, ModuleType
from typing import Any

import numpy as np

from benchmarks.amounts import scaled
from benchmarks.peers import REPOSITORY, imported
from benchmarks.rows import show
from benchmarks.timing import Action, Row, cpu_in_turn

_ROUNDS = 15
_UNWATCHED = "without versions"
_FLOORS = (_UNWATCHED, "the plain function", "bare", "set(map(type, …))")
_WATCHED = {
    "recursion": "60,000 calls of small functions",
    "arrays": "matrices, 300 x 300",
    "small_arrays": "6,000 operations on small arrays",
    "texts": "200,000 calls of methods of texts",
}


def _show(name: str, title: str, actions: Mapping[str, Action], repeat: int, group: str) -> None:
    figures = [
        replace(one, is_floor=one.name in _FLOORS)
        for one in cpu_in_turn(actions, repeat, rounds=_ROUNDS)
    ]
    show(Row(name, f"{title} (CPU)", figures, group=group))


@contextmanager
def _project() -> Iterator[tuple[Path, ModuleType]]:
    """Make a project with the workloads in it."""
    with tempfile.TemporaryDirectory(ignore_cleanup_errors=True) as name:
        folder = Path(name)
        shutil.copy(Path(__file__).with_name("workloads.py"), folder)
        yield folder, imported("workloads", folder)


def _nothing(_frame: FrameType, _event: str, _argument: object) -> None:
    """Hear of an event."""


@contextmanager
def _profiled() -> Iterator[None]:
    sys.setprofile(_nothing)
    try:
        yield
    finally:
        sys.setprofile(None)


def _next(function: Callable[[int], object], numbers: Iterator[int]) -> object:
    return function(next(numbers))


def _same(storage: AbstractContextManager[object]) -> AbstractContextManager[object]:
    return storage


def watch(_: int, group: str) -> None:
    """Computed calls with and without versions, beside a Python callback for each event."""
    import gitmemo as gm

    with _project() as (folder, module):
        for name, title in _WATCHED.items():
            function, numbers = getattr(module, name), count()
            op = gm.op(function)
            actions: dict[str, Action] = {}
            for label, deps_path in ((REPOSITORY, folder), (_UNWATCHED, None)):
                storage = gm.Storage(deps_path=deps_path)
                actions[label] = Action(partial(_next, op, numbers), partial(_same, storage))
            actions["sys.setprofile, a callback"] = Action(partial(function, 0), _profiled)
            actions["the plain function"] = Action(partial(function, 0))
            _show(
                f"watch-{name.replace('_', '-')}",
                f"a computed call with versions, {title}",
                actions,
                1,
                group,
            )


def fixed(_: int, group: str) -> None:
    """What a watched call costs where the body costs nothing: with no function of its own, with five."""
    from gitmemo.tracing import CodeState, Project, Tracker

    with _project() as (folder, module):
        project = Project(folder)
        tracker = Tracker(project, CodeState(project))

        def watched(function: Callable[[int], int]) -> Callable[[], object]:
            def call() -> None:
                with tracker.capture(function, arguments=((1,), {})):
                    function(1)

            return call

        def profiled(function: Callable[[int], int]) -> Callable[[], object]:
            def call() -> None:
                with _profiled():
                    function(1)

            return call

        for name in ("none", "five"):
            function = getattr(module, name)
            actions = {
                "watched": Action(watched(function)),
                "sys.setprofile, a callback": Action(profiled(function)),
                "bare": Action(partial(function, 1)),
            }
            _show(f"fixed-{name}", f"watching alone, {name}", actions, scaled(2_000), group)


def _types(items: Iterable[object]) -> set[type]:
    return set(map(type, items))


def arguments(_: int, group: str) -> None:
    """Looking for code in the arguments of a computed call, beside one look at each type."""
    from gitmemo.tracing import CodeState, Project, Tracker

    with _project() as (folder, _workloads):
        project = Project(folder)
        resolver = Tracker(project, CodeState(project)).resolver
        nested = {f"layer_{n}": {"units": n, "names": ["a", "b"]} for n in range(20)}
        values: dict[str, tuple[object, int]] = {
            "number": (1, 2_000),
            "array": (np.zeros(3), 2_000),
            "dict of 20 dicts": (nested, 200),
            "list of 1,000,000 numbers": (list(range(1_000_000)), 1),
        }
        for name, (value, repeat) in values.items():
            items: Any = value if isinstance(value, list | dict) else [value]
            actions = {
                "looked into": Action(partial(resolver.given, ((value,), {}))),
                "set(map(type, …))": Action(partial(_types, items)),
            }
            word = name.split()[0].replace("list", "listed").replace("dict", "nested")
            _show(f"argument-{word}", f"looking into {name}", actions, scaled(repeat), group)
