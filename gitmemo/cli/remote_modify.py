"""`gitmemo remote modify`: what is committed of a remote, and what this clone says of it.

Not what the settings mean (`remotes.config`). Invariant: what this clone says is noted with the address
that it was said for, and only whoever types here can say that it is for another.
"""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING

import click

from gitmemo.cli.changing import OWN
from gitmemo.cli.remote_settings import (
    MEANT_FOR,
    change,
    force,
    is_trusted,
    local,
    option_of,
    place_said,
    refuse_foreign,
    refuse_misspelt,
)
from gitmemo.config import COMMITTED
from gitmemo.display.text import printable
from gitmemo.errors import RemoteInvalid, RemoteUnknown
from gitmemo.remote_tables import (
    WAITING,
    RemoteTable,
    address_of,
    effective,
    needs_note,
    readable,
    refuse_moved,
)
from gitmemo.settings_files import setting
from gitmemo.workspace import Workspace, find

if TYPE_CHECKING:
    from gitmemo.remotes import RemoteConfig


@click.command()
@click.argument("name")
@click.argument("settings", nargs=-1, metavar="[KEY=VALUE]…")
@click.option(
    "-o", "--option", "options", multiple=True, metavar="KEY=VALUE", help="The same as KEY=VALUE."
)
@click.option("--url", help="Another address; the same as url=URL.")
@click.option("--unset", multiple=True, metavar="KEY", help="Take a setting away.")
@click.option(
    "--confirm", is_flag=True, help="With --local: what it says is for the address as it is now."
)
@force
@local
def modify(
    name: str,
    settings: tuple[str, ...],
    options: tuple[str, ...],
    url: str | None,
    unset: tuple[str, ...],
    confirm: bool,
    is_forced: bool,
    is_local: bool,
) -> None:
    """Change settings of a remote: `modify lab region=eu-west-1`, `modify --local lab profile=me`.

    What --local says holds in this clone only, wins over what is committed, and may be a secret.
    It is for the address that the remote has: if a commit changes that, the remote is not asked
    until you --confirm.
    """
    from gitmemo.remotes import place_of

    workspace = find()
    tables = workspace.settings
    if name not in {**tables.committed_remotes, **tables.own_remotes}:
        raise RemoteUnknown(name, tuple(tables.remotes))
    settings = (*(() if url is None else (f"url={url}",)), *settings, *options)
    if confirm and not is_local:
        raise click.UsageError("--confirm goes with --local")
    if not settings and not unset and not confirm:
        raise click.UsageError("say what to change: KEY=VALUE, --url or --unset KEY")
    before = (tables.committed_remotes.get(name, {}), tables.own_remotes.get(name, {}))
    if not before[0] and not is_local:
        raise RemoteInvalid(name, f"it is in {OWN} only", "add --local")
    was_trusted = is_trusted(workspace, name)
    kept = _without(name, before[is_local], unset, is_local=is_local)
    given = dict(option_of(name, text) for text in settings)
    changed = {**kept, **given}
    committed, own = (before[0], changed) if is_local else (changed, before[1])
    if not is_forced:
        leads_to = effective(committed, own).get("url", "")
        refuse_misspelt(name, leads_to, given.keys() - {"url"}, is_local=is_local)
    config = _checked(name, committed, own, given, workspace.root, is_local=is_local)
    note = _note(workspace, name, before, (committed, own), confirmed=confirm)
    values: dict[str, str | None] = {**dict.fromkeys(unset), **given}
    changes = [setting(("remotes", name, key), value) for key, value in values.items()]
    if changes:
        change(workspace, *changes, is_local=is_local)
    if note != tables.meant_for.get(name):
        change(workspace, setting((MEANT_FOR, name), note), is_local=True)
    click.echo(f"changed {name} ({place_said(is_local=is_local)})")
    for line in _consequences(name, committed, own, note, is_local=is_local):
        click.echo(printable(f"  {line}"))
    if place_of(config, workspace.root) != config.shown_url:
        click.echo(printable(f"  the directory {place_of(config, workspace.root)}"))
    for key in sorted({*own}.intersection(given)) if not is_local else ():
        click.echo(f"  {key}: this clone's own setting still wins here", err=True)
    if was_trusted and tables.trusted[name] != config.true_address:
        click.echo(
            f"  it leads elsewhere now, so it is no longer trusted: gitmemo remote trust {name}; "
            "what came from the old place stays as it is"
        )


def _checked(
    name: str,
    committed: RemoteTable,
    own: RemoteTable,
    given: RemoteTable,
    root: Path,
    *,
    is_local: bool,
) -> RemoteConfig:
    """Return what the settings mean when `given` is in them; refuse what makes no sense.

    Raises:
        RemoteInvalid: It makes none here, or for others if it is committed.
    """
    from gitmemo.remotes import RemoteConfig

    config = RemoteConfig.of(name, committed, own, root)
    if not is_local:  # others read it without what this clone says
        RemoteConfig.of(name, {**given, "url": committed["url"]}, root=root)
    if "url" in given:
        refuse_foreign(config)
    return config


def _without(
    name: str, table: RemoteTable, unset: tuple[str, ...], *, is_local: bool
) -> dict[str, str]:
    """Return what is said of a remote without `unset`, which must be there."""
    kept = dict(table)
    for key in unset:
        if kept.pop(key, None) is None or (key == "url" and not is_local):
            other = "without --local" if is_local else "with --local"
            said = f"{key!r} cannot be unset in {OWN if is_local else COMMITTED}"
            raise RemoteInvalid(name, said, f"try it {other}, or see: gitmemo remote show {name}")
    return kept


def _note(
    workspace: Workspace,
    name: str,
    before: tuple[RemoteTable, RemoteTable],
    after: tuple[RemoteTable, RemoteTable],
    *,
    confirmed: bool,
) -> str | None:
    """Return what to note of the address that this clone's settings are meant for.

    Raises:
        RemoteMoved: Somebody else has changed it, and that is not confirmed.
    """
    if not needs_note(after[1]):
        return None
    if not confirmed:
        # A secret more must not make an address good that a commit brought.
        refuse_moved(name, *before, workspace.settings.meant_for.get(name))
    return address_of(after[0])


def _consequences(
    name: str, committed: RemoteTable, own: RemoteTable, note: str | None, *, is_local: bool
) -> Iterator[str]:
    if note is not None:
        words = ", ".join(sorted(set(own) - WAITING))
        yield f"what this clone says ({words}) is for {readable(note)}"
    unused = sorted({*committed} - {*own} - WAITING) if "url" in own else []
    if unused:
        yield (
            f"as this clone says the url, of what is committed these do not count: {', '.join(unused)}"
        )
