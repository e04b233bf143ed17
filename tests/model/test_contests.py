"""Whoever revises a contested decision settles it, and gives up no more than that takes."""

from __future__ import annotations

from hypothesis import assume, given
from hypothesis import strategies as st

from gitmemo.hashing.digest import Digest, digest
from gitmemo.model.components import Component
from gitmemo.model.decisions import Decisions
from gitmemo.model.facts import Decision, Move, Statement, Verdict
from gitmemo.model.lines import record_id, to_line

COMPONENT = Component("m.py", "f")
RENAMED = Component("m.py", "g")
CONTENTS = [digest(bytes([number])) for number in range(5)]

contents = st.sampled_from(CONTENTS)
verdicts = st.sampled_from(Verdict)
Named = tuple[Digest, Statement]


def named(statement: Statement) -> Named:
    return record_id(to_line(statement)), statement


statements: st.SearchStrategy[Statement] = st.builds(
    Decision, st.sampled_from([COMPONENT, RENAMED]), contents, contents, verdicts
) | st.builds(Move, st.just(COMPONENT), contents, st.just(RENAMED), contents)
worlds = st.lists(statements.map(named), max_size=9)


def contested(decisions: Decisions) -> set[Digest]:
    return {content for content in CONTENTS if decisions.contested(COMPONENT, content)}


@given(worlds, contents, contents, verdicts)
def test_a_revised_decision_holds_and_its_class_is_not_contested(
    world: list[Named], old: Digest, new: Digest, verdict: Verdict
) -> None:
    assume(old != new)
    before = Decisions(world)
    given_up = before.to_give_up(COMPONENT, old, new, verdict)
    revised = named(Decision(COMPONENT, old, new, verdict, supersedes=given_up))
    after = Decisions([*world, revised])
    assert after.equivalent(COMPONENT, old, new) == (verdict is Verdict.NON_BREAKING)
    assert contested(after) <= contested(before)
    if verdict is Verdict.NON_BREAKING or before.contested(COMPONENT, old):
        assert not after.contested(COMPONENT, old)
    assert set(given_up) <= before.current


@given(worlds, contents, contents, verdicts)
def test_nothing_that_is_given_up_could_have_stayed(
    world: list[Named], old: Digest, new: Digest, verdict: Verdict
) -> None:
    assume(old != new)
    before = Decisions(world)
    given_up = before.to_give_up(COMPONENT, old, new, verdict)
    pair = {(COMPONENT, old), (COMPONENT, new)}
    for kept in given_up:
        fact = dict(world)[kept]
        if isinstance(fact, Decision):
            ends = {(fact.component, fact.old), (fact.component, fact.new)}
            if ends == pair:
                continue  # replaced, whatever it said
        others = tuple(record for record in given_up if record != kept)
        revised = named(Decision(COMPONENT, old, new, verdict, supersedes=others))
        after = Decisions([*world, revised])
        # The class of one of the two is contested then.
        assert after.contested(COMPONENT, old) or after.contested(COMPONENT, new)


@given(worlds)
def test_what_is_contested_is_in_exactly_one_contest_whose_statements_contradict(
    world: list[Named],
) -> None:
    decisions = Decisions(world)
    found = decisions.contests()
    for component in (COMPONENT, RENAMED):
        for content in CONTENTS:
            number = sum((component, content) in contest.contents for contest in found)
            assert number == decisions.contested(component, content)
    for contest in found:
        both = (*contest.breaking, *contest.joining)
        alone = Decisions((edge.record, edge.statement) for edge in both)
        assert alone.contests()
        assert all(edge.record in decisions.current for edge in both)


@given(worlds, contents)
def test_alike_are_exactly_the_equivalent_ones(world: list[Named], content: Digest) -> None:
    decisions = Decisions(world)
    alike = decisions.alike(COMPONENT, content)
    assert set(alike) == {c for c in CONTENTS if decisions.equivalent(COMPONENT, content, c)}


def test_a_cut_is_made_next_to_the_code_of_now() -> None:
    a, b, c, d, _ = CONTENTS
    first, second, third = (
        named(Decision(COMPONENT, old, new, Verdict.NON_BREAKING))
        for old, new in ((a, b), (b, c), (c, d))
    )
    broken = named(Decision(COMPONENT, a, d, Verdict.BREAKING))
    world = Decisions([first, second, third, broken])
    given_up = world.to_give_up(COMPONENT, a, d, Verdict.BREAKING)
    assert set(given_up) == {third[0], broken[0]}
