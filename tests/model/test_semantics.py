"""Semantic ids: equal for versions that people said mean the same, and for no others."""

from __future__ import annotations

import random

from hypothesis import given
from hypothesis import strategies as st

from gitmemo.hashing.digest import Digest, digest
from gitmemo.model.components import Component, Content
from gitmemo.model.decisions import Decisions
from gitmemo.model.facts import Decision, Move, Statement, Verdict, Version
from gitmemo.model.lines import record_id, to_line
from gitmemo.model.semantics import semantic_id

F, G = Component("m.py", "f"), Component("m.py", "g")
SIZE = Component("m.py", "$SIZE")
A, B, C, D, E = IDS = [digest(bytes([number])) for number in range(5)]

some_ids = st.sampled_from(IDS)
contents = st.builds(Content, some_ids, st.none() | some_ids)
versions = st.builds(
    Version, st.dictionaries(st.sampled_from([F, G, SIZE]), contents, min_size=1, max_size=3)
)
decisions = st.builds(
    Decision, st.sampled_from([F, G, SIZE]), some_ids, some_ids, st.sampled_from(Verdict)
)
moves = st.builds(Move, st.sampled_from([F, G]), some_ids, st.sampled_from([F, G]), some_ids)
statements = st.lists(decisions | moves, max_size=6)


def all_of(*facts: Statement) -> Decisions:
    return Decisions([(record_id(to_line(fact)), fact) for fact in facts])


def same(one: Version, other: Version, *facts: Statement) -> bool:
    said = all_of(*facts)
    return semantic_id(one, said) == semantic_id(other, said)


def only(component: Component, source: Digest, value: Digest | None = None) -> Version:
    return Version({component: Content(source, value)})


def said(component: Component, old: Digest, new: Digest, verdict: Verdict) -> Decision:
    return Decision(component, old, new, verdict)


@given(versions, statements, st.randoms(use_true_random=False))
def test_no_order_counts(version: Version, facts: list[Statement], mixed: random.Random) -> None:
    other = list(facts)
    mixed.shuffle(other)
    pairs = list(version.pairs.items())
    mixed.shuffle(pairs)
    assert semantic_id(version, all_of(*facts)) == semantic_id(Version(dict(pairs)), all_of(*other))


@given(versions, versions)
def test_where_nobody_said_anything_contents_decide(one: Version, other: Version) -> None:
    def read(version: Version) -> dict[Component, object]:
        return {
            component: content.value
            if component.unit.startswith("$") and content.value
            else content
            for component, content in version.pairs.items()
        }

    assert same(one, other) == (read(one) == read(other))


@given(some_ids, some_ids, st.none() | some_ids, st.none() | some_ids, statements)
def test_a_single_function_means_the_same_where_a_change_is_not_breaking(
    old: Digest, new: Digest, value: Digest | None, other: Digest | None, facts: list[Statement]
) -> None:
    found = all_of(*facts)
    joined = semantic_id(only(F, old, value), found) == semantic_id(only(F, new, other), found)
    if old != new:
        assert joined == found.equivalent(F, old, new)


@given(versions, statements)
def test_a_statement_about_something_else_changes_nothing(
    version: Version, facts: list[Statement]
) -> None:
    elsewhere = said(Component("other.py", "f"), A, B, Verdict.NON_BREAKING)
    assert semantic_id(version, all_of(*facts)) == semantic_id(version, all_of(*facts, elsewhere))


def test_what_a_decided_text_refers_to_does_not_count() -> None:
    decision = said(F, A, B, Verdict.NON_BREAKING)
    assert same(only(F, A, C), only(F, B, D), decision)
    assert not same(only(F, A, C), only(F, B, D))
    assert not same(only(F, A, C), only(F, A, D))


def test_a_breaking_change_joins_nothing() -> None:
    assert not same(only(F, A), only(F, B), said(F, A, B, Verdict.BREAKING))


def test_what_is_contested_means_only_itself() -> None:
    facts = said(F, A, B, Verdict.NON_BREAKING), said(F, A, B, Verdict.BREAKING)
    assert not same(only(F, A, C), only(F, B, C), *facts)
    assert not same(only(F, A, C), only(F, A, D), *facts)
    assert same(only(F, A, C), only(F, A, C), *facts)


def test_a_variable_counts_by_its_value_however_it_is_written() -> None:
    assert same(only(SIZE, A, C), only(SIZE, B, C))
    assert not same(only(SIZE, A, C), only(SIZE, A, D))
    assert same(only(SIZE, A, C), only(SIZE, A, D), said(SIZE, C, D, Verdict.NON_BREAKING))
    assert same(only(SIZE, A, C), only(SIZE, B, D), said(SIZE, A, B, Verdict.NON_BREAKING))
    assert not same(only(SIZE, A), only(SIZE, B))


def test_a_renamed_function_means_what_it_meant() -> None:
    move = Move(F, A, G, B)
    assert same(only(F, A, C), only(G, B, D), move)
    assert not same(only(F, C), only(G, B), move)


def test_one_component_of_several_is_enough_to_differ() -> None:
    one = Version({F: Content(A), G: Content(A)})
    other = Version({F: Content(B), G: Content(B)})
    assert not same(one, other, said(F, A, B, Verdict.NON_BREAKING))
    both = [said(component, A, B, Verdict.NON_BREAKING) for component in (F, G)]
    assert same(one, other, *both)


def test_a_later_decision_divides_again() -> None:
    first = said(F, A, B, Verdict.NON_BREAKING)
    then = Decision(F, A, B, Verdict.BREAKING, supersedes=(record_id(to_line(first)),))
    assert same(only(F, A), only(F, B), first)
    assert not same(only(F, A), only(F, B), first, then)
