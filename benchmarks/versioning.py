"""What versions cost: watching, entering a block, checking large data, listing.

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
from itertools import count
from pathlib import Path
from types import FrameType, ModuleType
from typing import Any

import numpy as np
from blake3 import blake3

from benchmarks.peers import FILE, OURS, REPOSITORY, open_tool, prepare
from benchmarks.timing import Action, Figure, show

_ROUNDS = 15


def _least(actions: Mapping[str, Action], repeat: int) -> list[Figure]:
    """Time each action `repeat` times per round, all of them in every round."""
    samples: dict[str, list[float]] = {name: [] for name in actions}
    for number in range(_ROUNDS + 2):
        for name, action in actions.items():
            with action.block():
                action.call()
                start = time.process_time()
                for _ in range(repeat):
                    action.call()
                elapsed = time.process_time() - start
            if number > 1:  # the first rounds warm up
                samples[name].append(elapsed / repeat * 1e6)
    return [Figure(name, min(s), min(s), max(s)) for name, s in samples.items()]


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


def watch() -> None:
    """Computed calls with and without versions, beside a Python callback for each event."""
    import gitmemo as gm

    with _project() as (folder, module):
        for name in ("recursion", "arrays", "small_arrays", "texts"):
            function, numbers = getattr(module, name), count()
            op = gm.op(function)
            actions: dict[str, Action] = {}
            for label, deps_path in (("without versions", None), ("versions", folder)):
                storage = gm.Storage(deps_path=deps_path)
                actions[label] = Action(
                    lambda f=op, n=numbers: f(next(n)), lambda found=storage: found
                )
            actions["sys.setprofile, a callback"] = Action(lambda f=function: f(0), _profiled)
            actions["plain function"] = Action(lambda f=function: f(0))
            show(f"watching, {name} (CPU)", _least(actions, 1))


def fixed() -> None:
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
            show(f"fixed cost of watching, {name} (CPU)", _least(actions, 2_000))


def arguments() -> None:
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
            show(f"an argument, {name} (CPU)", _least(actions, repeat))


def data() -> None:
    """A hit of an op that reads a global of 100 MB, beside one hash of its memory."""
    values = np.random.default_rng(0).random(12_500_000)
    with _project(FILE) as (folder, module):
        vars(module)["DATA"] = values
        tool = open_tool(FILE, folder)
        op, other = tool.wrap(module.of_data), tool.wrap(module.none)
        with tool.block():
            op(1)
            other(1)

        def enter() -> None:
            with tool.block():
                other(1)

        actions = {
            "hit that reads it": Action(lambda: op(1), tool.block),
            "block and hit that does not": Action(enter),
            "bare BLAKE3": Action(lambda: blake3(values.data.cast("B")).digest()),
        }
        show("a global of 100 MB (CPU)", _least(actions, 1))


def entry() -> None:
    """A block over 40 modules, 520 functions and 640 globals that a call has touched."""
    with _project(REPOSITORY) as (folder, _):
        _write_modules(folder)
        every = importlib.import_module("every_module").every
        files = sorted(folder.rglob("*.py"))
        actions: dict[str, Action] = {}
        for name in OURS[:2]:
            tool = open_tool(name, folder)
            op = tool.wrap(every)
            with tool.block():
                op(1)
            label = name.removeprefix("gitmemo, ")
            actions |= {
                f"{label}: block": Action(_in_block(tool.block, lambda: None)),
                f"{label}: block + hit": Action(_in_block(tool.block, lambda f=op: f(1))),
            }
        actions["bare: stat of the files"] = Action(lambda: [file.stat() for file in files])
        show("a block, 520 functions and 640 globals known (CPU)", _least(actions, 20))


def _in_block(block: Callable[[], Any], call: Callable[[], object]) -> Callable[[], object]:
    def enter() -> None:
        with block():
            call()

    return enter


def _write_modules(folder: Path) -> None:
    package = folder / "many_modules"
    package.mkdir()
    (package / "__init__.py").write_text("")
    for module in range(40):
        kinds = (f"{module}", f"'text {module}'", f"[{module}, [1, 2]]", f"{{'a': {module}}}")
        lines = [f"G{n} = {kinds[n % 4]}" for n in range(16)]
        for n in range(12):
            lines.append(f"def f{n}(x):\n    return x + len(str(G{n})) + len(str(G{n + 4}))")
        calls = " + ".join(f"f{n}(x)" for n in range(12))
        lines.append(f"def all_here(x):\n    return {calls}")
        (package / f"m{module}.py").write_text("\n".join(lines) + "\n")
    imports = "\n".join(f"from many_modules import m{n}" for n in range(40))
    calls = " + ".join(f"m{n}.all_here(x)" for n in range(40))
    (folder / "every_module.py").write_text(f"{imports}\ndef every(x):\n    return {calls}\n")


def versions() -> None:
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
        figures = _least(actions, 1)
        show("10,000 contents of 1,000 functions (CPU)", figures)
        print(f"  {'read into the index, once':26} {read:12.0f}")


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
