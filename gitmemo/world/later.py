"""Calls that were made with the code of a revision and are not in its index.

Not which calls the revision itself holds (`revisions`). Invariant: each is valid
for the revision's code under the revision's decisions, and none of them is a call
that the revision has, or that is known to be forgotten.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable
from dataclasses import dataclass

from gitmemo.hashing.digest import Digest
from gitmemo.model.decisions import Decisions
from gitmemo.model.facts import Version
from gitmemo.model.tombstones import Tombstones
from gitmemo.model.validity import Code, changed, stands
from gitmemo.world.repository import RepositoryWorld
from gitmemo.world.table import as_json


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
    shapes: dict[int, Version] = _valid_shapes(base, decisions, code)
    rows = index.rows(
        "select id, hid, shape from fact where micros is not null"
        " and shape in (select value from json_each(?))",
        (as_json(shapes),),
    )
    mine = _hids(base, members)
    dead = index.covered(forgotten) | index.covered(base.graves().known)
    found = {
        number: (Digest(hid), shape)
        for number, hid, shape in rows
        if number not in members and number not in dead and hid not in mine
    }
    if index.facts("rename"):  # only then may a call be a link under another name
        found = {
            number: found[number]
            for number in found
            if stands(index.call_of(*_row(base, number)), shapes[found[number][1]], code, decisions)
        }
    return Later(
        frozenset(found),
        frozenset(hid for hid, _ in found.values()),
        frozenset(shapes[shape].id for _, shape in found.values()),
    )


def _valid_shapes(base: RepositoryWorld, decisions: Decisions, code: Code) -> dict[int, Version]:
    """Return the shapes of the calls whose version is valid, with that version."""
    rows = base.index.rows("select id, version from shape where kind = 'call' and version != x''")
    versions = base.versions({Digest(version) for _, version in rows})
    valid = {
        ident: version
        for ident, version in versions.items()
        # What was typed in, or stands elsewhere, is assumed to be unchanged: that makes no call
        # one of this revision.
        if any(map(code.knows, version.pairs)) and not changed(version, code, decisions)
    }
    return {shape: valid[Digest(v)] for shape, v in rows if Digest(v) in valid}


def _hids(base: RepositoryWorld, numbers: Iterable[int]) -> set[bytes]:
    rows = base.index.rows(
        "select hid from fact where micros is not null and id in (select value from json_each(?))",
        (as_json(numbers),),
    )
    return {hid for (hid,) in rows}


def _row(base: RepositoryWorld, number: int) -> tuple[int, str | bytes]:
    shape, line = base.index.rows("select shape, line from fact where id = ?", (number,))[0]
    return shape, line
