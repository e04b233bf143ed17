"""Blocks of `storage.batch()`: where a batch begins, and how it ends.

Not the calls in it (`batches`). Invariant: when a block is left, by whatever way, none of its calls is
running, and none will begin.
"""

from __future__ import annotations

from types import TracebackType
from typing import TYPE_CHECKING, Self

from gitmemo.errors import BatchEntered, CallsFailed
from gitmemo.memo import context
from gitmemo.memo.parallel.batches import Batch
from gitmemo.memo.parallel.resources import checked_jobs

if TYPE_CHECKING:
    from gitmemo.memo.storage import Storage


class Block:
    """`with storage.batch() as batch:` — a block of the storage in which calls are not waited for."""

    def __init__(self, storage: Storage, n_jobs: int | None, progress: bool) -> None:
        self._storage = storage
        self._progress = progress
        self._n_jobs = checked_jobs(n_jobs)
        self._batch: Batch | None = None
        self._is_entered = False

    def __enter__(self) -> Self:
        """Begin it.

        Raises:
            BatchEntered: It has begun, and has not ended.
        """
        if self._is_entered:
            raise BatchEntered
        self._storage.__enter__()
        self._is_entered = True
        self._around = context.batching.get()
        around = of_storage(self._around, self._storage)
        # A batch in a batch is part of it: one pool of workers, and no call twice.
        self._is_own = around is None
        self._batch = around or Batch(
            self._storage, self._n_jobs, self._around, progress=self._progress
        )
        self._since = self._batch.made
        context.batching.set(self._batch)
        return self

    @property
    def unfinished(self) -> int:
        """How many calls of the batch are not over."""
        return 0 if self._batch is None else self._batch.unfinished

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        context.batching.set(self._around)
        batch = self._batch
        assert batch is not None  # it was entered
        try:
            if error is not None:
                batch.abandon(self._since)
                return
            try:
                batch.finish(self._since)
            except CallsFailed:
                raise
            except BaseException:
                batch.abandon(self._since)
                raise
        finally:
            if self._is_own:
                batch.close(error)
            self._is_entered = False
            self._storage.__exit__(None, None, None)

    def __repr__(self) -> str:
        return f"Batch({self.unfinished} calls unfinished)"


def of_storage(batch: context.Batching | None, storage: Storage) -> Batch | None:
    """Return the innermost open batch of a storage, from `batch` outwards."""
    while isinstance(batch, Batch):
        if batch.storage is storage and not batch.is_closed:
            return batch
        batch = batch.outer
    return None
