"""What a worker keeps open of a driver's work, and how it makes the calls that it is sent.

Not what the driver sends (`work`). Invariant: nothing that was sent is read before the hand-shake;
a call that was made here is in the store, or says why not.
"""

from __future__ import annotations

import contextvars
import os
import sys
import threading
from collections import OrderedDict
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from types import ModuleType
from typing import TYPE_CHECKING, Any

from gitmemo.codecs.pickles import in_worker
from gitmemo.errors import UnknownRef, WorkerDiffers
from gitmemo.hashing import content_id
from gitmemo.memo import context
from gitmemo.memo.opening import moved
from gitmemo.memo.parallel.apart import OwnClone
from gitmemo.memo.parallel.handshake import Terms, code_of, differences, place_of_here
from gitmemo.memo.parallel.mains import Main, as_main, standing_in
from gitmemo.memo.parallel.meeting import Apart, Meeting, Reported, is_seen
from gitmemo.memo.parallel.orphans import end_with_program
from gitmemo.memo.parallel.outcomes import Claimed, Outcome, Raised, Recorded, called, sendable
from gitmemo.memo.recorder import recorded
from gitmemo.memo.waiting import IfClaimed, PutOff
from gitmemo.model.facts import Call
from gitmemo.model.lines import from_line, to_line
from gitmemo.ref import Ref
from gitmemo.world.view import values_behind

if TYPE_CHECKING:
    from gitmemo.memo.op import Op
    from gitmemo.memo.storage import Storage

_MOST_KEPT = 64
"""Pieces of work that a worker keeps open at once."""


@dataclass(frozen=True, slots=True)
class Header:
    """What a worker reads before anything else: plain data, which every version of Python reads."""

    token: bytes
    terms: Terms
    main: Main
    roots: tuple[str, ...]
    storage: tuple[Any, ...]
    sign: str
    meeting: Meeting | None = None


class Sent:
    """A call that was sent to this process; nothing is read before it is asked for."""

    __slots__ = ("arguments", "header", "known", "number", "op")

    def __init__(
        self, number: int, header: Header, op: bytes, arguments: bytes, known: tuple[str, ...]
    ) -> None:
        self.number, self.header, self.op = number, header, op
        self.arguments, self.known = arguments, known

    def __call__(self) -> Outcome:
        is_ready = False
        try:
            work = _open_works.of(self.header)
            if work is None:
                return Apart(self.number, self.known)
            work.read(self.op)
            is_ready = True
            return work.make(self)
        except PutOff as put_off:
            return Claimed(self.number, put_off.key, put_off.op)
        except KeyboardInterrupt:
            raise
        except BaseException as error:  # noqa: BLE001  whatever the op raises is its outcome
            return Raised(self.number, *sendable(error), is_of_all=not is_ready)

    def packed(self) -> Sent:
        return self

    def __reduce__(self) -> tuple[Any, ...]:
        return Sent, (self.number, self.header, self.op, self.arguments, self.known)


class _OpenWork:
    """What a worker keeps of a `Work`: its storage, its ops, and the driver's main script."""

    def __init__(self, header: Header) -> None:
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
        if not header.main.is_here:
            storage._thaw()
        self._main = own.main(header.main) if own else header.main
        self._module: ModuleType = standing_in(self._main)
        if code is not None and not self._main.is_here:
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

    def read(self, op: bytes) -> None:
        """Make ready what all calls of an op need."""
        if op not in self._ops:
            with as_main(self._module, self._main), _StandingFor(self._moved), _Read(self.storage):
                self._op(op)

    def make(self, sent: Sent) -> Recorded | Reported:
        """Make a call the ordinary way; return the lines of its record and what is behind it."""
        with as_main(self._module, self._main), _StandingFor(self._moved):
            with _Read(self.storage):
                op = self._op(sent.op)
                args, kwargs = in_worker(sent.arguments)
            self.storage.world.learn([from_line(line, content_id) for line in sent.known])
            call, made = self._record_of(op, args, kwargs, self._if_claimed(sent.header))
            if self._own is not None:
                return Reported(sent.number, tuple(self._own.lines(self.storage, call, made)))
            return Recorded(sent.number, tuple(self._lines(call)), is_reused=not made)

    def _if_claimed(self, header: Header) -> IfClaimed:
        if self._own is not None:
            return IfClaimed.WAIT  # of claims in this clone the driver knows nothing
        return IfClaimed.PUT_OFF if header.meeting is None else IfClaimed.MAKE

    def _op(self, data: bytes) -> Op[..., Any]:
        with self._lock:
            op = self._ops.get(data)
            if op is None:
                op, needed = in_worker(data)
                if not self._main.is_here:
                    vars(self._module).update(needed)
                self._ops[data] = op
            return op

    def _record_of(
        self,
        op: Op[..., Any],
        args: tuple[Any, ...],
        kwargs: dict[str, Any],
        if_claimed: IfClaimed,
    ) -> tuple[Call, list[Call]]:
        """Return the record of a call, and all that were recorded meanwhile."""
        storage, noted = self.storage, list[Call]()
        context.push(storage)
        token = recorded.set(noted)
        try:
            called(storage, op, args, kwargs, if_claimed)
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

    def of(self, header: Header) -> _OpenWork | None:
        """Return a piece of work; None if the driver's folder is not seen, and nothing arranged."""
        with self._lock:
            found = self._open.get(header.token)
            if found is None:
                if header.meeting is None and not is_seen(header.sign):
                    return None
                end_with_program()
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


class _Read:
    """A block in which refs that are read belong to a storage."""

    def __init__(self, storage: Storage) -> None:
        self._storage = storage

    def __enter__(self) -> None:
        self._token = _arriving.set(self._storage)

    def __exit__(self, *_: object) -> None:
        _arriving.reset(self._token)


def arrived(kind: type[Ref[Any]], state: tuple[Any, ...]) -> Ref[Any]:
    ref = object.__new__(kind)
    ref.__setstate__(state)
    ref._loader = _arriving.get()
    return ref
