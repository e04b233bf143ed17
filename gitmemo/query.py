"""Questions to a world: which calls make a frame.

Not the frame's algebra (`frame`). Invariant: a frame holds only calls that are
visible and valid for one state of the code, so that one row is one result.
"""

from __future__ import annotations

import difflib
from collections import Counter, defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass

from gitmemo.errors import UnknownOp
from gitmemo.frame import ComputationFrame
from gitmemo.hashing.digest import Digest
from gitmemo.model.decisions import Decisions
from gitmemo.model.facts import Call, Version
from gitmemo.model.items import histories
from gitmemo.model.validity import Code, changed
from gitmemo.ref import Loader
from gitmemo.world.view import World, first_of_each


@dataclass(frozen=True, slots=True)
class Selection:
    """The calls of a state of the code, and those of other states."""

    calls: tuple[Call, ...]
    stale: tuple[Call, ...]


def valid_calls(world: World, calls: Iterable[Call], code: Code) -> Selection:
    """Return the calls among `calls` that running `code` would lead to.

    Those whose version is valid, and whose inputs were not made by calls that
    are not; calls without versions are kept.
    """
    decisions: Decisions = world.decisions()
    verdicts: dict[Digest, bool] = {}
    valid: list[Call] = []
    stale: list[Call] = []
    for call in calls:
        if call.version is not None and call.version not in verdicts:
            version: Version | None = world.version(call.version)
            verdicts[call.version] = version is not None and not changed(version, code, decisions)
        if call.version is None or verdicts[call.version]:
            valid.append(call)
        else:
            stale.append(call)
    chosen = first_of_each(valid)
    unreachable = _fed_by(stale, chosen)
    kept = tuple(call for hid, call in chosen.items() if hid not in unreachable)
    return Selection(kept, (*stale, *unreachable.values()))


def _fed_by(stale: Iterable[Call], valid: Mapping[Digest, Call]) -> dict[Digest, Call]:
    """Return the calls in `valid` that use, directly or through others, what only `stale` ones made."""
    makers = Counter(hid for call in valid.values() for hid in _made(call))
    users: dict[Digest, list[Call]] = defaultdict(list)
    for call in valid.values():
        for slot in call.inputs:
            for hid in histories(slot):
                users[hid].append(call)
    found: dict[Digest, Call] = {}
    todo = [hid for call in stale for hid in _made(call) if not makers[hid]]
    while todo:
        for call in users[todo.pop()]:
            if call.hid in found:
                continue
            found[call.hid] = call
            for hid in _made(call):
                makers[hid] -= 1
                if not makers[hid]:
                    todo.append(hid)
    return found


def _made(call: Call) -> Iterator[Digest]:
    """Yield the history ids of what a call returned, and of what is in it."""
    for slot in call.outputs:
        yield from histories(slot)


def select(calls: Sequence[Call], ops: Sequence[str], loader: Loader | None) -> ComputationFrame:
    """Return the frame of the calls of `ops` among `calls`; `ops` are full names."""
    chosen = frozenset(call.hid for call in calls if call.op in ops)
    return ComputationFrame(tuple(calls), chosen, loader)


def resolve_op(name: str, known: Sequence[str]) -> str:
    """Return the full name of an op, given in full or by its last part.

    Raises:
        UnknownOp: It is none of `known`, or a short name means several.
    """
    if name in known:
        return name
    matches = [op for op in known if op.rpartition(":")[2] == name]
    if len(matches) == 1:
        return matches[0]
    if not matches:
        shorts = {op.rpartition(":")[2]: op for op in known}
        shorts = {**{short.rpartition(".")[2]: op for short, op in shorts.items()}, **shorts}
        close = difflib.get_close_matches(name, [*known, *shorts], n=1)
        matches = [shorts.get(close[0], close[0])] if close else []
        raise UnknownOp(name, tuple(matches), False)
    raise UnknownOp(name, tuple(matches), True)
