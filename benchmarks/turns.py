"""Tools take turns at one case, each in its own process and environment (`timed`).

Invariant: within a round every tool and every floor is timed once, one at a time.
"""

from __future__ import annotations

import json
import os
import select
import subprocess
import tempfile
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from functools import partial
from pathlib import Path

from benchmarks.amounts import scaled
from benchmarks.cases import Case, Kind
from benchmarks.catalogue import CASES
from benchmarks.environments import ROOT
from benchmarks.floors import FLOORS
from benchmarks.peers import REPOSITORY, git, names, prepare, python_of
from benchmarks.rows import show
from benchmarks.timing import TIME, Left, Row, Take, Turns

_MORE = scaled(1_000)
_LIMIT_S = 900
_INSERT = "SQLite, insert with a log"


class Process:
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

    def ask(self, what: str) -> dict[str, float]:
        """Return what was measured."""
        assert self._process.stdin and self._process.stdout
        try:
            self._process.stdin.write(f"{what}\n")
            self._process.stdin.flush()
        except BrokenPipeError:
            raise Left("its process ended") from None
        if not select.select([self._process.stdout], [], [], _LIMIT_S)[0]:
            self._process.kill()
            raise Left(f"it took longer than {_LIMIT_S // 60} minutes")
        answer = json.loads(self._process.stdout.readline() or '{"error": "its process ended"}')
        if "error" in answer:
            raise Left(answer["error"])
        return dict(answer)

    def close(self) -> None:
        """End it."""
        self._process.communicate()


def compare(name: str, rounds: int, group: str) -> None:
    """Run one case with all tools that take part, and show its row."""
    case = CASES[name]
    with _places(case) as places:
        if case.is_cold:
            takes = {
                one: partial(ask_new, one, place, name, "first") for one, place in places.items()
            }
            found = _turns(takes).run(rounds, warm_up=case.warm_up)
        else:
            processes = {one: Process(one, place, name) for one, place in places.items()}
            try:
                takes = {one: partial(each.ask, "time") for one, each in processes.items()}
                found = _turns(takes).run(rounds, warm_up=case.warm_up)
            finally:
                for process in processes.values():
                    process.close()
    for figures in found.values():
        show(Row(name, case.title, figures, group=group))


def compare_many(name: str, rounds: int, group: str) -> None:
    """Run a case of many calls in new processes, and show what it found as several rows."""
    case = CASES[name]
    assert case.kind is Kind.MANY
    with _places(case) as places:
        empty = {one: _used(place) for one, place in places.items()}

        def again(one: str, place: Path) -> dict[str, float]:
            is_new = one not in filled
            found = ask_new(one, place, name, "first")
            if is_new and one == REPOSITORY:
                git(place, "commit", "-q", "--allow-empty", "-m", "Results")
            filled.add(one)
            return {**found, "disk": (_used(place) - empty[one]) / case.repeat}

        filled: set[str] = set()
        takes: dict[str, Take] = {one: partial(again, one, place) for one, place in places.items()}
        found = _turns(takes).run(rounds, warm_up=case.warm_up)
        tools = {one: place for one, place in places.items() if one not in FLOORS}
        tools[_INSERT] = places[case.floors[0]]
        later = _turns({one: _more(one, place, name) for one, place in tools.items()}).run(rounds)
    for what, title, unit in _PARTS:
        if what in found and (what != "each" or name == "1k"):
            row = title.format(case.title)
            show(Row(f"{_ROW_NAMES[what]}{name}", row, found[what], unit, group))
    show(Row(f"later{name}", f"a miss beside {case.title}", later["more"], group=group))


_ROW_NAMES = {"each": "fresh", "all": "retrace", "memory": "memory", "disk": "disk"}
_PARTS = (
    ("each", "first touch of each of {} in a new process", TIME),
    ("all", "{} in a new process, opening included", TIME),
    ("memory", "{} in a new process, its peak", "MiB"),
    ("disk", "{}, on the disk, for each", "B"),
)


@contextmanager
def _places(case: Case) -> Iterator[dict[str, Path]]:
    """Make a project for each tool that can take part, and for each floor; gitmemo is first."""
    with tempfile.TemporaryDirectory(ignore_cleanup_errors=True) as folder:
        chosen = (*names(case.tools), *case.floors)
        places = {one: Path(folder) / str(n) for n, one in enumerate(chosen)}
        for one, place in places.items():
            prepare(one, place)
        yield places


def _turns(takes: Mapping[str, Take]) -> Turns:
    return Turns(takes, frozenset(takes) & frozenset(FLOORS))


def ask_new(one: str, place: Path, case: str, question: str) -> dict[str, float]:
    """Ask a new process of a tool one question."""
    process = Process(one, place, case)
    try:
        return process.ask(question)
    finally:
        process.close()


def _more(one: str, place: Path, name: str) -> Take:
    begin = iter(range(CASES[name].repeat, 1_000_000_000, _MORE))
    return lambda: ask_new(one, place, name, f"more {_MORE} {next(begin)}")


def _used(folder: Path) -> int:
    """Return the space that a folder takes on the disk."""
    return sum(path.lstat().st_blocks * 512 for path in folder.rglob("*"))
