"""How much `.git` grows by committed calls, after packing, beside a hand-written file of results.

Not the work tree's files (`scale`). Each figure is of a real repository: a program
runs, `git commit` takes its calls through the hooks, `git gc` packs. Beside it stands
what git needs for the same numbers in a text file, `[argument, argument, result]` a line.
"""

from __future__ import annotations

import json
import os
import random
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

from benchmarks.peers import git
from gitmemo.commits.setup import set_up

_CALLS = 2_000
_COMMITS = (1, 10)
_BYTES_PER_CALL, _BYTES_PER_ID = 100, 35
_PROGRAM = """\
import math, random, sys
import numpy as np
import gitmemo as gm

@gm.op
def score(x, rate):
    return math.sin(x * rate) * 1e3

@gm.op
def table(x, rate):
    return np.full(100, x * rate)

@gm.op
def total(table, k):
    return float(table[0]) * k / 7

kind, seed, count = sys.argv[1], int(sys.argv[2]), int(sys.argv[3])
rng = random.Random(seed)
with gm.open():
    for number in range(count):
        if kind == "score":
            score(number, rng.random())
        else:
            made = table(number, rng.random())
            if kind == "total":
                total(made, 3)
"""


@dataclass(frozen=True, slots=True)
class _Kind:
    """What calls are measured.

    Attributes:
        name: As the program knows it.
        title: As it is shown.
        calls: How many calls each step of the program makes.
        ids: How many ids each step writes: contents, histories, blobs.
    """

    name: str
    title: str
    calls: int
    ids: int


_KINDS = (
    _Kind("score", "two numbers to a number", 1, 0),
    _Kind("table", "two numbers to an array", 1, 3),  # of its bytes, of the value, of the blob
    # And the array's id again, with its history: too far from the first for git to see that.
    _Kind("total", "that, and the array to a number", 2, 5),
)


def growth() -> None:
    """Bytes that `.git` grows by after packing, per call and per id."""
    print(f"\n{_CALLS} steps: bytes of `.git` after `git gc`, in all commits together")
    print(f"  {'':34} {'commits':>7} {'per call':>9} {'per id':>7} {'git, a text file':>17}")
    first = 0.0
    for kind in _KINDS:
        for commits in _COMMITS:
            grown = _grown(lambda folder, k=kind, c=commits: _gitmemo(folder, k, c))  # type: ignore[misc]
            theirs = _grown(lambda folder, c=commits: _by_hand(folder, c))  # type: ignore[misc]
            if kind.ids == 0 and commits == 1:
                first = grown / _CALLS
            ids = (grown / _CALLS - first * kind.calls) / kind.ids if kind.ids else 0.0
            print(
                f"  {kind.title:34} {commits:7} {grown / _CALLS / kind.calls:9.1f}"
                f" {f'{ids:7.1f}' if ids else '':>7} {theirs / _CALLS:17.1f}",
                flush=True,
            )
    print(f"  the goal: {_BYTES_PER_CALL} for a call with scalars, {_BYTES_PER_ID} for an id")


def _grown(fill: Callable[[Path], Iterator[str]]) -> int:
    """Return how many bytes the packed objects grow by, with one commit after each step of `fill`."""
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name) / "project"
        folder.mkdir()
        git(folder, "init", "-q", "-b", "main")
        (folder / "program.py").write_text(_PROGRAM, encoding="utf-8")
        for _ in set_up(folder):
            pass
        git(folder, "add", "--all")
        git(folder, "commit", "-q", "-m", "Begin")
        before = _packed(folder)
        for what in fill(folder):
            git(folder, "commit", "-q", "--allow-empty", "-m", what)
        return _packed(folder) - before


def _packed(folder: Path) -> int:
    git(folder, "gc", "-q", "--prune=now")
    return sum(p.stat().st_size for p in (folder / ".git/objects").rglob("*") if p.is_file())


def _gitmemo(folder: Path, kind: _Kind, commits: int) -> Iterator[str]:
    root = Path(__file__).parent.parent
    path = os.pathsep.join([str(root), os.environ.get("PYTHONPATH", "")])
    for number in range(commits):
        command = [sys.executable, "program.py", kind.name, str(number), str(_CALLS // commits)]
        subprocess.run(command, check=True, cwd=folder, env={**os.environ, "PYTHONPATH": path})
        yield f"Results {number}"


def _by_hand(folder: Path, commits: int) -> Iterator[str]:
    shutil.rmtree(folder / ".git/hooks")  # nothing of ours runs here
    for number in range(commits):
        rng = random.Random(number)
        rates = [rng.random() for _ in range(_CALLS // commits)]
        lines = [json.dumps([x, rate, x * rate * 1e3 / 7]) + "\n" for x, rate in enumerate(rates)]
        (folder / f"results_{number}.jsonl").write_text("".join(lines), encoding="utf-8")
        git(folder, "add", "--all")
        yield f"Results {number}"
