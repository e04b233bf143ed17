"""`gitmemo store`: where the values of this repository lie, alone or shared with other repositories.

Not the moving (`cleaning.joining`). Invariant: what is said here is said for this clone alone; nothing
is committed.
"""

from __future__ import annotations

import shlex
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from gitmemo.cli.groups import Group
from gitmemo.cli.options import (
    confirm,
    dry_run_option,
    json_option,
    refuse_both,
    yes_option,
)
from gitmemo.display.json_lines import json_line
from gitmemo.display.text import printable
from gitmemo.quantities import count, size
from gitmemo.workspace import Workspace, find

if TYPE_CHECKING:
    from gitmemo.blobs.shared import Sharer
    from gitmemo.cleaning.joining import Joined


@click.group(cls=Group)
def store() -> None:
    """Say where values lie on this machine: in this repository, or in a store that several share."""


@store.command()
@json_option
def show(as_json: bool) -> None:
    """Show where the values lie, how many, and which repositories share that place."""
    found = _fields(find())
    if as_json:
        click.echo(json_line(found))
        return
    what = "a shared store" if found["shared"] else "of this repository alone"
    click.echo(printable(f"values lie in {found['path']} ({what})"))
    values, total = found["values"], found["bytes"]
    click.echo(f"{count(values, 'value')} ({size(total)})")
    if found["left_behind"]:
        left = count(found["left_behind"], "value")
        share = printable(f"gitmemo store share {shlex.quote(found['path'])}")
        click.echo(f"{left} in this repository's own folder: `{share}` moves sound ones")
    for one in found["repositories"]:
        is_here = " (this one)" if one["this"] else ""
        why = f": {one['problem']}" if one["problem"] else ""
        click.echo(printable(f"  {one['path']}{is_here}  {one['standing']}{why}"))


@store.command()
@click.argument("path", type=click.Path(path_type=Path))
def share(path: Path) -> None:
    """Share the store at PATH with other repositories of yours, and move this one's values there.

    It is made if it is not there: an empty folder that only you may look into. This clone alone
    uses it, nothing is committed. Safe to stop, and to say again.
    """
    from gitmemo.cleaning import joining

    joined = joining.share(find(), path)
    _say(joined, "moved")
    click.echo("shares this store")


@store.command()
@click.option("--abandon", is_flag=True, help="Copy nothing: the shared store is gone.")
@yes_option
def own(abandon: bool, yes: bool) -> None:
    """Have the values in this repository's own folder again: what its records name is copied.

    Before it abandons a store it asks, but for --yes.
    """
    from gitmemo.cleaning import joining

    workspace = find()
    if abandon:
        if workspace.settings.store is not None:
            confirm("leaving the shared store without its values", yes=yes)
        left = joining.abandon(workspace)
        said = "shares no store" if left is None else f"shares {left} no longer; nothing was copied"
        click.echo(printable(said))
        return
    joined = joining.own(workspace)
    if joined is None:
        click.echo("the values are in this repository's own folder")
        return
    _say(joined, "copied")
    click.echo("shares no store any more")


@store.command()
@click.argument("name")
@yes_option
@dry_run_option
def forget(name: str, yes: bool, dry_run: bool) -> None:
    """Forget a repository that shared the store and is gone: NAME is its path, or its id.

    What only it needs may then be removed by `gitmemo gc` in the others.
    """
    refuse_both(yes=yes, dry_run=dry_run)
    from gitmemo.cleaning import joining
    from gitmemo.cleaning.sharers import name_of

    workspace = find()
    gone = joining.gone_named(workspace, name)
    names = ", ".join(map(name_of, gone))
    if dry_run:
        click.echo(printable(f"would forget {names}"))
        return
    confirm(printable(f"forgetting {names}"), yes=yes)
    joining.forget(workspace, gone)
    click.echo(printable(f"forgot {names}"))


def _say(joined: Joined, done: str) -> None:
    carried, (values, total) = joined.carried, joined.lying
    click.echo(f"{done} {count(carried.copies, 'value')} ({size(carried.size_bytes)})")
    lie = "value lies" if values == 1 else "values lie"
    click.echo(printable(f"{values:,} {lie} in {joined.folder} now ({size(total)})"))
    if joined.stays:
        said = f"{count(joined.stays, 'value')} stayed behind: damaged, or in a pack with damage"
        click.echo(f"{said} (gitmemo pull, or run the program again)", err=True)


# `Any` in the values: what is printed, of several kinds.
def _fields(workspace: Workspace) -> dict[str, Any]:
    from gitmemo.blobs import shared
    from gitmemo.blobs.holding import copies
    from gitmemo.blobs.home import blobs_folder, own_folder

    layout = workspace.layout
    folder, own = blobs_folder(layout), own_folder(layout)
    lying = list(copies(folder))
    is_shared = folder != own
    sharers = list(shared.sharers(folder)) if is_shared else []
    return {
        "path": str(folder),
        "shared": is_shared,
        "values": len({copy.blob for copy in lying}),
        "bytes": sum(copy.size for copy in lying),
        "left_behind": len({copy.blob for copy in copies(own)}) if is_shared else 0,
        "repositories": [_sharer(one, folder, layout.common_dir) for one in sharers],
    }


def _sharer(one: Sharer, folder: Path, here: Path) -> dict[str, Any]:
    from gitmemo.blobs.home import is_same
    from gitmemo.cleaning.sharers import footing, name_of

    how, problem = footing(one, folder)
    return {
        "id": one.ident,
        "path": name_of(one),
        "this": is_same(one.common_dir, here),
        "standing": how.value,
        "problem": problem,
    }
