"""The benchmarks run: one case with the fewest rounds, gitmemo and its floors, and no peer."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parent.parent
pytestmark = pytest.mark.skipif(
    not (ROOT / "benchmarks").is_dir(), reason="the benchmarks are not beside the tests"
)


def run(*arguments: object) -> subprocess.CompletedProcess[str]:
    """Run `python -m benchmarks`."""
    path = os.pathsep.join([str(ROOT), os.environ.get("PYTHONPATH", "")])
    return subprocess.run(
        [sys.executable, "-m", "benchmarks", *map(str, arguments)],
        cwd=ROOT,
        env={**os.environ, "PYTHONPATH": path},
        capture_output=True,
        text=True,
    )


def test_a_case_is_timed_beside_its_floors(tmp_path: Path) -> None:
    written = tmp_path / "figures.json"
    venvs = tmp_path / "venvs"
    done = run("hit", "--rounds", 1, "--no-setup", "--venvs", venvs, "--json", written)
    assert done.returncode == 0, done.stderr
    assert "joblib.Memory is not installed, so not measured" in done.stdout
    assert not venvs.exists()
    found = json.loads(written.read_text("utf-8"))
    assert {"date", "commit", "processor", "memory", "Python", "load average"} <= {
        *found["machine"]
    }
    [table] = found["tables"]
    figures = {one["name"]: one for one in table["figures"]}
    assert table["figures"][0]["name"] == "gitmemo, repository"
    assert figures["dictionary look-up"]["is_floor"]
    assert 0 < figures["dictionary look-up"]["median_us"] < figures["gitmemo, file"]["median_us"]


def test_a_case_that_does_not_exist_is_named() -> None:
    done = run("hits", "--no-setup")
    assert done.returncode == 2
    assert "no scenario 'hits'; there are: setup, overview, hit" in done.stderr
