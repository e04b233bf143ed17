"""Deleting from a remote while others push: mark, wait, sweep, in every order of their steps."""

from __future__ import annotations

import json
import os
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from cleaning.shelf import (
    NOTHING,
    Shelf,
    can_pull,
    holds,
    marked,
    needs,
    only_sweep,
    send,
    shelf_with,
    swept,
)
from driver import Clone, copy_of, identify

from gitmemo.errors import MarkDamaged, RemoteInvalid
from gitmemo.hashing.digest import digest
from gitmemo.remotes import Remote, plan
from gitmemo.remotes.collecting import DAY_S, mark, plan_sweep, remains
from gitmemo.remotes.marks import Mark, mark_name, marks_in, read_mark, write_mark

VALUES = (b"one", b"two", b"large " * 400)
NEW = b"three"


@pytest.fixture(autouse=True)
def small_singles(monkeypatch: pytest.MonkeyPatch) -> None:
    """Let what is larger than a kilobyte be an object of its own."""
    monkeypatch.setattr(plan, "SINGLE_FROM", 1000)


def test_what_is_dead_is_marked_then_absent_for_pushes_then_deleted() -> None:
    shelf, remote = shelf_with(*VALUES)
    send(remote, NEW)
    found = remains(remote, needs(b"two"), cache=None, jobs=1)
    assert (len(found.dead.packs), len(found.dead.singles)) == (1, 1)  # the new one; the large one
    shelf.now_s += 1
    mark(remote, found.dead, shelf.now_s)
    assert not holds(remote, NEW) and holds(remote, b"one") and not holds(remote, VALUES[2])
    assert can_pull(remote, *VALUES, NEW)
    assert not remains(remote, needs(b"two"), cache=None, jobs=1).unmarked

    shelf.now_s += 13 * DAY_S
    early = swept(remote, needs(b"two"))
    assert not early.dead and len(early.waiting) == 1
    shelf.now_s += 2 * DAY_S
    late = swept(remote, needs(b"two"))
    assert late.dead == found.dead and late.size_bytes > 2000
    assert can_pull(remote, b"one", b"two")
    assert not can_pull(remote, NEW) and not can_pull(remote, VALUES[2])
    names = "".join(shelf.objects)
    assert "probe" not in names and names.count(".mark") == 1
    shelf.now_s += 20 * DAY_S
    assert len(swept(remote).void) == 1
    assert not marks_in(shelf.objects)


def test_what_is_needed_again_stays() -> None:
    shelf, remote = marked(*VALUES)
    found = swept(remote, needs(b"one", VALUES[2]))
    assert not found.dead and found.alive == 2
    assert can_pull(remote, *VALUES)
    assert not found.expired
    shelf.now_s += 14 * DAY_S  # the mark is too old now
    late = swept(remote)
    assert not late.dead and late.expired == 1
    assert can_pull(remote, *VALUES)


def steps_of(make: Callable[[], tuple[Shelf, Remote]], body: Callable[[Remote], object]) -> int:
    shelf, remote = make()
    before = shelf.steps
    body(remote)
    return shelf.steps - before


@pytest.mark.parametrize("again", [VALUES, (b"one",), (b"one", b"two"), (*VALUES, NEW)])
def test_a_push_in_any_moment_of_a_sweep_loses_nothing(again: tuple[bytes, ...]) -> None:
    for step in range(1, steps_of(lambda: marked(*VALUES), swept) + 2):
        shelf, remote = marked(*VALUES)
        shelf.at, shelf.meanwhile = shelf.steps + step, lambda r=remote: send(r, *again)
        swept(remote)
        assert can_pull(remote, *again), step
        swept(remote)  # again, still not knowing
        assert can_pull(remote, *again), step


def test_a_sweep_in_any_moment_of_a_push_loses_nothing() -> None:
    every = (*VALUES, NEW)
    for step in range(1, steps_of(lambda: marked(*VALUES), lambda r: send(r, *every)) + 2):
        shelf, remote = marked(*VALUES)
        shelf.at, shelf.meanwhile = shelf.steps + step, lambda r=remote: only_sweep(r)
        send(remote, *every)
        assert can_pull(remote, *every), step
        send(remote, *every)
        assert can_pull(remote, *every), step


def test_two_sweeps_at_once_keep_what_either_push_needs() -> None:
    def both(remote: Remote) -> None:
        swept(remote)
        send(remote, b"one", VALUES[2])

    for step in range(1, steps_of(lambda: marked(*VALUES), swept) + 2):
        shelf, remote = marked(*VALUES)
        shelf.at, shelf.meanwhile = shelf.steps + step, lambda r=remote: both(r)
        swept(remote)
        assert can_pull(remote, b"one", VALUES[2]), step


def test_a_mark_in_any_moment_of_a_push_gives_its_records_time() -> None:
    """The push took the old pack for present; its records are known 14 days later."""
    for step in range(
        1, steps_of(lambda: shelf_with(*VALUES), lambda r: send(r, *VALUES, NEW)) + 2
    ):
        shelf, remote = shelf_with(*VALUES)

        def mark_all(shelf: Shelf = shelf, remote: Remote = remote) -> None:
            shelf.now_s += 1
            mark(remote, remains(remote, NOTHING, cache=None, jobs=1).dead, shelf.now_s)

        shelf.at, shelf.meanwhile = shelf.steps + step, mark_all
        send(remote, *VALUES, NEW)
        shelf.now_s += 15 * DAY_S
        swept(remote, needs(*VALUES, NEW))
        assert can_pull(remote, *VALUES, NEW), step


def test_a_pack_without_an_index_is_dead_and_one_with_a_damaged_index_is_not() -> None:
    shelf, remote = shelf_with(b"one")
    send(remote, b"two")
    (first, second) = [name for name in shelf.objects if name.endswith(".idx")]
    del shelf.objects[first]
    shelf.objects[second] = (b"rubbish", shelf.now_s)
    dead = remains(remote, NOTHING, cache=None, jobs=1).dead
    assert [pack.hex() in first for pack in dead.packs] == [True]


def test_a_damaged_mark_stops_pushes_and_deletes_nothing() -> None:
    shelf, remote = marked(*VALUES)
    (name,) = [name for name in shelf.objects if name.endswith(".mark")]
    data, then = shelf.objects[name]
    shelf.objects[name] = (data.replace(b'"packs"', b'"pucks"'), then)
    with pytest.raises(MarkDamaged):
        send(remote, b"one")
    assert can_pull(remote, *VALUES)
    assert not swept(remote).dead


def test_without_a_clock_nobody_can_wait() -> None:
    shelf, remote = marked(*VALUES)
    shelf.has_clock = False
    with pytest.raises(RemoteInvalid):
        plan_sweep(remote, NOTHING, cache=None, jobs=1)
    assert can_pull(remote, *VALUES)


def test_marks_are_read_as_they_were_written() -> None:
    wanted = Mark(frozenset({digest(b"a")}), frozenset({digest(b"b"), digest(b"c")}))
    data = write_mark(wanted, 5.0)
    assert read_mark(digest(data), data) == wanted
    assert marks_in([mark_name(digest(data)), "gc/00/x.mark", "gc/" + "0" * 64]) == [digest(data)]
    for bad in (b"", b"[]", b"{}", b'{"format":1,"packs":3,"singles":[]}', b"[" * 100_000):
        with pytest.raises(ValueError):
            read_mark(digest(bad), bad)


def test_two_clones_and_a_remote(ran: Clone, tmp_path: Path) -> None:
    lab = tmp_path / "lab"
    ran.gitmemo("remote", "add", "lab", str(lab))
    ran.commit("Results")
    ran.git("clone", "-q", "--bare", ".", str(tmp_path / "hub.git"))
    ran.git("remote", "add", "origin", str(tmp_path / "hub.git"))
    ran.git("push", "-q", "origin", "main")
    ran.gitmemo("push")
    ran.git("checkout", "-qb", "experiment")
    ran.run("6")
    ran.gitmemo("commit")
    ran.gitmemo("push")
    theirs = Clone(tmp_path / "theirs", ran.home)
    theirs.process("git", "clone", "-q", str(tmp_path / "hub.git"), str(theirs.root), cwd=tmp_path)
    identify(theirs)

    def gc(*arguments: str, code: int = 0) -> dict[str, Any]:
        done = theirs.gitmemo("remote", "gc", "--json", *arguments, code=code)
        found: dict[str, Any] = json.loads(done.out.splitlines()[-1])
        return found

    # The experiment was never pushed to git, so nobody there can know that it is needed.
    found = gc()
    assert found["packs"] == 2 and len(found["dead"]) == 1
    assert len(found["users"]) == 1 and not list(lab.rglob("*.mark"))
    ran.git("push", "-q", "origin", "experiment")
    assert gc()["dead"] == []
    ran.git("push", "-q", "origin", ":experiment")
    assert gc("--yes")["mark"]
    assert gc("--sweep", "--yes")["dead"] == []
    then = time.time() - 15 * DAY_S
    for path in lab.rglob("*"):
        if path.is_file():
            os.utime(path, (then, then))
    assert len(gc("--sweep")["dead"]) == 1 and len(list(lab.rglob("*.pack"))) == 2
    other = copy_of(ran, tmp_path / "other project")
    other.git("remote", "set-url", "origin", "https://me:secret@example.org/other.git")
    (other.root / ".git/gitmemo/remotes").rename(other.root / "elsewhere")
    other.gitmemo("push", code=None)
    done = theirs.gitmemo("remote", "gc", "--sweep", "--yes", code=3)
    assert "example.org/other" in done.err and "secret" not in done.err
    assert len(list(lab.rglob("*.pack"))) == 3  # pushed again, as the marked one is as good as gone
    gc("--sweep", "--yes", "--ignore-others")
    assert len(list(lab.rglob("*.pack"))) == 2
    theirs.gitmemo("init")
    theirs.gitmemo("pull")
    assert theirs.gitmemo("verify").code == 0


def test_refs_that_stand_in_the_way_of_newer_ones_stop_nothing(ran: Clone, tmp_path: Path) -> None:
    """Branch `a` became `a/b`, and a tag was moved: the user's own refs stay as they are."""
    ran.gitmemo("remote", "add", "lab", str(tmp_path / "lab"))
    ran.commit("Results")
    ran.git("clone", "-q", "--bare", ".", str(tmp_path / "hub.git"))
    ran.git("remote", "add", "origin", str(tmp_path / "hub.git"))
    ran.git("push", "-q", "origin", "HEAD:a", "HEAD:refs/tags/t")
    ran.gitmemo("push")
    theirs = Clone(tmp_path / "theirs", ran.home)
    theirs.process("git", "clone", "-q", str(tmp_path / "hub.git"), str(theirs.root), cwd=tmp_path)
    identify(theirs)
    theirs.git("config", "fetch.prune", "true")
    theirs.git("config", "fetch.pruneTags", "true")
    theirs.git("tag", "mine")
    ran.run("6")
    ran.gitmemo("commit")
    ran.gitmemo("push")
    ran.git("push", "-q", "origin", ":a", "+HEAD:refs/tags/t")
    ran.git("push", "-q", "origin", "HEAD:a/b")
    before = theirs.git("for-each-ref", "refs/heads", "refs/tags", "refs/remotes")
    done = theirs.gitmemo("remote", "gc", "--yes", "--json")
    assert json.loads(done.out)["dead"] == []  # what is needed at `a/b` was fetched
    assert theirs.git("for-each-ref", "refs/heads", "refs/tags", "refs/remotes") == before
    ran.git("push", "-q", "origin", ":a/b", ":refs/tags/t")
    assert len(json.loads(theirs.gitmemo("remote", "gc", "--json").out)["dead"]) == 1
    theirs.git("remote", "rename", "origin", "hub")
    theirs.gitmemo("remote", "gc")
    assert theirs.git("for-each-ref", "refs/gitmemo-fetched") == ""


def test_a_repository_under_its_former_name_can_be_forgotten(ran: Clone, tmp_path: Path) -> None:
    """It pushed before it had a git remote: that name stands in the way of cleaning for ever."""
    lab = tmp_path / "lab"
    ran.gitmemo("remote", "add", "lab", str(lab))
    ran.commit("Results")
    ran.gitmemo("push")
    ran.git("clone", "-q", "--bare", ".", str(tmp_path / "hub.git"))
    ran.git("remote", "add", "origin", str(tmp_path / "hub.git"))
    ran.gitmemo("push")
    (old,) = (w for w in users(ran) if "no git remote" in w)
    said = ran.gitmemo("remote", "gc").out
    assert "something live lies in each of 1 pack and 0 single values" in said
    done = ran.gitmemo("remote", "gc", "lab", "--yes", code=3)
    assert f"--forget '{old}'" in done.err
    assert old in ran.gitmemo("remote", "gc", "--forget", "another", "--yes", code=2).err

    assert "would forget" in ran.gitmemo("remote", "gc", "--forget", old).err
    assert old in users(ran)
    done = ran.gitmemo("remote", "gc", "--forget", old, "--yes")
    assert "warning" not in done.err
    assert len(users(ran)) == 1 and old not in users(ran)
    ran.gitmemo("push")
    assert old not in users(ran)
    ran.gitmemo("remote", "gc", "--sweep", "--yes")

    mark = lab / "gc/ab" / f"ab{'0' * 62}.mark"
    mark.parent.mkdir(exist_ok=True)
    mark.write_bytes(b"")
    os.utime(mark, (0, 0))
    assert "1 mark is older than 28 days" in ran.gitmemo("remote", "gc", "--sweep").out


def users(clone: Clone) -> list[str]:
    found: list[str] = json.loads(clone.gitmemo("remote", "gc", "--json").out)["users"]
    return found


def test_what_was_fetched_for_cleaning_is_in_no_ref_afterwards(ran: Clone, tmp_path: Path) -> None:
    """`git push --mirror` would publish it. What another process relies on in this moment stays."""
    ran.gitmemo("remote", "add", "lab", str(tmp_path / "lab"))
    ran.commit("Results")
    ran.git("clone", "-q", "--bare", ".", str(tmp_path / "hub.git"))
    ran.git("remote", "add", "origin", str(tmp_path / "hub.git"))
    now_s = int(time.time())
    old, new = f"{now_s - 3 * 86_400}-ab", f"{now_s - 60}-cd"
    for name in ("origin/heads/main", f"{old}/origin/heads/main", f"{new}/origin/heads/main"):
        ran.git("update-ref", f"refs/gitmemo-fetched/{name}", "HEAD")
    (tmp_path / "lab").write_text("no directory")  # the command fails after the fetch
    ran.gitmemo("remote", "gc", "--yes", code=None)
    kept = ran.git("for-each-ref", "--format=%(refname)", "refs/gitmemo-fetched")
    assert kept.split() == [f"refs/gitmemo-fetched/{new}/origin/heads/main"]
