"""How two worlds differ: calls, results of the same calls, versions, and what was said of code.

Not which calls are paired though their inputs differ (`pairing`), nor what is shown of them
(`rows`). Invariant: a call is its op and the contents of its inputs, under the names of now; each
world shows what its own code would reuse, as its own decisions have it.
"""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass
from functools import cached_property

from gitmemo.comparison.pairing import Identity, identity_of, paired
from gitmemo.hashing.digest import Digest
from gitmemo.model.components import Component
from gitmemo.model.facts import Call, Slot, Statement, Version
from gitmemo.model.renames import Renames
from gitmemo.model.unsaid import of_other_values, unsaid
from gitmemo.model.validity import changed
from gitmemo.query import renamed, stale_test
from gitmemo.workspace import View
from gitmemo.world import sifting
from gitmemo.world.view import preferred


@dataclass(frozen=True, slots=True)
class CallChange:
    """A call that one world has, or whose result is not the same in both.

    Attributes:
        old, new: The call in each world, under the names of now; None where it is not. Their inputs
            differ where those came of calls that differ.
    """

    old: Call | None
    new: Call | None

    @property
    def call(self) -> Call:
        """The call, of the newer world if it is there."""
        found = self.new or self.old
        assert found is not None
        return found

    def outputs(self) -> list[tuple[str, Slot | None, Slot | None]]:
        """Return the outputs that differ: name, old and new."""
        old = {slot.name: slot for slot in self.old.outputs} if self.old else {}
        new = {slot.name: slot for slot in self.new.outputs} if self.new else {}
        pairs = [(name, old.get(name), new.get(name)) for name in {**old, **new}]
        return [(n, a, b) for n, a, b in pairs if a is None or b is None or a.cid != b.cid]


@dataclass(frozen=True, slots=True)
class VersionChange:
    """A version that calls of an op have in one world only.

    Attributes:
        is_new: Whether it is in the second world, not in the first.
        changed: The components that are something else in the other world.
    """

    op: str
    version: Digest
    is_new: bool
    calls: int
    changed: tuple[Component, ...]


@dataclass(frozen=True, slots=True)
class StatementChange:
    """What people said of the code that counts in one world only."""

    record: Digest
    statement: Statement
    is_new: bool


@dataclass(frozen=True, slots=True)
class WorldDifference:
    """How two worlds differ.

    Attributes:
        same: How many calls have the same results in both.
    """

    added: tuple[CallChange, ...]
    removed: tuple[CallChange, ...]
    changed: tuple[CallChange, ...]
    same: int
    versions: tuple[VersionChange, ...]
    statements: tuple[StatementChange, ...]

    def __bool__(self) -> bool:
        return bool(self.added or self.removed or self.changed or self.versions or self.statements)


def compare(old: View, new: View, ops: Collection[str] = ()) -> WorldDifference:
    """Return how `new` differs from `old`; only calls and versions of `ops` count, if there are any.

    Both are of one repository, and one was looked at beside the other: facts that are in both are
    compared as numbers, not read.
    """
    names = Names.of(old, new)
    wanted = frozenset(names.op(op) for op in ops)
    before, after = _Side(old), _Side(new)
    shared = before.numbers & after.numbers
    first = before.calls(names, before.numbers - shared)
    second = after.calls(names, after.numbers - shared)
    both = _again(before, names, shared, [*first, *second])
    rows = _changes(_grouped([*first, *both]), _grouped([*second, *both]), wanted)
    changed_rows = [row for row in rows if row.old and row.new and row.outputs()]
    met = sum(row.old is not None and row.new is not None for row in rows) - len(changed_rows)
    untouched = before.count(names, shared, wanted) - len(_grouped(both, wanted))
    return WorldDifference(
        tuple(row for row in rows if row.old is None),
        tuple(row for row in rows if row.new is None),
        tuple(changed_rows),
        met + untouched,
        tuple(_versions(before, after, names, wanted)),
        tuple(_statements(old, new)),
    )


class Names:
    """What ops, arguments and outputs are called now, as either of two worlds has it."""

    def __init__(self, renames: Renames) -> None:
        self._renames = renames

    @classmethod
    def of(cls, old: View, new: View) -> Names:
        """Return the names of two worlds."""
        statements = {**dict(old.world.statements()), **dict(new.world.statements())}
        return cls(Renames(statements.items()))

    def op(self, op: str) -> str:
        """Return the name of now of an op."""
        return self._renames.op_now(op)

    def call(self, call: Call) -> Call:
        """Return a call with the names of now; its ids stay."""
        if not self._renames.concern(call.op):
            return call
        return renamed(call, self._renames, self.op(call.op))


class _Side:
    """One of the two worlds."""

    def __init__(self, view: View) -> None:
        self.view = view
        self.index = view.world.index
        self.decisions = view.world.decisions()
        self._read: dict[int, Call] = {}

    @cached_property
    def numbers(self) -> frozenset[int]:
        """The calls that the world's code would reuse, and that it would come to."""
        visible = self.view.world.visible(self.view.code)
        every = self.index.of_kinds(visible, ("call",))
        shapes = sifting.valid_shapes(self.index, self.view.world, self.decisions, self.view.code)
        valid = every & {number for number, _, _ in sifting.of_shapes(self.index, shapes)}
        is_stale = stale_test(self.view.world, self.view.code)
        valid -= {n for n, call in sifting.links(self.index, valid) if is_stale(call)}
        valid -= self._of_other_values(valid, shapes)
        orphans = self._made(every - valid) - self._made(valid)
        if not orphans:  # nothing that older code made could have been used
            return frozenset(valid)
        self._read = dict(self.index.numbered_calls(valid))
        return frozenset(valid - sifting.fed_by(self.index, orphans, (), self._read))

    def _of_other_values(
        self, valid: Collection[int], shapes: Mapping[int, Version | None]
    ) -> set[int]:
        """Return the calls that had another value of a variable than the newest one."""
        versions = {one.id: one for one in shapes.values() if one is not None}
        variables = unsaid(versions.values(), self.view.code, self.decisions)
        if not variables:
            return set()
        concerned = {version for values in variables.values() for version in values}
        known = [shape for shape, one in shapes.items() if one is not None and one.id in concerned]
        numbers = {number for number, _, _ in sifting.of_shapes(self.index, known)}
        calls = dict(self.index.numbered_calls(numbers.intersection(valid)))
        others = of_other_values(variables, calls.values())
        return {number for number, call in calls.items() if call.hid in others}

    def calls(self, names: Names, numbers: Collection[int]) -> list[Call]:
        unread = [number for number in numbers if number not in self._read]
        self._read.update(self.index.numbered_calls(unread))
        found = (self._read[number] for number in sorted(numbers))
        return [names.call(call) for call in found]

    def count(self, names: Names, numbers: Collection[int], ops: Collection[str]) -> int:
        """Return how many different calls of `ops` (of all, if empty) are among `numbers`."""
        per_op = sifting.different_per_op(self.index, numbers)
        return sum(calls for op, calls in per_op.items() if not ops or names.op(op) in ops)

    def tallies(self, names: Names) -> dict[tuple[str, Digest], int]:
        found: Counter[tuple[str, Digest]] = Counter()
        for tally in self.index.tally(self.numbers):
            # Where a revision has nothing but links, as what they repeat used older results.
            found[names.op(tally.op), tally.version] += tally.calls or tally.links
        return found

    def _made(self, numbers: Iterable[int]) -> set[int]:
        return {mark for _, mark in sifting.outputs(self.index, numbers)}


def _again(side: _Side, names: Names, shared: Collection[int], calls: Iterable[Call]) -> list[Call]:
    """Return the calls of both worlds that one of `calls` makes again, or repeats."""
    again = sifting.with_keys(side.index, (call.key for call in calls))
    return side.calls(names, again.intersection(shared))


def _grouped(calls: Iterable[Call], ops: Collection[str] = ()) -> Mapping[Identity, list[Call]]:
    found: dict[Identity, list[Call]] = defaultdict(list)
    for call in calls:
        if not ops or call.op in ops:
            found[identity_of(call)].append(call)
    return found


def _changes(
    old: Mapping[Identity, list[Call]], new: Mapping[Identity, list[Call]], ops: Collection[str]
) -> list[CallChange]:
    """Return what became of each call, ordered by op and the time of the call."""
    pairs = paired(old, new)
    partners = frozenset(pairs.values())
    rows = [
        CallChange(_first(old.get(identity)), _first(new.get(pairs.get(identity, identity))))
        for identity in {**old, **new}
        if identity not in partners and (not ops or identity[0] in ops)
    ]
    return sorted(rows, key=lambda row: (row.call.op, row.call.start, row.call.hid))


def _first(calls: list[Call] | None) -> Call | None:
    return preferred(calls)[0] if calls else None


def _versions(old: _Side, new: _Side, names: Names, ops: Collection[str]) -> list[VersionChange]:
    before, after = old.tallies(names), new.tallies(names)
    found = []
    for mine, theirs, other, is_new in ((before, after, new, False), (after, before, old, True)):
        only = {key: calls for key, calls in mine.items() if key not in theirs}
        known = other.view.world.versions({version for _, version in only})
        for (op, version), calls in only.items():
            if (not ops or op in ops) and version in known:
                differs = changed(known[version], other.view.code, other.decisions)
                found.append(VersionChange(op, version, is_new, calls, tuple(differs)))
    return sorted(found, key=lambda one: (one.op, one.is_new, one.version))


def _statements(old: View, new: View) -> list[StatementChange]:
    before, after = dict(old.world.statements()), dict(new.world.statements())
    gone = [StatementChange(r, fact, False) for r, fact in before.items() if r not in after]
    return gone + [StatementChange(r, fact, True) for r, fact in after.items() if r not in before]
