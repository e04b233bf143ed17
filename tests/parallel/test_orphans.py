"""Worker processes of a program that was killed: they finish what they have begun, and end."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

pytestmark = pytest.mark.skipif(os.name != "posix", reason="parents are known there only")

_PROGRAM = """
import os
import time
from pathlib import Path
import gitmemo as gm

storage = gm.Storage("calls.db")


@gm.op
def slow(x):
    if not Path("again").exists():
        Path(f"begun {x} {os.getpid()}").touch()
        time.sleep(0.1 if x < 2 else 0.8)
    return x


if Path("again").exists():
    storage.map(slow, range(8))
    print(storage.counter.computed)
elif __name__ == "__main__":
    storage.map(slow, range(2), n_jobs=2)
    time.sleep(1.5)
    print("idle", flush=True)  # for longer than they look: their program lives
    storage.map(slow, range(2, 8), n_jobs=2)
"""


def test_workers_of_a_killed_program_finish_what_they_do_and_end(tmp_path: Path) -> None:
    (tmp_path / "program.py").write_text(_PROGRAM)
    process = subprocess.Popen(
        [sys.executable, "program.py"],
        cwd=tmp_path,
        stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL,
        text=True,
    )
    assert process.stdout is not None
    assert process.stdout.readline() == "idle\n"
    until = time.monotonic() + 40
    while len(begun := _begun(tmp_path)) < 4:
        assert time.monotonic() < until
        time.sleep(0.02)
    assert len({worker for _, worker in begun}) == 2, "the same workers, which lived on"
    os.kill(process.pid, signal.SIGKILL)
    assert process.stdout.read() == ""  # nobody holds it open any more
    assert time.monotonic() < until
    (tmp_path / "again").touch()
    again = subprocess.check_output([sys.executable, "program.py"], cwd=tmp_path, text=True)
    assert 8 - int(again) == len(_begun(tmp_path)) < 8


def _begun(folder: Path) -> set[tuple[str, str]]:
    return {(name.split()[1], name.split()[2]) for name in os.listdir(folder) if "begun" in name}
