"""`gitmemo gc` for values: what is garbage, what is not, and what may be evicted when asked."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest
from driver import Clone, identify
from stored import PUT, blobs, make_old, store

from gitmemo.cleaning.remote import plain_address

Put = Callable[..., list[str]]


def gc(clone: Clone, *arguments: str, code: int = 0) -> dict[str, int]:
    """Run `gitmemo gc` and return its summary."""
    lines = clone.gitmemo("gc", "--json", *arguments, code=code).out.splitlines()
    summary: dict[str, int] = json.loads(lines[-1])
    return summary


def test_garbage_goes_when_it_is_old_and_only_when_told(ran: Clone, put: Put) -> None:
    named = blobs(ran)
    unnamed = set(put(ran, 9, 30_000))  # one in a pack, one in a file
    assert len(named) == 3 and len(unnamed) == 2

    found = gc(ran)
    assert (found["values"], found["young"]) == (0, 2)
    make_old(ran)
    assert gc(ran)["values"] == 2
    assert "say --yes" in ran.gitmemo("gc").err
    assert blobs(ran) == named | unnamed
    assert gc(ran, "--yes")["removed"] is True
    assert blobs(ran) == named
    assert ran.run() == (5, 0)
    # What is left of a pack is found by its new name.
    ran.change("+ rate", "+ 2 * rate", name="pipeline.py")
    assert ran.run("1", "2")[1] == 2


def test_a_value_is_kept_wherever_a_record_names_it(ran: Clone, put: Put, tmp_path: Path) -> None:
    """In a journal, a commit, a stash, a reflog, a tag, another work tree and its index."""
    base = blobs(ran)
    ran.git("checkout", "-qb", "stashed")
    ran.run("3")
    stashed = blobs(ran) - base
    ran.gitmemo("commit")
    ran.git("reset", "-q", "--soft", "HEAD~1")
    ran.git("stash", "-q")

    ran.git("checkout", "-q", "-b", "dropped")
    ran.run("4")
    dropped = blobs(ran) - base - stashed
    ran.gitmemo("commit")
    ran.git("checkout", "-q", "main")
    ran.git("branch", "-qD", "dropped", "stashed")  # the reflog of HEAD has them

    other = Clone(tmp_path / "other", ran.home)
    ran.git("worktree", "add", "-q", "-b", "other", str(other.root))
    other.run("5")
    elsewhere = blobs(ran) - base - stashed - dropped
    assert stashed and dropped and elsewhere
    put(ran, 11)
    make_old(ran)

    assert gc(ran, "--yes", "--grace", "0")["values"] == 1
    assert blobs(ran) == base | stashed | dropped | elsewhere
    for where in (ran, other):  # the same from every work tree
        assert gc(where, "--grace", "0")["values"] == 0

    # Git let go of everything: the journals have the calls still.
    ran.git("stash", "drop", "-q")
    ran.git("reflog", "expire", "--expire=now", "--all")
    ran.git("gc", "-q", "--prune=now")
    make_old(ran)
    assert gc(ran, "--grace", "0")["values"] == 0


def test_what_a_colleague_withdrew_becomes_garbage(ran: Clone, tmp_path: Path) -> None:
    ran.gitmemo("remote", "add", "lab", str(tmp_path / "lab"))
    ran.commit("With results")
    ran.git("checkout", "-qb", "experiment")
    ran.run("6")
    ran.gitmemo("commit")
    ran.gitmemo("push")
    theirs = Clone(tmp_path / "theirs", ran.home)
    theirs.process("git", "clone", "-q", str(ran.root), str(theirs.root), cwd=tmp_path)
    identify(theirs)
    theirs.gitmemo("init")
    theirs.gitmemo("pull")
    with_experiment = blobs(theirs)
    theirs.git("checkout", "-q", "-B", "main", "origin/main")
    make_old(theirs)
    assert gc(theirs)["values"] == 0

    ran.git("checkout", "-q", "main")
    ran.git("branch", "-qD", "experiment")
    theirs.git("branch", "-qD", "experiment")
    theirs.git("fetch", "-q", "--prune", code=None)
    theirs.git("update-ref", "-d", "FETCH_HEAD")
    theirs.git("update-ref", "-d", "ORIG_HEAD")
    assert gc(theirs)["values"] == 0  # reflogs
    theirs.git("reflog", "expire", "--expire=now", "--all")
    assert gc(theirs, "--yes")["values"] == 1
    assert len(with_experiment - blobs(theirs)) == 1
    assert theirs.gitmemo("verify").code == 0


def test_a_segment_that_cannot_be_read_stops_it(ran: Clone, put: Put) -> None:
    put(ran, 9)
    make_old(ran)
    ran.git("checkout", "-qb", "broken")
    ran.write(f".gitmemo/index/1/2020-01/{'b' * 64}.jsonl", "who knows what this named")
    ran.git("add", "-A")
    ran.git("commit", "-qm", "Break it", "--no-verify")
    ran.git("checkout", "-q", "main")
    before = blobs(ran)
    done = ran.gitmemo("gc", "--yes", code=4)
    assert "bbbb" in done.err and "nothing was removed" in done.err
    assert blobs(ran) == before


def test_what_a_running_program_has_stored_is_not_taken_from_it(ran: Clone, put: Put) -> None:
    """It has no record yet, and a grace of nothing does not help the one who removes."""
    (old,) = put(ran, 9)
    make_old(ran)
    hold = PUT + "sys.stdin.read()\n"
    with subprocess.Popen(
        [sys.executable, "-c", hold, str(store(ran)), "9", "10", "30000"],
        env=ran.env(),
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
    ) as program:
        assert program.stdout is not None and program.stdin is not None
        held = {program.stdout.readline().strip() for _ in range(3)}
        assert old in held  # it was there: not written again, but made young
        (unneeded,) = put(ran, 12)
        found = gc(ran, "--yes", "--grace", "0")
        assert found["in_use"] is True
        assert held <= blobs(ran)
        program.stdin.close()
        assert program.wait() == 0
    gc(ran, "--yes", "--grace", "0")
    assert not {*held, unneeded} & blobs(ran)


READ = """
import sys
from pathlib import Path
from gitmemo.blobs import RepositoryBlobs
store = RepositoryBlobs(Path(sys.argv[1]))
blob = bytes.fromhex(sys.argv[2])
assert store.find(blob).size
print("read", flush=True)
sys.stdin.readline()
found = store.find(blob)
print(found.size if found else None, store.missing([blob]) == set(), flush=True)
"""


def test_a_program_that_has_looked_at_a_pack_finds_what_was_kept_of_it(ran: Clone) -> None:
    kept = sorted(blobs(ran))
    (pack,) = (store(ran) / "self/packs").iterdir()
    make_old(ran)
    with subprocess.Popen(
        [sys.executable, "-c", READ, str(store(ran)), kept[0]],
        env=ran.env(),
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
    ) as program:
        assert program.stdout is not None and program.stdin is not None
        assert program.stdout.readline() == "read\n"
        # Evicting one value of the pack copies the others, while the program has their places.
        found = gc(ran, "--yes", "--max-size", "4500")
        assert found["values"] >= 1 and found["left_in_use"] == 0
        assert not pack.exists()
        left = blobs(ran)
        program.stdin.write("go on\n")
        program.stdin.flush()
        said = program.stdout.readline().split()
        assert (said[0] != "None") is (kept[0] in left)


EVICTING = """
import gitmemo as gm
storage = gm.open()

@gm.op
def noise(data):
    return [value * 7 for value in data]

@gm.op
def bigger(data):
    return data + data

@gm.op
def total(data, more):
    return sum(data) + more

with storage:
    made = bigger(noise(list(range(300))))
    print(storage.unwrap(total(made, MORE)))
"""


def test_what_was_evicted_is_computed_again_when_a_program_needs_it(ran: Clone) -> None:
    program = ran.write("more.py", EVICTING.replace("MORE", "1"))
    before = blobs(ran)
    first = ran.gitmemo("run", "more.py")
    assert first.counted == (0, 3)
    raw_and_made = blobs(ran) - before
    assert len(raw_and_made) == 3
    found = gc(ran, "--op", "bigger", "--yes")
    assert found["values"] == 1
    found = gc(ran, "--op", "noise", "--older-than", "1")
    assert found["values"] == 0
    found = gc(ran, "--max-size", "0", "--yes", code=1)
    assert found["over_budget_bytes"] > 0
    (raw,) = blobs(ran)  # what came from outside stays: nothing can make it again
    assert raw in raw_and_made

    again = ran.gitmemo("run", "more.py")
    assert again.counted == (3, 0) and again.out == first.out
    program.write_text(EVICTING.replace("MORE", "2"))
    changed = ran.gitmemo("run", "more.py")
    assert int(changed.out) == int(first.out) + 1
    assert changed.counted[0] == 2  # found; made again for what needs their bytes
    assert ran.gitmemo("verify").code == 0


def test_a_budget_takes_what_is_cheap_and_shared_first(ran: Clone, tmp_path: Path) -> None:
    ran.gitmemo("remote", "add", "lab", str(tmp_path / "lab"))
    ran.write("more.py", EVICTING.replace("MORE", "1"))
    ran.gitmemo("run", "more.py")
    ran.commit("Results")
    ran.gitmemo("push")
    every = blobs(ran)
    lines = ran.gitmemo("gc", "--json", "--max-size", "0", code=1).out.splitlines()
    rows = [json.loads(line) for line in lines[:-1]]
    assert {row["why"] for row in rows} == {"on-remote"}
    assert len(rows) == len(every) - 1  # the input goes only if that is said
    assert gc(ran, "--max-size", "0", "--on-remote", "--yes")["values"] == len(every)
    assert blobs(ran) == set()
    ran.gitmemo("pull")
    assert blobs(ran) == every
    assert ran.gitmemo("gc", "--max-size", "lots", code=2).err


def test_forgotten_values_go_when_asked_for(ran: Clone) -> None:
    ran.gitmemo("forget", "train", "rate=2", "--yes")
    assert gc(ran, "--forgotten")["values"] == 0  # `evaluate` used it too
    ran.gitmemo("forget", "evaluate", "rate=2", "--yes")
    assert gc(ran)["values"] == 0
    assert gc(ran, "--forgotten")["values"] == 1


def test_what_was_dropped_before_any_commit_can_be_brought_back(ran: Clone) -> None:
    ran.write("more.py", EVICTING.replace("MORE", "1"))
    first = ran.gitmemo("run", "more.py")
    dropped = ran.gitmemo("drop", "op:noise", "--yes", "--json")
    ran.commit("Without it")
    make_old(ran)
    for path in (store(ran).parent / "journal").glob("**/*"):
        os.utime(path, (0, 0))
    for _ in range(2):  # journals first, then what no record names
        gc(ran, "--yes")
    (store(ran).parent / "index.db").unlink()
    ran.gitmemo("drop", "--undo", json.loads(dropped.out)["undo"])
    again = ran.gitmemo("run", "more.py")
    assert again.counted == (3, 0) and again.out == first.out


def test_results_whose_code_is_not_here_are_not_evicted(ran: Clone) -> None:
    ran.write("more.py", EVICTING.replace("MORE", "1"))
    ran.gitmemo("run", "more.py")
    older = blobs(ran)
    ran.change("value * 7", "value * 8", name="more.py")
    ran.gitmemo("run", "more.py")
    newer = blobs(ran) - older
    assert len(newer) == 2
    gc(ran, "--max-size", "0", "--yes", code=1)
    left = blobs(ran)
    assert not newer & left
    assert len(older & left) >= 3  # the input, and what the older code made of it


@pytest.mark.parametrize(
    ("one", "other", "are_same"),
    [
        ("https://me:secret@example.org/lab/p.git", "git@example.org:lab/p", True),
        ("ssh://git@example.org:22/lab/p/", "git@example.org:lab/p", True),
        ("ssh://git@example.org:2222/lab/p", "git@example.org:lab/p", False),
        ("ann@example.org:p.git", "bob@example.org:p.git", False),
        ("ann@example.org:p", "ssh://ann@example.org/p", False),
        ("../p.git", "file:///srv/p", True),
        ("../p.git", "../q.git", False),
    ],
)
def test_no_two_repositories_are_taken_for_one(one: str, other: str, are_same: bool) -> None:
    found = {plain_address(url, Path("/srv/project"), "lynx") for url in (one, other)}
    assert (len(found) == 1) is are_same


def test_one_relative_address_in_two_places_means_two_repositories() -> None:
    roots = (Path("/srv/a/project"), Path("/srv/b/project"))
    assert len({plain_address("../p.git", root, "lynx") for root in roots}) == 2
