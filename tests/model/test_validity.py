"""Moves and added dependencies: their order never counts, and old text does without new helpers."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from random import Random

from hypothesis import given
from hypothesis import strategies as st

from gitmemo.hashing.digest import Digest, digest
from gitmemo.model.components import Component, Content
from gitmemo.model.decisions import Decisions
from gitmemo.model.facts import (
    Decision,
    Dependency,
    Move,
    Statement,
    Verdict,
    Version,
    Withdrawal,
)
from gitmemo.model.lines import record_id, to_line
from gitmemo.model.statements import standing
from gitmemo.model.validity import changed, watched

F, G, H = (Component("m.py", name) for name in "fgh")
COMPONENTS = [F, G, H]
SOURCES = [digest(bytes([number])) for number in range(4)]

Named = tuple[Digest, Statement]
components = st.sampled_from(COMPONENTS)
sources = st.sampled_from(SOURCES)
contents = sources.map(Content)
plain: st.SearchStrategy[Statement] = st.one_of(
    st.builds(Decision, components, sources, sources, st.sampled_from(Verdict)),
    st.builds(Move, components, sources, components, sources),
    st.builds(Dependency, components, st.none() | sources, components, contents),
)
versions = st.dictionaries(components, contents, min_size=1).map(Version)
codes = st.dictionaries(components, contents)


def named(statement: Statement) -> Named:
    return record_id(to_line(statement)), statement


@st.composite
def histories(draw: st.DrawFn) -> list[Named]:
    """Statements, some of which are withdrawn, and some of these made again."""
    made: list[Named] = []
    for _ in range(draw(st.integers(0, 7))):
        kind = draw(st.sampled_from(["new", "withdraw", "again"])) if made else "new"
        if kind == "new":
            made.append(named(draw(plain)))
        elif kind == "withdraw":
            made.append(named(Withdrawal((draw(st.sampled_from(made))[0],))))
        else:
            _, fact = draw(st.sampled_from(made))
            if not isinstance(fact, Withdrawal):
                made.append(named(standing(fact, made)))  # pyright: ignore[reportArgumentType]
    return made


@dataclass(frozen=True)
class Program:
    """The code of now."""

    pairs: Mapping[Component, Content]

    def current(self, component: Component) -> Content | None:
        return self.pairs.get(component)

    def knows(self, component: Component) -> bool:
        return True


@given(histories(), versions, codes, st.randoms(use_true_random=False))
def test_the_order_of_statements_does_not_count(
    history: list[Named], version: Version, pairs: dict[Component, Content], random: Random
) -> None:
    shuffled = [*history, *history[:2]]
    random.shuffle(shuffled)
    one, other = Decisions(history), Decisions(shuffled)
    code = Program(pairs)
    assert changed(version, code, one) == changed(version, code, other)
    assert set(watched(version, one)) == set(watched(version, other))
    for component in COMPONENTS:
        assert one.places(component) == other.places(component)
        for source in SOURCES:
            assert one.needs(component, source) == other.needs(component, source)


@given(histories(), plain)
def test_what_is_withdrawn_counts_no_more_and_made_again_it_counts(
    history: list[Named], fact: Statement
) -> None:
    assert not isinstance(fact, Withdrawal)
    before = Decisions(history).current
    record, made = named(standing(fact, history))  # type: ignore[type-var]
    said = [*history, (record, made)]
    assert record in Decisions(said).current
    gone = named(Withdrawal((record,)))
    withdrawn = [*said, gone]
    assert Decisions(withdrawn).current == (before | {gone[0]}) - {record} - set(made.supersedes)
    again, remade = named(standing(fact, withdrawn))  # type: ignore[type-var]
    assert again != record
    assert again in Decisions([*withdrawn, (again, remade)]).current


@given(histories(), versions)
def test_code_that_is_exactly_what_a_call_touched_is_valid_but_for_what_people_added(
    history: list[Named], version: Version
) -> None:
    decisions = Decisions(history)
    found = changed(version, Program(version.pairs), decisions)
    by_hand = {
        need.on
        for component, content in version.pairs.items()
        for need in decisions.needs(component, content.source)
        if need.source is None
    }
    assert set(found) <= by_hand


@given(st.permutations(SOURCES), contents, contents)
def test_an_extracted_helper_counts_for_the_old_results_of_the_new_text(
    order: list[Digest], now: Content, then: Content
) -> None:
    """Calls of the old text stand for the new one while the helper is what it was."""
    old, new, *_ = order
    said = Decisions(
        [
            named(Decision(F, old, new, Verdict.NON_BREAKING)),
            named(Dependency(F, old, G, then)),
        ]
    )
    call = Version({F: Content(old)})
    assert changed(call, Program({F: Content(new), G: now}), said) == ([] if now == then else [G])
    # Restored, the old text does without the helper, whatever became of that.
    assert changed(call, Program({F: Content(old), G: now}), said) == []
    # Calls of the new text with that helper are judged by what they ran with...
    later = Version({F: Content(new), G: now})
    assert changed(later, Program({F: Content(new), G: now}), said) == []
    # ... and are results of the old text only if the helper was what made the texts equal.
    assert bool(changed(later, Program({F: Content(old), G: now}), said)) == (now != then)


@given(sources, contents, contents)
def test_a_dependency_by_hand_counts_for_every_text(
    source: Digest, now: Content, then: Content
) -> None:
    said = Decisions([named(Dependency(F, None, G, then))])
    code = Program({F: Content(source), G: now})
    assert changed(Version({F: Content(source)}), code, said) == ([] if now == then else [G])
    assert changed(Version({F: Content(source), G: now}), code, said) == []
    equal = Decisions(
        [
            named(Dependency(F, None, G, then)),
            named(Decision(G, then.source, now.source, Verdict.NON_BREAKING)),
        ]
    )
    assert changed(Version({F: Content(source)}), code, equal) == []


@given(st.permutations(SOURCES), sources)
def test_what_moved_is_looked_for_where_it_went(order: list[Digest], now: Digest) -> None:
    old, new, *_ = order
    move = named(Move(F, old, H, new))
    call = Version({F: Content(old)})
    moved = Program({H: Content(now)})
    assert bool(changed(call, moved, Decisions([move]))) == (now != new)
    taken_back = Decisions([move, named(Withdrawal((move[0],)))])
    assert changed(call, moved, taken_back) == [F]
    # Calls of the new place are results of the old one too.
    assert changed(Version({H: Content(new)}), Program({F: Content(old)}), Decisions([move])) == []
