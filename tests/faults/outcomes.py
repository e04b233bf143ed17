"""What must have come of an operation when it says that it is done.

Not what must hold after any fault (`invariants`). Invariant: each of these fails for an operation
that did nothing (`python -m tests.faults --idle`), and no remote hides that.
"""

from __future__ import annotations

import json
import os
import re
import shutil
from collections.abc import Callable
from pathlib import Path

from faults.world import Ended, World, expect

Outcome = Callable[[World, Ended], None]
"""Raises AssertionError, or that there is no such file; is given how the operation ended."""
_COUNTED = re.compile(r"^gitmemo: \d+ calls?: (\d+) reused, (\d+) computed", re.MULTILINE)
_HOOKS = "pre-commit pre-merge-commit post-commit post-checkout post-merge post-rewrite pre-push"
_NOTE = "noted"


def note(world: World, *texts: str) -> None:
    """Remember what an outcome needs to know, outside of all that is faulted."""
    (world.top / _NOTE).write_text("\n".join(texts), "utf-8")


def noted(world: World) -> list[str]:
    """Return what was remembered."""
    return (world.top / _NOTE).read_text("utf-8").splitlines()


def counted(ended: Ended) -> tuple[int, int]:
    """Return how many calls a program reused, and how many it computed."""
    found = _COUNTED.search(ended.err)
    assert found, ended
    return int(found[1]), int(found[2])


def values(world: World) -> list[Path]:
    """Return the files with values of this clone."""
    return [path for path in (world.private / "blobs/self").rglob("*.*") if path.is_file()]


def facts(world: World, begins: str) -> list[str]:
    """Return the pending records that begin so, if they are whole."""
    lines = (line for path in world.clone.journals() for line in _lines(path))
    records = (line.split(" ", 3)[-1] for line in lines)
    return [record for record in records if record.startswith(begins) and _is_json(record)]


def runs_again(*calls: str, last: int = 3) -> Outcome:
    """Return the outcome that of all calls these run, and others are here, without fetching."""

    def check(world: World, _: Ended) -> None:
        found = expect(world.program("study.py", "check", "0", str(last), fetches=False))
        ran = {op if op in calls else f"{op} {n}" for op, n in found.calls("ran")}
        assert ran == set(calls), found.log
        assert not found.said("missing"), found.log
        assert not found.said("wrong"), found.log
        assert len(found.said("checked")) == 5 * last, found.log

    return check


all_here = runs_again()


def hits(world: World, ended: Ended) -> None:
    """A program found what it asked for."""
    assert len(ended.said("checked")) == 15, ended
    assert not {*ended.said("ran"), *ended.said("wrong"), *ended.said("missing")}, ended.log
    all_here(world, ended)


def spread(world: World, _: Ended) -> None:
    """The calls of processes are found."""
    found = expect(world.program("spread.py", "check", "0", "1", "2", "3", fetches=False))
    assert counted(found) == (4, 0), found
    assert not found.said("wrong"), found


def imported(world: World, _: Ended) -> None:
    """The calls of joblib are found, with their results."""
    found = expect(world.program("moved.py", fetches=False))
    assert counted(found) == (8, 0), found
    assert found.out.splitlines() == [f"{n * n} number {n}" for n in range(4)], found


def put_back(world: World, ended: Ended) -> None:
    """The files of calls that were found are there."""
    for n in range(3):
        data = (world.top / f"p/made/{n}.bin").read_bytes()
        assert data == b"%06d" % n * 20_000, n
    assert not ended.said("ran"), ended


def committed(world: World, _: Ended) -> None:
    """All calls are in the commit."""
    assert world.clone.calls_in() == 18, world.clone.calls_in()


def reaches_others(world: World, ended: Ended) -> None:
    """All values reach somebody who has none."""
    take_away(world)
    expect(world.gitmemo("pull"))
    all_here(world, ended)


def take_away(world: World) -> None:
    """Remove all values, and what is remembered of the remote."""
    for name in ("blobs", "remotes"):
        shutil.rmtree(world.private / name, ignore_errors=True)


def fetched(world: World, ended: Ended) -> None:
    """It was told what the remote has. What is remembered of it is a cache, left out on a full disk."""
    told = re.search(r"there and not here: (\d+) values", ended.out)
    assert told and int(told[1]), ended


def cleaned(world: World, _: Ended) -> None:
    """What nothing names is gone, and the rest is not."""
    garbage = [Path(name) for name in noted(world)]
    assert garbage
    assert not [path for path in garbage if path.exists()]
    assert values(world)


def status_told(world: World, ended: Ended) -> None:
    """The state was shown."""
    assert "18 calls, 6 pending" in ended.out, ended
    for op in ("small", "middle", "large", "model", "document", "total"):
        assert re.search(rf"^study:{op} +3 +0 +0$", ended.out, re.MULTILINE), ended


def checked_out(world: World, _: Ended) -> None:
    """The other commit is there."""
    (commit,) = noted(world)
    assert (world.top / "p/.git/HEAD").read_text("ascii").strip() == commit


def decided(world: World, ended: Ended) -> None:
    """The decision is noted, and results of before are found."""
    decisions = facts(world, '["decision","helper.py","small"')
    assert {json.loads(decision)[5] for decision in decisions} == {"non-breaking"}
    all_here(world, ended)


def shared(world: World, ended: Ended) -> None:
    """The values lie in the shared store, and nowhere else."""
    assert f'path = "{world.top}/store-parent/store"' in _settings(world)
    assert not values(world)
    all_here(world, ended)


def owned(world: World, ended: Ended) -> None:
    """The values are here, also when the shared store is not."""
    store = world.top / "store-parent/store"
    away = store.with_name("away")
    assert str(store) not in _settings(world)
    store.rename(away)
    try:
        all_here(world, ended)
    finally:
        away.rename(store)


def setting_is_set(world: World, _: Ended) -> None:
    """The committed settings say it."""
    text = (world.top / "p/.gitmemo/config.toml").read_text("utf-8")
    assert re.search(r'^on_change = "breaking"$', text, re.MULTILINE), text


def tagged(world: World, _: Ended) -> None:
    """The name leads to the value."""
    _, value = noted(world)
    rows = [json.loads(line) for line in expect(world.gitmemo("tag", "--json")).out.splitlines()]
    found = [(row["name"], row["op"], row["value"]) for row in rows]
    assert found == [("best", "study:small", json.loads(value))], rows


def compacted(world: World, ended: Ended) -> None:
    """One segment has all calls."""
    segments = list((world.top / "p/.gitmemo/index").rglob("*.jsonl"))
    assert len(segments) == 1, segments
    text = segments[0].read_text("utf-8")
    assert text.count('\n["call",') + text.startswith('["call",') == 12 * 6
    runs_again(last=12)(world, ended)


def installed(world: World, _: Ended) -> None:
    """The hooks call gitmemo, and git knows the files of records."""
    for name in _HOOKS.split():
        hook = world.top / "p/.git/hooks" / name
        assert "gitmemo" in hook.read_text("utf-8"), name
        assert os.access(hook, os.X_OK), name
    assert (world.top / "p/.gitmemo/.gitattributes").read_text("utf-8")


def _settings(world: World) -> str:
    return (world.private / "config.toml").read_text("utf-8")


def _lines(path: Path) -> list[str]:
    return path.read_text("utf-8", "replace").splitlines()


def _is_json(text: str) -> bool:
    try:
        json.loads(text)
    except ValueError:
        return False
    return True
