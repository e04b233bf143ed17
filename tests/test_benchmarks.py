"""The benchmarks run: a little of each kind of scenario, gitmemo and its floors, and no peer."""

from __future__ import annotations

import importlib
import json
import os
import re
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

ROOT = Path(__file__).resolve().parent.parent
DOCUMENT = ROOT / "docs/benchmarks.md"
pytestmark = pytest.mark.skipif(
    not (ROOT / "benchmarks").is_dir(), reason="the benchmarks are not beside the tests"
)
MACHINE = {
    "date": "2026-01-01",
    "commit": "abc1234",
    "processor": "a processor",
    "memory": "1 GiB",
    "system": "Linux",
    "Python": "3.11.0",
    "git": "2.39.0",
    "load average": "0.1",
    "load average at the end": "0.2",
}


def run(*arguments: object, fraction: float = 1) -> subprocess.CompletedProcess[str]:
    """Run `python -m benchmarks`, with a fraction of its work."""
    path = os.pathsep.join([str(ROOT), os.environ.get("PYTHONPATH", "")])
    return subprocess.run(
        [sys.executable, "-m", "benchmarks", *map(str, arguments)],
        cwd=ROOT,
        env={**os.environ, "PYTHONPATH": path, "GITMEMO_BENCH_FRACTION": str(fraction)},
        capture_output=True,
        text=True,
    )


def measured(folder: Path, *names: str, fraction: float = 1) -> dict[str, dict[str, Any]]:
    """Measure scenarios once without peers; return the figures of each row by what they are of."""
    written, venvs = folder / "figures.json", folder / "venvs"
    options = ("--rounds", 1, "--no-setup", "--venvs", venvs, "--json", written)
    done = run(*names, *options, fraction=fraction)
    assert done.returncode == 0, done.stderr
    assert "could not be measured" not in done.stderr
    assert "left out" not in done.stdout
    assert not venvs.exists()
    found = json.loads(written.read_text("utf-8"))
    assert {"date", "commit", "processor", "memory", "Python", "load average"} <= {
        *found["machine"]
    }
    for row in found["rows"]:
        assert row["figures"][0]["name"] == "gitmemo, repository"
        assert all(one["median"] > 0 for one in row["figures"])
    return {row["name"]: {one["name"]: one for one in row["figures"]} for row in found["rows"]}


def test_a_case_is_timed_beside_its_floors(tmp_path: Path) -> None:
    hit = measured(tmp_path, "hit")["hit"]
    floor = hit["dictionary look-up"]
    assert floor["is_floor"]
    assert floor["median"] < hit["gitmemo, file"]["median"]


def test_many_calls_blocks_and_tables_are_rows(tmp_path: Path) -> None:
    rows = measured(tmp_path, "1k", "block50", "table1k", fraction=0.02)
    assert {*rows} == {
        *("fresh1k", "retrace1k", "memory1k", "disk1k", "later1k", "block50", "table1k")
    }
    assert "SQLite, insert with a log" in rows["later1k"]
    assert rows["disk1k"]["gitmemo, file"]["median"] > 20  # bytes


@pytest.mark.deep
@pytest.mark.parametrize(
    ("names", "expected"),
    [
        (("imports", "helps"), {"import", "needed", "help"}),
        (("map", "map-again"), {"map", "map-again"}),
        (("growth",), {"growth-score", "growth-table", "growth-total"}),
        (("directory",), {"push", "pull", "push-nothing", "push-large"}),
        (("s3",), {"s3-push", "s3-push-requests", "s3-pull-large"}),
        (("working",), {"status", "checkout", "rerun", "commit", "commit-other", "clone"}),
        (("worlds",), {"index100k", "opened100k", "lookup100k", "checkout100k", "commit100k"}),
    ],
)
def test_whole_processes_are_rows(
    names: tuple[str, ...], expected: set[str], tmp_path: Path
) -> None:
    assert expected <= {*measured(tmp_path, *names, fraction=0.001)}


def test_a_case_that_does_not_exist_is_named() -> None:
    done = run("hits", "--no-setup")
    assert done.returncode == 2
    assert "no scenario 'hits'; there are: setup, overview, calls" in done.stderr


def test_every_floor_of_a_case_exists(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.syspath_prepend(str(ROOT))
    cases = importlib.import_module("benchmarks.catalogue").CASES
    floors = importlib.import_module("benchmarks.floors").FLOORS
    assert {floor for case in cases.values() for floor in case.floors} <= {*floors}


def figure(name: str, *samples: float, is_floor: bool = False) -> dict[str, object]:
    """Return a figure as a run writes it."""
    spread = {"median": samples[0], "least": min(samples), "most": max(samples)}
    return {"name": name, **spread, "samples": samples, "is_floor": is_floor, "ratio": 1}


def kept(folder: Path) -> Path:
    """Write what a run keeps: one row in which a peer is ahead, and one in bytes."""
    first = [
        figure("gitmemo, repository", 2_000.0, 1_500.0),
        figure("joblib.Memory", 500.0),
        figure("redun", 4_000.0),
        figure("opened", 100.0, is_floor=True),
    ]
    disk = [figure("gitmemo, repository", 300.0), figure("diskcache", 1_200.0)]
    rows = [
        {"name": "first", "title": "first hit", "unit": "µs", "group": "calls", "figures": first},
        {"name": "disk", "title": "on the disk", "unit": "B", "group": "many", "figures": disk},
    ]
    path = folder / "figures.json"
    path.write_text(json.dumps({"machine": MACHINE, "rows": rows}), "utf-8")
    return path


def test_a_kept_run_is_written_as_tables(tmp_path: Path) -> None:
    done = run("table", kept(tmp_path))
    assert done.returncode == 0, done.stderr
    lines = done.stdout.splitlines()
    assert "| `first`: first hit | 2 ms (1.5 ms) | opened (100 µs): 20x | 0.25x | 2x |" in lines
    assert "| `disk`: on the disk | 300 B (300 B) | - | 4x |" in lines
    assert lines[-1] == "- `first`: 4x of joblib."


def test_rows_of_a_later_run_replace_those_of_an_earlier_one(tmp_path: Path) -> None:
    figures, later = kept(tmp_path), tmp_path / "later.json"
    rows = json.loads(figures.read_text("utf-8"))["rows"][:1]
    rows[0]["figures"] = [figure("gitmemo, repository", 100.0), figure("joblib.Memory", 500.0)]
    later.write_text(json.dumps({"machine": {**MACHINE, "commit": "def5678"}, "rows": rows}))
    text = run("table", figures, later).stdout
    assert "| `first`: first hit | 100 µs (100 µs) | - | 5x |" in text
    assert "Rows: `disk`." in text.partition("def5678")[0]
    assert "Rows: `first`." in text.partition("def5678")[2]
    assert text.endswith("### Where a peer is ahead\n\nNowhere.\n")


def test_the_tables_go_between_the_marks_of_a_document(tmp_path: Path) -> None:
    figures, document = kept(tmp_path), tmp_path / "document.md"
    document.write_text("# Figures\n", "utf-8")
    refused = run("table", figures, "--into", document)
    assert refused.returncode == 2
    assert "does not have the marks" in refused.stderr
    begin, end = "<!-- made by `python -m benchmarks table` -->", "<!-- end of what was made -->"
    document.write_text(f"# Figures\n\n{begin}\nold\n{end}\n\nWhy.\n", "utf-8")
    assert run("table", figures, "--into", document).returncode == 0
    text = document.read_text("utf-8")
    assert text.startswith(f"# Figures\n\n{begin}\n\nMade on 2026-01-01")
    assert text.endswith(f"- `first`: 4x of joblib.\n\n{end}\n\nWhy.\n")


@pytest.mark.skipif(not DOCUMENT.is_file(), reason="the document is not beside the tests")
def test_the_document_says_why_wherever_a_peer_is_ahead() -> None:
    text = DOCUMENT.read_text("utf-8")
    ahead = text.partition("### Where a peer is ahead")[2].partition("<!-- end")[0]
    named = re.findall(r"^- `([\w-]+)`:", ahead, re.MULTILINE)
    assert named
    why = text.partition("## Where gitmemo is behind, and why")[2].partition("\n## ")[0]
    assert [name for name in named if f"`{name}`" not in why] == []
