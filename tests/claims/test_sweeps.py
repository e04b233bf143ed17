"""Programs that go through the same calls at once: each computes what the others do not."""

from __future__ import annotations

import signal
import threading
import time
from collections import Counter
from pathlib import Path

import joblib
import pytest
from claims.programs import Nursery, Programs, done, is_waiting, programs

import gitmemo as gm
from gitmemo.memo.waiting import StillWaiting
from gitmemo.world import claims

SIGKILLED = -signal.SIGKILL


WAYS = {
    "map": "storage.unwrap(storage.map({op}, {inputs})), storage.counter",
    "threads": "storage.unwrap(storage.map({op}, {inputs}, n_jobs=2)), storage.counter",
    "batch": "storage.unwrap(batched(storage, {op}, {inputs})), storage.counter",
    "batch threads": "storage.unwrap(batched(storage, {op}, {inputs}, 2)), storage.counter",
    "wanted": "storage.unwrap(batched(storage, {op}, {inputs}, 1, True)), storage.counter",
    "wanted threads": "storage.unwrap(batched(storage, {op}, {inputs}, 2, True)), storage.counter",
}


def sweep(way: str, *inputs: int, op: str = "slow") -> str:
    """Return an expression that makes calls; each program forks, so processes are left out."""
    made = WAYS[way].format(op=op, inputs=list(inputs))
    return f"joblib.parallel_config('threading').__enter__() and ({made})"


@pytest.mark.parametrize("way", WAYS)
def test_who_finds_a_call_taken_goes_on_with_others(ran: Programs, way: str) -> None:
    base = 1000 + 10 * list(WAYS).index(way)
    ran.allow(f"go{base + 1}")
    ran.allow(f"go{base + 2}")
    one = ran.start(sweep("map", base, base + 1))
    ran.expect(f"slow{base}")
    two = ran.start(sweep(way, base, base + 1, base + 2))
    ran.expect(f"slow{base + 1}")
    ran.expect(f"slow{base + 2}")
    ran.allow(f"go{base}")
    results = [10 * base, 10 * base + 10]
    assert f"({results}, Counter(reused=1, computed=1))" in done(one)[0]
    assert f"({[*results, 10 * base + 20]}, Counter(reused=1, computed=2))" in done(two)[0]
    counts = Counter(ran.told())
    assert [counts[f"slow{base + each}"] for each in range(3)] == [1, 1, 1]


@pytest.mark.parametrize("way", ["map", "batch", "batch threads"])
def test_what_is_left_is_taken_over(ran: Programs, way: str) -> None:
    base = 1100 + 10 * list(WAYS).index(way)
    ran.allow(f"fail{base + 1}")
    one = ran.start(f"slow({base})")
    other = ran.start(f"slow({base + 1})")
    ran.expect(f"slow{base}")
    ran.expect(f"slow{base + 1}")
    two = ran.start(sweep(way, base, base + 1))
    ran.expect("open", 3)
    is_waiting(two, ran)
    ran.allow(f"go{base + 1}")
    assert "ValueError" in done(other, 1)[1]
    ran.expect(f"slow{base + 1}", 2)
    one.send(signal.SIGKILL)
    ran.expect(f"slow{base}", 2)
    ran.allow(f"go{base}")
    assert "computed=2" in done(two)[0]
    done(one, SIGKILLED)


@pytest.mark.parametrize("way", ["map", "batch", "wanted threads"])
def test_ctrl_c_ends_the_waiting(ran: Programs, way: str) -> None:
    base = 1200 + 10 * list(WAYS).index(way)
    one = ran.start(f"slow({base}), storage.counter")
    ran.expect(f"slow{base}")
    two = ran.start(sweep(way, base))
    ran.expect("open", 2)
    is_waiting(two, ran)
    two.send(signal.SIGINT)
    assert "KeyboardInterrupt" in done(two, None)[1]
    ran.allow(f"go{base}")
    assert "computed=1" in done(one)[0]


def test_asynchronous_calls_are_put_off_too(ran: Programs) -> None:
    ran.allow("go1301")
    one = ran.start("asyncio.run(slow_async(1300))")
    ran.expect("async1300")
    two = ran.start(sweep("map", 1300, 1301, op="slow_async"))
    ran.expect("async1301")
    ran.allow("go1300")
    done(one)
    assert "reused=1, computed=1" in done(two)[0]


def test_calls_inside_of_others_are_waited_for(ran: Programs) -> None:
    ran.allow("go1311")
    one = ran.start("slow(1310)")
    ran.expect("slow1310")
    two = ran.start(sweep("map", 1310, 1311, op="outer"))
    ran.expect("outer1310")
    ran.allow("go1310")
    done(one)
    assert "computed=3" in done(two)[0]
    assert ran.told().count("slow1310") == 1


@pytest.mark.parametrize("way", ["map", "threads", "batch", "batch threads"])
def test_many_programs_share_a_sweep(ran: Programs, way: str) -> None:
    base = 2000 + 100 * list(WAYS).index(way)
    calls = range(base, base + 40)
    running = [ran.start(sweep(way, *calls, op="quick")) for _ in range(3)]
    said = [done(each)[0] for each in running]
    assert Counter(ran.told()) & Counter(f"quick{x}" for x in calls for _ in range(2)) == Counter(
        f"quick{x}" for x in calls
    )
    computed = [int(each.rpartition("computed=")[2].rstrip(")")) for each in said]
    assert sum(computed) == len(calls)


_begun, _gate = threading.Event(), threading.Event()
_ran: list[int] = []


@gm.op
def step(x: int) -> int:
    _ran.append(x)
    if x == 0:
        _begun.set()
        assert _gate.wait(10)
    return x


def test_threads_share_a_sweep_as_processes_do(tmp_path: Path) -> None:
    storage = gm.Storage(tmp_path / "s.db")
    found: list[int] = []

    def other() -> None:
        with storage:
            found.extend(storage.unwrap(storage.map(step, range(3))))

    thread = threading.Thread(target=other)
    with storage, joblib.parallel_config("threading"):
        made = storage.map(step, [0, 1, 2], as_completed=True)
        thread.start()
        assert _begun.wait(10)
        assert [next(made)[0], next(made)[0]] == [1, 2]
        # The other thread has the first call.
        _gate.set()
        assert [position for position, _ in made] == [0]
    thread.join()
    assert found == [0, 1, 2]
    assert sorted(_ran) == [0, 1, 2]
    storage.close()


_entered = threading.Event()


@gm.op
def around(x: int) -> int:
    _entered.set()
    return step(x) + 1


def test_who_claims_for_workers_waits_for_nothing_that_needs_him_to_go_on(tmp_path: Path) -> None:
    storage = gm.Storage(tmp_path / "s.db")
    with storage:
        shared = storage.world.claims
        held = [
            shared.claim(storage._caller.prepare(step, (x,), {}).key, taker=threading.get_ident())
            for x in (7, 8)
        ]
        assert all(claim.hold() for claim in held)
        assert storage.unwrap(step(7)) == 7  # this thread alone could let go of it
        thread = threading.Thread(target=gm.carried(around), args=(8,))
        thread.start()
        assert _entered.wait(10)
        # The other thread waits for what this one holds, and has what this one wants.
        assert storage.unwrap(around(8)) == 9
        for claim in held:
            shared.let_go(claim)
        thread.join(10)
        assert not thread.is_alive()
    storage.close()


@pytest.mark.parametrize("way", ["map", "batch"])
def test_who_waits_long_for_what_is_left_is_told_for_whom(
    nursery: Nursery, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, way: str
) -> None:
    with programs(nursery, tmp_path / "log", tmp_path / "s.db") as ran:
        one = ran.start("slow(1400)")
        ran.expect("slow1400")
        monkeypatch.setattr(claims, "PATIENCE_S", 0.0)
        storage = gm.Storage(tmp_path / "s.db")

        @gm.op(name="ops:slow")
        def slow(x: int) -> int:
            raise AssertionError

        with pytest.warns(StillWaiting) as told, storage:

            def allow_once_told() -> None:
                while not told.list:
                    time.sleep(0.01)
                ran.allow("go1400")

            threading.Thread(target=allow_once_told, daemon=True).start()
            if way == "map":
                (found,) = storage.map(slow, [1400])
            else:
                with storage.batch(n_jobs=1):
                    found = slow(1400)
        assert storage.unwrap(found) == 14000
        assert len(told) == 1
        assert f"ops:slow is being computed by process {one.pid}" in str(told[0].message)
        assert told[0].filename == __file__
        storage.close()
