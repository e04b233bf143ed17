"""Tools take turns at one case, each in its own process and environment (`timed`).

Invariant: within a round every tool and every floor is timed once, one at a time.
"""

from __future__ import annotations

import json
import os
import subprocess
import tempfile
from collections.abc import Iterable
from pathlib import Path

from benchmarks.cases import CASES
from benchmarks.environments import ROOT
from benchmarks.floors import FLOORS
from benchmarks.peers import names, prepare, python_of
from benchmarks.timing import ROUNDS, figure, show


class _Failed(Exception):
    """A tool could not make the calls of a case."""


class _Process:
    """A tool in its process, told by lines when to make its calls."""

    def __init__(self, name: str, place: Path, case: str) -> None:
        command = [python_of(name) or "", "-m", "benchmarks.timed", name, str(place), case]
        path = os.pathsep.join([str(ROOT), os.environ.get("PYTHONPATH", "")])
        self._process = subprocess.Popen(
            command,
            cwd=ROOT,
            env={**os.environ, "PYTHONPATH": path},
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL,
            text=True,
        )

    def ask(self, what: str) -> float:
        """Return the time that was taken, in µs."""
        assert self._process.stdin and self._process.stdout
        try:
            self._process.stdin.write(f"{what}\n")
            self._process.stdin.flush()
        except BrokenPipeError:
            raise _Failed("its process ended") from None
        answer = json.loads(self._process.stdout.readline() or '{"error": "its process ended"}')
        if isinstance(answer, dict):
            raise _Failed(answer["error"])
        return float(answer)

    def close(self) -> None:
        """End it."""
        self._process.communicate()


def compare(name: str, *, rounds: int = ROUNDS, tools: Iterable[str] | None = None) -> None:
    """Run one case with all tools that take part, and show its table."""
    case = CASES[name]
    chosen = [one for one in names(case.tools) if tools is None or one in tools]
    with tempfile.TemporaryDirectory(ignore_cleanup_errors=True) as folder:
        places = {one: Path(folder) / str(n) for n, one in enumerate((*chosen, *case.floors))}
        for one, place in places.items():
            prepare(one, place)
        samples = (_cold if case.is_cold else _warm)(name, places, rounds)
    show(
        f"{name}: {case.title}",
        [figure(one, taken, is_floor=one in FLOORS) for one, taken in samples.items()],
    )


def _warm(name: str, places: dict[str, Path], rounds: int) -> dict[str, list[float]]:
    processes = {one: _Process(one, place, name) for one, place in places.items()}
    samples: dict[str, list[float]] = {one: [] for one in places}
    try:
        for number in range(rounds + 1):
            for one in list(samples):
                _take(samples, one, processes[one], "time")
                if number == 0 and one in samples:  # the first round warms up
                    samples[one].clear()
    finally:
        for process in processes.values():
            process.close()
    return samples


def _cold(name: str, places: dict[str, Path], rounds: int) -> dict[str, list[float]]:
    samples: dict[str, list[float]] = {one: [] for one in places}
    for number in range(rounds + 2):
        for one in list(samples):
            process = _Process(one, places[one], name)
            _take(samples, one, process, "first")
            process.close()
            if number < 2 and one in samples:  # the first is a miss, the second reads what it left
                samples[one].clear()
    return samples


def _take(samples: dict[str, list[float]], one: str, process: _Process, what: str) -> None:
    """Add a time to a tool's, or leave the tool out from now on and say so."""
    try:
        samples[one].append(process.ask(what))
    except _Failed as why:
        print(f"  ({one} is left out: {str(why)[:200]})")
        del samples[one]
