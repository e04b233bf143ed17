"""Commands that find out what is wrong: `failures`, `why`, `check`. They record nothing."""

from __future__ import annotations

import json

import click

from gitmemo.cli.options import json_option
from gitmemo.display.text import count, printable
from gitmemo.memo.failures import failures_in
from gitmemo.query import resolve_op
from gitmemo.workspace import find


@click.command()
@click.argument("op", required=False)
@click.option("-n", "most", type=click.IntRange(min=1), default=10, help="How many; 10 if omitted.")
@json_option
def failures(op: str | None, most: int, as_json: bool) -> None:
    """Show calls of OP, or of every op, that raised an exception on this machine, newest first.

    They are notes for you: never committed, never pushed. The last 1,000 are kept.
    """
    world = find().world
    world.enter()
    found = failures_in(world)
    if op is not None:
        known = {failure.op for failure in found}.union(world.index.ops())
        name = resolve_op(op, sorted(known))
        found = [failure for failure in found if failure.op == name]
    for failure in found[:most]:
        if as_json:
            click.echo(json.dumps(failure.as_dict(), ensure_ascii=False))
        else:
            _show(str(failure))
    if not found:
        click.echo("no call has failed here", err=True)
    elif len(found) > most:
        click.echo(f"{count(len(found) - most, 'older failure')} not shown (-n)", err=True)


def _show(text: str) -> None:
    """Print a description: its first line stands out."""
    for number, line in enumerate(text.splitlines()):
        click.echo(click.style(printable(line), bold=number == 0))
