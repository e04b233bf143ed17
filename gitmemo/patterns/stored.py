"""Stored calls by column: what an argument or output of an op was in each of its calls.

Not which calls count (who makes a `Stored` chose them). Invariant: columns of one op have an entry
for each of its calls, in one order; None stands where a call has no such slot.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from functools import cached_property, lru_cache
from typing import TypeAlias

from gitmemo.hashing import content_id
from gitmemo.hashing.digest import Digest
from gitmemo.model.facts import Call, Slot
from gitmemo.model.items import OBJECT, Held, Inline, Item, raw

Column: TypeAlias = "Sequence[Slot | None]"


@dataclass(frozen=True, slots=True)
class Member:
    """A value in a collection.

    Attributes:
        kind: What the collection is.
        index: Its position in a list or tuple, or its key in a dict; None in others.
        root: The argument or result that it is somewhere in.
    """

    collection: Digest
    kind: str
    element: Item
    index: Item | None
    root: Slot


class Stored:
    """The calls among which patterns are matched."""

    def __init__(self, calls: Iterable[Call]) -> None:
        self.calls = tuple(calls)
        self._columns: dict[tuple[str, int, bool, str], Column] = {}
        self._histories: dict[tuple[str, int, bool, str], Sequence[Digest | None]] = {}

    @cached_property
    def by_op(self) -> dict[tuple[str, int], list[Call]]:
        """The calls of each op and op version."""
        found: dict[tuple[str, int], list[Call]] = defaultdict(list)
        for call in self.calls:
            found[call.op, call.op_version].append(call)
        return found

    def column(self, op: str, op_version: int, *, is_output: bool, name: str) -> Column:
        """Return the slots of one name in the calls of an op."""
        key = (op, op_version, is_output, name)
        if key not in self._columns:
            calls = self.by_op.get((op, op_version), ())
            slots = (call.outputs if is_output else call.inputs for call in calls)
            self._columns[key] = list(_named(slots, name))
        return self._columns[key]

    def histories(
        self, op: str, op_version: int, *, is_output: bool, name: str
    ) -> Sequence[Digest | None]:
        """Return the history ids of such a column."""
        key = (op, op_version, is_output, name)
        if key not in self._histories:
            column = self.column(op, op_version, is_output=is_output, name=name)
            self._histories[key] = [None if slot is None else slot.hid for slot in column]
        return self._histories[key]

    @cached_property
    def collections(self) -> dict[Digest, Held]:
        """Every collection that has something in it, by history."""
        wanted = {member.collection for member in self.members}
        roots = [slot for call in self.calls for slot in (*call.outputs, *call.inputs)]
        found: dict[Digest, Held] = {slot.hid: slot for slot in roots if slot.parts is not None}
        inner = (member.element for member in self.members)
        found.update({item.hid: item for item in inner if item.parts and item.hid not in found})
        return {hid: held for hid, held in found.items() if hid in wanted}

    @cached_property
    def members(self) -> tuple[Member, ...]:
        """Everything that is in a collection that a call took or gave, each once."""
        found: dict[tuple[Digest, Digest, Digest | None], Member] = {}
        for call in self.calls:
            for slot in (*call.outputs, *call.inputs):
                if slot.parts is not None:
                    for member in _members(slot):
                        index = member.index.hid if member.index else None
                        found.setdefault((member.collection, member.element.hid, index), member)
        return tuple(found.values())


def _named(calls: Iterable[Sequence[Slot]], name: str) -> Iterator[Slot | None]:
    place = 0
    for slots in calls:
        # Most calls of an op have their slots in one order.
        if place < len(slots) and slots[place].name == name:
            yield slots[place]
            continue
        found = next((number for number, slot in enumerate(slots) if slot.name == name), None)
        place = place if found is None else found
        yield None if found is None else slots[found]


def _members(root: Slot) -> Iterator[Member]:
    todo: list[Held] = [root]
    while todo:
        held = todo.pop()
        if held.parts is None or held.parts.items is None:
            continue
        for number, item in enumerate(held.parts.items):
            index: Item | None = None
            if held.parts.kind in ("list", "tuple"):
                index = position(number)
            elif held.parts.kind == "dict":
                index = held.parts.keys[number]
            yield Member(held.hid, held.parts.kind, item, index, root)
        todo += reversed(held.parts.items)


@lru_cache(maxsize=10_000)
def position(number: int) -> Item:
    """Return the value that a position in a list is."""
    return raw(content_id(number), Inline(number))


def is_kind(kind: str, wanted: str | None) -> bool:
    """Whether a collection is of a kind; of some collections only the value says what they are."""
    return wanted is None or kind in (wanted, OBJECT)
