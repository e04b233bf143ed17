"""Calls as tasks: what goes to a worker, what the worker does, and what comes back.

Not the engines that run tasks. Invariant: a task that ran in another process has left its call in
the store, or says why not; it returns the record of the call, never a value.

`Work(storage)` is made once for many calls, in a block of the storage. `work.task(number, op, args,
kwargs)` is a callable that any engine can run, here or in another process. It returns an `Outcome`
with that number, and never raises an exception of the call. `finished(storage, op, outcome)` turns
it into what the call returns in the block, in the driver.
"""

from __future__ import annotations

import asyncio
import contextvars
import os
import sys
import threading
import traceback
from collections import OrderedDict
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from types import CodeType, ModuleType
from typing import TYPE_CHECKING, Any, Protocol, TypeAlias

from gitmemo.codecs.pickles import Sending, in_worker, sent
from gitmemo.errors import RaisedElsewhere, UnknownRef, WorkerDiffers
from gitmemo.hashing import content_id
from gitmemo.hashing.digest import Digest
from gitmemo.memo import context
from gitmemo.memo.opening import moved
from gitmemo.memo.parallel import mains
from gitmemo.memo.parallel.apart import OwnClone, code_as_sent
from gitmemo.memo.parallel.handshake import Terms, differences, place_of_here, terms_of_here
from gitmemo.memo.parallel.mains import Main, as_main, main_of_here, standing_in
from gitmemo.memo.parallel.meeting import (
    Apart,
    Meeting,
    Reported,
    arranged,
    is_seen,
    leave_sign,
    share,
)
from gitmemo.memo.recorder import recorded
from gitmemo.model.components import in_words
from gitmemo.model.facts import Call, Value, Version
from gitmemo.model.lines import from_line, to_line
from gitmemo.ref import IMMUTABLE, MISSING, Ref, ref_to
from gitmemo.tracing import CodeState
from gitmemo.tracing.project import main_file
from gitmemo.world.view import values_behind

if TYPE_CHECKING:
    from gitmemo.memo.op import Op
    from gitmemo.memo.storage import Storage

_MOST_KEPT = 64
"""Pieces of work that a worker keeps open at once."""


@dataclass(frozen=True, slots=True)
class Made:
    """A call that was made in this process; `result` is what it returned."""

    number: int
    result: Any


@dataclass(frozen=True, slots=True)
class Recorded:
    """A call that is stored: the lines of what is new about it, its own the last."""

    number: int
    lines: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Raised:
    """A call that raised; `trace` says where in a worker, and is empty for what was raised here."""

    number: int
    error: BaseException
    trace: str = ""


Done: TypeAlias = Made | Recorded | Reported
Ended: TypeAlias = Done | Raised
Outcome: TypeAlias = Ended | Apart


class Task(Protocol):
    """A call that any engine can run, in any process.

    Attributes:
        number: The number of its outcome.
    """

    number: int

    def __call__(self) -> Outcome:
        """Make the call."""
        ...

    def meet(self, those: Sequence[Apart]) -> None:
        """Get all tasks of its work ready for workers that do not see the folder of here."""
        ...


@dataclass(frozen=True, slots=True)
class _Header:
    """What a worker reads before anything else: plain data, which every version of Python reads."""

    token: bytes
    terms: Terms
    main: Main
    roots: tuple[str, ...]
    storage: tuple[Any, ...]
    sign: str
    meeting: Meeting | None = None


class Work:
    """What many calls of one storage have in common on their way to workers.

    It is made inside a block of the storage. Calls that stay in this process are made in the
    blocks, and with the context variables, of there.
    """

    def __init__(self, storage: Storage, *, is_far: bool = False) -> None:
        """`is_far` if workers may be on other hosts."""
        self.storage = storage
        self._here = contextvars.copy_context()
        self._is_far = is_far
        self._lock = threading.RLock()
        self._shipped: _Header | None = None
        self._ops: dict[Op[..., Any], bytes] = {}
        self._namespaces: dict[int, mains.Namespace] = {}
        self._shared: set[Digest] = set()

    def task(
        self, number: int, op: Op[..., Any], args: tuple[Any, ...], kwargs: dict[str, Any]
    ) -> Task:
        """Return a call as a task; it is pickled only where an engine sends it to another process."""
        return _Task(number, self, op, args, kwargs)

    def pack(self, op: Op[..., Any]) -> None:
        """Make ready what workers need for calls of `op`: so that it fails here, and not there.

        Raises:
            StorageInMemory: The storage cannot be opened in another process.
            Exception: Whatever pickling raises: the op, or what its code uses, cannot be sent.
        """
        self._packed(op)

    def meet(self, those: Sequence[Apart]) -> None:
        """Get ready for workers that do not see the folder of here; what they need goes to the remote.

        The tasks of `those` can be run again then.

        Raises:
            WorkersApart: They cannot work for this program.
        """
        with self._lock:
            header = self._header()
            if header.meeting is None:
                self._shipped = replace(header, meeting=arranged(self.storage, self))
                self._ops.clear()  # the files of their code are others there
            facts = [from_line(line, content_id) for one in those for line in one.lines]
            self._share([fact for fact in facts if isinstance(fact, Value)])

    def _share(self, values: Sequence[Value]) -> None:
        """Send values to the remote that came into play after workers were met."""
        with self._lock:
            new = [value for value in values if value.blob not in self._shared]
            if new:
                share(self.storage, new)
                self._shared.update(value.blob for value in new)

    def make(self, task: _Task) -> Outcome:
        """Make a call in this process."""
        try:
            found = self._here.copy().run(_called, self.storage, task.op, task.args, task.kwargs)
        except Exception as error:  # noqa: BLE001  whatever the op raises is its outcome
            return Raised(task.number, error)
        return Made(task.number, found)

    def send(self, task: _Task) -> tuple[Any, ...]:
        """Return how a task is pickled."""
        try:
            header, op = self._packed(task.op)
            known: list[Value] = []
            arguments = sent((task.args, task.kwargs), self._sending(known))
            lines = tuple(to_line(value) for value in known)
            if header.meeting is not None:
                self._share(known)
        except Exception as error:  # noqa: BLE001  the engine would stop for good
            return Raised, (task.number, *_sendable(error))
        return _Sent, (task.number, header, op, arguments, lines)

    def _packed(self, op: Op[..., Any]) -> tuple[_Header, bytes]:
        with self._lock:
            header, packed = self._header(), self._ops.get(op)
            if packed is None:
                packed = self._ops[op] = self._op_as_sent(op)
            return header, packed

    def _header(self) -> _Header:
        if self._shipped is None:
            code = code_of(self.storage)
            self._namespaces = mains.namespaces(code)
            terms = terms_of_here(code, is_far=self._is_far)
            address = self.storage.__reduce__()
            roots = _import_roots(self.storage)
            sign = leave_sign(self.storage, self) if self._is_far else ""
            self._shipped = _Header(os.urandom(8), terms, main_of_here(), roots, address, sign)
        return self._shipped

    def _op_as_sent(self, op: Op[..., Any]) -> bytes:
        needed = mains.names_needed(op, code_of(self.storage))
        return sent((op, needed), self._sending([]))

    def _sending(self, known: list[Value]) -> Sending:
        """Return how refs and globals go; where the values of refs are is noted in `known`."""
        meeting = self._shipped.meeting if self._shipped else None
        root = meeting.root if meeting else None

        def reduced(thing: object) -> tuple[Any, ...] | None:
            if isinstance(thing, mains.Namespace):
                return mains.namespace_of, (thing["module"],)
            if isinstance(thing, CodeType) and root is not None:
                return code_as_sent(thing, root)
            if isinstance(thing, Ref) and thing._loader is self.storage and thing._within is None:
                return self._ref_as_sent(thing, known)
            return mains.cache_as_sent(thing)

        return Sending(self._namespaces, reduced)

    def _ref_as_sent(self, ref: Ref[Any], known: list[Value]) -> tuple[Any, ...] | None:
        """Return a ref without its value, if that is stored: the worker reads it there."""
        state = list(ref.__getstate__())
        if type(ref._obj) not in IMMUTABLE:
            values = values_behind(self.storage.world, [ref._cid]) if ref._inline is None else []
            known += values
            if ref._obj is not MISSING and not values:
                return None  # nothing of it is kept but what is at hand
            state[3] = MISSING
        return _arrived, (type(ref), tuple(state))


class _Task:
    """One call; where it is pickled, what arrives is a `_Sent`."""

    __slots__ = ("args", "kwargs", "number", "op", "work")

    def __init__(
        self,
        number: int,
        work: Work,
        op: Op[..., Any],
        args: tuple[Any, ...],
        kwargs: dict[str, Any],
    ) -> None:
        self.number, self.work, self.op, self.args, self.kwargs = number, work, op, args, kwargs

    def __call__(self) -> Outcome:
        return self.work.make(self)

    def meet(self, those: Sequence[Apart]) -> None:
        self.work.meet(those)

    def __reduce__(self) -> tuple[Any, ...]:
        return self.work.send(self)


class _Sent:
    """A call that was sent to this process; nothing is read before it is asked for."""

    __slots__ = ("arguments", "header", "known", "number", "op")

    def __init__(
        self, number: int, header: _Header, op: bytes, arguments: bytes, known: tuple[str, ...]
    ) -> None:
        self.number, self.header, self.op = number, header, op
        self.arguments, self.known = arguments, known

    def __call__(self) -> Outcome:
        try:
            work = _open_works.of(self.header)
            return Apart(self.number, self.known) if work is None else work.make(self)
        except BaseException as error:
            if isinstance(error, KeyboardInterrupt):
                raise
            return Raised(self.number, *_sendable(error))

    def __reduce__(self) -> tuple[Any, ...]:
        return _Sent, (self.number, self.header, self.op, self.arguments, self.known)


class _OpenWork:
    """What a worker keeps of a `Work`: its storage, its ops, and the driver's main script."""

    def __init__(self, header: _Header) -> None:
        """Open the storage, or that of this worker's own clone; take notice of what is in it.

        Raises:
            WorkerDiffers: This process has other code than the driver, or other packages.
            WorkersApart: The driver's folder is not seen from here, and there is no such clone.
        """
        is_apart = header.meeting is not None and not is_seen(header.sign)
        self._own = own = OwnClone(header.meeting) if header.meeting and is_apart else None
        self._moved = (header.storage[1][0], own.root) if own else None
        roots = [own.path(root) if own else root for root in header.roots]
        sys.path += [root for root in roots if root not in sys.path]
        reopen, address = header.storage
        with _StandingFor(self._moved):
            storage: Storage = reopen(*address)
        code = code_of(storage)
        self.storage = storage
        self._main = own.main(header.main) if own else header.main
        self._module: ModuleType = standing_in(self._main)
        if code is not None:
            code.modules.stands_in(self._module)
        self._ops: dict[bytes, Op[..., Any]] = {}
        self._told: set[bytes] = set()
        self._lock = threading.RLock()
        with as_main(self._module, self._main):
            found = differences(header.terms, code)
            if found:
                raise WorkerDiffers(place_of_here()[0], os.getpid(), found)
            with storage:
                pass

    def make(self, sent: _Sent) -> Recorded | Reported:
        """Make a call the ordinary way; return the lines of its record and what is behind it."""
        with as_main(self._module, self._main), _StandingFor(self._moved):
            token = _arriving.set(self.storage)
            try:
                op = self._op(sent.op)
                args, kwargs = in_worker(sent.arguments)
            finally:
                _arriving.reset(token)
            self.storage.world.learn([from_line(line, content_id) for line in sent.known])
            call, made = self._record_of(op, args, kwargs)
            if self._own is not None:
                return Reported(sent.number, tuple(self._own.lines(self.storage, call, made)))
            return Recorded(sent.number, tuple(self._lines(call)))

    def _op(self, data: bytes) -> Op[..., Any]:
        with self._lock:
            op = self._ops.get(data)
            if op is None:
                op, needed = in_worker(data)
                vars(self._module).update(needed)
                self._ops[data] = op
            return op

    def _record_of(
        self, op: Op[..., Any], args: tuple[Any, ...], kwargs: dict[str, Any]
    ) -> tuple[Call, list[Call]]:
        """Return the record of a call, and all that were recorded meanwhile."""
        storage, noted = self.storage, list[Call]()
        context.push(storage)
        token = recorded.set(noted)
        try:
            _called(storage, op, args, kwargs)
            # The inner calls come before it. Of one that was stored already nothing is recorded.
            return (noted[-1] if noted else self._stored(op, args, kwargs)), noted
        finally:
            recorded.reset(token)
            context.pop(storage)

    def _stored(self, op: Op[..., Any], args: tuple[Any, ...], kwargs: dict[str, Any]) -> Call:
        """Return the record of a call that was found."""
        found = self.storage._lookup.find(self.storage._caller.prepare(op, args, kwargs))
        if found is None:
            raise UnknownRef(op.qualname)
        return found.call

    def _lines(self, call: Call) -> Iterator[str]:
        world = self.storage.world
        version = world.version(call.version) if call.version else None
        if version is not None and version.id not in self._told:
            self._told.add(version.id)
            yield to_line(version)
        for value in values_behind(world, [slot.cid for slot in call.outputs if not slot.inline]):
            yield to_line(value)
        yield to_line(call)


class _OpenWorks:
    """The pieces of work that this process has open, the last ones."""

    def __init__(self) -> None:
        self._lock = threading.RLock()
        self._open: OrderedDict[bytes, _OpenWork] = OrderedDict()

    def of(self, header: _Header) -> _OpenWork | None:
        """Return a piece of work; None if the driver's folder is not seen, and nothing arranged."""
        with self._lock:
            found = self._open.get(header.token)
            if found is None:
                if header.meeting is None and not is_seen(header.sign):
                    return None
                found = self._open[header.token] = _OpenWork(header)
                while len(self._open) > _MOST_KEPT:
                    self._open.popitem(last=False)
            self._open.move_to_end(header.token)
            return found


_open_works = _OpenWorks()
_arriving: contextvars.ContextVar[Storage] = contextvars.ContextVar("gitmemo_arriving")


class _StandingFor:
    """A block in which the driver's storage is the one of this worker's clone, where it is named.

    A class: what `@contextmanager` sets on exceptions, some refuse.
    """

    def __init__(self, there: tuple[Path, Path] | None) -> None:
        self._there = there

    def __enter__(self) -> None:
        self._token = moved.set(self._there)

    def __exit__(self, *_: object) -> None:
        moved.reset(self._token)


def _import_roots(storage: Storage) -> tuple[str, ...]:
    """Return the folders in which this program finds its modules, but for installed packages."""
    own = storage.project
    root = own.root if own is not None else None
    if own is None or root is None:
        file = main_file()
        return (str(Path(file).resolve().parent),) if file else ()
    inside = [entry for entry in sys.path if entry and Path(entry).resolve().is_relative_to(root)]
    folders = [str(root / folder) for folder in own.source_roots]
    return tuple(dict.fromkeys([*inside, *folders, str(root)]))


def _arrived(kind: type[Ref[Any]], state: tuple[Any, ...]) -> Ref[Any]:
    ref = object.__new__(kind)
    ref.__setstate__(state)
    ref._loader = _arriving.get()
    return ref


def code_of(storage: Storage) -> CodeState | None:
    """Return the running code that a storage versions; None if it versions none."""
    return storage._code if isinstance(storage._code, CodeState) else None


def _called(
    storage: Storage, op: Op[..., Any], args: tuple[Any, ...], kwargs: dict[str, Any]
) -> Any:
    return to_the_end(storage.call(op, args, kwargs), op)


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


def _sendable(error: BaseException) -> tuple[BaseException, str]:
    """Return an exception that reaches another process, and where it was raised."""
    trace = "".join(traceback.format_exception(error))
    plain = Sending({}, lambda _: None)
    try:
        if type(in_worker(sent(error, plain))) is type(error):
            return error, trace
    except Exception:  # noqa: BLE001  whatever its own pickling raises
        pass
    kind = type(error)
    return RaisedElsewhere(f"{kind.__module__}.{kind.__qualname__}", str(error)), trace


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
    storage.counter.computed += 1
    return op.options.outputs.join([ref_to(slot, storage) for slot in call.outputs])
