"""Calls as tasks: what a driver sends to workers, and how.

Not the engines that run tasks, nor what workers do with them (`opened`). Invariant: what is sent
names values by their content ids; those that are stored stay where they are.

`Work(storage)` is made once for many calls, in a block of the storage. `work.task(number, op, args,
kwargs, key)` is a callable that any engine can run, here or in another process. It returns an `Outcome`
with that number, and never raises an exception of the call. `outcomes.finished(storage, op, outcome)`
turns it into what the call returns in the block, in the driver.
"""

from __future__ import annotations

import contextvars
import os
import sys
import threading
from collections.abc import Sequence
from contextvars import ContextVar
from dataclasses import replace
from pathlib import Path
from types import CodeType
from typing import TYPE_CHECKING, Any

from gitmemo.codecs.pickles import Sending, sent
from gitmemo.hashing import content_id
from gitmemo.hashing.digest import Digest
from gitmemo.memo.parallel import mains
from gitmemo.memo.parallel.apart import code_as_sent
from gitmemo.memo.parallel.handshake import code_of, terms_of_here
from gitmemo.memo.parallel.mains import main_of_here
from gitmemo.memo.parallel.meeting import Apart, arranged, leave_sign, share
from gitmemo.memo.parallel.opened import Header, Sent, arrived
from gitmemo.memo.parallel.outcomes import (
    Claimed,
    Made,
    Outcome,
    Raised,
    Said,
    Task,
    called,
    sendable,
)
from gitmemo.memo.parallel.proxies import ProxyClaims
from gitmemo.memo.waiting import IfClaimed, PutOff, until_one_is_free
from gitmemo.model.facts import Value
from gitmemo.model.lines import from_line, to_line
from gitmemo.ref import IMMUTABLE, MISSING, Ref
from gitmemo.tracing.project import main_file
from gitmemo.world.view import values_behind

if TYPE_CHECKING:
    from gitmemo.memo.op import Op
    from gitmemo.memo.storage import Storage


in_task: ContextVar[bool] = ContextVar("gitmemo_in_task", default=False)
"""Whether this is a task, from before the body begins until after it has ended."""


class Work:
    """What many calls of one storage have in common on their way to workers.

    It is made inside a block of the storage. Calls that stay in this process are made in the
    blocks, and with the context variables, of there.
    """

    def __init__(self, storage: Storage, *, is_far: bool = False) -> None:
        """`is_far` if workers may be on other hosts."""
        self.storage = storage
        self._here = contextvars.copy_context()
        self._here.run(in_task.set, True)
        self._is_far = is_far
        self._lock = threading.RLock()
        self._shipped: Header | None = None
        self._ops: dict[Op[..., Any], bytes] = {}
        self._namespaces: dict[int, mains.Namespace] = {}
        self._shared: set[Digest] = set()
        self._proxies = ProxyClaims(storage)

    def task(
        self,
        number: int,
        op: Op[..., Any],
        args: tuple[Any, ...],
        kwargs: dict[str, Any],
        key: Digest,
    ) -> Task:
        """Return a call as a task; it is pickled only where an engine sends it to another process.

        `key` is what the call was looked up by.
        """
        return _Task(number, self, op, args, kwargs, key)

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
                self._proxies.begin()
            facts = [from_line(line, content_id) for one in those for line in one.lines]
            self._share([fact for fact in facts if isinstance(fact, Value)])

    def _share(self, values: Sequence[Value]) -> None:
        """Send values to the remote that came into play after workers were met."""
        with self._lock:
            new = [value for value in values if value.blob not in self._shared]
            if new:
                share(self.storage, new)
                self._shared.update(value.blob for value in new)

    def stand_by(self, those: Sequence[Claimed], pause_s: float) -> None:
        """Wait until one of these calls is not computed by others, and for `pause_s` seconds."""
        until_one_is_free(self.storage.world.claims, {one.key: one.op for one in those}, pause_s)

    def let_go(self, number: int) -> None:
        """Take notice that a call is over: what it returned, if it did, is recorded."""
        self._proxies.let_go(number)

    def end(self) -> None:
        """Take notice that nobody waits for what has not come back."""
        self._proxies.end()

    def make(self, task: _Task) -> Outcome:
        """Make a call in this process, unless somebody else computes it."""
        given = self.storage, task.op, task.args, task.kwargs
        try:
            found = self._here.copy().run(called, *given, IfClaimed.PUT_OFF)
        except PutOff as put_off:
            return Claimed(task.number, put_off.key, put_off.op)
        except Exception as error:  # noqa: BLE001  whatever the op raises is its outcome
            return Raised(task.number, error)
        return Made(task.number, found)

    def packed(self, task: _Task) -> Sent | Said:
        """Return a task as it arrives in another process, or why it cannot go there."""
        try:
            header, op = self._packed(task.op)
            known: list[Value] = []
            arguments = sent((task.args, task.kwargs), self._sending(known))
            lines = tuple(to_line(value) for value in known)
            if header.meeting is not None:
                self._share(known)
                said = self._proxies.claim(task.number, task.op, task.args, task.kwargs, task.key)
                if said is not None:
                    return Said(said)
        except Exception as error:  # noqa: BLE001  the engine would stop for good
            return Said(Raised(task.number, *sendable(error)))
        return Sent(task.number, header, op, arguments, lines)

    def _packed(self, op: Op[..., Any]) -> tuple[Header, bytes]:
        with self._lock:
            header, packed = self._header(), self._ops.get(op)
            if packed is None:
                packed = self._ops[op] = self._op_as_sent(op)
            return header, packed

    def _header(self) -> Header:
        if self._shipped is None:
            code = code_of(self.storage)
            self._namespaces = mains.namespaces(code)
            terms = terms_of_here(code, is_far=self._is_far)
            address = self.storage._address()
            roots = _import_roots(self.storage)
            sign = leave_sign(self.storage, self) if self._is_far else ""
            main = main_of_here(code.project.notebook() if code else None)
            self._shipped = Header(os.urandom(8), terms, main, roots, address, sign)
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
        return arrived, (type(ref), tuple(state))


class _Task:
    """One call; where it is pickled, what arrives is a `Sent`."""

    __slots__ = ("args", "key", "kwargs", "number", "op", "work")

    def __init__(
        self,
        number: int,
        work: Work,
        op: Op[..., Any],
        args: tuple[Any, ...],
        kwargs: dict[str, Any],
        key: Digest,
    ) -> None:
        self.number, self.work, self.op, self.args, self.kwargs = number, work, op, args, kwargs
        self.key = key

    def __call__(self) -> Outcome:
        return self.work.make(self)

    def packed(self) -> Sent | Said:
        return self.work.packed(self)

    def __reduce__(self) -> tuple[Any, ...]:
        return self.packed().__reduce__()


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
