"""`gitmemo remote trust`: whose values may be unpickled in this clone.

Not the reading of values (`memo.trust`). Invariant: nothing that a commit can fill is trusted.
"""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import click

from gitmemo.display.text import printable
from gitmemo.errors import RemoteInside
from gitmemo.git.cli import Git
from gitmemo.remote_tables import readable
from gitmemo.settings_files import edit_own, setting
from gitmemo.workspace import Workspace, find

if TYPE_CHECKING:
    from gitmemo.remotes import RemoteConfig


@click.command()
@click.argument("name")
@click.option("--remove", is_flag=True, help="Trust it no longer.")
def trust(name: str, remove: bool) -> None:
    """Trust a remote, in this clone only: its values may be unpickled, which can run code.

    Trust holds for the place where the remote is now: its URL, and options such as endpoint_url.
    """
    workspace = find()
    common = workspace.layout.common_dir
    if remove:
        _end(workspace, name)
        return
    config = workspace.remote(name)
    _refuse_inside(workspace, config)
    edit_own(common, setting(("trust", name), config.true_address))
    click.echo(printable(f"trusts {name}: {readable(config.true_address)}"))


def _end(workspace: Workspace, name: str) -> None:
    """Trust a place no longer, also of a remote that is gone, and under whatever name."""
    trusted = workspace.settings.trusted
    address = trusted[name] if name in trusted else workspace.remote(name).true_address
    names = [known for known, place in trusted.items() if place == address]
    changes = [setting(("trust", known), None) for known in names]
    edit_own(workspace.layout.common_dir, *changes)
    said = f"no longer trusts {name}: {readable(address)}" if names else f"{name} was not trusted"
    click.echo(printable(said))


def _refuse_inside(workspace: Workspace, config: RemoteConfig) -> None:
    """Refuse to trust a directory that commits can fill, or that lies among git's own files."""
    if config.protocol is not None:
        return
    folder = config.folder.resolve()
    listed = Git(workspace.root).try_run("worktree", "list", "--porcelain", "-z") or ""
    trees = [
        line.removeprefix("worktree ") for line in listed.split("\0") if line[:9] == "worktree "
    ]
    inner = [workspace.root, workspace.layout.common_dir, *map(Path, trees)]
    if any(folder.is_relative_to(path.resolve()) for path in inner):
        raise RemoteInside(
            config.name,
            f"{folder} lies in this repository, so a commit can put anything there",
            f"gitmemo remote modify {config.name} --url ../PLACE",
        )
