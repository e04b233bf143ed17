"""`python -m benchmarks.changes [--venvs FOLDER]`: what tools do when code changes.

It shows the table of `docs/peers.md`. Not a measurement: each cell is one small program, run in processes
of its own at a terminal, before and after an edit. Tools are those of this Python; with `--venvs`, each
peer is installed in an environment of its own in that folder first. Invariant: a cell says what was seen,
and nothing else.
"""

from __future__ import annotations

import argparse
import os
import pty
import shutil
import signal
import subprocess
import sys
import tempfile
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

from benchmarks import environments

BODY = """\
RATE = 2

{mark}
def helper(x):
    return x + 1

{remember}
def f(x):
    print("ran")
    return helper(x) * RATE

"""
PIECES = """\
print("value", f(3))
"""
BLOCK = """\
with storage:
    print("value", storage.unwrap(f(3)))
"""
QUESTIONS = {b"[n]on-breaking": b"b\n", b"require recomputation": b"y\n", b"[y]es": b"y\n"}
"""What tools ask, and the answer that old results are not to be used."""


@dataclass(frozen=True, slots=True)
class Tool:
    """A tool, and the program in which it remembers a call.

    Attributes:
        module: What tells whether it is installed; `environments` says what that is.
        unmarked: The files without what tells the tool of the helper, if it has to be told.
    """

    title: str
    module: str
    files: dict[str, str]
    unmarked: dict[str, str] | None = None
    command: tuple[str, ...] = ("-B", "program.py")
    prepare: tuple[tuple[str, ...], ...] = ()


def _program(start: str, remember: str, end: str, mark: str = "") -> dict[str, str]:
    return {"program.py": start + BODY.format(remember=remember, mark=mark) + end}


_VERSIONED = 'storage = Storage(db_path="results.db", deps_path="__main__")\n'
_MANDALA = "from mandala.imports import *\n" + _VERSIONED
_STAGES = """\
stages:
  f:
    cmd: {python} -B program.py
    deps: [{deps}]
    outs: [value.txt]
"""
_STAGE = """\
from helper import helper

RATE = 2

def f(x):
    print("ran")
    return helper(x) * RATE

open("value.txt", "w").write(f"value {f(3)}")
"""
_HELPER = "def helper(x):\n    return x + 1\n"

TOOLS = (
    Tool(
        "joblib.Memory",
        "joblib",
        _program(
            'from joblib import Memory\nmemory = Memory("cache", verbose=0)\n',
            "@memory.cache",
            PIECES,
        ),
    ),
    Tool(
        "diskcache `memoize`",
        "diskcache",
        _program(
            'from diskcache import Cache\ncache = Cache("cache")\n', "@cache.memoize()", PIECES
        ),
    ),
    Tool(
        "mandala",
        "mandala",
        _program(_MANDALA, "@op", BLOCK, mark="@track"),
        _program(_MANDALA, "@op", BLOCK),
    ),
    Tool(
        "DVC",
        "dvc",
        {
            "program.py": _STAGE,
            "helper.py": _HELPER,
            "dvc.yaml": _STAGES.format(python=sys.executable, deps="program.py, helper.py"),
        },
        {
            "program.py": _STAGE,
            "helper.py": _HELPER,
            "dvc.yaml": _STAGES.format(python=sys.executable, deps="program.py"),
        },
        command=("-m", "dvc", "repro"),
        prepare=(("-m", "dvc", "init", "--no-scm", "-q"),),
    ),
    Tool(
        "gitmemo",
        "gitmemo",
        _program("from gitmemo.imports import *\n" + _VERSIONED, "@op", BLOCK),
    ),
)

EDITS: dict[str, tuple[str, str, int]] = {
    "a comment is added": (
        "    return helper(x) * RATE",
        "    # a comment\n    return helper(x) * RATE",
        8,
    ),
    "the function changes": ("helper(x) * RATE", "helper(x) * RATE + 1", 9),
    "a helper changes": ("return x + 1", "return x + 2", 10),
    "a constant changes": ("RATE = 2", "RATE = 3", 12),
}
"""What is edited in the program, and what it returns then."""

ROWS = (
    "the same again, in a new process",
    *EDITS,
    "a helper changes that the tool was not told of",
    "the old code is restored",
)


class Trial:
    """A folder in which one tool remembers one call."""

    def __init__(self, python: str, tool: Tool, folder: Path) -> None:
        self._python, self._tool, self._folder, self._before = (
            python,
            tool,
            folder,
            folder.with_name("before"),
        )

    def begin(self, files: dict[str, str]) -> str:
        """Make the call for the first time; say what that was."""
        for old in (self._folder, self._before):
            shutil.rmtree(old, ignore_errors=True)
        self._folder.mkdir()
        for name, text in files.items():
            (self._folder / name).write_text(text)
        for command in self._tool.prepare:
            self._at_terminal(command)
        first = self.run(8)
        shutil.copytree(self._folder, self._before, symlinks=True)
        return first

    def back(self) -> None:
        """Return to after the first call."""
        shutil.rmtree(self._folder)
        shutil.copytree(self._before, self._folder, symlinks=True)

    def edit(self, old: str, new: str) -> None:
        """Change the code."""
        for path in self._folder.glob("*.py"):
            path.write_text(path.read_text().replace(old, new))

    def run(self, expected: int) -> str:
        """Run the program; say what was seen of the call."""
        shown, asked = self._at_terminal(self._tool.command)
        result = self._folder / "value.txt"
        text = shown + (result.read_text() if result.is_file() else "")
        if "value " not in text:
            return "an error"
        seen = "asks" if asked else "run" if "ran" in text.split() else "not run"
        return seen if f"value {expected}" in text else f"{seen}: the old result"

    def _at_terminal(self, command: tuple[str, ...]) -> tuple[str, bool]:
        """Run Python at a terminal of its own; return what it showed, and whether it asked."""
        child, terminal = pty.fork()
        if child == 0:
            os.chdir(self._folder)
            signal.signal(signal.SIGHUP, signal.SIG_DFL)  # `nohup` would say that nobody is there
            settings = {"HOME": str(self._folder.parent), "DVC_NO_ANALYTICS": "1", "PAGER": "cat"}
            # What says that nobody is there to be asked, or what the answer is.
            others = {k: v for k, v in os.environ.items() if k != "CI" and k[:8] != "GITMEMO_"}
            os.execve(self._python, [self._python, *command], others | settings)
        shown, answered = b"", 0
        while True:
            try:
                read = os.read(terminal, 1 << 16)
            except OSError:  # what the end of the child is here
                break
            shown += read
            for question, answer in QUESTIONS.items():
                if question in shown[answered:]:
                    os.write(terminal, answer)
                    answered = len(shown)
        os.close(terminal)
        os.waitpid(child, 0)
        return shown.decode(errors="replace"), answered > 0


def cells(python: str, tool: Tool) -> Iterator[tuple[str, str]]:
    """Yield what a tool does in each row."""
    with tempfile.TemporaryDirectory() as place:
        trial = Trial(python, tool, Path(place, "project"))
        first = trial.begin(tool.files)
        if first != "run":
            raise RuntimeError(f"{tool.title}: the first call was {first}")
        yield ROWS[0], trial.run(8)
        for row, (old, new, value) in EDITS.items():
            trial.back()
            trial.edit(old, new)
            yield row, trial.run(value)
        trial.back()
        old, new, value = EDITS["the function changes"]
        trial.edit(old, new)
        trial.run(value)
        trial.edit(new, old)
        restored = trial.run(8)
        if tool.unmarked:
            first = trial.begin(tool.unmarked)
            old, new, value = EDITS["a helper changes"]
            trial.edit(old, new)
            yield (
                ROWS[-2],
                "the first call is an error" if first == "an error" else trial.run(value),
            )
        else:
            yield ROWS[-2], "as above"
        yield ROWS[-1], restored


def table(columns: dict[str, dict[str, str]]) -> str:
    """Return the cells of tools as Markdown."""
    lines = ["| | " + " | ".join(columns) + " |", "| --- |" + " --- |" * len(columns)]
    for row in ROWS:
        lines.append(
            f"| {row} | "
            + " | ".join(map(_cell, (tried[row] for tried in columns.values())))
            + " |"
        )
    return "\n".join(lines)


def _cell(seen: str) -> str:
    return f"**{seen}**" if seen.endswith("the old result") else seen


def interpreters(venvs: Path | None) -> Iterator[tuple[Tool, str]]:
    """Yield each tool that is installed, with its Python."""
    if venvs:
        os.environ[environments.FOLDER] = str(venvs)
        environments.set_up(tool.module for tool in TOOLS if tool.module != "gitmemo")
    for tool in TOOLS:
        python = sys.executable
        if venvs and tool.module != "gitmemo":
            python = environments.python_of(tool.module) or python
        if subprocess.run([python, "-c", f"import {tool.module}"], capture_output=True).returncode:
            print(f"({tool.title} is not installed, so not tried)")
        else:
            yield tool, python


def main(arguments: list[str], show: Callable[[str], None] = print) -> None:
    """Try all tools and show the table."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.changes")
    parser.add_argument(
        "--venvs", type=Path, help="install peers here, each in its own environment"
    )
    venvs = parser.parse_args(arguments).venvs
    found = interpreters(venvs.resolve() if venvs else None)
    show(table({tool.title: dict(cells(python, tool)) for tool, python in found}))


if __name__ == "__main__":
    main(sys.argv[1:])
