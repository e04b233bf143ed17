"""Calls that are one result though they are stored as several: what equivalent code made of equal things.

Not links, which say so themselves. Such calls come about where a change was run before somebody
decided that it changes nothing. Invariant: twins count for the same code, are of one op, were
given the same, each by its history or that of a twin, and returned equal contents.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Collection, Iterable, Iterator, Mapping
from typing import TypeAlias

from gitmemo.frames.universe import Universe
from gitmemo.hashing.digest import Digest
from gitmemo.model.facts import Call
from gitmemo.model.items import Held, inside, placed, ways

Twins: TypeAlias = "Mapping[Digest, Digest]"
"""The first of several twins by the history ids of the others, for calls and what they returned."""


def twins_among(universe: Universe, older: Collection[Digest]) -> Twins:
    """Return the twins in a universe; `older` are calls that do not count for the code as it is."""
    versions: dict[str, set[Digest | None]] = defaultdict(set)
    for call in universe.calls:
        if call.hid not in older:
            versions[call.op].add(call.version)
    several = {op for op, known in versions.items() if len(known) > 1}
    # What most projects have is seen without reading a call.
    suspects = [call for call in universe.calls if call.op in several and call.hid not in older]
    if not _found(suspects):
        return {}
    return _found(call for call in universe.in_order(universe.hids) if call.hid not in older)


def _found(calls: Iterable[Call]) -> dict[Digest, Digest]:
    firsts: dict[tuple[object, ...], Call] = {}
    twins: dict[Digest, Digest] = {}
    for call in calls:
        given = tuple((slot.name, _told(slot, twins)) for slot in call.inputs)
        returned = tuple((slot.name, slot.cid) for slot in call.outputs)
        first = firsts.setdefault((call.op, call.op_version, given, returned), call)
        if first is not call:
            twins[call.hid] = first.hid
            for slot, other in zip(call.outputs, first.outputs, strict=True):
                twins.update(_alike(slot, other))
    return twins


def _alike(held: Held, other: Held) -> Iterator[tuple[Digest, Digest]]:
    """Yield the history ids of all that stands in the same place of two equal values.

    They may be listed to different depths. What has no place is told by its content.
    """
    places = dict(ways(other))
    contents = {one.cid: one for one in inside(other)}
    for way, one in ways(held):
        if way in places:
            yield one.hid, places[way].hid
        for part in inside(one) if one.parts is not None and not placed(one) else ():
            if part.cid in contents:
                yield part.hid, contents[part.cid].hid


def _told(held: Held, twins: Twins) -> object:
    """Return what is the same for a value and its twins, also where they are in collections."""
    items = held.parts.items if held.parts is not None else None
    if items is None or held.hid in twins:
        return twins.get(held.hid, held.hid)
    return held.cid, tuple(_told(item, twins) for item in items)
