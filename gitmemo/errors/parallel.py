"""Errors of calls that run in parallel.

Not errors of the calls themselves, which keep their types, nor of `workers`. Invariant: whoever handles
one of these is told that finished calls are stored.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from typing import Self

from gitmemo.errors.base import GitmemoError

_MOST_NAMED = 5
_CHARACTERS = 80


class CallsFailed(ExceptionGroup[Exception], GitmemoError):
    """Some calls of a map or a batch raised; the others are stored.

    Of the exceptions after the first few, `traces` alone says where they were raised.

    Attributes:
        calls: Which calls, as text, in the order of `exceptions`.
        positions: Their positions in the map, or among the calls of the batch that were not stored.
        not_run: How many calls of a batch were not run because they need one that raised.
        traces: Where each was raised, as Python prints it; empty where it is not known.
    """

    kind = "calls-failed"
    calls: tuple[str, ...]
    positions: tuple[int, ...]
    total: int
    not_run: int
    traces: tuple[str, ...]

    def __new__(
        cls,
        total: int,
        positions: Sequence[int],
        calls: Sequence[str],
        exceptions: Sequence[Exception],
        not_run: int = 0,
        traces: Sequence[str] = (),
    ) -> Self:
        """`total` is how many calls there were."""
        summary = _summary(total, positions, calls, exceptions, not_run)
        made = super().__new__(cls, summary, exceptions)
        made.total, made.positions, made.calls = total, tuple(positions), tuple(calls)
        made.not_run, made.traces = not_run, tuple(traces) or ("",) * len(exceptions)
        return made

    def __init__(
        self,
        total: int,
        positions: Sequence[int],
        calls: Sequence[str],
        exceptions: Sequence[Exception],
        not_run: int = 0,
        traces: Sequence[str] = (),
    ) -> None:
        """Do nothing more: a group is made by `__new__`."""

    def derive(self, excs: Sequence[Exception]) -> CallsFailed:  # type: ignore[override]
        """Return a group of some of the exceptions, with their calls."""
        wanted = set(map(id, excs))
        kept = [number for number, one in enumerate(self.exceptions) if id(one) in wanted]
        if len(kept) != len(excs):  # parts of groups inside: their calls are not known
            return CallsFailed(self.total, [-1] * len(excs), ["?"] * len(excs), excs, self.not_run)
        return CallsFailed(
            self.total,
            [self.positions[number] for number in kept],
            [self.calls[number] for number in kept],
            [self.exceptions[number] for number in kept],
            self.not_run,
            [self.traces[number] for number in kept],
        )

    def __reduce__(self) -> tuple[object, ...]:
        return CallsFailed, (
            *(self.total, self.positions, self.calls, self.exceptions),
            *(self.not_run, self.traces),
        )

    def __str__(self) -> str:
        return GitmemoError.__str__(self)

    def problem(self) -> str:
        return _summary(self.total, self.positions, self.calls, self.exceptions, self.not_run)

    def remedy(self) -> str:
        if len(self.positions) + self.not_run >= self.total:
            return "correct what these need, and run the same again"
        return (
            "the other calls are stored: correct what these need, and run the same again; only what "
            "is missing is computed"
        )


def _summary(
    total: int,
    positions: Sequence[int],
    calls: Sequence[str],
    exceptions: Sequence[Exception],
    not_run: int,
) -> str:
    named = [
        f"{position}: {call} ({_in_words(error)})"
        for position, call, error in zip(positions, calls, exceptions, strict=True)
    ]
    more = len(named) - _MOST_NAMED
    rest = f", and {more} more ({_kinds(exceptions[_MOST_NAMED:])})" if more > 0 else ""
    left = f"; {not_run} that need them were not run" if not_run else ""
    return f"{len(named)} of {total} calls failed: {', '.join(named[:_MOST_NAMED])}{rest}{left}"


def _in_words(error: Exception) -> str:
    name, said = type(error).__qualname__, _message(error)
    return f"{name}: {said}" if said else name


def _kinds(exceptions: Sequence[Exception]) -> str:
    """Say how many there are of each kind, the most frequent first, and what they say if it is one thing."""
    said: dict[str, Counter[str]] = {}
    for error in exceptions:
        said.setdefault(type(error).__qualname__, Counter())[_message(error)] += 1
    kinds = sorted(said.items(), key=lambda each: -each[1].total())
    named = [f"{texts.total()} {name}{_told(texts)}" for name, texts in kinds[:_MOST_NAMED]]
    others = sum(texts.total() for _, texts in kinds[_MOST_NAMED:])
    return ", ".join([*named, f"{others} others"] if others else named)


def _told(texts: Counter[str]) -> str:
    text, times = texts.most_common(1)[0]
    if not text:
        return ""
    return f": {text}" if times == texts.total() else f", such as: {text}"


def _message(error: Exception) -> str:
    try:
        text = str(error).strip()
    except Exception:  # noqa: BLE001  a foreign __str__ may raise anything
        return ""
    line = text.splitlines()[0] if text else ""
    return line if len(line) <= _CHARACTERS else f"{line[: _CHARACTERS - 3]}..."


class CallNotMade(GitmemoError):
    """A result is asked for of a call that its batch has not made."""

    kind = "call-not-made"

    def __init__(self, call: str) -> None:
        super().__init__(call)
        self.call = call

    def problem(self) -> str:
        return f"{self.call} was not run: its batch ended before it began"

    def remedy(self) -> str:
        return (
            "see what ended the batch, and run the program again; what is stored is not run again"
        )


class BatchEntered(GitmemoError):
    """One `storage.batch()` is entered while its block runs already."""

    kind = "batch-entered"

    def problem(self) -> str:
        return "this batch has begun already, and its block has not ended"

    def remedy(self) -> str:
        return (
            "make one for each block: `with storage.batch() as inner:`; in a batch it is part of it"
        )


class WaitsInside(GitmemoError):
    """The body of an op, or what packs it for a worker, would wait for a call of the same batch."""

    kind = "waits-inside"

    def __init__(self, call: str) -> None:
        super().__init__(call)
        self.call = call

    def problem(self) -> str:
        return f"the body of an op uses the result of {self.call}, which it was not given"

    def remedy(self) -> str:
        return "pass the result to the op as an argument: its call then waits for it"


class ArgumentsChanged(GitmemoError):
    """An argument of a call of a batch was changed after the call was planned, and before it ran."""

    kind = "arguments-changed"

    def __init__(self, call: str) -> None:
        super().__init__(call)
        self.call = call

    def problem(self) -> str:
        return f"an argument, or a file, was changed before the call that was given it ran: {self.call}"

    def remedy(self) -> str:
        return (
            "do not change it in the batch, or wait for the call first (`unwrap`); what says that it "
            "cannot be copied (`__deepcopy__` returns it) is shared with the program"
        )


class ForkedInBatch(GitmemoError):
    """A forked process would wait for a call of a batch, or make one: its threads were not forked."""

    kind = "forked-in-batch"

    def __init__(self, call: str) -> None:
        super().__init__(call)
        self.call = call

    def problem(self) -> str:
        return f"this process was forked in a batch, which runs in the other one: {self.call}"

    def remedy(self) -> str:
        return (
            "fork before the batch begins or after its block, or unwrap what the fork needs before; "
            "or start the process with `spawn`"
        )


class LengthsDiffer(GitmemoError, ValueError):
    """The iterables of a map are of different lengths, or an item of a starmap is no tuple."""

    kind = "lengths-differ"
    exit_code = 2

    def __init__(self, op: str, reason: str) -> None:
        super().__init__(op, reason)
        self.op, self.reason = op, reason

    def problem(self) -> str:
        return f"{self.op}: {self.reason}"

    def remedy(self) -> str:
        return (
            "give iterables of one length to map, what is the same in every call by name (k=3), and "
            "tuples of arguments to starmap"
        )


class OptionIsArgument(GitmemoError, TypeError):
    """An option of `storage.map` has the name of an argument of the op, and either may be meant."""

    kind = "option-is-argument"
    exit_code = 2

    def __init__(self, op: str, name: str) -> None:
        super().__init__(op, name)
        self.op, self.name = op, name

    def problem(self) -> str:
        return (
            f"{self.name}= is an option of storage.map, and {self.op} has an argument {self.name!r}"
        )

    def remedy(self) -> str:
        option = ""
        if self.name == "n_jobs":
            option = (
                "if the option is meant, set `joblib.parallel_config(n_jobs=…)` around it; else "
            )
        return (
            f"{option}give the argument in each row, `storage.starmap({self.op}, [(x, …), …])`, or map "
            "an op that calls this one with it"
        )
