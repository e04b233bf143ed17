"""Many records of one call: which of them decide what a look-up finds.

A loop whose result does not change any more makes one call again and again, each time with an
input of another history, and each time is a link. So one key may have thousands of records.
Not look-ups (`memo.lookup`), which judge what is chosen here. Invariant: what is chosen holds the
very call that was asked for, if it is there, and for each other record one that stands for it:
of the same code, with the same outputs, and no less part of this world.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from typing import NamedTuple, TypeAlias

from gitmemo.hashing.digest import Digest
from gitmemo.model.components import Component
from gitmemo.model.facts import Call
from gitmemo.model.glances import Asked
from gitmemo.model.ids import call_hid
from gitmemo.model.lines import record_id
from gitmemo.model.tombstones import origin_of

FEW = 8
"""So many records of one call are all read: that is quicker than to choose."""
_MOST_CROWDS = 4096


@dataclass(frozen=True, slots=True)
class Member:
    """A record of a crowd.

    Attributes:
        place: Where it stands: its number in the index, or its place among lines.
        record: Its record id.
        origin: The record that it repeats; None if the call was run.
    """

    place: int
    record: Digest
    origin: Digest | None


Test: TypeAlias = Callable[[Member], bool]


class _Kind(NamedTuple):
    """What is the same in a run and in all links to it that answer for it."""

    origin: Digest
    version: Digest | None
    outputs: tuple[tuple[str, Digest], ...]
    moved: tuple[Component, Component] | None


class Crowd:
    """The records of one key, as far as they were added.

    Attributes:
        end: The place behind the last one that was looked at.
    """

    def __init__(self) -> None:
        self.end = 0
        self._runs: list[tuple[_Kind, Member]] = []
        self._links: dict[_Kind, list[Member]] = {}
        self._by_hid: dict[Digest, list[Member]] = {}
        self._versions: dict[Digest | None, None] = {}

    def add(self, place: int, line: str, call: Call) -> None:
        """Add the record with this line; places grow."""
        member = Member(place, record_id(line), origin_of(call))
        outputs = tuple([(slot.name, slot.cid) for slot in call.outputs])
        kind = _Kind(member.origin or member.record, call.version, outputs, call.moved)
        if member.origin is None:
            self._runs.append((kind, member))
        else:
            self._links.setdefault(kind, []).append(member)
        self._by_hid.setdefault(call.hid, []).append(member)
        self._versions[call.version] = None
        self.end = place + 1

    def deciding(self, asked: Asked, *tests: Test) -> list[int]:
        """Return the places of the records that decide, in order.

        Records that pass the first of `tests` go before those that pass the second; what passes
        none stands for nothing.
        """
        runs = list(self._runs)
        found = {member.place for _, member in runs}
        histories = [(slot.name, slot.hid) for slot in asked.inputs]
        for version in list(self._versions):
            hid = call_hid(asked.op, asked.op_version, version, histories)
            found.update(member.place for member in self._by_hid.get(hid, ()))
        answered = {kind for kind, member in runs if tests[0](member)}
        for kind, links in list(self._links.items()):
            first = None if kind in answered else _first(links, tests)
            if first is not None:
                found.add(first.place)
        return sorted(found)


class Crowds:
    """The crowds that look-ups of one index met."""

    def __init__(self) -> None:
        self._by_key: dict[Digest, Crowd] = {}

    def __contains__(self, key: Digest) -> bool:
        return key in self._by_key

    def of(self, key: Digest) -> Crowd:
        """Return the crowd of a key, empty if it is new."""
        crowd = self._by_key.get(key)
        if crowd is None:
            if len(self._by_key) >= _MOST_CROWDS:
                self._by_key.clear()
            crowd = self._by_key[key] = Crowd()
        return crowd


def _first(links: Iterable[Member], tests: Iterable[Test]) -> Member | None:
    for test in tests:
        for member in links:
            if test(member):
                return member
    return None
