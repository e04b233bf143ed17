"""Calls told apart as numbers: by version, by what they made, by what they used.

Not what is shown of them (`later`, `gitmemo.comparison`). Invariant: of a call no more is
read than the answer needs; most questions are about versions, and those are few.
"""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Iterable, Iterator, Mapping
from typing import Protocol

from gitmemo.hashing.digest import Digest
from gitmemo.model import feeding
from gitmemo.model.decisions import Decisions
from gitmemo.model.facts import Call, Version, sources
from gitmemo.model.validity import Code, changed, stands
from gitmemo.world.index import Index
from gitmemo.world.sketches import is_on_raw_inputs
from gitmemo.world.table import as_json, mark_of

_AMONG = "in (select value from json_each(?))"


class Versions(Protocol):
    """Where versions are found."""

    def versions(self, ids: Iterable[Digest] | None = None) -> dict[Digest, Version]:
        """Return those with these ids; all that are known if omitted."""
        ...


def valid_shapes(
    index: Index, world: Versions, decisions: Decisions, code: Code
) -> dict[int, Version | None]:
    """Return the shapes of the calls whose version is valid, with that version, None without one."""
    rows = index.rows("select id, version from shape where kind = 'call'")
    known = world.versions({Digest(version) for _, version in rows if version})
    valid: dict[bytes, Version | None] = {
        ident: version for ident, version in known.items() if not changed(version, code, decisions)
    }
    valid[b""] = None
    return {shape: valid[version] for shape, version in rows if version in valid}


def of_shapes(index: Index, shapes: Iterable[int]) -> list[tuple[int, bytes, int]]:
    """Return number, history id and shape of the calls of these shapes."""
    return index.rows(
        f"select id, hid, shape from fact where micros is not null and shape {_AMONG}",
        (as_json(shapes),),
    )


def shapes_of(index: Index, numbers: Iterable[int]) -> dict[int, int]:
    """Return the shapes of calls."""
    return dict(
        index.rows(
            f"select id, shape from fact where micros is not null and id {_AMONG}",
            (as_json(numbers),),
        )
    )


def histories_of(index: Index, numbers: Iterable[int]) -> set[bytes]:
    """Return the history ids of calls."""
    rows = index.rows(
        f"select hid from fact where micros is not null and id {_AMONG}", (as_json(numbers),)
    )
    return {hid for (hid,) in rows}


def histories(index: Index) -> list[tuple[int, bytes]]:
    """Return the numbers and history ids of all calls."""
    return index.rows("select id, hid from fact where micros is not null")


def lines(index: Index) -> Iterator[tuple[int, str]]:
    """Yield the numbers and lines of all calls."""
    for number, shape, line in index.rows(
        "select id, shape, line from fact where micros is not null"
    ):
        yield number, index.shapes.line(shape, line)


def links(index: Index, numbers: Iterable[int]) -> list[tuple[int, Call]]:
    """Return those of the calls that were not run but repeat others, with their numbers."""
    rows = index.rows(f"select id from fact where micros < 0 and id {_AMONG}", (as_json(numbers),))
    return index.numbered_calls(number for (number,) in rows)


def with_keys(index: Index, keys: Iterable[Digest]) -> set[int]:
    """Return the numbers of the calls that may have one of these keys."""
    rows = index.rows(
        f"select id from fact where micros is not null and mark {_AMONG}",
        (as_json({mark_of(key) for key in keys}),),
    )
    return {number for (number,) in rows}


def different_per_op(index: Index, numbers: Iterable[int]) -> dict[str, int]:
    """Return how many different calls of each op, on other inputs each, are among these."""
    return dict(
        index.rows(
            "select op, count(distinct mark) from fact join shape on shape.id = fact.shape"
            f" where micros is not null and fact.id {_AMONG} group by op",
            (as_json(numbers),),
        )
    )


def outputs(index: Index, numbers: Iterable[int]) -> list[tuple[int, int]]:
    """Return number and mark of all that calls made."""
    return index.rows(f"select fact, hid from output where fact {_AMONG}", (as_json(numbers),))


def known_outputs(index: Index, marks: Iterable[int]) -> list[int]:
    """Return those of the marks that calls are known to have made."""
    rows = index.rows(f"select distinct hid from output where hid {_AMONG}", (as_json(marks),))
    return [mark for (mark,) in rows]


def with_histories(index: Index, numbers: Iterable[int]) -> dict[int, Call]:
    """Return those of the calls that may have used what others made; most lines say it at a glance."""
    rows = index.rows(
        f"select id, shape, line from fact where micros is not null and id {_AMONG}",
        (as_json(numbers),),
    )
    return {
        number: index.call_of(shape, stored)
        for number, shape, stored in rows
        if not is_on_raw_inputs(index.shapes.line(shape, stored))
    }


def users(calls: Mapping[int, Call]) -> dict[int, list[int]]:
    """Return which calls used what, by the mark of its history."""
    found: dict[int, list[int]] = defaultdict(list)
    for number, call in calls.items():
        for mark in {mark_of(hid) for hid in sources(call)}:
            found[mark].append(number)
    return found


def led_to(
    index: Index,
    candidates: Mapping[int, Version],
    own: Iterable[int],
    code: Code,
    decisions: Decisions,
) -> dict[int, Call]:
    """Return those of `candidates` that `code` would come to: nothing that other code made was used.

    `candidates` are calls with their versions, which are valid; `own` are those that are there
    already. What no call is known to have made came from outside, like any other value.
    """
    calls = {
        number: call
        for number, call in index.numbered_calls(candidates)
        if stands(call, candidates[number], code, decisions)
    }
    for number in fed_by(index, known_outputs(index, users(calls)), own, calls):
        del calls[number]
    return calls


def fed_by(
    index: Index, marks: Iterable[int], own: Iterable[int], calls: Mapping[int, Call]
) -> set[int]:
    """Return those of `calls` that used, directly or through others, what only others than they made.

    `marks` are of what others made; what `own` or `calls` made too is not only theirs.
    """
    made: dict[int, list[int]] = defaultdict(list)
    makers: Counter[int] = Counter()
    for fact, mark in outputs(index, {*own, *calls}):
        made[fact].append(mark)
        makers[mark] += 1
    return feeding.fed_by(marks, made, users(calls), makers)
