"""Running one call: from a request to an outcome, the same way wherever it runs.

Not look-ups, and not storing. Invariant: the outcome depends on the request and
the code alone; nothing is written, prompted or printed here.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Iterable, Mapping
from contextlib import AbstractContextManager, nullcontext
from contextvars import ContextVar
from dataclasses import dataclass, field
from typing import Any, Protocol

from gitmemo.codecs import Encoded, encode, inline
from gitmemo.codecs.scripts import main_name
from gitmemo.errors import InputMutated, Unencodable, Unhashable
from gitmemo.hashing import content_id, structure
from gitmemo.hashing.digest import Digest
from gitmemo.memo.signature import Outputs
from gitmemo.model.components import Component, Content
from gitmemo.model.facts import Inline

# What the main script defines has one id, however the program was started.
structure.main_module_name = main_name


class Capturing(Protocol):
    """What a capture of touched components offers while and after a call runs."""

    components: Mapping[Component, Content]
    mutated: tuple[Component, ...]

    def add(self, components: Mapping[Component, Content]) -> None:
        """Count `components` as touched: an inner call that was not run touched them."""
        ...


class Tracking(Protocol):
    """Something that can watch a call."""

    def capture(
        self, function: Callable[..., Any], *, arguments: Iterable[object] = ()
    ) -> AbstractContextManager[Capturing]:
        """Watch what the body of the `with` statement touches; `arguments` are plain values."""
        ...


class _Nothing:
    """The capture of a storage that does not version."""

    def __init__(self) -> None:
        self.components: Mapping[Component, Content] = {}
        self.mutated: tuple[Component, ...] = ()

    def add(self, components: Mapping[Component, Content]) -> None:
        """Ignore them."""


class NoTracking:
    """Watches nothing."""

    def capture(
        self, function: Callable[..., Any], *, arguments: Iterable[object] = ()
    ) -> AbstractContextManager[Capturing]:
        """Return an empty capture."""
        return nullcontext(_Nothing())


@dataclass(frozen=True, slots=True)
class CallRequest:
    """Everything needed to run one call.

    Attributes:
        op: The op's name, for errors.
        args, kwargs: Plain values, no refs.
        outputs: How the returned value is split.
        guarded: Raw inputs that the body could change in place: name to `(value, content id)`.
    """

    op: str
    function: Callable[..., Any]
    args: tuple[Any, ...]
    kwargs: Mapping[str, Any]
    outputs: Outputs
    guarded: Mapping[str, tuple[Any, Digest]] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Output:
    """One returned value, ready to be stored: inline or encoded, never both."""

    name: str
    value: Any
    cid: Digest
    inline: Inline | None
    encoded: Encoded | None


@dataclass(frozen=True, slots=True)
class CallOutcome:
    """What came of a call.

    Attributes:
        started_s: Seconds since the epoch.
        elapsed_s: Duration of the body alone, in seconds.
        components: What it touched.
        mutated: Those whose value the call itself changed.
        inner: History ids of the op calls that it made, in order.
        error: The exception that the body raised; then there are no outputs.
    """

    outputs: tuple[Output, ...]
    components: Mapping[Component, Content]
    inner: tuple[Digest, ...]
    started_s: float
    elapsed_s: float
    mutated: tuple[Component, ...] = ()
    error: BaseException | None = None


@dataclass(slots=True)
class Frame:
    """A call that is running in this context."""

    op: str
    capture: Capturing
    inner: list[Digest]


running: ContextVar[Frame | None] = ContextVar("gitmemo_running", default=None)
"""The innermost op call of this context, while its body runs."""


def execute(request: CallRequest, tracking: Tracking) -> CallOutcome:
    """Run `request`; an exception of the body is part of the outcome, not raised.

    Raises:
        InputMutated: The body changed a raw input in place.
        WrongOutputs: It returned another number of values than declared.
        Unhashable, Unencodable: A result cannot be stored; op and output are named.
    """
    inner: list[Digest] = []
    started, clock = time.time(), time.perf_counter()
    error: BaseException | None = None
    returned: Any = None
    arguments = (request.args, request.kwargs)
    with tracking.capture(request.function, arguments=arguments) as capture:
        token = running.set(Frame(request.op, capture, inner))
        clock = time.perf_counter()
        try:
            returned = request.function(*request.args, **request.kwargs)
        except BaseException as raised:  # noqa: BLE001  handed on unchanged in the outcome
            error = raised
        finally:
            elapsed = time.perf_counter() - clock
            running.reset(token)
    if error is not None:
        return CallOutcome(
            (), capture.components, tuple(inner), started, elapsed, capture.mutated, error
        )
    _refuse_mutation(request)
    outputs = tuple(
        _output(request.op, name, value)
        for name, value in request.outputs.split(request.op, returned)
    )
    return CallOutcome(outputs, capture.components, tuple(inner), started, elapsed, capture.mutated)


def _refuse_mutation(request: CallRequest) -> None:
    for name, (value, cid) in request.guarded.items():
        if content_id(value) != cid:
            raise InputMutated(request.op, name)


def _output(op: str, name: str, value: Any) -> Output:
    where = f"output {name!r} of {op}"
    cid, small = identify(value, where)
    return Output(name, value, cid, small, None if small else encoded(value, where))


def identify(value: Any, where: str) -> tuple[Digest, Inline | None]:
    """Return the content id of `value`, and its inline form if it has one; `where` names it in errors."""
    try:
        return content_id(value), inline(value)
    except Unhashable as error:
        raise Unhashable(error.type_name, error.path, error.reason, where) from None


def encoded(value: Any, where: str) -> Encoded:
    """Return the bytes of `value`; `where` names it in errors."""
    try:
        return encode(value)
    except Unencodable as error:
        raise Unencodable(error.type_name, error.reason, where) from None
