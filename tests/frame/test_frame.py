"""Tables of small random programs, compared with a brute-force reading of the program itself."""

from __future__ import annotations

import random
from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass

from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from gitmemo.frame import ComputationFrame
from gitmemo.hashing import content_id
from gitmemo.hashing.digest import Digest
from gitmemo.model.facts import Call, Inline, Slot
from gitmemo.model.ids import call_hid, output_hid
from gitmemo.model.items import Item, Parts, made_by, of_parts, raw

# --- programs -------------------------------------------------------------------

OPS = {  # name: arguments, results
    "m:source": (("seed",), ("output_0",)),
    "m:split": (("data",), ("left", "right")),
    "m:join": (("a", "b"), ("output_0",)),
    "m:same": (("a", "seed"), ("score",)),
    "m:many": (("seed",), ("items",)),  # a list of two, elements known
}


@dataclass(frozen=True)
class Raw:
    """A value from outside: shared by whoever is given the same number."""

    number: int


@dataclass(frozen=True)
class Made:
    """A result of an earlier step of the program, or an element of one."""

    step: int
    output: int
    element: int | None = None


@dataclass(frozen=True)
class Listed:
    """A plain list of values, among them results."""

    items: tuple[Raw | Made, ...]


Argument = Raw | Made | Listed


@dataclass(frozen=True)
class Step:
    """One call of a program."""

    op: str
    arguments: tuple[Argument, ...]


@st.composite
def programs(draw: st.DrawFn) -> list[Step]:
    """Draw a program of a few calls; shared raw values and diamonds are likely."""
    steps: list[Step] = []
    made: list[Made] = []
    for number in range(draw(st.integers(1, 9))):
        op = draw(st.sampled_from(sorted(OPS)))
        names, outputs = OPS[op]
        sources = [Raw(0), Raw(1), *made[-6:], *made[-6:]]
        one = st.sampled_from(sources)
        argument = one | st.lists(one, max_size=3).map(lambda items: Listed(tuple(items)))
        arguments = tuple(draw(argument) for _ in names)
        steps.append(Step(op, arguments))
        made += [Made(number, position) for position in range(len(outputs))]
        if op == "m:many":
            made += [Made(number, 0, element) for element in range(2)]
    return steps


def calls_of(program: Sequence[Step]) -> list[Call]:
    """Run a program: one call for each step, each once."""
    outputs: list[tuple[Slot, ...]] = []
    calls: dict[object, Call] = {}
    for step in program:
        names, results = OPS[step.op]
        items = [item_of(argument, outputs) for argument in step.arguments]
        slots = [
            Slot(name, item.cid, item.hid, item.inline, item.short, item.parts)
            for name, item in zip(names, items, strict=True)
        ]
        hid = call_hid(step.op, 0, None, [(slot.name, slot.hid) for slot in slots])
        # Contents meet often, histories never: a table that joins by content is wrong.
        value = number(step.arguments[0])
        made = tuple(output(step.op, hid, name, value) for name in results)
        outputs.append(made)
        calls[hid] = Call(step.op, 0, None, tuple(slots), made)
    return list(calls.values())


def number(argument: Argument) -> int:
    return argument.number % 2 if isinstance(argument, Raw) else 0


def item_of(argument: Argument, outputs: Sequence[tuple[Slot, ...]]) -> Item:
    """Return what an argument is, its history included."""
    if isinstance(argument, Raw):
        return raw(content_id(argument.number), Inline(argument.number))
    if isinstance(argument, Listed):
        return of_parts(Parts("list", tuple(item_of(one, outputs) for one in argument.items)))
    slot = outputs[argument.step][argument.output]
    if argument.element is None:
        return Item(slot.cid, slot.hid, slot.inline, slot.short)
    assert slot.parts
    assert slot.parts.items
    return slot.parts.items[argument.element]


def output(op: str, call: Digest, name: str, value: int) -> Slot:
    hid = output_hid(call, name)
    if op != "m:many":
        return Slot(name, content_id(value), hid, Inline(value))
    item = of_parts(Parts("list", (raw(content_id(value), Inline(value)),) * 2))
    assert item.parts
    return Slot(name, item.cid, hid, item.inline, item.short, made_by(item.parts, hid))


def frame_of(calls: Sequence[Call]) -> ComputationFrame:
    return ComputationFrame(tuple(calls), frozenset(call.hid for call in calls))


# --- the oracle: by recursion over the calls, with no thought of speed ---------------


def values_in(held: Slot | Item) -> list[Slot | Item]:
    """Return a value and everything in it."""
    items = (held.parts.items or ()) if held.parts else ()
    return [held, *(inner for item in items for inner in values_in(item))]


def maker_of(held: Slot | Item, calls: Sequence[Call]) -> Call | None:
    for call in calls:
        for output in call.outputs:
            if any(one.hid == held.hid for one in values_in(output)):
                return call
    return None


def is_whole_output(slot: Slot, calls: Sequence[Call]) -> bool:
    return any(output.hid == slot.hid for call in calls for output in call.outputs)


def ancestors(call: Call, calls: Sequence[Call]) -> dict[object, Call]:
    """Return the call and everything that led to it, by history."""
    found = {call.hid: call}
    for slot in call.inputs:
        for held in values_in(slot):
            maker = maker_of(held, calls)
            if maker:
                found |= ancestors(maker, calls)
    return found


def expected_rows(calls: Sequence[Call]) -> list[dict[tuple[bool, str, str], set[object]]]:
    """Return for each final call which histories stand in which role."""
    used = {held.hid for call in calls for slot in call.inputs for held in values_in(slot)}
    rows = []
    for final in calls:
        if any(held.hid in used for output in final.outputs for held in values_in(output)):
            continue
        row: dict[tuple[bool, str, str], set[object]] = defaultdict(set)
        for call in ancestors(final, calls).values():
            for output in call.outputs:
                row[True, call.op, output.name].add(output.hid)
            for slot in call.inputs:
                if not is_whole_output(slot, calls):
                    row[False, call.op, slot.name].add(slot.hid)
        rows.append(dict(row))
    return rows


def expected_table(calls: Sequence[Call]) -> list[dict[str, set[object]]]:
    """Return the rows with their columns named: plainly where that is clear, else with the op."""
    rows = expected_rows(calls)
    cids = {slot.hid: slot.cid for call in calls for slot in (*call.inputs, *call.outputs)}
    consumers: dict[object, set[str]] = defaultdict(set)
    for call in calls:
        for slot in call.inputs:
            consumers[slot.hid].add(slot.name)
    roles: dict[tuple[bool, str, str], set[object]] = defaultdict(set)
    for row in rows:
        for role, hids in row.items():
            roles[role] |= hids

    def plain(role: tuple[bool, str, str]) -> str:
        produced, op, name = role
        if not produced or name != "output_0":
            return name
        used_as = sorted(name for hid in roles[role] for name in consumers[hid])
        return used_as[0] if used_as else op.partition(":")[2]

    def column(role: tuple[bool, str, str]) -> str:
        same = [other for other in roles if plain(other) == plain(role)]
        from_outside = all(not produced for produced, *_ in same)
        agree = all(
            len({cids[hid] for other in same for hid in row.get(other, ())}) <= 1 for row in rows
        )
        if len(same) == 1 or (from_outside and agree):
            return plain(role)
        return f"{role[1].partition(':')[2]}.{role[2]}"

    result = []
    for row in rows:
        named: dict[str, set[object]] = defaultdict(set)
        for role, hids in row.items():
            named[column(role)] |= hids
        result.append(dict(named))
    return result


QUICK = settings(max_examples=80, deadline=None, suppress_health_check=[HealthCheck.too_slow])


@QUICK
@given(programs())
def test_a_table_is_what_led_to_each_final_call(program: list[Step]) -> None:
    calls = calls_of(program)
    table = frame_of(calls).table()
    found = [
        {name: {slot.hid for slot in cell} for name, cell in row.items()} for row in table.rows
    ]
    expected = expected_table(calls)
    assert found == expected
    assert set(table.columns) == {name for row in expected for name in row}


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
    frame = ComputationFrame(tuple(calls), frozenset({start.hid}))
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
    assert len(ComputationFrame((), frozenset()).df()) == 0


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
