"""Which storage is active, per thread and task.

Not what a storage does. Invariant: leaving a block restores exactly what was
active before it, also when entering or the body failed.
"""

from __future__ import annotations

from contextvars import ContextVar
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from gitmemo.memo.storage import Storage

_stack: ContextVar[tuple[Storage, ...]] = ContextVar("gitmemo_storages", default=())


def active() -> Storage | None:
    """Return the storage whose block encloses this point."""
    stack = _stack.get()
    return stack[-1] if stack else None


def push(storage: Storage) -> None:
    """Make `storage` the active one."""
    _stack.set((*_stack.get(), storage))


def pop(storage: Storage) -> None:
    """Undo the last `push` of `storage`."""
    stack = _stack.get()
    if stack and stack[-1] is storage:
        _stack.set(stack[:-1])


def depth(storage: Storage) -> int:
    """Return how many blocks of `storage` enclose this point."""
    return _stack.get().count(storage)
