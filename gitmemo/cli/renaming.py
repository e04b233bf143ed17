"""`gitmemo rename`: say what has another name or another place, so that its results follow."""

from __future__ import annotations

import click

from gitmemo.cli.options import dry_run_option, json_option
from gitmemo.cli.telling import tell_if_alone
from gitmemo.commits.histories import render_histories
from gitmemo.commits.renames import Plan, plan_part, plan_rename, plan_undo
from gitmemo.display.json_lines import json_line
from gitmemo.display.text import printable
from gitmemo.model.facts import Move, Rename, RenameKind
from gitmemo.model.statements import in_force
from gitmemo.quantities import count
from gitmemo.query import resolve_op
from gitmemo.workspace import Workspace, find


@click.command()
@click.argument("names", nargs=-1, metavar="[[OP] OLD NEW]")
@click.option("--argument", "part", flag_value="argument", help="OLD and NEW are arguments of OP.")
@click.option("--output", "part", flag_value="output", help="OLD and NEW are outputs of OP.")
@click.option(
    "--non-breaking", "changed_too", is_flag=True, help="Also where more than names changed."
)
@dry_run_option
@click.option("--undo", is_flag=True, help="Take back what was recorded of OLD and NEW.")
@click.option("-m", "--message", default="", help="Why.")
@json_option
def rename(
    names: tuple[str, ...],
    part: str | None,
    changed_too: bool,
    dry_run: bool,
    undo: bool,
    message: str,
    as_json: bool,
) -> None:
    """Say that OLD is NEW now, so that stored results follow. Change the code first.

    OLD and NEW are ops (`train`, `lab.fit:train`), components (`lab/fit.py:train`) or files
    (`lab/train.py`). Without names, show what is recorded. It joins the next commit.
    """
    workspace = find()
    workspace.world.enter()
    if not names:
        _show_recorded(workspace, as_json=as_json)
        return
    if len(names) != (3 if part and not undo else 2):
        words = "OP OLD NEW" if part and not undo else "OLD NEW"
        raise click.UsageError(f"give {words}")
    if undo:
        _undo(workspace, names[0], names[1], message, dry_run=dry_run)
        return
    if part:
        former = workspace.world.renames().former_ops()
        kind = RenameKind(part)
        op = resolve_op(names[0], sorted({*workspace.world.ops(), *former.values()}), former)
        plan = plan_part(workspace, kind, op, names[1], names[2], message, changed_too=changed_too)
    else:
        plan = plan_rename(workspace, names[0], names[1], message, changed_too=changed_too)
    _show(plan, as_json=as_json)
    _record(workspace, plan, dry_run=dry_run)


def _record(workspace: Workspace, plan: Plan, *, dry_run: bool) -> None:
    if dry_run:
        click.echo("nothing was recorded", err=True)
        return
    workspace.world.record(list(plan.facts))
    workspace.world.enter()
    render_histories(workspace)
    click.echo("recorded; it joins the next commit (gitmemo rename --undo OLD NEW)", err=True)
    tell_if_alone(workspace)


def _undo(workspace: Workspace, old: str, new: str, why: str, *, dry_run: bool) -> None:
    withdrawal = plan_undo(workspace, old, new, why)
    said = count(len(withdrawal.supersedes), "statement")
    if dry_run:
        click.echo(f"would take back {said}", err=True)
        return
    workspace.world.record([withdrawal])
    click.echo(f"took back {said}; it joins the next commit", err=True)
    tell_if_alone(workspace)


def _show(plan: Plan, *, as_json: bool) -> None:
    if as_json:
        fields = {
            "components": {str(old): str(to) for old, to in plan.found.pairs.items()},
            "names": [_fields(fact) for fact in plan.renames],
            "callers": [str(change.component) for change in plan.found.callers],
            "changed": [str(component) for component in plan.left],
        }
        click.echo(json_line(fields))
        return
    for old, to in plan.found.pairs.items():
        click.echo(printable(f"{old} is {to}"))
    for fact in plan.renames:
        click.echo(printable(_said(fact)))
    for change in plan.found.callers:
        click.echo(printable(f"{change.component} has only new names in it: its results stay"))
    for component in plan.left:
        click.echo(printable(f"{component} was changed besides: its results do not follow"))
    if any(component.unit.startswith("class ") for component in plan.found.pairs):
        click.echo(
            "stored values that are instances of a renamed class cannot be read any more; "
            "`gitmemo drop` the calls that made them",
            err=True,
        )


def _show_recorded(workspace: Workspace, *, as_json: bool) -> None:
    statements = workspace.world.statements()
    moves, renames = in_force(statements, Move), in_force(statements, Rename)
    for move in moves.values():
        if as_json:
            fields = {"component": str(move.component), "is": str(move.to), "why": move.why}
            click.echo(json_line(fields))
        else:
            click.echo(printable(f"{move.component} is {move.to}{_why(move)}"))
    for fact in renames.values():
        text = json_line(_fields(fact)) if as_json else _said(fact)
        click.echo(text if as_json else printable(text + _why(fact)))
    if not moves and not renames:
        click.echo("nothing was renamed or moved", err=True)


def _said(fact: Rename) -> str:
    of = f" of {fact.of}" if fact.of else ""
    return f"{fact.kind.value} {fact.old}{of} is {fact.new}"


def _why(fact: Rename | Move) -> str:
    return f"  ({fact.why})" if fact.why else ""


def _fields(fact: Rename) -> dict[str, str]:
    return {
        "kind": fact.kind.value,
        "of": fact.of,
        "old": fact.old,
        "new": fact.new,
        "why": fact.why,
    }
