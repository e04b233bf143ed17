"""Arguments that nobody gave, taken from a stored call: what they are, and whether they still count.

Not which call they are taken from (`completing`). Invariant: nothing is read but records.
"""

from __future__ import annotations

from dataclasses import dataclass

from gitmemo.memo.lookup import Lookup
from gitmemo.memo.nearest import MOST_CALLS
from gitmemo.model.facts import Call, Slot, sources
from gitmemo.model.ids import raw_hid
from gitmemo.world.view import World

_FILES = "files"


@dataclass(frozen=True, slots=True)
class Taken:
    """An argument of a stored call.

    Attributes:
        maker: The op whose result it is; empty for a value from outside.
        older: The op in what led to it whose call was made by code that changed since; empty if none.
        is_file: Whether it is a file or folder, which may hold something else by now.
    """

    name: str
    maker: str = ""
    older: str = ""
    is_file: bool = False

    def __str__(self) -> str:
        if self.older:
            by = f"made by {self.maker}" + (f" from {self.older}" * (self.older != self.maker))
            return f"{self.name} ({by}, of older code: a run makes it anew)"
        if self.maker:
            return f"{self.name} (made by {self.maker})"
        return f"{self.name} (the file as it was then)" if self.is_file else self.name


def taken_from(slot: Slot, world: World, lookup: Lookup) -> Taken:
    """Say where an argument of a stored call came from."""
    if slot.hid == raw_hid(slot.cid):
        values = world.values(slot.cid)
        return Taken(slot.name, is_file=any(value.codec == _FILES for value in values))
    maker = world.creator(slot.hid)
    if maker is None:
        return Taken(slot.name)
    return Taken(slot.name, maker.op, _older(maker, world, lookup))


def _older(maker: Call, world: World, lookup: Lookup) -> str:
    """Return the op of the nearest call behind a value that code of now would not repeat."""
    todo, seen = [maker], {maker.hid}
    while todo:
        call = todo.pop(0)
        if not lookup.is_valid(call):
            if not _is_made_again(call, world, lookup):
                return call.op
            continue
        for hid in sorted(sources(call)):
            found = world.creator(hid)
            if found is not None and found.hid not in seen:
                seen.add(found.hid)
                todo.append(found)
    return ""


def _is_made_again(older: Call, world: World, lookup: Lookup) -> bool:
    """Whether a call that counts now returned the same."""
    results = [slot.cid for slot in older.outputs]
    return any(
        [slot.cid for slot in call.outputs] == results and lookup.is_valid(call)
        for call in world.newest_calls(older.op, MOST_CALLS)
    )
