"""Packs that are mostly dead: what lives in them moves, and nothing is lost, whoever does what meanwhile."""

from __future__ import annotations

import json
import os
import random
import time
from collections.abc import Callable
from contextlib import suppress
from dataclasses import replace
from pathlib import Path

import pytest
from cleaning.shelf import (
    Shelf,
    can_pull,
    holds,
    needs,
    send,
    shelf_with,
    swept,
)
from driver import Clone

from gitmemo.hashing.digest import Digest, digest
from gitmemo.remotes import Remote, RemoteConfig, repacking
from gitmemo.remotes.collecting import DAY_S, Remains, mark, remains, retire
from gitmemo.remotes.latest import read_latest
from gitmemo.remotes.layout import LATEST, index_name, pack_name
from gitmemo.remotes.marks import Mark

noise = random.Random(7).randbytes
LIVE = (noise(300), noise(400))
DEAD = (noise(2000), noise(900))
ALL = (LIVE[0], DEAD[0], LIVE[1], DEAD[1])
LIVES = needs(*LIVE)


@pytest.fixture(autouse=True)
def small(monkeypatch: pytest.MonkeyPatch) -> None:
    """Let a kilobyte be worth it."""
    monkeypatch.setattr(repacking, "WORTH_BYTES", 1000)


def look(remote: Remote) -> Remains:
    return remains(remote, LIVES, cache=None, jobs=1)


def retired(shelf: Shelf, remote: Remote) -> None:
    shelf.now_s += 1
    retire(remote, look(remote), shelf.now_s, cache=None, jobs=1)


def later(shelf: Shelf) -> None:
    shelf.now_s += 15 * DAY_S


def packs(shelf: Shelf) -> set[str]:
    return {name for name in shelf.objects if name.endswith(".pack")}


def shown(shelf: Shelf) -> set[str]:
    """What readers that cannot list are told of."""
    return {name for name in read_latest(shelf.objects[LATEST][0]) if "/" in name}


def test_what_lives_in_a_pack_that_is_mostly_dead_moves_and_the_pack_goes() -> None:
    shelf, remote = shelf_with(*ALL)
    (old,) = packs(shelf)
    found = look(remote)
    assert not found.dead
    (worn,) = found.worn
    assert (len(worn.moving), worn.dead_bytes) == (2, 2900)
    retired(shelf, remote)
    assert len(packs(shelf)) == 2 and can_pull(remote, *ALL)
    assert holds(remote, LIVE[0]) and not holds(remote, DEAD[0])
    again = look(remote)
    assert not again.worn and not again.unmarked and len(again.dead.packs) == 1
    assert not swept(remote, LIVES).dead
    later(shelf)
    assert len(swept(remote, LIVES).dead.packs) == 1
    assert old not in shelf.objects and len(packs(shelf)) == 1
    assert can_pull(remote, *LIVE) and not can_pull(remote, DEAD[0])
    assert shown(shelf) <= shelf.objects.keys()
    assert not look(remote).worn


@pytest.mark.parametrize("live", [ALL, ALL[:3], (*LIVE, DEAD[0]), ()])
def test_what_is_mostly_alive_or_all_dead_is_not_moved(live: tuple[bytes, ...]) -> None:
    _, remote = shelf_with(*ALL)
    assert not remains(remote, needs(*live), cache=None, jobs=1).worn


def test_what_lies_elsewhere_is_not_copied() -> None:
    shelf, remote = shelf_with(*LIVE)
    (other,) = packs(shelf)
    store = Shelf()
    send(replace(remote, transport=store), *ALL)
    shelf.objects |= store.objects
    retired(shelf, remote)
    later(shelf)
    swept(remote, LIVES)
    assert packs(shelf) == {other} and can_pull(remote, *LIVE)


def counted(body: Callable[[Shelf, Remote], object], *, marked: bool = False) -> range:
    shelf, remote = prepared(marked=marked)
    before = shelf.steps
    body(shelf, remote)
    return range(1, shelf.steps - before + 2)


def prepared(*, marked: bool) -> tuple[Shelf, Remote]:
    shelf, remote = shelf_with(*ALL)
    if marked:
        retired(shelf, remote)
        later(shelf)
    return shelf, remote


def sweep_it(_: Shelf, remote: Remote) -> None:
    swept(remote, LIVES)


class Killed(BaseException):
    """What is done ends here."""


def kill() -> None:
    raise Killed


@pytest.mark.parametrize(("body", "marked"), [(retired, False), (sweep_it, True)])
def test_killed_at_any_step_nothing_is_lost_and_the_next_one_completes_it(
    body: Callable[[Shelf, Remote], None], marked: bool
) -> None:
    for step in counted(body, marked=marked):
        shelf, remote = prepared(marked=marked)
        shelf.at, shelf.meanwhile = shelf.steps + step, kill
        with suppress(Killed):
            body(shelf, remote)
        shelf.meanwhile = None
        assert can_pull(remote, *LIVE), step
        retired(shelf, remote)
        later(shelf)
        swept(remote, LIVES)
        retired(shelf, remote)  # what was left half written
        later(shelf)
        swept(remote, LIVES)
        assert can_pull(remote, *LIVE) and len(packs(shelf)) == 1, step
        assert shown(shelf) <= shelf.objects.keys()


@pytest.mark.parametrize(("body", "marked"), [(retired, False), (sweep_it, True)])
def test_a_pull_at_any_step_gets_everything(
    body: Callable[[Shelf, Remote], None], marked: bool
) -> None:
    for step in counted(body, marked=marked):
        shelf, remote = prepared(marked=marked)
        got: list[bool] = []

        def reads(remote: Remote = remote, got: list[bool] = got) -> None:
            got.append(can_pull(remote, *LIVE))

        shelf.at, shelf.meanwhile = shelf.steps + step, reads
        body(shelf, remote)
        assert all(got) and can_pull(remote, *LIVE), step


def test_a_sweep_at_any_step_of_a_pull_takes_nothing_from_it() -> None:
    def reads(_: Shelf, remote: Remote) -> None:
        assert can_pull(remote, *LIVE)

    for step in counted(reads, marked=True):
        shelf, remote = prepared(marked=True)
        shelf.at = shelf.steps + step
        shelf.meanwhile = lambda s=shelf, r=remote: sweep_it(s, r)
        reads(shelf, remote)


@pytest.mark.parametrize("sent", [ALL, DEAD, (noise(10), *LIVE)])
def test_a_push_at_any_step_keeps_what_it_needs(sent: tuple[bytes, ...]) -> None:
    """It takes for present what was dead before; two weeks later its records are known."""
    needed = needs(*LIVE, *sent)
    for step in counted(retired):
        shelf, remote = prepared(marked=False)
        shelf.at, shelf.meanwhile = shelf.steps + step, lambda r=remote: send(r, *sent)
        retired(shelf, remote)
        later(shelf)
        swept(remote, needed)
        assert can_pull(remote, *LIVE, *sent), step
    for step in counted(sweep_it, marked=True):
        shelf, remote = prepared(marked=True)
        shelf.at, shelf.meanwhile = shelf.steps + step, lambda r=remote: send(r, *sent)
        sweep_it(shelf, remote)  # not knowing of it
        sweep_it(shelf, remote)
        assert can_pull(remote, *LIVE, *sent), step


def test_two_at_once_leave_one_place_for_everything() -> None:
    for step in counted(retired):
        shelf, remote = prepared(marked=False)
        shelf.at, shelf.meanwhile = shelf.steps + step, lambda s=shelf, r=remote: retired(s, r)
        retired(shelf, remote)
        assert can_pull(remote, *LIVE), step
        for _ in range(3):
            later(shelf)
            swept(remote, LIVES)
            retired(shelf, remote)
            assert can_pull(remote, *LIVE), step
            send(remote, *LIVE)
    for step in counted(sweep_it, marked=True):
        shelf, remote = prepared(marked=True)
        shelf.at, shelf.meanwhile = shelf.steps + step, lambda s=shelf, r=remote: sweep_it(s, r)
        sweep_it(shelf, remote)
        assert can_pull(remote, *LIVE), step


def test_of_two_places_that_are_both_marked_none_stands_for_the_other() -> None:
    shelf, remote = prepared(marked=False)
    retired(shelf, remote)
    (old, new) = (Digest(bytes.fromhex(name[9:73])) for name in sorted(packs(shelf)))
    mark(remote, Mark(frozenset({old, new})), shelf.now_s)
    later(shelf)
    assert not swept(remote, LIVES).dead
    send(remote, *LIVE)  # marked is as good as gone
    assert len(packs(shelf)) == 3
    assert len(swept(remote, LIVES).dead.packs) == 2
    assert can_pull(remote, *LIVE)


def test_a_copy_that_is_damaged_keeps_the_old_pack() -> None:
    shelf, remote = prepared(marked=False)
    (old,) = packs(shelf)
    retired(shelf, remote)
    (new,) = packs(shelf) - {old}
    data, then = shelf.objects[new]
    at = data.index(LIVE[0])
    shelf.objects[new] = (data[: at + 5] + b"?????" + data[at + 10 :], then)
    later(shelf)
    assert not swept(remote, LIVES).dead and can_pull(remote, *LIVE)


def test_a_copy_of_which_only_the_index_tells_keeps_the_old_pack() -> None:
    """Somebody says that the values lie in a pack where they do not."""
    shelf, remote = prepared(marked=False)
    (old,) = packs(shelf)
    index = shelf.objects[old.replace(".pack", ".idx")]
    other = digest(b"other")
    shelf.objects[pack_name(other)] = (noise(len(shelf.objects[old][0])), shelf.now_s)
    shelf.objects[index_name(other)] = index
    mark(remote, Mark(frozenset({Digest(bytes.fromhex(old[9:73]))})), shelf.now_s)
    later(shelf)
    assert not swept(remote, LIVES).dead and can_pull(remote, *LIVE)


def test_a_live_value_that_is_damaged_keeps_its_pack() -> None:
    shelf, remote = prepared(marked=False)
    (old,) = packs(shelf)
    data, then = shelf.objects[old]
    at = data.index(LIVE[0])
    shelf.objects[old] = (data[: at + 5] + b"?????" + data[at + 10 :], then)
    done = retire(remote, look(remote), shelf.now_s, cache=None, jobs=1)
    assert done[0] is None and not done[1].left and len(done[1].made) == 1


def test_readers_that_cannot_list_get_over_names_that_are_gone() -> None:
    """The list is older than the sweep, as somebody pushed at the same time."""
    shelf, remote = prepared(marked=True)
    swept(remote, LIVES)
    before = shelf_with(*ALL)[0].objects[LATEST]
    both = {name: len(data) for name, (data, _) in shelf.objects.items()}
    assert shown(shelf) <= both.keys()
    shelf.objects[LATEST] = before

    class Told(Shelf):
        def listing(self) -> dict[str, int | None]:
            return read_latest(self.objects[LATEST][0])

    stale = Remote(RemoteConfig("web", "memory://web"), Told(shelf.objects))
    assert not can_pull(stale, *LIVE)  # nothing it names is there, and it says just that
    send(remote, noise(10))
    assert can_pull(stale, *LIVE)


BIG = """\
import random

import gitmemo as gm

storage = gm.open()


@gm.op
def noise(size):
    return random.Random(7).randbytes(size)


with storage:
    noise(1_500_000)
"""


def test_a_branch_that_was_given_up_leaves_the_remote(ran: Clone, tmp_path: Path) -> None:
    lab = tmp_path / "lab"
    ran.gitmemo("remote", "add", "lab", str(lab))
    ran.commit("Results")
    ran.git("checkout", "-qb", "experiment")
    ran.write("big.py", BIG)
    ran.python("big.py")
    ran.git("add", "big.py")
    ran.commit("Noise")
    ran.gitmemo("push")
    ran.git("checkout", "-q", "main")
    ran.git("branch", "-qD", "experiment")
    theirs = Clone(tmp_path / "theirs", ran.home)
    theirs.process("git", "clone", "-q", str(ran.root), str(theirs.root), cwd=tmp_path)
    (old,) = lab.rglob("*.pack")
    said = theirs.gitmemo("remote", "gc").out
    assert "1 pack mostly dead (1.5 MB): what lives there would move (4.8 kB)" in said
    assert list(lab.rglob("*.pack")) == [old]
    done = theirs.gitmemo("remote", "gc", "--yes", "--ignore-others", "--json")
    found = json.loads(done.out)
    assert found["moving"] == 3 and len(found["made"]) == 1 and found["mark"]
    then = time.time() - 15 * DAY_S
    for path in lab.rglob("*"):
        os.utime(path, (then, then))
    assert "1 pack and 0 single values (1.5 MB)" in theirs.gitmemo("remote", "gc", "--sweep").out
    theirs.gitmemo("remote", "gc", "--sweep", "--yes", "--ignore-others")
    assert len(list(lab.rglob("*.pack"))) == 1 and not old.exists()
    theirs.gitmemo("init")
    assert "fetched 3 values" in theirs.gitmemo("pull").out
