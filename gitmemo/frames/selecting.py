"""Frames made of frames: grown, cut down to values or nodes, or combined.

Not the graph itself (`graph`, `roles`), nor its look (`arranging`). Invariant: what is kept of a frame
can be shown: each call is there with all its arguments and results, whether or not the calls before it
are.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any, Literal

from gitmemo.collector import uncollected
from gitmemo.errors import UnknownOp, WrongQuestion
from gitmemo.frames.backing import Node
from gitmemo.frames.between import midstream
from gitmemo.frames.meeting import Asked
from gitmemo.frames.naming import short
from gitmemo.frames.roles import Variable
from gitmemo.frames.universe import Universe, element, produced
from gitmemo.hashing.digest import Digest
from gitmemo.model.facts import Call, Slot
from gitmemo.quantities import moment_of

if TYPE_CHECKING:
    from gitmemo.frames.columns import Mask
    from gitmemo.frames.frame import ComputationFrame

Free = Mapping[str, "tuple[Slot, ...]"]

UNNAMED = "value"
"""What values are called as long as nobody knows better."""

# --- growing ------------------------------------------------------------------


def expanded(
    frame: ComputationFrame,
    nodes: Sequence[Node],
    depth: int | None,
    ops: Sequence[Node] | None,
    where: Callable[[Call], bool] | None,
    *,
    back: bool = False,
    forward: bool = False,
) -> ComputationFrame:
    """Return the frame with what can be reached; see `ComputationFrame.expand_back`."""
    universe = frame.universe
    wanted = None if ops is None else _ops(frame, ops)

    def wants(call: Call) -> bool:
        return (wanted is None or call.op in wanted) and (where is None or where(call))

    with uncollected():
        maps = [m for m, asked in ((universe.feeding, back), (universe.using, forward)) if asked]
    slots, level = _start(frame, nodes)
    first = [call for slot in slots for call in _beside(universe, slot, back, forward)]
    seen, steps = set(frame.selected), 0
    while (level or first) and (depth is None or steps < depth):
        found = {call.hid: call for hid in level for m in maps for call in m.get(hid, ())}
        found |= {call.hid: call for call in first}
        first, steps = [], steps + 1
        level = [hid for hid, call in found.items() if hid not in seen and wants(call)]
        seen.update(level)
    return _absorbed(replace(frame, selected=frozenset(seen), whole=None))


def _ops(frame: ComputationFrame, ops: Iterable[Node]) -> set[str]:
    """Return the full names of ops, given as ops or by name; a short name may mean several."""
    known = sorted({call.op for call in frame.universe.calls})
    found: set[str] = set()
    for one in ops:
        name = frame.backing.name_of(one) if frame.backing and not isinstance(one, str) else None
        meant = [op for op in known if one in (op, short(op))] if name is None else [name]
        if not meant:
            import difflib  # only for names that are wrong

            shorts = {short(op): op for op in known}
            close = difflib.get_close_matches(str(one), [*known, *shorts], n=1)
            candidates = tuple(shorts.get(each, each) for each in close)
            raise UnknownOp(str(one), candidates, False, known=tuple(known))
        found.update(meant)
    return found


def _start(frame: ComputationFrame, nodes: Sequence[Node]) -> tuple[list[Slot], list[Digest]]:
    """Return the values and the calls from which to go on."""
    if not nodes:
        return [slot for slots in frame.free.values() for slot in slots], list(frame.selected)
    names = frame.check_nodes(nodes)
    slots = [s for name in names if name in frame.variables for s in frame.elements(name)]
    calls = [c.hid for name in names if frame.is_function(name) for c in frame.calls_of(name)]
    return slots, calls


def _beside(universe: Universe, slot: Slot, back: bool, forward: bool) -> list[Call]:
    found = []
    if back:
        found += [universe.makers[hid][0] for hid in produced(slot) if hid in universe.makers]
    return found + list(universe.given(slot)) if forward else found


def _absorbed(frame: ComputationFrame) -> ComputationFrame:
    """Give the names of free values to the variables that they turned out to be."""
    layout, names, free = frame.layout, dict(frame.layout.names), dict(frame.free)
    for name, slots in frame.free.items():
        roles = {slot: _roles_of(frame, slot) for slot in slots}
        for found in roles.values() if name != UNNAMED else ():
            names.update(dict.fromkeys(found, name))
        layout = layout.also_for(name, {one for found in roles.values() for one in found})
        free[name] = tuple(slot for slot in slots if not roles[slot])
        if not free[name]:
            del free[name]
    return replace(frame, free=free, layout=replace(layout, names=names))


def _roles_of(frame: ComputationFrame, slot: Slot) -> set[Variable]:
    made = frame.universe.makers.get(slot.hid) if not slot.is_raw else None
    if made is not None and made[0].hid in frame.selected and made[1].hid == slot.hid:
        return {frame.roles.output(*made)}
    wanted = element(slot)
    return {
        frame.roles.argument(call, one)
        for call in frame.universe.given(slot)
        if call.hid in frame.selected
        for one in call.inputs
        if element(one) == wanted
    }


# --- cutting down -------------------------------------------------------------


def of_mask(frame: ComputationFrame, mask: Mask) -> ComputationFrame:
    """Return the calls all of whose values meet a mask, and what led to them.

    Raises:
        UnknownNode: The frame has no such variable.
    """
    asked = Asked(frame, mask)
    good = [hid for hid, met in asked.by_call().items() if asked.is_met_by_all(met)]
    return _part(
        frame, good, _free(frame, lambda name, s: asked.is_met_by_all(asked.of_free(name, s)))
    )


def of_rows(frame: ComputationFrame, mask: Mask) -> ComputationFrame:
    """Return the final calls whose rows meet a mask, and what led to them.

    Raises:
        UnknownNode: The frame has no such variable.
    """
    asked = Asked(frame, mask)
    met = asked.by_call()
    good = [call.hid for call in frame.roles.finals if asked.is_met_by_some(met[call.hid])]
    return _part(
        frame, good, _free(frame, lambda name, s: asked.is_met_by_some(asked.of_free(name, s)))
    )


def _free(frame: ComputationFrame, keeps: Callable[[str, Slot], bool]) -> Free:
    kept = {
        name: tuple(slot for slot in slots if keeps(name, slot))
        for name, slots in frame.free.items()
    }
    return {name: slots for name, slots in kept.items() if slots}


def _part(frame: ComputationFrame, calls: Iterable[Digest], free: Free) -> ComputationFrame:
    """Return calls of a frame with what led to them, shown in the columns of the frame."""
    selected = frame.universe.reach(calls, [frame.roles.before])
    return replace(frame, selected=selected, free=free, whole=frame.as_whole)


def _rid(
    frame: ComputationFrame, good: Iterable[Digest], bad: Iterable[Digest]
) -> ComputationFrame:
    """Return the good calls, what came of them and what led to all that, without what came of bad ones."""
    using = frame.roles.after
    spoilt = frame.universe.reach(bad, [using])
    kept = frame.universe.reach(set(good) - spoilt, [using]) & frame.selected
    return _part(frame, kept - spoilt, {})


def of_nodes(frame: ComputationFrame, nodes: Sequence[str]) -> ComputationFrame:
    """Return the frame of these variables and functions, and of the calls between them.

    Other variables are left out. A variable that no call of that is about stands alone.
    """
    functions = frame.functions_in(nodes)
    own = {call.hid for call in frame.calls if frame.roles.function(call) in functions}
    selected = midstream(frame, nodes, "weak").selected | own
    kept = replace(frame, selected=selected, free={}, whole=None)
    names: dict[Variable, str] = {}
    for call in kept.calls:  # arguments whose maker is gone keep their names
        for slot in call.inputs:
            before, now = frame.roles.argument(call, slot), kept.roles.argument(call, slot)
            if now not in frame.layout.names:
                names.setdefault(now, frame.names.get(before, now.name))
    called = {one: names.get(one) or frame.names.get(one) for one in kept.roles.variables}
    hidden = frame.layout.hidden | {one for one, name in called.items() if name not in nodes}
    layout = replace(frame.layout, names={**frame.layout.names, **names}, hidden=hidden)
    kept = replace(kept, layout=layout)
    alone = [name for name in nodes if name in frame.variables and name not in kept.variables]
    return replace(kept, free={name: tuple(frame.elements(name)) for name in alone})


@dataclass(frozen=True, slots=True)
class Conditions:
    """What is asked of calls; see `ComputationFrame.where`."""

    test: Callable[[Call], bool] | None
    version: str | None
    commit: str | None
    since: str | None
    until: str | None
    user: str | None
    decision: Literal["exact", "non-breaking"] | None
    pending: bool | None = None

    def tests(self, frame: ComputationFrame) -> list[Callable[[Call], bool]]:
        """Return the tests; all must hold."""
        found = [self.test] if self.test else []
        asked = {
            "version": self.version,
            "commit": self.commit,
            "user": self.user,
            "decision": self.decision,
        }
        for what, text in asked.items():
            if text is not None:
                if frame.backing is None:
                    raise WrongQuestion(
                        f"the frame came from no storage, which would know what {what} means",
                        "make it with `storage.cf(…)`",
                    )
                found.append(getattr(frame.backing, f"of_{what}")(text))
        if self.pending is not None:
            waiting = frame.backing.pending() if frame.backing else ()
            found.append(lambda call: (call.hid in waiting) == self.pending)
        if self.since is not None:
            since = _moment(self.since)
            found.append(lambda call: str(call.run.get("start", "")) >= since)
        if self.until is not None:
            until = _moment(self.until)
            found.append(lambda call: str(call.run.get("start", "")) < until)
        return found


def _moment(text: str) -> str:
    try:
        return moment_of(text)
    except ValueError:
        raise WrongQuestion(
            f"{text!r} is neither a date nor a moment",
            "write it like 2026-11-22, or 2026-11-22T16:00Z",
        ) from None


def where(frame: ComputationFrame, asked: Conditions, op: Node | None) -> ComputationFrame:
    """Return what led to calls that meet the conditions, and what came of them alone.

    Asked are the calls of `op`; else, of a version, those of the functions that have it; else the
    final ones.
    """
    tests = asked.tests(frame)

    def passes(call: Call) -> bool:
        return all(test(call) for test in tests)

    if op is not None:
        looked_at = frame.calls_of(op)
    elif asked.version is not None:
        having = {frame.roles.function(call) for call in frame.calls if passes(call)}
        looked_at = [call for call in frame.calls if frame.roles.function(call) in having]
    else:
        looked_at = frame.roles.finals
    good = {call.hid for call in looked_at if passes(call)}
    bad = {call.hid for call in looked_at} - good
    return _rid(frame, good, bad)


def sampled(frame: ComputationFrame, n: int, seed: int) -> ComputationFrame:
    """Return the frame of `n` final calls and what led to them."""
    if n < 0:
        raise WrongQuestion(f"a sample of {n} rows makes no sense", "give a number from 0 on")
    finals = sorted(call.hid for call in frame.roles.finals)
    import random  # few ask for a sample

    chosen = random.Random(seed).sample(finals, min(n, len(finals)))
    return _part(frame, chosen, frame.free)


# --- combining ----------------------------------------------------------------


def combined(
    one: ComputationFrame,
    other: ComputationFrame,
    join: Callable[[Any, Any], Any],
    *,
    are_closed: bool = True,
    shows_both: bool = False,
) -> ComputationFrame:
    """Return the calls and free values that `join` makes of two sets.

    What the first frame leaves out stays so; with `shows_both`, unless the other one shows it.
    `are_closed` says whether of two parts of a frame it makes a part, with all that led to its calls.
    """
    selected = join(one.selected, other.selected)
    hidden = one.layout.hidden
    if shows_both:
        shown = {v for f in (one, other) for v in f.roles.variables if v not in f.layout.hidden}
        hidden = frozenset((hidden | other.layout.hidden) - shown)
    free: dict[str, tuple[Slot, ...]] = {}
    for name in dict.fromkeys((*one.free, *other.free)):
        first = {element(slot): slot for slot in one.free.get(name, ())}
        then = {element(slot): slot for slot in other.free.get(name, ())}
        keys = join(frozenset(first), frozenset(then))
        slots = [
            slot for key, slot in sorted({**then, **first}.items(), key=_by_key) if key in keys
        ]
        if slots:
            free[name] = tuple(slots)
    return replace(
        one,
        universe=one.universe.joined(other.universe),
        selected=selected,
        free=free,
        layout=one.layout.also(other.layout, hidden=hidden),
        later=one.later | other.later,
        older={**other.older, **one.older},
        whole=one.whole if are_closed and one.whole == other.whole else None,
    )


def _by_key(item: tuple[Digest | str, Slot]) -> str:
    return repr(item[0])
