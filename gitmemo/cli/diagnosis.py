"""Commands that find out what is wrong: `failures`, `why`, `check`. They record nothing."""

from __future__ import annotations

from collections.abc import Sequence

import click

from gitmemo.changes.evidence import note_of
from gitmemo.cli.loading import loaded_storage
from gitmemo.cli.named_values import SpokenTag, named_values
from gitmemo.cli.options import Whole, json_option
from gitmemo.cli.screen import paged
from gitmemo.commits.naming import components_here
from gitmemo.commits.scenes import renames_ahead
from gitmemo.commits.undecided import check_notes
from gitmemo.display.json_lines import json_line
from gitmemo.display.text import printable
from gitmemo.errors import UnknownOp, UnknownTag, WrongArguments
from gitmemo.errors.base import ExitCode
from gitmemo.memo.checking import CheckReport, Finding
from gitmemo.memo.explanation import CacheStatus, Explanation
from gitmemo.memo.failures import failures_in
from gitmemo.memo.rechecking import ChangeReport
from gitmemo.memo.storage import Storage
from gitmemo.model.spoken import named
from gitmemo.quantities import count
from gitmemo.query import resolve_op
from gitmemo.workspace import find


@click.command()
@click.argument("op", required=False)
@click.option(
    "--limit",
    "most",
    type=Whole(min=1),
    default=10,
    metavar="N",
    help="At most N; 10 if omitted.",
)
@json_option
@paged
def failures(op: str | None, most: int, as_json: bool) -> None:
    """Show calls of OP, or of every op, that raised an exception on this machine, newest first.

    They are notes for you: never committed, never pushed. The last 1,000 are kept.
    """
    world = find().world
    world.enter()
    found = failures_in(world)
    if op is not None:
        known = {failure.op for failure in found}.union(world.ops())
        former = world.renames().former_ops()
        name = resolve_op(op, sorted(known), former)
        names = {name, *(old for old, now in former.items() if now == former.get(name, name))}
        found = [failure for failure in found if failure.op in names]
    for failure in found[:most]:
        if as_json:
            click.echo(json_line(failure.as_dict()))
        else:
            _show(str(failure))
    if not found:
        click.echo("no call has failed here", err=True)
    elif len(found) > most:
        click.echo(f"{count(len(found) - most, 'older failure')} not shown (--limit)", err=True)


@click.command()
@click.argument("target", metavar="[op:]NAME|code:COMPONENT")
@click.option("--sample", type=Whole(min=1), default=10, help="How many calls; 10 if omitted.")
@click.option("--all", "every", is_flag=True, help="Check all calls, not a sample.")
@click.option("--seed", type=Whole(), default=0, help="Another number chooses other calls.")
@click.option("--recorded", is_flag=True, help="Run nothing: compare the records of each call.")
@json_option
def check(target: str, sample: int, every: bool, seed: int, recorded: bool, as_json: bool) -> int:
    """Run stored calls of an op again, and say which do not return the same.

    With code:COMPONENT, such as code:helper.py:scale, the calls that touched it before it changed
    are run under the code as it is. The ops' files are imported. Nothing is recorded. The exit
    code is 7 if a call returned something else or raised, 4 if no call could be run.
    """
    if target.startswith("code:"):
        if recorded:
            raise click.UsageError("--recorded compares the records of an op: op:NAME")
        changed = _check_change(target.removeprefix("code:"), None if every else sample, seed)
        return _reported(changed, as_json=as_json)
    name = target.removeprefix("op:")
    if not name:
        raise click.UsageError(f"{target!r}: write the op's name, such as train")
    with loaded_storage() as storage:
        op = storage.load_op(name)
        report = storage.check(op, sample=None if every else sample, seed=seed, recorded=recorded)
    return _reported(report, as_json=as_json)


@click.command()
@click.argument("op")
@click.argument("arguments", nargs=-1, metavar="[NAME=VALUE]...")
@json_option
def why(op: str, arguments: tuple[str, ...], as_json: bool) -> None:
    """Say why a call of OP would be reused or computed, and what differs from the nearest stored call.

    VALUE is a Python literal, else JSON, else text; @TAG is the value with this name,
    if there is one. Arguments that are not given are at their defaults; those
    without a default are what the nearest stored call had. The op's file is
    imported. Nothing is run or recorded.
    """
    try:
        explanation, taken = _explained(op, arguments)
    except (UnknownOp, WrongArguments):
        if ahead := _renamed(op):
            raise UnknownOp(op, (), False, "; ".join(ahead)) from None
        raise
    if as_json:
        fields = {**explanation.as_dict(), "taken": list(taken)}
        click.echo(json_line(fields))
        return
    _show(str(explanation))
    if explanation.status is CacheStatus.NOT_STORED:
        for said in _renamed(op):
            click.echo(printable(said), err=True)
    if taken:
        said = printable(", ".join(map(str, explanation.taken)))
        click.echo(f"taken from the nearest stored call: {said}", err=True)


def _explained(op: str, arguments: Sequence[str]) -> tuple[Explanation, tuple[str, ...]]:
    """Return what is to be said of a call, and which of its arguments a stored one lent."""
    given = named_values(arguments)
    with loaded_storage() as storage:
        loaded = storage.load_op(op)
        tagged = {name: _meant(storage, value) for name, value in given.items()}
        return storage.explain_some(loaded, tagged)


def _renamed(name: str) -> list[str]:
    """Return what says that the next commit will recognise the op under this name."""
    short = name.rpartition(":")[2]
    return [said for to, said in renames_ahead(find()).items() if to.unit == short]


def _meant(storage: Storage, value: object) -> object:
    """Return the value of a tag; a text that is none, though it begins like one, as it is."""
    if not isinstance(value, SpokenTag):
        return value
    try:
        return storage.tagged(value)
    except UnknownTag:
        return str(value)


def _check_change(name: str, sample: int | None, seed: int) -> ChangeReport:
    """Check a changed component, and note on this machine what came of it: `decide` shows it."""
    workspace = find()
    workspace.world.enter()
    here = components_here(name, workspace.world, workspace.code)
    component = named(name, here, in_files=True)
    with loaded_storage() as storage:
        report = storage.check_change(str(component), sample=sample, seed=seed)
    notes = check_notes(workspace)
    for (old, new), checked in report.found.items():
        notes.append(note_of(component, old, new, checked))
    return report


def _reported(report: CheckReport, *, as_json: bool) -> int:
    """Show a report; return the exit code."""
    _show_report(report, as_json=as_json)
    if not report.is_deterministic:
        return ExitCode.DIFFERENT
    return ExitCode.DAMAGED if report.calls and not report.was_run else ExitCode.DONE


def _show_report(report: CheckReport, *, as_json: bool) -> None:
    for call in report.calls:
        if as_json:
            click.echo(json_line(call.as_dict()))
        elif call.finding is not Finding.SAME:
            _show(str(call))
    click.echo(printable(report.summary()), err=as_json)


def _show(text: str) -> None:
    """Print a description: its first line stands out."""
    for number, line in enumerate(text.splitlines()):
        click.echo(click.style(printable(line), bold=number == 0))
