"""The tables and computation frames that a storage makes.

Not what they are (`frames`), nor how they are made (`framing`, loaded when the first one is asked
for). Invariant: nothing is recorded or run.
"""

from __future__ import annotations

import warnings
from abc import ABC, abstractmethod
from collections.abc import Sequence
from functools import cached_property
from typing import TYPE_CHECKING, Any, cast

from gitmemo.memo.names import OpNames
from gitmemo.model.validity import Code
from gitmemo.tracing import Project
from gitmemo.world.view import World

if TYPE_CHECKING:
    import pandas as pd

    from gitmemo.frames import ComputationFrame
    from gitmemo.frames.naming import Spoken
    from gitmemo.frames.shown import Values
    from gitmemo.memo.framing import StorageFrames, Subject
    from gitmemo.memo.op import Op
    from gitmemo.memo.storage import Storage


class Tables(ABC):
    """The questions that a storage answers with tables."""

    world: World
    project: Project | None
    _code: Code
    _names: OpNames

    @abstractmethod
    def _notice(self) -> None:
        """Take notice of what git, editors and other processes did."""

    @abstractmethod
    def _at(self, rev: str | None) -> Storage:
        """Return the storage that shows a revision; this one if None."""

    @cached_property
    def frames(self) -> StorageFrames:
        """What makes computation frames of this storage."""
        from gitmemo.memo.framing import StorageFrames

        return StorageFrames(cast("Storage", self), self._code, self._names)

    @cached_property
    def _spoken(self) -> Spoken:
        """What the program calls the results of ops that do not name them."""
        from gitmemo.versions.spoken import names_in_program

        return names_in_program(self.world, self.project)

    def cf(
        self, *subjects: Subject, rev: str | None = None, stale: bool = False
    ) -> ComputationFrame:
        """Return the calls of ops, or values, as a computation frame; without arguments, everything.

        Args:
            subjects: Ops or their names, refs, history ids or how they begin (4 digits or more), tags
                (`@NAME`), calls; several of these in a list; refs in a dict, by the name of their variable.
            rev: Those of a branch, tag or commit, without a checkout: as `gm.open(rev=rev).cf(…)`.
            stale: Also calls of older code, and those on its results. Tables have columns `version` and
                `state` then, which say so of each row, if there are such rows.

        Without `stale`, only calls that are part of this world and valid for the code as it is are in it;
        of a revision those that are valid for its code.

        Raises:
            UnknownOp, UnknownRef, WrongQuestion: There is no such thing here.
            UnknownRevision, RangeGiven: `rev` names no commit, or many.

        Examples:
            >>> @gm.op(output_names=["path"])
            ... def walk(length, seed):
            ...     return [seed * i for i in range(length)]
            >>> @gm.op(output_names=["distance"])
            ... def farthest(path):
            ...     return max(path)
            >>> with storage:
            ...     results = [farthest(walk(3, seed)) for seed in (1, 2)]
            >>> frame = storage.cf(farthest).expand_back()
            >>> frame.vnames
            ['length', 'seed', 'path', 'distance']
            >>> print(frame.df("seed", "distance"))
               seed  distance
            0     1         2
            1     2         4
        """
        if rev is not None:
            return self._at(rev).cf(*subjects, stale=stale)
        return self.frames.frame(subjects, stale=stale)

    def table(
        self,
        *ops: Op[..., Any] | str,
        where: str | None = None,
        columns: Sequence[str] = (),
        values: Values = "inline",
        rev: str | None = None,
        stale: bool = False,
    ) -> pd.DataFrame:
        """Return the results of ops with all that led to them, a row for each; of all if none is named.

        The same as `storage.cf(*ops).expand_back().query(where).df(*columns)`. If there are none of the
        code as it is, but of older code, a warning says so.

        Args:
            where: Only rows that meet a condition: `acc > 0.8 and n in (5, 10)`.
            columns: Show these variables only: a row for each way they occur together.
            values: What stands in the cells; see `ComputationFrame.df`.
            rev: Those of a branch, tag or commit, as `cf` has them.
            stale: Also those of older code, as `cf` has them.

        Examples:
            >>> @gm.op(output_names=["path"])
            ... def walk(length, seed):
            ...     return [seed * i for i in range(length)]
            >>> @gm.op(output_names=["distance"])
            ... def farthest(path):
            ...     return max(path)
            >>> with storage:
            ...     results = [farthest(walk(3, seed)) for seed in (1, 2)]
            >>> print(storage.table(farthest, where="distance > 2", columns=["seed", "distance"]))
               seed  distance
            0     2         4
        """
        frame = self.cf(*ops, rev=rev, stale=stale).expand_back()
        if frame.left_out:  # then no column is known that could be asked for
            warnings.warn(f"the table is empty: {frame.left_out}", stacklevel=2)
            return frame.df(values=values)
        return (frame.query(where) if where else frame).df(*columns, values=values)

    def get_table(
        self,
        op: Op[..., Any] | str,
        *,
        meta: bool = False,
        values: Values = "inline",
        rev: str | None = None,
        stale: bool = False,
    ) -> pd.DataFrame:
        """Return the calls of one op, a row for each: its arguments and its results.

        Args:
            meta: Also when and where each ran: history id, version, start (a text in UTC, as
                `2026-11-22T16:00:00.123Z`; `pd.to_datetime` reads it), seconds, commit, and whether it
                is pending: in no commit yet.
            values: What stands in the cells; see `ComputationFrame.df`.
            rev: Those of a branch, tag or commit, as `cf` has them.
            stale: Also those of older code; with `meta`, a column says which these are.

        Examples:
            >>> @gm.op(output_names=["twice"])
            ... def double(x):
            ...     return 2 * x
            >>> with storage:
            ...     results = [double(x) for x in (1, 2)]
            >>> print(storage.get_table(double))
               x  twice
            0  1      2
            1  2      4
        """
        from gitmemo.frames.shown import ShownTables

        frame = self.cf(op, rev=rev, stale=stale)
        return ShownTables(frame).of_function(frame.calls, values, meta=meta)
