"""What lies before, behind and between variables and functions of a frame.

Invariant: `weak` asks whether there is any way, `strong` whether there is no other.
"""

from __future__ import annotations

from collections.abc import Collection, Iterator, Sequence
from dataclasses import replace
from typing import TYPE_CHECKING

from gitmemo.errors import BadSetting
from gitmemo.frames.universe import Hids, element
from gitmemo.hashing.digest import Digest
from gitmemo.model.facts import Call, Slot

if TYPE_CHECKING:
    from gitmemo.frames.frame import ComputationFrame, How
    from gitmemo.frames.roles import Variable

_WAYS = ("weak", "strong")
Place = tuple["Variable", "Digest | str"]
"""A value in a role."""


def upstream(frame: ComputationFrame, nodes: Sequence[str], how: How) -> ComputationFrame:
    """Return what led to the values of `nodes`."""
    return replace(
        frame, selected=_upstream(frame, nodes, how), free=_free(frame, nodes), whole=None
    )


def downstream(frame: ComputationFrame, nodes: Sequence[str], how: How) -> ComputationFrame:
    """Return what came of the values of `nodes`."""
    return replace(
        frame, selected=_downstream(frame, nodes, how), free=_free(frame, nodes), whole=None
    )


def midstream(frame: ComputationFrame, nodes: Sequence[str], how: How) -> ComputationFrame:
    """Return what is both behind and before values of `nodes`."""
    kept = _downstream(frame, nodes, how) & _upstream(frame, nodes, how)
    return replace(frame, selected=kept, free=_free(frame, nodes), whole=None)


def _free(frame: ComputationFrame, nodes: Collection[str]) -> dict[str, tuple[Slot, ...]]:
    return {name: slots for name, slots in frame.free.items() if name in nodes}


def _upstream(frame: ComputationFrame, nodes: Sequence[str], how: How) -> Hids:
    variables, start = _asked(frame, nodes, how)
    if how == "strong":
        return _alone_before(frame, variables, start)
    made = {
        call.hid
        for call in frame.calls
        if any(frame.roles.output(call, slot) in variables for slot in call.outputs)
    }
    return frame.universe.reach(start | made, [frame.roles.before])


def _downstream(frame: ComputationFrame, nodes: Sequence[str], how: How) -> Hids:
    variables, start = _asked(frame, nodes, how)
    if how == "strong":
        return _alone_behind(frame, variables, start)
    given = {
        call.hid
        for call in frame.calls
        if any(frame.roles.argument(call, slot) in variables for slot in call.inputs)
    }
    used = {
        user.hid
        for call in frame.calls
        if any(frame.roles.output(call, slot) in variables for slot in call.outputs)
        for user in frame.roles.after.get(call.hid, ())
    }
    return frame.universe.reach(start | given | used, [frame.roles.after])


def _asked(
    frame: ComputationFrame, nodes: Sequence[str], how: How
) -> tuple[set[Variable], set[Digest]]:
    if how not in _WAYS:
        raise BadSetting("how", how, _WAYS)
    variables = {one for name in nodes for one in frame.variables.get(name, ())}
    calls = {call.hid for name in nodes if frame.is_function(name) for call in frame.calls_of(name)}
    return variables, calls


def _given(frame: ComputationFrame, call: Call) -> Iterator[Place]:
    for slot in call.inputs:
        yield frame.roles.argument(call, slot), element(slot)


def _made(frame: ComputationFrame, call: Call) -> Iterator[Place]:
    for slot in call.outputs:
        yield frame.roles.output(call, slot), element(slot)


def _alone_behind(frame: ComputationFrame, variables: set[Variable], start: set[Digest]) -> Hids:
    """Return the calls all of whose arguments came of the start."""
    places = {
        place
        for call in frame.calls
        for place in (*_given(frame, call), *_made(frame, call))
        if place[0] in variables
    }
    kept = set(start)
    for call in frame.roles.order:
        if call.hid in start or (call.inputs and all(p in places for p in _given(frame, call))):
            kept.add(call.hid)
            places.update(_made(frame, call))
    return frozenset(kept)


def _alone_before(frame: ComputationFrame, variables: set[Variable], start: set[Digest]) -> Hids:
    """Return the calls whose results led to the start alone."""
    kept = set(start)
    for call in reversed(frame.roles.order):
        users = frame.roles.after.get(call.hid, ())
        led = all(user.hid in kept for user in users)
        asked = any(place[0] in variables for place in _made(frame, call))
        if asked or (users and led):
            kept.add(call.hid)
    return frozenset(kept)
