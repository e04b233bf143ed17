"""The calls of a batch on a Dask cluster: those that are small go together.

Not the calls of a map (`dask`), which are all there at once. Invariant: where a core has nothing to do, what
is ready goes to it at once; else calls go in pieces that take a moment, and a worker gives back what
it has not begun after that.
"""

from __future__ import annotations

import threading
import time
from collections import deque
from collections.abc import Callable, Mapping, Sequence
from typing import TYPE_CHECKING, Any, TypeAlias

from gitmemo.memo.parallel.dask import Answers, check_resources
from gitmemo.memo.parallel.executors import Cancelled, Fetch, Lost, first_line
from gitmemo.memo.parallel.outcomes import Outcome, Raised, Task

if TYPE_CHECKING:
    from gitmemo.memo.op import Op

_PIECE_S = 0.1
_MOST_IN_A_PIECE = 500
_PIECES_FOR_A_CORE = 3
"""So that none waits for the driver."""

_Needs: TypeAlias = "tuple[tuple[str, float], ...]"


def run_for_a_while(tasks: Sequence[Task]) -> list[tuple[Outcome, float]]:
    """Run tasks in a worker; return the outcomes of the first ones, and how long each took in seconds."""
    began = now = time.perf_counter()
    done: list[tuple[Outcome, float]] = []
    for task in tasks:
        before, outcome = now, task()
        now = time.perf_counter()
        done.append((outcome, now - before))
        if now - began > 2 * _PIECE_S:
            break
    return done


def _executing(dask_worker: Any) -> list[str]:
    return [str(task.key) for task in dask_worker.state.executing]


class _Given:
    """A call that was submitted; `future` is that of its piece, once it was sent."""

    def __init__(self, task: Task, op: Op[..., Any], done: Callable[[Fetch], None]) -> None:
        self.task, self.op, self.done = task, op, done
        self.is_withdrawn = self.is_alone = False
        self.piece: list[_Given] = []
        self.future: Any = None


class Dask:
    """The cluster of a client."""

    is_here, is_far = False, True

    def __init__(self, client: Any, submit_kwargs: dict[str, Any]) -> None:
        self._client = client
        self._answers = Answers(client)
        self._how = submit_kwargs
        self._checked: set[_Needs] = set()
        self._cores: int = max(1, sum(client.ncores().values()))
        # Everything below changes only while this is held.
        self._lock = threading.RLock()
        self._waiting: dict[_Needs, deque[_Given]] = {}
        self._under_way = 0
        self._took_s: dict[Op[..., Any], float] = {}
        self._fitting = 1

    @property
    def most(self) -> int:
        """How many tasks it is given at once."""
        return _PIECES_FOR_A_CORE * self._cores * self._fitting

    def check(self, needs: Mapping[str, float]) -> None:
        """Raise `ResourceMissing` if no worker has what one call needs."""
        key = tuple(sorted(needs.items()))
        if key not in self._checked:
            check_resources(self._client, needs)
            self._checked.add(key)

    def submit(self, task: Task, op: Op[..., Any], done: Callable[[Fetch], None]) -> _Given:
        """Begin a call of an op soon."""
        given = _Given(task, op, done)
        with self._lock:
            needs = tuple(sorted(op.options.resources.items()))
            self._waiting.setdefault(needs, deque()).append(given)
            self._send()
        return given

    def _send(self) -> None:
        """Send what makes whole pieces; all there is where a core has nothing to do."""
        for needs, waiting in self._waiting.items():
            while waiting and self._under_way < _PIECES_FOR_A_CORE * self._cores:
                piece, is_whole = self._first(waiting)
                if not is_whole and self._under_way >= self._cores:
                    break
                for _ in piece:
                    waiting.popleft()
                self._begin(piece, dict(needs))

    def _first(self, waiting: deque[_Given]) -> tuple[list[_Given], bool]:
        """Return the calls of the next piece, and whether it is as large as it should be."""
        most = min(_MOST_IN_A_PIECE, -(-len(waiting) // self._cores))
        piece, takes_s = list[_Given](), 0.0
        for given in waiting:
            known_s = 2 * _PIECE_S if given.is_alone else self._took_s.get(given.op, _PIECE_S)
            if piece and (len(piece) == most or takes_s + known_s > _PIECE_S):
                return piece, takes_s + known_s > _PIECE_S or most == _MOST_IN_A_PIECE
            piece.append(given)
            takes_s += known_s
        return piece, takes_s >= _PIECE_S

    def _begin(self, piece: list[_Given], needs: dict[str, float]) -> None:
        how = {**self._how, "resources": needs} if needs else self._how
        tasks = tuple([given.task for given in piece])
        try:
            future = self._client.submit(run_for_a_while, tasks, pure=False, **how)
        except Exception as error:  # noqa: BLE001  whatever a client raises that has no scheduler any more
            _tell(piece, Lost(first_line(error)))
            return
        self._under_way += 1
        for given in piece:
            given.piece, given.future = piece, future
        future.add_done_callback(lambda ended: self._ended(piece, ended))

    def _ended(self, piece: list[_Given], future: Any) -> None:
        """Tell of a piece that has ended, in a thread of the client."""
        done: list[tuple[Outcome, float]] = []
        lost: Exception | None = None
        if future.status == "finished":
            try:
                done = future.result()
            except Cancelled as cancelled:  # when it had ended
                lost = cancelled
            except Exception as error:  # noqa: BLE001  a task raises nothing: the way there is gone
                lost = Lost(first_line(error))
        elif future.status != "error":
            lost = Cancelled()
        elif len(piece) == 1:  # what is raised there, or that its workers died with it
            done = [(Raised(piece[0].task.number, future.exception()), 0.0)]
        with self._lock:
            self._under_way -= 1
            for given, (outcome, took_s) in zip(piece, done, strict=False):
                self._learn(given.op, took_s)
                given.done(lambda outcome=outcome: outcome)  # type: ignore[misc]
            rest = piece[len(done) :]
            if lost is not None:
                _tell(rest, lost)
            else:
                self._again(rest, is_alone=future.status == "error")
            self._send()

    def _learn(self, op: Op[..., Any], took_s: float) -> None:
        known_s = self._took_s.get(op, took_s)
        now_s = self._took_s[op] = max(took_s, 0.7 * known_s + 0.3 * took_s)
        self._fitting = max(1, min(_MOST_IN_A_PIECE, int(_PIECE_S / max(now_s, 1e-6))))

    def _again(self, rest: list[_Given], *, is_alone: bool) -> None:
        """Let calls go out again that were not made: alone, if it is one of them that kills workers."""
        for given in reversed(rest):
            given.piece, given.future = [], None
            given.is_alone |= is_alone
            if given.is_withdrawn:
                _tell([given], Cancelled())
                continue
            needs = tuple(sorted(given.op.options.resources.items()))
            self._waiting[needs].appendleft(given)

    def cancel(self, handle: _Given) -> None:
        """Do not begin it, if it has not begun; a piece is cancelled when all of it is."""
        with self._lock:
            handle.is_withdrawn = True
            if handle.future is None:
                for waiting in self._waiting.values():
                    if handle in waiting:
                        waiting.remove(handle)
                        _tell([handle], Cancelled())
                        return
            elif self._is_wanted_by_none(handle.piece) and handle.future.key not in self._begun():
                handle.future.cancel()

    def _is_wanted_by_none(self, piece: list[_Given]) -> bool:
        return all(given.is_withdrawn for given in piece) and not self.lost()

    def _begun(self) -> frozenset[str]:
        """Return the pieces that workers have begun: those are waited for."""
        try:
            found = self._client.run(_executing)
        except Exception:  # noqa: BLE001  workers that do not answer will not tell of their calls either
            return frozenset()
        return frozenset().union(*found.values())

    def lost(self) -> str:
        """Return how the client stands, if its scheduler is gone, or away for too long."""
        return self._answers.lost()

    def close(self) -> None:
        """Leave the cluster as it is."""

    def replace_workers(self) -> None:
        """Do nothing: they are not this program's alone."""


def _tell(calls: Sequence[_Given], error: Exception) -> None:
    def fetch() -> Outcome:
        raise error

    for given in calls:
        given.done(fetch)
