"""The command `world`: what is in a world, and what is not. It changes nothing."""

from __future__ import annotations

from collections.abc import Iterator

import click

from gitmemo.cli.looking import look_at, where
from gitmemo.cli.options import json_option, remote_option, revision_options
from gitmemo.cli.screen import paged
from gitmemo.display.json_lines import json_line
from gitmemo.inventory import Inventory, inventory
from gitmemo.quantities import count, size
from gitmemo.sync.advice import command


@click.command()
@remote_option
@revision_options
@json_option
@paged
def world(asked: str | None, rev: str | None, later: bool, as_json: bool) -> None:
    """Say what is here, pending, reusable from other worlds, and missing on this machine.

    Without --remote, what the remote holds is what earlier pushes and pulls saw of it.
    """
    view = look_at(rev, later=later)
    found = inventory(view, asked)
    if as_json:
        click.echo(json_line(found.as_dict()))
        return
    click.echo(click.style(where(view), bold=True))
    for line in _lines(found, tuple(view.workspace.settings.remotes), is_asked=asked is not None):
        click.echo(line)


def _lines(found: Inventory, remotes: tuple[str, ...], *, is_asked: bool) -> Iterator[str]:
    yield (
        f"in it: {count(found.calls, 'call')} of {count(found.ops, 'op')} "
        f"in {count(found.versions, 'version')}, {count(found.segments, 'segment')}, "
        f"{count(found.values, 'value')}"
    )
    if found.rev is None:
        yield f"pending: {count(found.pending, 'call')}"
        yield f"reusable from other worlds: {count(found.reusable, 'call')}"
    else:
        yield f"committed later with this code: {count(found.reusable, 'call')}"
    missing = found.missing
    if not missing.blobs:
        yield "no value is missing on this machine"
        return
    yield f"not on this machine: {count(missing.blobs, 'value')} ({size(missing.size_bytes)})"
    if missing.remote is None:
        if remotes:
            names, first = ", ".join(remotes), remotes[0]
            yield f"  none of {names} is the default remote: gitmemo remote default {first}"
        return
    at_remote, others = missing.at_remote, missing.blobs - missing.at_remote
    if at_remote:
        pull = command("pull", () if found.rev is None else (found.rev,))
        yield f"  on {missing.remote}: {at_remote} ({pull})"
    if others:
        said = (
            f"not on {missing.remote}" if is_asked else f"perhaps on {missing.remote}, not seen yet"
        )
        yield f"  {said}: {others}{'' if is_asked else ' (--remote asks)'}"
