"""Standard streams that are closed or full, and Ctrl-C: messages and codes, no tracebacks."""

from __future__ import annotations

import json
import os
import re
import signal
import subprocess
from pathlib import Path

import pytest
from driver import GITMEMO, Clone, make_project

SCRIPT = """\
import sys
import time
import gitmemo as gm

@gm.op
def slow(x):
    return x

with gm.open():
    slow(len(sys.argv))
    print("begun", flush=True)
    if sys.argv[1:]:
        time.sleep(60)
"""


@pytest.fixture(scope="module")
def project(tmp_path_factory: pytest.TempPathFactory) -> Clone:
    clone = make_project(tmp_path_factory.mktemp("streams") / "p", tmp_path_factory.mktemp("home"))
    clone.write("slow.py", SCRIPT)
    return clone


@pytest.mark.parametrize("closed", [">&-", "<&-", "2>&-", ">&- <&- 2>&-"])
def test_a_closed_stream_leads_nowhere(project: Clone, closed: str) -> None:
    command = " ".join(GITMEMO)
    for words in ("status", "calls", "run slow.py"):
        done = project.process("sh", "-c", f"{command} {words} {closed}")
        assert "Traceback" not in done.text


@pytest.mark.skipif(not Path("/dev/full").exists(), reason="only Linux has it")
@pytest.mark.parametrize("words", ["--help", "status", "config --json"])
def test_a_full_disk_is_one_message(project: Clone, words: str) -> None:
    done = project.process("sh", "-c", f"{' '.join(GITMEMO)} {words} > /dev/full", code=1)
    assert "No space left" in done.err and "free space there" in done.err
    assert "Traceback" not in done.err and "Exception ignored" not in done.err


def test_an_interrupted_run_says_what_is_kept(project: Clone) -> None:
    """`--json` behind the script is the script's."""
    with subprocess.Popen(
        [*GITMEMO, "run", "slow.py", "--json"],
        cwd=project.root,
        env=project.env(),
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        start_new_session=True,
        # Whoever runs the tests in the background of a shell ignores Ctrl-C, and hands that down.
        preexec_fn=lambda: signal.signal(signal.SIGINT, signal.SIG_DFL),
        text=True,
    ) as process:
        assert process.stdout is not None and process.stdout.readline() == "begun\n"
        os.kill(process.pid, signal.SIGINT)
        _, err = process.communicate(timeout=60)
    assert process.returncode == 130
    assert re.search(r"gitmemo: 1 call: \d reused, \d computed", err), err
    assert err.rstrip().endswith("interrupted") and "Traceback" not in err
    assert '"error"' not in err
    assert "1 computed" in err and "kept" in err
    newest = project.gitmemo("calls", "slow", "--json").out.splitlines()[0]
    assert json.loads(newest)["inputs"] == {"x": 2}
