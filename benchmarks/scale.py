"""Whole processes over many stored calls: opening, running again, space."""

from __future__ import annotations

import json
import os
import statistics
import subprocess
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path

from benchmarks.peers import OURS, REPOSITORY, git, names, prepare, python_of
from benchmarks.timing import ROUNDS, figure, show

_SIZES = (1_000, 10_000, 100_000)
_FRESH = 1_000


def fresh() -> None:
    """The first touch of each key in a new process."""
    with tempfile.TemporaryDirectory() as folder:
        places = dict(_filled(Path(folder), _FRESH))
        samples: dict[str, list[float]] = {name: [] for name in places}
        for _ in range(ROUNDS):
            for name, place in places.items():
                seen = _run(name, place, "again", _FRESH)
                samples[name].append(seen["calls_s"] / (_FRESH - 1) * 1e6)
        title = f"2. first touch of {_FRESH} keys in a new process"
        show(title, [figure(name, times) for name, times in samples.items()])


def _filled(folder: Path, count: int) -> Iterator[tuple[str, Path]]:
    for number, name in enumerate(names()):
        place = folder / str(number)
        prepare(name, place)
        _run(name, place, "fill", count)
        yield name, place


def scale() -> None:
    """Opening, running again, another call, space on disk, at 1,000 to 100,000 stored calls."""
    for count in _SIZES:
        print(f"\n7, 9, 10, 11. {count} stored calls")
        print(
            f"  {'':26} {'µs per miss':>12} {'open+hit ms':>12} {'again s':>9} {'RSS MB':>8}"
            f" {'bytes/call':>11} {'files':>6} {'index s':>8} {'commit s':>9}"
        )
        for name in names((*OURS, "diskcache")):
            with tempfile.TemporaryDirectory() as folder:
                _measure(name, Path(folder) / "project", count)


def _measure(name: str, place: Path, count: int) -> None:
    prepare(name, place)
    filled = _run(name, place, "fill", count)
    commit = _commit(place) if name == REPOSITORY else 0.0
    before = _files(place)
    again = [_run(name, place, "again", count) for _ in range(3)]
    opened, calls = (statistics.median(run[key] for run in again) for key in ("open_s", "calls_s"))
    more = _run(name, place, "fill", 1_000, count)
    print(
        f"  {name:26} {more['calls_s'] / 999 * 1e6:12.0f} {opened * 1e3:12.1f} {calls:9.2f}"
        f" {max(run['rss_mb'] for run in again):8.0f} {sum(before.values()) / count:11.0f}"
        f" {len(before):6} {filled['next_block_s']:8.2f} {commit:9.2f}",
        flush=True,
    )
    if name == REPOSITORY:
        for what, size in _parts(before).items():
            print(f"    {what:24} {size / count:8.0f} bytes per call")


def _commit(place: Path) -> float:
    start = time.perf_counter()
    git(place, "commit", "-q", "--allow-empty", "-m", "Results")
    return time.perf_counter() - start


def _files(place: Path) -> dict[str, int]:
    """Return what gitmemo (or a peer) keeps, by path; git's own copy of segments is left out."""
    found: dict[str, int] = {}
    for path in place.rglob("*"):
        name = path.relative_to(place).as_posix()
        is_ours = not name.startswith(".git/") or name.startswith(".git/gitmemo/")
        if path.is_file() and is_ours and not name.startswith(("subject", "__pycache__")):
            found[name] = path.stat().st_size
    return found


def _parts(files: dict[str, int]) -> dict[str, int]:
    parts = {"committed segments": 0, "journals": 0, "derived index": 0, "everything else": 0}
    for name, size in files.items():
        if name.startswith(".gitmemo/index/"):
            parts["committed segments"] += size
        elif "/journal/" in name:
            parts["journals"] += size
        elif "/index.db" in name:
            parts["derived index"] += size
        else:
            parts["everything else"] += size
    return parts


def _run(name: str, place: Path, action: str, count: int, begin: int = 0) -> dict[str, float]:
    root = Path(__file__).parent.parent
    command = [python_of(name), "-m", "benchmarks.worker", name, place, action, count, begin]
    path = os.pathsep.join([str(root), os.environ.get("PYTHONPATH", "")])
    ran = subprocess.run(
        [str(part) for part in command],
        check=True,
        capture_output=True,
        text=True,
        cwd=root,
        env={**os.environ, "PYTHONPATH": path},
    )
    figures: dict[str, float] = json.loads(ran.stdout.splitlines()[-1])
    return figures
