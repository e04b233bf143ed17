"""Which storage is active, per thread and task.

Not what a storage does. Invariant: leaving a block restores exactly what was
active before it, also when entering or the body failed.
"""

from __future__ import annotations

import contextvars
import threading
import warnings
from collections.abc import Callable, Iterator, Sequence
from contextlib import ExitStack, contextmanager
from contextvars import ContextVar
from functools import update_wrapper
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final, Generic, ParamSpec, TypeVar

from gitmemo.files import names

if TYPE_CHECKING:
    from gitmemo.memo.storage import Storage

P = ParamSpec("P")
R = TypeVar("R")


class Noop:
    """The type of `NOOP`."""


NOOP: Final = Noop()
"""What is active inside `with noop():`: ops run as plain functions, refs become values."""

_stack: ContextVar[tuple[Storage | Noop, ...]] = ContextVar("gitmemo_storages", default=())


class NotInBlock(UserWarning):
    """An op was called in a thread that is in no block, while another thread is in one."""

    def __init__(self, op: str) -> None:
        super().__init__(op)
        self.op = op

    def __str__(self) -> str:
        return (
            f"{self.op} was called in a thread that is in no storage block, so the call was not "
            "remembered; use `with storage:` in the thread, or give it gm.carried(function)"
        )


class _Open:
    """How many blocks are open in this process, in whatever thread."""

    def __init__(self) -> None:
        self.count = 0
        self.lock = threading.Lock()

    def add(self, number: int) -> None:
        with self.lock:
            self.count += number


_open = _Open()


def active() -> Storage | Noop | None:
    """Return the storage whose block encloses this point."""
    stack = _stack.get()
    return stack[-1] if stack else None


def push(storage: Storage | Noop) -> None:
    """Make `storage` the active one."""
    _stack.set((*_stack.get(), storage))
    _open.add(1)


def pop(storage: Storage | Noop) -> None:
    """Undo the last `push` of `storage`."""
    stack = _stack.get()
    if stack and stack[-1] is storage:
        _stack.set(stack[:-1])
        _open.add(-1)


def depth(storage: Storage) -> int:
    """Return how many blocks of `storage` enclose this point."""
    return _stack.get().count(storage)


@contextmanager
def noop() -> Iterator[None]:
    """Run ops as the plain functions that they decorate; refs among their arguments become values.

    Nothing is looked up or stored. Does nothing more where no storage is active.
    """
    push(NOOP)
    try:
        yield
    finally:
        pop(NOOP)


def carried(function: Callable[P, R]) -> Callable[P, R]:
    """Return `function` so that it runs in the blocks of here, wherever it is called.

    A new thread or process is in no block of its own: `pool.map(gm.carried(op), values)`. Refs
    that come back from a process bring their values along.
    """
    return _Carried(function)


class _Carried(Generic[P, R]):
    """A function, and the blocks in which it runs."""

    def __init__(self, function: Callable[P, R]) -> None:
        self._function = function
        self._here = contextvars.copy_context()
        update_wrapper(self, function, updated=())

    def __call__(self, *args: P.args, **kwargs: P.kwargs) -> R:
        return self._here.copy().run(self._function, *args, **kwargs)

    def __reduce__(self) -> tuple[Any, ...]:
        blocks = self._here.get(_stack, ())
        return _arrived, (self._function, [None if b is NOOP else b for b in blocks])


def _arrived(function: Callable[P, R], blocks: Sequence[Storage | None]) -> Callable[P, R]:
    """Return `function` in another process, in the same blocks."""

    def call(*args: P.args, **kwargs: P.kwargs) -> R:
        with ExitStack() as stack:
            for storage in blocks:
                stack.enter_context(noop() if storage is None else storage)
            return function(*args, **kwargs)

    return call


def warn_if_missed(op: str) -> None:
    """Warn where a call in another thread was probably meant to be remembered."""
    if _open.count and threading.current_thread() is not threading.main_thread():
        warnings.warn(NotInBlock(op), stacklevel=4)


def _project_root() -> Path | None:
    storage = active()
    if storage is None or isinstance(storage, Noop) or storage.project is None:
        return None
    return storage.project.root


# Where paths of stored files start is what the active storage says.
names.project_root = _project_root
