"""What the commands of `gitmemo remote` share: reading KEY=VALUE, and changing the settings.

Not the commands. Invariant: a change of the committed settings is staged.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import TYPE_CHECKING

import click

from gitmemo.cli.changing import OWN, change_settings
from gitmemo.config import COMMITTED, Settings
from gitmemo.display.text import printable
from gitmemo.errors import GitmemoError, RemoteInvalid
from gitmemo.remote_tables import HIDDEN, looks_secret
from gitmemo.settings_files import Change
from gitmemo.workspace import Workspace

if TYPE_CHECKING:
    from gitmemo.remotes import RemoteConfig

local = click.option(
    "--local", "is_local", is_flag=True, help="In this clone's own settings, which no commit takes."
)
force = click.option(
    "--force", "is_forced", is_flag=True, help="Take options that are not known here."
)
MEANT_FOR = "meant_for"


def leftovers(settings: Settings) -> list[str]:
    """Return the names of which this clone says something, and that are no remotes."""
    return sorted({*settings.own_remotes, *settings.keys} - settings.remotes.keys())


def tell_leftovers(settings: Settings) -> None:
    """Say what this clone says of names that are no remotes, and what may be done about it."""
    for name in leftovers(settings):
        said = sorted(settings.own_remotes.get(name, {}))
        said += ["its key"] if name in settings.keys else []
        click.echo(
            printable(
                f"this clone says something of {name} ({', '.join(said)}), and no such remote is "
                "committed here: is it on another branch? If it was renamed: gitmemo remote rename "
                f"{name} NEW; if it is gone: gitmemo remote remove --local {name}"
            ),
            err=True,
        )


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


def refuse_misspelt(name: str, url: str, options: Iterable[str], *, is_local: bool) -> None:
    """Refuse options that no driver for such an address is known to take.

    Raises:
        RemoteInvalid: There is one.
    """
    from gitmemo.remotes.config import protocol_of
    from gitmemo.remotes.protocols import refuse_unknown

    # What must not be committed is refused for that, however it is spelt.
    asked = [option for option in options if is_local or not looks_secret(option)]
    refuse_unknown(name, protocol_of(url), asked)


def refuse_foreign(config: RemoteConfig) -> None:
    """Refuse a directory that holds other things: a remote would lie among them.

    Raises:
        RemoteInvalid: It is no remote, and not empty.
    """
    from gitmemo.remotes.layout import FOLDERS, MARKER

    if config.protocol is not None:
        return
    try:
        names = sorted(path.name for path in config.folder.iterdir())
    except OSError:  # it is not there yet, or not today: the first push makes it, or fails
        return
    foreign = [name for name in names if name not in FOLDERS and not name.startswith(".")]
    if not foreign or MARKER in names or foreign == ["lost+found"]:
        return
    shown = ", ".join(foreign[:3]) + (", …" if len(foreign) > 3 else "")
    place = str(config.folder.resolve())
    raise RemoteInvalid(
        config.name,
        f"the directory {place} holds other things ({shown}), and no gitmemo remote",
        f"name an empty folder, or one that is not there yet, such as {place}/gitmemo",
    )


def doubts(workspace: Workspace, config: RemoteConfig) -> Iterator[str]:
    """Yield what speaks against a directory as a remote, though it may be meant."""
    if config.protocol is not None:
        return
    folder = config.folder.resolve()
    if folder.is_relative_to(workspace.root.resolve()):
        yield (
            "it lies in this work tree: `git add .` would commit the values, and it cannot be "
            f"trusted; a folder beside it is better: gitmemo remote modify {config.name} --url ../PLACE"
        )
    if not folder.parent.is_dir():
        yield f"there is no folder {folder.parent} here: pushes fail until it is there"


def change(workspace: Workspace, *changes: Change, is_local: bool) -> None:
    """Change this clone's own settings, or the committed ones and stage them."""
    change_settings(workspace.layout, *changes, is_local=is_local)


def place_said(*, is_local: bool) -> str:
    """Say where a change is."""
    return f"in {OWN}" if is_local else f"staged {COMMITTED}"
