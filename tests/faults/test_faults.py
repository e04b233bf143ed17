"""Faults at steps chosen at random, each followed by all that must hold; and many processes at once.

`python -m tests.faults` and `python -m tests.faults.soak` do the same for longer. What they found
is in `test_found`.
"""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest
from faults.control import can_build
from faults.operations import OPERATIONS

ROOT = Path(__file__).resolve().parents[2]
IS_DEEP = os.environ.get("GITMEMO_TEST_PROFILE") == "deep"
QUICK = "new calls$|push|config|forget"


def said(*arguments: str, patience_s: int) -> str:
    done = subprocess.run(
        [sys.executable, "-m", *arguments],
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=False,
        timeout=patience_s,
    )
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout


def tried(quickly: tuple[str, ...], *options: str) -> None:
    asked = ("-n", "10000", "-j", "2") if IS_DEEP else quickly
    table = said("tests.faults", *asked, *options, patience_s=40_000 if IS_DEEP else 180)
    (total,) = (line.split() for line in table.splitlines() if line.startswith("all "))
    assert int(total[2]) >= (int(asked[1]) if "--s3" not in options or not IS_DEEP else 1)


@pytest.mark.skipif(not can_build(), reason="the shim needs Linux and a C compiler")
def test_no_fault_breaks_an_invariant() -> None:
    tried(("-n", "12", "--only", QUICK))


@pytest.mark.skipif(not can_build(), reason="the shim needs Linux and a C compiler")
def test_no_fault_of_reading_breaks_an_invariant() -> None:
    tried(("-n", "8", "--only", "hits|config|forget"), "--reads")


def test_no_fault_of_a_bucket_breaks_an_invariant() -> None:
    for needed in ("moto.server", "s3fs", "obstore"):
        pytest.importorskip(needed)
    tried(("-n", "5", "--only", "^push$"), "--s3")


@pytest.mark.skipif(not can_build(), reason="the shim needs Linux and a C compiler")
def test_an_operation_that_does_nothing_is_noticed() -> None:
    """Each is done, which must be right, and then only said to be done, which must not."""
    only = "" if IS_DEEP else "hits|^pull|config|tag|forget|fetch"
    table = said("tests.faults", "--idle", "--only", only, patience_s=900)
    (total,) = (line.split() for line in table.splitlines() if line.startswith("all "))
    assert int(total[1]) == (len(OPERATIONS) if IS_DEEP else 6)


def test_many_processes_at_once_agree_with_a_model() -> None:
    seconds = 600 if IS_DEEP else 4
    told = said("tests.faults.soak", "--seconds", str(seconds), patience_s=180 + 2 * seconds)
    assert "0 broken" in told
