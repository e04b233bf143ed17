"""Cells as JSON: what a page shows of the values of one variable in one row.

Not the tables (`tables`) nor how cells are sorted and filtered (`asking`). Invariant: a number in a
browser is a double, so what a double does not hold exactly, or tells apart, goes there as text.

A cell is one of these; None is a gap.

    0.9, "tree", true                       a plain value from outside
    {"v": 0.9, "h": HID}                    the same as a result: `load_ref(HID)` finds it
    {"n": "NaN"}, {"n": "1.0"}              a number that JSON, or a browser, would change
    {"j": "[1, 2]"}                         other plain data, as JSON
    {"s": "npy 80.1 kB", "c": CID}          a value that is stored elsewhere
    {"s": …, "i": [HID, "X"]}               from outside: the argument recorded as `X` of what made HID
    {"l": [CELL, …], "more": 7}             several values in one row
"""

from __future__ import annotations

import json
import math
from collections.abc import Iterable, Mapping
from typing import TypeAlias

from gitmemo.frames import Cell
from gitmemo.frames.universe import element
from gitmemo.hashing.digest import Digest, to_hex
from gitmemo.model.facts import Call, Slot
from gitmemo.model.items import JsonValue
from gitmemo.model.plain import as_json, told
from gitmemo.world.glimpses import NOT_STORED, glimpse
from gitmemo.world.view import World

Shown: TypeAlias = JsonValue
"""A cell as the page has it."""

Parts: TypeAlias = "dict[str, JsonValue]"

ID_DIGITS = 12
"""So many digits of an id stand in a page. Who asks by digits that two ids begin with is told so."""
_MOST_VALUES = 100
_LARGEST_EXACT = 2**53


class Cells:
    """Makes the cells of one page."""

    def __init__(self, world: World, calls: Iterable[Call]) -> None:
        """`calls` are those whose arguments may be shown."""
        self._world = world
        self._calls = calls
        self._users: Mapping[Digest, tuple[Digest, int]] | None = None
        self._kinds: dict[Digest, str] = {}

    def of(self, cell: Cell) -> Shown:
        """Return what a page holds of the values of one variable in one row."""
        if not cell:
            return None
        if len(cell) == 1:
            return self.of_slot(cell[0])
        several: Parts = {"l": [self.of_slot(slot) for slot in cell[:_MOST_VALUES]]}
        if len(cell) > _MOST_VALUES:
            several["more"] = len(cell) - _MOST_VALUES
        return several

    def of_slot(self, slot: Slot) -> Shown:
        """Return what a page holds of one value."""
        plain = told(slot)
        shown = plain_cell(plain.json) if plain else self._elsewhere(slot)
        if not slot.is_raw:
            return with_id(shown, _id(slot.hid))
        if plain is None and isinstance(shown, dict) and "c" in shown:
            user = self._user(slot)
            if user is not None:
                place: list[JsonValue] = [*user]
                shown["i"] = place
        return shown

    def _elsewhere(self, slot: Slot) -> Parts:
        """Return what is said of a value that stands in no record."""
        kind = self._kinds.get(slot.cid)
        if kind is None:
            kind = self._kinds[slot.cid] = self._kind(slot)
        shown: Parts = {"s": kind}
        return shown if kind == NOT_STORED else shown | {"c": _id(slot.cid)}

    def _kind(self, slot: Slot) -> str:
        if slot.parts is not None and slot.parts.items is not None:
            kind = slot.parts.kind if slot.parts.kind != "object" else "container"
            return f"{kind} of {len(slot.parts.items)}"
        return glimpse(self._world, slot.cid)

    def _user(self, slot: Slot) -> tuple[str, str] | None:
        """Return by which result, and which argument of the call that made it, a value is found.

        The argument has its recorded name, as `get_ref_creator` gives it: a rename may come and go.
        """
        if self._users is None:
            self._users = {
                given.cid: (call.outputs[0].hid, place)
                for call in self._calls
                if call.outputs
                for place, given in enumerate(call.inputs)
                if given.inline is None and given.is_raw
            }
        if slot.cid not in self._users:
            return None
        result, place = self._users[slot.cid]
        recorded = self._world.creator(result)
        return None if recorded is None else (_id(result), recorded.inputs[place].name)


def with_id(cell: Shown, hid: str) -> Shown:
    """Return a cell that says under which id its value is found."""
    parts: Parts = cell if isinstance(cell, dict) else {"v": cell}
    return parts | {"h": hid}


def without_id(cell: Shown) -> tuple[Shown, str]:
    """Return a cell as it is without its id, and the id; an empty one if it has none."""
    if not isinstance(cell, dict) or "h" not in cell:
        return cell, ""
    rest = {key: value for key, value in cell.items() if key != "h"}
    return rest.get("v", rest), str(cell["h"])


def _id(digest: Digest) -> str:
    return to_hex(digest)[:ID_DIGITS]


def key_of(cell: Cell) -> object:
    """Return what is the same for cells that look alike and are loaded alike."""
    return tuple(map(element, cell))


def plain_cell(value: object) -> Shown:
    """Return a plain value as a page has it.

    >>> plain_cell(0.5), plain_cell(2.0), plain_cell(2**60), plain_cell([1])
    (0.5, {'n': '2.0'}, {'n': '1152921504606846976'}, {'j': '[1]'})
    """
    if isinstance(value, bool | str):
        return value
    if isinstance(value, int):
        return value if abs(value) <= _LARGEST_EXACT else {"n": str(value)}
    if isinstance(value, float):
        if not math.isfinite(value):
            return {"n": str(as_json(value))}
        return {"n": repr(value)} if value.is_integer() else value
    if value is None:
        return {"j": "None"}
    return {"j": json.dumps(value, ensure_ascii=False)}
