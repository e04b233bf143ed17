"""Worlds in git: many calls in many segments, beside what git itself takes for the same files.

Not how much `.git` grows (`growth`), nor single calls (`calls`). The calls are written through the
library's own functions, as a program would have recorded them: running them would take minutes.
"""

from __future__ import annotations

import json
import os
import resource
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

from benchmarks.peers import REPOSITORY, git, prepare
from gitmemo.hashing import content_id
from gitmemo.model.facts import Call, Inline, JsonValue, Slot
from gitmemo.model.items import raw
from gitmemo.model.lines import from_line, to_line
from gitmemo.world.segments import INDEX_FOLDER, build_segment

_ROUNDS = 5
_PENDING = 2_000
_LOOKED_UP = 2_000
_MONTH = "2026-01"
_NO_HOOKS = ("-c", "core.hooksPath=/dev/null")


@dataclass(frozen=True, slots=True)
class _Cost:
    """What something took, child processes included, in seconds."""

    wall: float
    cpu: float


def worlds() -> None:
    """100,000 calls in 500 segments: clone, first hit, checkout, commit."""
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name) / "project"
        fill(folder, 100_000, 500)
        print("\n100,000 calls in 500 segments")
        _clone(folder, _ROUNDS)
        _checkout(folder)
        _commit(folder)


def million() -> None:
    """1,000,000 calls in 1,000 segments: one run."""
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name) / "project"
        fill(folder, 1_000_000, 1_000)
        print("\n1,000,000 calls in 1,000 segments")
        _clone(folder, 1)


# --- making them ------------------------------------------------------------


def fill(folder: Path, calls: int, segments: int) -> None:
    """Make a repository: `main` has all the calls of `triple`, `before` the first half of them."""
    prepare(REPOSITORY, folder)
    _work(folder, "fill", 1)
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


def _number(x: int):
    return raw(content_id(x), Inline(x))


def _commit_files(folder: Path, what: str) -> None:
    git(folder, "add", "--all")
    git(folder, "commit", "-q", "--no-verify", "-m", what)


# --- measuring --------------------------------------------------------------


def _clone(folder: Path, rounds: int) -> None:
    theirs, build, opened, look_up = [], [], [], []
    size = 0
    for _ in range(rounds):
        with tempfile.TemporaryDirectory() as name:
            copy = Path(name) / "copy"
            theirs.append(
                _cost(lambda c=copy: git(folder, "clone", "-q", "--no-local", ".", str(c)))
            )
            build.append(_opened(_work(copy, "again", 1)))
            size = sum(p.stat().st_size for p in (copy / ".git/gitmemo").glob("index.db*"))
            for _ in range(_ROUNDS):
                found = _work(copy, "shuffled", _LOOKED_UP)
                opened.append(_opened(found))
                look_up.append(_Cost(found["calls_s"], found["calls_cpu_s"]))
    _show("clone, by git", theirs)
    _show("the first open and hit in it: builds the index", build)
    _show("open and first hit in a new process", opened)
    _show("look-ups in any order, each", look_up, "µs", 1e6 / (_LOOKED_UP - 1))
    print(f"  {'derived index, MB':52} {size / 1e6:10.1f}")


def _checkout(folder: Path) -> None:
    theirs, hooked, opened = [], [], []
    _work(folder, "again", 1)
    for number in range(2 * _ROUNDS):
        branch, back = ("before", "main") if number % 2 == 0 else ("main", "before")
        theirs.append(_cost(lambda b=branch: git(folder, *_NO_HOOKS, "checkout", "-q", b)))
        git(folder, *_NO_HOOKS, "checkout", "-q", back)
        _work(folder, "again", 1)
        hooked.append(_cost(lambda b=branch: git(folder, "checkout", "-q", b)))
        opened.append(_opened(_work(folder, "again", 1)))
    _show("checkout of another world, by git", theirs)
    _show("the same with hooks", hooked)
    _show("then the first open and hit", opened)
    whole = [(h.cpu + o.cpu) / t.cpu for h, o, t in zip(hooked, opened, theirs, strict=True)]
    print(f"  {'in all, as often as git alone (CPU)':52} {statistics.median(whole):10.2f}")


def _commit(folder: Path) -> None:
    theirs, ours, nothing, nothing_hooked = [], [], [], []
    for number in range(_ROUNDS):
        git(folder, "checkout", "-q", "main")
        _work(folder, "fill", _PENDING, 10**9 + number * _PENDING)
        command = ("commit", "-q", "--allow-empty", "-m", "Results")
        ours.append(_cost(lambda c=command: git(folder, *c)))
        # The same files without us: what was committed, taken back and committed again.
        git(folder, "reset", "-q", "--soft", "HEAD~1")
        theirs.append(_cost(lambda c=command: git(folder, *_NO_HOOKS, *c)))
        note = folder / "notes.txt"
        for hooks, costs in ((_NO_HOOKS, nothing), ((), nothing_hooked)):
            note.write_text(f"{number} {len(hooks)}", "utf-8")
            git(folder, "add", "notes.txt")
            costs.append(_cost(lambda h=hooks, c=command: git(folder, *h, *c)))
    _show(f"commit of the segment of {_PENDING} calls, by git", theirs)
    _show("the same with hooks: export, and afterwards", ours)
    _show("commit of something else, by git", nothing)
    _show("the same with hooks", nothing_hooked)


def _opened(found: dict[str, float]) -> _Cost:
    return _Cost(found["open_s"], found["open_cpu_s"])


def _cost(action: Callable[[], object]) -> _Cost:
    before, start = resource.getrusage(resource.RUSAGE_CHILDREN), time.perf_counter()
    action()
    wall, after = time.perf_counter() - start, resource.getrusage(resource.RUSAGE_CHILDREN)
    return _Cost(wall, after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime)


def _show(what: str, costs: Sequence[_Cost], unit: str = "ms", factor: float = 1e3) -> None:
    wall = statistics.median(factor * cost.wall for cost in costs)
    cpu = sorted(factor * cost.cpu for cost in costs)
    print(
        f"  {what:52} {wall:10.1f} {unit}, CPU {statistics.median(cpu):9.1f} (least {cpu[0]:.1f})",
        flush=True,
    )


def _work(place: Path, action: str, count: int, begin: int = 0) -> dict[str, float]:
    """Run the worker; bytecode is written, as in any project that runs twice."""
    root = Path(__file__).parent.parent
    command = [sys.executable, "-m", "benchmarks.worker", REPOSITORY, place, action, count, begin]
    path = os.pathsep.join([str(root), os.environ.get("PYTHONPATH", "")])
    ran = subprocess.run(
        [str(part) for part in command],
        check=True,
        stdout=subprocess.PIPE,
        text=True,
        cwd=root,
        env={**os.environ, "PYTHONPATH": path, "PYTHONDONTWRITEBYTECODE": ""},
    )
    figures: dict[str, float] = json.loads(ran.stdout.splitlines()[-1])
    return figures
