"""Programs that make slow calls, in processes of their own, and what they did. Not a test."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

from driver import PATIENCE_S, Clone

# `begin NAME` says in the log that a body runs; `until NAME` waits for a file, so no test is timed.
OPS = """\
import asyncio, os, time

import joblib
from pathlib import Path

import gitmemo as gm

LOG = Path()


def log(text):
    with open(LOG / "log", "a") as file:
        file.write(f"{text} {os.getpid()}\\n")


def until(name):
    while not (LOG / name).exists():
        time.sleep(0.002)


@gm.op
def slow(x):
    log(f"slow{x}")
    until(f"go{x}")
    if (LOG / f"fail{x}").exists():
        (LOG / f"fail{x}").unlink()
        raise ValueError(x)
    return x * 10


@gm.op
async def slow_async(x):
    log(f"async{x}")
    while not (LOG / f"go{x}").exists():
        await asyncio.sleep(0.002)
    return x * 10


async def tasks(*inputs):
    async def tick():
        for _ in range(20):
            await asyncio.sleep(0.005)
        log("ticked")

    return await asyncio.gather(*map(slow_async, inputs), tick())


@gm.op
def quick(x):
    log(f"quick{x}")
    time.sleep(0.003)
    return [x] * 20


@gm.op
def first(x):
    log(f"first{x}")
    until("both")
    return second(x) + 1 if os.environ["SIDE"] == "a" else 1


@gm.op
def second(x):
    log(f"second{x}")
    until("both")
    return first(x) + 2 if os.environ["SIDE"] == "b" else 2


@gm.op
def outer(x):
    log(f"outer{x}")
    return slow(x) + 1


def forked(x):
    child = os.fork()
    if child == 0:
        code = 1
        try:
            until(f"go{x}")
            quick(x)
            code = 0
        finally:
            os._exit(code)
    quick(x)
    (LOG / f"go{x}").touch()
    return os.waitstatus_to_exitcode(os.waitpid(child, 0)[1])


def in_two_storages(x, database):
    other = gm.Storage(database) if database else gm.open(__file__)
    with other:
        quick(x)
    return quick(x)


def batched(storage, op, inputs, n_jobs=1, waits=False):
    with joblib.parallel_config("threading"), storage.batch(n_jobs=n_jobs):
        found = [op(x) for x in inputs]
        log("planned")
        return storage.unwrap(found) if waits else found


def run(log_folder, expression, database):
    global LOG
    LOG = Path(log_folder)
    storage = gm.Storage(database) if database else gm.open(__file__)
    with storage:
        log("open")
        print(eval(expression), flush=True)
"""

# Loads all that programs need once, and forks each of them off before anything is open.
NURSERY = """\
import json, os, select, signal, sys, traceback

import asyncio, joblib
import gitmemo, gitmemo.memo.opening, gitmemo.memo.parallel.mapping, gitmemo.blobs.home, gitmemo.memo.lazy
import ops

gitmemo.Storage().close()


def child(told):
    os.setsid()
    signal.signal(signal.SIGINT, signal.default_int_handler)
    os.environ.update(told["env"])
    for number, name in ((1, "out"), (2, "err")):
        os.dup2(os.open(f"{told['prefix']}.{name}", os.O_WRONLY | os.O_CREAT), number)
    code = 1
    try:
        ops.run(*told["arguments"])
        code = 0
    except BaseException:
        traceback.print_exc()
    finally:
        sys.stdout.flush(), sys.stderr.flush()
        os._exit(code)


running, left = {}, b""
while True:
    ready, _, _ = select.select([0], [], [], 0.005)
    if ready:
        data = os.read(0, 65536)
        if not data:
            break
        *lines, left = (left + data).split(b"\\n")
        for told in map(json.loads, lines):
            pid = os.fork()
            if pid == 0:
                child(told)
            running[pid] = told["prefix"]
            print(pid, flush=True)
    for pid in list(running):
        ended, status = os.waitpid(pid, os.WNOHANG)
        if ended:
            with open(running.pop(pid) + ".new", "w") as file:
                file.write(str(os.waitstatus_to_exitcode(status)))
            os.rename(file.name, file.name[:-4] + ".code")
"""


class Program:
    """One program."""

    def __init__(self, pid: int, prefix: Path) -> None:
        self.pid, self._prefix = pid, prefix
        self.is_over = False

    def poll(self) -> int | None:
        """Return its exit code; None while it runs."""
        try:
            return int(Path(f"{self._prefix}.code").read_text())
        except FileNotFoundError:
            return None

    def send(self, number: int) -> None:
        """Send it a signal."""
        with suppress(ProcessLookupError):
            os.kill(self.pid, number)

    def said(self) -> tuple[str, str]:
        """Return what it wrote so far."""
        out, err = (Path(f"{self._prefix}.{name}") for name in ("out", "err"))
        return out.read_text().strip(), err.read_text()


class Nursery:
    """Where programs begin."""

    def __init__(self, clone: Clone) -> None:
        clone.write("ops.py", OPS)
        self.clone = clone
        self._process = subprocess.Popen(
            [sys.executable, "-c", NURSERY],
            cwd=clone.root,
            env=clone.env(PYTHONPATH=os.environ.get("PYTHONPATH", "")),
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
            start_new_session=True,
        )

    def start(self, prefix: Path, arguments: list[str], env: dict[str, str]) -> Program:
        """Start a program."""
        stdin, stdout = self._process.stdin, self._process.stdout
        assert stdin and stdout
        told = {"prefix": str(prefix), "arguments": arguments, "env": env}
        stdin.write(json.dumps(told) + "\n")
        stdin.flush()
        return Program(int(stdout.readline()), prefix)

    def close(self) -> None:
        """End."""
        assert self._process.stdin and self._process.stdout
        self._process.stdin.close()
        self._process.wait(PATIENCE_S)
        self._process.stdout.close()


class Programs:
    """Runs expressions over the ops in one storage: a repository, or a file."""

    def __init__(self, nursery: Nursery, log: Path, database: Path | None) -> None:
        self.clone, self.log = nursery.clone, log
        self._nursery, self._database = nursery, str(database or "")
        self.is_repository = database is None
        log.mkdir()
        self._running: list[Program] = []

    def start(self, expression: str, **variables: str) -> Program:
        """Start a program."""
        prefix = self.log / f"program{len(self._running)}"
        arguments = [str(self.log), expression, self._database]
        process = self._nursery.start(prefix, arguments, variables)
        self._running.append(process)
        return process

    def allow(self, name: str) -> None:
        """Let go on whoever waits for a file."""
        (self.log / name).touch()

    def told(self) -> list[str]:
        """Return what programs did, without saying which."""
        return [line.split()[0] for line in self.lines()]

    def lines(self) -> list[str]:
        """Return what programs did, with their process ids."""
        with suppress(FileNotFoundError):
            return (self.log / "log").read_text().splitlines()
        return []

    def expect(self, name: str, times: int = 1) -> None:
        """Wait until something was done so often."""
        deadline = time.monotonic() + PATIENCE_S
        while self.told().count(name) < times:
            assert time.monotonic() < deadline, self.lines()
            for process in self._running:
                is_well = process.is_over or process.poll() in (None, 0, -signal.SIGKILL)
                assert is_well, process.said()
            time.sleep(0.002)

    def close(self) -> None:
        """End what still runs."""
        for process in self._running:
            if process.poll() is None:
                process.send(signal.SIGKILL)


def done(process: Program, code: int | None = 0) -> tuple[str, str]:
    """Return what a program said, after its end."""
    deadline = time.monotonic() + PATIENCE_S
    while process.poll() is None:
        assert time.monotonic() < deadline, process.said()
        time.sleep(0.002)
    process.is_over = True
    assert code is None or process.poll() == code, process.said()
    return process.said()


def is_waiting(process: Program, programs: Programs) -> None:
    """See that a program that is in its block computes nothing, for as long as it takes to be sure."""
    for _ in range(30):
        assert process.poll() is None
        assert not any(line.endswith(f"0 {process.pid}") for line in programs.lines())
        time.sleep(0.01)


@contextmanager
def programs(nursery: Nursery, log: Path, database: Path | None) -> Iterator[Programs]:
    """Run programs, and leave none behind."""
    made = Programs(nursery, log, database)
    try:
        yield made
    finally:
        made.close()
