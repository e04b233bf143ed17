"""Commands that share: `remote`, `push`, `pull`."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

import click

from gitmemo.cli.options import json_option
from gitmemo.config import COMMITTED, LOCAL, edit
from gitmemo.errors import RemoteInvalid, RemoteUnknown
from gitmemo.quantities import count, size
from gitmemo.workspace import Workspace, find

if TYPE_CHECKING:
    from gitmemo.history import FetchReport
    from gitmemo.remotes import RemoteConfig


@click.group()
def remote() -> None:
    """Say where values are shared, and which remotes are trusted."""


@remote.command()
@click.argument("name")
@click.argument("url")
@click.option(
    "-o", "--option", "options", multiple=True, metavar="KEY=VALUE", help="Such as endpoint_url=…"
)
def add(name: str, url: str, options: tuple[str, ...]) -> None:
    """Add a remote: NAME and URL, a directory, s3://BUCKET/PATH or any URL that fsspec knows.

    The settings are committed, so they hold no secrets: credentials come from the
    environment or the service's own configuration.
    """
    from gitmemo.git.cli import Git
    from gitmemo.remotes import RemoteConfig

    workspace = find()
    if name in workspace.settings.remotes:
        raise RemoteInvalid(name, "it exists already", "choose another name, or edit " + COMMITTED)
    table = dict(_option(name, text) for text in options)
    RemoteConfig(name, url, table)  # refuses bad names, secrets and nonsense
    edit(workspace.root, COMMITTED, ("remotes", name), {"url": url, **table})
    Git(workspace.root).run("add", "--", COMMITTED)
    click.echo(f"added {name}: {url} (staged {COMMITTED})")


@remote.command("list")
@json_option
def list_(as_json: bool) -> None:
    """List the remotes."""
    workspace = find()
    trusted = workspace.settings.trusted_remotes()
    for name, table in sorted(workspace.settings.remotes.items()):
        if as_json:
            fields = {"name": name, **table, "trusted": name in trusted}
            click.echo(json.dumps(fields, ensure_ascii=False))
        else:
            click.echo(f"{name}\t{table['url']}{chr(9) + 'trusted' if name in trusted else ''}")


@remote.command()
@click.argument("name")
@click.option("--remove", is_flag=True, help="Trust it no longer.")
def trust(name: str, remove: bool) -> None:
    """Trust a remote, in this clone only: its values may be unpickled, which can run code.

    Trust holds for the URL that the remote has now.
    """
    workspace = find()
    config = workspace.remote(name)
    # No commit brings what is in a git folder: who links it elsewhere means it.
    local = (workspace.layout.common_dir / LOCAL).resolve()
    local.parent.mkdir(parents=True, exist_ok=True)
    edit(local.parent, local.name, ("trust", name), None if remove else config.url)
    click.echo(f"{'no longer trusts' if remove else 'trusts'} {name}: {config.url}")


@click.command()
@click.argument("name", required=False)
def push(name: str | None) -> None:
    """Send the values of this world to the remote NAME, then function histories to git."""
    from gitmemo import remotes, sync
    from gitmemo.commits.histories import render_histories

    workspace = find()
    wanted = sync.values_of(workspace.world, workspace.code)
    config = _remote(workspace, name, needed=bool(wanted))
    if config is not None:
        report = remotes.push(
            workspace.world.blobs,
            remotes.open_remote(config, workspace.root),
            wanted,
            cache=sync.remote_cache(workspace.layout, config),
        )
        click.echo(
            f"{config.name}: sent {count(report.sent, 'value')} ({size(report.sent_bytes)}), "
            f"{report.already_there} already there"
        )
        if report.absent:
            click.echo(
                f"{count(len(report.absent), 'value')} neither there nor here: run the program "
                "again, or push from the machine that has them",
                err=True,
            )
    git_remote = sync.git_remote(workspace.layout)
    render_histories(workspace)
    if git_remote is None:
        click.echo("no git remote: function histories stay here", err=True)
        return
    from gitmemo.history import Histories

    sent = Histories(workspace.layout).push(git_remote, workspace.settings.side_ref)
    said = "function histories sent" if sent.pushed else "function histories are up to date"
    click.echo(f"{git_remote}: {said}")


@click.command()
@click.argument("name", required=False)
def pull(name: str | None) -> int:
    """Fetch function histories from git, and the values of this world from the remote NAME.

    The calls themselves come with `git pull`.
    """
    from gitmemo import remotes, sync

    workspace = find()
    git_remote = sync.git_remote(workspace.layout)
    if git_remote is not None:
        from gitmemo.history import Histories

        fetched = Histories(workspace.layout).fetch(git_remote, workspace.settings.side_ref)
        click.echo(f"{git_remote}: {_histories(fetched)}")
        for problem in fetched.problems:
            click.echo(f"{git_remote}: skipped: {problem}", err=True)
    wanted = sync.missing_of(workspace.world, workspace.code)
    config = _remote(workspace, name, needed=bool(wanted))
    if config is None:
        click.echo("no remote is configured: there are no values to fetch", err=True)
        return 0
    report = remotes.pull(
        workspace.world.blobs,
        remotes.open_remote(config, workspace.root),
        wanted,
        cache=sync.remote_cache(workspace.layout, config),
    )
    click.echo(
        f"{config.name}: fetched {count(report.stored, 'value')} ({size(report.stored_bytes)})"
    )
    for damaged in report.damaged:
        click.echo(f"damaged on the remote, taken from elsewhere: {damaged}", err=True)
    if report.missing:
        click.echo(
            f"{count(len(report.missing), 'value')} not on {config.name}: ask who has them to push",
            err=True,
        )
        return 4
    return 0


def _histories(fetched: FetchReport) -> str:
    if not fetched.found:
        return "no function histories there yet (`gitmemo push` sends them)"
    return f"{count(len(fetched.changed), 'function history', 'function histories')} fetched"


def _remote(workspace: Workspace, name: str | None, *, needed: bool) -> RemoteConfig | None:
    """Return the remote, or None where none is configured and nothing needs one."""
    try:
        return workspace.remote(name)
    except RemoteUnknown:
        if name is not None or needed:
            raise
        return None


def _option(name: str, text: str) -> tuple[str, str]:
    key, separator, value = text.partition("=")
    if not separator:
        raise RemoteInvalid(name, f"{text!r} is not KEY=VALUE", "write it as KEY=VALUE")
    return key, value
