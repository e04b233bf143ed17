"""The algebra of decisions: order never counts, and what is contested matches only itself."""

from __future__ import annotations

from itertools import pairwise

from hypothesis import given
from hypothesis import strategies as st

from gitmemo.hashing.digest import Digest, digest
from gitmemo.model.components import Component
from gitmemo.model.decisions import Decisions
from gitmemo.model.facts import Decision, Verdict
from gitmemo.model.lines import record_id, to_line

COMPONENT = Component("m.py", "f")
CONTENTS = [digest(bytes([number])) for number in range(5)]

contents = st.sampled_from(CONTENTS)
verdicts = st.sampled_from(Verdict)


def decided(old: Digest, new: Digest, verdict: Verdict, *supersedes: Digest) -> Decision:
    return Decision(COMPONENT, old, new, verdict, supersedes=supersedes)


def named(*decisions: Decision) -> list[tuple[Digest, Decision]]:
    return [(record_id(to_line(decision)), decision) for decision in decisions]


@st.composite
def histories(draw: st.DrawFn) -> list[tuple[Digest, Decision]]:
    """Decisions, some of which replace earlier ones."""
    made: list[tuple[Digest, Decision]] = []
    for _ in range(draw(st.integers(0, 6))):
        earlier = st.lists(st.sampled_from([record for record, _ in made]), max_size=2, unique=True)
        replaced = draw(earlier) if made else []
        made += named(decided(draw(contents), draw(contents), draw(verdicts), *replaced))
    return made


@given(histories(), st.randoms(use_true_random=False))
def test_the_order_in_which_decisions_arrive_does_not_count(
    history: list[tuple[Digest, Decision]], random: object
) -> None:
    shuffled = [*history, *history[:1]]
    random.shuffle(shuffled)  # type: ignore[attr-defined]
    one, other = Decisions(history), Decisions(shuffled)
    for a in CONTENTS:
        assert one.contested(COMPONENT, a) == other.contested(COMPONENT, a)
        for b in CONTENTS:
            assert one.equivalent(COMPONENT, a, b) == other.equivalent(COMPONENT, a, b)
            assert one.related(COMPONENT, a, b) == other.related(COMPONENT, a, b)


@given(histories())
def test_equivalence_is_an_equivalence(history: list[tuple[Digest, Decision]]) -> None:
    same = Decisions(history).equivalent
    for a in CONTENTS:
        assert same(COMPONENT, a, a)
        for b in CONTENTS:
            assert same(COMPONENT, a, b) == same(COMPONENT, b, a)
            for c in CONTENTS:
                if same(COMPONENT, a, b) and same(COMPONENT, b, c):
                    assert same(COMPONENT, a, c)


@given(histories())
def test_a_current_breaking_decision_is_never_overruled_by_a_detour(
    history: list[tuple[Digest, Decision]],
) -> None:
    decisions = Decisions(history)
    replaced = {other for _, decision in history for other in decision.supersedes}
    for record, decision in history:
        if record not in replaced and decision.verdict is Verdict.BREAKING:
            assert decision.old == decision.new or not decisions.equivalent(
                COMPONENT, decision.old, decision.new
            )


def test_non_breaking_changes_form_a_chain() -> None:
    chain = [decided(old, new, Verdict.NON_BREAKING) for old, new in pairwise(CONTENTS)]
    decisions = Decisions(named(*chain))
    assert decisions.equivalent(COMPONENT, CONTENTS[0], CONTENTS[-1])
    assert not decisions.equivalent(Component("m.py", "g"), CONTENTS[0], CONTENTS[1])


def test_a_contested_class_matches_only_itself_until_somebody_revises() -> None:
    a, b, c, *_ = CONTENTS
    joined = named(decided(a, b, Verdict.NON_BREAKING), decided(b, c, Verdict.NON_BREAKING))
    broken = named(decided(a, c, Verdict.BREAKING))
    contested = Decisions([*joined, *broken])
    assert contested.contested(COMPONENT, b)
    assert not contested.equivalent(COMPONENT, a, b)
    revised = named(decided(a, c, Verdict.NON_BREAKING, broken[0][0]))
    assert Decisions([*joined, *broken, *revised]).equivalent(COMPONENT, a, c)
