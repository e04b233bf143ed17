"""Commands about places where values are shared: `remote add`, `list`, `check`, `trust` and others.

Not the transfers (`transfers`). Invariant: an option that looks like a secret is neither committed nor
shown, and only `check` asks a remote.
"""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

import click

from gitmemo.cli.keys import key as key_command
from gitmemo.cli.options import json_option
from gitmemo.cli.remote_cleaning import remote_gc
from gitmemo.config import COMMITTED
from gitmemo.display.text import printable
from gitmemo.errors import RemoteInvalid, RemoteUnknown
from gitmemo.git.cli import Git
from gitmemo.quantities import count
from gitmemo.remote_tables import HIDDEN, looks_secret, shown
from gitmemo.settings_files import Change, edit, edit_own, renaming, setting
from gitmemo.workspace import Workspace, find, remote_cache

if TYPE_CHECKING:
    from gitmemo.remotes import Probe

_local = click.option(
    "--local", "is_local", is_flag=True, help="In this clone's own settings, which no commit takes."
)
_DEFAULT = ("default_remote",)
_OWN = "this clone's own settings"


@click.group()
def remote() -> None:
    """Say where values are shared, and which remotes are trusted."""


remote.add_command(remote_gc)


@remote.command()
@click.argument("name")
@click.argument("url")
@click.option(
    "-o", "--option", "options", multiple=True, metavar="KEY=VALUE", help="Such as endpoint_url=…"
)
@click.option("-d", "--default", "is_default", is_flag=True, help="Use it when none is named.")
@_local
def add(name: str, url: str, options: tuple[str, ...], is_default: bool, is_local: bool) -> None:
    """Add a remote: NAME and URL, a directory, s3://BUCKET/PATH or any URL that fsspec knows.

    A relative directory counts from the repository's root. The settings are committed, so they
    hold no secrets: credentials come from the environment, the service's own configuration, or
    with --local from this clone.
    """
    from gitmemo.remotes import RemoteConfig, place_of

    workspace = find()
    if name in workspace.settings.remotes:
        raise RemoteInvalid(
            name, "it exists already", f"choose another name, or: gitmemo remote modify {name}"
        )
    table = {"url": url, **dict(_option(name, text) for text in options)}
    # Refuses bad names, secrets and nonsense.
    config = RemoteConfig.of(name, {}, table) if is_local else RemoteConfig.of(name, table)
    changes = [setting(("remotes", name), table)]
    if is_default:
        changes.append(setting(_DEFAULT, name))
    _edit(workspace, *changes, is_local=is_local)
    click.echo(f"added {name}: {url} ({_staged(workspace, is_local=is_local)})")
    place = place_of(config, workspace.root)
    if place != url:
        click.echo(f"  the directory {place}, counted from the repository's root")
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
    trusted = settings.trusted_remotes()
    for name, table in sorted(settings.remotes.items()):
        is_default = name == settings.default_remote
        if as_json:
            told = {"trusted": name in trusted, "default": is_default}
            fields = {"name": name, "url": table["url"], **shown(table), **told}
            click.echo(json.dumps(fields, ensure_ascii=False))
        else:
            notes = ["trusted"] if name in trusted else []
            if is_default and len(settings.remotes) > 1:
                notes.append("default")
            click.echo(printable("\t".join([name, table["url"], *notes])))
    if not settings.remotes and not as_json:
        click.echo("no remote is configured: gitmemo remote add NAME URL", err=True)


@remote.command()
@click.argument("name", required=False)
@json_option
def show(name: str | None, as_json: bool) -> None:
    """Show a remote: where it is, who says so, whether it is trusted, what is known of it.

    The remote is not asked.
    """
    from gitmemo.remotes import known_on, place_of

    workspace = find()
    config = workspace.remote(name)
    settings = workspace.settings
    own = settings.own_remotes.get(config.name, {})
    table = settings.remotes[config.name]
    place = place_of(config, workspace.root)
    is_default = settings.default_remote == config.name
    is_trusted = config.name in settings.trusted_remotes()
    seen = len(known_on(config, remote_cache(workspace.layout, config)))
    if as_json:
        fields = {
            "name": config.name,
            "url": config.url,
            "place": place,
            "options": shown(table),
            "own": sorted(own),
            "default": is_default,
            "trusted": is_trusted,
            "values_seen": seen,
        }
        click.echo(json.dumps(fields, ensure_ascii=False))
        return
    click.echo(f"{config.name}{' (the default)' if is_default else ''}")
    for key, value in {"url": config.url, **shown(table)}.items():
        click.echo(printable(f"  {key} = {value}{' (this clone)' if key in own else ''}"))
    if place != config.url:
        click.echo(printable(f"  directory: {place}"))
    trust = "trusted: its values may be unpickled here" if is_trusted else "not trusted"
    click.echo(f"  {trust}")
    click.echo(f"  {count(seen, 'value')} there when it was last looked at")


@remote.command()
@click.argument("name")
@click.argument("settings", nargs=-1, metavar="[KEY=VALUE]…")
@click.option(
    "-o", "--option", "options", multiple=True, metavar="KEY=VALUE", help="The same as KEY=VALUE."
)
@click.option("--url", help="Another address; the same as url=URL.")
@click.option("--unset", multiple=True, metavar="KEY", help="Take a setting away.")
@_local
def modify(
    name: str,
    settings: tuple[str, ...],
    options: tuple[str, ...],
    url: str | None,
    unset: tuple[str, ...],
    is_local: bool,
) -> None:
    """Change settings of a remote: `modify lab region=eu-west-1`, `modify --local lab profile=me`.

    What --local says holds in this clone only, wins over what is committed, and may be a secret.
    """
    from gitmemo.remotes import RemoteConfig, place_of

    workspace = find()
    tables = workspace.settings
    if name not in {**tables.committed_remotes, **tables.own_remotes}:
        raise RemoteUnknown(name, tuple(tables.remotes))
    settings = (*settings, *options)
    if url is not None:
        settings = (f"url={url}", *settings)
    if not settings and not unset:
        raise click.UsageError("say what to change: KEY=VALUE, --url or --unset KEY")
    committed, own = tables.committed_remotes.get(name, {}), tables.own_remotes.get(name, {})
    if not committed and not is_local:
        raise RemoteInvalid(name, f"it is in {_OWN} only", "add --local")
    changed = dict(own if is_local else committed)
    for key in unset:
        if changed.pop(key, None) is None or (key == "url" and not is_local):
            other = "without --local" if is_local else "with --local"
            said = f"{key!r} cannot be unset in {_OWN if is_local else COMMITTED}"
            raise RemoteInvalid(name, said, f"try it {other}, or see: gitmemo remote show {name}")
    given = dict(_option(name, text) for text in settings)
    changed.update(given)
    if is_local:
        own = changed
    else:
        committed = changed
    config = RemoteConfig.of(name, committed, own)
    values: dict[str, str | None] = {**dict.fromkeys(unset), **given}
    changes = [setting(("remotes", name, key), value) for key, value in values.items()]
    _edit(workspace, *changes, is_local=is_local)
    click.echo(f"changed {name} ({_staged(workspace, is_local=is_local)})")
    place = place_of(config, workspace.root)
    if place != config.url:
        click.echo(f"  the directory {place}")
    for key in sorted({*own}.intersection(given)) if not is_local else ():
        click.echo(f"  {key}: this clone's own setting still wins here", err=True)
    if name in tables.trusted_remotes() and tables.trusted[name] != config.address:
        click.echo(
            f"  it leads elsewhere now, so it is no longer trusted: gitmemo remote trust {name}; "
            "what came from the old place stays as it is"
        )


@remote.command()
@click.argument("old")
@click.argument("new")
def rename(old: str, new: str) -> None:
    """Give a remote another name; trust in this clone follows."""
    from gitmemo.blobs.store import check_remote_name

    workspace = find()
    settings = workspace.settings
    check_remote_name(new)
    if old not in settings.remotes:
        raise RemoteUnknown(old, tuple(settings.remotes))
    if new in {**settings.committed_remotes, **settings.own_remotes}:
        raise RemoteInvalid(new, "it exists already", "choose another name")
    is_trusted = old in settings.trusted_remotes()
    own_changes, changes = [renaming(("remotes", old), new)], [renaming(("remotes", old), new)]
    if is_trusted:
        own_changes.append(setting(("trust", new), settings.trusted[old]))
    if old in settings.keys:
        own_changes.append(renaming(("keys", old), new))
    if settings.own_default == old:
        own_changes.append(setting(_DEFAULT, new))
    if settings.committed_default == old:
        changes.append(setting(_DEFAULT, new))
    if old in settings.own_remotes or len(own_changes) > 1:
        _edit(workspace, *own_changes, is_local=True)
    if old in settings.committed_remotes:
        _edit(workspace, *changes, is_local=False)
    is_shared = old in settings.committed_remotes
    click.echo(f"{old} is {new} now ({_staged(workspace, is_local=not is_shared)})")
    if is_trusted:
        click.echo(
            f"  trusted in this clone under the new name too; values that were pulled from {old} "
            "stay readable"
        )


@remote.command()
@click.argument("name")
@_local
def remove(name: str, is_local: bool) -> None:
    """Forget a remote. What is there stays there; what was pulled stays here.

    With --local only what this clone says of it is forgotten.
    """
    workspace = find()
    settings = workspace.settings
    is_own, is_shared = name in settings.own_remotes, name in settings.committed_remotes
    if not (is_own if is_local else is_own or is_shared):
        raise RemoteUnknown(name, tuple(settings.own_remotes if is_local else settings.remotes))
    is_gone = not (is_local and is_shared)
    gone = setting(("remotes", name), None)
    no_default = setting(_DEFAULT, None)
    was_own_default = is_gone and settings.own_default == name
    if is_own or was_own_default:
        _edit(workspace, gone, *([no_default] if was_own_default else ()), is_local=True)
    if is_shared and is_gone:
        was_default = settings.committed_default == name
        _edit(workspace, gone, *([no_default] if was_default else ()), is_local=False)
    click.echo(f"removed {name} ({_staged(workspace, is_local=is_local or not is_shared)})")
    if not is_gone:
        return
    click.echo("  values there stay there, values that were pulled stay here")
    if name in settings.trusted:
        click.echo(
            "  those of them that need unpickling stay readable here; to end that: "
            f"gitmemo remote trust {name} --remove"
        )


@remote.command()
@click.argument("name", required=False)
@click.option("--unset", is_flag=True, help="Name no default.")
@_local
def default(name: str | None, unset: bool, is_local: bool) -> None:
    """Say which remote is used when none is named; without NAME show which."""
    workspace = find()
    if name is None and not unset:
        chosen = workspace.settings.default_remote
        if chosen is None:
            raise RemoteUnknown(None, tuple(workspace.settings.remotes))
        click.echo(chosen)
        return
    if name is not None and unset:
        raise click.UsageError("either NAME or --unset")
    if name is not None and name not in workspace.settings.remotes:
        raise RemoteUnknown(name, tuple(workspace.settings.remotes))
    if name and not is_local and name not in workspace.settings.committed_remotes:
        raise RemoteInvalid(name, f"it is in {_OWN} only", "add --local")
    _edit(workspace, setting(_DEFAULT, name), is_local=is_local)
    said = "no default remote" if name is None else f"{name} is the default remote"
    click.echo(f"{said} ({_staged(workspace, is_local=is_local)})")


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
    for found in probe(open_remote(config, workspace.root)):
        code = code or found.exit_code
        if as_json:
            fields = {
                "what": found.what,
                "grade": found.grade.value,
                "said": found.said,
                "remedy": found.remedy,
            }
            click.echo(json.dumps(fields, ensure_ascii=False))
        else:
            _say(found)
    return code


def _say(found: Probe) -> None:
    click.echo(printable(f"  {found.what}: {found.grade.value}: {found.said}"))
    if found.remedy:
        click.echo(printable(f"    {found.remedy}"))


@remote.command()
@click.argument("name")
@click.option("--remove", is_flag=True, help="Trust it no longer.")
def trust(name: str, remove: bool) -> None:
    """Trust a remote, in this clone only: its values may be unpickled, which can run code.

    Trust holds for the place where the remote is now: its URL, and options such as endpoint_url.
    """
    workspace = find()
    common = workspace.layout.common_dir
    trusted = workspace.settings.trusted
    # Also of one that is gone.
    address = trusted.get(name) if remove else None
    if address is None:
        address = workspace.remote(name).address
    if not remove:
        edit_own(common, setting(("trust", name), address))
        click.echo(f"trusts {name}: {address}")
        return
    # Trust is in the place: it ends with the last name under which it was given.
    names = [known for known, place in trusted.items() if place == address]
    edit_own(common, *(setting(("trust", known), None) for known in names))
    click.echo(f"no longer trusts {name}: {address}" if names else f"{name} was not trusted")


remote.add_command(key_command)


def _option(name: str, text: str) -> tuple[str, str]:
    key, separator, value = text.partition("=")
    if not separator:
        shown_text = HIDDEN if looks_secret(text) else repr(text)
        raise RemoteInvalid(name, f"{shown_text} is not KEY=VALUE", "write it as KEY=VALUE")
    return key, value


def _edit(workspace: Workspace, *changes: Change, is_local: bool) -> None:
    if is_local:
        edit_own(workspace.layout.common_dir, *changes)
    else:
        edit(workspace.root, COMMITTED, *changes)


def _staged(workspace: Workspace, *, is_local: bool) -> str:
    """Stage the committed settings if they were changed; say where a change is."""
    if is_local:
        return f"in {_OWN}"
    Git(workspace.root).run("add", "--", COMMITTED)
    return f"staged {COMMITTED}"
