"""What versions cost: watching, looking into arguments, listing. Blocks are in `blocks`.

CPU time, the least of many rounds, in turn: other programs on the machine only add.
"""

from __future__ import annotations

import importlib
import json
import sys
import tempfile
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import replace
from itertools import count
from pathlib import Path
from types import FrameType, ModuleType
from typing import Any

import numpy as np

from benchmarks.amounts import scaled
from benchmarks.peers import REPOSITORY, open_tool, prepare
from benchmarks.rows import show
from benchmarks.timing import Action, Row, figure, least_cpu

_ROUNDS = 15
_UNWATCHED = "without versions"
_FLOORS = (_UNWATCHED, "the plain function", "bare", "set(map(type, …))", "bare: all lines as JSON")
_WATCHED = {
    "recursion": "60,000 calls of small functions",
    "arrays": "matrices, 300 x 300",
    "small_arrays": "6,000 operations on small arrays",
    "texts": "200,000 calls of methods of texts",
}


def _show(name: str, title: str, actions: Mapping[str, Action], repeat: int, group: str) -> None:
    figures = [
        replace(one, is_floor=one.name in _FLOORS)
        for one in least_cpu(actions, repeat, rounds=_ROUNDS)
    ]
    show(Row(name, f"{title} (CPU)", figures, group=group))


@contextmanager
def _project(*tools: str) -> Iterator[tuple[Path, ModuleType]]:
    """Make a project for each of our tools, in one folder, with the workloads in it."""
    with tempfile.TemporaryDirectory(ignore_cleanup_errors=True) as name:
        folder = Path(name)
        for tool in tools:
            prepare(tool, folder)
        text = Path(__file__).with_name("workloads.py").read_text()
        (folder / "workloads.py").write_text(text)
        sys.modules.pop("workloads", None)
        sys.path.insert(0, str(folder))
        importlib.invalidate_caches()
        try:
            yield folder, importlib.import_module("workloads")
        finally:
            sys.path.remove(str(folder))


def _nothing(_frame: FrameType, _event: str, _argument: object) -> None:
    """Hear of an event."""


@contextmanager
def _profiled() -> Iterator[None]:
    sys.setprofile(_nothing)
    try:
        yield
    finally:
        sys.setprofile(None)


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
                actions[label] = Action(
                    lambda f=op, n=numbers: f(next(n)), lambda found=storage: found
                )
            actions["sys.setprofile, a callback"] = Action(lambda f=function: f(0), _profiled)
            actions["the plain function"] = Action(lambda f=function: f(0))
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
                "bare": Action(lambda f=function: f(1)),
            }
            _show(f"fixed-{name}", f"watching alone, {name}", actions, scaled(2_000), group)


def arguments(_: int, group: str) -> None:
    """Looking for code in the arguments of a computed call, beside one look at each type."""
    from gitmemo.tracing import CodeState, Project, Tracker

    with _project() as (folder, _):
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
                "looked into": Action(lambda v=value: resolver.given(((v,), {}))),
                "set(map(type, …))": Action(lambda i=items: set(map(type, i))),
            }
            word = name.split()[0].replace("list", "listed").replace("dict", "nested")
            _show(f"argument-{word}", f"looking into {name}", actions, scaled(repeat), group)


def versions(_: int, group: str) -> None:
    """Listing 10,000 contents of 1,000 functions, and versions of 20 functions each."""
    with _project(REPOSITORY) as (folder, _):
        lines = _history(folder)
        world = open_tool(REPOSITORY, folder).block().world  # type: ignore[attr-defined]
        start = time.process_time()
        world.enter()
        read = (time.process_time() - start) * 1e6
        actions = {
            "contents of functions": Action(lambda: world.index.facts("source")),
            "versions": Action(lambda: world.index.facts("version")),
            "histories, one by one": Action(lambda: [world.index.history(c) for c in _COMPONENTS]),
            "bare: all lines as JSON": Action(lambda: [json.loads(line) for line in lines]),
        }
        _show("versions", "10,000 contents of 1,000 functions, and versions", actions, 1, group)
        title = "10,000 contents of 1,000 functions, read into the index once (CPU)"
        show(Row("versions-index", title, [figure(REPOSITORY, [read])], group=group))


def _components() -> list[Any]:
    from gitmemo.model.components import Component

    return [Component(f"lab/module_{n // 20}.py", f"function_{n}") for n in range(1_000)]


_COMPONENTS = _components()


def _history(folder: Path) -> list[str]:
    """Write segments in which every function has ten contents; return their lines."""
    from gitmemo.hashing.digest import digest
    from gitmemo.model.components import Content
    from gitmemo.model.facts import Fact, Source, Version
    from gitmemo.model.lines import record_id, to_line
    from gitmemo.world.segments import build_segment

    parents: dict[Any, tuple[Any, ...]] = dict.fromkeys(_COMPONENTS, ())
    now = {c: Content(digest(f"{c} 0".encode())) for c in _COMPONENTS}
    facts: list[Fact] = []
    for age in range(10):
        for number, component in enumerate(_COMPONENTS):
            name = f"{component} {age}".encode()
            source = Source(component, digest(name), digest(b"text" + name), parents[component])
            parents[component] = (record_id(to_line(source)),)
            now[component] = Content(source.source)
            first = number // 20 * 20
            facts += [source, Version({c: now[c] for c in _COMPONENTS[first : first + 20]})]
    lines = [to_line(fact) for fact in facts]
    for part in range(20):
        segment = build_segment(lines[part::20])
        path = folder / segment.path("2026-01")
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(segment.data)
    return lines
