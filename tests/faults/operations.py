"""What is done while faults happen, and what must be true when it was done again without.

Not the faults. Invariant: without a fault `act` ends with code 0, and so does `again` after any fault.
"""

from __future__ import annotations

import json
import os
import shutil
import time
from collections.abc import Callable
from dataclasses import KW_ONLY, dataclass
from typing import Any

from faults import outcomes
from faults.outcomes import Outcome
from faults.program import PICTURES
from faults.world import Ended, World, expect

Act = Callable[[World], Ended]
OLD_S = 40 * 86_400


@dataclass(frozen=True)
class Operation:
    """One thing that people do.

    Args:
        act: What happens under faults.
        prepare: What is done before, once.
        prepare_each: What is done before each trial, for it does not survive copying.
        again: How it is completed, if not by doing it again.
        codes: The exit codes with which it may be completed.
        finish: What must have come of it, besides the invariants: asked as soon as it is done.
        lacks: Whether values may be elsewhere, before it is done or after.
        damaged: Whether values were damaged before, so that `verify` may say so.
        forgets: The calls that it forgets, so that they run again: ops, or an op and a number.
        is_program: Whether a program runs, which sees exceptions.
        slow: Whether it starts processes of Python, so that it is tried less often.
    """

    name: str
    act: Act
    _: KW_ONLY
    finish: Outcome
    prepare: Callable[[World], None] = lambda world: None
    prepare_each: Callable[[World], None] = lambda world: None
    again: Act | None = None
    codes: tuple[int, ...] = (0,)
    lacks: bool = False
    damaged: bool = False
    forgets: tuple[str, ...] = ()
    is_program: bool = False
    slow: bool = False


def _says(*arguments: str) -> Act:
    return lambda world: world.gitmemo(*arguments)


def _git(*arguments: str) -> Act:
    return lambda world: world.git(*arguments)


def _edit(world: World) -> None:
    """Change code that calls depend on."""
    world.clone.change('"x" * 40', '"x" * 20 + "x" * 20')


def _decide(world: World) -> None:
    _edit(world)
    expect(world.gitmemo("decide", "--non-breaking", "-m", "same"))


def _apart(world: World) -> None:
    """Let nothing that is lost here be fetched unasked."""
    settings = world.private / "config.toml"
    settings.write_text('lazy_pull = "off"\n' + settings.read_text("utf-8"), "utf-8")


def _without_hooks(world: World) -> None:
    expect(world.gitmemo("hook", "uninstall"))
    (world.top / "p/.gitmemo/.gitattributes").unlink()


def _without_values(world: World) -> None:
    expect(world.gitmemo("push", "--all"))
    shutil.rmtree(world.private / "blobs")


def _without_any(world: World) -> None:
    expect(world.gitmemo("push", "--all"))
    outcomes.take_away(world)


def _with_garbage(world: World) -> None:
    """Store values that nothing will name, long ago."""
    before = set(outcomes.values(world))
    expect(world.program("study.py", "run", "3", "5"))
    outcomes.note(world, *map(str, set(outcomes.values(world)) - before))
    for path in world.clone.journals():
        lines = path.read_bytes().splitlines(keepends=True)
        if any(b'"n",{"v":4}' in line for line in lines):
            path.unlink()
    for suffix in ("", "-wal", "-shm"):
        (world.private / f"index.db{suffix}").unlink(missing_ok=True)
    then = time.time() - OLD_S
    for path in (world.private / "blobs").rglob("*"):
        os.utime(path, (then, then))
    _apart(world)


def _without_files(world: World) -> None:
    """Lose files that calls made: a program that finds the calls puts them back."""
    world.clone.write("pictures.py", PICTURES)
    expect(world.program("pictures.py", "0", "1", "2"))
    shutil.rmtree(world.top / "p/made")


def _damage(world: World) -> None:
    """Damage one value of each kind that a remote has, and leave part of a line in a journal."""
    expect(world.gitmemo("push", "--all"))
    packs = sorted(
        (world.private / "blobs").glob("**/*.pack"), key=lambda path: path.stat().st_size
    )
    large = sorted(path for path in (world.private / "blobs").glob("**/large/*/*"))
    for path in (packs[-1], large[0]):
        path.chmod(0o600)
        data = bytearray(path.read_bytes())
        data[-40] ^= 1
        path.write_bytes(data)


def _without_index(world: World) -> None:
    for path in world.private.glob("index.db*"):
        path.unlink()


def _two_commits(world: World) -> None:
    expect(world.gitmemo("commit", "-m", "More"))
    world.clone.git("tag", "new")
    outcomes.note(world, world.clone.git("rev-parse", "new~1"))


def _many_commits(world: World) -> None:
    for n in range(3, 12):
        expect(world.program("study.py", "run", str(n), str(n + 1)))
        expect(world.gitmemo("commit", "-m", "More"))
    _apart(world)


def _shared(world: World) -> None:
    expect(_share(world))
    _apart(world)


def _note_id(world: World) -> None:
    row = json.loads(expect(world.gitmemo("calls", "study:small", "--json")).out.splitlines()[0])
    outcomes.note(world, row["hid"], json.dumps(row["outputs"]["small"]))


def _tag(world: World) -> Ended:
    return world.gitmemo("tag", "best", outcomes.noted(world)[0])


def _commit_again(world: World) -> Ended:
    world.git("restore", "--staged", ":/")  # as git says if it could not write its index
    world.git("commit", "-qam", "More")
    return world.gitmemo("commit", "-m", "The rest")


def _compact_again(world: World) -> Ended:
    world.clone.git("add", "-A")
    world.clone.git("reset", "-q", "--hard")  # as it says
    return world.gitmemo("index", "compact")


def _share(world: World) -> Ended:
    return world.gitmemo("store", "share", str(world.top / "store-parent/store"))


def _program(name: str, *arguments: str, **more: Any) -> Operation:
    return Operation(name, _says("run", *arguments), is_program=True, **more)


def _study(name: str, what: str, first: int, last: int, **more: Any) -> Operation:
    finish = outcomes.runs_again(last=last)
    return _program(name, "study.py", what, str(first), str(last), finish=finish, **more)


OPERATIONS = (
    _study("run: new calls", "run", 3, 5),
    _study("run: new calls, going on", "go-on", 3, 6),
    _study("run: many calls, going on", "go-on", 3, 25, slow=True),
    _program("run: hits", "study.py", "check", "0", "3", finish=outcomes.hits),
    _study("run: index anew", "go-on", 0, 4, prepare=_without_index),
    _program(
        "run: map over processes",
        *("spread.py", "map", "0", "1", "2", "3"),
        finish=outcomes.spread,
        slow=True,
    ),
    _program(
        "run: files put back",
        *("pictures.py", "0", "1", "2"),
        prepare=_without_files,
        finish=outcomes.put_back,
    ),
    Operation(
        "git commit",
        _git("commit", "-qam", "More"),
        prepare=_decide,
        again=_commit_again,
        codes=(0, 1),
        finish=outcomes.committed,
        slow=True,
    ),
    Operation(
        "gitmemo commit",
        _says("commit", "-m", "More"),
        again=_says("commit", "-m", "The rest"),
        codes=(0, 1),
        finish=outcomes.committed,
    ),
    Operation("push", _says("push", "--all"), finish=outcomes.reaches_others),
    Operation(
        "pull",
        _says("pull", "--all"),
        prepare=_without_values,
        finish=outcomes.all_here,
        lacks=True,
    ),
    Operation("fetch", _says("fetch"), prepare=_without_any, finish=outcomes.fetched, lacks=True),
    Operation(
        "gc",
        _says("gc", "--yes", "--grace", "1"),
        prepare=_with_garbage,
        finish=outcomes.cleaned,
    ),
    Operation(
        "verify --repair",
        _says("verify", "--repair"),
        prepare=_damage,
        finish=outcomes.all_here,
        lacks=True,
        damaged=True,
    ),
    Operation(
        "status: index anew",
        _says("status"),
        prepare=_without_index,
        finish=outcomes.status_told,
    ),
    Operation(
        "git checkout",
        _git("checkout", "-q", "new~1"),
        prepare=_two_commits,
        again=_git("checkout", "-q", "-f", "new~1"),
        finish=outcomes.checked_out,
        slow=True,
    ),
    Operation(
        "decide",
        _says("decide", "--non-breaking", "-m", "same"),
        prepare=_edit,
        codes=(0, 2),
        finish=outcomes.decided,
        forgets=("small",),
    ),
    Operation("store share", _share, prepare=_apart, finish=outcomes.shared),
    Operation("store own", _says("store", "own"), prepare_each=_shared, finish=outcomes.owned),
    Operation(
        "import joblib",
        _says("import", "joblib", "../old/cache", "--yes"),
        finish=outcomes.imported,
    ),
    Operation(
        "config set",
        _says("config", "set", "on_change", "breaking"),
        finish=outcomes.setting_is_set,
    ),
    Operation("tag", _tag, prepare=_note_id, codes=(0, 2), finish=outcomes.tagged),
    Operation(
        "forget",
        _says("forget", "study:small", "n=1", "--yes"),
        finish=outcomes.runs_again("small 1"),
        forgets=("small 1",),
    ),
    Operation(
        "drop",
        _says("drop", "op:study:model", "--yes"),
        codes=(0, 2),
        finish=outcomes.runs_again("model"),
        forgets=("model",),
    ),
    Operation(
        "index compact",
        _says("index", "compact"),
        prepare=_many_commits,
        again=_compact_again,
        finish=outcomes.compacted,
    ),
    Operation("init", _says("init"), prepare=_without_hooks, finish=outcomes.installed),
)
