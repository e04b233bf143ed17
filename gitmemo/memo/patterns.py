"""Tables by pattern: what was computed like some values, and what fits a query.

Not the answers (`answering`), nor the matching (`gitmemo.patterns`): these are loaded when they are
used. Invariant: nothing is run or recorded.
"""

from __future__ import annotations

import sys
from abc import ABC, abstractmethod
from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING, Any, cast

from gitmemo.errors import NotARef, NotInPattern, UnconstrainedVariable
from gitmemo.hashing.digest import Digest
from gitmemo.memo.names import OpNames
from gitmemo.memo.wording import short
from gitmemo.model.validity import Code
from gitmemo.ref import Ref
from gitmemo.world.view import World

if TYPE_CHECKING:
    import pandas as pd

    from gitmemo.memo.answering import Answers
    from gitmemo.memo.querying import Query
    from gitmemo.memo.storage import Storage
    from gitmemo.patterns.tables import Engine, Shown
    from gitmemo.patterns.variables import Q


class Patterns(ABC):
    """The questions of a storage that are asked by showing a computation."""

    world: World
    _code: Code
    _names: OpNames

    @abstractmethod
    def _notice(self) -> None:
        """Take notice of what git, editors and other processes did."""

    @abstractmethod
    def _ref_meant(self, given: object) -> object:
        """Return the value that `@NAME` is the name of; anything else as it is."""

    @abstractmethod
    def load(
        self, cid: Digest, hid: Digest, what: str, within: Callable[[], object] | None = None
    ) -> object:
        """Return a fresh copy of a value."""

    def query(self) -> Query:
        """Return a block in which calls of ops say what a table is about, and nothing runs.

        `with storage.query():` make variables with `Q()`, call ops on them, and ask for a table with
        `storage.df(...)`, in the block or after it.
        """
        from gitmemo.memo.querying import Query

        return Query(self.world, self._names, self._code)

    def similar(
        self,
        *refs: Ref[Any] | str,
        context: bool = False,
        values: Shown = "inline",
        verbose: bool = True,
        drop_duplicates: bool = True,
        engine: Engine = "auto",
        names: Sequence[str] | None = None,
        allow_product: bool = False,
        rev: str | None = None,
    ) -> pd.DataFrame:
        """Return a table of all stored values that were computed together like `refs`.

        The calls that led to `refs` are the pattern: their values are forgotten, and what has the same
        role is one variable. A collection stands for any that has the same kinds of things in it.

        Args:
            refs: Results, tags of results (`@NAME`), or values from `gm.wrap(…)` that results were
                computed from.
            context: Every variable of the pattern is a column, in the order of the computation.
            values: `inline`: plain small values, and refs for the rest; `refs` (or `lazy`); `objs`:
                every value loaded; `cids` (or `uids`), `hids` (or `full_uids`): ids.
            verbose: Print the pattern as code that can be pasted into `with storage.query():`.
            drop_duplicates: Rows with the same values of the same histories are one row; if false, there
                is one for every way in which the pattern fits.
            engine: `naive` tries everything, and is slow; `sql` is another name of `auto`.
            names: The columns, if the names of the caller's variables are not wanted.
            allow_product: Pair all matches of refs that nothing connects.
            rev: Look among the calls of a branch, tag or commit, without a checkout.

        Raises:
            AmbiguousPattern: Two refs have one role, or a raw value has several.
            DisconnectedPattern: Nothing connects some refs with the others.
            UnconstrainedVariable: No result was computed from a raw value that is given.

        Examples:
            >>> @gm.op
            ... def double(x):
            ...     return 2 * x
            >>> with storage:
            ...     results = [double(x) for x in (1, 2)]
            >>> some = results[0]
            >>> print(storage.similar(some, verbose=False))
               some
            0     2
            1     4
        """
        from gitmemo.memo.answering import Program, Wish

        meant: list[Ref[Any]] = []
        for given in refs:
            ref = self._ref_meant(given)
            if not isinstance(ref, Ref):
                raise NotARef(short(ref), "storage.similar")
            meant.append(ref)
        if not meant:
            raise UnconstrainedVariable("nothing")
        wish = Wish(values, engine, verbose, drop_duplicates, allow_product)
        called = Program(sys._getframe(1)).called(meant, names)
        return self._answers(rev).alike(meant, called, wish, context=context)

    def df(
        self,
        *variables: Q | Ref[Any] | str,
        values: Shown = "inline",
        verbose: bool = False,
        drop_duplicates: bool = True,
        engine: Engine = "auto",
        names: Sequence[str] | None = None,
        allow_product: bool = False,
        rev: str | None = None,
    ) -> pd.DataFrame:
        """Return a table of what variables of a query stand for, one row for each way that fits.

        Everything holds that calls of ops said about `variables`, and about what is connected with
        them. Of refs alone it is the table that `similar` returns. The other arguments are those of
        `similar`.

        Raises:
            DisconnectedPattern: Nothing connects some variables with the others.
            UnconstrainedVariable: A variable was used in no call.
            NotInPattern: Something is neither a variable nor a ref, or a ref that the query does not use.
        """
        from gitmemo.memo.answering import Program, Wish, posed
        from gitmemo.patterns.variables import Q

        meant: list[Q | Ref[Any]] = []
        for given in variables:
            one = self._ref_meant(given)
            if not isinstance(one, Q | Ref):
                reason = "it is neither a variable nor a ref"
                raise NotInPattern(short(one), reason, "pass what Q() or an op returned")
            meant.append(one)
        if not meant:
            raise UnconstrainedVariable("nothing")
        program = Program(sys._getframe(1))
        wish = Wish(values, engine, verbose, drop_duplicates, allow_product)
        refs = [one for one in meant if isinstance(one, Ref)]
        if len(refs) == len(meant):
            return self._answers(rev).alike(refs, program.called(refs, names), wish)
        return self._answers(rev).table(*posed(meant, program, names), wish)

    def _at(self, rev: str | None) -> Storage:
        """Return the storage that shows a revision; this one if None.

        Raises:
            WrongQuestion: This storage is not of a repository.
        """
        from gitmemo.memo.opening import shown_at

        storage = cast("Storage", self)
        return storage if rev is None else shown_at(storage, rev)

    def _answers(self, rev: str | None) -> Answers:
        from gitmemo.memo.answering import Answers

        self._notice()
        return Answers(self.world, self._names, self._code, self._at(rev).frames)
