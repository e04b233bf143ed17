"""Commands about places where values are shared: `remote add`, `list`, `check`, `trust` and others.

Not the transfers (`transfers`). Invariant: an option that looks like a secret is neither committed nor
shown, and only `check` asks a remote.
"""

from __future__ import annotations

import shlex
from typing import TYPE_CHECKING

import click

from gitmemo.cli.changing import OWN
from gitmemo.cli.groups import Group
from gitmemo.cli.keys import key
from gitmemo.cli.options import json_option
from gitmemo.cli.remote_cleaning import remote_gc
from gitmemo.cli.remote_modify import modify
from gitmemo.cli.remote_settings import (
    MEANT_FOR,
    change,
    doubts,
    force,
    is_trusted,
    leftovers,
    local,
    option_of,
    place_said,
    refuse_foreign,
    refuse_misspelt,
    tell_leftovers,
)
from gitmemo.cli.remote_trust import trust
from gitmemo.display.json_lines import json_line
from gitmemo.display.text import printable
from gitmemo.errors import RemoteInvalid, RemoteUnknown
from gitmemo.quantities import count
from gitmemo.remote_tables import HIDDEN, RemoteTable, shown, veiled
from gitmemo.settings_files import renaming, setting
from gitmemo.workspace import find, remote_cache

if TYPE_CHECKING:
    from gitmemo.remotes import Probe

_DEFAULT = ("default_remote",)


@click.group(cls=Group)
def remote() -> None:
    """Say where values are shared, and which remotes are trusted."""


for command in (key, modify, remote_gc, trust):
    remote.add_command(command)


@remote.command()
@click.argument("name")
@click.argument("url")
@click.option(
    "-o", "--option", "options", multiple=True, metavar="KEY=VALUE", help="Such as endpoint_url=…"
)
@click.option("-d", "--default", "is_default", is_flag=True, help="Use it when none is named.")
@force
@local
def add(
    name: str,
    url: str,
    options: tuple[str, ...],
    is_default: bool,
    is_forced: bool,
    is_local: bool,
) -> None:
    """Add a remote: NAME and URL, a directory, s3://BUCKET/PATH, gs://…, az://…, sftp://… or https://….

    A relative directory counts from the repository's root. The settings are committed, so they
    hold no secrets: credentials come from the environment, the service's own configuration, or
    with --local from this clone. Other URLs that fsspec knows are for --local only.
    """
    from gitmemo.remotes import RemoteConfig, place_of

    workspace = find()
    if name in workspace.settings.remotes:
        raise RemoteInvalid(
            name, "it exists already", f"choose another name, or: gitmemo remote modify {name}"
        )
    given = dict(option_of(name, text) for text in options)
    table = {"url": url, **given}
    if not is_forced:
        refuse_misspelt(name, url, given, is_local=is_local)
    # Refuses bad names, secrets and nonsense.
    committed, own = ({}, table) if is_local else (table, {})
    config = RemoteConfig.of(name, committed, own, workspace.root)
    refuse_foreign(config)
    changes = [setting(("remotes", name), table)]
    if is_default:
        changes.append(setting(_DEFAULT, name))
    change(workspace, *changes, is_local=is_local)
    click.echo(f"added {name}: {printable(config.shown_url)} ({place_said(is_local=is_local)})")
    place = place_of(config, workspace.root)
    if place != config.shown_url:
        click.echo(printable(f"  the directory {place}, counted from the repository's root"))
    for line in doubts(workspace, config):
        click.echo(printable(f"  {line}"), err=True)
    settings = find().settings
    if settings.default_remote is None:
        names = ", ".join(settings.remotes)
        click.echo(
            f"  none of {names} is the default, so each command must name one, and no value is "
            f"fetched when it is needed: gitmemo remote default {next(iter(settings.remotes))}"
        )


@remote.command("list")
@json_option
def list_(as_json: bool) -> None:
    """List the remotes."""
    workspace = find()
    settings = workspace.settings
    trusted = {name for name in settings.remotes if is_trusted(workspace, name)}
    for name, table in sorted(settings.remotes.items()):
        is_default = name == settings.default_remote
        if as_json:
            told = {"trusted": name in trusted, "default": is_default}
            fields = {"name": name, "url": veiled(table["url"]), **shown(table), **told}
            click.echo(json_line(fields))
        else:
            notes = ["trusted"] if name in trusted else []
            if is_default and len(settings.remotes) > 1:
                notes.append("default")
            click.echo(printable("\t".join([name, veiled(table["url"]), *notes])))
    if not settings.remotes and not as_json:
        click.echo("no remote is configured: gitmemo remote add NAME URL", err=True)
    tell_leftovers(settings)


@remote.command()
@click.argument("name", required=False)
@json_option
def show(name: str | None, as_json: bool) -> None:
    """Show a remote: where it is, who says so, whether it is trusted, what is known of it.

    The remote is not asked.
    """
    from gitmemo.remotes import known_on, place_of, was_looked_at

    workspace = find()
    settings = workspace.settings
    tell_leftovers(settings)
    config = workspace.remote(name)
    own = settings.own_remotes.get(config.name, {})
    table = settings.remotes[config.name]
    place = place_of(config, workspace.root)
    is_default = settings.default_remote == config.name
    trusts = workspace.trusts(config)
    cache = remote_cache(workspace.layout, config)
    seen = len(known_on(config, cache))
    if as_json:
        fields = {
            "name": config.name,
            "url": config.shown_url,
            "place": place,
            "options": shown(table),
            "own": sorted(own),
            "default": is_default,
            "trusted": trusts,
            "values_seen": seen,
        }
        click.echo(json_line(fields))
        return
    click.echo(f"{config.name}{' (the default)' if is_default else ''}")
    for option, value in {"url": config.shown_url, **shown(table)}.items():
        click.echo(printable(f"  {option} = {value}{' (this clone)' if option in own else ''}"))
    if place != config.shown_url:
        click.echo(printable(f"  directory: {place}"))
    said = "trusted: its values may be unpickled here" if trusts else "not trusted"
    click.echo(f"  {said}")
    if seen or was_looked_at(config, cache):
        click.echo(f"  {count(seen, 'value')} there when it was last looked at")
    else:
        click.echo("  this clone has never looked what is there (gitmemo fetch)")


@remote.command()
@click.argument("old")
@click.argument("new")
def rename(old: str, new: str) -> None:
    """Give a remote another name; trust in this clone follows.

    Where somebody else renamed it, what this clone says of it follows.
    """
    from gitmemo.blobs.store import check_remote_name

    workspace = find()
    settings = workspace.settings
    check_remote_name(new)
    is_left = old in leftovers(settings)
    if old not in settings.remotes and not is_left:
        raise RemoteUnknown(old, tuple(settings.remotes))
    if new in {**({} if is_left else settings.committed_remotes), **settings.own_remotes}:
        raise RemoteInvalid(new, "it exists already", "choose another name")
    was_trusted = is_trusted(workspace, old)
    own_changes, changes = [renaming(("remotes", old), new)], [renaming(("remotes", old), new)]
    if was_trusted:
        own_changes.append(setting(("trust", new), settings.trusted[old]))
    if old in settings.keys:
        own_changes.append(renaming(("keys", old), new))
    if old in settings.meant_for:
        own_changes.append(renaming((MEANT_FOR, old), new))
    if settings.own_default == old:
        own_changes.append(setting(_DEFAULT, new))
    if settings.committed_default == old:
        changes.append(setting(_DEFAULT, new))
    if old in settings.own_remotes or len(own_changes) > 1:
        change(workspace, *own_changes, is_local=True)
    if old in settings.committed_remotes:
        change(workspace, *changes, is_local=False)
    is_shared = old in settings.committed_remotes
    click.echo(f"{old} is {new} now ({place_said(is_local=not is_shared)})")
    if was_trusted:
        click.echo(
            f"  trusted in this clone under the new name too; values that were pulled from {old} "
            "stay readable"
        )


@remote.command()
@click.argument("name")
@local
def remove(name: str, is_local: bool) -> None:
    """Forget a remote. What is there stays there; what was pulled stays here.

    With --local only what this clone says of it is forgotten. Nothing is asked, as by git: what
    would bring it back is said.
    """
    workspace = find()
    settings = workspace.settings
    is_own, is_shared = name in settings.own_remotes, name in settings.committed_remotes
    has_key = name in leftovers(settings) and name in settings.keys
    if not (is_own if is_local else is_own or is_shared) and not has_key:
        raise RemoteUnknown(name, tuple(settings.own_remotes if is_local else settings.remotes))
    is_gone = not (is_local and is_shared)
    gone = setting(("remotes", name), None)
    no_default = setting(_DEFAULT, None)
    was_own_default = is_gone and settings.own_default == name
    if is_own or was_own_default or has_key:
        no_note = [setting((MEANT_FOR, name), None)] if name in settings.meant_for else []
        no_note += [setting(("keys", name), None)] if has_key else []
        defaults = [no_default] if was_own_default else []
        change(workspace, gone, *no_note, *defaults, is_local=True)
    if is_shared and is_gone:
        was_default = settings.committed_default == name
        change(workspace, gone, *([no_default] if was_default else ()), is_local=False)
    click.echo(f"removed {name} ({place_said(is_local=is_local or not is_shared)})")
    if not is_gone:
        return
    click.echo("  values there stay there, values that were pulled stay here")
    if table := settings.remotes.get(name):
        click.echo(printable(f"  to have it again: {_adding(name, table, is_local=not is_shared)}"))
    if name in settings.trusted:
        click.echo(
            "  those of them that need unpickling stay readable here; to end that: "
            f"gitmemo remote trust {name} --remove"
        )


def _adding(name: str, table: RemoteTable, *, is_local: bool) -> str:
    """Return the command that adds a remote as it was; secrets are not repeated."""
    options = {key: value for key, value in shown(table).items() if value != HIDDEN}
    words = ["gitmemo", "remote", "add", name, veiled(table["url"])]
    words += [word for key, value in options.items() for word in ("-o", f"{key}={value}")]
    return shlex.join([*words, "--local"] if is_local else words)


@remote.command()
@click.argument("name", required=False)
@click.option("--unset", is_flag=True, help="Name no default.")
@local
@json_option
def default(name: str | None, unset: bool, is_local: bool, as_json: bool) -> None:
    """Say which remote is used when none is named; without NAME show which."""
    workspace = find()
    if name is None and not unset:
        chosen = workspace.settings.default_remote
        if chosen is None:
            raise RemoteUnknown(None, tuple(workspace.settings.remotes))
        is_own = workspace.settings.own_default == chosen
        fields = {"default": chosen, "own": is_own}
        click.echo(json_line(fields) if as_json else chosen)
        return
    if name is not None and unset:
        raise click.UsageError("either NAME or --unset")
    if name is not None and name not in workspace.settings.remotes:
        raise RemoteUnknown(name, tuple(workspace.settings.remotes))
    if name and not is_local and name not in workspace.settings.committed_remotes:
        raise RemoteInvalid(name, f"it is in {OWN} only", "add --local")
    change(workspace, setting(_DEFAULT, name), is_local=is_local)
    if as_json:
        click.echo(json_line({"default": name, "own": is_local}))
        return
    said = "no default remote" if name is None else f"{name} is the default remote"
    click.echo(f"{said} ({place_said(is_local=is_local)})")


@remote.command()
@click.argument("name", required=False)
@json_option
def check(name: str | None, as_json: bool) -> int:
    """Ask a remote whether it can be used: reached, written to, and what it cannot do.

    One small object is written and removed again. The exit code is 0 if values can be pulled and
    pushed.
    """
    from gitmemo.remotes import open_remote, place_of, probe

    workspace = find()
    config = workspace.remote(name)
    if not as_json:
        click.echo(f"{config.name}: {printable(place_of(config, workspace.root))}")
    code = 0
    cache = remote_cache(workspace.layout, config)
    for found in probe(open_remote(config, workspace.root), cache):
        code = code or found.exit_code
        if as_json:
            fields = {
                "what": found.what,
                "grade": found.grade.value,
                "said": found.said,
                "remedy": found.remedy,
            }
            click.echo(json_line(fields))
        else:
            _say(found)
    return code


def _say(found: Probe) -> None:
    click.echo(printable(f"  {found.what}: {found.grade.value}: {found.said}"))
    if found.remedy:
        click.echo(printable(f"    {found.remedy}"))
