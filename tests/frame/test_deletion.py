"""Plans to forget calls: what they name goes, nothing else does, and all of it comes back."""

from __future__ import annotations

import itertools

import pytest

import gitmemo as gm
from gitmemo.errors import PlanOutdated, WrongQuestion
from gitmemo.frames.deletion import Deletion


@gm.op(output_names=["a"])
def odd(x):
    return x % 2


@gm.op(output_names=["b"])
def more(a):
    return a + 10


@gm.op(output_names=["c"])
def total(a, y):
    return a + y


@gm.op
def inner(x):
    return x * 2


@gm.op
def outer(x):
    return inner(x) + 1


@gm.op
def last(outer):
    return -outer


def run(storage: gm.Storage) -> None:
    with storage:
        for x in (1, 3, 5):
            more(odd(x))


def hids(storage: gm.Storage) -> frozenset[bytes]:
    return frozenset(storage.cf().selected)


def named(plan: Deletion) -> set[bytes]:
    return {call.hid for call in (*plan.calls, *plan.dependents)}


@pytest.mark.parametrize("x", [1, 3, 5])
def test_calls_that_share_a_result_go_together_and_the_plan_says_so(
    storage: gm.Storage, x: int
) -> None:
    run(storage)
    before = hids(storage)
    cf = storage.cf(more).expand_back()
    plan = cf[cf["x"] == x].delete_calls()
    assert len(plan.calls) == 2
    assert [call.op.rsplit(":")[-1] for call in plan.dependents] == ["more", "more"]
    assert "2 calls that used or share their results of more (2)" in repr(plan)
    plan.carry_out()
    assert hids(storage) == before - named(plan)
    with storage:
        assert not more.is_cached(odd(3))
    plan.undo()
    assert hids(storage) == before


def test_calls_that_ran_again_go_with_all_their_records(storage: gm.Storage) -> None:
    run(storage)
    cf = storage.cf(more).expand_back()
    first = cf[cf["x"] == 1].delete_calls()
    first.carry_out()
    run(storage)
    first.undo()
    cf = storage.cf(more).expand_back()
    second = cf[cf["x"] == 5].delete_calls()
    second.carry_out()
    assert not hids(storage) & named(second)
    assert not len(storage.cf(more))
    second.undo()
    assert len(storage.cf(more)) == 3


def test_calls_inside_which_one_was_made_go_with_it(storage: gm.Storage) -> None:
    with storage:
        last(outer(5))
    plan = storage.cf(inner).delete_calls()
    assert {call.op.rsplit(":")[-1] for call in plan.dependents} == {"outer", "last"}
    plan.carry_out()
    assert not hids(storage)
    with storage:
        assert not outer.is_cached(5)
    plan.undo()
    assert len(hids(storage)) == 3
    plan = storage.cf(outer).delete_calls()
    plan.carry_out()
    assert [call.op for call in storage.cf().calls] == [f"{__name__}:inner"]


def test_a_plan_that_does_not_name_all_any_more_is_refused(storage: gm.Storage) -> None:
    with storage:
        total(odd(1), 1)
    frame = storage.cf(odd)
    plan = frame.delete_calls()
    with storage:
        total(odd(1), 2)
    with pytest.raises(PlanOutdated, match="1 call recorded since the plan was made"):
        plan.carry_out()
    assert len(hids(storage)) == 3
    with pytest.raises(WrongQuestion, match="nothing was forgotten"):
        plan.undo()
    again = frame.delete_calls()  # also from the frame of before
    assert len(again.dependents) == 2
    again.carry_out()
    assert not hids(storage)


@pytest.mark.parametrize("order", list(itertools.permutations(range(3))))
def test_overlapping_plans_are_undone_in_any_order(
    storage: gm.Storage, order: tuple[int, ...]
) -> None:
    run(storage)
    before = hids(storage)
    cf = storage.cf(more).expand_back()
    plans = [
        cf[cf["x"] == 1].delete_calls(),
        cf[cf["x"] == 1].delete_calls(),
        cf.delete_calls("odd"),
    ]
    for plan in plans:
        plan.carry_out()
    left = set(plans)
    for number in order:
        plans[number].undo()
        left.remove(plans[number])
        assert hids(storage) == before - {hid for plan in left for hid in named(plan)}
    assert hids(storage) == before


def test_what_calls_rest_on_comes_back_before_them(storage: gm.Storage) -> None:
    run(storage)
    later = storage.cf(more).delete_calls()
    later.carry_out()
    earlier = storage.cf(odd).delete_calls()
    earlier.carry_out()
    with pytest.raises(PlanOutdated, match="3 calls that these calls rest on were forgotten"):
        later.undo()
    assert not hids(storage)
    earlier.undo()
    later.undo()
    assert len(hids(storage)) == 6


def test_calls_from_before_an_argument_was_added_go_too(storage: gm.Storage) -> None:
    with storage:
        gm.op(name="scaled")(lambda x: x)(1)
        new = gm.op(name="scaled", match_defaults=True)(lambda x, by=1: x * by)
        new(1)
        table = storage.cf(new).df()
        assert table[["x", "by"]].values.tolist() == [[1, 1]]
        plan = storage.cf(new).delete_calls()
    plan.carry_out()
    assert not hids(storage)
    plan.undo()
    assert storage.cf(new).df().equals(table)
