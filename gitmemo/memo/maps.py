"""Many calls at once: what a storage offers for programs on many cores and machines.

Not how it is done (`parallel`, loaded when the first map is made). Invariant: results are those of
the same calls in a loop.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import TYPE_CHECKING, Any, Literal, cast, overload

from gitmemo.errors import NotAnOp
from gitmemo.memo.wording import short

if TYPE_CHECKING:
    from gitmemo.memo.op import Op
    from gitmemo.memo.parallel.blocks import Block
    from gitmemo.memo.parallel.mapping import OnError
    from gitmemo.memo.storage import Storage


class Maps:
    """The ways of a storage to make many calls of one op."""

    @overload
    def map(
        self,
        op: Any,
        /,
        *iterables: Iterable[Any],
        n_jobs: int | None = None,
        as_completed: Literal[False] = False,
        on_error: OnError = "collect",
        progress: bool = True,
        **fixed: Any,
    ) -> list[Any]: ...
    @overload
    def map(
        self,
        op: Any,
        /,
        *iterables: Iterable[Any],
        n_jobs: int | None = None,
        as_completed: Literal[True],
        on_error: OnError = "collect",
        progress: bool = True,
        **fixed: Any,
    ) -> Iterator[tuple[int, Any]]: ...
    def map(
        self,
        op: Any,
        /,
        *iterables: Iterable[Any],
        n_jobs: int | None = None,
        as_completed: bool = False,
        on_error: OnError = "collect",
        progress: bool = True,
        **fixed: Any,
    ) -> list[Any] | Iterator[tuple[int, Any]]:
        """Call an op on the items of iterables, as `map` does, and return what it returns for each.

        What is stored is taken from the storage, and only what is missing is computed, by what
        joblib has been told to use (`joblib.parallel_config`). Each finished call is stored at once.

        Args:
            op: The op.
            iterables: One for each argument, of one length; items may be refs.
            n_jobs: How many run at once: -1 for all cores. If omitted: what joblib was told, else 1.
            as_completed: Return an iterator of `(position, result)`, as they are finished.
            on_error: "collect" makes all calls and then raises `CallsFailed`; "raise" raises what the
                first failing call raised, and cancels the rest.
            progress: False shows none; else it is shown where standard error is a terminal.
            fixed: Arguments by name that are the same in every call.

        Raises:
            LengthsDiffer: The iterables are not of one length.
            OptionIsArgument: What is given is an option here, and an argument of the op.
            CallsFailed: Some calls raised. All others are stored.
            WorkerDiffers: A worker has other code than this program.
            WorkersLost: Workers died. What was finished is stored.

        Examples:
            >>> @gm.op
            ... def add(x, y):
            ...     return x + y
            >>> storage.unwrap(storage.map(add, [1, 2, 3], y=10))
            [11, 12, 13]
        """
        from gitmemo.memo.parallel.mapping import rows_of

        op, first = self._op_of(op, "storage.map")
        rows = [(*first, *row) for row in rows_of(op, iterables, skip=len(first))]
        return self._mapped(
            op,
            rows,
            fixed,
            n_jobs=n_jobs,
            as_completed=as_completed,
            on_error=on_error,
            progress=progress,
        )

    @overload
    def starmap(
        self,
        op: Any,
        tuples: Iterable[Iterable[Any]],
        /,
        *,
        n_jobs: int | None = None,
        as_completed: Literal[False] = False,
        on_error: OnError = "collect",
        progress: bool = True,
        **fixed: Any,
    ) -> list[Any]: ...
    @overload
    def starmap(
        self,
        op: Any,
        tuples: Iterable[Iterable[Any]],
        /,
        *,
        n_jobs: int | None = None,
        as_completed: Literal[True],
        on_error: OnError = "collect",
        progress: bool = True,
        **fixed: Any,
    ) -> Iterator[tuple[int, Any]]: ...
    def starmap(
        self,
        op: Any,
        tuples: Iterable[Iterable[Any]],
        /,
        *,
        n_jobs: int | None = None,
        as_completed: bool = False,
        on_error: OnError = "collect",
        progress: bool = True,
        **fixed: Any,
    ) -> list[Any] | Iterator[tuple[int, Any]]:
        """Do what `map` does, with the arguments of each call in a tuple, as `itertools.starmap`.

        Examples:
            >>> @gm.op
            ... def add(x, y):
            ...     return x + y
            >>> storage.unwrap(storage.starmap(add, [(1, 2), (3, 4)]))
            [3, 7]
        """
        from gitmemo.memo.parallel.mapping import rows_given

        op, first = self._op_of(op, "storage.starmap")
        rows = [(*first, *row) for row in rows_given(op, tuples)]
        return self._mapped(
            op,
            rows,
            fixed,
            n_jobs=n_jobs,
            as_completed=as_completed,
            on_error=on_error,
            progress=progress,
        )

    def batch(self, *, n_jobs: int | None = None, progress: bool = True) -> Block:
        """Return a block in which calls of ops are not waited for: `with storage.batch(n_jobs=4):`.

        A call that is not stored returns pending refs at once, and runs when its inputs are there,
        by what joblib has been told to use (`joblib.parallel_config`: processes, threads, Dask).
        Whatever needs a value waits for that one. The block ends when all calls have; then all refs
        are ordinary ones.

        Args:
            n_jobs: How many run at once: -1 for all cores. If omitted: what joblib was told, else 1.
            progress: False shows none; else it is shown while the program waits, where standard error
                is a terminal.

        Raises:
            CallsFailed: Some calls raised. What needs them was not run; all others are stored.
            BackendUnfit: The backend that is selected cannot run calls that wait for each other.
            WorkerDiffers, WorkersLost: As `map`.

        Examples:
            >>> @gm.op
            ... def double(x):
            ...     return 2 * x
            >>> with storage.batch():
            ...     results = [double(double(x)) for x in (1, 2)]
            >>> storage.unwrap(results)
            [4, 8]
        """
        from gitmemo.memo.parallel.blocks import Block

        return Block(cast("Storage", self), n_jobs, progress)

    def _mapped(
        self,
        op: Op[..., Any],
        rows: list[tuple[Any, ...]],
        fixed: dict[str, Any],
        *,
        n_jobs: int | None,
        as_completed: bool,
        on_error: str,
        progress: bool,
    ) -> list[Any] | Iterator[tuple[int, Any]]:
        from gitmemo.memo.parallel.mapping import Mapped, check_options

        given = {
            "n_jobs": n_jobs is not None,
            "as_completed": as_completed,
            "on_error": on_error != "collect",
            "progress": not progress,
        }
        check_options(op, rows, [name for name, is_given in given.items() if is_given])
        mapped = Mapped(
            cast("Storage", self),
            op,
            rows,
            fixed,
            n_jobs=n_jobs,
            on_error=on_error,
            progress=progress,
        )
        return mapped.as_completed() if as_completed else mapped.results()

    @staticmethod
    def _op_of(given: object, asked: str) -> tuple[Op[..., Any], tuple[object, ...]]:
        """Return an op, and the object that it was looked up on, if it was."""
        from gitmemo.memo.op import BoundOp, Op

        if isinstance(given, BoundOp):
            return given.__func__, (given.__self__,)
        if not isinstance(given, Op):
            raise NotAnOp(short(given), asked)
        return given, ()
