"""`gitmemo blame`: which commits introduced the code behind an op's calls."""

from __future__ import annotations

from collections.abc import Iterator

import click

from gitmemo.cli.looking import look_at
from gitmemo.cli.options import json_option, revision_options
from gitmemo.cli.screen import paged
from gitmemo.display.json_lines import json_line
from gitmemo.display.text import printable
from gitmemo.query import names_now, resolve_versioned
from gitmemo.short_ids import short
from gitmemo.versions.blame import Blame, ContentOrigin, Origin
from gitmemo.versions.blame import blame as blame_of
from gitmemo.versions.listing import tallies_of

_SHORT_COMMIT = 9


@click.command()
@click.argument("op")
@revision_options
@json_option
@paged
def blame(op: str, rev: str | None, later: bool, as_json: bool) -> None:
    """Say which commit introduced each version of OP, and each content of its components.

    That is the earliest commit in the history of HEAD that holds it. Contents
    that ran but were never committed are shown as such. Where a component moved
    and people said so, the commit that introduced it under its old name is
    shown too. With --rev the history of that revision counts, not that of HEAD.
    """
    view = look_at(rev, later=later)
    world, reader = view.world, view.workspace.reader
    now = names_now(view)
    tallies = tallies_of(world, view.code, now.op)[resolve_versioned(now, world, op)]
    known = world.versions(tallies)
    versions = [known[ident] for ident in tallies if ident in known]
    found = blame_of(reader, world.place.commit, versions, world.statements())
    if as_json:
        parts = (*[v.as_dict() for v in found.versions], *[c.as_dict() for c in found.contents])
        for fields in parts:
            click.echo(json_line(fields))
        return
    for line in _lines(found):
        click.echo(line)
    if reader.shallow:
        click.echo(
            "this clone is shallow: what came before its history is not known here; "
            "git fetch --unshallow brings it",
            err=True,
        )


def _lines(found: Blame) -> Iterator[str]:
    if found.versions:
        yield click.style("versions", bold=True)
    for version in found.versions:
        yield f"  {click.style(short(version.id), fg='yellow')}  {_by(version.origin)}"
    component = None
    for content in found.contents:
        if content.component != component:
            component = content.component
            yield click.style(printable(str(component)), bold=True)
        yield f"  {click.style(short(content.id), fg='yellow')}  {_by(content.origin)}"
        yield from map(_earlier, content.before)


def _earlier(content: ContentOrigin) -> str:
    return f"    was {printable(str(content.component))}  {_by(content.origin)}"


def _by(origin: Origin | None) -> str:
    if origin is None:
        return click.style("not committed", fg="red")
    edge = " or earlier" if origin.is_edge else ""
    commit = click.style(origin.commit[:_SHORT_COMMIT], fg="cyan")
    return f"{commit}{edge}  {origin.date}  {printable(f'{origin.author}  {origin.subject}')}"
