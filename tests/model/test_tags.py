"""The algebra of tags: order never counts, and a name of two values means neither."""

from __future__ import annotations

import random
from collections.abc import Iterable

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gitmemo.display.records import sentence
from gitmemo.hashing import content_id
from gitmemo.hashing.digest import Digest, digest, to_hex
from gitmemo.model.facts import Statement, Tag, Withdrawal
from gitmemo.model.lines import from_canonical_line, record_id, to_line
from gitmemo.model.statements import standing
from gitmemo.model.tags import Tags, name_problem

World = dict[Digest, Statement]
VALUES = [digest(text) for text in (b"one", b"two", b"three")]
names = st.sampled_from(["a", "b"])
steps = st.lists(st.tuples(names, st.none() | st.sampled_from(VALUES)), max_size=6)
"""What one person does: give a name to a value, or take it away (None)."""


def tag(name: str, value: Digest, supersedes: tuple[Digest, ...] = ()) -> Tag:
    return Tag(name, value, digest(value), "", supersedes)


def add(world: World, *facts: Statement) -> World:
    return world | {record_id(to_line(fact)): fact for fact in facts}


def act(world: World, done: Iterable[tuple[str, Digest | None]]) -> World:
    """Do as `world.tagging` does, with every move forced."""
    for name, value in done:
        tags = Tags(world.items())
        if value is None and tags.meant(name):
            world = add(world, Withdrawal(tags.records(name)))
        elif value is not None and values(world, name) != [value]:
            said = tag(name, value, tags.records(name))
            world = add(world, standing(said, world.items()))
    return world


def values(world: World, name: str) -> list[Digest]:
    return [one.hid for one in Tags(world.items()).meant(name)]


def last(done: Iterable[tuple[str, Digest | None]], name: str) -> list[Digest]:
    """What a name means for somebody who did just this."""
    said = [value for one, value in done if one == name]
    return [said[-1]] if said and said[-1] is not None else []


@given(steps)
def test_for_one_person_the_last_word_counts(done: list[tuple[str, Digest | None]]) -> None:
    world = act({}, done)
    for name in "ab":
        assert values(world, name) == last(done, name)
    assert Tags(world.items()).names == [name for name in "ab" if last(done, name)]


@given(steps, steps, steps, st.integers())
def test_the_order_in_which_worlds_are_merged_does_not_count(
    before: list[tuple[str, Digest | None]],
    ours: list[tuple[str, Digest | None]],
    theirs: list[tuple[str, Digest | None]],
    seed: int,
) -> None:
    base = act({}, before)
    one, other = act(base, ours), act(base, theirs)
    merged = [*(one | other).items()]
    random.Random(seed).shuffle(merged)
    for name in "ab":
        found = Tags(merged)
        assert found.meant(name) == Tags((other | one).items()).meant(name)
        assert found.records(name) == Tags((other | one).items()).records(name)
        said = {*values(one, name), *values(other, name)}
        assert {value.hid for value in found.meant(name)} <= said


@given(steps, steps, steps, st.sampled_from(VALUES))
def test_what_is_contested_is_settled_by_one_word(
    before: list[tuple[str, Digest | None]],
    ours: list[tuple[str, Digest | None]],
    theirs: list[tuple[str, Digest | None]],
    chosen: Digest,
) -> None:
    base = act({}, before)
    merged = act(base, ours) | act(base, theirs)
    for name in "ab":
        assert values(act(merged, [(name, chosen)]), name) == [chosen]
        assert values(act(merged, [(name, None)]), name) == []
        assert values(act(merged, [(name, None), (name, chosen)]), name) == [chosen]


@given(steps, st.sampled_from(VALUES), st.sampled_from(VALUES))
def test_two_values_of_two_branches_are_contested_and_one_is_not(
    before: list[tuple[str, Digest | None]], one: Digest, other: Digest
) -> None:
    base = act(act({}, before), [("a", None)])
    merged = act(base, [("a", one)]) | act(base, [("a", other)])
    assert values(merged, "a") == sorted({one, other})


def test_moving_wins_over_deleting_on_another_branch() -> None:
    base = act({}, [("a", VALUES[0])])
    merged = act(base, [("a", None)]) | act(base, [("a", VALUES[1])])
    assert values(merged, "a") == [VALUES[1]]


def test_one_history_with_two_contents_is_two_values() -> None:
    both = (Tag("a", VALUES[0], VALUES[1]), Tag("a", VALUES[0], VALUES[2]))
    assert len(Tags(add({}, *both).items()).meant("a")) == 2


@pytest.mark.parametrize(
    "name", ["a", "Best_1", "paper/figure-2", "v1.0", "_x", "0123abc", "x" * 100]
)
def test_a_good_name(name: str) -> None:
    assert name_problem(name) is None


@pytest.mark.parametrize(
    ("name", "problem"),
    [
        ("", "empty"),
        ("x" * 101, "longer than 100"),
        ("a b", "' '"),
        ("@a", "'@'"),
        ("größe", "'ö'"),
        ("a\n", "'\\n'"),
        ("-d", "begins with -"),
        ("a..b", ".. in it"),
        (".a", "begins with a dot"),
        ("a/.b", "begins with a dot"),
        ("/a", "empty"),
        ("a//b", "empty"),
        ("a/", "empty"),
        ("3f9a02c1", "an id"),
        ("DEADBEEF", "an id"),
    ],
)
def test_a_bad_name_is_told_what_is_wrong(name: str, problem: str) -> None:
    said = name_problem(name)
    assert said is not None and problem in said


@given(st.text(max_size=8))
def test_a_tag_with_a_bad_name_means_nothing(name: str) -> None:
    tags = Tags(add({}, tag(name, VALUES[0])).items())
    assert bool(tags.names) == bool(tags.meant(name)) == (name_problem(name) is None)


def test_the_line_of_a_tag_stays_as_it_is() -> None:
    line = (
        '["tag","paper/figure-2","AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA",'
        '"AQEBAQEBAQEBAQEBAQEBAQEBAQEBAQEBAQEBAQEBAQE","größe",'
        '["AgICAgICAgICAgICAgICAgICAgICAgICAgICAgICAgI"]]'
    )
    zero, one, two = (Digest(bytes([byte]) * 32) for byte in range(3))
    fact = from_canonical_line(line, content_id)
    assert fact == Tag("paper/figure-2", zero, one, "größe", (two,))
    assert to_line(fact) == line
    assert to_hex(record_id(line)) == to_hex(digest(line.encode()))
    assert sentence(line) == (
        "tag paper/figure-2 is 000000000000 with content 010101010101 (größe) instead of 020202020202"
    )
