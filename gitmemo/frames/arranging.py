"""The look of frames: other names, variables that are one, functions in parts, nodes left out.

Not which calls are part of a frame (`selecting`), but for those of functions that are dropped.
Invariant: each of these returns another frame of the same universe, whose calls are the frame's.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import replace
from typing import TYPE_CHECKING, Any, Literal

from gitmemo.errors import BadSetting, NameTaken
from gitmemo.frames.naming import content
from gitmemo.frames.universe import element
from gitmemo.hashing.digest import Digest, to_hex
from gitmemo.model.facts import Call

if TYPE_CHECKING:
    from gitmemo.frames.frame import ComputationFrame


def renamed(frame: ComputationFrame, names: Mapping[str, str]) -> ComputationFrame:
    """Return the frame with other names."""
    frame.check_nodes(names)
    left = set(frame.nodes) - set(names)
    new = list(names.values())
    for old, name in names.items():
        if name in left or new.count(name) > 1:
            raise NameTaken(old, name)
    variables = {one: new for old, new in names.items() for one in frame.variables.get(old, ())}
    functions = {frame.function(o): n for o, n in names.items() if frame.is_function(o)}
    layout = replace(
        frame.layout.called(names),
        names={**frame.layout.names, **variables},
        functions={**frame.layout.functions, **functions},
    )
    free = {names.get(name, name): slots for name, slots in frame.free.items()}
    return replace(frame, layout=layout, free=free)


def merged(frame: ComputationFrame, names: Sequence[str], into: str | None) -> ComputationFrame:
    """Return the frame in which these variables are one."""
    if not names:
        return _merged_alike(frame)
    for name in names:
        frame.elements(name)
    target = into or names[0]
    if target in frame.nodes and target not in names:
        raise NameTaken(names[0], target)
    found = {one: target for name in names for one in frame.variables[name]}
    slots = tuple(slot for name in names for slot in frame.free.get(name, ()))
    free = {name: old for name, old in frame.free.items() if name not in names}
    called = frame.layout.called(dict.fromkeys(names, target))
    layout = replace(called, names={**frame.layout.names, **found})
    return replace(frame, layout=layout, free={**free, target: slots} if slots else free)


def simplified(frame: ComputationFrame) -> ComputationFrame:
    """Return the frame without empty variables, and with arguments of the same values as one."""
    free = {name: slots for name, slots in frame.free.items() if slots}
    return _merged_alike(replace(frame, free=free), same=True)


def _merged_alike(frame: ComputationFrame, *, same: bool = False) -> ComputationFrame:
    """Merge arguments from outside into others that hold all their values; `same`: and no more."""
    outside = [
        name
        for name, variables in frame.variables.items()
        if variables and not any(one.produced for one in variables)
    ]
    held = {name: {content(slot) for slot in frame.elements(name)} for name in outside}
    for name in sorted(outside, key=lambda one: (len(held[one]), one)):
        larger = [
            other
            for other in outside
            if other != name and (held[name] == held[other] if same else held[name] <= held[other])
        ]
        if larger and name in frame.variables:
            target = min(larger, key=lambda other: (-len(held[other]), other))
            if target in frame.variables:
                frame = merged(frame, [target, name], target)
                outside.remove(name)
    return frame


def split(
    frame: ComputationFrame, node: str, by: Callable[[Any], object] | Literal["version"]
) -> ComputationFrame:
    """Return the frame with the function of a node in parts."""
    frame.check_nodes([node])
    if by != "version" and not callable(by):
        raise BadSetting("by", by, ("version", "a function"))
    if frame.is_function(node):
        tell = _version_of if by == "version" else by
        parts = {call.hid: str(tell(call)) for call in frame.calls_of(node)}
    else:
        parts = dict(_parts_by_value(frame, node, by))
    layout = replace(frame.layout, parts={**frame.layout.parts, **parts})
    return replace(frame, layout=layout, whole=None)


def _version_of(call: Call) -> str:
    return to_hex(call.version)[:8] if call.version else "unversioned"


def _parts_by_value(
    frame: ComputationFrame, node: str, by: Callable[[Any], object] | Literal["version"]
) -> Iterable[tuple[Digest, str]]:
    from gitmemo.frames.columns import values_of

    variables = set(frame.variables[node])
    slots = frame.elements(node)
    if by == "version":
        told: dict[Digest | str, str] = {}
    else:
        values = values_of(slots, frame.loader)
        told = {element(s): str(by(value)) for s, value in zip(slots, values, strict=True)}
    for call in frame.calls:
        roles = frame.roles
        touched = [s for s in call.outputs if roles.output(call, s) in variables]
        touched += [
            s
            for s in call.inputs
            if (role := roles.argument(call, s)) in variables and not role.produced
        ]
        for slot in touched[:1]:
            yield call.hid, told[element(slot)] if told else _version_of(call)


def dropped(
    frame: ComputationFrame, nodes: Sequence[str], with_dependents: bool
) -> ComputationFrame:
    """Return the frame without these."""
    functions = frame.functions_in(nodes)
    variables = {one for name in nodes for one in frame.variables.get(name, ())}
    gone = {call.hid for call in frame.calls if frame.roles.function(call) in functions}
    if with_dependents:
        gone |= {
            call.hid
            for call in frame.calls
            if any(frame.roles.argument(call, slot) in variables for slot in call.inputs)
        }
        gone |= frame.universe.reach(gone, [frame.roles.after])
    layout = replace(frame.layout, hidden=frame.layout.hidden | variables)
    free = {name: slots for name, slots in frame.free.items() if name not in nodes}
    whole = None if gone else frame.whole
    return replace(frame, selected=frame.selected - gone, layout=layout, free=free, whole=whole)
