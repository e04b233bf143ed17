"""The benchmarks run: a little of each kind of scenario, gitmemo and its floors, and no peer."""

from __future__ import annotations

import importlib
import json
import os
import re
import subprocess
import sys
from collections.abc import Callable, Iterable, Iterator
from pathlib import Path
from types import ModuleType
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
        (
            ("worlds",),
            {"index100k", "opened100k", "lookup100k", "status100k", "checkout100k", "commit100k"},
        ),
        (("versions", "listing"), {"versions", "versions-index", "listing-one-op-again"}),
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


@pytest.fixture
def timing(monkeypatch: pytest.MonkeyPatch) -> ModuleType:
    """The module that lets tools take turns."""
    monkeypatch.syspath_prepend(str(ROOT))
    return importlib.import_module("benchmarks.timing")


class Watch:
    """A clock that goes on only while somebody takes a turn."""

    def __init__(self) -> None:
        self.now_s = 0.0
        self.taken: list[str] = []

    def __call__(self) -> float:
        return self.now_s

    def take(self, name: str, *turns_s: float) -> Callable[[], dict[str, float]]:
        """Return turns that take so long, one after the other."""
        left: Iterator[float] = iter(turns_s)

        def turn() -> dict[str, float]:
            self.taken.append(name)
            taken_s = next(left)
            self.now_s += taken_s
            return {"time": taken_s * 1e6}

        return turn


def samples_s(figures: Iterable[Any]) -> dict[str, list[float]]:
    """Return the seconds of the turns that counted."""
    return {one.name: [round(sample / 1e6, 3) for sample in one.samples] for one in figures}


def test_rounds_that_warm_up_do_not_count(timing: ModuleType) -> None:
    watch = Watch()
    takes = {"ours": watch.take("ours", 9, 8, 1, 2), "theirs": watch.take("theirs", 7, 6, 3, 4)}
    found = timing.Turns(takes, clock=watch).run(2, warm_up=2)["time"]
    assert samples_s(found) == {"ours": [1, 2], "theirs": [3, 4]}
    assert watch.taken == ["ours", "theirs"] * 4


def test_a_peer_that_is_slow_in_the_last_warm_up_has_one_turn_after_it(timing: ModuleType) -> None:
    watch = Watch()
    slow, again = watch.take("slow", 11, 12, 5), watch.take("filling", 11, 1, 2, 3, 4)
    takes = {"ours": watch.take("ours", 99, 99, 20, 21, 22), "slow": slow, "filling": again}
    found = timing.Turns(takes, clock=watch).run(3, warm_up=2)["time"]
    assert samples_s(found) == {"ours": [20, 21, 22], "slow": [5], "filling": [2, 3, 4]}


def test_a_peer_that_becomes_slow_keeps_the_turns_it_had(timing: ModuleType) -> None:
    watch = Watch()
    takes = {"ours": watch.take("ours", 1, 1, 1, 1), "theirs": watch.take("theirs", 2, 3, 11)}
    found = timing.Turns(takes, clock=watch).run(3)["time"]
    assert samples_s(found) == {"ours": [1, 1, 1], "theirs": [3, 11]}


def test_a_tool_that_cannot_do_the_work_is_left_out(
    timing: ModuleType, capsys: pytest.CaptureFixture[str]
) -> None:
    watch = Watch()

    def fails() -> dict[str, float]:
        raise timing.Left("no such option")

    ours = {"ours": watch.take("ours", 1, 1, 1), "theirs": fails}
    found = timing.Turns(ours, clock=watch).run(2)["time"]
    assert samples_s(found) == {"ours": [1, 1]}
    assert capsys.readouterr().out == "  (theirs is left out: no such option)\n"
    assert timing.Turns({"ours": fails, "theirs": watch.take("theirs", 1, 1)}).run(1) == {}


def test_floors_are_marked(timing: ModuleType) -> None:
    watch = Watch()
    takes = {"ours": watch.take("ours", 1, 1), "bare": watch.take("bare", 1, 1)}
    found = timing.Turns(takes, frozenset(["bare"]), watch).run(1)["time"]
    assert [one.is_floor for one in found] == [False, True]


def test_ratios_are_of_rounds_that_both_had(timing: ModuleType) -> None:
    ours = timing.figure("ours", [1, 10, 100])
    assert timing.figure("theirs", [2, 30, 100]).ratio(ours) == 2
    assert timing.figure("theirs", [5]).ratio(ours) == 0.5
    assert timing.Figure("theirs", 20, 20, 20).ratio(ours) == 2


def test_who_is_below_is_so_in_nearly_every_round(timing: ModuleType) -> None:
    ours = timing.figure("ours", [10, 10, 10, 10, 10])
    assert timing.figure("theirs", [9, 9, 11, 9, 9]).is_below(ours)
    assert not timing.figure("theirs", [9, 9, 11, 11, 9]).is_below(ours)
    assert timing.figure("theirs", [9]).is_below(ours)
    assert not timing.figure("theirs", [9]).is_below(timing.figure("ours", [8, 8, 10, 10, 10]))


def test_cpu_time_has_a_sample_of_each_round(timing: ModuleType) -> None:
    actions = {"nothing": timing.Action(int), "something": timing.Action(lambda: sum(range(9_999)))}
    nothing, something = timing.cpu_in_turn(actions, 20, rounds=3)
    assert len(nothing.samples) == len(something.samples) == 3
    assert something.least <= something.median <= something.most
    assert something.least > nothing.least


@pytest.mark.parametrize(
    ("value", "unit", "expected"),
    [
        (999.4, "µs", "999 µs"),
        (999.7, "µs", "1 ms"),
        (999_700.0, "µs", "1 s"),
        (0.1218, "µs", "0.122 µs"),
        (1_234.0, "B", "1,234 B"),
        (999.7, "B", "1,000 B"),
    ],
)
def test_figures_are_rounded_before_their_unit_is_chosen(
    value: float, unit: str, expected: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.syspath_prepend(str(ROOT))
    assert importlib.import_module("benchmarks.rows").said(value, unit) == expected


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
    assert "| `first`: first hit | 2 ms (1.5 ms) | opened (100 µs): 20x¹ | 0.25x¹ | 2x¹ |" in lines
    assert "| `disk`: on the disk | 300 B (300 B)¹ | - | 4x¹ |" in lines
    assert lines[-1] == "- `first`: 4x of joblib¹."


def test_rows_of_a_later_run_replace_those_of_an_earlier_one(tmp_path: Path) -> None:
    figures, later = kept(tmp_path), tmp_path / "later.json"
    rows = json.loads(figures.read_text("utf-8"))["rows"][:1]
    rows[0]["figures"] = [figure("gitmemo, repository", 100.0), figure("joblib.Memory", 500.0)]
    later.write_text(json.dumps({"machine": {**MACHINE, "commit": "def5678"}, "rows": rows}))
    text = run("table", figures, later).stdout
    assert "| `first`: first hit | 100 µs (100 µs)¹ | - | 5x¹ |" in text
    assert "Rows: `disk`." in text.partition("def5678")[0]
    assert "Rows: `first`." in text.partition("def5678")[2]
    assert text.endswith("### Where a peer is ahead\n\nNowhere.\n")


def test_cells_of_one_turn_are_marked_and_the_mark_is_explained(tmp_path: Path) -> None:
    lines = run("table", kept(tmp_path)).stdout.splitlines()
    mark = "¹ Measured once: it is slow, or the same each time."
    assert lines.count(mark) == 2
    figures = tmp_path / "figures.json"
    found = json.loads(figures.read_text("utf-8"))
    for row in found["rows"]:
        for one in row["figures"]:
            one["samples"] = [one["median"], one["median"]]
    figures.write_text(json.dumps(found), "utf-8")
    text = run("table", figures).stdout
    assert "| `first`: first hit | 2 ms (1.5 ms) | opened (100 µs): 20x | 0.25x | 2x |" in text
    assert "¹" not in text


@pytest.mark.parametrize(
    ("theirs", "cell", "ahead"),
    [
        ((99.7, 99.7, 99.7), "1x", ""),
        ((90.0, 90.0, 90.0), "0.9x", "- `first`: 1.1x of joblib."),
        ((90.0, 90.0, 101.0), "0.9x", ""),
        ((9_970.0, 9_970.0, 9_970.0), "100x", ""),
    ],
)
def test_who_is_ahead_is_so_by_more_than_the_noise(
    theirs: tuple[float, ...], cell: str, ahead: str, tmp_path: Path
) -> None:
    pair = [figure("gitmemo, repository", *[100.0] * 3), figure("joblib.Memory", *theirs)]
    row = {"name": "first", "title": "hit", "unit": "µs", "group": "calls", "figures": pair}
    path = tmp_path / "figures.json"
    path.write_text(json.dumps({"machine": MACHINE, "rows": [row]}), "utf-8")
    text = run("table", path).stdout
    assert f"| `first`: hit | 100 µs (100 µs) | - | {cell} |" in text
    assert text.partition("### Where a peer is ahead")[2].strip() == (ahead or "Nowhere.")


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
    assert text.endswith(f"- `first`: 4x of joblib¹.\n\n{end}\n\nWhy.\n")


@pytest.mark.skipif(not DOCUMENT.is_file(), reason="the document is not beside the tests")
def test_the_document_says_why_wherever_a_peer_is_ahead() -> None:
    text = DOCUMENT.read_text("utf-8")
    ahead = text.partition("### Where a peer is ahead")[2].partition("<!-- end")[0]
    named = re.findall(r"^- `([\w-]+)`:", ahead, re.MULTILINE)
    assert named
    why = text.partition("## Where gitmemo is behind, and why")[2].partition("\n## ")[0]
    assert [name for name in named if f"`{name}`" not in why] == []
