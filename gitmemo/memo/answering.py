"""Answers to questions by pattern: which calls count, what columns are called, and the table.

Not the questions (`patterns`), which load this when the first one is asked. Invariant: only calls that
are part of this world and valid for the code of now are rows of a table.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

from gitmemo.collector import uncollected
from gitmemo.errors import DisconnectedPattern, NotInPattern, UnconstrainedVariable
from gitmemo.frames.tables import mark_beside
from gitmemo.hashing.digest import Digest
from gitmemo.memo.framing import StorageFrames
from gitmemo.memo.names import OpNames
from gitmemo.memo.signature import ORDER
from gitmemo.memo.wording import short
from gitmemo.model.facts import Call
from gitmemo.model.items import histories
from gitmemo.model.validity import Code
from gitmemo.patterns import speaking
from gitmemo.patterns.alike import Called, alike
from gitmemo.patterns.naming import functions_for, idle_outputs, names_for, unique, unnamed_results
from gitmemo.patterns.pattern import CallAtom, Pattern
from gitmemo.patterns.stored import Stored
from gitmemo.patterns.tables import Engine, Matched, Shown, frame_of
from gitmemo.patterns.variables import Q, asked_pattern, constant_of
from gitmemo.patterns.writing import announced, table_line, written
from gitmemo.ref import Ref
from gitmemo.world.view import World

if TYPE_CHECKING:
    from types import FrameType

    import pandas as pd


_SHOWN_LINES = 12
"""How much of each part is shown of a pattern that nothing connects."""


class Answers:
    """Answers the questions of one storage."""

    def __init__(self, world: World, names: OpNames, code: Code, among: StorageFrames) -> None:
        """`world` knows what made the values that are pointed to; rows are `among` these calls."""
        self._world = world
        self._names = names
        self._code = code
        self._among = among
        self._now = names.now(world, code)
        self._makers: dict[Digest, Call | None] = {}

    def alike(
        self, refs: Sequence[Ref[Any]], called: Called, wish: Wish, *, context: bool = False
    ) -> pd.DataFrame:
        """Return what was computed together like `refs`; with `context` every variable of it."""
        pattern, given = alike(refs, called, self._maker)
        if context:
            idle = set(idle_outputs(pattern))
            pattern = pattern.asking(v for v in pattern.variables() if v not in idle)
        return self.table(pattern, given, wish)

    def table(self, pattern: Pattern, given: Mapping[int, str], wish: Wish) -> pd.DataFrame:
        """Return the matches of a pattern; `given` are the names that variables have.

        Raises:
            DisconnectedPattern: Nothing connects some columns with the others.
        """
        ops = {atom.op for atom in pattern.atoms if isinstance(atom, CallAtom)}
        functions = functions_for(ops)
        unnamed = unnamed_results(pattern)
        said = self._among.spoken(unnamed) if unnamed else {}
        names = names_for(pattern, given, functions, said)
        tuples = frozenset(op for op in ops if self._is_tuple(op))

        def code(part: Pattern) -> str:
            return written(part, names, functions, tuples)

        parts = [part for part in pattern.parts() if part.asked]
        if len(parts) > 1 and not wish.allow_product:
            raise DisconnectedPattern(tuple(_end_of(code(part)) for part in parts))
        if wish.verbose:
            speaking.show(announced(code(pattern), table_line(pattern, names)))
        with uncollected():
            cells, is_later = self._cells(pattern, wish)
        columns = unique([names.columns[variable] for variable in pattern.asked])
        found = frame_of(columns, cells, wish.values)
        return found.assign(**{mark_beside(columns): is_later}) if any(is_later) else found

    def _cells(self, pattern: Pattern, wish: Wish) -> tuple[list[list[Any]], list[bool]]:
        """Return the columns, and of each row whether a call that was committed later made what is in it.

        The calls that they are made of are gone when this returns.
        """
        calls, later = list(self._among.calls()), self._among.later
        made = {
            hid for c in calls if c.hid in later for slot in c.outputs for hid in histories(slot)
        }
        matched = Matched(
            pattern,
            Stored(calls),
            self._among.loader,
            engine=wish.engine,
            drop_duplicates=wish.drop_duplicates,
        )
        marks = [not made.isdisjoint(row) for row in matched.rows]
        return matched.columns(wish.values), marks

    def _maker(self, hid: Digest) -> Call | None:
        """Return the call that made a value, with the names of now."""
        if hid not in self._makers:
            call = self._world.creator(hid)
            if call is not None:
                call = _without_order(self._names.with_defaults(self._now.call(call)))
                self._makers.update({slot.hid: call for slot in call.outputs})
            self._makers[hid] = call
        return self._makers[hid]

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
        # By type: objects that stand for others may do anything when they are asked what they are.
        asked = [(name, one) for name, one in here if issubclass(type(one), (Ref, Q))]
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


def _end_of(code: str) -> str:
    """Return the last lines of code, which make what is asked for."""
    lines = code.splitlines()
    return code if len(lines) <= _SHOWN_LINES else "\n".join(["...", *lines[-_SHOWN_LINES:]])


def _without_order(call: Call) -> Call:
    """Return a call without the order of its keywords, which no variable stands for."""
    if all(slot.name != ORDER for slot in call.inputs):
        return call
    inputs = tuple(slot for slot in call.inputs if slot.name != ORDER)
    return replace(call, inputs=inputs).known_as(call.hid)
