"""`gitmemo decide`: say later what a commit left open, settle, revise, or take back."""

from __future__ import annotations

import sys
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass

import click

from gitmemo.changes.author import author
from gitmemo.changes.cases import Answer, Case, facts_for, revised
from gitmemo.changes.contested import said_by, said_in
from gitmemo.changes.evidence import Evidence
from gitmemo.cli.options import confirm, dry_run_option, json_option, refuse_both, yes_option
from gitmemo.cli.screen import is_terminal
from gitmemo.cli.telling import Telling, tell_if_alone
from gitmemo.colors import color_wanted
from gitmemo.commits.histories import render_histories
from gitmemo.commits.scenes import renames_since_head
from gitmemo.commits.undecided import evidence_about, open_cases
from gitmemo.display.json_lines import json_line
from gitmemo.display.question import Quit, TerminalReviewer, describe
from gitmemo.display.terminal import terminal
from gitmemo.display.text import printable
from gitmemo.errors import (
    Aborted,
    AmbiguousId,
    ContraryEvidence,
    NothingDecided,
    NothingToDecide,
    SeveralDecisions,
)
from gitmemo.hashing.digest import Digest, to_hex
from gitmemo.model.components import Component
from gitmemo.model.contests import Edge
from gitmemo.model.facts import Decision, Fact, JsonValue, Verdict, Withdrawal
from gitmemo.model.spoken import meant, spoken, typed
from gitmemo.model.statements import in_force
from gitmemo.quantities import count
from gitmemo.short_ids import begins, short, told_apart
from gitmemo.workspace import Workspace, find

_NOTHING = "nothing is undecided"


@click.command()
@click.argument("component", required=False)
@click.option(
    "--breaking", "verdict", flag_value="breaking", help="Old results are not valid any more."
)
@click.option(
    "--non-breaking", "verdict", flag_value="non-breaking", help="Old results stay valid."
)
@click.option(
    "--withdraw", "verdict", flag_value="withdraw", help="Take a decision back: undecided again."
)
@click.option("--revise", is_flag=True, help="What was decided before, instead of what is open.")
@click.option("-m", "--message", default="", help="Why.")
@click.option(
    "--with-deps/--no-deps",
    default=True,
    help="Whether older results depend on what only the new code calls; they do if omitted.",
)
@click.option("--force", is_flag=True, help="Non-breaking although results are known to differ.")
@yes_option
@dry_run_option
@json_option
def decide(
    component: str | None,
    verdict: str | None,
    revise: bool,
    message: str,
    with_deps: bool,
    force: bool,
    yes: bool,
    dry_run: bool,
    as_json: bool,
) -> int:
    """Say whether results made by older code stay valid; without a verdict, review what is undecided.

    COMPONENT is `path:name`, or the name alone where only one has it; all undecided changes if omitted. With
    --revise or --withdraw it may also be the id of a decision. At a terminal each change is shown
    and asked about; elsewhere they are listed. A verdict on several changes at once is asked about, but
    for --yes. What is decided joins the next commit.
    """
    refuse_both(yes=yes, dry_run=dry_run)
    if verdict is None and (yes or dry_run):
        raise click.UsageError("say the verdict: --breaking, --non-breaking or --withdraw")
    workspace = find()
    _recognise(workspace, records=not dry_run)
    tell = Telling(as_json=as_json, dry_run=dry_run)
    if revise or verdict == "withdraw":
        _revise(workspace, component, verdict, message, tell, force=force)
        return 0
    cases = _chosen(open_cases(workspace), component)
    if verdict is not None:
        _decide(
            workspace,
            cases,
            Answer(Verdict(verdict), message, with_deps),
            tell,
            yes=yes,
            force=force,
        )
        return 0
    if cases and not as_json and is_terminal(sys.stdin) and is_terminal(sys.stdout):
        return _review(workspace, cases)
    _show(cases, as_json=as_json)
    return 0


def _recognise(workspace: Workspace, *, records: bool) -> None:
    """Record what was only renamed or moved: nobody has to decide about it."""
    workspace.world.enter()
    found, facts = renames_since_head(workspace)
    if facts and records:
        workspace.world.record(facts)
        workspace.world.enter()
    for line in found.sentences():
        click.echo(printable(line), err=True)


def _chosen(cases: list[Case], name: str | None) -> list[Case]:
    if name is None:
        return cases
    component = meant(name, [case.change.component for case in cases])
    chosen = [case for case in cases if case.change.component == component]
    if not chosen:
        raise NothingToDecide(name, tuple(spoken(case.change.component) for case in cases))
    return chosen


def _decide(
    workspace: Workspace,
    cases: Sequence[Case],
    answer: Answer,
    tell: Telling,
    *,
    yes: bool,
    force: bool,
) -> None:
    """Record one answer to all of some cases; to several it is asked about, unless that was said."""
    if not cases:
        click.echo(_NOTHING, err=True)
        return
    if answer.verdict is Verdict.NON_BREAKING and not force:
        for case in cases:
            _hold_against(case.change.component, case.evidence)
    components = {case.change.component for case in cases}
    if len(components) > 1 and not tell.dry_run:
        if not yes:
            _show(cases, as_json=False, err=True)
        confirm(f"calling {len(components)} changes {answer.verdict}", yes=yes)
    told: set[Component] = set()
    for case in cases:
        if not tell.dry_run:
            _record(workspace, case, answer)
        if case.change.component not in told:  # there may be several old contents of one
            tell.done(_fields(case, answer), _said(case, answer))
        told.add(case.change.component)
    if not tell.dry_run:
        tell_if_alone(workspace)


def _hold_against(component: Component, evidence: Evidence) -> None:
    """Refuse a non-breaking verdict against contrary evidence."""
    if evidence.is_contrary:
        raise ContraryEvidence(spoken(component), tuple(evidence.lines()))


def _record(workspace: Workspace, case: Case, answer: Answer) -> None:
    """Record one answer; the next one may follow from what it says."""
    facts = list(facts_for(workspace.world, case, answer, _who(workspace)))
    _add(workspace, facts)


def _add(workspace: Workspace, facts: Sequence[Fact]) -> None:
    if facts:
        workspace.world.record(facts)
        workspace.world.enter()
        render_histories(workspace)


def _who(workspace: Workspace) -> dict[str, JsonValue]:
    return author(workspace.root, recorded=workspace.settings.record_user)


def _said(case: Case, answer: Answer) -> Iterator[str]:
    if answer.verdict is None:
        return
    yield f"{case.change.component}: {answer.verdict.value}"
    for component in _needed(case, answer):
        yield f"  older results depend on {component} too"


def _fields(case: Case, answer: Answer) -> dict[str, object]:
    return {
        "component": str(case.change.component),
        "decision": answer.verdict.value if answer.verdict else None,
        "why": answer.why or None,
        "new_dependencies": [str(component) for component in _needed(case, answer)],
    }


def _needed(case: Case, answer: Answer) -> Iterable[Component]:
    """Return what older results depend on too, by an answer."""
    is_said = answer.verdict is Verdict.NON_BREAKING and answer.with_needs
    return case.needs if is_said else ()


# --- a review at a terminal -------------------------------------------------


def _review(workspace: Workspace, cases: Sequence[Case]) -> int:
    """Ask about one case after the other; each answer is recorded when it is given."""
    decided = 0
    with terminal() as tty:
        if tty is None:
            _show(cases, as_json=False)
            return 0
        asker = TerminalReviewer(tty, color=color_wanted() is not False, in_review=True)
        code = 0
        try:
            for number, case in enumerate(cases, 1):
                answer = asker.answer(case, number, len(cases))
                if answer.verdict is not None:
                    _record(workspace, case, answer)
                    decided += 1
        except Quit:
            pass
        except (Aborted, KeyboardInterrupt):
            click.echo()
            code = Aborted.exit_code
    said = count(decided, "decision")
    click.echo(f"{said} recorded, {len(cases) - decided} left open; they join the next commit")
    if decided:
        tell_if_alone(workspace)
    return code


# --- lists ------------------------------------------------------------------


def _show(cases: Sequence[Case], *, as_json: bool, err: bool = False) -> None:
    for number, case in enumerate(cases, 1):
        if as_json:
            click.echo(json_line(_as_dict(case)))
            continue
        for line in describe(case, number, len(cases)):
            click.echo(line, err=err)
        for component in case.needs:
            click.echo(f"  only the new code calls {printable(str(component))}", err=err)
    if not cases:
        click.echo(_NOTHING, err=True)
    elif not (as_json or err):
        name = printable(typed(cases[0].change.component))
        click.echo(
            f"decide with: gitmemo decide {name} --non-breaking, or --breaking; "
            "without a name for all of them",
            err=True,
        )


def _as_dict(case: Case) -> dict[str, object]:
    change = case.change
    return {
        "component": str(change.component),
        "calls": {item.op: item.calls for item in change.dependents},
        "seconds": round(sum(item.seconds for item in change.dependents), 6),
        "diff": change.diff(),
        "evidence": case.evidence.as_dict(),
        "new_dependencies": [str(component) for component in case.needs],
        "contested": list(said_in(case.contest)) if case.contest else None,
    }


# --- what was decided -------------------------------------------------------


@dataclass(frozen=True, slots=True)
class _Made:
    """A decision that counts now."""

    record: Digest
    decision: Decision

    @property
    def id(self) -> str:
        """What it is called on the command line."""
        return short(self.record)

    def as_dict(self) -> dict[str, object]:
        """Return the fields, for JSON."""
        made = self.decision
        return {
            "id": to_hex(self.record),
            "component": str(made.component),
            "old": to_hex(made.old),
            "new": to_hex(made.new),
            "decision": made.verdict.value,
            "why": made.why or None,
            "who": dict(made.who) or None,
        }


def _revise(
    workspace: Workspace,
    name: str | None,
    verdict: str | None,
    why: str,
    tell: Telling,
    *,
    force: bool,
) -> None:
    every = _made(workspace)
    made = every if name is None else _among(every, name)
    if name is not None and not made:
        raise NothingDecided(name, tuple(spoken(one.decision.component) for one in every))
    if verdict is None:
        for one in made:
            said = printable(f"{one.decision.component} {said_by(Edge(one.record, one.decision))}")
            click.echo(json_line(one.as_dict()) if tell.as_json else said)
        if not made:
            click.echo("nothing was decided", err=True)
        return
    if name is None:
        raise click.UsageError("name the component, or the id of the decision")
    one = _one_of(workspace, made, name)
    component = one.decision.component
    if verdict == "withdraw":
        fact: Fact = Withdrawal((one.record,), why)
        decision, said = None, f"{one.id} withdrawn: {component} is undecided again"
    else:
        if verdict == Verdict.NON_BREAKING and not force:
            _hold_against(component, evidence_about(workspace, one.decision))
        fact = revised(workspace.world, one.decision, Verdict(verdict), why, _who(workspace))
        decision, said = verdict, f"{component}: {verdict}"
    if not tell.dry_run:
        _add(workspace, [fact])
    fields = {"component": str(component), "decision": decision, "why": why or None}
    tell.done({**fields, "instead_of": to_hex(one.record)}, [said])
    if not tell.dry_run:
        tell_if_alone(workspace)


def _made(workspace: Workspace) -> list[_Made]:
    world = workspace.world
    world.enter()
    made = [_Made(record, said) for record, said in in_force(world.statements(), Decision).items()]
    made.sort(key=lambda one: (one.decision.component, one.record))
    return made


def _among(made: Sequence[_Made], name: str) -> list[_Made]:
    """Return all about the component that is called so, else the decision with this id."""
    component = meant(name, [one.decision.component for one in made])
    if component is not None:
        return [one for one in made if one.decision.component == component]
    found = {one.record: one for one in made if begins(one.record, name)}
    if len(found) > 1:
        raise AmbiguousId(name, tuple(_described(found)))
    return list(found.values())


def _described(found: Mapping[Digest, _Made]) -> Iterator[str]:
    """Yield the id of each decision, with what it is about."""
    for shown, record in zip(told_apart(found), sorted(found), strict=True):
        said = found[record].decision
        yield printable(f"{shown} {said.verdict.value}: {said.component}")


def _one_of(workspace: Workspace, made: Sequence[_Made], name: str) -> _Made:
    """Return the decision that is meant: of several about a component, the one about what it is now."""
    if len(made) == 1:
        return made[0]
    about_now = [one for one in made if _is_about_now(workspace, one.decision)]
    if len(about_now) == 1:
        return about_now[0]
    raise SeveralDecisions(name, tuple(f"{one.id} ({one.decision.verdict})" for one in made))


def _is_about_now(workspace: Workspace, decision: Decision) -> bool:
    now = workspace.code.current(decision.component)
    return now is not None and decision.new in (now.source, now.value)
