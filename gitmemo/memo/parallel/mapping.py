"""One op on many inputs: all calls are looked up at once, and what is missing is computed.

Not where it is computed (`engines`, `work`). Invariant: each distinct call is made once, whatever
comes back is handed out as in a serial loop, and a call that fails loses no other.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from contextlib import AbstractContextManager, closing, nullcontext
from typing import TYPE_CHECKING, Any, Literal, TypeAlias

from gitmemo.errors import (
    BadSetting,
    CallsFailed,
    LengthsDiffer,
    OptionIsArgument,
    WorkerDiffers,
    WorkersApart,
)
from gitmemo.hashing.digest import Digest
from gitmemo.memo import context
from gitmemo.memo.calls import Hit
from gitmemo.memo.execute import running
from gitmemo.memo.parallel import engines, showing
from gitmemo.memo.parallel.notes import BEFORE_ANY_CALL, Noted
from gitmemo.memo.parallel.outcomes import Ended, Raised, Task, finished, to_the_end
from gitmemo.memo.parallel.pending import ready
from gitmemo.memo.parallel.resources import checked_jobs
from gitmemo.memo.parallel.work import Work
from gitmemo.memo.wording import call_in_words

if TYPE_CHECKING:
    from gitmemo.memo.op import Op
    from gitmemo.memo.parallel.batches import Batch
    from gitmemo.memo.storage import Storage

OnError: TypeAlias = Literal["collect", "raise"]
_POLICIES = ("collect", "raise")
_MISSING = object()


def rows_of(
    op: Op[..., Any], iterables: Sequence[Iterable[Any]], *, skip: int = 0
) -> list[tuple[Any, ...]]:
    """Return the arguments of each call, but for the first `skip`, which are given elsewhere.

    Raises:
        LengthsDiffer: Not all iterables end at once.
    """
    if not iterables:
        raise LengthsDiffer(op.qualname, "no iterable is given")
    iterators = [iter(each) for each in iterables]
    rows: list[tuple[Any, ...]] = []
    while True:
        row = tuple([next(each, _MISSING) for each in iterators])
        ended = [number for number, item in enumerate(row) if item is _MISSING]
        if not ended:
            rows.append(row)
            continue
        if len(ended) == len(row):
            return rows
        going = [number for number in range(len(row)) if number not in ended]
        reason = (
            f"the iterable for {_named(op, skip + ended[0])} ends after {len(rows)} items, "
            f"the one for {_named(op, skip + going[0])} does not"
        )
        raise LengthsDiffer(op.qualname, reason)


def rows_given(op: Op[..., Any], tuples: Iterable[Iterable[Any]]) -> list[tuple[Any, ...]]:
    """Return the arguments of each call as they are given; raise `LengthsDiffer` for what is no tuple."""
    rows: list[tuple[Any, ...]] = []
    for number, row in enumerate(tuples):
        if not isinstance(row, tuple | list):
            reason = (
                f"item {number} of the iterable is no tuple but of type {type(row).__qualname__}"
            )
            raise LengthsDiffer(op.qualname, reason)
        rows.append(tuple(row))
    return rows


def _named(op: Op[..., Any], number: int) -> str:
    names = op.arguments.binder.names
    return repr(names[number]) if number < len(names) else f"argument {number + 1}"


def check_options(op: Op[..., Any], rows: Sequence[Sequence[Any]], given: Iterable[str]) -> None:
    """Refuse options whose names are those of arguments that calls are not given: both may be meant.

    Raises:
        OptionIsArgument: It says how to give the argument.
    """
    if not rows:
        return
    left = op.arguments.binder.left(min(map(len, rows)))
    for name in given:
        if name in left:
            raise OptionIsArgument(op.qualname, name)


class Mapped:
    """The calls of one op on many inputs, in a storage."""

    def __init__(
        self,
        storage: Storage,
        op: Op[..., Any],
        rows: list[tuple[Any, ...]],
        fixed: dict[str, Any],
        *,
        n_jobs: int | None,
        on_error: str,
        progress: bool,
    ) -> None:
        if on_error not in _POLICIES:
            raise BadSetting("on_error", on_error, _POLICIES)
        self._storage = storage
        self._op = op
        self._rows = rows
        self._fixed = fixed
        self._n_jobs = checked_jobs(n_jobs)
        self._is_patient = on_error == "collect"
        self._progress = progress
        self._failed: list[tuple[int, Exception]] = []
        self._noted = Noted()
        self._stuck: BaseException | None = None  # what workers raised before any call
        # By the number of the call that stands for them: it is made, and they are looked up again.
        self._alike: dict[int, list[int]] = {}
        self._check_arguments()

    def _check_arguments(self) -> None:
        """Raise the `TypeError` of arguments that do not fit: the program is wrong, not one call."""
        seen: set[int] = set()
        for number, row in enumerate(self._rows):
            if len(row) in seen:
                continue
            seen.add(len(row))  # what fits is a matter of how many there are, and of the names
            try:
                self._op.arguments.binder.bind(row, self._fixed)
            except TypeError as error:
                error.add_note(f"raised by call {number}: {self._as_text(number)}")
                raise

    def results(self) -> list[Any]:
        """Return what each call returns, in order.

        Raises:
            CallsFailed: Some raised; all others are stored.
        """
        found: dict[int, Any] = dict(self.as_completed())
        return [found[number] for number in range(len(self._rows))]

    def as_completed(self) -> Iterator[tuple[int, Any]]:
        """Return an iterator of positions and results: what is stored first, then as it is finished."""
        if running.get() is not None or isinstance(context.active(), context.Noop):
            return self._one_after_another()
        with _in_block(self._storage):
            batch = self._batch()
            if batch is not None:
                self._noted = batch.noted
            stored, missing = self._looked_up()
            if batch is not None:
                return self._of_batch(batch, stored, missing)
            work, engine = self._prepared(missing)
        return self._handed_out(stored, missing, work, engine)

    def _batch(self) -> Batch | None:
        """Return the batch that this map is in; None where nothing may be computed, too."""
        around = context.batching.get()
        if around is None or not self._storage._caller.allows_new_calls:
            return None
        from gitmemo.memo.parallel.blocks import of_storage  # what batches need

        return of_storage(around, self._storage)

    def _one_after_another(self) -> Iterator[tuple[int, Any]]:
        """Make the calls in the body of another one, or without a storage: a plain loop."""
        is_plain = isinstance(context.active(), context.Noop)
        for number, row in enumerate(self._rows):
            try:
                make = self._op if is_plain else self._call
                result = to_the_end(make(*row, **self._fixed), self._op)
            except Exception as error:  # noqa: BLE001  whatever the op raises
                self._fail(number, error)
                continue
            yield number, result
        self._end()

    def _call(self, *args: Any, **kwargs: Any) -> Any:
        return self._storage.call(self._op, args, kwargs)

    def _looked_up(self) -> tuple[list[tuple[int, Any]], dict[int, Digest]]:
        """Return the results that are stored, and the keys of the calls that have to be made."""
        storage = self._storage
        if storage._is_unsettled:
            storage._settle()
        caller, op = storage._caller, self._op
        caller.check(op, is_new=False)
        stored: list[tuple[int, Any]] = []
        missing: dict[int, Digest] = {}
        first: dict[Digest, int] = {}
        is_in_batch = context.batching.get() is not None
        if is_in_batch:
            self._fixed = ready(self._fixed)
        for number, row in enumerate(self._rows):
            try:
                if is_in_batch:
                    row = self._rows[number] = ready(row)
                found = caller._look_up(op, row, self._fixed)
            except Exception as error:  # noqa: BLE001  an argument without a content id, and the like
                self._fail(number, error)
                continue
            if isinstance(found, Hit):
                stored.append((number, caller._hand_out(op, found)))
                continue
            same = first.setdefault(found.key, number)
            if same == number:
                missing[number] = found.key
            else:
                self._alike.setdefault(same, []).append(number)
        return stored, missing

    def _prepared(self, missing: dict[int, Digest]) -> tuple[Work | None, engines.Engine]:
        if not missing or not self._storage._caller.allows_new_calls:
            return (Work(self._storage) if missing else None), engines.Serial()
        self._storage._caller.check(self._op, is_new=True)
        need = self._op.options.resources
        engine = engines.engine(self._n_jobs, need, self._storage._capacity)
        work = Work(self._storage, is_far=engine.is_far)
        if not engine.is_here:
            work.pack(self._op)
        return work, engine

    def _of_batch(
        self, batch: Batch, stored: list[tuple[int, Any]], missing: dict[int, Digest]
    ) -> Iterator[tuple[int, Any]]:
        """Let a batch make the calls."""
        from gitmemo.memo.parallel.joining import Joined  # what batches need

        yield from stored
        calls = {number: self._rows[number] for number in missing}
        with closing(Joined(batch, self._op).outcomes(calls, self._fixed)) as found:
            for outcome in found:
                yield from self._taken(outcome, None)
        self._end()

    def _handed_out(
        self,
        stored: list[tuple[int, Any]],
        missing: dict[int, Digest],
        work: Work | None,
        engine: engines.Engine,
    ) -> Iterator[tuple[int, Any]]:
        yield from stored
        if work is not None:
            tasks = [
                work.task(number, self._op, self._rows[number], self._fixed, key)
                for number, key in missing.items()
            ]
            yield from self._made(tasks, work, engine)
        self._end()

    def _made(
        self, tasks: list[Task], work: Work, engine: engines.Engine
    ) -> Iterator[tuple[int, Any]]:
        name = self._op.qualname
        try:
            show = showing.progress(name, len(tasks), wanted=self._progress)
            with (
                show,
                engines.outcomes(engine, tasks, work) as found,
            ):
                for outcome in found:
                    yield from self._taken(outcome, work)
                    show(done=1, failed=int(isinstance(outcome, Raised)))
        except Exception as error:
            if isinstance(error, WorkerDiffers) or error is self._stuck:
                engine.replace_workers()
            raise
        finally:
            work.end()

    def _taken(self, outcome: Ended, work: Work | None) -> Iterator[tuple[int, Any]]:
        if isinstance(outcome, Raised):
            self._let_go(outcome, work)
            self._refuse_setting_up(outcome)
            if outcome.trace:  # else it is counted
                self._storage.counter.failed += 1
            self._fail(outcome.number, outcome.error, outcome.trace)
            return
        result = finished(self._storage, self._op, outcome)
        self._let_go(outcome, work)
        yield outcome.number, result
        for number in self._alike.pop(outcome.number, ()):
            yield number, to_the_end(self._call(*self._rows[number], **self._fixed), self._op)

    def _let_go(self, outcome: Ended, work: Work | None) -> None:
        if work is not None:
            work.let_go(outcome.number)

    # --- failures

    def _refuse_setting_up(self, outcome: Raised) -> None:
        if isinstance(outcome.error, WorkerDiffers | WorkersApart):
            raise outcome.error
        if outcome.is_of_all:
            self._stuck = outcome.error
            self._noted.note(outcome.error, BEFORE_ANY_CALL, outcome.trace)
            raise outcome.error

    def _fail(self, number: int, error: BaseException, trace: str = "") -> None:
        """Note what a call raised; raise it at once where that was asked for."""
        if not isinstance(error, Exception):
            raise error
        self._noted.note(error, f"raised by call {number}: {self._as_text(number)}", trace)
        if not self._is_patient:
            raise error
        # Those that are equal to it have no result either.
        self._failed += [(each, error) for each in (number, *self._alike.pop(number, ()))]

    def _end(self) -> None:
        if not self._failed:
            return
        self._failed.sort(key=lambda each: each[0])
        numbers = [number for number, _ in self._failed]
        texts = [self._as_text(number) for number in numbers]
        errors = [error for _, error in self._failed]
        traces = self._noted.traces(errors)
        raise CallsFailed(len(self._rows), numbers, texts, errors, traces=traces)

    def _as_text(self, number: int) -> str:
        return call_in_words(self._op, self._rows[number], self._fixed)


def _in_block(storage: Storage) -> AbstractContextManager[object]:
    """Return a block of the storage, or nothing where this is one."""
    return nullcontext() if context.active() is storage else storage
