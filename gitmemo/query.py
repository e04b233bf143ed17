"""Questions to a world: which calls make a frame.

Not the frame's algebra (`frame`). Invariant: a frame holds only calls that are
visible and valid for one state of the code, so that one row is one result.
"""

from __future__ import annotations

import difflib
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from gitmemo.errors import UnknownOp
from gitmemo.frame import ComputationFrame
from gitmemo.hashing.digest import Digest
from gitmemo.model.decisions import Decisions
from gitmemo.model.facts import Call, Version
from gitmemo.model.validity import Code, changed
from gitmemo.ref import Loader
from gitmemo.world.view import World


@dataclass(frozen=True, slots=True)
class Selection:
    """The calls of a state of the code, and how many others there are."""

    calls: tuple[Call, ...]
    stale: int


def frame_of(
    world: World, code: Code, ops: Sequence[str], loader: Loader | None
) -> ComputationFrame:
    """Return the frame of `ops` (all if empty) in `world`, for the code as it is."""
    selection = valid_calls(world, world.calls(code), code)
    return select(selection.calls, ops, loader)


def valid_calls(world: World, calls: Iterable[Call], code: Code) -> Selection:
    """Return the calls among `calls` that `code` would reuse; calls without versions are kept."""
    decisions: Decisions = world.decisions()
    verdicts: dict[Digest, bool] = {}
    kept: dict[Digest, Call] = {}
    stale = 0
    for call in calls:
        if call.version is not None:
            if call.version not in verdicts:
                version: Version | None = world.version(call.version)
                verdicts[call.version] = version is not None and not changed(
                    version, code, decisions
                )
            if not verdicts[call.version]:
                stale += 1
                continue
        kept.setdefault(call.hid, call)
    return Selection(tuple(kept.values()), stale)


def select(calls: Sequence[Call], ops: Sequence[str], loader: Loader | None) -> ComputationFrame:
    """Return the frame of the calls of `ops`, which may be short names; all calls if `ops` is empty.

    Raises:
        UnknownOp: No call of such an op is there, or a short name means several.
    """
    known = sorted({call.op for call in calls})
    wanted = {resolve_op(name, known) for name in ops} if ops else set(known)
    chosen = frozenset(call.hid for call in calls if call.op in wanted)
    return ComputationFrame(tuple(calls), chosen, loader)


def resolve_op(name: str, known: Sequence[str]) -> str:
    """Return the full name of an op, given in full or by its last part."""
    if name in known:
        return name
    matches = [op for op in known if op.rpartition(":")[2] == name]
    if len(matches) == 1:
        return matches[0]
    if not matches:
        shorts = {op.rpartition(":")[2]: op for op in known}
        close = difflib.get_close_matches(name, [*known, *shorts], n=1)
        matches = [shorts.get(close[0], close[0])] if close else []
        raise UnknownOp(name, tuple(matches), False)
    raise UnknownOp(name, tuple(matches), True)
