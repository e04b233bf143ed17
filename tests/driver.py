"""Real repositories, driven as a person would: `git`, `gitmemo` and Python in their own processes.

Not a test. Every process runs in a session of its own, so that no hook finds
the terminal of whoever runs the tests; `at_terminal` gives it one on purpose.
"""

from __future__ import annotations

import fcntl
import json
import os
import pty
import re
import select
import shutil
import signal
import struct
import subprocess
import sys
import termios
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

GITMEMO = (sys.executable, "-P", "-m", "gitmemo")
PATIENCE_S = 60
_SUMMARY = re.compile(r"gitmemo: (\d+) calls?: (\d+) reused, (\d+) computed")
_TAKE_TERMINAL = (
    "import fcntl, os, signal, sys, termios; fcntl.ioctl(0, termios.TIOCSCTTY, 0);"
    # What started the tests may have told them to ignore these.
    "[signal.signal(one, signal.SIG_DFL) for one in (signal.SIGHUP, signal.SIGINT)];"
    "os.execvp(sys.argv[1], sys.argv[1:])"
)

HELPER = '''\
class Model:
    """An object of the project's own: stored by pickling."""

    def __init__(self, weights):
        self.weights = weights


def scale(value):
    return value * 2
'''

PIPELINE = """\
import sys

import gitmemo as gm
from helper import Model, scale

storage = gm.open()


@gm.op
def load(size):
    return list(range(size))


@gm.op(output_names=["model", "loss"])
def train(data, rate):
    weights = [scale(value) * rate for value in data]
    return Model(weights), sum(weights)


@gm.op
def evaluate(model, rate):
    return len(model.weights) + rate


if __name__ == "__main__":
    with storage:
        data = load(500)
        for text in sys.argv[1:] or ["1", "2"]:
            model, loss = train(data, int(text))
            print(text, storage.unwrap(loss), storage.unwrap(evaluate(model, int(text))))
"""


def environment(home: Path) -> dict[str, str]:
    """Return an environment in which nobody's settings count."""
    dropped = ("GIT_", "GITMEMO_", "XDG_", "AWS_")
    kept = {
        name: value
        for name, value in os.environ.items()
        if name != "CI" and not name.startswith(dropped)
    }
    return kept | {
        "HOME": str(home),
        "GIT_CONFIG_GLOBAL": os.devnull,
        "GIT_CONFIG_NOSYSTEM": "1",
        "GIT_TERMINAL_PROMPT": "0",
        "GIT_EDITOR": "true",
        "LC_ALL": "C.UTF-8",
        # Python's own bytecode cache takes a file of the same second and size for unchanged.
        "PYTHONDONTWRITEBYTECODE": "1",
    }


@dataclass(frozen=True)
class Done:
    """What came of a process."""

    code: int
    out: str
    err: str

    @property
    def text(self) -> str:
        """Both streams."""
        return self.out + self.err

    @property
    def counted(self) -> tuple[int, int]:
        """What `gitmemo run` said: calls reused and computed."""
        found = _SUMMARY.search(self.err)
        assert found, self.text
        assert int(found[1]) == int(found[2]) + int(found[3])
        return int(found[2]), int(found[3])


@dataclass
class Clone:
    """A work tree, and a person in front of it."""

    root: Path
    home: Path
    variables: dict[str, str] = field(default_factory=dict)

    def env(self, **variables: str) -> dict[str, str]:
        """Return this person's environment."""
        return environment(self.home) | self.variables | variables

    def process(
        self, *command: str, code: int | None = 0, cwd: Path | None = None, **variables: str
    ) -> Done:
        """Run a program without a terminal; `code=None` allows every exit code."""
        done = subprocess.run(
            command,
            cwd=cwd or self.root,
            env=self.env(**variables),
            stdin=subprocess.DEVNULL,
            capture_output=True,
            check=False,
            start_new_session=True,
            timeout=PATIENCE_S,
        )
        result = Done(done.returncode, done.stdout.decode(), done.stderr.decode())
        assert code is None or result.code == code, f"{command}: {result.code}\n{result.text}"
        return result

    def git(self, *arguments: str, **options: Any) -> str:
        """Run git and return its output."""
        return self.process("git", *arguments, **options).out.rstrip("\n")

    def gitmemo(self, *arguments: str, **options: Any) -> Done:
        """Run gitmemo."""
        return self.process(*GITMEMO, *arguments, **options)

    def python(self, *arguments: str, **options: Any) -> Done:
        """Run Python."""
        return self.process(sys.executable, *arguments, **options)

    def run(self, *arguments: str, **options: Any) -> tuple[int, int]:
        """Run the pipeline; return how many calls were reused and computed."""
        return self.gitmemo("run", "pipeline.py", *arguments, **options).counted

    def rows(self, *arguments: str) -> list[dict[str, Any]]:
        """Return the rows of `gitmemo df`."""
        lines = self.gitmemo("df", *arguments, "--json").out.splitlines()
        return [json.loads(line) for line in lines]

    def status(self) -> dict[str, Any]:
        """Return what `gitmemo status --json` says."""
        result: dict[str, Any] = json.loads(self.gitmemo("status", "--json").out)
        return result

    def write(self, name: str, text: str) -> Path:
        """Write a file of the work tree."""
        path = self.root / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text, encoding="utf-8")
        return path

    def change(self, old: str, new: str, name: str = "helper.py") -> None:
        """Replace text in a file of the work tree."""
        text = (self.root / name).read_text("utf-8")
        assert old in text
        self.write(name, text.replace(old, new))

    def commit(self, message: str, *arguments: str, **options: Any) -> str:
        """Commit everything; return what the hooks said."""
        self.git("add", "-A")
        return self.process("git", "commit", "-q", "-m", message, *arguments, **options).err

    def is_clean(self) -> bool:
        """Whether `git status` has nothing to say."""
        return self.git("status", "--porcelain") == ""

    def committed(self, rev: str = "HEAD") -> list[str]:
        """Return the records in the segments of a commit, in their order."""
        listing = self.git("ls-tree", "-r", "--name-only", "-z", rev, "--", ".gitmemo/index")
        return [
            line
            for path in filter(None, listing.split("\0"))
            for line in self.git("show", f"{rev}:{path}").splitlines()
        ]

    def calls_in(self, rev: str = "HEAD") -> int:
        """Return how many calls are committed in a revision."""
        return sum(line.startswith('["call",') for line in set(self.committed(rev)))

    def journals(self) -> list[Path]:
        """Return the journals that hold pending facts."""
        folder = self.root / ".git/gitmemo/journal"
        return sorted(p for p in folder.rglob("*.jsonl") if "exported" not in p.parts)

    def records(self) -> int:
        """Return how many lines there are in all journals."""
        return sum(len(path.read_bytes().splitlines()) for path in self.journals())


def make_clone(root: Path, home: Path) -> Clone:
    """Make an empty repository where somebody can commit."""
    root.mkdir(parents=True, exist_ok=True)
    clone = Clone(root, home)
    clone.git("init", "-q", "-b", "main")
    identify(clone)
    return clone


def identify(clone: Clone) -> None:
    """Give a repository an identity of its own, and no signing."""
    for key, value in (
        ("user.name", "Tester"),
        ("user.email", "tester@localhost"),
        ("commit.gpgSign", "false"),
    ):
        clone.git("config", key, value)


def make_project(root: Path, home: Path) -> Clone:
    """Make a repository with gitmemo and the pipeline in it, committed, nothing run."""
    clone = make_clone(root, home)
    clone.write("helper.py", HELPER)
    clone.write("pipeline.py", PIPELINE)
    clone.write(".gitignore", "__pycache__/\n")
    clone.gitmemo("init")
    clone.commit("Begin")
    return clone


def copy_of(clone: Clone, root: Path) -> Clone:
    """Copy a whole repository, its git folder and all."""
    shutil.copytree(clone.root, root, symlinks=True)
    return Clone(root, clone.home)


class Terminal:
    """A program at a terminal of its own."""

    def __init__(self, clone: Clone, *command: str, **variables: str) -> None:
        self._master, slave = pty.openpty()
        fcntl.ioctl(slave, termios.TIOCSWINSZ, struct.pack("HHHH", 50, 200, 0, 0))
        self._process = subprocess.Popen(
            [sys.executable, "-c", _TAKE_TERMINAL, *command],
            cwd=clone.root,
            env=clone.env(**variables),
            stdin=slave,
            stdout=slave,
            stderr=slave,
            start_new_session=True,
        )
        os.close(slave)
        self.text = ""
        self._seen = 0

    def expect(self, text: str) -> None:
        """Wait until the program has written `text`, after what was expected before."""
        deadline = time.monotonic() + PATIENCE_S
        while (at := self.text.find(text, self._seen)) < 0:
            assert time.monotonic() < deadline, self.text
            assert self._read(), self.text
        self._seen = at + len(text)

    def send(self, keys: str) -> None:
        """Type."""
        os.write(self._master, keys.encode())

    def finish(self) -> int:
        """Wait for the end and return the exit code."""
        while self._read():
            pass
        return self._process.wait(PATIENCE_S)

    def close(self) -> None:
        """End what is still running."""
        if self._process.poll() is None:
            os.killpg(self._process.pid, signal.SIGKILL)
            self._process.wait()
        os.close(self._master)

    def _read(self) -> bool:
        ready, _, _ = select.select([self._master], [], [], PATIENCE_S)
        assert ready, self.text
        try:
            data = os.read(self._master, 65536)
        except OSError:  # Linux: the last program at the terminal has ended
            return False
        self.text += data.decode("utf-8", "replace")
        return bool(data)


@contextmanager
def at_terminal(clone: Clone, *command: str, **variables: str) -> Iterator[Terminal]:
    """Run a program at a terminal, which is its controlling terminal."""
    terminal = Terminal(clone, *command, **variables)
    try:
        yield terminal
    finally:
        terminal.close()
