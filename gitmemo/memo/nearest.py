"""The stored call that is nearest to one that is about to be made.

Not what differs between the two (`explain`). Invariant: which call it is depends
on the calls alone, not on their order.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from gitmemo.hashing.digest import Digest
from gitmemo.memo.lookup import Lookup
from gitmemo.model.facts import Call, Slot
from gitmemo.model.items import JsonValue
from gitmemo.model.plain import told

MOST_CALLS = 5_000
"""Among so many of an op's newest calls the nearest is looked for."""


def nearest_call(calls: Sequence[Call], slots: Sequence[Slot], lookup: Lookup) -> Call:
    """Return the call with the most equal arguments; of several a valid one, then the newest.

    Before that, one with arguments that Python calls equal: `1.0` is near to `1`.
    """
    given = {(slot.name, slot.cid) for slot in slots}
    shown = {slot.name: plain.json for slot in slots if (plain := told(slot))}
    scores = [(equal_inputs(call, given), _alike(call, shown)) for call in calls]
    most = max(scores)
    best = [call for call, score in zip(calls, scores, strict=True) if score == most]
    best.sort(key=lambda call: call.hid)
    best.sort(key=lambda call: call.start, reverse=True)
    return next((call for call in best if lookup.is_valid(call)), best[0])


def equal_inputs(call: Call, given: set[tuple[str, Digest]]) -> int:
    """Return how many inputs of `call` are among the names and content ids `given`."""
    return sum((slot.name, slot.cid) in given for slot in call.inputs)


def _alike(call: Call, shown: Mapping[str, JsonValue]) -> int:
    return sum(
        slot.name in shown and (plain := told(slot)) is not None and plain.json == shown[slot.name]
        for slot in call.inputs
    )
