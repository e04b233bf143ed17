"""One tool in a process of its own, in its own environment: `python -m benchmarks.timed TOOL FOLDER CASE`.

It answers each line of its input with a line of JSON: `time` with the time of a call in µs, after as many
calls as fit into a quarter of a second; `first` with that of opening the tool and one call; what failed
with `error`. Not started by people: `turns` does. Whatever a tool prints goes to standard error.
"""

from __future__ import annotations

import contextlib
import importlib
import json
import os
import sys
import time
from collections.abc import Callable
from pathlib import Path

from benchmarks.cases import CASES
from benchmarks.floors import FLOORS
from benchmarks.peers import IMPORTS, Tool, open_tool, subject
from benchmarks.timing import Action, per_call_in_block_us, per_call_us

_BUDGET_US = 250_000.0


class _Worker:
    """A tool, its case, and what is open of it."""

    def __init__(self, name: str, folder: Path, case: str) -> None:
        self._name, self._folder, self._case = name, folder, CASES[case]
        self._action: Action | None = None
        self._repeat = 0
        for module in IMPORTS.get(name, ()):  # imports are not what is measured
            importlib.import_module(module)
        self._subject = None if name in FLOORS else subject(folder)

    def time(self) -> float:
        """Return the time of one call in a warm process."""
        if self._action is None:
            self._action = self._opened()
            once = max(per_call_us(self._action, 1), 0.01)
            self._repeat = max(1, min(self._case.repeat, int(_BUDGET_US / once)))
        if self._case.stores:
            return per_call_in_block_us(self._action, self._repeat)
        return per_call_us(self._action, self._repeat)

    def first(self) -> float:
        """Return the time of opening the tool and one call; arguments are made before."""
        if self._name in FLOORS:
            call = FLOORS[self._name](self._folder)
            start = time.perf_counter()
            call()
            return (time.perf_counter() - start) * 1e6
        wrapped: list[Callable[..., object]] = []
        tool: list[Tool] = []
        call = self._case.make(self._subject, lambda function: _late(function, tool, wrapped))
        start = time.perf_counter()
        tool.append(open_tool(self._name, self._folder))
        with tool[0].block():
            call()
            return (time.perf_counter() - start) * 1e6

    def _opened(self) -> Action:
        if self._name in FLOORS:
            return Action(FLOORS[self._name](self._folder))
        tool = open_tool(self._name, self._folder)
        with tool.block():
            return Action(self._case.make(self._subject, tool.wrap), tool.block)


def _late(
    function: Callable[..., object], tool: list[Tool], wrapped: list[Callable[..., object]]
) -> Callable[..., object]:
    """Return the function as one that is wrapped at its first call, when the tool is open."""

    def call(*args: object, **kwargs: object) -> object:
        if not wrapped:
            wrapped.append(tool[0].wrap(function))
        return wrapped[0](*args, **kwargs)

    return call


def main(name: str, folder: str, case: str) -> None:
    """Answer until the input ends."""
    answers = os.fdopen(os.dup(1), "w")
    os.dup2(2, 1)
    worker: _Worker | None = None
    for line in sys.stdin:
        try:
            worker = worker or _Worker(name, Path(folder), case)
            answer: object = worker.time() if line.strip() == "time" else worker.first()
        except Exception as error:  # noqa: BLE001  a tool may fail with anything, and is then left out
            answer = {"error": f"{type(error).__name__}: {error}"}
        with contextlib.suppress(BrokenPipeError):
            print(json.dumps(answer), file=answers, flush=True)


if __name__ == "__main__":
    main(*sys.argv[1:4])
