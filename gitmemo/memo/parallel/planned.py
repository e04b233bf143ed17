"""A call of a batch: what it waits for, what waits for it, and how it stands.

Not who decides when it runs (`batches`). Invariant: a call is finished, or over without a result,
once and for good.
"""

from __future__ import annotations

import copy
from collections import OrderedDict, deque
from collections.abc import Iterable
from enum import Enum, auto
from typing import TYPE_CHECKING, Any, Protocol

from gitmemo.errors import CallNotMade
from gitmemo.hashing import content_id
from gitmemo.hashing.digest import Digest
from gitmemo.memo.parallel.pending import PendingRef, become, pending
from gitmemo.memo.wording import call_in_words
from gitmemo.ref import IMMUTABLE, Ref, holds_refs, map_refs
from gitmemo.special import bare

if TYPE_CHECKING:
    from gitmemo.memo.op import Op

_MOST_COPIES = 16


class State(Enum):
    """How a call stands."""

    WAITING = auto()
    """For results of other calls."""
    READY = auto()
    RUNNING = auto()
    DONE = auto()
    FAILED = auto()
    LEFT_OUT = auto()
    """What it needs failed."""
    CANCELLED = auto()


_OPEN = frozenset({State.WAITING, State.READY, State.RUNNING})
_WORDS = {
    State.WAITING: "waits for others",
    State.READY: "not begun",
    State.RUNNING: "running",
    State.DONE: "finished",
    State.FAILED: "failed",
    State.LEFT_OUT: "not run: what it needs failed",
    State.CANCELLED: "not run: the batch ended",
}


class Waiting(Protocol):
    """The batch of a call."""

    def wait_for(self, call: Planned) -> None:
        """Return when a call is over."""
        ...


class Planned:
    """One call of a batch that was not stored when it was made.

    Attributes:
        number: Its place among the calls of the batch.
        refs: What its results will be; dropped when they are.
        waits_for: How many calls have to be finished before it can begin.
        before, after: Those calls, and the ones that wait for this one.
        key: Under what equal calls find it; None while its inputs are not known.
        same: The equal call that runs in its place.
        is_wanted: Whether the program waits for it, or for a call that needs it.
        failed: The call that raised, if it will never be finished: this one, or one that it needs.
        error: What that call raised, or what ended the batch.
        watcher: Where it is put when it is over, for who waits for the first of several.
        is_told: Whether the program was told of the error where it waited.
        is_dropped: Whether it was a map's that was broken off: if it fails nobody is told.
        seen: What its arguments were when it was made, but for refs.
    """

    __slots__ = (
        *(
            "after",
            "args",
            "batch",
            "before",
            "error",
            "failed",
            "is_dropped",
            "is_told",
            "is_wanted",
            "key",
            "kwargs",
        ),
        *("number", "op", "refs", "same", "seen", "state", "waits_for", "watcher", "words"),
    )

    def __init__(
        self,
        batch: Waiting,
        number: int,
        op: Op[..., Any],
        args: tuple[Any, ...],
        kwargs: dict[str, Any],
    ) -> None:
        self.batch, self.number, self.op, self.args, self.kwargs = batch, number, op, args, kwargs
        count = op.options.outputs.count
        self.refs: list[PendingRef[Any]] = [
            pending(self) for _ in range(1 if count is None else count)
        ]
        self.state = State.WAITING
        self.waits_for = 0
        self.before: tuple[Planned, ...] = ()
        self.after: list[Planned] = []
        self.key: Digest | None = None
        self.same: Planned | None = None
        self.is_wanted = self.is_told = self.is_dropped = False
        self.failed: Planned | None = None
        self.error: BaseException | None = None
        self.watcher: deque[Planned] | None = None
        self.words = ""
        self.seen = contents(op, args, kwargs)

    @property
    def is_over(self) -> bool:
        """Whether nothing will happen to it any more."""
        return self.state not in _OPEN

    def handed_out(self) -> Any:
        """Return what its caller receives now."""
        outputs = self.op.options.outputs
        return self.refs[0] if outputs.count is None else outputs.join(self.refs)

    def wait(self) -> None:
        """Return when its refs are ordinary ones.

        Raises:
            CallNotMade: The batch ended without it.
            Exception: What it raised, or a call that it needs.
        """
        self.batch.wait_for(self)
        if self.state is State.DONE:
            return
        if self.error is None:
            raise CallNotMade(self.words)
        if self.failed is not None:
            self.failed.is_told = True
        raise self.error

    def needs(self, others: Iterable[Planned]) -> None:
        """Let it begin only when these calls are finished."""
        self.before = tuple(dict.fromkeys(others))
        self.waits_for = len(self.before)
        for one in self.before:
            one.after.append(self)

    def finish(self, returned: Any) -> None:
        """Make its refs what the call returned."""
        many = self.op.options.outputs.count not in (None, 1)
        for ref, result in zip(self.refs, returned if many else (returned,), strict=True):
            become(ref, result)
        self._end(State.DONE)

    def fail(self, error: BaseException) -> list[Planned]:
        """Note what it raised; leave out what needs it, and return that."""
        self.failed, self.error = self, error
        return self._without(State.FAILED, State.LEFT_OUT)

    def leave_out(self, failed: Planned) -> list[Planned]:
        """Do not run it, as a call that it needs failed; leave out what needs it, and return that."""
        self.failed, self.error = failed, failed.error
        return self._without(State.LEFT_OUT, State.LEFT_OUT)

    def _without(self, state: State, rest: State) -> list[Planned]:
        found: list[Planned] = []
        todo = [*self.after]
        self._end(state)
        while todo:
            one = todo.pop()
            if not one.is_over:
                todo += one.after
                one.failed, one.error = self.failed, self.error
                one._end(rest)
                found.append(one)
        return found

    def cancel(self) -> tuple[list[Planned], list[Planned]]:
        """Do not run it any more, nor what needs it.

        Return what needs it, and the equal calls that waited for it: nothing is wrong with those.
        """
        alike = [one for one in self.after if one.same is self and not one.is_over]
        self.after = [one for one in self.after if one not in alike]
        for one in alike:
            one.same, one.before, one.waits_for = None, (), 0
        return self._without(State.CANCELLED, State.CANCELLED), alike

    def _end(self, state: State) -> None:
        if state is not State.DONE:
            self.words = self._as_text()
        self.state = state
        if self.watcher is not None:
            self.watcher.append(self)
        # A long chain must not be kept by its end, nor be freed by recursion.
        self.before = ()
        self.args, self.kwargs, self.refs, self.after = (), {}, [], []

    def in_words(self) -> str:
        """Say which call it is, and how it stands."""
        return f"{self.words or self._as_text()}: {_WORDS[self.state]}"

    def _as_text(self) -> str:
        args, kwargs = [
            map_refs(given, _later, (PendingRef,)) for given in (self.args, self.kwargs)
        ]
        return call_in_words(self.op, args, kwargs)


class _Later:
    """What stands for a pending ref in words: its own words could go on for as long as a chain is."""

    def __repr__(self) -> str:
        return "…"


def _later(_: object) -> _Later:
    return _Later()


class Uncopied(Exception):
    """An argument cannot be copied: its call can only be made at once."""


class Copies:
    """Arguments as they were when a call was made: the program may change them before it runs."""

    def __init__(self) -> None:
        self._made: OrderedDict[int, tuple[object, object]] = OrderedDict()

    def of_all(
        self, op: Op[..., Any], args: tuple[Any, ...], kwargs: dict[str, Any]
    ) -> tuple[tuple[Any, ...], dict[str, Any]]:
        """Return arguments that nobody else changes.

        Raises:
            Uncopied: One of them cannot be copied.
        """
        names = (*op.arguments.binder.names, *[""] * len(args))
        return (
            tuple([self._given(op, *each) for each in zip(names, args, strict=False)]),
            {name: self._given(op, name, value) for name, value in kwargs.items()},
        )

    def clear(self) -> None:
        """Forget them: who has the batch does not keep arguments."""
        self._made.clear()

    def _given(self, op: Op[..., Any], name: str, value: Any) -> Any:
        try:
            return self._of(value)
        except Uncopied:
            if op.arguments.is_ignored(name, value):  # connections, locks, bars
                return value
            raise

    def _of(self, value: Any) -> Any:
        if type(value) in IMMUTABLE or isinstance(value, Ref):
            return value
        if holds_refs(value):
            return _copied(value)
        before = self._made.get(id(value))
        if before is not None and _is_as(value, before[1]):
            return before[1]
        made = _copied(value)
        if made is not value:
            self._made[id(value)] = value, made  # the original too: its id stays its own
            while len(self._made) > _MOST_COPIES:
                self._made.popitem(last=False)
        return made


def _copied(value: Any) -> Any:
    try:
        made = copy.deepcopy(value)
    except Exception as error:  # whatever its own copying raises
        raise Uncopied from error
    if made is value and hasattr(type(value), "__deepcopy__") and not isinstance(value, Enum):
        raise Uncopied
    return made


def contents(
    op: Op[..., Any], args: tuple[Any, ...], kwargs: dict[str, Any]
) -> dict[str, Digest | None]:
    """Return the content of arguments that could be changed, but for refs in them, by name.

    A copy may share what it says cannot be copied, and a file can be written again.
    """
    if IMMUTABLE.issuperset(map(type, args)) and IMMUTABLE.issuperset(map(type, kwargs.values())):
        return {}
    return {
        name: _content(bare(value))
        for name, value in op.arguments.bind(args, kwargs).items()
        if type(value) not in IMMUTABLE
        and not isinstance(value, Ref)
        and not op.arguments.is_ignored(name, value)
    }


def _content(value: object) -> Digest | None:
    try:
        return content_id(map_refs(value, lambda _: None))
    except Exception:  # noqa: BLE001  whatever its own hashing raises
        return None


def _is_as(value: object, made: object) -> bool:
    try:
        return content_id(value) == content_id(made)
    except Exception:  # noqa: BLE001  whatever its own hashing raises
        return False
