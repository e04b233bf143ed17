"""Which calls of two worlds were asked for alike, though what led to them returned something else.

Not what differs in them (`worlds`). Invariant: two calls are paired if they are of one op, and each
input has the same content or is the same output of calls that are alike, or a list, tuple or dict of
such; each is paired once. What is in a set, or in an object of which records list a part, has no place
by which it would be the same.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Collection, Mapping, Sequence
from typing import TypeAlias

from gitmemo.frames import Universe
from gitmemo.hashing.digest import Digest
from gitmemo.model.facts import Call
from gitmemo.model.items import Held, inside, placed, ways

Identity: TypeAlias = tuple[str, int, frozenset[tuple[str, Digest]]]
"""What makes two calls the same: op, op version, and the contents of the inputs by name."""

Groups: TypeAlias = Mapping[Identity, Sequence[Call]]
"""The calls of one world that may differ from those of another, by what makes them the same."""

_Made: TypeAlias = dict[Digest, "tuple[int, str, tuple[object, ...]]"]
"""By history id: the number of what the maker was asked for, the output, and the way into it."""


def identity_of(call: Call) -> Identity:
    """Return what makes a call the same as others."""
    return (
        call.op,
        call.op_version,
        frozenset((slot.name, slot.cid) for slot in call.inputs),
    )


def paired(old: Groups, new: Groups) -> dict[Identity, Identity]:
    """Return which of the identities in `old` alone is which of those in `new` alone."""
    met = old.keys() & new.keys()
    if len(met) == len(old) or len(met) == len(new):
        return {}
    numbers: dict[object, int] = {}
    asked_before, asked_after = _asked(old, met, numbers), _asked(new, met, numbers)
    waiting: dict[int, list[Identity]] = defaultdict(list)
    for identity, calls in old.items():
        if identity not in met:
            for asked in sorted({asked_before[call.hid] for call in calls}):
                waiting[asked].append(identity)
    found: dict[Identity, Identity] = {}
    for identity, calls in new.items():
        if identity in met:
            continue
        several = (waiting[asked_after[c.hid]] for c in calls if asked_after[c.hid] in waiting)
        free = (one for identities in several for one in identities if one not in found)
        other = next(free, None)
        if other is not None:
            found[other] = identity
    return found


def _asked(
    groups: Groups, met: Collection[Identity], numbers: dict[object, int]
) -> dict[Digest, int]:
    """Return by history id what each call was asked for, as a number that both worlds give it."""
    calls = {call.hid: call for several in groups.values() for call in several}
    asked: dict[Digest, int] = {}
    made: _Made = {}
    for call in Universe(calls.values()).in_order(calls.keys()):
        identity = identity_of(call)
        given: object = identity
        if identity not in met:
            inputs = frozenset((slot.name, _token(slot, made)) for slot in call.inputs)
            given = call.op, call.op_version, inputs
        number = asked[call.hid] = numbers.setdefault(given, len(numbers))
        for slot in call.outputs:
            made.update((one.hid, (number, slot.name, way)) for way, one in ways(slot))
    return asked


def _token(held: Held, made: _Made) -> object:
    """Return what is the same for values that were asked for alike."""
    if held.hid in made:
        return made[held.hid]
    parts = placed(held)
    if held.is_raw or not parts or made.keys().isdisjoint(one.hid for one in inside(held)):
        return held.cid
    kind = held.parts.kind if held.parts is not None else None
    return kind, tuple((place, _token(item, made)) for place, item in parts)
