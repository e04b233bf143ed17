"""Tables by pattern: what was computed like some values, and what fits a query.

Not the matching (`gitmemo.patterns`). Invariant: nothing is run or recorded, and only calls that are
part of this world and valid for the code of now are rows of a table.
"""

from __future__ import annotations

import sys
from abc import ABC, abstractmethod
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

from gitmemo.errors import DisconnectedPattern, NotARef, NotInPattern, UnconstrainedVariable
from gitmemo.hashing.digest import Digest
from gitmemo.memo.names import OpNames
from gitmemo.memo.querying import Query
from gitmemo.memo.signature import ORDER
from gitmemo.memo.wording import short
from gitmemo.model.facts import Call
from gitmemo.model.validity import Code
from gitmemo.patterns import speaking
from gitmemo.patterns.alike import Called, alike
from gitmemo.patterns.naming import functions_for, idle_outputs, names_for, unique
from gitmemo.patterns.pattern import CallAtom, Pattern
from gitmemo.patterns.stored import Stored
from gitmemo.patterns.tables import Engine, Matched, Shown
from gitmemo.patterns.traces import Maker
from gitmemo.patterns.variables import Q, asked_pattern, constant_of
from gitmemo.patterns.writing import announced, table_line, written
from gitmemo.query import valid_calls
from gitmemo.ref import Ref
from gitmemo.world.view import World

if TYPE_CHECKING:
    from types import FrameType

    import pandas as pd


class Patterns(ABC):
    """The questions of a storage that are asked by showing a computation."""

    world: World
    _code: Code
    _names: OpNames

    @abstractmethod
    def _notice(self) -> None:
        """Take notice of what git, editors and other processes did."""

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
        return Query(self.world, self._names, self._code)

    def similar(
        self,
        *refs: Ref[Any],
        context: bool = False,
        values: Shown = "inline",
        verbose: bool = True,
        drop_duplicates: bool = True,
        engine: Engine = "auto",
        names: Sequence[str] | None = None,
        allow_product: bool = False,
    ) -> pd.DataFrame:
        """Return a table of all stored values that were computed together like `refs`.

        The calls that led to `refs` are the pattern: their values are forgotten, and what has the same
        role is one variable. A collection stands for any that has the same kinds of things in it.

        Args:
            refs: Results, or values from `gm.wrap(…)` that results were computed from.
            context: Every variable of the pattern is a column, in the order of the computation.
            values: `inline`: plain small values, and refs for the rest; `refs` (or `lazy`); `objs`:
                every value loaded; `cids` (or `uids`), `hids` (or `full_uids`): ids.
            verbose: Print the pattern as code that can be pasted into `with storage.query():`.
            drop_duplicates: Rows with the same values of the same histories are one row; if false, there
                is one for every way in which the pattern fits.
            engine: `naive` tries everything, and is slow; `sql` is another name of `auto`.
            names: The columns, if the names of the caller's variables are not wanted.
            allow_product: Pair all matches of refs that nothing connects.

        Raises:
            AmbiguousPattern: Two refs have one role, or a raw value has several.
            DisconnectedPattern: Nothing connects some refs with the others.
            UnconstrainedVariable: No result was computed from a raw value that is given.
        """
        for ref in refs:
            if not isinstance(ref, Ref):
                raise NotARef(short(ref), "storage.similar")
        if not refs:
            raise UnconstrainedVariable("nothing")
        program = Program(sys._getframe(1))
        pattern, given = alike(refs, program.called(refs, names), self._maker())
        if context:
            idle = set(idle_outputs(pattern))
            pattern = pattern.asking(v for v in pattern.variables() if v not in idle)
        wish = Wish(values, engine, verbose, drop_duplicates, allow_product)
        return self._table(pattern, given, wish)

    def df(
        self,
        *variables: Q | Ref[Any],
        values: Shown = "inline",
        verbose: bool = False,
        drop_duplicates: bool = True,
        engine: Engine = "auto",
        names: Sequence[str] | None = None,
        allow_product: bool = False,
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
        for one in variables:
            if not isinstance(one, Q | Ref):
                reason = "it is neither a variable nor a ref"
                raise NotInPattern(short(one), reason, "pass what Q() or an op returned")
        if not variables:
            raise UnconstrainedVariable("nothing")
        program = Program(sys._getframe(1))
        wish = Wish(values, engine, verbose, drop_duplicates, allow_product)
        refs = [one for one in variables if isinstance(one, Ref)]
        if len(refs) == len(variables):
            return self._table(*alike(refs, program.called(refs, names), self._maker()), wish)
        return self._table(*posed(variables, program, names), wish)

    def _maker(self) -> Maker:
        """Return what finds the call that made a value, with the names of now."""
        self._notice()
        now = self._names.now(self.world, self._code)
        known: dict[Digest, Call | None] = {}

        def maker(hid: Digest) -> Call | None:
            if hid not in known:
                call = self.world.creator(hid)
                if call is not None:
                    call = _without_order(self._names.with_defaults(now.call(call)))
                    known.update({slot.hid: call for slot in call.outputs})
                known[hid] = call
            return known[hid]

        return maker

    def _stored(self) -> Stored:
        """Return the calls that are part of this world and valid for the code as it is."""
        self._notice()
        now = self._names.now(self.world, self._code)
        calls = now.calls(self.world.calls(self._code))
        current = valid_calls(self.world, calls, self._code).calls
        return Stored(map(self._names.with_defaults, current))

    def _table(self, pattern: Pattern, given: Mapping[int, str], wish: Wish) -> pd.DataFrame:
        ops = {atom.op for atom in pattern.atoms if isinstance(atom, CallAtom)}
        functions = functions_for(ops)
        names = names_for(pattern, given, functions)
        tuples = frozenset(op for op in ops if self._is_tuple(op))

        def code(part: Pattern) -> str:
            return written(part, names, functions, tuples)

        parts = [part for part in pattern.parts() if part.asked]
        if len(parts) > 1 and not wish.allow_product:
            raise DisconnectedPattern(tuple(map(code, parts)))
        if wish.verbose:
            speaking.show(announced(code(pattern), table_line(pattern, names)))
        matched = Matched(
            pattern,
            self._stored(),
            self,
            engine=wish.engine,
            drop_duplicates=wish.drop_duplicates,
        )
        columns = unique([names.columns[variable] for variable in pattern.asked])
        return matched.df(columns, wish.values)

    def _is_tuple(self, name: str) -> bool:
        op = self._names.named(name)
        return op is not None and op.options.outputs.is_tuple


@dataclass(frozen=True, slots=True)
class Wish:
    """How a table is wanted: see `Patterns.similar`."""

    values: Shown
    engine: Engine
    verbose: bool
    drop_duplicates: bool
    allow_product: bool


class Program:
    """What the program that asks calls things: the variables where it asks."""

    def __init__(self, frame: FrameType) -> None:
        here = [*frame.f_locals.items(), *frame.f_globals.items()]
        asked = [(name, one) for name, one in here if isinstance(one, Ref | Q)]
        # Names that begin with an underscore are rarely meant: notebooks have `_`, `_1`, …
        asked.sort(key=lambda pair: pair[0].startswith("_"))
        self._names: dict[int, str] = {}
        self._histories: dict[Digest, str] = {}
        for name, one in asked:
            self._names.setdefault(id(one), name)
            if isinstance(one, Ref):
                self._histories.setdefault(one._hid, name)

    def name_of(self, thing: object) -> str | None:
        """Return what the program calls a ref or a variable."""
        return self._names.get(id(thing))

    def called(self, refs: Sequence[Ref[Any]], names: Sequence[str] | None) -> Called:
        """Return what it calls refs that are asked about, or `names`, and other values."""
        return Called(self.asked(refs, names), self._histories)

    def asked(self, things: Sequence[object], names: Sequence[str] | None) -> list[str | None]:
        """Return the names of what is asked about: `names` if there are any.

        Raises:
            NotInPattern: There are not as many names as things.
        """
        if names is None:
            return [self.name_of(thing) for thing in things]
        if len(names) != len(things):
            raise NotInPattern(
                f"names={short(list(names))}",
                f"{len(things)} columns have one name each",
                "give as many, or leave names out",
            )
        return list(names)


def posed(
    variables: Sequence[Q | Ref[Any]], program: Program, names: Sequence[str] | None
) -> tuple[Pattern, dict[int, str]]:
    """Return the pattern of a query with these columns, and the names of its variables.

    Raises:
        NotInPattern: The query does not use a ref that is asked about.
        UnconstrainedVariable: A variable was used in no call.
    """
    pattern, found = asked_pattern([one for one in variables if isinstance(one, Q)])
    given = {n: name for n, one in found.items() if (name := one._label or program.name_of(one))}
    asked: list[int] = []
    for one, name in zip(variables, program.asked(variables, names), strict=True):
        place = constant_of(found.values(), one) if isinstance(one, Ref) else one
        if place is None:
            reason = "no call of the query that has to do with the other columns uses it"
            raise NotInPattern(repr(one), reason, "leave it out, or use it in such a call")
        told = None if names is None and place._label else name
        given[place._number] = told or place._label or given.get(place._number) or "value"
        asked.append(place._number)
    constrained = {variable for atom in pattern.atoms for variable in atom.variables}
    for number in asked:
        if number not in constrained:
            raise UnconstrainedVariable(given[number])
    return pattern.asking(asked), given


def _without_order(call: Call) -> Call:
    """Return a call without the order of its keywords, which no variable stands for."""
    if all(slot.name != ORDER for slot in call.inputs):
        return call
    inputs = tuple(slot for slot in call.inputs if slot.name != ORDER)
    return replace(call, inputs=inputs).known_as(call.hid)
