"""What the commands of `gitmemo remote` share: reading KEY=VALUE, and changing the settings.

Not the commands. Invariant: a change of the committed settings is staged.
"""

from __future__ import annotations

import click

from gitmemo.config import COMMITTED
from gitmemo.errors import GitmemoError, RemoteInvalid
from gitmemo.git.cli import Git
from gitmemo.remote_tables import HIDDEN, looks_secret
from gitmemo.settings_files import Change, edit, edit_own
from gitmemo.workspace import Workspace

local = click.option(
    "--local", "is_local", is_flag=True, help="In this clone's own settings, which no commit takes."
)
OWN = "this clone's own settings"
MEANT_FOR = "meant_for"


def is_trusted(workspace: Workspace, name: str) -> bool:
    """Whether the remote `name` is trusted where it lies now."""
    try:
        return name in workspace.settings.remotes and workspace.trusts(workspace.remote(name))
    except GitmemoError:  # its settings make no sense, so nothing comes from there
        return False


def option_of(name: str, text: str) -> tuple[str, str]:
    """Return the two sides of KEY=VALUE, given for the remote `name`."""
    key, separator, value = text.partition("=")
    if not separator:
        shown_text = HIDDEN if looks_secret(text) else repr(text)
        raise RemoteInvalid(name, f"{shown_text} is not KEY=VALUE", "write it as KEY=VALUE")
    return key, value


def change(workspace: Workspace, *changes: Change, is_local: bool) -> None:
    """Change the committed settings, or this clone's own."""
    if is_local:
        edit_own(workspace.layout.common_dir, *changes)
    else:
        edit(workspace.root, COMMITTED, *changes)


def staged(workspace: Workspace, *, is_local: bool) -> str:
    """Stage the committed settings if they were changed; say where a change is."""
    if is_local:
        return f"in {OWN}"
    Git(workspace.root).run("add", "--", COMMITTED)
    return f"staged {COMMITTED}"
