"""Worlds in git: many calls in many segments, beside what git itself takes for the same files.

Not how much `.git` grows (`growth`), nor work beside DVC (`working`). The calls are written through the
library's own functions, as a program would have recorded them: running them would take minutes.
"""

from __future__ import annotations

import tempfile
import time
from collections.abc import Callable
from dataclasses import replace
from itertools import count
from pathlib import Path

from benchmarks.amounts import scaled
from benchmarks.peers import REPOSITORY, git, prepare
from benchmarks.processes import NO_HOOKS, gitmemo, wall_us
from benchmarks.rows import show
from benchmarks.timing import Row, Turns
from benchmarks.turns import ask_new
from gitmemo.hashing import content_id
from gitmemo.model.facts import Call, Inline, JsonValue, Slot
from gitmemo.model.items import Item, raw
from gitmemo.model.lines import from_line, to_line
from gitmemo.world.segments import INDEX_FOLDER, build_segment

_PENDING = scaled(2_000)
_LOOKED_UP = scaled(2_000)
_MONTH = "2026-01"
GIT = "git alone"
_TITLES = {
    "index": "the first hit in a new clone of {} calls, which builds its index",
    "opened": "open and first hit in a new process, {} calls",
    "lookup": "a hit in any order, each once, of {} calls",
    "status": "`gitmemo status` of {} committed calls",
    "checkout": "`git checkout` of half of {} calls, and the first hit",
    "commit": f"`git commit` of {_PENDING:,} calls beside {{}}",
}


def worlds(rounds: int, group: str) -> None:
    """100,000 calls in 500 segments: clone, first hit, look-ups, status, checkout, commit."""
    with tempfile.TemporaryDirectory(ignore_cleanup_errors=True) as name:
        folder = Path(name) / "project"
        fill(folder, scaled(100_000), scaled(500))
        _show(lambda: _cloned(folder), rounds, group, "100k")
        _calls(folder, 1)
        gitmemo(folder, "status")
        _show(lambda: _asked(folder), rounds, group, "100k")
        _show(lambda: _checked_out(folder), rounds, group, "100k")
        numbers = count(10**9, _PENDING)
        _show(lambda: _committed(folder, next(numbers)), rounds, group, "100k")


def million(_: int, group: str) -> None:
    """1,000,000 calls in 1,000 segments: one clone."""
    with tempfile.TemporaryDirectory(ignore_cleanup_errors=True) as name:
        folder = Path(name) / "project"
        fill(folder, scaled(1_000_000), scaled(1_000))
        _show(lambda: _cloned(folder), 1, group, "1m")


# --- making them ------------------------------------------------------------


def fill(folder: Path, calls: int, segments: int) -> None:
    """Make a repository: `main` has all the calls of `triple`, `before` the first half of them."""
    prepare(REPOSITORY, folder)
    _calls(folder, 1)
    git(folder, "commit", "-q", "--allow-empty", "-m", "The first result")
    lines = [
        line
        for path in folder.glob(f"{INDEX_FOLDER}/*/*.jsonl")
        for line in path.read_text("utf-8").splitlines()
    ]
    template = next(fact for line in lines if isinstance(fact := from_line(line, content_id), Call))
    others = [line for line in lines if not line.startswith('["call",')]
    each = calls // segments
    for number in range(segments):
        if number == segments // 2:
            _commit_files(folder, "Half of the results")
            git(folder, "branch", "before")
        made = [to_line(_like(template, x)) for x in range(number * each, (number + 1) * each)]
        segment = build_segment([*others, *made])
        path = folder / segment.path(_MONTH)
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(segment.data)
    _commit_files(folder, "The other half")
    git(folder, "gc", "-q")


def _like(call: Call, x: int) -> Call:
    """Return the call of `triple` with this argument, as if it had been made x seconds later."""
    moment = time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime(1_767_225_600 + x))
    run: dict[str, JsonValue] = {**call.run, "start": moment, "seconds": 1e-6 * (x % 997)}
    new = replace(call, inputs=(Slot.of(call.inputs[0].name, _number(x)),), run=run)
    return replace(new, outputs=(Slot.output(new.hid, call.outputs[0].name, _number(3 * x + 1)),))


def _number(x: int) -> Item:
    return raw(content_id(x), Inline(x))


def _commit_files(folder: Path, what: str) -> None:
    git(folder, "add", "--all")
    git(folder, "commit", "-q", "--no-verify", "-m", what)


# --- measuring --------------------------------------------------------------


def _show(
    take: Callable[[], tuple[dict[str, float], dict[str, float]]],
    rounds: int,
    group: str,
    size: str,
) -> None:
    """Take turns with git, which has its turn within ours, on the same files."""
    plain: dict[str, float] = {}

    def ours() -> dict[str, float]:
        found, theirs = take()
        plain.update(theirs)
        return found

    turns = Turns({REPOSITORY: ours, GIT: lambda: dict(plain)}, frozenset([GIT]))
    for what, figures in turns.run(rounds, warm_up=0).items():
        title = _TITLES[what].format("1,000,000" if size == "1m" else f"{scaled(100_000):,}")
        show(Row(f"{what}{size}", title, figures, group=group))


def _cloned(folder: Path) -> tuple[dict[str, float], dict[str, float]]:
    """Clone, build the index, and look calls up in any order."""
    with tempfile.TemporaryDirectory(ignore_cleanup_errors=True) as name:
        copy = Path(name) / "copy"
        theirs = wall_us(lambda: git(folder, "clone", "-q", "--no-local", ".", str(copy)))
        built = _calls(copy, 1)["open"]
        found = _calls(copy, _LOOKED_UP, order="shuffled")
    ours = {"index": built, "opened": found["open"], "lookup": found["more"]}
    return ours, {"index": theirs}


def _asked(folder: Path) -> tuple[dict[str, float], dict[str, float]]:
    """Ask how things stand, in whole processes."""
    theirs = wall_us(lambda: git(folder, "status", "--short"))
    return {"status": wall_us(lambda: gitmemo(folder, "status"))}, {"status": theirs}


def _checked_out(folder: Path) -> tuple[dict[str, float], dict[str, float]]:
    """Check the older world out, first by git alone; the segments of both are known."""
    theirs = wall_us(lambda: git(folder, *NO_HOOKS, "checkout", "-q", "before"))
    git(folder, *NO_HOOKS, "checkout", "-q", "main")
    _calls(folder, 1)
    hooked = wall_us(lambda: git(folder, "checkout", "-q", "before"))
    opened = _calls(folder, 1)["open"]
    git(folder, "checkout", "-q", "main")
    return {"checkout": hooked + opened}, {"checkout": theirs}


def _committed(folder: Path, begin: int) -> tuple[dict[str, float], dict[str, float]]:
    """Commit new calls; then the same files without us: taken back, and committed again."""
    _calls(folder, _PENDING, begin)
    command = ("commit", "-q", "--allow-empty", "-m", "Results")
    ours = wall_us(lambda: git(folder, *command))
    git(folder, "reset", "-q", "--soft", "HEAD~1")
    return {"commit": ours}, {"commit": wall_us(lambda: git(folder, *NO_HOOKS, *command))}


def _calls(place: Path, count: int, begin: int = 0, order: str = "more") -> dict[str, float]:
    """Make so many calls in a new process."""
    return ask_new(REPOSITORY, place, "100k", f"{order} {count} {begin}")
