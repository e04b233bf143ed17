"""What methods of frames can be told, and the methods that few use: each does what its words say."""

from __future__ import annotations

from collections.abc import Callable

import pytest

import gitmemo as gm
from gitmemo.errors import BadSetting, FramesDiffer, NameTaken, UnknownNode, WrongQuestion
from gitmemo.frames import ComputationFrame, Universe
from gitmemo.frames.writing import HEADER
from gitmemo.hashing import content_id
from gitmemo.model.facts import Call, Inline, Slot
from gitmemo.model.items import raw
from gitmemo.patterns.writing import HEADER as PATTERN_HEADER


@gm.op(output_names=["data"])
def load(n):
    return list(range(n))


@gm.op(output_names=["model"])
def train(data, rate):
    return {"size": len(data), "rate": rate}


@gm.op(output_names=["acc"])
def judge(model, data):
    return model["rate"] * 10 + len(data)


@gm.op
def report(model):
    return f"rate {model['rate']}"


@gm.op(output_names=["top"])
def best(accs):
    return max(accs)


@gm.op
def size(n):
    return 10


@gm.op
def total(size):
    return size + 1


@gm.op
def merge(parts):
    return sum(parts.values())


@pytest.fixture(scope="module")
def storage() -> gm.Storage:
    storage = gm.Storage()
    with storage:
        for n in (2, 3):
            data = load(n)
            models = [train(data, rate) for rate in (1, 2)]
            best([judge(model, data) for model in models])
            report(models[0])
    return storage


@pytest.fixture(scope="module")
def cf(storage: gm.Storage) -> ComputationFrame:
    return storage.cf(judge).expand_back()


def test_growing_adds_only_what_is_wanted(storage: gm.Storage) -> None:
    start = storage.cf(load)
    slow = start.expand_forward(where=lambda call: call.run["start"] < "2000")
    assert slow == start
    models = start.expand_forward(ops=["train"])
    assert models.fnames == ["load", "train"]
    assert len(models) == 6
    accs = storage.cf(train).expand_forward("model", ops=["judge"], depth=1)
    assert accs.fnames == ["train", "judge"]


def test_strong_is_what_led_to_nothing_else_and_came_of_nothing_else(storage: gm.Storage) -> None:
    everything = storage.cf()
    assert set(everything.upstream("acc").fnames) == {"load", "train", "judge"}
    assert len(everything.upstream("acc")) == 2 + 4 + 4
    strong = everything.upstream("acc", how="strong")
    # What is reported led to something else, and so did the data.
    assert {(f, len(strong.calls_of(f))) for f in strong.fnames} == {("judge", 4), ("train", 2)}


def test_cells_are_refs_ids_or_values(cf: ComputationFrame) -> None:
    slots = {(slot.hid.hex(), slot.cid.hex()) for slot in cf.elements("model")}
    assert set(zip(cf.df(values="hids")["model"], cf.df(values="cids")["model"], strict=True)) == (
        slots
    )
    loaded = cf.df(values="objs", lazy_vars=["data"])
    assert all(isinstance(cell, gm.Ref) for cell in loaded["data"])
    assert {type(cell) for cell in loaded["model"]} == {dict}


def test_calls_stand_beside_their_values(storage: gm.Storage, cf: ComputationFrame) -> None:
    table = cf.df(include_calls=True)
    assert list(table.columns) == ["n", "data", "rate", "model", "acc", "load", "train", "judge"]
    hids = {call.hid.hex()[:12] for call in storage.cf(train).calls}
    assert set(table["train"]) == hids
    several = storage.cf(best).expand_back().df("top", "judge")
    assert [len(cell) for cell in several["judge"]] == [2, 2]


def test_values_are_chosen_by_history_or_content(storage: gm.Storage, cf: ComputationFrame) -> None:
    with storage:
        model = train(load(2), 1)
    assert len(cf.isin([model], "model").df()) == 1
    assert len(cf.isin([model.hid], "model", by="hid").df()) == 1
    assert len(cf.isin([model.cid], "model", by="cid").df()) == 1
    assert cf.isin([model.hid], "model", by="cid").df().empty
    assert cf.select_subsets(model=[model]).df()["acc"].tolist() == [12]
    assert cf.select_subsets(model=[model], data=[]).df().empty


def test_values_and_refs_are_chosen_together(storage: gm.Storage, cf: ComputationFrame) -> None:
    def rates(wanted: list[object]) -> list[int]:
        return sorted(cf[cf["rate"].isin(wanted)].df("rate")["rate"])

    assert rates([gm.wrap(1), 2]) == [1, 2]
    assert rates([gm.wrap(1), "n2", [1]]) == [1]
    texts = storage.cf(report)
    one, two = texts["report"].refs()
    assert len(texts[texts["report"].isin([one, two.unwrap()])]) == 2
    assert rates([1.0, [2], {3}]) == [1]


def test_a_value_that_cannot_be_hashed_is_among_others_or_not() -> None:
    storage = gm.Storage()
    with storage:
        for parts in ({"a": 1}, {"a": 2}):
            merge(parts)
    cf = storage.cf(merge)
    assert len(cf[cf["parts"].isin([{"a": 2}, 7])]) == 1
    assert len(cf.query("parts in {1, 2}")) == 0


def test_a_number_is_in_no_text(cf: ComputationFrame, storage: gm.Storage) -> None:
    assert len(cf.query("rate in 'abc'")) == 0
    texts = storage.cf(report)
    assert len(texts.query("report in 'rate 1, rate 2'")) == 2


def test_a_ref_means_its_content_unless_its_history_is_asked_for() -> None:
    storage = gm.Storage()
    with storage:
        one = report(train(load(2), 1))
        report(train(load(3), 1))
    cf = storage.cf(report).expand_back()
    assert cf.isin([one], "report").df()["n"].tolist() == [2, 3]
    assert cf.isin([one], "report", by="hid").df()["n"].tolist() == [2]


def test_a_call_that_only_repeats_another_is_a_row_where_it_shows_something_new() -> None:
    storage = gm.Storage()
    with storage:
        for n in (2, 3):
            total(size(n))
    assert storage.cf(total).df()["total"].tolist() == [11]
    assert sorted(storage.cf(total).expand_back().df()["n"]) == [2, 3]


def test_columns_far_apart_are_in_one_row(storage: gm.Storage) -> None:
    table = storage.cf(best).expand_back().df("n", "top")
    assert table.to_numpy().tolist() == [[2, 22], [3, 23]]


def test_what_is_none_is_neither_less_nor_more_than_anything() -> None:
    storage = gm.Storage()
    with storage:
        for n in (None, 1, 3):
            size(n)
    cf = storage.cf(size)
    assert cf[cf["n"] > 1].df()["n"].tolist() == [3]
    assert cf[~(cf["n"] > 1)].df()["n"].isna().sum() == 1
    assert len(cf[cf["n"] != 1].df()) == 2


def test_numbers_with_gaps_are_whole_whatever_their_size(storage: gm.Storage) -> None:
    large = gm.Storage()
    with large:
        size(2**70)
        load(1)
        best([2**70])
    cells = large.cf(size, best).df()["n"].dropna().tolist()
    assert cells == [2**70]
    assert str(storage.cf(load, best).df()["n"].dtype) == "Int64"


def test_an_element_of_a_dict_is_told_by_its_key() -> None:
    storage = gm.Storage()
    with storage:
        merge({"a": size(1), "b": size(2)})
    table = storage.cf(merge).expand_back().df(explode=True)
    assert table["parts_index"].tolist() == ["a", "b"]
    assert table["n"].tolist() == [1, 2]


def test_nodes_are_chosen_by_name(cf: ComputationFrame) -> None:
    assert cf.select_nodes(["model", "judge"]) == cf[["model", "judge"]]
    assert cf[["model", "judge"]].nodes == ["model", "judge"]
    with pytest.raises(UnknownNode):
        cf.select_nodes(["modle"])


def test_several_frames_combine(cf: ComputationFrame) -> None:
    two, fast, high = cf[cf["n"] == 2], cf[cf["rate"] == 2], cf[cf["acc"] > 12]
    assert two.union(fast, high) == (two | fast) | high
    assert two.intersection(fast, high) == (two & fast) & high
    assert two.union() == two.intersection() == two


def test_values_that_stand_alone_combine(storage: gm.Storage) -> None:
    with storage:
        one, two = storage.cf({"m": [train(load(2), 1)]}), storage.cf({"m": [train(load(2), 2)]})
    assert len((one | two).df()) == 2
    assert len(((one | two) & one).df()) == 1
    assert ((one | two) - two).df()["m"].tolist() == one.df()["m"].tolist()
    assert (one & two).df().empty


def test_frames_that_call_one_thing_by_two_names_do_not_combine(cf: ComputationFrame) -> None:
    with pytest.raises(FramesDiffer, match=r"lr.*speed|speed.*lr"):
        cf.rename(rate="lr") | cf.rename(rate="speed")
    assert "lr" in (cf.rename(rate="lr") | cf).vnames
    shown = cf.drop("rate") | cf
    assert "rate" in shown.vnames, "what one frame shows is shown"
    assert "rate" not in (cf.drop("rate") | cf.drop("rate")).vnames


def test_variables_of_the_same_values_are_made_one() -> None:
    @gm.op
    def shift(x, by):
        return x + by

    @gm.op
    def scale(shift, times):
        return shift * times

    storage = gm.Storage()
    with storage:
        for number in (2, 3):
            scale(shift(5, number), number)
    cf = storage.cf(scale).expand_back()
    assert {"by", "times"} <= set(cf.vnames)
    simple = cf.simplify()
    assert len({"by", "times"} & set(simple.vnames)) == 1
    assert len(simple.df()) == 2


def test_history_is_what_led_to_a_variable(storage: gm.Storage) -> None:
    past = storage.cf().history("model")
    assert set(past.columns) == {"n", "data", "rate", "model"}
    assert sorted(map(tuple, past[["n", "rate"]].to_numpy().tolist())) == [
        (2, 1), (2, 2), (3, 1), (3, 2),
    ]  # fmt: skip


def test_a_function_is_split_by_a_value_that_it_takes(cf: ComputationFrame) -> None:
    parts = cf.split("rate", by=lambda rate: "slow" if rate == 1 else "fast")
    assert {"train[slow]", "train[fast]"} <= set(parts.fnames)
    assert [call.inputs[1].inline.json for call in parts.calls_of("train[slow]")] == [1, 1]


def test_the_graph_is_printed(cf: ComputationFrame, capsys: pytest.CaptureFixture[str]) -> None:
    cf.print_graph()
    assert capsys.readouterr().out.splitlines() == [
        "data = load(n=n)",
        "model = train(data=data, rate=rate)",
        "acc = judge(model=model, data=data)",
    ]


def test_pictures_say_what_is_in_a_collection(storage: gm.Storage) -> None:
    graph = storage.cf(best).expand_back().graph()
    edges = {(edge.source, edge.target): edge for edge in graph.edges}
    assert edges["v:acc", "v:accs"].items
    assert edges["v:acc", "v:accs"].count == 2, "calls that took such a list"
    nodes = {node.key: node for node in graph.nodes}
    assert nodes["v:accs"].collection
    assert not nodes["v:acc"].collection
    assert nodes["f:train"].count == 4


@pytest.mark.parametrize(
    "asked",
    [
        lambda cf: cf.df(values="nonsense"),
        lambda cf: cf.df(values="uids"),
        lambda cf: cf.get_func_table("train", values="nonsense"),
        lambda cf: cf.df(lazy_vars=["typo"]),
        lambda cf: cf.upstream("acc", how="storng"),
        lambda cf: cf.downstream("n", how="storng"),
        lambda cf: cf.split("train", by="versions"),
        lambda cf: cf.where(since="yesterday"),
        lambda cf: cf.where(until="2026-13-01"),
        lambda cf: cf.sort("n", "rate", ascending=[True]),
        lambda cf: cf.sample(-1),
        lambda cf: cf["rate"].isin([5], by="hid"),
    ],
)
def test_what_no_method_can_be_told(
    cf: ComputationFrame, asked: Callable[[ComputationFrame], object]
) -> None:
    with pytest.raises((BadSetting, UnknownNode, WrongQuestion)):
        asked(cf)


def test_a_function_is_no_variable_to_compare(cf: ComputationFrame) -> None:
    with pytest.raises(UnknownNode) as caught:
        cf.query("train > 3")
    assert "did you mean 'train'" not in str(caught.value)


def test_only_variables_of_the_same_values_are_made_one() -> None:
    @gm.op
    def grow(depth, trees):
        return depth * trees

    storage = gm.Storage()
    with storage:
        for depth, trees in ((1, 1), (1, 2), (2, 3)):
            grow(depth, trees)
    cf = storage.cf(grow)
    assert {"depth", "trees"} <= set(cf.simplify().vnames)
    assert len({"depth", "trees"} & set(cf.merge_vars().vnames)) == 1


def test_frames_of_some_nodes_are_sets_too(cf: ComputationFrame) -> None:
    some, other = cf[["model", "acc", "judge"]], cf[cf["rate"] == 1]
    assert "n" not in some.vnames
    assert (some - other) | (some & other) == some
    assert some - some == some & other - other
    assert some & some == some | some == some
    assert set((some & other).vnames) <= {"model", "acc"}


def test_a_drawing_as_text_says_what_the_printed_graph_says() -> None:
    @gm.op
    def halves(items):
        return items[:1], items[1:]

    @gm.op(output_names=["score"])
    def score(test, train, rate):
        return len(test) * rate

    storage = gm.Storage()
    with storage:
        first, second = halves([1, 2, 3])
        score(first, second, 2)
    cf = storage.cf(score).expand_back()
    drawn = [line.partition("  #")[0] for line in repr(cf.draw()).splitlines()]
    assert drawn == cf.graph_text().splitlines()
    assert drawn[0].count(",") == 1
    assert "|" not in "".join(drawn)


def test_a_drawing_in_full_is_a_pattern_that_asks_for_the_frame(storage: gm.Storage) -> None:
    for frame in (storage.cf(judge).expand_back(), storage.cf(best).expand_back()):
        header, *code = repr(frame.draw(verbose=True)).partition("\n\n")[0].splitlines()
        assert header == HEADER == PATTERN_HEADER
        names = {"storage": storage, "Q": gm.Q, "load": load, "train": train, "judge": judge}
        names["best"] = best
        with storage.query():
            exec("\n".join(code).replace("    ", ""), names)
            ids = (
                names["result"],
                eval(code[-1].partition(" = ")[2][:-1] + ", values='cids')", names),
            )
        table = frame.df(values="cids", explode=True)[list(ids[1].columns)]
        assert len(ids[0]) == len(ids[1])
        assert set(ids[1].itertuples(index=False)) == set(table.itertuples(index=False))


def test_results_that_are_called_like_their_op_have_another_name_in_the_code() -> None:
    storage = gm.Storage()
    with storage:
        total(size(3))
    frame = storage.cf(total).expand_back()
    _, *code = repr(frame.draw(verbose=True)).partition("\n\n")[0].splitlines()
    names = {"storage": storage, "Q": gm.Q, "size": size, "total": total}
    with storage.query():
        exec("\n".join(code).replace("    ", ""), names)
    assert list(names["result"].columns) == list(frame.df().columns)
    assert names["result"].values.tolist() == frame.df().values.tolist()


def test_a_frame_that_no_pattern_says_is_drawn_without_one() -> None:
    @gm.op
    def step(n):
        return n + 1

    storage = gm.Storage()
    with storage:
        step(step(1))
    assert HEADER not in repr(storage.cf(step).draw(verbose=True))
    assert HEADER not in repr(storage.cf(step).draw())


def test_a_frame_without_a_storage_shows_what_its_records_say(cf: ComputationFrame) -> None:
    alone = ComputationFrame(cf.universe, cf.selected)
    assert alone.df("n", "rate", "acc").equals(cf.df("n", "rate", "acc"))
    shown = alone.df("acc", values="refs")["acc"]
    assert [ref.hid for ref in shown] == [ref.hid for ref in cf.df("acc", values="refs")["acc"]]
    assert alone.df("model")["model"].tolist() == cf.df("model")["model"].tolist()


def test_rows_with_one_result_began_when_that_was_computed() -> None:
    storage = gm.Storage()
    with storage:
        for n in (2, 3, 4):
            total(size(n))
    cf = storage.cf(total).expand_back()
    assert len(cf.where(since="2020-01-01").df()) == 3
    assert len(cf.where(until="2020-01-01").df()) == 0
    assert len({call.start for call in storage.cf(total).calls}) == 1
    assert cf.df()["n"].tolist() == [2, 3, 4]


def test_tables_of_functions_show_results_that_are_called_like_arguments() -> None:
    storage = gm.Storage()
    step = gm.op(name="m:step", output_names=["x"])(lambda x, step_x: x + step_x)
    with storage:
        step(3, 1)
    table = storage.get_table(step)
    assert table.iloc[0].to_dict() == {"x": 3, "step_x": 1, "step_x_": 4}
    assert storage.cf(step).get_func_table("step").equals(table)


def test_tables_of_functions_tell_calls_of_one_moment_apart_by_their_values() -> None:
    universe = [_began_at_noon(n) for n in (3, 1, 2, 0, 5, 4)]
    for calls in (universe, universe[::-1]):
        frame = ComputationFrame(Universe(calls), frozenset(call.hid for call in calls))
        assert frame.get_func_table("f")["n"].tolist() == [0, 1, 2, 3, 4, 5]


def _began_at_noon(n: int) -> Call:
    slot = Slot.of("n", raw(content_id(n), Inline(n)))
    run = {"start": "2026-11-22T12:00:00.000Z"}
    return Call("m:f", 0, None, (slot,), (slot.called("y"),), run=run)


def test_parts_of_a_function_are_merged(storage: gm.Storage) -> None:
    cf = storage.cf(train).expand_back()
    apart = cf.split("train", by=lambda call: call.inputs[1].inline.json % 2)
    assert {"train[0]", "train[1]"} <= set(apart.nodes)
    together = apart.merge("train[0]", "train[1]")
    assert together.layout == cf.layout
    assert together.df("data", "rate").equals(cf.df("data", "rate"))
    named = apart.rename({"train[0]": "even"}).merge("even", "train[1]", into="fit")
    assert named.fnames == ["load", "fit"]
    assert (
        cf.merge("n", "rate", into="number").vnames
        == cf.merge_vars("n", "rate", into="number").vnames
    )
    thirds = storage.cf(load).split("load", by=lambda call: call.inputs[0].inline.json)
    assert thirds.merge("load[2]", "load[3]").fnames == ["load"]


def test_what_cannot_be_merged(storage: gm.Storage) -> None:
    cf = storage.cf(train).expand_back()
    with pytest.raises(WrongQuestion, match="functions of several ops"):
        cf.merge("train", "load")
    with pytest.raises(WrongQuestion, match="one after the other"):
        cf.merge("train", "rate")
    with pytest.raises(WrongQuestion):
        cf.merge()
    with pytest.raises(NameTaken):
        cf.merge("train", into="load")
