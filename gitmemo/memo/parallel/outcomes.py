"""What comes of calls that are tasks, and what a driver makes of it.

Not how calls are sent (`work`) or made by workers (`opened`). Invariant: an outcome that came from
another process holds lines of facts or an exception, never a value.
"""

from __future__ import annotations

import asyncio
import contextvars
import os
import traceback
from dataclasses import dataclass
from pathlib import Path
from types import TracebackType
from typing import TYPE_CHECKING, Any, Protocol, TypeAlias

from gitmemo.codecs.pickles import Sending, in_worker, sent
from gitmemo.errors import RaisedElsewhere, WorkerDiffers
from gitmemo.hashing import content_id
from gitmemo.hashing.digest import Digest
from gitmemo.memo.calls import hit_of
from gitmemo.memo.parallel.meeting import Apart, Reported
from gitmemo.memo.waiting import IfClaimed
from gitmemo.model.components import in_words
from gitmemo.model.facts import Call, Version
from gitmemo.model.lines import from_line
from gitmemo.ref import ref_to

if TYPE_CHECKING:
    from gitmemo.memo.op import Op
    from gitmemo.memo.storage import Storage


@dataclass(frozen=True, slots=True)
class Made:
    """A call that was made in this process; `result` is what it returned."""

    number: int
    result: Any


@dataclass(frozen=True, slots=True)
class Recorded:
    """A call that is stored: the lines of what is new about it, its own the last.

    Attributes:
        is_reused: Whether it was stored already.
    """

    number: int
    lines: tuple[str, ...]
    is_reused: bool = False


@dataclass(frozen=True, slots=True)
class Raised:
    """A call that raised.

    Attributes:
        trace: Where in a worker; empty for what was raised here.
        is_of_all: Whether it was raised before the call: a worker can make none of this op.
    """

    number: int
    error: BaseException
    trace: str = ""
    is_of_all: bool = False


@dataclass(frozen=True, slots=True)
class Claimed:
    """A call that was not made, as somebody else computes it now.

    Attributes:
        key: What it is claimed by.
        op: The name of its op.
    """

    number: int
    key: Digest
    op: str


Done: TypeAlias = Made | Recorded | Reported
Ended: TypeAlias = Done | Raised
Unmade: TypeAlias = Apart | Claimed
Outcome: TypeAlias = Ended | Unmade


class Task(Protocol):
    """A call that any engine can run, in any process.

    Attributes:
        number: The number of its outcome.
    """

    number: int

    def __call__(self) -> Outcome:
        """Make the call."""
        ...

    def packed(self) -> Task:
        """Return it as it arrives in another process, or one that says why it cannot go there."""
        ...


class Said:
    """A task whose outcome is known already: where it is sent to, nothing is left to do."""

    __slots__ = ("number", "outcome")

    def __init__(self, outcome: Outcome) -> None:
        self.number, self.outcome = outcome.number, outcome

    def __call__(self) -> Outcome:
        return self.outcome

    def packed(self) -> Said:
        return self

    def __reduce__(self) -> tuple[Any, ...]:
        return Said, (self.outcome,)


def finished(storage: Storage, op: Op[..., Any], outcome: Done) -> Any:
    """Return what a call returns in the block, of a call that is stored.

    Raises:
        WorkerDiffers: It was made with code that is not the code of here.
    """
    if isinstance(outcome, Made):
        return outcome.result
    world, lookup = storage.world, storage._lookup
    facts = [from_line(line, content_id) for line in outcome.lines]
    call = facts[-1]
    assert isinstance(call, Call)  # the last line is that of the call
    if isinstance(outcome, Reported):
        world.learn([fact for fact in facts if isinstance(fact, Version)])
    else:
        world.learn(facts)
    if call.version is not None and world.version(call.version) is None:
        world.notice()  # the line of its version is on its way with another call
    if not lookup.is_valid(call):
        changed = tuple(f"{in_words(component)} is another" for component in lookup.changed(call))
        raise WorkerDiffers("", 0, changed)
    if isinstance(outcome, Reported):
        storage._recorder.reported(facts)
    if isinstance(outcome, Recorded) and outcome.is_reused:
        return storage._caller._hand_out(op, hit_of(call))
    storage._watch.computed(call.op)
    return op.options.outputs.join([ref_to(slot, storage) for slot in call.outputs])


def called(
    storage: Storage,
    op: Op[..., Any],
    args: tuple[Any, ...],
    kwargs: dict[str, Any],
    if_claimed: IfClaimed,
) -> Any:
    """Make a call in the block of here; return what it returns, run to its end.

    Raises:
        PutOff: Somebody else computes it, if it is put off then.
    """
    if storage._is_unsettled:
        storage._settle()
    caller = storage._caller
    make = caller.call_async if op.is_async else caller.call
    return to_the_end(make(op, args, kwargs, if_claimed), op)


def to_the_end(found: Any, op: Op[..., Any]) -> Any:
    """Return what a call returned, run to its end where it is asynchronous."""
    if not op.is_async:
        return found
    try:
        asyncio.get_running_loop()
    except RuntimeError:
        return asyncio.run(found)
    # In a notebook a loop runs already, and it cannot run another coroutine to its end.
    return _elsewhere(found)


def _elsewhere(coroutine: Any) -> Any:
    """Run a coroutine to its end in a thread of its own, in the context of here."""
    from concurrent.futures import ThreadPoolExecutor

    here = contextvars.copy_context()
    with ThreadPoolExecutor(1) as pool:
        return pool.submit(here.run, asyncio.run, coroutine).result()


def sendable(error: BaseException) -> tuple[BaseException, str]:
    """Return an exception that reaches another process, and where it was raised."""
    trace = "".join(traceback.format_exception(type(error), error, _from_the_body(error)))
    plain = Sending({}, lambda _: None)
    try:
        if type(in_worker(sent(error, plain))) is type(error):
            return error, trace
    except Exception:  # noqa: BLE001  whatever its own pickling raises
        pass
    kind = type(error)
    return RaisedElsewhere(f"{kind.__module__}.{kind.__qualname__}", str(error)), trace


def _from_the_body(error: BaseException) -> TracebackType | None:
    """Return where an exception was raised, from the body of the call on if it came as far as that."""
    found = error.__traceback__
    while found is not None and found.tb_frame.f_code.co_filename.startswith(_PACKAGE):
        found = found.tb_next
    return found or error.__traceback__


_PACKAGE = str(Path(__file__).parents[2]) + os.sep
