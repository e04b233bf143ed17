"""Commands about the repository itself: `init`, `verify`."""

from __future__ import annotations

import click

from gitmemo.workspace import find


@click.command()
@click.argument("path", type=click.Path(exists=True, file_okay=False), default=".")
def init(path: str) -> None:
    """Set gitmemo up in the git repository around PATH: `.gitmemo/` and the git hooks."""
    from gitmemo.commits.setup import set_up

    for line in set_up(path):
        click.echo(line)


@click.command()
@click.option("--repair", is_flag=True, help="Set damaged journal lines aside.")
def verify(repair: bool) -> int:
    """Read every segment, journal and local value and check it."""
    from gitmemo.commits.check import check

    workspace = find()
    problems = list(check(workspace, repair=repair))
    for problem in problems:
        click.echo(problem)
    click.echo("everything that is stored can be read" if not problems else "", err=True)
    return 4 if problems and not repair else 0
