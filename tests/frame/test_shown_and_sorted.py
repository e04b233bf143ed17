"""What tables show instead of values, and what they are sorted by, belongs to variables, not to names."""

from __future__ import annotations

import pytest

import gitmemo as gm
from gitmemo.errors import FramesDiffer
from gitmemo.frames import ComputationFrame


@gm.op(output_names=["data"])
def load(n):
    return n * 10


@gm.op(output_names=["model"])
def train(data, rate):
    return data - rate


@pytest.fixture(scope="module")
def cf() -> ComputationFrame:
    storage = gm.Storage()
    with storage:
        for n, rate in ((1, 9), (2, 8), (3, 7)):
            train(load(n), rate)
    return storage.cf(train).expand_back()


def text(value: object) -> str:
    return f"<{value}>"


def test_a_renamed_variable_is_shown_as_before(cf: ComputationFrame) -> None:
    shown = cf.apply(text, "n").rename(n="size").df()
    assert shown["size"].tolist() == ["<1>", "<2>", "<3>"]
    swapped = cf.apply(text, "n").rename(n="rate", rate="n").df()
    assert swapped["rate"].tolist() == ["<1>", "<2>", "<3>"]
    assert swapped["n"].tolist() == [9, 8, 7]
    merged = cf.apply(text, "rate").merge_vars("rate", "n", into="number")
    assert merged.df()["number"].tolist() == [["<9>", "<1>"], ["<8>", "<2>"], ["<7>", "<3>"]] or (
        merged.df()["number"].tolist() == [["<1>", "<9>"], ["<2>", "<8>"], ["<3>", "<7>"]]
    )


def test_a_renamed_variable_sorts_as_before(cf: ComputationFrame) -> None:
    down = cf.sort("n", ascending=False)
    assert down.rename(n="size").df()["size"].tolist() == [3, 2, 1]
    swapped = cf.sort("rate").rename(n="rate", rate="n").df()
    assert swapped["n"].tolist() == [7, 8, 9]


def test_rows_are_sorted_by_columns_that_are_not_shown(cf: ComputationFrame) -> None:
    down = cf.sort("rate", ascending=False)
    assert down.df("n")["n"].tolist() == [1, 2, 3]
    assert down.df("data")["data"].tolist() == [10, 20, 30]
    up = cf.sort("rate")
    assert up.df("n")["n"].tolist() == [3, 2, 1]
    both = up.df("model", "n")
    assert list(both.columns) == ["model", "n"]  # as they were asked for
    assert both["n"].tolist() == [3, 2, 1]


def test_what_is_applied_adds_up(cf: ComputationFrame) -> None:
    both = cf.apply(lambda value: value + 1, "n").apply(text, "n")
    assert both.df()["n"].tolist() == ["<2>", "<3>", "<4>"]
    assert both.rename(n="m").apply(len, "m").df()["m"].tolist() == [3, 3, 3]
    assert cf.apply(lambda value: value + 1).apply(text, "n").df()["rate"].tolist() == [10, 9, 8]


def test_it_stays_while_a_frame_grows_is_cut_and_is_split(cf: ComputationFrame) -> None:
    alone = cf.drop("load")
    assert alone.apply(text, "data").expand_back().df()["data"].tolist()[0] == "<10>"
    shown = cf.apply(text, "data").sort("data", ascending=False)
    assert shown.drop("load").df()["data"].tolist() == ["<30>", "<20>", "<10>"]
    assert shown[["data", "train"]].df()["data"].tolist() == ["<30>", "<20>", "<10>"]
    parts = cf.apply(text, "rate").split("train", by=lambda call: len(call.inputs))
    assert parts.df()["rate"].tolist()[0] == "<9>"


def test_values_that_stand_alone_are_shown_and_renamed(cf: ComputationFrame) -> None:
    refs = cf["n"].refs()
    assert cf.backing is not None
    alone = cf.backing.loader.cf({"size": refs})  # type: ignore[attr-defined]
    shown = alone.apply(text, "size").sort("size", ascending=False).rename(size="many")
    assert shown.df()["many"].tolist() == ["<3>", "<2>", "<1>"]
    assert shown.expand_forward().df()["many"].tolist() == ["<3>", "<2>", "<1>"]


def test_frames_that_show_one_variable_in_two_ways_do_not_combine(cf: ComputationFrame) -> None:
    one, other = cf.apply(text, "n"), cf.apply(len, "n")
    assert (one | cf).df()["n"].tolist() == (cf | one).df()["n"].tolist() == ["<1>", "<2>", "<3>"]
    with pytest.raises(FramesDiffer, match="show a variable as 'text' and 'len'"):
        one | other
    with pytest.raises(FramesDiffer, match="are sorted"):
        cf.sort("n") | cf.sort("rate")
    assert (cf.sort("n") | cf).df()["n"].tolist() == [1, 2, 3]
