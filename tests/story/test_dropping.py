"""Dropping old versions in repositories: with what depends on them, committed, merged, undone."""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any

from driver import Clone

CloneOf = Callable[[Clone, str], Clone]


def drop(clone: Clone, *arguments: str, code: int = 0) -> dict[str, Any]:
    done = clone.gitmemo("drop", *arguments, "--json", code=code)
    result: dict[str, Any] = json.loads(done.out)
    return result


def version_of(clone: Clone, op: str) -> str:
    """Return the id of the version of an op's calls, as the index has it."""
    return next(
        json.loads(line)[3] for line in clone.committed() if line.startswith(f'["call","{op}"')
    )


def hex_of(clone: Clone, op: str) -> str:
    """Return a version's id as it is shown."""
    program = (
        "import sys; from gitmemo.model.lines import version_id;"
        "from gitmemo.hashing.digest import to_hex; print(to_hex(version_id(sys.argv[1])))"
    )
    return clone.python("-c", program, version_of(clone, op)).out.strip()


def test_nothing_is_dropped_unless_somebody_said_so(committed: Clone) -> None:
    before = committed.records()
    plan = drop(committed, "op:train", "-n")
    assert drop(committed, "op:train", code=2) == plan
    assert plan["calls"] == {"pipeline:train": 2}
    assert plan["dependents"] == {"pipeline:evaluate": 2}
    assert plan["undo"] is None
    assert plan["values"] > 0 < plan["size_bytes"]
    assert committed.records() == before
    refused = committed.gitmemo("drop", "op:train", code=2)
    assert "nobody can be asked" in refused.err and "--dry-run" in refused.err
    assert "drops 2 calls" in refused.out
    assert "would drop 4 calls" in committed.gitmemo("drop", "op:train", "-n").err
    assert committed.run() == (5, 0)
    for wrong in (
        ("drop",),
        ("drop", "train"),
        ("drop", "op:nothing"),
        ("drop", "--version", "ab"),
        ("drop", "op:train", "-n", "--yes"),
    ):
        committed.gitmemo(*wrong, code=2)


def recorded(clone: Clone, op: str) -> list[str]:
    """Return a line for each record of a call."""
    return clone.gitmemo("calls", op, "--all").out.splitlines()


def test_dropping_travels_and_so_does_its_undo(committed: Clone, clone_of: CloneOf) -> None:
    grave = drop(committed, "--version", hex_of(committed, "pipeline:train")[:16], "-y")["undo"]
    assert committed.status()["calls"] == 1
    committed.commit("Drop", "--allow-empty")
    theirs = clone_of(committed, "theirs")
    assert theirs.status()["calls"] == 1
    assert theirs.run() == (1, 5), "also the value of the call that is left: it is not in git"
    assert committed.run() == (1, 4)
    theirs.commit("Again", "--allow-empty")
    committed.commit("Again here", "--allow-empty")
    committed.git("pull", "-q", "--no-rebase", "--no-edit", str(theirs.root), "main")
    assert committed.run() == (5, 0)
    without = len(recorded(committed, "train"))
    committed.gitmemo("drop", "--undo", grave)
    assert len(recorded(committed, "train")) > without
    assert len(committed.rows("train", "--all")) == 2, (
        "a row for each call, however often it was made"
    )
    assert committed.run() == (5, 0)
    assert committed.gitmemo("verify").code == 0


def test_undo_brings_all_of_it_back(committed: Clone) -> None:
    grave = drop(committed, "op:load", "-y", "-m", "wrong data")["undo"]
    assert committed.status()["calls"] == 0
    assert "wrong data" in committed.gitmemo("forget").out
    committed.gitmemo("drop", "--undo", grave[:12])
    assert committed.run() == (5, 0)


def test_dependents_stay_if_their_inputs_are_stored(committed: Clone) -> None:
    plan = drop(committed, "op:train", "--keep-dependents", "-y")
    assert plan["dependents"] == {}
    assert plan["kept"] == {"pipeline:evaluate": 2}
    assert len(committed.rows("evaluate", "--all")) == 2
    assert committed.run() == (3, 2)


def test_one_call_and_by_input(committed: Clone) -> None:
    plan = drop(committed, "op:train", "--where", "rate=1", "-n")
    (call,) = plan["ids"]
    assert plan["dependents"] == {"pipeline:evaluate": 1}
    assert drop(committed, f"call:{call[:12]}", "-n") == plan
    drop(committed, f"call:{call}", "-y")
    assert committed.run() == (3, 2)


def test_what_is_stale_goes(committed: Clone) -> None:
    committed.change("value * 2", "value * 3")
    committed.commit("Change")
    assert committed.run() == (1, 4)
    plan = drop(committed, "--stale", "-y")
    assert plan["calls"] == {"pipeline:train": 2}
    assert plan["dependents"] == {"pipeline:evaluate": 2}
    assert committed.run() == (5, 0)
    assert committed.status()["stale"] == 0
    committed.change("value * 3", "value * 2")
    assert committed.run()[1] > 0, "what was dropped is gone for older code too"


def test_an_experiment_that_was_thrown_away_goes_without_committed_results(
    committed: Clone,
) -> None:
    committed.change("value * 2", "value * 3")
    committed.run()
    committed.commit("Three", GITMEMO_ON_CHANGE="breaking")
    committed.change("value * 3", "value * 5")
    assert committed.run() == (1, 4)
    committed.git("checkout", "-q", "helper.py")
    refused = committed.gitmemo("commit", code=3).err
    assert "if the code was thrown away: `gitmemo drop --stale --pending`" in refused
    assert drop(committed, "--stale", "-n")["calls"] == {"pipeline:train": 4}
    plan = drop(committed, "--stale", "--pending", "-y")
    assert plan["calls"] == {"pipeline:train": 2}
    assert plan["dependents"] == {"pipeline:evaluate": 2}
    assert committed.status()["calls"] == 9
    committed.gitmemo("commit")
    assert committed.status()["pending"] == 0
    assert committed.run() == (5, 0)


def test_a_renamed_op_is_dropped_under_either_name(committed: Clone) -> None:
    text = (committed.root / "pipeline.py").read_text("utf-8")
    committed.write("pipeline.py", text.replace("train", "fit"))
    committed.commit("Rename")
    assert committed.run() == (5, 0)
    by_either = [drop(committed, f"op:{name}", "-n")["calls"] for name in ("train", "fit")]
    assert by_either[0] == by_either[1]
    drop(committed, "op:train", "-y")
    assert committed.run()[1] == 4
