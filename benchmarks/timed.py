"""One tool in a process of its own, in its own environment: `python -m benchmarks.timed TOOL FOLDER CASE`.

It answers each line of its input with a line of JSON, what was measured by what it is called, in µs:
`time`: a call, after as many calls as fit into a quarter of a second;
`first`: opening the tool and one call, or the case's many calls;
`more N BEGIN`: one of so many calls, from that number on, and `open`, opening the tool and the first of them;
`shuffled N BEGIN`: the same, in any order.
What failed is answered with `error`. Not started by people: `turns` does. What tools print goes to standard
error.
"""

from __future__ import annotations

import contextlib
import importlib
import json
import os
import random
import resource
import sys
import time
from collections.abc import Callable, Iterable, Sequence
from pathlib import Path

from benchmarks.cases import Call, Kind, Site
from benchmarks.catalogue import CASES
from benchmarks.floors import FLOORS
from benchmarks.peers import IMPORTS, Tool, imported, open_tool
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

    def answer(self, question: str) -> dict[str, float]:
        """Return what was asked for."""
        match question.split():
            case ["time"]:
                return {"time": self._time()}
            case ["more" | "shuffled" as order, count, begin]:
                numbers = list(range(int(begin), int(begin) + int(count)))
                if order == "shuffled":
                    random.Random(0).shuffle(numbers)
                return self._more(numbers)
            case _ if self._case.kind is Kind.MANY:
                return self._many()
            case _:
                return {"time": self._first()}

    def _time(self) -> float:
        """Return the time of one call in a warm process."""
        is_new = self._action is None
        action = self._action or self._opened()
        self._action = action
        if self._case.kind is Kind.BLOCK:
            return self._per_block(action, is_new=is_new)
        if is_new:
            once = max(per_call_us(action, 1), 0.01)
            self._repeat = max(1, min(self._case.repeat, int(_BUDGET_US / once)))
        if self._case.kind is Kind.STORED:
            return per_call_in_block_us(action, self._repeat)
        return per_call_us(action, self._repeat)

    def _per_block(self, action: Action, *, is_new: bool) -> float:
        """Return the time of a call that may be slow: none is made that is not counted."""
        taken = per_call_in_block_us(action, 1 if is_new else self._repeat)
        if is_new:
            self._repeat = max(1, min(self._case.repeat, int(_BUDGET_US / taken)))
        return taken

    def _first(self) -> float:
        """Return the time of opening the tool and one call; arguments are made before."""
        call, begin = self._unopened()
        start = time.perf_counter()
        with begin():
            call()
            return (time.perf_counter() - start) * 1e6

    def _many(self) -> dict[str, float]:
        """Return the times of opening the tool and all calls, and of a call after the first."""
        call, begin = self._unopened()
        start = time.perf_counter()
        with begin():
            call()
            opened = time.perf_counter()
            for _ in range(self._case.repeat - 1):
                call()
            done = time.perf_counter()
        return {
            "each": (done - opened) / (self._case.repeat - 1) * 1e6,
            "all": (done - start) * 1e6,
            "memory": _peak_mib(),
        }

    def _more(self, numbers: Sequence[int]) -> dict[str, float]:
        """Return the times of opening and the first call, and of a further one, leaving included."""
        call, begin = self._unopened(numbers)
        start = time.perf_counter()
        with begin():
            call()
            opened = time.perf_counter()
            for _ in numbers[1:]:
                call()
        taken = time.perf_counter() - opened
        return {"open": (opened - start) * 1e6, "more": taken / max(1, len(numbers) - 1) * 1e6}

    def _unopened(
        self, numbers: Iterable[int] | None = None
    ) -> tuple[Call, Callable[[], contextlib.AbstractContextManager[object]]]:
        """Return a call, and what opens the tool and then is what calls are made inside."""
        if self._name in FLOORS:
            return FLOORS[self._name](self._folder), contextlib.nullcontext
        imported("subject", self._folder)
        wrapped: list[Callable[..., object]] = []
        tool: list[Tool] = []
        site = Site(self._name, self._folder, lambda function: _late(function, tool, wrapped))
        if numbers is not None:
            site.numbers = iter(numbers)
        call = self._case.make(site)

        def begin() -> contextlib.AbstractContextManager[object]:
            tool.append(open_tool(self._name, self._folder))
            return tool[0].block()

        return call, begin

    def _opened(self) -> Action:
        if self._name in FLOORS:
            return Action(FLOORS[self._name](self._folder))
        tool = open_tool(self._name, self._folder)
        site = Site(self._name, self._folder, tool.wrap, tool)
        if self._case.kind is Kind.BLOCK:
            return Action(self._case.make(site))
        with tool.block():
            return Action(self._case.make(site), tool.block)


def _peak_mib() -> float:
    """Return the most memory that this program has had; what started it does not count."""
    status = Path("/proc/self/status")
    if status.exists():
        lines = status.read_text("utf-8").splitlines()
        return next(int(line.split()[1]) for line in lines if line.startswith("VmHWM:")) / 1024
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    return peak / 1024**2 if sys.platform == "darwin" else peak / 1024


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
            answer: dict[str, float | str] = {**worker.answer(line)}
        except Exception as error:  # noqa: BLE001  a tool may fail with anything, and is then left out
            answer = {"error": f"{type(error).__name__}: {error}"}
        with contextlib.suppress(BrokenPipeError):
            print(json.dumps(answer), file=answers, flush=True)


if __name__ == "__main__":
    main(*sys.argv[1:4])
