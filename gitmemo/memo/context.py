"""Which storage is active, per thread and task.

Not what a storage does, nor how blocks get to other threads (`carrying`).
Invariant: leaving a block restores exactly what was active before it, also when
entering or the body failed.
"""

from __future__ import annotations

import threading
from abc import ABC, abstractmethod
from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import Context, ContextVar
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final, Protocol

from gitmemo.files import names

if TYPE_CHECKING:
    from gitmemo.memo.op import Op
    from gitmemo.memo.storage import Storage


class Noop:
    """The type of `NOOP`."""


NOOP: Final = Noop()
"""What is active inside `with noop():`: ops run as plain functions, refs become values."""

DEFINING: Final = Noop()
"""What is active while a file is imported only for what it defines: nothing runs, no block begins."""


class Posing(Noop, ABC):
    """A block in which ops are asked about instead of called; nothing runs."""

    @abstractmethod
    def pose(self, op: Op[..., Any], args: tuple[Any, ...], kwargs: dict[str, Any]) -> Any:
        """Return what stands for the results of a call."""


class OnlyDefining(BaseException):
    """A file that is imported for what it defines would begin a block, or call an op.

    Not an error, and no `Exception`: it is for whoever imports the file, not for the file.
    """


class Batching(Protocol):
    """A batch that calls of ops are made in."""

    def call(self, op: Op[..., Any], args: tuple[Any, ...], kwargs: dict[str, Any]) -> Any:
        """Return refs to the results of a call, perhaps before it is finished."""
        ...


batching: ContextVar[Batching | None] = ContextVar("gitmemo_batch", default=None)
"""The innermost batch of this context."""

_stack: ContextVar[tuple[Storage | Noop, ...]] = ContextVar("gitmemo_storages", default=())


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
    refuse_if_defining()
    _stack.set((*_stack.get(), storage))
    _open.add(1)


def refuse_if_defining() -> None:
    """Raise `OnlyDefining` where no block may begin, and no op may run."""
    if active() is DEFINING:
        raise OnlyDefining


def pop(storage: Storage | Noop) -> None:
    """Undo the last `push` of `storage`."""
    stack = _stack.get()
    if stack and stack[-1] is storage:
        _stack.set(stack[:-1])
        _open.add(-1)


def is_any_open() -> bool:
    """Whether any thread of this process is in a block."""
    return _open.count > 0


def blocks(here: Context) -> tuple[Storage | Noop, ...]:
    """Return what encloses the point at which `here` was taken, the outermost first."""
    return here.get(_stack, ())


def depth(storage: Storage) -> int:
    """Return how many blocks of `storage` enclose this point."""
    return _stack.get().count(storage)


@contextmanager
def noop() -> Iterator[None]:
    """Run ops as the plain functions that they decorate; refs among their arguments become values.

    Nothing is looked up or stored. Does nothing more where no storage is active.

    Examples:
        >>> @gm.op
        ... def double(x):
        ...     return 2 * x
        >>> with storage:
        ...     six = double(3)
        ...     with gm.noop():
        ...         double(six)
        12
    """
    push(NOOP)
    try:
        yield
    finally:
        pop(NOOP)


@contextmanager
def defining() -> Iterator[None]:
    """Raise `OnlyDefining` where a block would begin or an op be called."""
    before = _stack.get()
    _stack.set((*before, DEFINING))
    try:
        yield
    finally:
        _stack.set(before)


def _project_root() -> Path | None:
    storage = active()
    if storage is None or isinstance(storage, Noop) or storage.project is None:
        return None
    return storage.project.root


# Where paths of stored files start is what the active storage says.
names.project_root = _project_root
