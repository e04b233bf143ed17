"""Blocks in other threads and processes: functions that carry them there.

Not the blocks themselves (`context`). Invariant: a carried function runs in the
blocks in which it was carried, wherever it is called.
"""

from __future__ import annotations

import contextvars
import threading
from collections.abc import Callable, Sequence
from contextlib import ExitStack
from functools import update_wrapper
from typing import TYPE_CHECKING, Any, Generic, ParamSpec, TypeVar

from gitmemo.memo import context
from gitmemo.memo.telling import tell

if TYPE_CHECKING:
    from gitmemo.memo.storage import Storage

P = ParamSpec("P")
R = TypeVar("R")


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


def carried(function: Callable[P, R]) -> Callable[P, R]:
    """Return `function` so that it runs in the blocks of here, wherever it is called.

    A new thread or process is in no block of its own: `pool.map(gm.carried(op), values)`. Refs
    that come back from a process bring their values along.

    Examples:
        >>> from concurrent.futures import ThreadPoolExecutor
        >>> @gm.op
        ... def double(x):
        ...     return 2 * x
        >>> with storage, ThreadPoolExecutor() as pool:
        ...     storage.unwrap(list(pool.map(gm.carried(double), [1, 2, 3])))
        [2, 4, 6]
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
        blocks = context.blocks(self._here)
        return _arrived, (self._function, [None if b is context.NOOP else b for b in blocks])


def _arrived(function: Callable[P, R], blocks: Sequence[Storage | None]) -> Callable[P, R]:
    """Return `function` in another process, in the same blocks."""

    def call(*args: P.args, **kwargs: P.kwargs) -> R:
        with ExitStack() as stack:
            for storage in blocks:
                stack.enter_context(context.noop() if storage is None else storage)
            return function(*args, **kwargs)

    return call


def warn_if_missed(op: str) -> None:
    """Warn where a call in another thread was probably meant to be remembered."""
    if context.is_any_open() and threading.current_thread() is not threading.main_thread():
        tell(NotInBlock(op))
