"""Forgetting in repositories: it is committed, merged, left behind and undone like all else."""

from __future__ import annotations

import json
import re
from collections.abc import Callable

import pytest
from driver import GITMEMO, Clone, at_terminal

CloneOf = Callable[[Clone, str], Clone]


def forget(clone: Clone, *arguments: str) -> str:
    """Forget calls; return the id of the tombstone."""
    done = clone.gitmemo("forget", *arguments, "--yes")
    found = re.search(r"gitmemo forget --undo ([0-9a-f]+)", done.err)
    assert found, done.text
    return found[1]


def losses(clone: Clone, *arguments: str) -> list[int]:
    done = clone.gitmemo("df", "train", *arguments, "--json", code=None)
    if done.code == 2 and "no call of an op" in done.err:
        return []
    assert done.code == 0, done.text
    return [json.loads(line)["loss"] for line in done.out.splitlines()]


def test_a_dry_run_shows_and_changes_nothing(committed: Clone) -> None:
    before = committed.records()
    done = committed.gitmemo("forget", "train", "rate=1", "--dry-run", "--json")
    (row,) = map(json.loads, done.out.splitlines())
    assert (row["inputs"]["rate"], row["outputs"]["loss"]) == (1, 249500)
    (listed,) = [
        one
        for one in map(json.loads, committed.gitmemo("calls", "train", "--json").out.splitlines())
        if one["inputs"]["rate"] == 1
    ]
    assert row == listed
    assert "would forget 1 call" in done.err
    assert committed.records() == before
    assert len(losses(committed)) == 2
    assert "would forget 2 calls" in committed.gitmemo("forget", "train", "-n").err
    assert "no such call" in committed.gitmemo("forget", "train", "rate=7", "-n", code=2).err
    assert "NAME=VALUE" in committed.gitmemo("forget", "train", "rate", code=2).err


def test_nothing_is_forgotten_unless_somebody_said_so(committed: Clone) -> None:
    before = committed.records()
    refused = committed.gitmemo("forget", "train", code=2)
    assert "nobody can be asked" in refused.err and "--yes" in refused.err
    committed.gitmemo("forget", "train", "--yes", "-n", code=2)
    with at_terminal(committed, *GITMEMO, "forget", "train") as terminal:
        terminal.expect("forgetting 2 calls?")
        terminal.send("n\n")
        assert terminal.finish() == 130
    assert committed.records() == before
    with at_terminal(committed, *GITMEMO, "forget", "train", "rate=1") as terminal:
        terminal.expect("forgetting 1 call?")
        terminal.send("y\n")
        assert terminal.finish() == 0
    assert losses(committed) == [499000]


def test_what_was_forgotten_is_told_to_programs(committed: Clone) -> None:
    done = committed.gitmemo("forget", "train", "rate=1", "--yes", "--json")
    call, last = map(json.loads, done.out.splitlines())
    assert call["op"] == "pipeline:train" and last["forgotten"] == 1
    for more in (["-n"], ["--yes"], ["train"]):
        committed.gitmemo("forget", "--undo", last["undo"], *more, code=2)
    assert losses(committed) == [499000], "nothing of that brought it back"
    told = committed.gitmemo("forget", "--undo", last["undo"], "--json").out
    assert json.loads(told) == {"restored": last["undo"]}
    assert len(losses(committed)) == 2


def test_calls_of_older_code_are_forgotten_only_with_all(committed: Clone) -> None:
    committed.change("value * 2", "value * 3")
    refused = committed.gitmemo("forget", "train", "--yes", code=2)
    assert "2 such calls" in refused.err and "--all" in refused.err
    assert forget(committed, "train", "--all")


def test_why_forget_and_drop_read_values_alike(begun: Clone) -> None:
    begun.write(
        "kinds.py",
        "import gitmemo as gm\n"
        "storage = gm.open()\n"
        "@gm.op\n"
        "def pick(flag, name, pair):\n"
        "    return 1\n"
        "if __name__ == '__main__':\n"
        "    with storage:\n"
        "        storage.tag(pick(True, 'ada', [None, 1.5]), 'one')\n"
        "        pick('true', '@nobody', (1, 2))\n",
    )
    begun.gitmemo("run", "kinds.py")
    whole = {
        "flag=True": "name=ada pair=[null,1.5]",
        "flag=true": "name='ada' pair=[None,1.5]",
        "flag='true'": "name=@nobody pair=(1,2)",
    }
    for flag, others in whole.items():
        given = [flag, *others.split()]
        assert json.loads(begun.gitmemo("why", "pick", *given, "--json").out)["status"] == "hit"
        assert "would forget 1 call" in begun.gitmemo("forget", "pick", *given, "-n").err
        where = [word for each in given for word in ("--where", each)]
        assert "would drop 1 call" in begun.gitmemo("drop", "op:pick", *where, "-n").err
    assert "no such call" in begun.gitmemo("forget", "pick", "flag=@one", "-n", code=2).err
    refusals = [
        begun.gitmemo(*command, "nosuch=1", code=2).err
        for command in (["why", "pick"], ["forget", "pick", "-n"], ["drop", "op:pick", "--where"])
    ]
    assert len(set(refusals)) == 1 and "flag, name, pair" in refusals[0], refusals
    for command in (["why", "pick"], ["forget", "pick", "-n"]):
        assert "twice" in begun.gitmemo(*command, "flag=1", "flag=2", code=2).err


def test_forget_and_run_again(committed: Clone) -> None:
    forget(committed, "train", "rate=1")
    assert losses(committed) == [499000]
    status = committed.status()
    assert (status["calls"], status["pending"]) == (4, 0)
    assert committed.run() == (4, 1)
    assert committed.run() == (5, 0)
    assert sorted(losses(committed)) == [249500, 499000]
    committed.commit("Again", "--allow-empty")
    assert sum(line.startswith('["tombstone",') for line in committed.committed()) == 1
    assert committed.is_clean()
    assert committed.run() == (5, 0)
    assert committed.gitmemo("verify").code == 0


def test_a_tombstone_travels_and_an_undo_too(committed: Clone, clone_of: CloneOf) -> None:
    grave = forget(committed, "train", "rate=1", "-m", "wrong data")
    committed.commit("Forget", "--allow-empty")
    theirs = clone_of(committed, "theirs")
    assert losses(theirs) == [499000]
    assert "wrong data" in theirs.gitmemo("forget").out
    theirs.gitmemo("forget", "--undo", grave)
    assert len(losses(theirs)) == 2
    theirs.commit("Bring back", "--allow-empty")
    committed.git("pull", "-q", str(theirs.root), "main")
    assert len(losses(committed)) == 2
    assert committed.run() == (5, 0)
    assert "nothing is forgotten" in committed.gitmemo("forget").err
    assert "lists what is forgotten" in committed.gitmemo("forget", "--undo", grave, code=2).err


def test_calls_that_were_never_committed_can_be_forgotten(ran: Clone) -> None:
    grave = forget(ran, "train", "rate=2")
    ran.commit("Without it", "--allow-empty")
    assert ran.calls_in() == 4
    assert ran.journals() == [], "nothing is left that waits for a commit"
    assert losses(ran) == [249500]
    ran.gitmemo("forget", "--undo", grave)
    assert sorted(losses(ran)) == [249500, 499000]
    assert ran.run() == (5, 0)
    ran.commit("With it", "--allow-empty")
    assert ran.calls_in() == 5
    assert ran.is_clean()


def test_calls_of_the_running_block_can_be_forgotten(begun: Clone) -> None:
    """The other tool could not commit anything any more after that."""
    begun.write(
        "script.py",
        "from pipeline import load, storage\n"
        "with storage:\n"
        "    load(1)\n"
        "    assert load.is_cached(1) and load.forget(1) == 1 and not load.is_cached(1)\n"
        "    load(2)\n"
        "with storage:\n"
        "    load(3)\n"
        "    load(3)\n"
        "    assert load.is_cached(2) and not load.is_cached(1)\n",
    )
    begun.python("script.py")
    assert sorted(row["size"] for row in begun.rows("load")) == [2, 3]
    begun.commit("Go on")
    assert begun.calls_in() == 2


def test_a_world_forgets_for_itself(committed: Clone) -> None:
    committed.git("checkout", "-q", "-b", "other")
    forget(committed, "train", "rate=1")
    committed.commit("Forget here", "--allow-empty")
    assert losses(committed) == [499000]
    committed.git("checkout", "-q", "main")
    assert len(losses(committed)) == 2
    assert committed.run() == (5, 0)
    assert losses(committed, "--rev", "other") == [499000]
    assert len(losses(committed, "--rev", "main")) == 2
    committed.git("merge", "-q", "--no-edit", "other")
    assert losses(committed) == [499000]


def test_a_tombstone_anywhere_bars_adoption(committed: Clone) -> None:
    committed.git("checkout", "-q", "-b", "other")
    assert committed.run("3") == (1, 2)
    committed.commit("Three", "--allow-empty")
    forget(committed, "train", "rate=3")
    committed.commit("Not three", "--allow-empty")
    committed.git("checkout", "-q", "main")
    # `evaluate(3)` is adopted, `train(3)` is made again, and so it is what this world holds.
    assert committed.run("3") == (2, 1)
    assert committed.run("3") == (3, 0)
    assert 748500 in losses(committed)


@pytest.mark.parametrize("order", ["ours", "theirs"])
def test_both_sides_of_a_merge_count(committed: Clone, order: str) -> None:
    committed.git("checkout", "-q", "-b", "other")
    forget(committed, "train", "rate=1")
    committed.commit("One", "--allow-empty")
    committed.git("checkout", "-q", "main")
    forget(committed, "train", "rate=2")
    committed.commit("Two", "--allow-empty")
    first, second = ("main", "other") if order == "ours" else ("other", "main")
    committed.git("checkout", "-q", first)
    committed.git("merge", "-q", "--no-edit", second)
    assert losses(committed, "--all") == []
    assert committed.run() == (3, 2)


def test_older_code_is_forgotten_on_request(committed: Clone) -> None:
    committed.change("value * 2", "value * 3")
    assert committed.run() == (1, 4)
    assert len(losses(committed, "--all")) == 4
    forget(committed, "train", "rate=1")
    assert len(losses(committed, "--all")) == 3
    forget(committed, "train", "--all")
    assert losses(committed, "--all") == []
    assert committed.run() == (3, 2)
