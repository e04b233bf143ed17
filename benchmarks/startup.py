"""Starting: `import` of each tool, what a program needs of it, and the help of its command."""

from __future__ import annotations

import sys
import tempfile
from functools import partial
from pathlib import Path

from benchmarks.environments import program_of
from benchmarks.peers import REPOSITORY, names, python_of
from benchmarks.processes import run, wall_us
from benchmarks.rows import show
from benchmarks.timing import Row, Take, Turns

_BARE = "bare Python"
_IMPORTS = {
    REPOSITORY: ("import gitmemo", "from gitmemo import op, open, Storage"),
    "diskcache": ("import diskcache", "from diskcache import Cache"),
    "joblib.Memory": ("import joblib", "from joblib import Memory"),
    "mandala": ("import mandala.imports", "from mandala.imports import op, Storage"),
    "redun": ("import redun", "from redun import Scheduler, task"),
}


def imports(rounds: int, group: str) -> None:
    """Time whole processes that import a tool, or what a program needs of it."""
    titles = {
        "import": "`import gitmemo`, the whole process",
        "needed": "imports of a program with an op, the whole process",
    }
    for number, (name, title) in enumerate(titles.items()):
        commands = {one: (python_of(one), "-c", _IMPORTS[one][number]) for one in names(_IMPORTS)}
        _show(name, title, {**commands, _BARE: (sys.executable, "-c", "pass")}, rounds, group)


def helps(rounds: int, group: str) -> None:
    """Time the commands of tools that have one, with `--help`."""
    commands: dict[str, tuple[str | None, ...]] = {
        REPOSITORY: (sys.executable, "-m", "gitmemo", "--help")
    }
    if program := program_of("dvc"):
        commands["DVC"] = (program, "--help")
    commands[_BARE] = (sys.executable, "-c", "pass")
    _show("help", "`gitmemo --help`, the whole process", commands, rounds, group)


def _show(
    name: str, title: str, commands: dict[str, tuple[str | None, ...]], rounds: int, group: str
) -> None:
    with tempfile.TemporaryDirectory() as folder:
        takes = {one: _take(command, Path(folder)) for one, command in commands.items()}
        found = Turns(takes, frozenset([_BARE])).run(rounds)  # the first round writes the bytecode
    for figures in found.values():
        show(Row(name, title, figures, group=group))


def _take(command: tuple[str | None, ...], folder: Path) -> Take:
    start = partial(run, *command, cwd=folder)
    return lambda: {"time": wall_us(start)}
