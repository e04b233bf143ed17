"""Patterns as values: variables, the calls that relate them, and what they may stand for.

Not how they are made (`roles`, `variables`) or matched (`matching`). Invariant: variables are
numbers, and atoms stand in an order in which code could compute them.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field, replace
from typing import TypeAlias

from gitmemo.hashing.digest import Digest
from gitmemo.model.items import Held

Row: TypeAlias = tuple[Digest, ...]
"""The history ids that variables stand for, in the order of the variables."""


@dataclass(frozen=True, slots=True)
class CallAtom:
    """A call of an op between variables; arguments and outputs that are not named are unconstrained."""

    op: str
    op_version: int
    inputs: tuple[tuple[str, int], ...]
    outputs: tuple[tuple[str, int], ...]

    @property
    def variables(self) -> tuple[int, ...]:
        """All variables, as often as they are named."""
        return tuple(variable for _, variable in (*self.inputs, *self.outputs))


@dataclass(frozen=True, slots=True)
class MemberAtom:
    """A value in a collection, in whatever order and number the collection has.

    Attributes:
        index: The variable of its position or key; None where that does not matter.
        kind: What the collection is; None for any.
    """

    collection: int
    element: int
    index: int | None = None
    kind: str | None = None

    @property
    def variables(self) -> tuple[int, ...]:
        """All variables, as often as they are named."""
        both = (self.collection, self.element)
        return both if self.index is None else (*both, self.index)


Atom: TypeAlias = CallAtom | MemberAtom


@dataclass(frozen=True, slots=True)
class Among:
    """A variable stands for one of some values, by content, or by history.

    Attributes:
        shown: The value as code, where it is an argument that was given as a value.
        pins: The values as code, where `pin` said them.
    """

    cids: frozenset[Digest] = frozenset()
    hids: frozenset[Digest] = frozenset()
    shown: str | None = None
    pins: str = ""

    def allows(self, held: Held) -> bool:
        """Whether a value is one of them."""
        if self.hids and held.hid in self.hids:
            return True
        return bool(self.cids) and held.cid in self.cids


@dataclass(frozen=True, slots=True)
class Pattern:
    """Atoms that all hold together.

    Attributes:
        asked: The variables of the table, in the order of its columns.
        among: What variables may stand for, where that is restricted.
    """

    atoms: tuple[Atom, ...]
    asked: tuple[int, ...]
    among: Mapping[int, Among] = field(default_factory=dict)

    def asking(self, asked: Iterable[int]) -> Pattern:
        """Return the same pattern with other columns."""
        return replace(self, asked=tuple(asked))

    def variables(self) -> list[int]:
        """Return all variables in the order of the computation: what calls take before what they give."""
        found: dict[int, None] = {}
        for atom in self.atoms:
            found.update(dict.fromkeys(written_order(atom)))
        return list(found)

    def trimmed(self) -> Pattern:
        """Return the pattern without what constrains nothing: variables named once and not asked for.

        A call that was stored without some argument fits a pattern that does not care for it.
        """
        uses = Counter(variable for atom in self.atoms for variable in atom.variables)
        kept = {
            variable
            for variable, count in uses.items()
            if count > 1 or variable in self.asked or variable in self.among
        }
        return replace(self, atoms=tuple(_without(self.atoms, kept)))

    def parts(self) -> list[Pattern]:
        """Return the parts that no variable connects; a value that is given connects nothing."""
        groups = _connected(self.atoms, {v for v, among in self.among.items() if among.shown})
        found: list[Pattern] = []
        left = dict.fromkeys(self.asked)
        for group in groups:
            atoms = tuple(self.atoms[number] for number in group)
            variables = {variable for atom in atoms for variable in atom.variables}
            asked = tuple(variable for variable in left if variable in variables)
            found.append(Pattern(atoms, asked, self.among))
            left = {variable: None for variable in left if variable not in variables}
        return found


def written_order(atom: Atom) -> tuple[int, ...]:
    """Return the variables of an atom: those that code has first."""
    if isinstance(atom, CallAtom):
        return atom.variables
    index = () if atom.index is None else (atom.index,)
    first, last = atom.element, atom.collection
    return (last, *index, first) if atom.kind is None else (*index, first, last)


def _without(atoms: Iterable[Atom], kept: set[int]) -> Iterator[Atom]:
    for atom in atoms:
        if isinstance(atom, CallAtom):
            inputs = tuple(pair for pair in atom.inputs if pair[1] in kept)
            outputs = tuple(pair for pair in atom.outputs if pair[1] in kept)
            if inputs or outputs:
                yield replace(atom, inputs=inputs, outputs=outputs)
        else:
            index = atom.index if atom.index in kept else None
            if atom.element in kept or atom.collection in kept or index is not None:
                yield replace(atom, index=index)


def _connected(atoms: tuple[Atom, ...], given: set[int]) -> list[list[int]]:
    """Return the numbers of the atoms, those that share variables together, in order."""
    users: dict[int, list[int]] = {}
    for number, atom in enumerate(atoms):
        for variable in atom.variables:
            if variable not in given:
                users.setdefault(variable, []).append(number)
    seen: set[int] = set()
    groups: list[list[int]] = []
    for first in range(len(atoms)):
        if first in seen:
            continue
        seen.add(first)
        group, todo = [], [first]
        while todo:
            number = todo.pop()
            group.append(number)
            for variable in atoms[number].variables:
                others = users.pop(variable, ())
                todo += [other for other in others if other not in seen]
                seen.update(others)
        groups.append(sorted(group))
    return groups
