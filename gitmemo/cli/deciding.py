"""`gitmemo decide`: say later what a commit left open."""

from __future__ import annotations

import json
import shlex

import click

from gitmemo.changes.change import Change
from gitmemo.changes.deciding import facts_of
from gitmemo.cli.options import json_option
from gitmemo.commits.hook import open_changes, render_histories
from gitmemo.commits.renames import renames_since_head
from gitmemo.display.question import describe
from gitmemo.display.text import printable
from gitmemo.errors import NothingToDecide
from gitmemo.model.facts import Verdict
from gitmemo.workspace import Workspace, find


@click.command()
@click.argument("component", required=False)
@click.option(
    "--breaking", "verdict", flag_value="breaking", help="Old results are not valid any more."
)
@click.option(
    "--non-breaking", "verdict", flag_value="non-breaking", help="Old results stay valid."
)
@click.option("-m", "--message", default="", help="Why.")
@json_option
def decide(component: str | None, verdict: str | None, message: str, as_json: bool) -> None:
    """Say whether results made by older code stay valid; without a verdict, show what is undecided.

    COMPONENT is `path:name` or the name alone, as shown; all undecided changes if omitted.
    The decision joins the next commit.
    """
    workspace = find()
    _recognise(workspace)
    changes = _chosen(open_changes(workspace), component)
    if verdict is None:
        _show(changes, as_json=as_json)
        return
    _record(workspace, changes, Verdict(verdict), message)
    for change in changes:
        click.echo(f"{change.component}: {verdict}")


def _recognise(workspace: Workspace) -> None:
    """Record what was only renamed or moved: nobody has to decide about it."""
    workspace.world.enter()
    found, facts = renames_since_head(workspace)
    if facts:
        workspace.world.record(facts)
        workspace.world.enter()
    for line in found.sentences():
        click.echo(printable(line), err=True)


def _chosen(changes: list[Change], name: str | None) -> list[Change]:
    if name is None:
        return changes
    chosen = [c for c in changes if name in (str(c.component), c.component.unit)]
    if not chosen:
        raise NothingToDecide(name, tuple(str(change.component) for change in changes))
    return chosen


def _show(changes: list[Change], *, as_json: bool) -> None:
    for number, change in enumerate(changes, 1):
        if as_json:
            fields = {
                "component": str(change.component),
                "calls": {item.op: item.calls for item in change.dependents},
                "diff": change.diff(),
            }
            click.echo(json.dumps(fields, ensure_ascii=False))
            continue
        for line in describe(change, number, len(changes)):
            click.echo(line)
    if not changes:
        click.echo("nothing is undecided", err=True)
    elif not as_json:
        name = shlex.quote(printable(str(changes[0].component)))
        click.echo(
            f"decide with: gitmemo decide {name} --non-breaking, or --breaking; "
            "without a name for all of them",
            err=True,
        )


def _record(workspace: Workspace, changes: list[Change], verdict: Verdict, why: str) -> None:
    world = workspace.world
    facts = [fact for change in changes for fact in facts_of(world, change, verdict, why)]
    if facts:
        world.record(facts)
        world.enter()
        render_histories(workspace)
