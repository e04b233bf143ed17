"""Running one call: from a request to an outcome, the same way wherever it runs.

Not look-ups, and not storing. Invariant: the outcome depends on the request and
the code alone; nothing is written, prompted or printed here.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Iterable, Mapping
from contextlib import AbstractContextManager, nullcontext
from contextvars import ContextVar
from itertools import chain
from types import TracebackType
from typing import Any, NamedTuple, Protocol, Self

from gitmemo.codecs import Encoded, inline
from gitmemo.errors import InputMutated, NotAFile, Unencodable, Unhashable, WrongOutputs
from gitmemo.files import Dir, File
from gitmemo.hashing import content_id
from gitmemo.hashing.digest import Digest
from gitmemo.memo.annotations import Shape, Shapes
from gitmemo.memo.composing import composed, encoded
from gitmemo.memo.items import item_of, shaped
from gitmemo.memo.outputs import Outputs
from gitmemo.memo.secrecy import is_secret_by_name
from gitmemo.memo.stable import stable
from gitmemo.model.components import Component, Content
from gitmemo.model.items import Inline, Item, JsonValue, raw
from gitmemo.ref import IMMUTABLE, Ref, unwrap_all
from gitmemo.ref.leaves import scalar
from gitmemo.special import Transient
from gitmemo.tracing import AS_FOUND, Scope


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
        self,
        function: Callable[..., Any],
        *,
        static: bool,
        arguments: Iterable[object],
        scope: Scope,
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
        self,
        function: Callable[..., Any],
        *,
        static: bool,
        arguments: Iterable[object],
        scope: Scope,
    ) -> AbstractContextManager[Capturing]:
        """Return an empty capture."""
        return nullcontext(_Nothing())


# Tuples, for one of each is made in every call: a frozen dataclass takes four times as long.


class CallRequest(NamedTuple):
    """Everything needed to run one call.

    Attributes:
        op: The op's name, for errors.
        function: What is called; a coroutine function only by `execute_async`.
        args, kwargs: What the body receives.
        outputs: How the returned value is split, and what is kept of the parts.
        guarded: Raw inputs that the body could change in place: name to `(value, content id)`.
        collects: Whether the function is a generator: a list of its items is the result.
        also: What else counts as touched.
        static: Whether what is touched is read from the code instead of watched.
        scope: What the user said of its dependencies.
        sees_refs: Whether the body works on refs.
        shapes: Which outputs are collections of values.
    """

    op: str
    function: Callable[..., Any]
    args: tuple[Any, ...]
    kwargs: Mapping[str, Any]
    outputs: Outputs
    guarded: Mapping[str, tuple[Any, Digest]]
    collects: bool = False
    also: tuple[object, ...] = ()
    static: bool = False
    scope: Scope = AS_FOUND
    sees_refs: bool = False
    shapes: Shapes | None = None


class Output(NamedTuple):
    """One returned value, ready to be stored: inline, encoded, or neither if it is not to be.

    Attributes:
        item: What it is; None if nothing is kept. Items in it get histories with the call.
        is_stored: Whether its bytes are kept, here or somewhere already.
    """

    name: str
    value: Any
    item: Item | None
    encoded: Encoded | None
    is_stored: bool = True

    @property
    def cid(self) -> Digest | None:
        """Its content id; None if not even that is kept."""
        return self.item.cid if self.item else None


class CallOutcome(NamedTuple):
    """What came of a call.

    Attributes:
        started_s: Seconds since the epoch.
        elapsed_s: Duration of the body alone, in seconds.
        components: What it touched.
        mutated: Those whose value the call itself changed.
        inner: History ids of the op calls that it made, in order.
        error: The exception that the body raised; then there are no outputs.
        came: Where another tool ran it, what is known of that run, instead of the times here.
    """

    outputs: tuple[Output, ...]
    components: Mapping[Component, Content]
    inner: tuple[Digest, ...]
    started_s: float
    elapsed_s: float
    mutated: tuple[Component, ...] = ()
    error: BaseException | None = None
    came: Mapping[str, JsonValue] | None = None

    def or_raise(self) -> Self:
        """Return the outcome of a body that returned; raise what it raised."""
        if self.error is not None:
            raise self.error
        return self


class Frame:
    """A call that is running in this context.

    Attributes:
        sees_refs: Whether ops that it calls return refs.
    """

    # Not a dataclass: one is made in each call, before what its body touches is captured.
    __slots__ = ("capture", "inner", "op", "sees_refs")

    capture: Capturing

    def __init__(self, op: str, inner: list[Digest], *, sees_refs: bool) -> None:
        self.op, self.inner, self.sees_refs = op, inner, sees_refs


running: ContextVar[Frame | None] = ContextVar("gitmemo_running", default=None)
"""The innermost op call of this context, while its body runs."""


def execute(request: CallRequest, tracking: Tracking) -> CallOutcome:
    """Run `request`; an exception of the body is part of the outcome, not raised.

    Raises:
        InputMutated: The body changed a raw input in place.
        WrongOutputs: It returned another number of values than declared.
        Unhashable, Unencodable: A result cannot be stored; op and output are named.
            These errors hold what was returned as their `value`.
    """
    with _Run(request, tracking) as run:
        returned = request.function(*request.args, **request.kwargs)
        run.returned = list(returned) if request.collects else returned
    return run.outcome()


async def execute_async(request: CallRequest, tracking: Tracking) -> CallOutcome:
    """Do the same for a coroutine function, or for an asynchronous generator whose items are collected."""
    with _Run(request, tracking) as run:
        returned = request.function(*request.args, **request.kwargs)
        if request.collects:
            run.returned = [item async for item in returned]
        else:
            run.returned = await returned
    return run.outcome()


def executed_elsewhere(
    request: CallRequest, tracking: Tracking, returned: object, came: Mapping[str, JsonValue]
) -> CallOutcome:
    """Return the outcome of a call that another tool ran and that returned this; nothing runs.

    What it touched is read from the code: nobody watched it.

    Raises:
        WrongOutputs, Unhashable, Unencodable: As `execute`.
    """
    with _Run(request._replace(static=True), tracking) as run:
        run.returned = returned
    return run.outcome()._replace(came=came)


class _Run:
    """One body while it runs: watched, timed, and with its inner calls noted."""

    def __init__(self, request: CallRequest, tracking: Tracking) -> None:
        self.returned: Any = None
        self._request = request
        self._inner: list[Digest] = []
        self._error: BaseException | None = None
        self._files = _files(request)
        arguments = (request.args, request.kwargs, *request.also)
        self._watch = tracking.capture(
            request.function, arguments=arguments, static=request.static, scope=request.scope
        )

    def __enter__(self) -> _Run:
        frame = Frame(self._request.op, self._inner, sees_refs=self._request.sees_refs)
        self._started = time.time()
        # No function is called from here to the body: each would be watched, which costs.
        self._capture = frame.capture = self._watch.__enter__()
        self._token = running.set(frame)
        self._clock = time.perf_counter()
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> bool:
        self._elapsed = time.perf_counter() - self._clock
        running.reset(self._token)
        self._error = error
        self._watch.__exit__(kind, error, traceback)
        return True  # handed on unchanged in the outcome

    def outcome(self) -> CallOutcome:
        """Return what came of it."""
        outputs: tuple[Output, ...] = ()
        request = self._request
        if self._error is None:
            try:
                if request.guarded or self._files:
                    _refuse_mutation(request.op, request.guarded, self._files)
                outputs = _outputs(request, self.returned)
            except (InputMutated, WrongOutputs, Unhashable, Unencodable, NotAFile) as refused:
                refused.value = self.returned  # hours of work may be in it
                raise
        return CallOutcome(
            outputs,
            self._capture.components,
            tuple(self._inner),
            self._started,
            self._elapsed,
            self._capture.mutated,
            self._error,
        )


def _files(request: CallRequest) -> dict[str, tuple[Any, Digest]]:
    """Return the files that the body is given: a copy of a `File` is still the same file."""
    if not request.kwargs and IMMUTABLE.issuperset(map(type, request.args)):
        return {}
    values = (*request.args, *request.kwargs.values())
    return {str(v.path): (v, content_id(v)) for v in values if isinstance(v, (File, Dir))}


def _refuse_mutation(op: str, *guarded: Mapping[str, tuple[Any, Digest]]) -> None:
    for name, (value, cid) in chain.from_iterable(part.items() for part in guarded):
        try:
            same = content_id(value) == cid
        except NotAFile:  # the body deleted or moved it
            same = False
        if not same:
            raise InputMutated(op, name)


def _outputs(request: CallRequest, returned: object) -> tuple[Output, ...]:
    values = request.outputs.split(request.op, returned)
    count = len(values)
    shapes = request.shapes.outputs(count) if request.shapes else (None,) * count
    if count == 1:  # as nearly always
        name, value = values[0]
        return (_output(request, name, value, shapes[0]),)
    return tuple(
        [
            _output(request, name, value, shape)
            for (name, value), shape in zip(values, shapes, strict=True)
        ]
    )


def _output(request: CallRequest, name: str, value: Any, shape: Shape | None) -> Output:
    keep = request.outputs.keep(name) if request.outputs.kept else "always"
    if type(value) is Transient:
        keep, value = "never" if value.unhashable else "hash", value.obj
    if keep == "always" and is_secret_by_name(name, value):
        keep = "hash"
    if keep == "never":
        return Output(name, value, None, None, is_stored=False)
    if keep == "always" and type(value) in IMMUTABLE and (small := scalar(value)):
        return Output(name, value, small, None)
    where = f"output {name!r} of {request.op}"
    if isinstance(value, Ref):  # a superop hands on what an op returned
        item = item_of(value, whole=True)
        is_kept = item.inline or value.is_stored_alone
        data = None if is_kept else encoded(value.unwrap(), where)
    else:
        value = unwrap_all(value)  # a ref that the body found somewhere is not what it computed
        item, data = shaped(value, shape, where), None
        if not item.inline and keep != "hash":
            kept = stable(request.op, name, value, item.cid)
            if kept.cid != item.cid:
                value, item = kept.value, shaped(kept.value, shape, where)
            data = composed(item, value, where, _never) if item.parts else kept.encoded
    if keep == "hash":
        return Output(name, value, raw(item.cid), None, is_stored=False)
    return Output(name, value, item, data)


def _never(_: Digest) -> bool:
    return False


def identify(value: Any, where: str) -> tuple[Digest, Inline | None]:
    """Return the content id of `value`, and its inline form if it has one; `where` names it in errors."""
    try:
        return content_id(value), inline(value)
    except Unhashable as error:
        raise type(error)(error.type_name, error.path, error.reason, where) from None
