"""Rows with one element of each collection in place of the whole list.

Not the usual rows (`rows`). Invariant: within one row, one place of one collection is one element,
along whatever way the row leads there.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from typing import NamedTuple, TypeAlias

from gitmemo.frames.roles import Roles, Variable
from gitmemo.frames.rows import Row, rows_of
from gitmemo.frames.universe import element, produced
from gitmemo.hashing.digest import Digest
from gitmemo.model.facts import Call, Inline, Slot
from gitmemo.model.items import Held, Item
from gitmemo.model.plain import told

INDEX, ITEM = "_index", "_item"
Picks: TypeAlias = "dict[tuple[Digest, str], int]"
"""Which element of which argument of which call."""

Choices: TypeAlias = "Mapping[str, tuple[Item, ...]]"
"""The elements that arguments of one call are taken apart into."""


class Exploded(NamedTuple):
    """A row, and the elements that it is about."""

    row: Row
    picks: Picks


def exploded_rows(
    roles: Roles,
    finals: Sequence[Call],
    explodes: Callable[[Variable], bool],
    wanted: Collection[Variable] | None = None,
) -> Iterator[tuple[Call, Row]]:
    """Yield a row for each way through the collections that were arguments.

    With `wanted`, collections with no part in these variables stay whole: whichever of their
    elements a row were about, it would show the same.
    """
    shown = _leading_to(roles, wanted)
    broken = _broken(roles, lambda call, slot: _choices(roles, call, slot, explodes, shown))
    ends = {call.hid for call in finals} | {
        maker.hid for hid in broken for maker in roles.before[hid]
    }
    whole = [call for call in roles.order if call.hid in ends and call.hid not in broken]
    done = {
        call.hid: [Exploded(row, {})]
        for call, row in zip(whole, rows_of(roles, whole), strict=True)
    }
    for call in roles.order:
        if call.hid in broken:
            done[call.hid] = _rows_to(roles, call, done, broken[call.hid])
    for call in finals:
        for one in done[call.hid]:
            yield call, one.row


def _leading_to(roles: Roles, wanted: Collection[Variable] | None) -> Callable[[Call, Slot], bool]:
    """Return what tells the arguments that have something of `wanted` in them, or behind them."""
    if wanted is None:
        return lambda call, slot: True
    having: set[Digest] = set()
    for call in roles.order:
        own = any(variable in wanted for variable, _ in roles.cells[call.hid])
        if own or any(maker.hid in having for maker in roles.before[call.hid]):
            having.add(call.hid)
    return lambda call, slot: (
        roles.port(call, slot) in wanted
        or any(maker.hid in having for maker in _makers(roles, slot))
    )


def _broken(
    roles: Roles, choices: Callable[[Call, Slot], tuple[Item, ...] | None]
) -> dict[Digest, Choices]:
    """Return the calls with a collection that is taken apart, or behind which there is one."""
    found: dict[Digest, Choices] = {}
    for call in roles.order:
        own = {slot.name: one for slot in call.inputs if (one := choices(call, slot)) is not None}
        if own or any(maker.hid in found for maker in roles.before[call.hid]):
            found[call.hid] = own
    return found


def _rows_to(
    roles: Roles,
    call: Call,
    done: Mapping[Digest, Sequence[Exploded]],
    choices: Choices,
) -> list[Exploded]:
    """Return the rows that end in a call, made of those that end in the calls before it."""
    own: Row = {}
    for variable, slot in roles.cells[call.hid]:
        own[variable] = (*own.get(variable, ()), slot)
    found = [Exploded({}, {})]
    whole = dict.fromkeys(
        maker.hid
        for slot in call.inputs
        if slot.name not in choices
        for maker in _makers(roles, slot)
    )
    for hid in whole:
        found = [both for row in found for other in done[hid] if (both := _joined(row, other))]
    for slot in call.inputs:
        if slot.name in choices:
            found = [
                both
                for row in found
                for number, held in enumerate(choices[slot.name])
                for other in _to_element(roles, call, slot, number, held, done)
                if (both := _joined(row, other))
            ]
    return [Exploded(_merged(row, own), picks) for row, picks in found]


def _choices(
    roles: Roles,
    call: Call,
    slot: Slot,
    explodes: Callable[[Variable], bool],
    is_shown: Callable[[Call, Slot], bool],
) -> tuple[Item, ...] | None:
    """Return the elements that an argument is taken apart into, None if it stays whole."""
    if slot.parts is None or not slot.parts.items or roles.source(slot) is not None:
        return None
    apart = explodes(roles.port(call, slot)) and is_shown(call, slot)
    return slot.parts.items if apart else None


def _to_element(
    roles: Roles,
    call: Call,
    slot: Slot,
    number: int,
    item: Item,
    done: Mapping[Digest, Sequence[Exploded]],
) -> Iterator[Exploded]:
    """Yield the rows that lead to one element of an argument."""
    port = roles.port(call, slot)
    assert slot.parts is not None  # it has elements
    key = told(slot.parts.keys[number]) if slot.parts.kind == "dict" else None
    place = Slot(INDEX, None, None, key or Inline(number))
    here: Row = {port._replace(name=port.name + INDEX): (place,)}
    makers = list(_makers(roles, item))
    if not makers:
        plain = Slot(ITEM, item.cid, item.hid, item.inline, item.short, item.parts)
        here[port._replace(name=port.name + ITEM)] = (plain,)
    start = Exploded(here, {(call.hid, slot.name): number})
    rows = [start]
    for maker in makers:
        rows = [b for row in rows for other in done[maker.hid] if (b := _joined(row, other))]
    yield from rows


def _makers(roles: Roles, held: Held) -> list[Call]:
    found: dict[Digest, Call] = {}
    for hid in produced(held):
        maker = roles.maker(hid)
        if maker is not None:
            found[maker.hid] = maker
    return list(found.values())


def _joined(one: Exploded, other: Exploded) -> Exploded | None:
    """Return both as one row, None if they are about different elements of one collection."""
    if any(other.picks.get(place, number) != number for place, number in one.picks.items()):
        return None
    return Exploded(_merged(one.row, other.row), {**one.picks, **other.picks})


def _merged(one: Row, other: Row) -> Row:
    found = dict(one)
    for variable, cell in other.items():
        known = {element(slot): slot for slot in (*found.get(variable, ()), *cell)}
        found[variable] = tuple(known.values())
    return found
