"""`python -m tests.faults.soak`: many processes at once do at random what people do, and get killed.

Not faults of the system (`trials`). Invariant: whatever a program was told is a result stays one:
the model is the set of calls that returned, and plain Python says what each must be.
"""

from __future__ import annotations

import argparse
import os
import random
import signal
import sys
import time
from collections import Counter
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path

TESTS = Path(__file__).resolve().parents[1]
_NUMBERS = 40
_REFUSALS = frozenset({0, 1, 2, 3, 4, 5, 130, -signal.SIGKILL})


def main() -> int:
    """Soak for as long as was asked; the exit code is 1 if anything broke."""
    parser = argparse.ArgumentParser(prog="python -m tests.faults.soak", description=__doc__)
    parser.add_argument("--seconds", type=float, default=600)
    parser.add_argument("--processes", type=int, default=4)
    parser.add_argument("--seed", default="1")
    options = parser.parse_args()
    sys.path[:0] = [str(TESTS), str(TESTS.parent)]
    os.environ["PYTHONPATH"] = os.pathsep.join([str(TESTS), str(TESTS.parent)])
    os.environ["PYTHONDONTWRITEBYTECODE"] = "1"
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(1))
    from faults.trials import place_for_worlds, preload, remove
    from faults.world import World, make

    place = place_for_worlds()
    try:
        preload()
        world = World(place / "world")
        make(world.top)
        return _soaked(world, place, options)
    finally:
        remove(place)


def _soaked(world, place: Path, options: argparse.Namespace) -> int:
    until = time.monotonic() + options.seconds
    children: list[int] = []
    for number in range(options.processes):
        child = os.fork()
        if child == 0:
            code = 1
            try:
                _live(world, place / f"notes-{number}", f"{options.seed}-{number}", until)
                code = 0
            finally:
                os._exit(code)
        children.append(child)
    codes = [os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]) for child in children]
    done, returned, broken = Counter(), set(), [f"a process ended with {c}" for c in codes if c]
    for notes in place.glob("notes-*"):
        for line in notes.read_text().splitlines():
            kind, _, rest = line.partition(" ")
            if kind == "did":
                done[rest] += 1
            elif kind == "returned":
                returned.add(tuple(rest.split()))
            else:
                broken.append(rest)
    broken += _compared(world, returned)
    for told in broken:
        print(told)
    for name, count in sorted(done.items()):
        print(f"{name:28} {count:7}")
    print(f"{done.total()} operations, {len(returned)} calls in the model, {len(broken)} broken")
    return int(bool(broken))


def _compared(world, returned: set[tuple[str, ...]]) -> list[str]:
    """Return how the world differs from the model, when all is quiet."""
    from faults.invariants import COMPUTED

    with suppress(FileNotFoundError):
        (world.top / "p/.git/index.lock").unlink()
    found = []
    verified = world.gitmemo("verify")
    if verified.code != 0:
        found.append(f"verify says {verified.code}: {verified.out} {verified.err}")
    world.git("checkout", "-q", "-f", "main")
    checked = world.program("study.py", "check", "0", str(_NUMBERS))
    if checked.code != 0:
        found.append(f"the program does not run: {checked.err[-1000:]}")
    found += [f"wrong result: {call}" for call in checked.said("wrong")]
    lost = checked.calls("ran") & (returned | COMPUTED)
    found += [f"a stored call was lost: {' '.join(call)}" for call in sorted(lost)]
    if world.git("fsck", "--no-dangling", "--no-progress").code != 0:
        found.append("git fsck finds damage")
    world.gitmemo("commit", "-m", "The rest")
    if (status := world.git("status", "--porcelain").out) != "":
        found.append(f"git status says {status}")
    return found


def _live(world, notes: Path, seed: str, until: float) -> None:
    dice = random.Random(seed)
    with notes.open("a", buffering=1) as file:
        while time.monotonic() < until:
            name, act, may_be_killed = _chosen(dice)
            after_s = dice.random() if may_be_killed and dice.random() < 0.3 else None
            ended = world.child(lambda act=act, after_s=after_s: _killed(after_s, act))
            file.write(f"did {name}\n")
            for call in ended.calls("returned"):
                file.write(f"returned {' '.join(call)}\n")
            for call in ended.calls("wrong"):
                file.write(f"broken wrong result: {' '.join(call)}\n")
            if ended.code is None or (ended.code not in _REFUSALS and not name.startswith("git")):
                file.write(f"broken {name} ends with {ended.code}: {ended.err[-500:]!r}\n")
            elif "Traceback" in ended.err:
                file.write(f"broken {name}: a traceback: {ended.err[-1500:]!r}\n")


def _killed(after_s: float | None, act: Callable[[], int]) -> int:
    if after_s is not None:
        signal.signal(signal.SIGALRM, lambda *_: os.kill(os.getpid(), signal.SIGKILL))
        signal.setitimer(signal.ITIMER_REAL, max(after_s, 0.001))
    return act()


def _chosen(dice: random.Random) -> tuple[str, Callable[[], int], bool]:
    """Choose what to do; also say whether it may be killed."""
    from gitmemo.cli import main as gitmemo

    first = dice.randrange(_NUMBERS - 3)
    name, *arguments = dice.choice(
        [
            *[("run", "study.py", "run", str(first), str(first + 3))] * 5,
            *[("run", "study.py", "check", str(first), str(first + 3))] * 5,
            ("status",),
            ("push", "--all"),
            ("pull", "--all"),
            ("gc", "--yes", "--grace", "0"),
            ("verify",),
            ("commit", "-m", "More"),
            ("git", "commit", "-q", "--allow-empty", "-m", "Nothing"),
            ("git", "checkout", "-q", "-B", f"b{dice.randrange(2)}"),
            ("git", "status", "--porcelain"),
        ]
    )
    if name == "git":
        return f"git {arguments[0]}", lambda: os.execvp("git", ["git", *arguments]), False
    what = " ".join(arguments[1:2]) if name == "run" else name
    return what, lambda: gitmemo([name, *arguments]), name != "commit"


if __name__ == "__main__":
    sys.exit(main())
