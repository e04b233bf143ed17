"""Batches over processes: the records of a program without one, and nothing twice after kills."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest
from driver import Clone, copy_of
from parallel.batch_programs import GRAPH, KILLED, MORE
from parallel.programs import executions, kept, make_parallel_project


@pytest.fixture(scope="module")
def begun(tmp_path_factory: pytest.TempPathFactory) -> Clone:
    home = tmp_path_factory.mktemp("home")
    clone = make_parallel_project(tmp_path_factory.mktemp("project") / "p", home, GRAPH)
    clone.write("more.py", MORE)
    clone.write("killed.py", KILLED)
    clone.commit("More")
    return clone


def test_records_are_those_of_a_plain_program(begun: Clone, tmp_path: Path) -> None:
    plain, batch = copy_of(begun, tmp_path / "plain"), copy_of(begun, tmp_path / "batch")
    wanted = plain.python("program.py", "plain").out.splitlines()
    assert batch.python("program.py", "loky").out.splitlines()[0] == wanted[0]
    assert kept(batch) == kept(plain)
    assert executions(batch) == executions(plain)
    assert batch.python("program.py", "loky").out.splitlines() == [wanted[0], "0"]


@pytest.mark.parametrize("who", ["worker", "driver"])
def test_after_a_kill_nothing_is_computed_twice(begun: Clone, tmp_path: Path, who: str) -> None:
    clone = copy_of(begun, tmp_path / "p")
    errors = tmp_path / "errors"
    with (
        errors.open("w") as said,  # no pipe: workers of a killed driver would keep it open
        subprocess.Popen(
            [sys.executable, "killed.py"], cwd=clone.root, env=clone.env(), stdout=said, stderr=said
        ) as driver,
    ):
        until = time.monotonic() + 60
        while _made(clone) < 3:
            assert time.monotonic() < until
            time.sleep(0.02)
        process = next(line.split()[1] for line in executions(clone) if line.startswith("in "))
        os.kill(driver.pid if who == "driver" else int(process), signal.SIGKILL)
        assert driver.wait(timeout=60) != 0
    assert ("WorkersLost" in errors.read_text()) == (who == "worker")
    word, computed = clone.python("killed.py").out.split()
    assert word == "done"
    assert int(computed) < 8
    # Of the two that were under way one may have been finished, and not stored, when it was killed.
    assert 8 <= _made(clone) <= 8 + 2
    with_notes = {line for line in executions(clone) if line.startswith("made")}
    assert len(with_notes) == 8


def _made(clone: Clone) -> int:
    return sum(line.startswith("made") for line in executions(clone))
