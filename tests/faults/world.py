"""A project with everything that writes: made once, copied for each trial to the same place.

Not what is done to it (`operations`). Invariant: what a child does leaves nothing in the process
that forked it off but an exit code, and what it wrote.
"""

from __future__ import annotations

import os
import select
import shutil
import signal
import sys
import tempfile
import traceback
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path

from driver import Clone, environment, make_clone
from faults.program import HELPER, NOW, OLD, SPREAD, STUDY

from gitmemo.cli import main

PATIENCE_S = 50
_LOG = 9
_TEMPORARY = "tmp"  # beside the world: what programs make there is no part of it
"""Where programs say what they did: outside of the world, so no step."""


@dataclass(frozen=True)
class Ended:
    """What came of a child.

    Args:
        code: Its exit code, negative after a signal; None if it did not end in time.
        log: What the programs in it said they did.
    """

    code: int | None
    out: str
    err: str
    log: str

    def said(self, word: str) -> list[tuple[str, ...]]:
        """Return what followed `word` in the lines of the log that begin with it."""
        lines = (line.split(" ", 3) for line in self.log.splitlines())
        return [tuple(parts[1:]) for parts in lines if parts[0] == word]

    def calls(self, word: str) -> set[tuple[str, ...]]:
        """Return the calls, op and number, of such lines."""
        return {parts[:2] for parts in self.said(word)}


@dataclass(frozen=True)
class World:
    """The folder of a trial: a project `p`, its remotes, a shared store, a home."""

    top: Path

    @property
    def clone(self) -> Clone:
        """The project."""
        return Clone(self.top / "p", self.top / "home")

    @property
    def private(self) -> Path:
        """What gitmemo keeps in the project's git folder."""
        return self.top / "p/.git/gitmemo"

    def shared(self) -> Iterator[tuple[str, bytes]]:
        """Yield what lies on the remote: names and bytes."""
        lab = self.top / "lab"
        for path in lab.rglob("*"):
            if path.is_file():
                yield path.relative_to(lab).as_posix(), path.read_bytes()

    def child(self, act: Callable[[], int]) -> Ended:
        """Do something in a fork of this process, in the project's folder."""
        with _streams() as streams:
            child = os.fork()
            if child == 0:
                _become(self.clone, streams, act)
            code = _end_of(child)
            out, err, log = (_read(stream) for stream in streams)
        return Ended(code, out, err, log)

    def gitmemo(self, *arguments: str, fetches: bool = True) -> Ended:
        """Run a command of gitmemo; without `fetches` no value comes from a remote unasked."""

        def act() -> int:
            if not fetches:
                os.environ["GITMEMO_LAZY_PULL"] = "off"
            return main(arguments)

        return self.child(act)

    def program(self, *arguments: str, fetches: bool = True) -> Ended:
        """Run a program of the project by gitmemo."""
        return self.gitmemo("run", *arguments, fetches=fetches)

    def git(self, *arguments: str) -> Ended:
        """Run git."""
        return self.child(lambda: os.execvp("git", ["git", *arguments]))


def make(top: Path) -> World:
    """Make the world with a directory for a remote."""
    (top / "lab").mkdir(parents=True)
    return fill(World(top), "../lab")


def fill(world: World, *lab: str) -> World:
    """Make a world: some calls committed and pushed, others pending, `lab` as the remote."""
    top = world.top
    for name in ("home", "store-parent"):
        (top / name).mkdir(parents=True)
    (top.parent / _TEMPORARY).mkdir(exist_ok=True)
    clone = make_clone(top / "p", top / "home")
    for name, text in (("helper.py", HELPER), ("study.py", STUDY), ("spread.py", SPREAD)):
        clone.write(name, text)
    clone.write("moved.py", NOW)
    clone.write(".gitignore", "__pycache__/\n")
    clone.git("config", "gc.auto", "0")
    expect(world.gitmemo("init"))
    expect(world.gitmemo("remote", "add", "lab", *lab))
    expect(world.gitmemo("remote", "trust", "lab"))
    clone.git("init", "-q", "--bare", "-b", "main", "../origin.git")
    clone.git("remote", "add", "origin", "../origin.git")
    clone.commit("Begin")
    expect(world.program("study.py", "run", "0", "2"))
    clone.write("notes.txt", "first\n")
    clone.commit("First results")
    clone.git("push", "-q", "-u", "origin", "main")
    expect(world.gitmemo("push"))
    expect(world.program("study.py", "run", "2", "3"))
    (top / "old").mkdir()
    (top / "old/moved.py").write_text(OLD, "utf-8")
    clone.process(sys.executable, "-c", "import moved", cwd=top / "old")
    return world


def expect(ended: Ended, *codes: int) -> Ended:
    """Return what ended as it should; fail for anything else."""
    assert ended.code in (codes or (0,)), ended
    return ended


def copy(source: Path, target: Path) -> None:
    """Put a copy of a world where one was."""
    shutil.rmtree(target, ignore_errors=True)
    shutil.copytree(source, target, symlinks=True)


@contextmanager
def _streams() -> Iterator[tuple[int, int, int]]:
    out, err, log = (os.memfd_create(name) for name in ("out", "err", "log"))
    try:
        yield out, err, log
    finally:
        for stream in (out, err, log):
            os.close(stream)


def _read(stream: int) -> str:
    os.lseek(stream, 0, os.SEEK_SET)
    with os.fdopen(os.dup(stream), "rb") as file:
        return file.read().decode("utf-8", "replace")


def _end_of(child: int) -> int | None:
    """Wait for a child; end it, and all that it began, if it takes too long."""
    descriptor = os.pidfd_open(child)
    try:
        ready, _, _ = select.select([descriptor], [], [], PATIENCE_S)
    finally:
        os.close(descriptor)
    with suppress(ProcessLookupError):
        os.killpg(child, signal.SIGKILL)  # also what it left behind
    _, status = os.waitpid(child, 0)
    return os.waitstatus_to_exitcode(status) if ready else None


def _become(clone: Clone, streams: tuple[int, int, int], act: Callable[[], int]) -> None:
    result = 70
    try:
        os.setsid()
        os.chdir(clone.root)
        names = ("LD_PRELOAD", "FAULTS_CONTROL", "PYTHONPATH")
        kept = {name: os.environ[name] for name in names if name in os.environ}
        os.environ.clear()
        temporary = str(clone.root.parents[1] / _TEMPORARY)
        os.environ.update(environment(clone.home) | kept | {"TMPDIR": temporary})
        tempfile.tempdir = None
        os.dup2(os.open(os.devnull, os.O_RDONLY), 0)
        for number, stream in zip((1, 2, _LOG), streams, strict=True):
            os.dup2(stream, number)
            os.set_inheritable(number, True)
        sys.stdin = open(0, encoding="utf-8", closefd=False)  # noqa: SIM115
        sys.stdout = open(1, "w", encoding="utf-8", closefd=False)  # noqa: SIM115
        sys.stderr = open(2, "w", encoding="utf-8", closefd=False)  # noqa: SIM115
        signal.signal(signal.SIGINT, signal.default_int_handler)
        result = act()
    except SystemExit as error:
        result = error.code if isinstance(error.code, int) else 1
    except BaseException:  # noqa: BLE001 - as the interpreter would show it
        traceback.print_exc()
        result = 1
    finally:
        sys.stdout.flush()
        sys.stderr.flush()
        os._exit(result)
