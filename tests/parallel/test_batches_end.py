"""What once kept a batch from ending: waiting for oneself, for what nobody begins, for what was cancelled."""

from __future__ import annotations

import gc
import subprocess
import sys
import threading
import time
import weakref
from collections import defaultdict
from collections.abc import Callable, Iterator
from contextlib import suppress
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import joblib
import pytest
from parallel.batch_executor import ByHand, Given

import gitmemo as gm
from gitmemo.errors import BatchEntered, CallNotMade, WorkersLost
from gitmemo.memo.parallel import dask, runners
from gitmemo.memo.parallel.course import Course
from gitmemo.memo.parallel.executors import Lost
from gitmemo.memo.parallel.outcomes import Outcome
from gitmemo.memo.parallel.planned import Planned

_LIMIT_S = 60


@pytest.fixture
def storage() -> Iterator[gm.Storage]:
    made = gm.Storage()
    yield made
    made.close()


_NAMES_ITSELF = """
import faulthandler, sys
faulthandler.dump_traceback_later(50, exit=True)

import joblib
import gitmemo as gm

found = []


@gm.op
def f(x):
    return x * RATE


for how in ("plain", "sequential", "threading"):
    storage = gm.Storage(deps_path="__main__", on_change="breaking")
    found.clear()
    for RATE in (1, 2):
        with joblib.parallel_config("sequential" if how == "plain" else how):
            with storage if how == "plain" else storage.batch(n_jobs=2):
                a = f(1)
                found.append(a)
    versions = {call.version for call in storage.world.calls(storage._code)}
    units = {c.unit for v in versions for c in storage.world.version(v).pairs}
    print(how, storage.unwrap(found), sorted(units))
"""


def test_a_call_does_not_wait_for_what_stands_for_it_in_the_script(tmp_path: Path) -> None:
    script = tmp_path / "program.py"
    script.write_text(_NAMES_ITSELF)
    made = subprocess.run(
        [sys.executable, "-W", "ignore", script],
        capture_output=True,
        text=True,
        timeout=_LIMIT_S,
    )
    said = [line.split(maxsplit=1) for line in made.stdout.splitlines()]
    assert [how for how, _ in said] == ["plain", "sequential", "threading"], made.stderr
    assert {rest for _, rest in said} == {"[1, 2] ['$RATE', 'f']"}


def ends(program: Callable[[], Any]) -> Any:
    """Run a program in a thread; return what it returns, if it ends."""
    returned: list[Any] = []
    thread = threading.Thread(target=lambda: returned.append(program()), daemon=True)
    thread.start()
    thread.join(_LIMIT_S)
    assert returned, "it did not end"
    return returned[0]


gates: defaultdict[str, threading.Event] = defaultdict(threading.Event)


@gm.op
def inc(x: int) -> int:
    return x + 1


@gm.op
def behind(name: str, x: int) -> int:
    assert gates[name].wait(_LIMIT_S)
    return x


@gm.op(resources={"GPU": 1})
def on_gpu(name: str, x: int) -> int:
    assert gates[name].wait(_LIMIT_S)
    return x


@gm.op
def total(values: list[int]) -> int:
    return sum(values)


def test_calls_that_were_held_back_when_they_became_wanted_begin(
    storage: gm.Storage, monkeypatch: pytest.MonkeyPatch
) -> None:
    want = Course.want

    def want_then_open(course: Course, call: Planned) -> None:
        want(course, call)
        gates["held"].set()

    monkeypatch.setattr(Course, "want", want_then_open)

    def program() -> list[int]:
        with joblib.parallel_config("threading"), storage.batch(n_jobs=2):
            refs = [on_gpu("held", x) for x in range(70)]
            wanted = total(refs[:60])
            assert wanted.unwrap() == sum(range(60))
        return [ref.unwrap() for ref in refs]

    assert ends(program) == list(range(70))


@gm.op
def stops(x: int) -> int:
    raise SystemExit(x)


@pytest.fixture
def by_hand(monkeypatch: pytest.MonkeyPatch) -> ByHand:
    """What runs calls in this test: nothing ends by itself."""
    made = ByHand()
    monkeypatch.setattr(runners, "executor", lambda _: made)
    return made


def test_what_needs_a_call_that_was_stopped_is_not_waited_for(storage: gm.Storage) -> None:
    def program() -> list[Any]:
        with storage.batch():
            stopped, other = stops(1), inc(5)
            after = inc(inc(stopped))
            with pytest.raises(SystemExit):
                stopped.unwrap()
        assert other.unwrap() == 6
        return [stopped, after]

    for ref in ends(program):
        with pytest.raises(CallNotMade):
            ref.unwrap()


def test_a_call_whose_equal_was_cancelled_is_made_itself(
    storage: gm.Storage, by_hand: ByHand
) -> None:
    by_hand.most = 1

    def program() -> Any:
        with storage.batch():
            first = inc(behind("open", 1))
            with suppress(KeyError), storage.batch():
                inc(2)
                second = inc(1)  # it comes first, as the input of the other is not there
                _end_all(by_hand, 1)
                while not by_hand.given:  # until notice was taken
                    time.sleep(0.001)
                raise KeyError
            threading.Thread(target=_end_all, args=(by_hand, 1)).start()
        with pytest.raises(CallNotMade):
            second.unwrap()
        return first.unwrap()

    gates["open"].set()
    assert ends(program) == 2


def _end_all(by_hand: ByHand, count: int) -> None:
    """End so many calls, as they are submitted."""
    for _ in range(count):
        while not by_hand.given:
            time.sleep(0.001)
        by_hand.end(by_hand.given[0])


def test_a_call_that_somebody_else_cancels_ends_the_batch(
    storage: gm.Storage, by_hand: ByHand
) -> None:
    def program() -> list[Any]:
        with pytest.raises(WorkersLost, match="cancelled"), storage.batch():
            refs = [inc(1), inc(inc(1)), inc(1), inc(7)]
            by_hand.cancel(by_hand.given[0])
        return refs

    for ref in ends(program):
        with pytest.raises(WorkersLost):
            ref.unwrap()


def test_when_a_block_is_left_nothing_runs_whatever_ended_it(
    storage: gm.Storage, by_hand: ByHand
) -> None:
    made: list[int] = []

    def end_late(begun: Given) -> None:
        while begun not in by_hand.asked:
            time.sleep(0.001)
        time.sleep(0.02)  # the block would be left
        made.append(1)
        by_hand.end(begun)

    def program() -> bool:
        with suppress(SystemExit), storage.batch():
            inc(1), stops(1)
            begun, stopping = by_hand.given
            by_hand.begun.append(begun)
            threading.Thread(target=end_late, args=(begun,)).start()
            by_hand.end(stopping)
        return bool(made)

    assert ends(program)
    with storage:
        assert inc(1).unwrap() == 2
    assert storage.counter.reused == 1


def test_an_interrupt_while_a_call_is_sent_cancels_it(
    storage: gm.Storage, by_hand: ByHand, monkeypatch: pytest.MonkeyPatch
) -> None:
    submit, sent = by_hand.submit, list[Any]()

    def interrupted(*args: Any) -> Given:
        sent.append(args)
        if len(sent) == 1:
            raise KeyboardInterrupt
        return submit(*args)

    monkeypatch.setattr(by_hand, "submit", interrupted)

    def program() -> int:
        with storage.batch() as batch:
            with suppress(KeyboardInterrupt):
                inc(1)
            assert batch.unfinished == 0
            again = inc(1)
            by_hand.end(by_hand.given[0])
        return int(again.unwrap())

    assert ends(program) == 2


_INTERRUPTED = """
import faulthandler, os, signal, sys
faulthandler.dump_traceback_later(50, exit=True)

import joblib
import gitmemo as gm
from gitmemo.memo.parallel import executors


@gm.op
def f(x):
    return x


submit = executors.Loky.submit


def interrupted(*args):
    executors.Loky.submit = submit
    os.kill(os.getpid(), signal.SIGINT)
    return submit(*args)


if __name__ == "__main__":
    storage = gm.Storage("calls.db")
    executors.Loky.submit = interrupted
    try:
        with joblib.parallel_config("loky"), storage.batch(n_jobs=2):
            for x in range(20):
                f(x)
    except KeyboardInterrupt:
        print("interrupted")
"""


def test_ctrl_c_ends_a_batch_of_processes(tmp_path: Path) -> None:
    (tmp_path / "program.py").write_text(_INTERRUPTED)
    made = subprocess.run(
        [sys.executable, "program.py"],
        cwd=tmp_path,
        capture_output=True,
        text=True,
        timeout=_LIMIT_S,
    )
    assert made.stdout.split() == ["interrupted"], made.stderr


def test_a_result_that_does_not_arrive_holds_up_nobody(
    storage: gm.Storage, by_hand: ByHand
) -> None:
    def never() -> Outcome:
        assert gates["never"].wait(_LIMIT_S)
        raise Lost("too late")

    def program() -> bool:
        with pytest.raises(WorkersLost, match="unplugged"), storage.batch():
            inc(1)
            by_hand.given.pop().done(never)
            inc(2)
            by_hand.reason = "unplugged"
        return True

    try:
        assert ends(program)
    finally:
        gates["never"].set()


def test_a_thread_that_comes_too_late_makes_its_call_at_once(
    storage: gm.Storage, monkeypatch: pytest.MonkeyPatch
) -> None:
    looked_up, made = threading.Event(), list[Any]()
    look_up = storage._caller._look_up

    def slow(*args: Any) -> Any:
        found = look_up(*args)
        if threading.current_thread().name == "late":
            looked_up.set()
            assert gates["left"].wait(_LIMIT_S)
        return found

    monkeypatch.setattr(storage._caller, "_look_up", slow)
    with joblib.parallel_config("threading"), storage.batch(n_jobs=2):
        inc(1)
        late = threading.Thread(
            target=gm.carried(lambda: made.append(inc(2))), name="late", daemon=True
        )
        late.start()
        assert looked_up.wait(_LIMIT_S)
    gates["left"].set()
    late.join(_LIMIT_S)
    assert ends(made[0].unwrap) == 3


def test_a_batch_says_what_it_is_and_is_entered_once_at_a_time(storage: gm.Storage) -> None:
    batch = storage.batch()
    assert repr(batch) == "Batch(0 calls unfinished)"
    with batch:
        first = inc(1)
        with pytest.raises(BatchEntered), batch:
            pass
        second = inc(first)
    with batch:  # again, after its end
        third = inc(second)
    assert [first.unwrap(), second.unwrap(), third.unwrap()] == [2, 3, 4]


def test_a_batch_that_ended_keeps_no_arguments(storage: gm.Storage) -> None:
    class Values(list[int]):
        """Can be referred to weakly."""

    values = Values([1, 2])
    batch = storage.batch()
    with batch:
        summed = total(values)
    kept = weakref.ref(values)
    del values
    gc.collect()
    assert kept() is None
    assert (summed.unwrap(), batch.unfinished) == (3, 0)


class Client:
    """What a client of Dask says of itself."""

    status = "running"


def test_a_scheduler_may_be_away_for_a_while(monkeypatch: pytest.MonkeyPatch) -> None:
    client, now = Client(), [100.0]
    monkeypatch.setattr(dask, "time", SimpleNamespace(monotonic=lambda: now[0]))
    answers = dask.Answers(client)
    for status, after_s, is_lost in (
        ("running", 0, False),
        ("connecting", 50, False),
        ("connecting", 9, False),
        ("running", 5, False),
        ("connecting", 5, False),
        ("connecting", 11, True),
        ("running", 0, False),
        ("closed", 0, True),
    ):
        client.status = status
        now[0] += after_s
        assert (status in answers.lost()) == is_lost
