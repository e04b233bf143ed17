"""Which calls of a batch go together to a Dask cluster. The cluster is played by hand here."""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from concurrent.futures import CancelledError
from dataclasses import dataclass, field
from typing import Any

import pytest

import gitmemo as gm
from gitmemo.memo.parallel.cluster import Dask, run_for_a_while
from gitmemo.memo.parallel.executors import Lost
from gitmemo.memo.parallel.outcomes import Made, Outcome, Raised


@gm.op
def small(x: int) -> int:
    return x


@gm.op
def other(x: int) -> int:
    return x


@dataclass
class Task:
    number: int
    takes_s: float = 0.001

    def __call__(self) -> Outcome:
        return Made(self.number, self.number)

    def meet(self, those: Sequence[Any]) -> None:
        raise AssertionError


@dataclass
class Future:
    run: Callable[[Any], Any]
    tasks: tuple[Task, ...]
    status: str = "pending"
    told: list[Callable[[Any], None]] = field(default_factory=list)
    found: Any = None

    @property
    def key(self) -> str:
        return f"piece-{id(self)}"

    def add_done_callback(self, tell: Callable[[Any], None]) -> None:
        self.told.append(tell)

    def result(self) -> Any:
        return self.found

    def exception(self) -> Exception:
        return RuntimeError("its workers died")

    def cancel(self) -> None:
        self.end("cancelled")

    def end(self, status: str = "finished") -> None:
        self.status = status
        if status == "finished":
            slow = [n for n, task in enumerate(self.tasks, 1) if task.takes_s > 0.2]
            self.found = [(task(), task.takes_s) for task in self.tasks[: min(slow, default=None)]]
        for tell in self.told:
            tell(self)

    @property
    def numbers(self) -> list[int]:
        return [task.number for task in self.tasks]


class Client:
    """Two workers of one core."""

    status = "running"

    def __init__(self) -> None:
        self.sent: list[Future] = []
        self.begun: list[str] = []

    def run(self, _: Callable[[Any], list[str]]) -> dict[str, list[str]]:
        return {"one": self.begun, "two": []}

    def ncores(self) -> dict[str, int]:
        return {"one": 1, "two": 1}

    def submit(self, run: Any, tasks: tuple[Task, ...], **_: Any) -> Future:
        if self.status == "closed":
            raise RuntimeError("no scheduler")
        self.sent.append(Future(run, tasks))
        return self.sent[-1]


@pytest.fixture
def client() -> Client:
    return Client()


class Batch:
    """Submits calls, and hears what came of them."""

    def __init__(self, client: Client) -> None:
        self.executor = Dask(client, {})
        self.ended: dict[int, object] = {}
        self.handles: dict[int, Any] = {}

    def submit(self, numbers: Sequence[int], op: Any = small, takes_s: float = 0.001) -> None:
        for number in numbers:
            self.handles[number] = self.executor.submit(
                Task(number, takes_s), op, lambda fetch, number=number: self.hear(number, fetch)
            )

    def hear(self, number: int, fetch: Callable[[], Outcome]) -> None:
        assert number not in self.ended
        try:
            outcome = fetch()
        except (CancelledError, Lost) as error:
            self.ended[number] = type(error)
        else:
            assert outcome.number == number
            self.ended[number] = type(outcome)


def test_small_calls_go_together_once_it_is_known_that_they_are_small(client: Client) -> None:
    batch = Batch(client)
    assert batch.executor.most == 6
    batch.submit(range(10))
    assert [future.numbers for future in client.sent] == [[n] for n in range(6)]
    client.sent[0].end()
    assert batch.executor.most > 100
    batch.submit(range(10, 50))
    assert len(client.sent) == 6  # both cores have something to do
    for future in client.sent[1:5]:
        future.end()
    assert client.sent[6].numbers == list(range(6, 28))  # half of what there was, for each core
    client.sent[5].end()
    assert client.sent[7].numbers == list(range(28, 39))
    while going := [future for future in client.sent if future.status == "pending"]:
        going[0].end()
    assert len(batch.ended) == 50
    assert set(batch.ended.values()) == {Made}


def test_calls_that_are_not_known_or_slow_go_alone(client: Client) -> None:
    batch = Batch(client)
    batch.submit([0])
    client.sent[0].end()
    batch.submit([1, 2, 3], other)
    assert [future.numbers for future in client.sent[1:]] == [[1], [2], [3]]


def test_a_worker_gives_back_what_it_has_not_begun(client: Client) -> None:
    batch = Batch(client)
    batch.submit([0, 1])
    client.sent[0].end()
    batch.submit([2])
    batch.submit(range(3, 11), takes_s=0.25)
    client.sent[1].end()
    client.sent[2].end()
    long = client.sent[3].numbers
    assert len(long) > 1
    client.sent[3].end()
    assert set(batch.ended) == {0, 1, 2, long[0]}
    assert [future.numbers for future in client.sent[5:8]] == [[number] for number in long[1:]]


def test_how_a_worker_runs_a_piece() -> None:
    slow = [lambda: time.sleep(0.11), lambda: time.sleep(0.11), lambda: time.sleep(60)]
    done = run_for_a_while(slow)  # type: ignore[arg-type]
    assert len(done) == 2
    assert all(0.1 < took_s < 5 for _, took_s in done)
    assert [outcome.number for outcome, _ in run_for_a_while([Task(1), Task(2)])] == [1, 2]


def test_a_piece_that_kills_its_workers_is_taken_apart(client: Client) -> None:
    batch = Batch(client)
    batch.submit([0, 1])
    client.sent[0].end()
    batch.submit(range(2, 8))
    client.sent[1].end()
    piece = next(future for future in client.sent if len(future.tasks) > 1)
    piece.end("error")
    alone = [future for future in client.sent if future.numbers[0] in piece.numbers][1:]
    assert [future.numbers for future in alone] == [[number] for number in piece.numbers]
    alone[0].end("error")
    alone[1].end()
    assert batch.ended[piece.numbers[0]] is Raised
    assert batch.ended[piece.numbers[1]] is Made


def test_what_is_withdrawn_is_told_of_once(client: Client) -> None:
    batch = Batch(client)
    batch.submit([0, 1])
    client.sent[0].end()
    batch.submit(range(2, 20))
    client.sent[1].end()
    sent = client.sent[2].numbers
    for number in range(2, 20):
        batch.executor.cancel(batch.handles[number])
    assert [batch.ended[number] for number in range(2, 20)] == [CancelledError] * 18
    assert len(sent) >= 1


def test_what_workers_have_begun_is_waited_for(client: Client) -> None:
    batch = Batch(client)
    batch.submit([0, 1], takes_s=1.0)
    client.begun = [client.sent[0].key]
    for number in (0, 1):
        batch.executor.cancel(batch.handles[number])
    assert batch.ended == {1: CancelledError}
    client.sent[0].end()
    assert batch.ended == {0: Made, 1: CancelledError}


def test_without_a_scheduler_calls_are_lost(client: Client) -> None:
    batch = Batch(client)
    client.status = "closed"
    batch.submit([0])
    assert batch.ended == {0: Lost}
    assert batch.executor.lost() == "the Dask scheduler does not answer (closed)"
