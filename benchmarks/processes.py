"""Whole processes, as people start them: run, and timed on the clock.

Not processes that answer questions (`turns`).
"""

from __future__ import annotations

import os
import subprocess
import sys
import time
from collections.abc import Callable, Mapping
from pathlib import Path

from benchmarks.environments import ROOT
from benchmarks.timing import Left

NO_HOOKS = ("-c", "core.hooksPath=/dev/null")
_SURROUNDINGS = {
    "AWS_ACCESS_KEY_ID": "testing",
    "AWS_SECRET_ACCESS_KEY": "testing",
    "AWS_DEFAULT_REGION": "us-east-1",
    "AWS_EC2_METADATA_DISABLED": "true",
    "NO_PROXY": "127.0.0.1",
    "PYTHONDONTWRITEBYTECODE": "",  # bytecode is kept, as in any project that runs twice
}


def run(
    *command: object, cwd: Path = ROOT, environment: Mapping[str, str] | None = None
) -> subprocess.CompletedProcess[str]:
    """Run a program with this gitmemo on its path; whoever fails is left out."""
    path = os.pathsep.join([str(ROOT), os.environ.get("PYTHONPATH", "")])
    ran = subprocess.run(
        [str(part) for part in command],
        cwd=cwd,
        capture_output=True,
        text=True,
        env={**os.environ, **_SURROUNDINGS, "PYTHONPATH": path, **(environment or {})},
    )
    if ran.returncode:
        name = " ".join(str(part) for part in command)[:80]
        raise Left(f"{name} failed: {(ran.stderr or ran.stdout).strip()[-300:]}")
    return ran


def gitmemo(folder: Path, *arguments: object) -> None:
    """Run a command of gitmemo in a project."""
    run(sys.executable, "-m", "gitmemo", *arguments, cwd=folder)


def wall_us(action: Callable[[], object]) -> float:
    """Return how long something takes on the clock."""
    start = time.perf_counter()
    action()
    return (time.perf_counter() - start) * 1e6
