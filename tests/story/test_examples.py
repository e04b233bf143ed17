"""The examples do what they say."""

from __future__ import annotations

import re
import shutil
import subprocess
import sys
from pathlib import Path

import pytest
from driver import environment, make_clone

EXAMPLES = Path(__file__).resolve().parents[2] / "examples"
pytestmark = pytest.mark.skipif(
    not EXAMPLES.is_dir(), reason="the examples are not beside the tests"
)


def test_a_week_of_edits_computes_only_what_changed(tmp_path: Path) -> None:
    script = EXAMPLES / "versions" / "walk.py"
    done = subprocess.run(
        [sys.executable, script], env=environment(tmp_path), capture_output=True, text=True
    )
    assert done.returncode == 0, done.stderr
    days = [line.split(":")[0][2:] for line in done.stdout.splitlines() if line.startswith("# ")]
    computed = re.findall(r"(\d+) reused, (\d+) computed", done.stderr)
    assert days[:4] == ["Monday", "Tuesday", "Wednesday", "Thursday"]
    nothing, everything = ("3", "0"), ("0", "3")
    assert computed == [
        everything,
        nothing,
        nothing,
        nothing,
        everything,
        nothing,
        nothing,
        everything,
    ]
    assert "0 added, 0 removed, 3 with other results, 0 the same" in done.stdout
    table = done.stdout.partition("# Monday's table")[2].partition("# What was decided")[0]
    assert "1000" in table and "committed_later" not in table
    assert "recognised: prep.py:scale is features.py:scale now" in done.stderr
    assert "non-breaking" in done.stdout and "the greatest is found once" in done.stdout


def test_a_sweep_computes_what_is_new_and_nothing_else(tmp_path: Path) -> None:
    pytest.importorskip("numpy")
    clone = make_clone(tmp_path / "sweep", tmp_path)
    for name in ("sweep.py", "epidemic.py"):
        shutil.copy(EXAMPLES / "sweep" / name, clone.root)
    clone.gitmemo("init")
    clone.commit("Begin")
    terminals = [
        subprocess.Popen(
            [sys.executable, "sweep.py"],
            cwd=clone.root,
            env=clone.env(),
            stdout=subprocess.PIPE,
            text=True,
        )
        for _ in range(2)
    ]
    first, second = [terminal.communicate(timeout=100)[0] for terminal in terminals]
    assert first == second
    shown = (EXAMPLES / "sweep" / "README.md").read_text()
    assert first.strip() in shown
    again = clone.gitmemo("run", "sweep.py")
    assert again.out == first
    assert again.counted == (144, 0)
    clone.change("np.flatnonzero(people == ILL)", "(people == ILL).nonzero()[0]", "epidemic.py")
    clone.commit("Say it in other words", GITMEMO_ON_CHANGE="non-breaking")
    more = clone.gitmemo("run", "sweep.py", "0.055", "1.2")
    assert "no outbreaks at 1.2: a rate is a probability, not 1.2" in more.out
    assert "\n0.055 " in more.out
    assert more.counted[1] == 8 + 1
