"""How much `.git` grows by committed calls, after packing, beside a hand-written file of results.

Not the space that projects take (`turns`). Each figure is of a real repository: a program
runs, `git commit` takes its calls through the hooks, `git gc` packs. Beside it stands
what git needs for the same numbers in a text file, `[argument, argument, result]` a line.
"""

from __future__ import annotations

import json
import random
import shutil
import sys
import tempfile
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from functools import partial
from pathlib import Path

from benchmarks.amounts import scaled
from benchmarks.peers import REPOSITORY, git
from benchmarks.processes import run
from benchmarks.rows import show
from benchmarks.timing import Row, figure
from gitmemo.commits.setup import set_up

CALLS = max(scaled(2_000), 10)
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
    """

    name: str
    title: str
    calls: int


_KINDS = (
    _Kind("score", "two numbers to a number", 1),
    _Kind("table", "two numbers to an array", 1),  # three ids: its bytes, the value, the blob
    # And the array's id again, with its history: too far from the first for git to see that.
    _Kind("total", "that, and the array to a number", 2),
)


def growth(commits: int, _: int, group: str) -> None:
    """Show the bytes that `.git` grows by after packing, for each call, in so many commits."""
    in_commits = "one commit" if commits == 1 else f"{commits} commits"
    for kind in _KINDS:
        grown = _grown(partial(_gitmemo, kind=kind, commits=commits))
        theirs = _grown(partial(_by_hand, commits=commits))
        ours = figure(REPOSITORY, [grown / CALLS / kind.calls])
        floor = figure("git, a text file", [theirs / CALLS], is_floor=True)
        title = f"{kind.title}, for each call in `.git`, {in_commits}"
        name = f"growth{'' if commits == 1 else commits}-{kind.name}"
        show(Row(name, title, [ours, floor], "B", group))


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
    for number in range(commits):
        run(sys.executable, "program.py", kind.name, number, CALLS // commits, cwd=folder)
        yield f"Results {number}"


def _by_hand(folder: Path, commits: int) -> Iterator[str]:
    shutil.rmtree(folder / ".git/hooks")  # nothing of ours runs here
    for number in range(commits):
        rng = random.Random(number)
        rates = [rng.random() for _ in range(CALLS // commits)]
        lines = [json.dumps([x, rate, x * rate * 1e3 / 7]) + "\n" for x, rate in enumerate(rates)]
        (folder / f"results_{number}.jsonl").write_text("".join(lines), encoding="utf-8")
        git(folder, "add", "--all")
        yield f"Results {number}"
