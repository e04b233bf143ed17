"""Clocks that are hours apart, or weeks: they decide nothing."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest
from faults.control import Control, can_build, environment


@pytest.mark.skipif(not can_build(), reason="the shim needs Linux and a C compiler")
def test_two_people_whose_clocks_are_hours_apart(tmp_path: Path) -> None:
    Control(tmp_path / "control", create=True)
    done = subprocess.run(
        [sys.executable, "-m", "faults.clocks", str(tmp_path / "world")],
        env=environment(tmp_path / "control"),
        capture_output=True,
        text=True,
        check=False,
        timeout=120,
    )
    assert done.returncode == 0, done.stderr
