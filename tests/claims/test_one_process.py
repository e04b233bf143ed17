"""Threads, tasks, forked children and several storages of one process, and places without locks."""

from __future__ import annotations

import asyncio
import contextvars
import errno
import fcntl
import os
import threading
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from driver import make_clone
from hypothesis import given
from hypothesis import strategies as st

import gitmemo as gm
from gitmemo.config import read_settings
from gitmemo.errors import BadSetting, NewCallRefused
from gitmemo.hashing.digest import Digest, digest
from gitmemo.memo.waiting import ClaimsOff
from gitmemo.setting_values import Claiming
from gitmemo.world.claim_file import is_circle
from gitmemo.world.claims import Claim, Claims

RUNS: list[int] = []
GO = threading.Event()
BEGUN = threading.Event()


@gm.op(name="claims.slow", untracked=["RUNS", "GO", "BEGUN"])
def slow(x):
    RUNS.append(x)
    BEGUN.set()
    assert GO.wait(20)
    return x + 1


@gm.op(name="claims.first")
def first(x):
    RUNS.append(x)
    return x + 1


@gm.op(name="claims.task")
async def task(x):
    RUNS.append(x)
    await asyncio.sleep(0.02)
    return x + 1


@pytest.fixture(autouse=True)
def forgotten() -> None:
    RUNS.clear()
    GO.clear()
    BEGUN.clear()


@pytest.fixture(params=["memory", "file"])
def storage(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[gm.Storage]:
    storage = gm.Storage(None if request.param == "memory" else tmp_path / "s.db")
    yield storage
    storage.close()


def started(act: Callable[[], object]) -> threading.Thread:
    """Run `act` in a thread, within the blocks that are open here."""
    thread = threading.Thread(target=contextvars.copy_context().run, args=(act,))
    thread.start()
    return thread


def test_threads_compute_a_call_once(storage: gm.Storage) -> None:
    with storage:
        threads = [started(lambda: slow(1)) for _ in range(12)]
        assert BEGUN.wait(20)
        GO.set()
        for thread in threads:
            thread.join()
    assert RUNS == [1]
    assert (storage.counter.computed, storage.counter.reused) == (1, 11)


def test_tasks_compute_a_call_once(storage: gm.Storage) -> None:
    async def main() -> list[object]:
        return await asyncio.gather(*(task(number % 3) for number in range(12)))

    with storage:
        found = asyncio.run(main())
        assert [storage.unwrap(ref) for ref in found] == [1, 2, 3] * 4
    assert sorted(RUNS) == [0, 1, 2]


def test_a_task_that_is_cancelled_while_it_waits_takes_nothing_with_it(storage: gm.Storage) -> None:
    async def main() -> object:
        one = asyncio.create_task(task(1))
        two = asyncio.create_task(task(1))
        await asyncio.sleep(0.005)
        two.cancel()
        three = asyncio.create_task(task(1))
        with pytest.raises(asyncio.CancelledError):
            await two
        return await asyncio.gather(one, three)

    with storage:
        asyncio.run(main())
    assert RUNS == [1]


def test_what_changes_while_it_is_waited_for_is_another_call(storage: gm.Storage) -> None:
    @gm.op(name="claims.total")
    async def total(values):
        RUNS.append(sum(values))
        while not GO.is_set():
            await asyncio.sleep(0)
        return sum(values)

    async def main() -> list[object]:
        mine = [1, 2]
        one = asyncio.create_task(total([1, 2]))
        while not RUNS:
            await asyncio.sleep(0)
        two = asyncio.create_task(total(mine))
        for _ in range(20):  # until it waits
            await asyncio.sleep(0)
        mine.append(3)
        GO.set()
        return [storage.unwrap(ref) for ref in await asyncio.gather(one, two)]

    with storage:
        assert asyncio.run(main()) == [3, 6]
    assert RUNS == [3, 6]


def test_two_storages_over_one_file_share_claims(tmp_path: Path) -> None:
    one, two = gm.Storage(tmp_path / "s.db"), gm.Storage(tmp_path / "s.db")

    def call(storage: gm.Storage) -> None:
        with storage:
            slow(1)

    threads = [threading.Thread(target=call, args=(storage,)) for storage in (one, two)]
    threads[0].start()
    assert BEGUN.wait(20)
    threads[1].start()
    GO.set()
    for thread in threads:
        thread.join()
    assert RUNS == [1]
    one.close(), two.close()


def test_a_storage_that_is_closed_takes_no_claims_from_another(tmp_path: Path) -> None:
    path = tmp_path / "s.db"
    one, two = gm.Storage(path), gm.Storage(path)
    with two:
        first(0)
    with one:
        thread = started(lambda: slow(1))
        assert BEGUN.wait(20)
        two.close()
        del two
        for _ in range(3):  # each may close what nobody uses
            other = gm.Storage(tmp_path / "other.db")
            with other:
                first(0)
            other.close()
            del other
        child = os.fork()
        if child == 0:  # record locks are another process's here
            with Path(f"{path}-claims").open("rb+") as file:
                try:
                    fcntl.lockf(file, fcntl.LOCK_EX | fcntl.LOCK_NB, 0, 1 << 20)
                except OSError:
                    os._exit(7)
            os._exit(0)
        assert os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]) == 7
        GO.set()
        thread.join()
    one.close()


def test_a_child_that_is_forked_in_a_call_goes_on_and_holds_nothing(storage: gm.Storage) -> None:
    @gm.op(name="claims.forks")
    def forks(x):
        child = os.fork()
        if child == 0:
            code = 1
            try:
                # The very call that encloses it here, and one that nobody computes.
                code = 0 if x == 0 or (first(5) == 6 and again(x) == 3) else 2
            finally:
                os._exit(code)
        return os.waitstatus_to_exitcode(os.waitpid(child, 0)[1])

    @gm.op(name="claims.again")
    def again(x):
        return 3

    with storage:
        assert storage.unwrap(forks(1)) == 0
        assert storage.unwrap(forks(2)) == 0
        assert storage.unwrap(again(1)) == 3


def test_a_child_waits_for_its_parent_and_takes_over_from_nobody(tmp_path: Path) -> None:
    storage = gm.Storage(tmp_path / "s.db")
    with storage:
        thread = started(lambda: slow(1))
        assert BEGUN.wait(20)
        child = os.fork()
        if child == 0:
            code = 1
            try:
                found = storage.unwrap(slow(1))
                code = 0 if found == 2 and RUNS == [1] else 2
            finally:
                os._exit(code)
        time.sleep(0.05)
        assert os.waitpid(child, os.WNOHANG) == (0, 0)
        GO.set()
        thread.join()
        assert os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]) == 0
    storage.close()


def test_a_call_that_makes_itself_does_not_wait_for_itself(storage: gm.Storage) -> None:
    @gm.op(name="claims.itself", untracked=["RUNS"])
    def itself(x):
        RUNS.append(x)
        return 0 if len(RUNS) > 2 else itself(x)

    with storage:
        assert storage.unwrap(itself(1)) == 0
    assert RUNS == [1, 1, 1]


def test_a_call_that_is_refused_is_so_at_once(storage: gm.Storage) -> None:
    with storage:
        thread = started(lambda: slow(1))
        assert BEGUN.wait(20)
        with storage.allow_new_calls(False), pytest.raises(NewCallRefused):
            slow(1)
        GO.set()
        thread.join()


def test_where_there_are_no_locks_one_warning_says_so(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def refused(*_: object) -> None:
        raise OSError(errno.ENOLCK, os.strerror(errno.ENOLCK))

    monkeypatch.setattr(fcntl, "lockf", refused)
    storage = gm.Storage(tmp_path / "s.db")
    with storage, pytest.warns(ClaimsOff, match="No locks available") as told:
        assert [storage.unwrap(first(x)) for x in (1, 2, 3, 1)] == [2, 3, 4, 2]
        threads = [started(lambda: slow(1)) for _ in range(3)]  # threads need no file
        assert BEGUN.wait(20)
        GO.set()
        for thread in threads:
            thread.join()
    assert len(told) == 1
    assert told[0].filename == __file__
    assert RUNS == [1, 2, 3, 1]
    storage.close()


def test_the_policy_is_a_setting_a_variable_and_an_argument(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    clone = make_clone(tmp_path / "p", tmp_path)
    clone.gitmemo("init")
    config = clone.root / ".gitmemo/config.toml"
    before = config.read_text()
    config.write_text(f'{before}\n[run]\nclaims = "off"\n')
    storage = gm.open(clone.root)
    assert storage.world.claims.is_on is False
    assert gm.open(clone.root, claims=True) is storage
    assert storage.world.claims.is_on is True
    with pytest.raises(BadSetting, match=r"run\.claims"):
        gm.open(clone.root, claims="perhaps")
    storage.close()
    own = clone.root / ".git/gitmemo/config.toml"
    own.write_text("run.claims = true\n")  # what a clone says wins, and the environment over it
    assert read_settings(clone.root, clone.root / ".git").claims is Claiming.ON
    monkeypatch.setenv("GITMEMO_CLAIMS", "off")
    assert read_settings(clone.root, clone.root / ".git").claims is Claiming.OFF
    assert gm.Storage().world.claims.is_on is False
    monkeypatch.setenv("GITMEMO_CLAIMS", "2")
    with pytest.raises(BadSetting, match="GITMEMO_CLAIMS"):
        gm.Storage()


def test_no_file_is_made_where_nothing_is_computed(tmp_path: Path) -> None:
    storage = gm.Storage(tmp_path / "s.db")
    with storage:
        assert not (tmp_path / "s.db-claims").exists()
        first(1)
        assert (tmp_path / "s.db-claims").exists()
    storage.close()


KEYS = [Digest(digest(bytes([number]))) for number in range(4)]
STEPS = st.lists(
    st.tuples(
        st.sampled_from(["notice", "take", "record", "leave"]),
        st.integers(0, 2),
        st.integers(0, len(KEYS) - 1),
    ),
    max_size=40,
)


@given(steps=STEPS, is_file=st.booleans())
def test_claims_follow_a_model(
    tmp_path_factory: pytest.TempPathFactory, steps: list[tuple[str, int, int]], is_file: bool
) -> None:
    path = tmp_path_factory.mktemp("model") / "claims" if is_file else None
    shared = Claims(None)
    holders = [Claims(path) if is_file else shared for _ in range(3)]
    held: dict[int, tuple[int, Claim]] = {}
    recorded: dict[int, int] = {}  # key: how often
    known = [dict[int, int]() for _ in holders]
    # Who has never taken notice beside a file is told by no mark of what was recorded before.
    is_there, attending = False, set[int]()
    for act, who, key in steps:
        if act == "notice":
            with holders[who].noticing():
                known[who] = dict(recorded)
            if is_there:
                attending.add(who)
        elif act == "take":
            is_there = True
            claim = holders[who].claim(KEYS[key])
            is_free = contextvars.Context().run(claim.take)
            assert is_free == (key not in held)
            if not is_free:
                claim.__exit__(None, None, None)
                continue
            is_unknown = recorded.get(key, 0) != known[who].get(key, 0)
            may_be_new = is_unknown or who not in attending
            assert holders[who].has_news(claim) == (is_file and may_be_new)
            held[key] = (who, claim)
        elif key in held and (act == "record" or act == "leave"):
            owner, claim = held.pop(key)
            claim.is_used = act == "record"
            claim._token = None  # the context that it was taken in is gone
            claim.__exit__(None, None, None)
            if claim.is_used:
                before = recorded.get(key, 0)
                recorded[key] = before + 1
                if known[owner].get(key, 0) == before:
                    known[owner][key] = before + 1
    for _, claim in held.values():
        claim._token = None
        claim.__exit__(None, None, None)


GRAPHS = st.lists(
    st.tuples(st.integers(0, 6), st.lists(st.integers(0, 6), max_size=3).map(tuple)), max_size=8
)


@given(wanted=st.integers(0, 6), held=st.sets(st.integers(0, 6), max_size=3), others=GRAPHS)
def test_circles_are_those_of_a_walk_over_all_paths(
    wanted: int, held: set[int], others: list[tuple[int, tuple[int, ...]]]
) -> None:
    paths = {(wanted,)}
    for _ in range(8):
        paths |= {
            (*path, further)
            for path in paths
            for further, computing in others
            if path[-1] in computing and further not in path
        }
    expected = any(path[-1] in held for path in paths)
    assert is_circle((wanted, tuple(held)), others) == expected
