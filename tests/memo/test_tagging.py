"""Names of values through a storage: given, moved, taken back, and accepted wherever an id is."""

from __future__ import annotations

import pickle
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

import gitmemo as gm
from gitmemo.errors import (
    BadTagName,
    CannotTag,
    GitmemoError,
    NotARef,
    TaggedGone,
    TagTaken,
    UnknownRef,
    UnknownTag,
)
from gitmemo.memo.calls import NotDeterministic
from gitmemo.memo.tagging import TagsLeftOut

NOISE = [0]


@gm.op(name="tagging_double")
def double(x: int) -> int:
    return 2 * x


@gm.op(name="tagging_pair", output_names=["low", "high"])
def pair(x: int) -> tuple[int, int]:
    return x - 1, x + 1


@gm.op(name="tagging_several")
def several(n: int) -> gm.MList[int]:  # type: ignore[valid-type]
    return [10 * one for one in range(n)]


@gm.op(name="tagging_large")
def large(n: int) -> str:
    return "x" * n


@gm.op(name="tagging_noisy")
def noisy(x: int) -> int:
    NOISE[0] += 1
    return NOISE[0]


def test_a_name_stands_for_the_value_wherever_its_id_does() -> None:
    with gm.Storage() as storage:
        first = double(4)
        second = double(first)
        _, high = pair(second)
        long = large(5000)
        storage.tag(second, "best")
        storage.tag(high, "paper/high", why="figure 2")
        storage.tag(long, "long")
        assert storage.tagged("best").same_as(second)
    assert {name: ref.hid for name, ref in storage.tags().items()} == {
        "best": second.hid,
        "long": long.hid,
        "paper/high": high.hid,
    }
    assert list(storage.tags()) == sorted(storage.tags())
    assert not storage.tagged("long").in_memory
    assert storage.load_ref("@long").in_memory
    assert not storage.load_ref("@long", in_memory=False).in_memory
    assert storage.tagged("long").unwrap() == "x" * 5000
    assert storage.tagged("@best").unwrap() == 16
    assert storage.prov("@best") == storage.prov(second) == storage.prov(second.hid)
    for given in ("@best", ["@best"]):
        frame = storage.cf(given).expand_all()  # type: ignore[arg-type]
        assert frame.df().equals(storage.cf(second).expand_all().df())
    with storage:
        assert double(storage.tagged("best")).unwrap() == 32


def test_a_tag_is_accepted_wherever_a_ref_is() -> None:
    with gm.Storage() as storage:
        refs = [double(n) for n in (1, 2, 3)]
        low, _ = pair(refs[0])
        storage.tag(refs[0], "one")
        storage.tag(low, "low")
        storage.tag("@one", "first")
    assert storage.tagged("first").same_as(refs[0])
    by_ref = storage.cf({"data": refs[0]}).expand_forward()
    for given in ({"data": "@one"}, {"data": ["@one"]}):
        assert storage.cf(given).expand_forward() == by_ref
    assert storage.cf(["@one", refs[1]]) == storage.cf([refs[0], refs[1]])
    asked = storage.similar("@one", "@low", verbose=False, names=["a", "b"])
    assert asked.equals(storage.similar(refs[0], low, verbose=False, names=["a", "b"]))
    assert storage.df("@one", names=["a"]).equals(storage.df(refs[0], names=["a"]))
    creator = storage.get_ref_creator("@low")
    assert creator is not None
    assert creator.op == "tagging_pair"
    ways: list[Callable[[], object]] = [
        lambda: storage.cf({"data": "@none"}),
        lambda: storage.similar("@none"),
        lambda: storage.df("@none"),
    ]
    for way in ways:
        with pytest.raises(UnknownTag):
            way()
    with pytest.raises(NotARef):
        storage.similar("one")


def test_plans_name_the_tags_of_what_goes() -> None:
    with gm.Storage() as storage:
        first = double(1)
        low, _ = pair(first)
        storage.tag(first, "first")
        storage.tag(low, "low")
        storage.tag(double(7), "other")
    plan = storage.cf(first).expand_back().delete_calls()
    assert plan.tags == ("@first", "@low")
    assert "leads nowhere then: @first, @low" in repr(plan)
    assert storage.cf(pair).delete_calls().tags == ("@low",)


def test_elements_of_collections_have_names_too() -> None:
    with gm.Storage() as storage:
        listed: Any = several(3)
        storage.tag(listed, "all")
        storage.tag(listed[2], "last")
        assert storage.tagged("last").unwrap() == 20
        assert storage.tagged("all").unwrap() == [0, 10, 20]
        assert storage.tagged("last").hid == listed[2].hid
        assert double(storage.tagged("last")).unwrap() == 40
    assert "several(n=3)" in storage.prov("@last")


def test_a_name_moves_only_when_that_is_said() -> None:
    with gm.Storage() as storage:
        one, two = double(1), double(2)
        storage.tag(one, "x")
        storage.tag(one, "x")
        with pytest.raises(TagTaken, match="made by tagging_double"):
            storage.tag(two, "x")
        assert storage.tagged("x").same_as(one)
        for ref in (two, one, two):
            storage.tag(ref, "x", force=True)
            assert storage.tagged("x").same_as(ref)
        storage.untag("x")
        assert storage.tags() == {}
        with pytest.raises(UnknownTag):
            storage.tagged("x")
        with pytest.raises(UnknownTag):
            storage.untag("x")
        for _ in range(2):
            storage.tag(two, "x")
            assert storage.tagged("x").same_as(two)
            storage.untag("x")


def test_it_is_kept_in_the_file(tmp_path: Path) -> None:
    path = tmp_path / "calls.db"
    with gm.Storage(path) as storage:
        storage.tag(double(3), "six")
    storage.close()
    again = gm.Storage(path)
    assert again.tagged("six").unwrap() == 6
    again.close()


def test_what_has_no_call_here_is_refused() -> None:
    other, storage = gm.Storage(), gm.Storage()
    with other:
        foreign = double(1)
    with storage:
        double(2)
    for ref in (gm.wrap(3), foreign):
        with pytest.raises(CannotTag, match="no call that is stored here made it"):
            storage.tag(ref, "x")
    with pytest.raises(NotARef, match=r"storage\.tag"):
        storage.tag(6, "x")  # type: ignore[arg-type]
    with storage:
        known = double(2)
    for name in ("", "@x", "a b", "-x", "a..b", "deadbeef"):
        with pytest.raises(BadTagName):
            storage.tag(known, name)
    assert storage.tags() == {}
    storage.tag(known, "baseline")
    with pytest.raises(UnknownTag, match="did you mean 'baseline'"):
        storage.cf("@basline")
    with pytest.raises(UnknownTag):
        storage.load_ref("@")
    with pytest.raises(UnknownRef):
        storage.load_ref("baseline")


def test_the_very_content_that_was_tagged_or_none() -> None:
    with gm.Storage() as storage:
        before = noisy(1)
        storage.tag(before, "x")
        with pytest.warns(NotDeterministic):
            after = noisy.recompute(1)
        assert after.hid == before.hid and after.cid != before.cid
        with pytest.raises(TaggedGone, match="forgotten"):
            storage.tagged("x")
        with pytest.warns(TagsLeftOut, match="no call that is stored here"):
            assert storage.tags() == {}
        storage.tag(after, "x", force=True)
        assert storage.tagged("x").cid == after.cid
        noisy.forget(1)
        with pytest.raises(TaggedGone):
            storage.cf("@x")
        storage.untag("x")
        assert storage.tags() == {}


def test_of_two_results_of_one_call_each_can_have_a_name() -> None:
    """As two people have it who merge what an op returned that is not deterministic."""
    mine, theirs = gm.Storage(), gm.Storage()
    refs: list[gm.Ref[int]] = []
    for storage in (mine, theirs):
        with storage:
            refs.append(noisy(7))  # type: ignore[arg-type]
            storage.tag(refs[-1], f"of {len(refs)}".replace(" ", "-"))
    assert refs[0].hid == refs[1].hid and refs[0].cid != refs[1].cid
    for one, other in ((mine, theirs), (theirs, mine)):
        line = next(iter(other.world.calls(other._code)))
        one.world.record([line, *(fact for _, fact in other.world.statements())])
    for storage in (mine, theirs):
        assert [ref.cid for ref in storage.tags().values()] == [ref.cid for ref in refs]
        assert storage.tagged("of-2").unwrap() == refs[1].unwrap()


def test_errors_of_names_can_be_sent_to_another_process() -> None:
    errors: list[GitmemoError] = []
    with gm.Storage() as storage:
        storage.tag(double(1), "x")
        for ref, name in ((double(2), "x"), (double(2), "a b"), (gm.wrap(1), "y")):
            with pytest.raises(GitmemoError) as raised:
                storage.tag(ref, name)
            errors.append(raised.value)
    again = pickle.loads(pickle.dumps(errors))
    assert [str(error) for error in again] == [str(error) for error in errors]
