"""The calls among which frames look, and which of them made and used which values.

Not a frame (`frame`), and not a store. Invariant: only histories connect calls: a value that came
from outside has no maker, and is no way from one call to another that was given an equal one.
`given` alone asks for equal ones, where somebody starts from such a value.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from functools import cached_property
from typing import TypeAlias

from gitmemo.collector import uncollected
from gitmemo.hashing.digest import Digest
from gitmemo.model.facts import Call, Slot
from gitmemo.model.items import Held, histories, inside

Hids: TypeAlias = "frozenset[Digest]"

_SIMPLE = frozenset({int, float, bool, str})


def element(held: Held) -> Digest | str:
    """Return what tells a value from others of the same role: its history, or what it is.

    Of a simple value from outside it is its text, because ids of 100,000 numbers take a second.
    """
    inline = held.inline
    if inline is not None and type(inline.json) in _SIMPLE and held.is_raw:
        return repr(inline.json)
    return held.hid


def produced(held: Held) -> Iterator[Digest]:
    """Yield the history ids of a value and of what is in it, but for a value from outside."""
    if held.parts is not None:
        yield from histories(held)
    elif not held.is_raw:
        yield held.hid


class Universe:
    """Calls, each once, in their order."""

    def __init__(self, calls: Iterable[Call]) -> None:
        self.calls: tuple[Call, ...] = tuple(calls)

    def __eq__(self, other: object) -> bool:
        return self is other or (isinstance(other, Universe) and self.hids == other.hids)

    def __hash__(self) -> int:
        return hash(self.hids)

    @cached_property
    def by_hid(self) -> Mapping[Digest, Call]:
        """The calls by history id."""
        return {call.hid: call for call in self.calls}

    @cached_property
    def hids(self) -> Hids:
        """The history ids of all calls."""
        return frozenset(self.by_hid)

    @cached_property
    @uncollected()
    def makers(self) -> Mapping[Digest, tuple[Call, Slot]]:
        """Which output of which call the values of each history are, or are in."""
        found: dict[Digest, tuple[Call, Slot]] = {}
        for call in self.calls:
            for slot in call.outputs:
                found[slot.hid] = (call, slot)
                if slot.parts is not None:
                    for item in inside(slot):
                        found[item.hid] = (call, slot)
        return found

    @cached_property
    @uncollected()
    def feeding(self) -> Mapping[Digest, tuple[Call, ...]]:
        """For each call those that its inputs came from, in the order of the inputs, each once."""
        makers, nothing = self.makers, ()
        found: dict[Digest, tuple[Call, ...]] = {}
        for call in self.calls:
            before: dict[Digest, Call] = {}
            for slot in call.inputs:
                for hid in produced(slot):
                    made = makers.get(hid)
                    if made is not None:
                        before[made[0].hid] = made[0]
            found[call.hid] = tuple(before.values()) if before else nothing
        return found

    @cached_property
    @uncollected()
    def using(self) -> Mapping[Digest, Sequence[Call]]:
        """For each call those that used what it returned, in order."""
        found: dict[Digest, list[Call]] = defaultdict(list)
        for call in self.calls:
            for maker in self.feeding[call.hid]:
                found[maker.hid].append(call)
        return found

    def given(self, held: Held) -> Sequence[Call]:
        """Return the calls that a value is an argument of, or in an argument of.

        Those of a value from outside are the calls that were given an equal one.
        """
        return self._given[held.is_raw, element(held)]

    @cached_property
    def _given(self) -> Mapping[tuple[bool, Digest | str], Sequence[Call]]:
        """The calls by what they were given: whether it is from outside, and which it is."""
        found: dict[tuple[bool, Digest | str], list[Call]] = defaultdict(list)
        for call in self.calls:
            keys = dict.fromkeys(
                (False, hid) for slot in call.inputs for hid in produced(slot)
            ) | dict.fromkeys((True, element(slot)) for slot in call.inputs if slot.is_raw)
            for key in keys:
                found[key].append(call)
        return defaultdict(list, found)

    def in_order(self, hids: Collection[Digest]) -> list[Call]:
        """Return these calls, each after all that its inputs came from, and soon after the last of them.

        What waits for nothing, and what waited for one call, comes in the order of the calls.
        """
        feeding, using = self.feeding, self.using
        waiting = {
            hid: sum(maker.hid in hids for maker in feeding[hid]) for hid in hids if feeding[hid]
        }
        found: list[Call] = []
        todo = [
            call for call in reversed(self.calls) if call.hid in hids and not waiting.get(call.hid)
        ]
        while todo:
            call = todo.pop()
            found.append(call)
            for user in reversed(using.get(call.hid, ())):
                if user.hid in hids:
                    waiting[user.hid] -= 1
                    if not waiting[user.hid]:
                        todo.append(user)
        return found

    def reach(
        self, start: Iterable[Digest], neighbours: Iterable[Mapping[Digest, Sequence[Call]]]
    ) -> Hids:
        """Return the calls that can be reached from `start`, those included that are part of it."""
        maps = tuple(neighbours)
        seen = set(start)
        todo = list(seen)
        while todo:
            hid = todo.pop()
            for mapping in maps:
                for other in mapping.get(hid, ()):
                    if other.hid not in seen:
                        seen.add(other.hid)
                        todo.append(other.hid)
        return frozenset(seen)

    def only(self, hids: Collection[Digest]) -> Universe:
        """Return these calls alone: what is not asked of the others need not be read."""
        if len(hids) == len(self.calls):
            return self
        return Universe(call for call in self.calls if call.hid in hids)

    def joined(self, other: Universe) -> Universe:
        """Return the calls of both, in the order in which they ran."""
        if self == other:
            return self
        calls = {**other.by_hid, **self.by_hid}.values()
        return Universe(sorted(calls, key=lambda call: (call.start, call.hid)))
