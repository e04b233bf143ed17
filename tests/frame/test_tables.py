"""Tables of small random programs, compared with a brute-force reading of the program itself."""

from __future__ import annotations

import random
from collections import defaultdict
from collections.abc import Sequence

from ancestry import QUICK, ancestors, frame_of, values_in
from hypothesis import given
from hypothesis import strategies as st
from random_calls import Made, Raw, Step, calls_of, programs

from gitmemo.frames import ComputationFrame, Universe
from gitmemo.frames.deletion import resting_on
from gitmemo.model.facts import Call, Slot

# --- the oracle: by recursion over the calls, with no thought of speed ---------------


Role = tuple[bool, str, str]


def role_of_output(slot: Slot, calls: Sequence[Call]) -> Role | None:
    """Return which result an argument is, if it is one as it is."""
    for call in calls:
        for output in call.outputs:
            if output.hid == slot.hid:
                return True, call.op, output.name
    return None


def doubled(calls: Sequence[Call]) -> set[tuple[Role, str]]:
    """Return the results that are several arguments of one op, with that op."""
    takes: dict[tuple[Role, str], set[str]] = defaultdict(set)
    for call in calls:
        for slot in call.inputs:
            role = role_of_output(slot, calls)
            if role:
                takes[role, call.op].add(slot.name)
    return {key for key, names in takes.items() if len(names) > 1}


def expected_rows(calls: Sequence[Call]) -> list[dict[tuple[bool, str, str], set[object]]]:
    """Return for each final call which histories stand in which role."""
    used = {held.hid for call in calls for slot in call.inputs for held in values_in(slot)}
    rows = []
    twice = doubled(calls)
    for final in calls:
        if any(held.hid in used for output in final.outputs for held in values_in(output)):
            continue
        row: dict[tuple[bool, str, str], set[object]] = defaultdict(set)
        for call in ancestors(final, calls).values():
            for output in call.outputs:
                row[True, call.op, output.name].add(output.hid)
            for slot in call.inputs:
                role = role_of_output(slot, calls)
                if role is None or (role, call.op) in twice:
                    row[False, call.op, slot.name].add(slot.hid)
        rows.append(dict(row))
    return rows


def expected_table(frame: ComputationFrame) -> list[dict[str, set[object]]]:
    """Return the rows with their columns named."""
    names = {(one.produced, one.function.op, one.name): name for one, name in frame.names.items()}
    result = []
    for row in expected_rows(frame.calls):
        named: dict[str, set[object]] = defaultdict(set)
        for role, hids in row.items():
            named[names[role]] |= hids
        result.append(dict(named))
    return result


@QUICK
@given(programs())
def test_a_table_is_what_led_to_each_final_call(program: list[Step]) -> None:
    calls = calls_of(program)
    table = frame_of(calls).table()
    found = [
        {name: {slot.hid for slot in cell} for name, cell in row.items()} for row in table.rows
    ]
    expected = expected_table(frame_of(calls))
    assert sorted(map(_plain, found)) == sorted(map(_plain, expected))
    assert set(table.columns) == {name for row in expected for name in row}


@QUICK
@given(programs(versions=True), st.randoms(use_true_random=False))
def test_a_table_with_versions_and_links_leaves_out_repetitions_alone(
    program: list[Step], chance: random.Random
) -> None:
    calls = calls_of(program, links=True)
    frame = frame_of(calls)
    expected = dict(zip(_finals(calls), expected_table(frame), strict=True))
    links = {call.hid for call in calls if call.is_link}
    table = frame.table()
    assert all(final is not None for final in table.finals)
    found = {
        final.hid: {name: {slot.hid for slot in cell} for name, cell in row.items()}
        for final, row in zip(table.finals, table.rows, strict=True)
        if final is not None
    }
    assert len(found) == len(table.rows)
    assert found == {hid: expected[hid] for hid in found}
    contents = {
        held.hid: held.cid for call in calls for slot in _slots(call) for held in values_in(slot)
    }

    def told(row: dict[str, set[object]]) -> dict[str, set[object]]:
        return {name: {contents[hid] for hid in hids} for name, hids in row.items()}

    shown = [told(row) for row in found.values()]
    by_hid = {call.hid: call for call in calls}
    kept = [_result(by_hid[hid]) for hid in found]
    for hid in expected.keys() - found.keys():
        assert hid in links or _result(by_hid[hid]) in kept
        assert told(expected[hid]) in shown
    versions = {call.version for call in calls}
    if len(versions) == 1:
        assert expected.keys() - found.keys() <= links, "twins are of different code"
    chance.shuffle(calls)
    assert frame_of(calls).table().columns == table.columns


def _result(call: Call) -> tuple[object, ...]:
    """What twins have in common, but for the histories of what they were given."""
    contents = [(slot.name, slot.cid) for slot in _slots(call)]
    return call.op, call.op_version, tuple(contents)


def _slots(call: Call) -> tuple[Slot, ...]:
    return (*call.inputs, *call.outputs)


def _finals(calls: Sequence[Call]) -> list[object]:
    used = {held.hid for call in calls for slot in call.inputs for held in values_in(slot)}
    return [
        call.hid
        for call in calls
        if not any(held.hid in used for output in call.outputs for held in values_in(output))
    ]


@QUICK
@given(programs(versions=True), st.data())
def test_what_goes_with_calls_is_what_rests_on_them(
    program: list[Step], data: st.DataObject
) -> None:
    calls = calls_of(program, links=True)
    start = data.draw(st.sets(st.sampled_from([call.hid for call in calls])))
    going = resting_on(Universe(calls), start)
    expected = set(start)
    while True:
        cids = {call.cid for call in calls if call.hid in expected}
        grown = {c.hid for c in calls if c.cid in cids or expected & set(ancestors(c, calls))}
        if grown == expected:
            break
        expected = grown
    assert going == expected
    plan = ComputationFrame(Universe(calls), frozenset(start)).delete_calls()
    assert {call.hid for call in (*plan.calls, *plan.dependents)} == expected


def _plain(row: dict[str, set[object]]) -> list[tuple[str, list[object]]]:
    return sorted((name, sorted(hids)) for name, hids in row.items())


@QUICK
@given(programs(), st.randoms(use_true_random=False))
def test_the_table_depends_on_the_set_of_calls_alone(
    program: list[Step], chance: random.Random
) -> None:
    calls = calls_of(program)
    shuffled = list(calls)
    chance.shuffle(shuffled)
    one, other = frame_of(calls).table(), frame_of(shuffled).table()
    assert one.columns == other.columns

    def plain(table) -> list[object]:
        return sorted(
            sorted((name, sorted(slot.hid for slot in cell)) for name, cell in row.items())
            for row in table.rows
        )

    assert plain(one) == plain(other)
    assert sorted(map(repr, one.rows)) == sorted(map(repr, other.rows)), "cells have an order too"


@QUICK
@given(programs(), st.data())
def test_expansion_reaches_what_is_connected(program: list[Step], data: st.DataObject) -> None:
    calls = calls_of(program)
    start = data.draw(st.sampled_from(calls))
    frame = ComputationFrame(Universe(calls), frozenset({start.hid}))
    back = {call.hid for call in ancestors(start, calls).values()}
    assert frame.expand_back().selected == back

    forward = {call.hid for call in calls if start.hid in ancestors(call, calls)}
    expected = {h for f in forward for h in ancestors(_by_hid(calls, f), calls)}
    assert frame.expand_forward().selected == expected

    connected = {start.hid}
    while True:
        grown = {
            call.hid
            for call in calls
            if connected & set(ancestors(call, calls))
            or any(call.hid in ancestors(_by_hid(calls, hid), calls) for hid in connected)
        }
        if grown <= connected:
            break
        connected |= grown
    assert frame.expand_all().selected == connected
    assert frame.expand_back().expand_back() == frame.expand_back()


def _by_hid(calls: Sequence[Call], hid: object) -> Call:
    return next(call for call in calls if call.hid == hid)


# --- examples that people can check by eye --------------------------------------------


def cells(frame: ComputationFrame) -> list[dict[str, object]]:
    """Return the rows with plain values."""
    return [
        {name: [slot.inline.json for slot in cell if slot.inline] for name, cell in row.items()}
        for row in frame.table().rows
    ]


def test_equal_raw_values_in_two_roles_do_not_meet() -> None:
    program = [Step("m:source", (Raw(1),)), Step("m:join", (Made(0, 0), Raw(1)))]
    (row,) = cells(frame_of(calls_of(program)))
    assert row == {"seed": [1], "a": [1], "b": [1], "join": [0]}


def test_an_argument_that_two_ops_share_is_one_column_when_they_agree() -> None:
    agree = [Step("m:source", (Raw(1),)), Step("m:same", (Made(0, 0), Raw(1)))]
    assert frame_of(calls_of(agree)).table().columns == ("seed", "a", "score")
    differ = [Step("m:source", (Raw(1),)), Step("m:same", (Made(0, 0), Raw(0)))]
    columns = frame_of(calls_of(differ)).table().columns
    assert set(columns) == {"source.seed", "same.seed", "a", "score"}


def test_a_diamond_is_one_row() -> None:
    program = [
        Step("m:source", (Raw(1),)),
        Step("m:split", (Made(0, 0),)),
        Step("m:join", (Made(1, 0), Made(1, 1))),
    ]
    frame = frame_of(calls_of(program))
    assert frame.table().columns == ("seed", "data", "left", "right", "join")
    assert len(frame.table().rows) == 1


def test_an_empty_frame_is_an_empty_table() -> None:
    table = frame_of([]).table()
    assert table.columns == ()
    assert table.rows == ()
    assert len(ComputationFrame(Universe(()), frozenset()).df()) == 0


def test_through_a_storage() -> None:
    import gitmemo as gm

    @gm.op
    def load(n):
        return list(range(n))

    @gm.op
    def total(values, scale):
        return sum(values) * scale

    storage = gm.Storage()
    with storage:
        for n in (2, 3):
            values = load(n)
            for scale in (1, 10):
                total(values, scale)
    frame = storage.cf(total).expand_back().df()
    assert list(frame.columns) == ["n", "values", "scale", "total"]
    assert [tuple(row) for row in frame[["n", "scale", "total"]].itertuples(index=False)] == [
        (2, 1, 1), (2, 10, 10), (3, 1, 3), (3, 10, 30),
    ]  # fmt: skip
    assert len(storage.cf(total).df()) == 4
    assert "n" not in storage.cf(total).df().columns
    assert storage.cf(total).expand_all().df().equals(frame)
    refs = storage.cf(total).df(values="refs")
    assert storage.unwrap(refs["total"].tolist()) == [1, 10, 3, 30]
