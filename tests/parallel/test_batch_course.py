"""Batches in any order of events: every block ends, and at each step no call is forgotten."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from queue import Empty
from typing import Any

import pytest
from hypothesis import HealthCheck, Phase, settings
from hypothesis import strategies as st
from hypothesis.stateful import (
    RuleBasedStateMachine,
    initialize,
    invariant,
    precondition,
    rule,
    run_state_machine_as_test,
)
from parallel.batch_executor import ByHand

import gitmemo as gm
from gitmemo.errors import CallNotMade, CallsFailed, WorkersLost
from gitmemo.memo.parallel import batches, runners
from gitmemo.memo.parallel.course import Course
from gitmemo.memo.parallel.pending import PendingRef, source_of
from gitmemo.memo.parallel.planned import Planned, State

_LIMIT_S = 20
_MOST_IDLE = 2000
"""After how many looks of a millisecond without anything to do a block will never end."""


def _sum(x: int, y: int) -> int:
    if (x + y) % 7 == 5:
        raise ValueError(f"{x} and {y}")
    return (x + y) % 9


@gm.op
def plain(x: int, y: int) -> int:
    return _sum(x, y)


@gm.op(resources={"GPU": 1})
def on_gpu(x: int, y: int) -> int:
    return _sum(x, y)


FAILED = object()
_ANY = st.integers(0, 10_000)


class Events(RuleBasedStateMachine):
    """A program, its batch, what runs the calls, and the thread that takes notice, step by step."""

    def __init__(self) -> None:
        super().__init__()
        self.executor = ByHand(most=3)
        runners.executor = lambda _: self.executor  # put back by the test
        self.storage = gm.Storage()
        self.outermost = self.storage.batch().__enter__()
        self.blocks = [self.outermost]
        # Refs, or values, with what a plain program has there and whether its call may be cancelled.
        self.values: list[tuple[Any, Any, bool]] = [(2, 2, False), (3, 3, False)]
        self.planned: list[Planned] = []
        self.is_lost = False

    @property
    def course(self) -> Course:
        batch = self.outermost._batch
        assert batch is not None
        return batch._course

    # --- the program ---------------------------------------------------------

    @initialize()
    def begin(self) -> None:
        self.call(plain, 0, 0, in_thread=False)  # 2 + 2; 2 + 3 fails

    @rule(op=st.sampled_from([plain, on_gpu]), x=_ANY, y=_ANY, in_thread=st.booleans())
    def call(self, op: Any, x: int, y: int, in_thread: bool) -> None:
        given = [self.values[number % len(self.values)] for number in (x, y)]
        made: list[Any] = []

        def make() -> None:
            with suppress(WorkersLost, CallNotMade, ValueError):
                made.append(op(given[0][0], given[1][0]))

        if in_thread:
            thread = threading.Thread(target=gm.carried(make))
            thread.start()
            thread.join(_LIMIT_S)
            assert not thread.is_alive()
        else:
            make()
        if not made:
            assert self.is_lost
            return
        source = source_of(made[0]) if type(made[0]) is PendingRef else None
        if isinstance(source, Planned):
            self.planned.append(source)
        wanted = [one[1] for one in given]
        try:
            value = FAILED if FAILED in wanted else _sum(*wanted)
        except ValueError:
            value = FAILED
        may_be_cancelled = len(self.blocks) > 1 or any(one[2] for one in given)
        self.values.append((made[0], value, may_be_cancelled))

    @rule(which=_ANY)
    def unwrap(self, which: int) -> None:
        with self.others_go_on():
            self.check(self.values[which % len(self.values)])

    def check(self, one: tuple[Any, Any, bool]) -> None:
        ref, wanted, may_be_cancelled = one
        try:
            found = self.storage.unwrap(ref)
        except ValueError:
            found = FAILED
        except (CallNotMade, WorkersLost):
            assert may_be_cancelled or self.is_lost
            return
        assert found == wanted

    @precondition(lambda self: len(self.blocks) < 3)
    @rule()
    def begin_inner(self) -> None:
        self.blocks.append(self.storage.batch().__enter__())

    @precondition(lambda self: len(self.blocks) > 1)
    @rule(raises=st.booleans())
    def end_inner(self, raises: bool) -> None:
        self.end(self.blocks.pop(), KeyError() if raises else None)

    def end(self, block: Any, error: Exception | None) -> None:
        since = block._since
        with self.others_go_on(), suppress(CallsFailed, WorkersLost):
            block.__exit__(type(error) if error else None, error, None)
        assert all(call.is_over for call in self.planned if call.number >= since)
        assert all(number < since for number in self.course.running)

    # --- what runs the calls ----------------------------------------------------

    # What was given depends on threads: a precondition on it would not be the same twice.

    @rule(which=_ANY)
    def one_begins(self, which: int) -> None:
        if self.executor.given:
            self.executor.begun.append(self.executor.given[which % len(self.executor.given)])

    @rule(which=_ANY)
    def one_ends(self, which: int) -> None:
        if self.executor.given:
            self.executor.end(self.executor.given[which % len(self.executor.given)])

    @rule()
    def notice_is_taken(self) -> None:
        self.notice()

    def notice(self) -> bool:
        runner = self.course.runner
        try:
            arrived: Any = runner._arrived.get_nowait() if runner else None
        except Empty:
            return False
        if not isinstance(arrived, tuple):
            return False
        self.course.take(*arrived)
        return True

    @rule(is_cancelled=st.booleans())
    def all_is_lost(self, is_cancelled: bool) -> None:
        if self.is_lost or len(self.planned) <= 6 or not self.executor.given:
            return
        self.is_lost = True
        if is_cancelled and self.executor.given[0] not in self.executor.begun:
            self.executor.cancel(self.executor.given[0])  # by others
        else:
            self.executor.lose()

    @contextmanager
    def others_go_on(self) -> Iterator[None]:
        """Let calls end, and notice be taken of it, while the program waits."""
        over = threading.Event()

        def go_on() -> None:
            idle = 0
            while not over.is_set():
                if self.executor.given and not self.executor.reason:
                    self.executor.end(self.executor.given[0])
                    idle = 0
                elif self.notice():
                    idle = 0
                elif (idle := idle + 1) > _MOST_IDLE:
                    self.executor.reason = "it hung"
                over.wait(0.001 if idle else 0)

        thread = threading.Thread(target=go_on)
        thread.start()
        try:
            yield
        finally:
            over.set()
            thread.join()
        assert self.executor.reason != "it hung"

    # --- what always holds --------------------------------------------------------

    @invariant()
    def no_call_is_forgotten(self) -> None:
        course = self.course
        queue, due = course.queue, {number for number, _ in course._due}
        queued = {entry[3].number for heap in queue._ready.values() for entry in heap}
        queued |= {number for _, number, _ in queue._resting}
        for number, call in course.open.items():
            assert not call.is_over
            missing = sum(not one.is_over for one in call.before)
            if call.state is State.WAITING:
                assert missing == call.waits_for
                assert missing or number in due
            if call.state is State.READY:
                assert number in queued
            if call.state is State.RUNNING:
                assert number in course.running
        assert all(call.is_over or call.number in course.open for call in self.planned)

    @invariant()
    def nothing_runs_twice_or_beyond_limits(self) -> None:
        tasks: list[Any] = [given.task for given in self.executor.given]
        calls = [task._call for task in tasks]
        assert len(calls) <= self.executor.most
        assert sum(task._given[0] is on_gpu for task in tasks) <= 1
        keys = [task._task.key for task in tasks]
        assert len(keys) == len(set(keys))

    def teardown(self) -> None:
        while self.blocks:
            self.end(self.blocks.pop(), None)
        assert not self.course.open
        for one in self.values:
            self.check(one)
        self.storage.close()


def test_every_block_ends_and_no_call_is_forgotten(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(runners, "executor", runners.executor)
    monkeypatch.setattr(runners.Runner, "_listen", lambda _: None)  # `notice` does it
    monkeypatch.setattr(batches, "_LOOKS_EVERY_S", 0.01)
    how = settings(
        max_examples=25,
        stateful_step_count=30,
        deadline=None,
        phases=[Phase.reuse, Phase.generate],  # a block that hangs takes too long to make it small
        suppress_health_check=list(HealthCheck),
    )
    run_state_machine_as_test(Events, settings=how)
