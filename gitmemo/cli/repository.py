"""Commands about the repository itself: `init`, `verify`."""

from __future__ import annotations

import click

from gitmemo.cli.options import json_option
from gitmemo.display.json_lines import json_line
from gitmemo.display.text import printable_lines
from gitmemo.errors.base import ExitCode
from gitmemo.quantities import count
from gitmemo.workspace import find


@click.command()
@click.argument("path", type=click.Path(exists=True, file_okay=False), default=".")
def init(path: str) -> None:
    """Set gitmemo up in the git repository around PATH: `.gitmemo/` and the git hooks."""
    from gitmemo.commits.setup import set_up

    for line in set_up(path):
        click.echo(line)


@click.command()
@click.option(
    "--repair",
    is_flag=True,
    help="Set damaged bytes aside; fetch values again, or leave them to be computed again.",
)
@click.option("--check", is_flag=True, help="Only check; as without --repair.")
@json_option
def verify(repair: bool, check: bool, as_json: bool) -> int:
    """Read every segment, journal and local value, all their bytes, and check them.

    Each damaged value is named, with the calls that made or used it. The exit code is 4 while
    something stays damaged.
    """
    from gitmemo.cleaning.verifying import verify as verified

    if repair and check:
        raise click.UsageError("--check changes nothing: leave --repair out")
    found = []
    for problem in verified(find(), repair=repair):
        click.echo(json_line(problem.as_dict()) if as_json else printable_lines(str(problem)))
        found.append(problem)
    stay = sum(problem.stays for problem in found)
    said = f"{count(stay, 'problem')} left, {len(found) - stay} dealt with"
    click.echo(said if found else "everything that is stored can be read", err=True)
    return ExitCode.DAMAGED if stay else ExitCode.DONE
