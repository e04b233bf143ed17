"""`gitmemo gc`: removing what this clone no longer needs. It is a dry run unless told otherwise."""

from __future__ import annotations

import click

from gitmemo.quantities import count, size
from gitmemo.workspace import find

_DAYS = 30


@click.command()
@click.option(
    "--older-than",
    "days",
    type=click.IntRange(min=0),
    default=_DAYS,
    show_default=True,
    metavar="DAYS",
    help="Only journals that were set aside so long ago.",
)
@click.option("--yes", is_flag=True, help="Remove them; without this nothing is removed.")
def gc(days: int, yes: bool) -> None:
    """Remove local journals whose calls are in commits that a branch, tag or remote branch holds.

    They are kept so that calls come back when git lets go of their commits. Values are not touched.
    """
    from gitmemo.commits.collecting import remove, superfluous_journals

    workspace = find()
    workspace.world.enter()
    found = superfluous_journals(workspace, older_than_s=days * 86_400)
    total = sum(path.stat().st_size for path in found)
    if yes:
        remove(found)
    said = "removed" if yes else "would remove"
    click.echo(f"{said} {count(len(found), 'journal')} ({size(total)})")
    if found and not yes:
        click.echo("nothing was removed: say --yes to do it", err=True)
