"""Conditions against the rows of the whole table, looked at one by one; masks and the laws of sets."""

from __future__ import annotations

import operator
from collections.abc import Callable, Mapping
from functools import reduce
from typing import Any

import pytest
from ancestry import QUICK, frame_of
from hypothesis import given
from hypothesis import strategies as st
from random_calls import Step, calls_of, programs

import gitmemo as gm
from gitmemo.errors import UnknownNode, UnknownOp
from gitmemo.frames import Cell, ComputationFrame, Mask
from gitmemo.frames.universe import element

Test = Callable[[Mapping[str, Cell]], bool]
TESTS: dict[str, Callable[[Any], bool]] = {
    "{} == 0": lambda v: v == 0,
    "{} != 0": lambda v: v != 0,
    "{} > 0": lambda v: v > 0,
    "1 <= {} <= 1": lambda v: v == 1,
    "{} in (0, 1)": lambda v: v in (0, 1),
    "{} not in (1,)": lambda v: v != 1,
}


def _askable(frame: ComputationFrame) -> list[str]:
    """Return the variables of small numbers whose names can be typed."""
    names = [name for name in frame.vnames if name.replace(".", "").isidentifier()]
    return [
        n for n in names if all(s.inline and type(s.inline.json) is int for s in frame.elements(n))
    ]


def _conditions(names: list[str]) -> st.SearchStrategy[tuple[str, Test]]:
    def atom(name: str, form: str) -> tuple[str, Test]:
        return form.format(name), lambda row: any(
            TESTS[form](slot.inline.json) for slot in row.get(name, ()) if slot.inline
        )

    def no(one: tuple[str, Test]) -> tuple[str, Test]:
        return f"not ({one[0]})", lambda row: not one[1](row)

    def both(a: tuple[str, Test], b: tuple[str, Test]) -> tuple[str, Test]:
        return f"({a[0]}) and ({b[0]})", lambda row: a[1](row) and b[1](row)

    def either(a: tuple[str, Test], b: tuple[str, Test]) -> tuple[str, Test]:
        return f"({a[0]}) or ({b[0]})", lambda row: a[1](row) or b[1](row)

    atoms = st.builds(atom, st.sampled_from(names), st.sampled_from(sorted(TESTS)))
    return st.recursive(
        atoms,
        lambda inner: (
            st.builds(no, inner) | st.builds(both, inner, inner) | st.builds(either, inner, inner)
        ),
        max_leaves=6,
    )


@QUICK
@given(programs(), st.data())
def test_a_condition_selects_rows_of_the_whole_table(
    program: list[Step], data: st.DataObject
) -> None:
    frame = frame_of(calls_of(program))
    names = _askable(frame)
    if not names:
        return
    whole = frame.table()
    text, meets = data.draw(_conditions(names))
    found = frame.query(text).table()
    assert found.columns == whole.columns
    assert list(found.rows) == [row for row in whole.rows if meets(row)], text


@QUICK
@given(programs(), st.data())
def test_masks_obey_the_laws_of_sets(program: list[Step], data: st.DataObject) -> None:
    frame = frame_of(calls_of(program))

    def leaf() -> Mask:
        name = data.draw(st.sampled_from(frame.vnames))
        every = [element(slot) for slot in frame.elements(name)]
        kept = data.draw(st.sets(st.sampled_from(every)))
        return Mask.leaf(name, lambda slots, _: [element(slot) in kept for slot in slots])

    a, b, c = leaf(), leaf(), leaf()
    assert frame[a | b] == frame[b | a]
    assert frame[a & b] == frame[b & a]
    assert frame[~(a | b)] == frame[~a & ~b]
    assert frame[~(a & b)] == frame[~a | ~b]
    assert frame[a & (b | c)] == frame[(a & b) | (a & c)]
    assert frame[a | (b & c)] == frame[(a | b) & (a | c)]
    assert frame[a | (a & b)] == frame[a] == frame[~~a]
    assert frame[a & b] <= frame[a] <= frame[a | b]
    assert not frame[a & ~a]
    one = a.name
    split = [Mask.leaf(one, lambda slots, _, k=element(s): [element(x) == k for x in slots])
             for s in frame.elements(one)]  # fmt: skip
    assert frame[reduce(operator.or_, split)] == frame[a | ~a]


# --- through a storage ----------------------------------------------------------------


@gm.op(output_names=["model"])
def fit(depth, seed):
    return depth * 10 + seed


@gm.op(output_names=["score"])
def ensemble(models):
    return max(models)


@pytest.fixture(scope="module")
def storage() -> gm.Storage:
    storage = gm.Storage()
    with storage:
        few, some, many = (fit(depth, 1) for depth in (3, 6, 12))
        ensemble([few, some])
        ensemble([some, many])
        ensemble([many, many])
    return storage


def test_which_ensembles_used_this(storage: gm.Storage) -> None:
    table = storage.table(ensemble, where="depth == 12")
    assert table["score"].tolist() == [121, 121]
    without = storage.table(ensemble, where="not depth == 12")
    assert without["depth"].tolist() == [[3, 6]]
    alone = storage.cf(ensemble).expand_back()
    assert alone[alone["depth"] == 12].df()["score"].tolist() == [121]
    assert storage.table(ensemble, where="depth == 3 and depth == 12").empty
    assert list(storage.table(ensemble, where="depth > 99").columns) == list(table.columns)


def test_parts_of_nothing_still_have_columns(storage: gm.Storage) -> None:
    cf = storage.cf(ensemble).expand_back()
    for none in (cf[cf["score"] > 999], cf.query("score > 999"), cf.where(until="2020-01-01")):
        assert list(none.df("depth", "score").columns) == ["depth", "score"]
        assert list(none.sort("score").df().columns) == list(cf.df().columns)
        assert list(none.rename(depth="levels").df("levels").columns) == ["levels"]
        assert list(none[["depth", "score"]].df().columns) == ["depth", "score"]
        assert list(none.get_func_table("fit")) == []
        assert none.vnames == cf.vnames
        assert none.fnames == cf.fnames
        assert none[none["score"] > 1].df().empty
        assert none.info()
        assert none.draw().svg
        assert none.graph_text() == ""
    assert (cf - cf).df().empty


def test_ops_are_accepted_where_their_names_are(storage: gm.Storage) -> None:
    cf = storage.cf(ensemble)
    grown = cf.expand_back(ops=[fit])
    assert grown.fnames == ["fit", "ensemble"]
    assert grown == cf.expand_back(ops=["fit"])
    with pytest.raises(UnknownOp, match="did you mean"):
        cf.expand_back(ops=["fitt"])
    assert grown[[fit]] == grown[["fit"]] == grown[fit]
    assert grown.drop(fit) == grown.drop("fit")
    assert grown.upstream(fit) == grown.upstream("fit")
    assert grown.where(op=fit) == grown.where(op="fit")
    assert len(grown.get_func_table(fit)) == 3
    assert len(grown.delete_calls(fit).calls) == 3
    assert list(grown.df(fit, "score").columns) == list(grown.df("fit", "score").columns)
    with pytest.raises(UnknownNode):
        cf.drop(fit)


@gm.op
def read(kind, depth):
    return f"{kind}-{depth}"


@gm.op
def ranked(models):
    return len(models)


def test_elements_stand_in_the_order_of_their_list() -> None:
    storage = gm.Storage()
    with storage:
        ranked([read(kind, 3) for kind in ("tree", "forest", "linear")])
    table = storage.cf(ranked).expand_back().df(explode=True)
    assert table["models_index"].tolist() == [0, 1, 2]
    assert table["kind"].tolist() == ["tree", "forest", "linear"]


def test_what_is_pending_can_be_asked(storage: gm.Storage) -> None:
    """Without git nothing waits for a commit; in a repository see `gitmemo calls --pending`."""
    cf = storage.cf(ensemble).expand_back()
    assert cf.where(pending=True).df().empty
    assert cf.where(pending=False) == cf
    assert storage.get_table(fit, meta=True)["call.pending"].tolist() == [False] * 3
