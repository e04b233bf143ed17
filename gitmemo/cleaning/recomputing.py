"""Which values could be computed again if their bytes were gone, and what that takes.

Not the running (`memo.on_demand`), and no promise that the code is checked out. Invariant: a value
is counted only if every history that it has leads back, call by call, to inputs that stand in the
records or stay here; a value with a history from outside is not.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Collection, Iterable, Mapping
from dataclasses import dataclass

from gitmemo.hashing.digest import Digest
from gitmemo.model import ids
from gitmemo.model.facts import Call, Slot, Value
from gitmemo.steps import steps
from gitmemo.world.named import Named, held
from gitmemo.world.table import made_by


@dataclass(frozen=True, slots=True)
class Maker:
    """How a value is made again.

    Attributes:
        op: The op whose call made it.
        seconds: How long that took.
    """

    op: str
    seconds: float


def makers_of_blobs(
    named: Named,
    here: Collection[Digest],
    is_of_this_code: Callable[[Call], bool] = lambda _: True,
) -> dict[Digest, Maker]:
    """Return how each blob could be made again, of those that can; `here` are the blobs that are.

    Calls that are not of this code, which may be in no commit, make nothing again.
    """
    stored = list(named.calls_in_force)
    asked = steps("looking what can be computed again", stored, "call")
    calls = [call for call in asked if is_of_this_code(call)]
    present = {value.cid for value in named.values if value.blob in here}
    by_cid = makers(calls, present, named.values)
    found: dict[Digest, Maker] = {}
    stay: set[Digest] = set()
    for value in named.values:
        maker = by_cid.get(value.cid)
        if maker is None:
            stay.add(value.blob)
        else:
            found[value.blob] = maker
    return {blob: maker for blob, maker in found.items() if blob not in stay}


def makers(
    calls: Collection[Call], present: Collection[Digest], values: Iterable[Value]
) -> dict[Digest, Maker]:
    """Return how each value could be made again, by content id.

    `present` are the content ids whose bytes are here; `values` say what is part of what.
    """
    histories = _histories(calls)
    from_outside = {cid for cid, hids in histories.items() if ids.raw_hid(cid) in hids}
    derivable = _derivable(calls, from_outside.intersection(present))
    found = {
        cid: maker
        for cid, hids in histories.items()
        if (maker := _cheapest(hids, derivable)) is not None and cid not in from_outside
    }
    parts = defaultdict[Digest, set[Digest]](set)
    for value in values:
        parts[value.cid].update(value.parts)
    for part in _behind((cid for cid in parts if cid not in found), parts):
        found.pop(part, None)  # what stays cannot be read without it
    return found


def _histories(calls: Iterable[Call]) -> dict[Digest, set[Digest]]:
    found: dict[Digest, set[Digest]] = defaultdict(set)
    for call in calls:
        for slot in (*call.inputs, *call.outputs):
            for one in held(slot):
                found[one.cid].add(one.hid)
    return found


def _derivable(calls: Iterable[Call], kept: Collection[Digest]) -> dict[Digest, Maker]:
    """Return the histories that lead back to what is inline or `kept`, and who ends them."""
    found: dict[Digest, Maker] = {}
    waiting: dict[Digest, list[Call]] = defaultdict(list)
    lacking: dict[int, int] = {}
    ready: list[Call] = []
    for call in _of_one_result(calls):
        needs = {slot.hid for slot in call.inputs if not _is_there(slot, kept)}
        lacking[id(call)] = len(needs)
        for hid in needs:
            waiting[hid].append(call)
        if not needs:
            ready.append(call)
    while ready:
        call = ready.pop()
        maker = Maker(call.op, call.seconds or 0.0)
        for hid in made_by(call):
            if hid in found:
                continue
            found[hid] = maker
            for other in waiting.pop(hid, ()):
                lacking[id(other)] -= 1
                if not lacking[id(other)]:
                    ready.append(other)
    return found


def _is_there(slot: Slot, kept: Collection[Digest]) -> bool:
    return slot.inline is not None or slot.cid in kept


def _of_one_result(calls: Iterable[Call]) -> list[Call]:
    """Return the calls but those that are known to have returned this and that."""
    found = list(calls)
    results: dict[Digest, set[tuple[Digest, ...]]] = defaultdict(set)
    for call in found:
        results[call.hid].add(tuple(slot.cid for slot in call.outputs))
    return [call for call in found if len(results[call.hid]) == 1]


def _cheapest(hids: Iterable[Digest], derivable: Mapping[Digest, Maker]) -> Maker | None:
    """Return who makes a value, None if one of its histories leads nowhere."""
    found: list[Maker] = []
    for hid in hids:
        if hid not in derivable:
            return None
        found.append(derivable[hid])
    return min(found, key=lambda maker: (maker.seconds, maker.op), default=None)


def _behind(cids: Iterable[Digest], parts: Mapping[Digest, Collection[Digest]]) -> Iterable[Digest]:
    todo, seen = list(cids), set[Digest]()
    while todo:
        for part in parts.get(todo.pop(), ()):
            if part not in seen:
                seen.add(part)
                todo.append(part)
    return seen
