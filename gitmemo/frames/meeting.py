"""Which rows meet a condition, and which calls are made only of values that do.

Not the tests of values (`columns`). Invariant: whether a row or a call meets a mask depends on the values
behind it and on what the mask says, not on how it says it: the laws of `and`, `or` and `not` hold.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from functools import cached_property
from itertools import product
from typing import TYPE_CHECKING, TypeAlias

from gitmemo.frames.universe import element
from gitmemo.hashing.digest import Digest
from gitmemo.model.facts import Slot

if TYPE_CHECKING:
    from gitmemo.frames.columns import Mask
    from gitmemo.frames.frame import ComputationFrame

Passed: TypeAlias = "tuple[bool, ...]"
"""Which of the tests of its variable a value passes."""

Met: TypeAlias = "tuple[frozenset[Passed], ...]"
"""For each variable that is asked what its values in one row pass; of equal ones one is enough."""


class Asked:
    """What a mask asks of a frame.

    Attributes:
        names: The variables that it tests.
        tests: Of each of them the tests, in order.
    """

    def __init__(self, frame: ComputationFrame, mask: Mask) -> None:
        self._frame, self._mask = frame, mask
        leaves = list({id(leaf): leaf for leaf in mask.leaves()}.values())
        self.names = list(dict.fromkeys(leaf.name for leaf in leaves))
        self.tests = [[leaf for leaf in leaves if leaf.name == name] for name in self.names]

    def truth(self, values: Sequence[Passed | None]) -> bool | None:
        """Return whether one value of each variable meets the mask; None where a missing one matters."""
        known: dict[int, bool | None] = {}
        for tests, value in zip(self.tests, values, strict=True):
            for number, leaf in enumerate(tests):
                known[id(leaf)] = None if value is None else value[number]
        return _truth(self._mask, known)

    def is_met_by_some(self, met: Met) -> bool:
        """Whether a row meets the mask: a comparison does if one of the values in the row does."""
        some = [
            tuple(any(one[number] for one in passed) for number in range(len(tests)))
            for tests, passed in zip(self.tests, met, strict=True)
        ]
        return bool(self.truth(some))

    def is_met_by_all(self, met: Met) -> bool:
        """Whether all ways to take one value of each variable meet the mask."""
        return all(self.truth(values) for values in product(*(passed or {None} for passed in met)))

    def by_call(self) -> dict[Digest, Met]:
        """Return for each call what the values behind it, its own among them, pass."""
        frame = self._frame
        passed = self._passed
        places = {
            variable: place
            for place, name in enumerate(self.names)
            for variable in frame.variables[name]
        }
        cells, before = frame.roles.cells, frame.roles.before
        nothing: Met = tuple(frozenset[Passed]() for _ in self.names)
        same: dict[Met, Met] = {}
        found: dict[Digest, Met] = {}
        for call in frame.roles.order:
            states = dict.fromkeys(found[maker.hid] for maker in before[call.hid])
            own = [
                (places[variable], passed[places[variable]][element(slot)])
                for variable, slot in cells[call.hid]
                if variable in places
            ]
            met = _joined(list(states) or [nothing], own)
            found[call.hid] = same.setdefault(met, met)
        return found

    def of_free(self, name: str, slot: Slot) -> Met:
        """Return what a value that stands alone passes."""
        passed = self._passed
        return tuple(
            frozenset([passed[place][element(slot)]] if one == name else [])
            for place, one in enumerate(self.names)
        )

    @cached_property
    def _passed(self) -> list[dict[Digest | str, Passed]]:
        frame = self._frame
        found: list[dict[Digest | str, Passed]] = []
        for name, tests in zip(self.names, self.tests, strict=True):
            slots = frame.elements(name)
            told = [leaf.test(slots, frame.loader) for leaf in tests if leaf.test is not None]
            passes = [tuple(map(bool, one)) for one in zip(*told, strict=True)]
            found.append(dict(zip(map(element, slots), passes, strict=True)))
        return found


def _joined(states: Sequence[Met], own: Sequence[tuple[int, Passed]]) -> Met:
    if len(states) == 1 and not own:
        return states[0]
    joined = [set[Passed]().union(*several) for several in zip(*states, strict=True)]
    for place, passed in own:
        joined[place].add(passed)
    return tuple(map(frozenset, joined))


def _truth(mask: Mask, known: Mapping[int, bool | None]) -> bool | None:
    if mask.test is not None:
        found = known[id(mask)]
    else:
        parts = [_truth(part, known) for part in mask.parts]
        settled = not mask.all_of
        found = settled if settled in parts else None if None in parts else mask.all_of
    return found if found is None or not mask.is_negated else not found
