"""Programs that make the same calls at once: one computes, the others wait and take what it stored."""

from __future__ import annotations

import random
import signal
from collections import Counter
from pathlib import Path

import pytest
from claims.programs import Nursery, Programs, done, is_waiting, programs

SIGKILLED = -signal.SIGKILL


def test_one_computes_and_the_other_takes_what_it_stored(ran: Programs) -> None:
    one = ran.start("slow(100), storage.counter")
    ran.expect("slow100")
    two = ran.start("slow(100), slow(100), storage.counter")
    ran.expect("open", 2)
    is_waiting(two, ran)
    ran.allow("go100")
    assert "computed=1" in done(one)[0]
    assert "reused=2, computed=0" in done(two)[0]
    assert ran.told().count("slow100") == 1


def test_the_other_takes_over_when_the_first_is_killed(ran: Programs) -> None:
    one = ran.start("slow(110)")
    ran.expect("slow110")
    two = ran.start("slow(110), storage.counter")
    ran.expect("open", 2)
    is_waiting(two, ran)
    one.send(signal.SIGKILL)
    ran.expect("slow110", 2)
    ran.allow("go110")
    assert "computed=1" in done(two)[0]
    assert done(one, SIGKILLED)[0] == ""


def test_the_other_computes_what_the_first_could_not(ran: Programs) -> None:
    ran.allow("fail120")
    one = ran.start("slow(120)")
    ran.expect("slow120")
    two = ran.start("slow(120), storage.counter")
    ran.expect("open", 2)
    is_waiting(two, ran)
    ran.allow("go120")
    assert "ValueError" in done(one, 1)[1]
    assert "computed=1" in done(two)[0]
    assert ran.told().count("slow120") == 2


def test_other_inputs_do_not_wait(ran: Programs) -> None:
    ran.allow("go131")
    one = ran.start("slow(130)")
    ran.expect("slow130")
    assert "computed=1" in done(ran.start("slow(131), storage.counter"))[0]
    ran.allow("go130")
    done(one)


def test_what_another_program_finished_meanwhile_is_found_without_waiting(ran: Programs) -> None:
    ran.allow("go141")
    one = ran.start("slow(140), slow(141), storage.counter")
    ran.expect("slow140")
    assert "computed=1" in done(ran.start("slow(141), storage.counter"))[0]
    ran.allow("go140")
    assert "reused=1, computed=1" in done(one)[0]


def test_who_takes_notice_in_a_block_stays_where_the_block_began(ran: Programs) -> None:
    if not ran.is_repository:
        return
    ran.allow("go211")
    show = "storage.world.place.branch"
    one = ran.start(f"slow(210), {show}, slow(211), {show}, slow(211), storage.counter")
    ran.expect("slow210")
    assert "computed=1" in done(ran.start("slow(211), storage.counter"))[0]
    ran.clone.git("checkout", "-q", "-b", "elsewhere")
    try:
        ran.allow("go210")
        said = done(one)[0]
        assert said.count("'main'") == 2
        assert "reused=2, computed=1" in said
    finally:
        ran.clone.git("checkout", "-q", "main")


def test_what_was_forgotten_meanwhile_is_not_reused(ran: Programs) -> None:
    ran.allow("go221")
    ran.allow("go222")
    one = ran.start("slow(221), slow(220), slow(222), slow(221), storage.counter")
    ran.expect("slow220")
    # The second program also computes: the first takes notice of the journals only then.
    done(ran.start("slow.forget(221), slow(222)"))
    ran.allow("go220")
    assert "reused=1, computed=3" in done(one)[0]
    assert ran.told().count("slow221") == 2


def test_nobody_waits_where_claims_are_off(ran: Programs) -> None:
    one = ran.start("slow(150)")
    ran.expect("slow150")
    two = ran.start("slow(150), storage.counter", GITMEMO_CLAIMS="off")
    ran.expect("slow150", 2)
    ran.allow("go150")
    assert "computed=1" in done(two)[0]
    done(one)


def test_ctrl_c_ends_the_waiting_and_leaves_the_other_alone(ran: Programs) -> None:
    one = ran.start("slow(160), storage.counter")
    ran.expect("slow160")
    two = ran.start("slow(160)")
    ran.expect("open", 2)
    is_waiting(two, ran)
    two.send(signal.SIGINT)
    assert "KeyboardInterrupt" in done(two, None)[1]
    three = ran.start("slow(160), storage.counter")
    ran.expect("open", 3)
    is_waiting(three, ran)
    ran.allow("go160")
    assert "computed=1" in done(one)[0]
    assert "reused=1" in done(three)[0]


def test_tasks_wait_without_stopping_their_loop(ran: Programs) -> None:
    one = ran.start("asyncio.run(slow_async(170)), storage.counter")
    ran.expect("async170")
    two = ran.start("asyncio.run(tasks(170, 170, 171, 171)), storage.counter")
    ran.expect("async171")
    ran.expect("ticked")  # while the other call is still waited for
    ran.allow("go171")
    ran.allow("go170")
    done(one)
    assert "reused=3, computed=1" in done(two)[0]
    assert Counter(ran.told())["async170"] == Counter(ran.told())["async171"] == 1


def test_a_call_inside_of_others_is_computed_once(ran: Programs) -> None:
    one = ran.start("outer(180), storage.counter")
    ran.expect("slow180")
    two = ran.start("slow(180), outer(180), storage.counter")
    ran.expect("open", 2)
    is_waiting(two, ran)
    ran.allow("go180")
    assert "computed=2" in done(one)[0]
    assert "reused=2, computed=0" in done(two)[0]


def test_programs_that_wait_for_each_other_go_on(ran: Programs) -> None:
    one = ran.start("first(190)", SIDE="a")
    two = ran.start("second(190)", SIDE="b")
    ran.expect("first190")
    ran.expect("second190")
    ran.allow("both")  # now each wants the call that the other computes
    done(one)
    done(two)


def test_who_waits_long_is_told_for_whom(
    nursery: Nursery, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    import gitmemo as gm
    from gitmemo.memo.waiting import StillWaiting
    from gitmemo.world import claims

    with programs(nursery, tmp_path / "log", tmp_path / "s.db") as ran:
        one = ran.start("slow(200)")
        ran.expect("slow200")
        monkeypatch.setattr(claims, "PATIENCE_S", 0.0)
        storage = gm.Storage(tmp_path / "s.db")

        @gm.op(name="ops:slow")
        def slow(x):
            raise AssertionError

        def allow(*_: object) -> None:
            ran.allow("go200")

        with storage, pytest.warns(StillWaiting) as told:
            signal.signal(signal.SIGALRM, allow)
            signal.setitimer(signal.ITIMER_REAL, 0.2)
            assert storage.unwrap(slow(200)) == 2000
        assert len(told) == 1
        assert f"ops:slow is being computed by process {one.pid}" in str(told[0].message)
        assert told[0].filename == __file__
        storage.close()


@pytest.mark.parametrize("kills", [0, 3])
def test_a_storm_of_programs_computes_each_call_once(ran: Programs, kills: int) -> None:
    base = 300 + 100 * kills
    calls = list(range(base, base + 24))
    chance = random.Random(kills)

    def body() -> str:
        order = chance.sample(calls, len(calls))
        return f"[quick(x) for x in {order}], storage.counter"

    running = [ran.start(body()) for _ in range(5)]
    ran.expect("open", 5)
    for victim in running[:kills]:
        ran.expect(f"quick{chance.choice(calls)}")
        victim.send(signal.SIGKILL)
    for process in running:
        done(process, None)
        assert process.poll() in (0, SIGKILLED)
    counts = Counter(ran.told())
    # One that is killed leaves at most the one call that it was in, to be computed again.
    assert sum(counts[f"quick{x}"] for x in calls) <= len(calls) + kills
    if not kills:
        assert all(counts[f"quick{x}"] == 1 for x in calls)
    last = ran.start(f"[quick(x) for x in {calls}], storage.counter")
    assert f"reused={len(calls)}, computed=0" in done(last)[0]
