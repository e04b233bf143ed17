"""Hits and misses in one process, beside the peers."""

from __future__ import annotations

import itertools
import tempfile
from collections.abc import Callable, Iterable
from contextlib import nullcontext
from pathlib import Path
from types import ModuleType
from typing import Any

import numpy as np
from blake3 import blake3

from benchmarks.peers import OURS, PEERS, REPOSITORY, names, open_tool, prepare, subject
from benchmarks.timing import Action, in_turn, show

_Make = Callable[
    [ModuleType, Callable[[Callable[..., Any]], Callable[..., Any]]], Callable[[], Any]
]


def _compare(
    title: str,
    make: _Make,
    repeat: int,
    *,
    only: Iterable[str] = (*OURS, *PEERS),
    more: dict[str, Action] | None = None,
) -> None:
    """Time what `make` returns for each tool, given the functions and the tool's decorator."""
    with tempfile.TemporaryDirectory(ignore_cleanup_errors=True) as folder:
        actions: dict[str, Action] = {}
        for number, name in enumerate(name for name in names() if name in only):
            place = Path(folder) / str(number)
            prepare(name, place)
            tool = open_tool(name, place)
            with tool.block():
                actions[name] = Action(make(subject(place), tool.wrap), tool.block)
        show(title, in_turn({**actions, **(more or {})}, repeat))


def hit() -> None:
    """A repeated call with scalar arguments in a warm process."""

    def make(module: ModuleType, wrap: Any) -> Callable[[], Any]:
        function = wrap(module.named)
        return lambda: function(7, 0.25, name="a")

    _compare("1. warm hit, scalar arguments", make, 300)


def chain() -> None:
    """A hit on what another hit returned: an array of 10 MiB, never read."""

    def make(module: ModuleType, wrap: Any) -> Callable[[], Any]:
        ramp, moved = wrap(module.ramp), wrap(module.moved)
        return lambda: moved(moved(ramp(1)))

    tools = (*OURS, "joblib.Memory", "mandala")
    _compare("3. three chained hits, 10 MiB arrays (µs for all three)", make, 5, only=tools)


def setting() -> None:
    """A hit with a nested dict of 20 items, about 1 kB."""
    items = {
        f"layer_{n}": {"units": 64 * n, "rate": 0.1 * n, "names": ["a", "b", str(n)]}
        for n in range(20)
    }

    def make(module: ModuleType, wrap: Any) -> Callable[[], Any]:
        function = wrap(module.measured)
        return lambda: function(items)

    _compare("4. hit, nested dict of 20 items", make, 50)


def array() -> None:
    """A hit with a raw array of 100 MB as its argument, beside one hash of its memory."""
    values = np.random.default_rng(0).random(12_500_000)

    def make(module: ModuleType, wrap: Any) -> Callable[[], Any]:
        function = wrap(module.first)
        return lambda: function(values)

    def hashed() -> bytes:
        return blake3(memoryview(values).cast("B"), max_threads=blake3.AUTO).digest()

    more = {"bare BLAKE3": Action(hashed, nullcontext)}
    tools = (REPOSITORY, "joblib.Memory")
    _compare("5. hit, raw array of 100 MB", make, 2, only=tools, more=more)


def miss() -> None:
    """A call with a new scalar argument and a small result, durable when it returns."""

    def make(module: ModuleType, wrap: Any) -> Callable[[], Any]:
        function, numbers = wrap(module.triple), itertools.count()
        return lambda: function(next(numbers))

    _compare("7. miss, small result", make, 200)


def result() -> None:
    """A call with a new argument whose result is an array of 10 MiB."""

    def make(module: ModuleType, wrap: Any) -> Callable[[], Any]:
        function, numbers = wrap(module.ramp), itertools.count()
        return lambda: function(next(numbers))

    _compare("8. miss, result of 10 MiB", make, 3)


def block() -> None:
    """Entering and leaving a block where nothing changed, and one hit in it."""
    with tempfile.TemporaryDirectory(ignore_cleanup_errors=True) as folder:
        actions: dict[str, Action] = {}
        for functions in (50, 500):
            for name in OURS[:2]:
                place = Path(folder) / f"{functions}-{OURS.index(name)}"
                actions |= _blocks(name, place, functions)
        show("13. enter and exit a block", in_turn(actions, 50))


def _blocks(name: str, place: Path, functions: int) -> dict[str, Action]:
    import sys

    prepare(name, place)
    module_name = f"many_{functions}_{OURS.index(name)}"
    text = "".join(f"def f{n}(x):\n    return x + {n}\n\n" for n in range(functions))
    calls = ", ".join(f"f{n}(x)" for n in range(functions))
    (place / f"{module_name}.py").write_text(
        f"{text}def all_of_them(x):\n    return sum([{calls}])\n"
    )
    sys.path.insert(0, str(place))
    tool = open_tool(name, place)
    function = tool.wrap(__import__(module_name).all_of_them)
    with tool.block():
        function(1)

    def enter() -> None:
        with tool.block():
            pass

    def enter_and_hit() -> None:
        with tool.block():
            function(1)

    label = f"{name.removeprefix('gitmemo, ')}, {functions}"
    return {label: Action(enter), f"{label} + hit": Action(enter_and_hit)}
