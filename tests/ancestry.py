"""What led to a call, found by recursion over all calls: an oracle, with no thought of speed."""

from __future__ import annotations

from collections.abc import Sequence

from hypothesis import HealthCheck, settings

from gitmemo.frames import ComputationFrame, Universe
from gitmemo.model.facts import Call, Slot
from gitmemo.model.items import Item

QUICK = settings(max_examples=80, deadline=None, suppress_health_check=[HealthCheck.too_slow])


def frame_of(calls: Sequence[Call]) -> ComputationFrame:
    """Return the frame of all calls."""
    return ComputationFrame(Universe(calls), frozenset(call.hid for call in calls))


def values_in(held: Slot | Item) -> list[Slot | Item]:
    """Return a value and everything in it."""
    items = (held.parts.items or ()) if held.parts else ()
    return [held, *(inner for item in items for inner in values_in(item))]


def maker_of(held: Slot | Item, calls: Sequence[Call]) -> Call | None:
    for call in calls:
        for output in call.outputs:
            if any(one.hid == held.hid for one in values_in(output)):
                return call
    return None


def ancestors(call: Call, calls: Sequence[Call]) -> dict[object, Call]:
    """Return the call and everything that led to it, by history."""
    found = {call.hid: call}
    for slot in call.inputs:
        for held in values_in(slot):
            maker = maker_of(held, calls)
            if maker:
                found |= ancestors(maker, calls)
    return found
