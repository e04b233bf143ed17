"""Calls that were made with the code of a revision and are not in its index.

Not which calls the revision itself holds (`revisions`). Invariant: each is valid
for the revision's code under the revision's decisions, used nothing that other code
made, and is no call that the revision has, or that is known to be forgotten.
"""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass

from gitmemo.hashing.digest import Digest
from gitmemo.model.decisions import Decisions
from gitmemo.model.tombstones import Tombstones
from gitmemo.model.validity import Code
from gitmemo.world import sifting
from gitmemo.world.repository import RepositoryWorld


@dataclass(frozen=True, slots=True)
class Later:
    """Calls that a revision's code made and that were committed later, or are pending.

    Attributes:
        numbers: The numbers of their facts.
        hids: Their history ids.
        versions: Their versions.
    """

    numbers: frozenset[int]
    hids: frozenset[Digest]
    versions: frozenset[Digest] = frozenset()


def find_later(
    base: RepositoryWorld,
    members: Collection[int],
    forgotten: Tombstones,
    decisions: Decisions,
    code: Code,
) -> Later:
    """Return those of all known calls that are no `members` of a revision, but valid for its code.

    Versions are judged, not calls, and they are few. `forgotten` is what the revision forgot;
    what is known to be forgotten anywhere in this clone does not count either.
    """
    index = base.index
    # What was typed in, or stands elsewhere, is assumed to be unchanged: that makes no call one
    # of this revision.
    shapes = {
        shape: version
        for shape, version in sifting.valid_shapes(index, base, decisions, code).items()
        if version is not None and any(map(code.knows, version.pairs))
    }
    rows = sifting.of_shapes(index, shapes)
    mine = sifting.histories_of(index, members)
    dead = index.covered(forgotten) | index.covered(base.graves().known)
    own = [number for number, _, _ in rows if number in members and number not in dead]
    candidates = {
        number: shapes[shape]
        for number, hid, shape in rows
        if number not in members and number not in dead and hid not in mine
    }
    calls = sifting.led_to(index, candidates, own, code, decisions)
    return Later(
        frozenset(calls),
        frozenset(call.hid for call in calls.values()),
        frozenset(candidates[number].id for number in calls),
    )
