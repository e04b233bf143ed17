"""Calls that were made with the code of a revision and are not in its index.

Not which calls the revision itself holds (`revisions`). Invariant: each is valid
for the revision's code under the revision's decisions, used nothing that other code
made, and is no call that the revision has, or that is known to be forgotten.
"""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass

from gitmemo.hashing.digest import Digest
from gitmemo.model.decisions import Decisions
from gitmemo.model.facts import Call, Version, sources
from gitmemo.model.tombstones import Tombstones
from gitmemo.model.validity import Code, changed, stands
from gitmemo.world.index import Index
from gitmemo.world.repository import RepositoryWorld
from gitmemo.world.table import as_json, mark_of


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
    own = [number for number, _, _ in rows if number in members and number not in dead]
    candidates = {
        number: shape
        for number, hid, shape in rows
        if number not in members and number not in dead and hid not in mine
    }
    calls = {
        number: call
        for number, call in index.numbered_calls(candidates)
        if stands(call, shapes[candidates[number]], code, decisions)
    }
    # What no call is known to have made came from outside, like any other value.
    others = _known_outputs(index, _users(calls))
    for number in fed_by(index, others, own, calls):
        del calls[number]
    return Later(
        frozenset(calls),
        frozenset(call.hid for call in calls.values()),
        frozenset(shapes[candidates[number]].id for number in calls),
    )


def fed_by(
    index: Index, marks: Iterable[int], own: Iterable[int], calls: Mapping[int, Call]
) -> set[int]:
    """Return those of `calls` that used, directly or through others, what only others than they made.

    `marks` are of what others made; what `own` or `calls` made too is not only theirs.
    """
    users = _users(calls)
    made: dict[int, list[int]] = defaultdict(list)
    makers: Counter[int] = Counter()
    for fact, mark in _outputs(index, {*own, *calls}):
        made[fact].append(mark)
        makers[mark] += 1
    todo = [mark for mark in marks if not makers[mark]]
    found: set[int] = set()
    while todo:
        for number in users.get(todo.pop(), ()):
            if number not in found:
                found.add(number)
                makers.subtract(made[number])
                todo += [mark for mark in made[number] if not makers[mark]]
    return found


def _users(calls: Mapping[int, Call]) -> dict[int, list[int]]:
    """Return which calls used what, by the mark of its history."""
    users: dict[int, list[int]] = defaultdict(list)
    for number, call in calls.items():
        for mark in {mark_of(hid) for hid in sources(call)}:
            users[mark].append(number)
    return users


def _outputs(index: Index, numbers: Iterable[int]) -> list[tuple[int, int]]:
    """Return number and mark of all that calls made."""
    return [
        (fact, mark)
        for fact, mark in index.rows(
            "select fact, hid from output where fact in (select value from json_each(?))",
            (as_json(numbers),),
        )
    ]


def _known_outputs(index: Index, marks: Iterable[int]) -> list[int]:
    rows = index.rows(
        "select distinct hid from output where hid in (select value from json_each(?))",
        (as_json(marks),),
    )
    return [mark for (mark,) in rows]


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
