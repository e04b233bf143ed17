"""Changes with all that is known about them, and the answers of whoever decides.

Not how they are found (`finding`), nor how a person is asked (`display`). Invariants: a
non-breaking verdict against contrary evidence is never given by a policy; all answers are there
before the first fact is recorded, so that an abort changes nothing.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Protocol

from gitmemo.changes.change import Change
from gitmemo.changes.deciding import facts_of
from gitmemo.changes.evidence import Evidence, evidence_for
from gitmemo.changes.extracted import NamedCode, Need, extracted
from gitmemo.changes.uses import Uses
from gitmemo.errors import UndecidedChanges
from gitmemo.model.components import Component
from gitmemo.model.contests import Contest
from gitmemo.model.facts import Decision, Fact, JsonValue, Verdict
from gitmemo.model.statements import standing
from gitmemo.setting_values import OnChange
from gitmemo.world.view import World


@dataclass(frozen=True, slots=True)
class Case:
    """A change to decide about.

    Attributes:
        needs: What the new text calls, and results of the old one do not know.
        between: Other contents of the component that calls touched: one answer is about all.
        contest: The decisions that contradict each other, where that is what is to be decided.
    """

    change: Change
    evidence: Evidence = field(default_factory=Evidence)
    needs: Mapping[Component, Need] = field(default_factory=dict)
    between: tuple[Case, ...] = ()
    contest: Contest | None = None

    @property
    def every(self) -> tuple[Case, ...]:
        """The case of each content that an answer is about, its own first."""
        return (replace(self, between=()), *self.between)

    @property
    def all_needs(self) -> list[Component]:
        """What results of any of the contents do not know."""
        return sorted({component for case in self.every for component in case.needs})


@dataclass(frozen=True, slots=True)
class Answer:
    """What somebody said of a case.

    Attributes:
        verdict: None for later.
        with_needs: Whether old results depend from now on on what only the new text calls.
        withheld: Whether the policy says non-breaking, and evidence stands against it.
    """

    verdict: Verdict | None
    why: str = ""
    with_needs: bool = True
    withheld: bool = False


class Reviewer(Protocol):
    """Somebody who can say whether a change is breaking, having seen the evidence."""

    def answer(self, case: Case, number: int, total: int) -> Answer:
        """Return the answer; raise `Aborted` to stop."""
        ...


def cases_of(
    world: World,
    code: NamedCode,
    changes: Sequence[Change],
    uses: Uses,
    *,
    checks: Iterable[str] = (),
    source_roots: Sequence[str] = ("src",),
) -> list[Case]:
    """Add to each change what is known of it; `checks` are the notes of this machine."""
    known = evidence_for(world, code, changes, uses, checks)
    return [
        Case(change, evidence, extracted(world, change, code, uses, source_roots))
        for change, evidence in zip(changes, known, strict=True)
    ]


def answers(
    cases: Sequence[Case], policy: OnChange, find_reviewer: Callable[[], Reviewer | None]
) -> list[tuple[Case, Answer]]:
    """Return what the policy says of each case; `find_reviewer` is called when it is to ask.

    Raises:
        Aborted: The person who was asked stopped.
        UndecidedChanges: The policy is `error`, and there are cases.
    """
    if not cases:
        return []
    match policy:
        case OnChange.ERROR:
            raise UndecidedChanges(tuple(str(case.change.component) for case in cases))
        case OnChange.BREAKING:
            return [(case, Answer(Verdict.BREAKING)) for case in cases]
        case OnChange.NON_BREAKING:
            kept, withheld = Answer(Verdict.NON_BREAKING), Answer(None, withheld=True)
            return [(case, withheld if case.evidence.is_contrary else kept) for case in cases]
        case OnChange.PENDING:
            return [(case, Answer(None)) for case in cases]
        case OnChange.ASK:
            reviewer = find_reviewer()
            if reviewer is None:
                return [(case, Answer(None)) for case in cases]
            # All answers first: an abort at the last question must change nothing.
            return [
                (case, reviewer.answer(case, number, len(cases)))
                for number, case in enumerate(cases, 1)
            ]


def together(cases: Sequence[Case]) -> list[Case]:
    """Return one case for each component: the first of its cases, with the others in it."""
    found: dict[Component, list[Case]] = {}
    for case in cases:
        found.setdefault(case.change.component, []).append(case)
    return [replace(first, between=tuple(rest)) for first, *rest in found.values()]


def settle(
    world: World,
    said: Sequence[tuple[Case, Answer]],
    who: Mapping[str, JsonValue],
    record: Callable[[Sequence[Fact]], None],
) -> list[Case]:
    """Record what answers make; return the contents that were left open all the same.

    `record` makes facts count at once. What follows from an answer about one content is not said
    again of another one, and results that are known to differ are not called the same.
    """
    record([fact for case, answer in said for fact in facts_for(world, case, answer, who)])
    left = []
    for case, answer in said:
        for other in case.between if answer.verdict is not None else ():
            change = other.change
            if world.decisions().related(change.component, change.old, change.new):
                continue
            if answer.verdict is Verdict.NON_BREAKING and other.evidence.is_contrary:
                left.append(other)
            else:
                record(list(facts_for(world, other, answer, who)))
    return left


def facts_for(
    world: World, case: Case, answer: Answer, who: Mapping[str, JsonValue] | None = None
) -> Iterator[Fact]:
    """Yield the facts that an answer makes, of the case's own content."""
    if case.contest is not None:
        if answer.verdict is not None:
            change = case.change
            said = Decision(change.component, change.old, change.new, answer.verdict)
            yield revised(world, said, answer.verdict, answer.why, who)
        return
    needs = case.needs if answer.with_needs else {}
    yield from facts_of(world, case.change, answer.verdict, answer.why, who, needs)


def revised(
    world: World,
    said: Decision,
    verdict: Verdict,
    why: str = "",
    who: Mapping[str, JsonValue] | None = None,
) -> Decision:
    """Return the decision that says of the contents in `said` what counts from now on."""
    given_up = world.decisions().to_give_up(said.component, said.old, said.new, verdict)
    statements = dict(world.statements())
    followed = (record for record in given_up if isinstance(statements.get(record), Decision))
    decision = Decision(
        said.component,
        said.old,
        said.new,
        verdict,
        why,
        supersedes=given_up,
        parents=tuple(followed),
        who=who or {},
    )
    return standing(decision, statements.items())
