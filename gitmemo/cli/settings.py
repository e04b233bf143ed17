"""`gitmemo config`: what the settings are, who says so, and changing them.

Not what a setting means (`config`). Invariant: nothing is written that could not be read again, secrets
are not shown, and a file whose values make no sense can be looked at and mended here.
"""

from __future__ import annotations

import copy
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import click

from gitmemo.cli.changing import change_settings
from gitmemo.cli.groups import Group
from gitmemo.cli.options import json_option
from gitmemo.config import COMMITTED, LOCAL, environment_variable, merge, read_tables
from gitmemo.display.json_lines import json_line
from gitmemo.display.text import printable
from gitmemo.errors import (
    BadSetting,
    GitmemoError,
    NotInitialised,
    SettingElsewhere,
)
from gitmemo.errors.base import ExitCode
from gitmemo.git.checked_out import refuse_lost
from gitmemo.git.repository import Layout, locate
from gitmemo.remote_tables import HIDDEN, looks_secret, veiled
from gitmemo.setting_values import amounts_said
from gitmemo.settings_files import Written, setting
from gitmemo.settings_keys import (
    KEYS,
    Key,
    flat,
    is_known,
    key_of,
    name_of,
    parts_of,
    read_value,
)

_RESOURCES = "GITMEMO_RESOURCES"
_DEFAULT = "default"

_origin = click.option("--show-origin", is_flag=True, help="Say with each who says so.")
_local = click.option(
    "--local", "is_local", is_flag=True, help="In this clone's own file, which no commit takes."
)


@dataclass(frozen=True, slots=True)
class Row:
    """A setting that holds.

    Attributes:
        value: As it stands in a file; a text, if the environment says it.
        origin: The file or the variable that says it, or `default`.
        is_known: Whether gitmemo reads it at all.
    """

    name: str
    value: Any
    origin: str
    is_known: bool = True

    @property
    def shown(self) -> Any:
        """The value without secrets."""
        if looks_secret(self.name.rpartition(".")[2]):
            return HIDDEN
        return veiled(self.value) if isinstance(self.value, str) else self.value

    def json_line(self) -> str:
        """Return it for programs; dates, which JSON has none of, as texts."""
        fields = {
            "key": self.name,
            "value": self.shown,
            "origin": self.origin,
            "known": self.is_known,
        }
        return json_line(fields, default=str)

    def line(self, *, with_origin: bool) -> str:
        """Return it for people."""
        text = f"{self.name} = {as_text(self.shown)}"
        return printable(f"{self.origin}\t{text}" if with_origin else text)


@click.group(cls=Group, invoke_without_command=True)
@_origin
@json_option
@click.pass_context
def config(ctx: click.Context, show_origin: bool, as_json: bool) -> None:
    """Show the settings that hold here; get, set or unset one.

    A setting is said by the committed file, by this clone's own file, which wins, or by the
    environment, which wins over both. Remotes are changed by `gitmemo remote`.
    """
    if ctx.invoked_subcommand is None:
        _show_all(show_origin=show_origin, as_json=as_json)
    elif show_origin:
        raise click.UsageError(f"write it after {ctx.invoked_subcommand}: --show-origin", ctx)


@config.command("list")
@_origin
@json_option
def listing(show_origin: bool, as_json: bool) -> None:
    """Show every setting that holds here, the defaults too."""
    _show_all(show_origin=show_origin, as_json=as_json)


@config.command()
@click.argument("key")
@_origin
@json_option
def get(key: str, show_origin: bool, as_json: bool) -> int:
    """Show what KEY is; exit with 1 if nobody says it and there is no default."""
    key_of(key)
    found = [row for row in rows(locate()) if row.name == key]
    for row in found:
        said = as_text(row.shown)
        line = printable(f"{row.origin}\t{said}" if show_origin else said)
        click.echo(row.json_line() if as_json else line)
    if not found:
        click.echo(f"{key} is not set, and has no default", err=True)
    return ExitCode.DONE if found else ExitCode.FAILED


@config.command("set")
@click.argument("key")
@click.argument("values", nargs=-1, required=True, metavar="VALUE...")
@_local
def set_(key: str, values: tuple[str, ...], is_local: bool) -> None:
    """Set KEY to VALUE, in the committed file, which is staged; a list takes several values."""
    known = _changeable(key, is_local=is_local)
    _write(key, read_value(known, key, values), is_local=is_local)


@config.command()
@click.argument("key")
@_local
def unset(key: str, is_local: bool) -> int:
    """Take KEY out of the committed file, which is staged; exit with 1 if it is not in it."""
    if is_known(key):
        _changeable(key, is_local=is_local)
    layout = _set_up()
    table = read_tables(layout.root, layout.common_dir)[is_local]
    if key not in dict(flat(table)):
        key_of(key)
        click.echo(f"{key} is not set in {_file(layout, is_local=is_local)}", err=True)
        return ExitCode.FAILED
    _write(key, None, is_local=is_local)
    return 0


def rows(layout: Layout) -> Iterator[Row]:
    """Yield all settings that hold in a repository, those of no known name last.

    Raises:
        BadSetting: A file is not TOML.
    """
    committed, own = read_tables(layout.root, layout.common_dir)
    said = {name: (value, COMMITTED) for name, value in flat(committed)}
    said |= {name: (value, str(layout.common_dir / LOCAL)) for name, value in flat(own)}
    said |= _resources_said()
    for key in KEYS:
        given = environment_variable(key.variable) if key.variable else None
        found = [name for name in said if key.fits(name)]
        if given:
            yield Row(key.name, given, f"environment {key.variable}")
        elif found:
            yield from (Row(name, *said[name]) for name in found)
        elif key.default is not None:
            yield Row(key.name, key.default, _DEFAULT)
    yield from (Row(name, *said[name], is_known=False) for name in said if not is_known(name))


def _resources_said() -> dict[str, tuple[Any, str]]:
    """Return the resources that the environment says, each a setting; as a whole if they make no sense."""
    text = environment_variable(_RESOURCES) or ""
    origin = f"environment {_RESOURCES}"
    try:
        amounts = amounts_said(text)
    except BadSetting:
        return {"run.resources": (text, origin)}
    return {
        name_of(("run", "resources", name)): (int(amount) if amount % 1 == 0 else amount, origin)
        for name, amount in amounts.items()
    }


def as_text(value: Any) -> str:
    """Return a value as people type it."""
    if isinstance(value, list):
        return " ".join(map(as_text, value))
    return str(value).lower() if isinstance(value, bool) else str(value)


def _show_all(*, show_origin: bool, as_json: bool) -> None:
    for row in rows(locate()):
        click.echo(row.json_line() if as_json else row.line(with_origin=show_origin))
        if not row.is_known:
            click.echo(printable(f"{row.origin}: {_of_unknown(row.name)}"), err=True)


def _of_unknown(name: str) -> str:
    try:
        key_of(name)
    except GitmemoError as error:
        return f"{error.problem()}; {error.remedy()}"
    return ""


def _changeable(name: str, *, is_local: bool) -> Key:
    """Return a setting that may be changed in such a file.

    Raises:
        UnknownSetting, SettingElsewhere: There is none of that name, or it is changed otherwise.
    """
    key = key_of(name)
    if key.command:
        raise SettingElsewhere(name, f"use `{key.command}`")
    if is_local and not key.is_own:
        raise SettingElsewhere(name, "it holds for everyone: leave --local out")
    return key


def _set_up() -> Layout:
    layout = locate()
    if not (layout.root / COMMITTED).is_file():
        refuse_lost(layout, COMMITTED)
        raise NotInitialised(str(layout.root))
    return layout


def _file(layout: Layout, *, is_local: bool) -> str:
    return str(layout.common_dir / LOCAL) if is_local else COMMITTED


def _write(name: str, value: Written | None, *, is_local: bool) -> None:
    """Write one value, if the settings make sense with it, and say where it is."""
    layout = _set_up()
    after = copy.deepcopy(read_tables(layout.root, layout.common_dir))
    _refuse_no_table(after[is_local], name)
    setting(parts_of(name), value)(after[is_local])
    _refuse_senseless(after, name)
    change_settings(layout, setting(parts_of(name), value), is_local=is_local)
    said = "is no longer said" if value is None else f"= {as_text(value)}"
    where = _file(layout, is_local=is_local)
    click.echo(printable(f"{name} {said} in {where}{'' if is_local else ' (staged)'}"), err=True)
    holding = next((row for row in rows(layout) if row.name == name), None)
    if holding is not None and holding.origin.startswith("environment"):
        click.echo(printable(f"{holding.origin} still says {as_text(holding.shown)}"), err=True)


def _refuse_no_table(table: dict[str, Any], name: str) -> None:
    """Refuse to write below what is no table.

    Raises:
        BadSetting: It stands where one has to be.
    """
    *above, _ = parts_of(name)
    for at, part in enumerate(above):
        found = table.get(part, {})
        if not isinstance(found, dict):
            raise BadSetting(".".join(above[: at + 1]), found, ("a table",))
        table = found


def _refuse_senseless(tables: tuple[dict[str, Any], dict[str, Any]], name: str) -> None:
    """Refuse a value that makes no sense; what is wrong with others is only said.

    Raises:
        BadSetting: What is wrong with the setting `name`.
    """
    try:
        merge(*tables, {})
    except BadSetting as error:
        if error.name == name or name.startswith(f"{error.name}."):
            raise
        click.echo(f"still wrong: {printable(error.problem())}", err=True)
    except GitmemoError as error:
        click.echo(f"still wrong: {printable(error.problem())}", err=True)
