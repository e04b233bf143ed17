"""Removing values from a store: killed at any moment, and beside those who write."""

from __future__ import annotations

import fcntl
import os
import random
import signal
import sys
import time
from collections.abc import Callable
from pathlib import Path

import pytest
from stored import Encoded

from gitmemo.blobs import RepositoryBlobs, leases
from gitmemo.blobs.holding import copies, packs
from gitmemo.blobs.sweeping import Swept, sweep
from gitmemo.errors import CollectingAlready
from gitmemo.hashing.digest import Digest, digest

KILLS = int(os.environ.get("GITMEMO_TEST_KILLS", "5"))
LONG_AGO = time.time() - 1_000_000


def fill(folder: Path, packs: int, values: int) -> list[Digest]:
    """Store values in packs and a file each, all written long ago; return their ids."""
    found: list[Digest] = []
    for pack in range(packs):
        store = RepositoryBlobs(folder)
        for number in range(values):
            size = 70_000 if number == 0 else 40
            found.append(store.put(Encoded(f"{pack} {number} ".encode() * (size // 4))))
        store.close()
    for path in folder.rglob("*"):
        if path.is_file() and path.name not in ("in-use", "verified.jsonl"):
            os.utime(path, (LONG_AGO, LONG_AGO))
    return found


def there(folder: Path) -> set[Digest]:
    return {copy.blob for copy in copies(folder)}


def test_killed_at_any_moment_it_loses_nothing(tmp_path: Path) -> None:
    seed = random.randrange(1 << 30)
    chance = random.Random(seed)
    for turn in range(KILLS):
        folder = tmp_path / str(turn)
        every = fill(folder, 6, 12)
        doomed = set(chance.sample(every, len(every) // 2))
        child = os.fork()
        if child == 0:
            sweep(folder, doomed, LONG_AGO + 1)
            os._exit(0)
        time.sleep(chance.random() * 0.03)
        os.kill(child, signal.SIGKILL)
        os.waitpid(child, 0)
        reader = RepositoryBlobs(folder)
        for blob in set(every) - doomed:
            found = reader.find(blob)
            assert found is not None and digest(found.read()) == blob, (seed, turn)
        sweep(folder, doomed, LONG_AGO + 1)
        assert there(folder) == set(every) - doomed, (seed, turn)
        assert not list(folder.rglob(".tmp-*")), (seed, turn)


def test_what_is_needed_in_the_meantime_stays(tmp_path: Path) -> None:
    every = fill(tmp_path, 2, 3)
    store = RepositoryBlobs(tmp_path)
    store.put(Encoded(b"0 0 " * (70_000 // 4)))  # there already, in a file
    store.put(Encoded(b"0 1 " * 10))  # there already, in a pack
    done = sweep(tmp_path, every, LONG_AGO + 1)
    assert done.in_use == 2
    assert there(tmp_path) == set(every[:3])  # the pack stays whole


def test_a_pack_that_somebody_appends_to_is_left_alone(tmp_path: Path) -> None:
    store = RepositoryBlobs(tmp_path)
    blob = store.put(Encoded(b"one"))
    for pack in packs(tmp_path / "self"):
        os.utime(pack.path, (LONG_AGO, LONG_AGO))
    assert sweep(tmp_path, {blob}, LONG_AGO + 1).in_use == 1
    other = store.put(Encoded(b"two"))
    assert there(tmp_path) == {blob, other}


def test_a_damaged_pack_is_left_alone(tmp_path: Path) -> None:
    every = fill(tmp_path, 1, 4)
    (pack,) = packs(tmp_path / "self")
    data = bytearray(pack.path.read_bytes())
    data[-3] ^= 1
    pack.path.write_bytes(data)
    os.utime(pack.path, (LONG_AGO, LONG_AGO))
    done = sweep(tmp_path, {every[1]}, LONG_AGO + 1)
    assert (done.copies, done.damaged) == (0, 1)
    assert there(tmp_path) == set(every)


def test_a_store_that_is_used_forgets_what_is_gone(tmp_path: Path) -> None:
    every = fill(tmp_path, 2, 4)
    store = RepositoryBlobs(tmp_path)
    assert store.missing(every) == set()
    assert store.find(every[1]) is not None
    sweep(tmp_path, {every[1], every[2]}, LONG_AGO + 1)
    assert store.find(every[1]) is None
    assert store.missing(every) == {every[1], every[2]}
    store.put(Encoded(b"0 1 " * 10))
    assert store.missing(every) == {every[2]}
    assert all(store.find(blob) for blob in every[3:])


@pytest.fixture
def child() -> Callable[[Callable[[], None]], None]:
    """Run a function in a process of its own, to its end."""

    def run(body: Callable[[], None]) -> None:
        pid = os.fork()
        if pid == 0:
            try:
                body()
            finally:
                os._exit(0 if sys.exc_info()[0] is None else 1)
        assert os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1]) == 0

    return run


def test_who_uses_a_store_is_known_until_the_process_ends(
    tmp_path: Path, child: Callable[[Callable[[], None]], None]
) -> None:
    assert leases.in_use_since(tmp_path) is None

    def one() -> None:
        leases.use(tmp_path)

    child(one)
    assert leases.in_use_since(tmp_path) is None
    began = time.time() - 2.1  # the clock of files may lag by some milliseconds

    def both() -> None:
        leases.use(tmp_path)
        (since,) = {leases.in_use_since(tmp_path)}
        assert since is not None and since >= began

    child(both)


def test_two_do_not_remove_at_once(
    tmp_path: Path, child: Callable[[Callable[[], None]], None]
) -> None:
    def second() -> None:
        with pytest.raises(CollectingAlready), leases.collecting(tmp_path):
            pass

    with leases.collecting(tmp_path):
        child(second)
    assert sweep(tmp_path, set(), time.time()) == Swept()


def test_who_removes_may_look_into_the_store(tmp_path: Path) -> None:
    (blob,) = fill(tmp_path / "filled", 1, 1)
    (tmp_path / "filled").rename(tmp_path / "store")  # used under another name, in this process
    with leases.alone(tmp_path / "store"):
        assert RepositoryBlobs(tmp_path / "store").find(blob)


def test_beginnings_of_large_values_go_when_nobody_goes_on_with_them(tmp_path):
    fill(tmp_path, 1, 2)
    place = tmp_path / "remote" / "lab" / "large" / "ab"
    place.mkdir(parents=True)
    names = [f".part-{'ab' * 32}.raw", f".tmp-12-{'0f' * 8}"]
    others = [".part-thesis", ".tmp-old", f".part-{'ab' * 32}", "thesis"]
    for name in (*names, *others):
        (place / name).write_bytes(b"begin")
    before = there(tmp_path)
    assert sweep(tmp_path, set(), time.time()).freed_bytes == 0
    for path in place.iterdir():
        os.utime(path, (LONG_AGO, LONG_AGO))
    held = (place / names[0]).open("rb")
    fcntl.flock(held, fcntl.LOCK_EX)
    assert sweep(tmp_path, set(), time.time()).freed_bytes == 5
    held.close()
    assert sweep(tmp_path, set(), time.time()).freed_bytes == 5
    assert sorted(path.name for path in place.iterdir()) == sorted(others)
    assert there(tmp_path) == before


def test_who_is_interrupted_while_beginning_to_use_a_store_locks_nobody_out(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, child: Callable[[Callable[[], None]], None]
) -> None:
    def body() -> None:
        def interrupted(_file: int) -> None:
            raise KeyboardInterrupt

        with monkeypatch.context() as patch, pytest.raises(KeyboardInterrupt):
            patch.setattr(os, "utime", interrupted)
            leases.use(tmp_path)
        assert leases.in_use_since(tmp_path) is None, "a lock that stayed would be waited for"

    child(body)
