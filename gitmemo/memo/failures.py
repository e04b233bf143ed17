"""Failed calls: what was noted of them, for the person in front of this machine.

Not results: a failed call is never reused, committed or pushed. Invariant:
noting never hides or changes the exception, and secrets are not in a note.
"""

from __future__ import annotations

import json
import time
import traceback
from collections.abc import Iterable, Iterator, Mapping
from contextlib import suppress
from dataclasses import asdict, dataclass, field, replace
from pathlib import Path
from types import TracebackType
from typing import Any

from gitmemo.hashing.digest import SIZE, Digest, to_hex
from gitmemo.memo import wording
from gitmemo.memo.calls import Counter
from gitmemo.memo.inputs import PreparedCall
from gitmemo.memo.recorder import Recorder
from gitmemo.memo.secrecy import secret_texts
from gitmemo.quantities import duration, timestamp
from gitmemo.world.view import World

_TRACEBACK_CHARACTERS = 20_000
_MESSAGE_CHARACTERS = 1_000
_INPUTS = 50
_OWN_FOLDER = str(Path(__file__).resolve().parent.parent)


@dataclass(frozen=True, slots=True)
class Failure:
    """A call that raised an exception.

    Attributes:
        op: The op's name.
        op_version: Its own version number.
        when: When it failed: ISO 8601, UTC.
        elapsed_s: How long it ran.
        error: The exception's type.
        message: What it said.
        traceback: The lines of the program that led to it; gitmemo's own are left out.
        inputs: Each argument in a few words.
        key: What finds calls of this op on these inputs, in hex.
        commit: What was checked out; None without git.
        dirty: Whether files differed from that commit.
        succeeded_since: Whether the same call is stored with a later date.
    """

    op: str
    op_version: int
    when: str
    elapsed_s: float
    error: str
    message: str
    traceback: str
    inputs: Mapping[str, str] = field(default_factory=dict)
    key: str = ""
    commit: str | None = None
    dirty: bool = False
    succeeded_since: bool = False

    def __str__(self) -> str:
        return "\n".join(self._lines())

    def as_dict(self) -> dict[str, object]:
        """Return the fields, for JSON."""
        fields: dict[str, object] = asdict(self)
        return fields

    def _lines(self) -> Iterator[str]:
        # The traceback ends with all of it.
        message = self.message.partition("\n")[0] if self.traceback else self.message
        said = f"{self.error}: {message}" if message else self.error
        when = self.when[:19].replace("T", " ")
        yield f"{when} UTC  {self.op} failed after {duration(self.elapsed_s)}: {said}"
        for name, value in self.inputs.items():
            yield f"  {name} = {value}"
        if self.commit:
            yield f"  at commit {self.commit[:9]}{' with other changes' if self.dirty else ''}"
        if self.succeeded_since:
            yield "  the same call has succeeded since"
        yield from (f"  {line}" for line in self.traceback.splitlines())


class FailureNotes:
    """Notes the failed calls of one storage, and reads the notes."""

    def __init__(self, world: World, recorder: Recorder) -> None:
        self._world = world
        self._recorder = recorder

    def noting(self, call: PreparedCall, counter: Counter) -> _Noting:
        """Return a context manager that notes and counts an `Exception` of its body, and lets it pass."""
        return _Noting(self, call, counter)

    def note(self, call: PreparedCall, error: Exception, elapsed_s: float) -> None:
        """Note a failed call."""
        hidden = _Hidden(call.inputs)
        place = self._recorder.place()
        commit = place.get("commit")
        failure = Failure(
            op=call.name,
            op_version=call.op.version,
            when=timestamp(time.time()),
            elapsed_s=round(elapsed_s, 6),
            error=_type_name(error),
            message=hidden.cut_out(_message(error))[:_MESSAGE_CHARACTERS],
            traceback=_bounded(hidden.cut_out(_traceback(error))),
            # What is ignored has no slot, and of what is only hashed the slot says no more.
            inputs={
                slot.name: hidden.cut_out(wording.of_argument(slot.name, value, slot))
                for slot, value in zip(call.slots[:_INPUTS], call.told.values(), strict=False)
            },
            key=to_hex(call.key),
            commit=commit if isinstance(commit, str) else None,
            dirty=bool(place.get("dirty")),
        )
        fields = {name: value for name, value in failure.as_dict().items() if value}
        self._world.notes.append(json.dumps(fields))

    def all(self) -> list[Failure]:
        """Return the noted failures, newest first."""
        return failures_in(self._world)


class _Noting:
    """Notes the exception that leaves a `with` block.

    A class, because `@contextmanager` would appear in the exception's traceback.
    """

    __slots__ = ("_call", "_counter", "_notes", "_started")

    def __init__(self, notes: FailureNotes, call: PreparedCall, counter: Counter) -> None:
        self._notes, self._call, self._counter = notes, call, counter

    def __enter__(self) -> None:
        self._started = time.perf_counter()

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        # Ctrl-C and `sys.exit()` say nothing about the call.
        if isinstance(error, Exception):
            elapsed_s = time.perf_counter() - self._started
            self._counter.failed += 1
            with suppress(Exception):  # whatever noting meets, the program must see its own error
                self._notes.note(self._call, error, elapsed_s)


def failures_in(world: World) -> list[Failure]:
    """Return the failures that are noted on this machine, newest first; damaged notes are skipped."""
    failures = [found for line in world.notes.lines() for found in _read(line)]
    return [_judged(failure, world) for failure in reversed(failures)]


def _read(line: str) -> Iterator[Failure]:
    defaults = {"op_version": 0, "elapsed_s": 0.0, "message": "", "traceback": ""}
    with suppress(ValueError, TypeError):
        yield Failure(**(defaults | json.loads(line)))


def _judged(failure: Failure, world: World) -> Failure:
    """Return the failure, marked if the same call succeeded later."""
    try:
        key = Digest(bytes.fromhex(failure.key))
    except ValueError:
        return failure
    if len(key) != SIZE:  # somebody else wrote it
        return failure
    starts = (found.call.start for found in world.candidates(key))
    return replace(failure, succeeded_since=any(start >= failure.when for start in starts))


class _Hidden:
    """The secret texts of a call's arguments, which messages may repeat."""

    def __init__(self, inputs: Mapping[str, Any]) -> None:
        found = {
            _as_text(text) for name, value in inputs.items() for text in secret_texts(name, value)
        }
        # Longest first: one secret may be part of another. One letter would cut up every text.
        self._texts = sorted((text for text in found if len(text) > 1), key=len, reverse=True)

    def cut_out(self, text: str) -> str:
        for secret in self._texts:
            text = text.replace(secret, "(secret)").replace(repr(secret)[1:-1], "(secret)")
        return text


def _as_text(text: Any) -> str:
    return text if isinstance(text, str) else bytes(text).decode("utf-8", "replace")


def _traceback(error: BaseException) -> str:
    shown = traceback.TracebackException.from_exception(error)
    todo, seen = [shown], set()
    while todo:
        one = todo.pop()
        if id(one) in seen:
            continue
        seen.add(id(one))
        one.stack = traceback.StackSummary.from_list(_own_left_out(one.stack))
        others = (one.__cause__, one.__context__, *(one.exceptions or ()))
        todo += [other for other in others if other is not None]
    return "".join(shown.format())


def _own_left_out(
    frames: Iterable[traceback.FrameSummary],
) -> list[traceback.FrameSummary]:
    return [frame for frame in frames if not frame.filename.startswith(_OWN_FOLDER)]


def _bounded(text: str) -> str:
    """Return a traceback whose middle is left out if it is long: the end says what happened."""
    if len(text) <= _TRACEBACK_CHARACTERS:
        return text
    begin = _TRACEBACK_CHARACTERS // 4
    end = _TRACEBACK_CHARACTERS - begin - 10
    return f"{text[:begin]}\n  ...\n{text[-end:]}"


def _message(error: BaseException) -> str:
    try:
        return str(error)
    except Exception:  # noqa: BLE001  a foreign __str__ may raise anything
        return ""


def _type_name(error: BaseException) -> str:
    kind = type(error)
    return (
        kind.__qualname__
        if kind.__module__ == "builtins"
        else f"{kind.__module__}.{kind.__qualname__}"
    )
