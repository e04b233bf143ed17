"""`gitmemo remote key`: the keys that sign what is shared, in this clone only."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import click

from gitmemo.cli.options import json_option
from gitmemo.display.json_lines import json_line
from gitmemo.plain_files import replace_file
from gitmemo.settings_files import edit_own, setting
from gitmemo.signing_keys import KeyTable, SigningKey, key_at, new_key
from gitmemo.workspace import Workspace, find

_OURS_ALONE = 0o600
_FOLDER = "gitmemo/keys"


@click.command()
@click.argument("name")
@click.option("--generate", is_flag=True, help="Make a key, and sign with it.")
@click.option(
    "--file",
    "path",
    type=click.Path(path_type=Path),
    help="Take the key that somebody handed over.",
)
@click.option("--required/--optional", default=None, help="Refuse values without a signature.")
@click.option("--forget", metavar="ID", help="Trust this key no longer.")
@click.option("--remove", is_flag=True, help="Use no key.")
@json_option
def key(
    name: str,
    generate: bool,
    path: Path | None,
    required: bool | None,
    forget: str | None,
    remove: bool,
    as_json: bool,
) -> None:
    """Sign what is pushed to a remote, and trust what others with the same key have signed.

    A new key signs from now on; the ones before stay trusted until they are forgotten. Keys lie in
    this clone's own folder, which no commit takes. Without options: show which keys there are.
    """
    workspace = find()
    workspace.remote(name)
    if sum((generate, path is not None, forget is not None, remove)) > 1:
        raise click.UsageError("one of --generate, --file, --forget and --remove")
    table = before = workspace.settings.keys.get(name, KeyTable())
    if generate or path is not None:
        table = _with(workspace, table, new_key() if path is None else key_at(path))
    if forget is not None:
        table = _without(table, forget)
    if remove:
        table = KeyTable()
    if required is not None:
        table = replace(table, required=required)
    if table != before:
        _edit(workspace, name, table)
    if as_json:
        fields = {"keys": table.files, "signs": table.sign, "required": table.required}
        click.echo(json_line({"remote": name, **fields}))
        return
    _say(name, table)
    if generate and table.sign is not None:
        click.echo(
            f"give {table.files[table.sign]} to the others over a channel that you trust (not git, "
            f"not the remote); they run: gitmemo remote key {name} --file FILE"
        )


def _with(workspace: Workspace, table: KeyTable, made: SigningKey) -> KeyTable:
    folder = workspace.layout.common_dir.resolve()
    place = f"{_FOLDER}/{made.id}.key"
    replace_file(folder, place, made.text().encode("ascii"), _OURS_ALONE)
    return replace(table, files={**table.files, made.id: str(folder / place)}, sign=made.id)


def _without(table: KeyTable, forgotten: str) -> KeyTable:
    known = [key_id for key_id in table.files if key_id.startswith(forgotten)]
    if len(known) != 1 or not forgotten:
        raise click.UsageError(f"{forgotten!r} is not the beginning of one of the keys here")
    files = {key_id: path for key_id, path in table.files.items() if key_id != known[0]}
    return replace(table, files=files, sign=table.sign if table.sign in files else None)


def _edit(workspace: Workspace, name: str, table: KeyTable) -> None:
    edit_own(workspace.layout.common_dir, setting(("keys", name), table.as_table() or None))


def _say(name: str, table: KeyTable) -> None:
    for key_id, path in table.files.items():
        what = "signs and is trusted" if key_id == table.sign else "is trusted"
        click.echo(f"{name}: the key {key_id} {what} ({path})")
    if not table.files:
        click.echo(f"{name}: no key; values that need unpickling need a trusted remote")
    if table.required:
        click.echo(f"{name}: values without a signature are refused")
