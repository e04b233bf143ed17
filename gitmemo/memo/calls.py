"""Calls as people meet them: what happened to one, how many there were, what one holds.

Not how calls are made (`caller`). Invariant: nothing here changes a storage.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from enum import StrEnum
from typing import Any, NamedTuple, TypeAlias

from gitmemo.errors import NewCallRefused
from gitmemo.frozen import Event, Frozen
from gitmemo.hashing.digest import Digest, to_hex
from gitmemo.model.components import Component, in_words
from gitmemo.model.facts import Call, Slot
from gitmemo.ref import Loader, Ref, ref_to
from gitmemo.short_ids import SHOWN_DIGITS


class Reason(StrEnum):
    """Why a call was, or was not, taken from the storage."""

    HIT = "hit"
    NEW_INPUTS = "new inputs"
    CODE_CHANGED = "code changed"
    BYTES_MISSING = "bytes missing"


@dataclass(frozen=True, slots=True)
class CallEvent:
    """What happened to one call.

    Attributes:
        op: The op's name.
        reason: Why it was, or was not, taken from the storage.
        changed: For `CODE_CHANGED`: what differs from the nearest stored call.
        elapsed_s: For a hit the stored duration; None before the call is run.
    """

    op: str
    reason: Reason
    changed: tuple[Component, ...] = ()
    elapsed_s: float | None = None

    def sentence(self) -> str:
        """Say it in one line, for the terminal."""
        match self.reason:
            case Reason.HIT:
                saved = self.elapsed_s or 0.0
                return f"hit   {self.op}" + (f" (saved {saved:.2g} s)" if saved > 0.001 else "")
            case Reason.NEW_INPUTS:
                return f"run   {self.op}: not computed before with these inputs"
            case Reason.BYTES_MISSING:
                return f"run   {self.op}: computed before, but its result is not on this machine"
            case Reason.CODE_CHANGED:
                return f"run   {self.op}: {', '.join(map(in_words, self.changed))} changed"


class NotDeterministic(UserWarning):
    """A call that was computed again returned something else than before."""

    def __init__(self, op: str) -> None:
        super().__init__(op)
        self.op = op

    def __str__(self) -> str:
        return (
            f"{self.op} was computed again and returned another result: it depends on more than "
            "its arguments and the code; pass seeds, files and times in"
        )


Observer: TypeAlias = Callable[[CallEvent], None]


class Counter:
    """How many calls were reused and computed, and what that saved.

    Attributes:
        reused: How many calls were not run.
        computed: How many were, and returned.
        failed: How many calls raised, here or in a worker.
        saved_s: How long the reused calls took when they were run, in seconds.
    """

    def __init__(self) -> None:
        self.reused = 0
        self.computed = 0
        self.failed = 0
        self.saved_s = 0.0

    def __repr__(self) -> str:
        return f"Counter(reused={self.reused}, computed={self.computed})"


class Watch:
    """What is known of a storage's calls while they happen: counts, and who wants to be told.

    Attributes:
        frozen: Who is told of new calls, where a run must not have any.
    """

    def __init__(self) -> None:
        self.counter = Counter()
        self.observer: Observer | None = None
        self.frozen: Frozen | None = None

    def tell(self, event: Callable[[], CallEvent]) -> None:
        """Tell the observer of an event, which is only made if there is one."""
        if self.observer:
            self.observer(event())

    def refused(self, op: str, why: Reason) -> NewCallRefused:
        """Note a new call that is not allowed; return what is to be raised."""
        if self.frozen:
            self.frozen.note(Event.REFUSED, op)
        return NewCallRefused(op, why.value)

    def computed(self, op: str) -> None:
        """Count a call that was run, and returned."""
        self.counter.computed += 1
        if self.frozen:
            self.frozen.note(Event.COMPUTED, op)

    def reused(self, hit: Hit) -> None:
        """Count a call that was not run."""
        self.counter.reused += 1
        self.counter.saved_s += hit.elapsed_s
        if self.observer:
            self.observer(CallEvent(hit.op, Reason.HIT, (), hit.elapsed_s))


# A tuple, for one is made of every call that is read ahead: a frozen dataclass takes four times
# as long.
class Hit(NamedTuple):
    """What is kept of a stored call to hand it out again; the whole call takes several times more.

    Attributes:
        version, hid, outputs: Those of the call.
        elapsed_s: How long the call took when it was run, in seconds.
    """

    op: str
    version: Digest | None
    hid: Digest
    outputs: tuple[Slot, ...]
    elapsed_s: float


def hit_of(call: Call) -> Hit:
    """Return `call` as a hit."""
    return Hit(call.op, call.version, call.hid, call.outputs, call.seconds)


class CallView:
    """A stored call, with refs for what went in and came out.

    Attributes:
        op: The op's name.
        inputs: Lazy refs to what went in, by name.
        outputs: Lazy refs to what came out, by name.
        run: When it started, how long it took, at which commit.
    """

    def __init__(self, call: Call, loader: Loader) -> None:
        self.op = call.op
        self.cid, self.hid = to_hex(call.cid), to_hex(call.hid)
        self.inputs: dict[str, Ref[Any]] = {s.name: ref_to(s, loader) for s in call.inputs}
        self.outputs: dict[str, Ref[Any]] = {s.name: ref_to(s, loader) for s in call.outputs}
        self.run = dict(call.run)

    def __repr__(self) -> str:
        return f"Call({self.op.rpartition(':')[2]}, hid={self.hid[:SHOWN_DIGITS]}...)"

    def _repr_html_(self) -> str:
        from gitmemo import markup
        from gitmemo.ref.page import text_of

        sides = {"input": self.inputs, "output": self.outputs}
        rows = [
            (side, name, text_of(ref), f"{ref.hid[:SHOWN_DIGITS]}…")
            for side, refs in sides.items()
            for name, ref in refs.items()
        ]
        ran = ", ".join(f"{name} {value}" for name, value in self.run.items())
        table = markup.table(("", "name", "value", "history id"), rows)
        return markup.block(markup.heading(repr(self)), table, markup.line(ran))
