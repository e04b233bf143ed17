"""What can be made of frames, on small random programs: sets, values, neighbours, and long chains."""

from __future__ import annotations

import random
from collections.abc import Callable, Iterable, Sequence

import pytest
from ancestry import QUICK, ancestors, frame_of
from hypothesis import given
from hypothesis import strategies as st
from random_calls import Held, Made, Raw, Step, calls_of, programs

import gitmemo as gm
from gitmemo.errors import NameTaken, UnknownNode, WrongQuestion
from gitmemo.frames import ComputationFrame, Mask, Universe
from gitmemo.frames.exploding import exploded_rows
from gitmemo.frames.roles import Variable
from gitmemo.frames.rows import rows_of
from gitmemo.frames.tables import _base
from gitmemo.frames.universe import element
from gitmemo.hashing import content_id
from gitmemo.hashing.digest import Digest
from gitmemo.model.facts import Call, Inline, Slot
from gitmemo.model.ids import call_hid, output_hid


@st.composite
def three_frames(draw: st.DrawFn) -> list[ComputationFrame]:
    """Draw three frames of the calls of one program."""
    calls = calls_of(draw(programs()))
    hids = st.sets(st.sampled_from([call.hid for call in calls]))
    return [ComputationFrame(Universe(calls), frozenset(draw(hids))) for _ in range(3)]


@QUICK
@given(three_frames())
def test_frames_are_sets(frames: list[ComputationFrame]) -> None:
    a, b, c = frames
    assert a | b == b | a
    assert a & b == b & a
    assert (a | b) | c == a | (b | c)
    assert (a & b) & c == a & (b & c)
    assert a & (b | c) == (a & b) | (a & c)
    assert a - (b | c) == (a - b) & (a - c)
    assert a | a == a == a & a
    assert (a - b) | (a & b) == a
    assert a & b <= a <= a | b


@QUICK
@given(programs(), st.randoms(use_true_random=False))
def test_frames_of_other_universes_combine(program: list[Step], chance: random.Random) -> None:
    calls = calls_of(program)
    half = [call for call in calls if chance.random() < 0.5]
    one, other = frame_of(half), frame_of(calls)
    assert (one | other).selected == other.selected
    assert (one & other).selected == one.selected
    assert (one | other).universe.hids == {call.hid for call in calls}


def descendants(start: Sequence[Call], calls: Sequence[Call]) -> set[Digest]:
    hids = {call.hid for call in start}
    return {call.hid for call in calls if hids & set(ancestors(call, calls))}


@QUICK
@given(programs(), st.data())
def test_values_keep_what_led_to_them_and_what_came_of_them_alone(
    program: list[Step], data: st.DataObject
) -> None:
    calls = calls_of(program)
    frame = frame_of(calls)
    name = data.draw(st.sampled_from(frame.vnames))
    slots = frame.elements(name)
    kept = data.draw(st.sets(st.sampled_from([element(slot) for slot in slots])))

    variables = set(frame.variables[name])
    touching: dict[bool, list[Call]] = {True: [], False: []}
    for call in calls:
        roles = [(frame.roles.argument(call, slot), slot) for slot in call.inputs]
        roles += [(frame.roles.output(call, slot), slot) for slot in call.outputs]
        roles += [
            (frame.roles.port(call, slot), slot)
            for slot in call.inputs
            if _stands_alone(frame, call, slot)
        ]
        for role, slot in roles:
            if role in variables:
                touching[element(slot) in kept].append(call)
    spoilt = descendants(touching[False], calls)
    good = [call for call in touching[True] if call.hid not in spoilt]
    behind = descendants(good, calls) - spoilt
    expected = {hid for call in calls if call.hid in behind for hid in ancestors(call, calls)}
    found = frame[Mask.leaf(name, lambda slots, _: [element(slot) in kept for slot in slots])]
    assert found.selected == expected
    shown = {element(slot) for row in found.table().rows for slot in row.get(name, ())}
    assert shown <= kept


def _stands_alone(frame: ComputationFrame, call: Call, slot: Slot) -> bool:
    """Whether an argument is one of several that a variable is, of one function."""
    source = frame.roles.source(slot)
    return source is not None and frame.roles.port(call, slot) in frame.roles.ports.get(source, ())


@QUICK
@given(programs())
def test_long_cells_are_collected_in_the_same_order_as_short_ones(program: list[Step]) -> None:
    roles = frame_of(calls_of(program)).roles
    shared, alone = rows_of(roles, roles.finals), rows_of(roles, roles.finals, most=0)
    assert [list(map(repr, row.items())) for row in map(dict, map(_sorted, shared))] == [
        list(map(repr, row.items())) for row in map(dict, map(_sorted, alone))
    ]


def _sorted(row: dict[object, object]) -> list[tuple[object, object]]:
    return sorted(row.items(), key=repr)


@QUICK
@given(programs())
def test_rows_with_nothing_taken_apart_are_the_usual_rows(program: list[Step]) -> None:
    frame = frame_of(calls_of(program))
    pairs = list(exploded_rows(frame.roles, frame.roles.finals, lambda _: False))
    assert [call for call, _ in pairs] == frame.roles.finals
    assert [_sets(row) for _, row in pairs] == [_sets(row) for row in frame.rows]


@QUICK
@given(programs())
def test_rows_with_everything_taken_apart_add_up_to_the_usual_rows(program: list[Step]) -> None:
    frame = frame_of(calls_of(program))
    parts: dict[Digest, dict[object, set[object]]] = {}
    for call, row in exploded_rows(frame.roles, frame.roles.finals, lambda _: True):
        whole = parts.setdefault(call.hid, {})
        for variable, cell in row.items():
            if not variable.name.endswith(("_index", "_item")):
                whole.setdefault(variable, set()).update(map(element, cell))
    expected = dict(zip((c.hid for c in frame.roles.finals), map(_sets, frame.rows), strict=True))
    assert parts == expected


@QUICK
@given(programs(), st.data())
def test_collections_with_no_part_in_some_columns_need_not_be_taken_apart(
    program: list[Step], data: st.DataObject
) -> None:
    roles = frame_of(calls_of(program)).roles
    wanted = data.draw(st.sets(st.sampled_from(roles.variables), min_size=1))

    def ways(pairs: Iterable[tuple[Call, dict[Variable, tuple[Slot, ...]]]]) -> set[object]:
        return {
            (call.hid, frozenset((one, frozenset(map(element, cell))) for one, cell in row.items()))
            for call, full in pairs
            for row in [{one: cell for one, cell in full.items() if _base(one) in wanted}]
        }

    every = ways(exploded_rows(roles, roles.finals, lambda _: True))
    assert ways(exploded_rows(roles, roles.finals, lambda _: True, wanted)) == every


def test_lists_that_show_nothing_cost_no_rows() -> None:
    @gm.op(output_names=["size"])
    def measure(first: list[int], second: list[int], third: list[int]):
        return len(first)

    storage = gm.Storage()
    with storage:
        measure(list(range(60)), list(range(60, 120)), list(range(120, 180)))
    frame = storage.cf(measure)
    port = next(one for one in frame.roles.variables if one.name == "first")
    pairs = list(exploded_rows(frame.roles, frame.roles.finals, lambda _: True, {port}))
    assert len(pairs) == len(frame.table("first", explode=True).rows) == 60
    assert len(frame.table("size", explode=True).rows) == 1


def test_calls_are_found_by_what_they_were_given_without_looking_at_all() -> None:
    calls = chain(50)
    universe = Universe(calls)
    raw, made = calls[0].inputs[1], calls[7].outputs[0]
    assert list(universe.given(raw)) == calls
    assert list(universe.given(made)) == [calls[8]]
    assert universe.given(raw) is universe.given(raw)
    assert not universe.given(Slot("x", None, None, Inline("never given")))


def _sets(row: dict[object, tuple[Slot, ...]]) -> dict[object, set[object]]:
    return {variable: set(map(element, cell)) for variable, cell in row.items()}


@QUICK
@given(programs(), st.data())
def test_some_columns_are_each_way_in_which_they_occur_together(
    program: list[Step], data: st.DataObject
) -> None:
    calls = calls_of(program)
    frame = frame_of(calls)
    names = data.draw(st.lists(st.sampled_from(frame.vnames), unique=True, min_size=1))
    table = frame.table(*names)
    assert set(table.columns) <= set(names)
    rows = [
        tuple(sorted((n, tuple(map(element, c))) for n, c in row.items())) for row in table.rows
    ]
    assert len(set(rows)) == len(rows)
    for name in names:  # no value is left out
        shown = {element(slot) for row in table.rows for slot in row.get(name, ())}
        assert shown == {element(slot) for slot in frame.elements(name)}


@QUICK
@given(programs())
def test_names_tell_variables_apart(program: list[Step]) -> None:
    frame = frame_of(calls_of(program))
    assert len(set(frame.nodes)) == len(frame.nodes)
    for variables in frame.variables.values():
        assert len(variables) == 1 or not any(one.produced for one in variables)
    assert all(frame.names[one] for one in frame.roles.variables)


def chain(length: int) -> list[Call]:
    """Return the calls of `x = m.step(x, 1)`, so many times."""
    start = content_id(0)
    value = Slot("x", start, None, Inline(0))
    found = []
    for number in range(length):
        inputs = (value, Slot("by", None, None, Inline(1)))
        hid = call_hid("m:step", 0, None, [(slot.name, slot.hid) for slot in inputs])
        output = Slot("output_0", None, None, Inline(number + 1), maker=hid)
        found.append(Call("m:step", 0, None, inputs, (output,)))
        value = Slot("x", None, output_hid(hid, "output_0"), Inline(number + 1))
    return found


def test_a_chain_of_thousands_of_calls() -> None:
    calls = chain(3000)
    random.Random(0).shuffle(calls)
    universe = Universe(calls)
    last = next(call for call in calls if call.outputs[0].inline == Inline(3000))
    frame = ComputationFrame(universe, frozenset({last.hid})).expand_back()
    assert len(frame) == 3000
    (row,) = frame.table().rows
    assert [slot.inline.json for slot in row["step"] if slot.inline] == list(range(1, 3001))
    assert len(row["x"]) == len(row["by"]) == 1
    first = ComputationFrame(universe, frozenset({last.hid})).expand_back(depth=10)
    assert len(first) == 11
    assert len(first.expand_all()) == 3000
    assert frame.upstream("step") == frame
    assert len(frame.upstream("x")) == 0


# --- through a storage ----------------------------------------------------------------


@gm.op
def load(n):
    return list(range(n))


@gm.op(output_names=["model"])
def train(data, rate):
    return {"size": len(data), "rate": rate}


@gm.op(output_names=["acc"])
def judge(model, data):
    return model["rate"] * 10 + len(data)


@gm.op
def best(accs):
    return max(accs)


@pytest.fixture(scope="module")
def storage() -> gm.Storage:
    storage = gm.Storage()
    with storage:
        for n in (2, 3):
            data = load(n)
            accs = [judge(train(data, rate), data) for rate in (1, 2, 3)]
            best(accs)
    return storage


def test_masks_by_value(storage: gm.Storage) -> None:
    cf = storage.cf(judge).expand_back()
    table = cf.df()
    high = cf[cf["acc"] > 22].df()
    assert high["acc"].tolist() == [a for a in table["acc"] if a > 22]
    both = cf[(cf["acc"] > 12) & (cf["n"] == 2)].df()
    assert set(both["n"]) == {2}
    assert all(both["acc"] > 12)
    either = cf[(cf["acc"] > 32) | (cf["n"] == 2)].df()
    assert len(either) == 4
    neither = cf[~((cf["acc"] > 32) | (cf["n"] == 2))].df()
    assert len(either) + len(neither) == len(table)
    assert len(cf[cf["rate"].between(2, 3)].df()) == 4
    assert len(cf[cf["data"].map(lambda data: len(data) == 3)].df()) == 3
    assert len(cf[cf["rate"].isin([1, 7])].df()) == 2
    assert len(cf.isin([3], "rate").df()) == 2
    assert cf[cf["acc"] > 1000].df().empty


def test_masks_refuse_what_makes_no_sense(storage: gm.Storage) -> None:
    cf = storage.cf(judge).expand_back()
    with pytest.raises(WrongQuestion, match="neither true nor false"):
        bool(cf["acc"] > 1)
    with pytest.raises(WrongQuestion, match="neither true nor false"):
        bool(cf["acc"])
    with pytest.raises(WrongQuestion, match="cannot be compared: dict > int"):
        cf[cf["model"] > 3]
    with pytest.raises(UnknownNode, match="did you mean 'acc'"):
        cf["accc"]
    with pytest.raises(UnknownNode):
        cf[["acc", "nothing"]]


def test_lists_are_taken_apart_with_their_places(storage: gm.Storage) -> None:
    cf = storage.cf(best).expand_back()
    whole = cf.df("rate", "acc", "best")
    assert whole["rate"].tolist() == [[1, 2, 3], [1, 2, 3]]
    apart = cf.df("rate", "acc", "accs", "best", explode=True)
    assert apart["accs_index"].tolist() == [0, 1, 2, 0, 1, 2]
    assert apart["rate"].tolist() == [1, 2, 3, 1, 2, 3]
    assert apart["acc"].tolist() == [12, 22, 32, 13, 23, 33]
    assert cf.df(explode="accs")["best"].tolist() == [32] * 3 + [33] * 3
    with pytest.raises(UnknownNode):
        cf.df(explode=["nothing"])


def test_an_element_is_the_same_one_along_all_ways_that_lead_to_it() -> None:
    program = [
        Step("m:source", (Held("list", (Raw(0), Raw(1))),)),
        Step("m:split", (Made(0, 0),)),
        Step("m:join", (Made(1, 0), Made(1, 1))),
        Step("m:same", (Made(2, 0), Made(0, 0))),
    ]
    table = frame_of(calls_of(program)).table(explode=True)
    assert table.columns[:3] == ("seed", "seed_index", "seed_item")
    items = [[s.inline.json for s in row["seed_item"] if s.inline] for row in table.rows]
    assert items == [[0], [1]]


def test_a_frame_of_values(storage: gm.Storage) -> None:
    with storage:
        data = load(2)
        model = train(data, 1)
    alone = storage.cf({"m": [model]})
    assert alone.vnames == ["m"]
    assert len(alone.df()) == 1
    grown = alone.expand_back()
    assert grown.df()[["n", "rate"]].to_numpy().tolist() == [[2, 1]]
    assert "m" in grown.vnames
    used = alone.expand_forward(ops=["judge"])
    assert used.df()["acc"].tolist() == [12]
    rate = storage.cf({"speed": [gm.wrap(3)]}).expand_forward(ops=["train"])
    assert set(rate.df()["speed"]) == {3}
    assert storage.cf(model.hid).expand_back() == storage.cf(model).expand_back()
    assert storage.cf(storage.get_ref_creator(model)).ops() == storage.cf(train).ops()


@pytest.mark.parametrize("subject", [3, object(), [1, 2], {"a": [1]}])
def test_no_frame_of_this(storage: gm.Storage, subject: object) -> None:
    with pytest.raises(WrongQuestion, match="no frame can be made of"):
        storage.cf(subject)  # type: ignore[arg-type]


def test_arranging(storage: gm.Storage) -> None:
    cf = storage.cf(best).expand_back()
    assert "lr" in cf.rename(rate="lr").df().columns
    assert cf.rename({"train": "fit"}).fnames.count("fit") == 1
    with pytest.raises(NameTaken, match="merge_vars"):
        cf.rename(rate="n")
    merged = cf.merge_vars("rate", "n", into="number")
    assert set(merged.df()["number"].sum()) == {1, 2, 3}
    assert "best()" not in cf.drop("best").fnames
    assert len(cf.drop("best").df()) == 6
    assert cf.drop("train", with_dependents=True).fnames == ["load()"]
    halves = cf.split(
        "train", by=lambda call: "slow" if call.inputs[1].inline.json == 1 else "fast"
    )
    assert {"train[slow]", "train[fast]"} <= set(halves.fnames)
    assert cf.sample(1, seed=3).df().shape[0] == 1
    assert cf.sort("best", ascending=False).df()["best"].tolist() == [33, 32]
    assert cf.apply(len, "accs").df()["accs"].tolist() == [3, 3]
    models = [{"size": size, "rate": rate} for size in (2, 3) for rate in (1, 2, 3)]
    assert sorted(cf.eval("model")["model"], key=str) == sorted(models, key=str)
    # Calls that began in one millisecond stand in any order.
    assert sorted(cf.get_func_table("train")["rate"]) == [1, 1, 2, 2, 3, 3]
    assert "acc = judge(model=model, data=data)" in cf.graph_text()


def test_strong_and_weak(storage: gm.Storage) -> None:
    cf = storage.cf(best).expand_back()
    assert set(cf.downstream("model").fnames) == {"judge", "best()"}
    assert cf.downstream("model", how="strong").fnames == []
    assert set(cf.upstream("model").fnames) == {"load", "train"}
    assert set(cf.midstream("data", "acc").fnames) >= {"train", "judge"}
    assert set(cf.downstream("n", how="strong").fnames) == {"load()"}


def test_conditions(storage: gm.Storage) -> None:
    cf = storage.cf(judge).expand_back()
    assert len(cf.where(since="2020-01-01").df()) == 6
    assert cf.where(until="2020-01-01").df().empty
    slow = cf.where(lambda call: call.inputs[1].inline.json == 3, op="train")
    assert set(slow.df()["rate"]) == {3}
    with pytest.raises(WrongQuestion, match="neither a date nor a moment"):
        cf.where(since="yesterday")


@pytest.mark.parametrize(
    "ask",
    [lambda cf: cf.df(), lambda cf: repr(cf), lambda cf: cf.info(), lambda cf: cf.graph_text()],
)
def test_empty_frames_answer(
    storage: gm.Storage, ask: Callable[[ComputationFrame], object]
) -> None:
    cf = storage.cf(judge).expand_back()
    for empty in (cf - cf, cf[cf["acc"] > 1000], gm.Storage().cf()):
        ask(empty)


def test_conditions_as_text(storage: gm.Storage) -> None:
    cf = storage.cf(judge).expand_back()
    for text, mask in {
        "acc > 22": cf["acc"] > 22,
        "acc > 12 and n == 2": (cf["acc"] > 12) & (cf["n"] == 2),
        "acc > 32 or n == 2": (cf["acc"] > 32) | (cf["n"] == 2),
        "not (acc > 32 or n == 2)": ~((cf["acc"] > 32) | (cf["n"] == 2)),
        "2 <= rate <= 3": cf["rate"].between(2, 3),
        "rate in (1, 7)": cf["rate"].isin([1, 7]),
        "rate not in [1]": ~cf["rate"].isin([1]),
        "n is not None and 20 < acc": cf["acc"] > 20,
    }.items():
        assert cf.query(text) == cf[mask], text


@pytest.mark.parametrize(
    "text",
    ["", "acc >", "acc > n", "__import__('os')", "acc.__class__()", "acc in 3", "(" * 3000, "1 < 2",
     "acc > (lambda: 1)()", "a" * 20_000],
)  # fmt: skip
def test_what_is_no_condition(storage: gm.Storage, text: str) -> None:
    cf = storage.cf(judge).expand_back()
    with pytest.raises(WrongQuestion, match="condition"):
        cf.query(text)


def test_deleting_is_planned_done_and_undone() -> None:
    storage = gm.Storage()
    with storage:
        data = load(2)
        for rate in (1, 2):
            judge(train(data, rate), data)
    cf = storage.cf(train)
    plan = cf[cf["rate"] == 1].delete_calls()
    assert repr(plan).startswith(
        "to forget: 1 call of train (1)\nand 1 call that used or share their results"
    )
    assert len(storage.cf()) == 5
    plan.carry_out("wrong rate")
    assert len(storage.cf()) == 3
    with pytest.raises(WrongQuestion, match="forgotten already"):
        plan.carry_out()
    with storage:
        assert not train.is_cached(data, 1)
        assert train.is_cached(data, 2)
    plan.undo()
    assert len(storage.cf()) == 5
    with pytest.raises(WrongQuestion, match="nothing was forgotten"):
        plan.undo()
    frame_of([]).delete_calls().carry_out()


def test_numbers_with_gaps_stay_numbers(storage: gm.Storage) -> None:
    cf = storage.cf(load, best)
    assert str(cf.df()["n"].dtype) == "Int64"


def test_the_common_tables(storage: gm.Storage) -> None:
    table = storage.table(judge, where="rate > 1")
    assert table["acc"].tolist() == [22, 32, 23, 33]
    assert {"n", "rate", "acc"} <= set(table.columns)
    assert len(storage.table()) == 2
    calls = storage.get_table(train, meta=True)
    assert sorted(calls["rate"]) == [1, 1, 2, 2, 3, 3]
    assert calls["call.hid"].str.len().tolist() == [64] * 6
    assert calls["call.seconds"].notna().all()
    assert list(storage.get_table("train").columns) == ["data", "rate", "model"]
