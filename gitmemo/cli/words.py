"""The table of all words of the command line, made from the commands themselves.

Not read by anything but the test that compares it with `words.json`, and `gitmemo completion` never loads
it. Invariant: every command and option is in it.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import click

# (command, parameter) to the kind of name that it takes; "" is any command.
_KINDS = {
    ("", "op"): "op",
    ("", "ops"): "op",
    ("", "rev"): "rev",
    ("", "revs"): "rev",
    ("", "remote_name"): "remote",
    ("", "asked"): "remote",
    ("calls", "ops"): "op or tag",
    ("check", "target"): "op",
    ("config get", "key"): "key",
    ("config set", "key"): "changed key",
    ("config unset", "key"): "changed key",
    ("df", "ops"): "op or tag",
    ("diff", "first"): "rev",
    ("diff", "second"): "rev",
    ("drop", "targets"): "selection",
    ("drop", "version"): "id",
    ("fetch", "targets"): "target",
    ("graph", "ops"): "op or tag",
    ("log", "target"): "op",
    ("pull", "targets"): "target",
    ("push", "targets"): "target",
    ("remote check", "name"): "remote",
    ("remote default", "name"): "remote",
    ("remote gc", "name"): "remote",
    ("remote key", "name"): "remote",
    ("remote modify", "name"): "remote",
    ("remote remove", "name"): "remote",
    ("remote rename", "old"): "remote",
    ("remote show", "name"): "remote",
    ("remote trust", "name"): "remote",
    ("report", "ops"): "op or tag",
    ("serve", "ops"): "op or tag",
    ("show", "ident"): "id",
    ("tag", "name"): "tag",
    ("tag", "what"): "id",
}


def table_of(group: click.Group) -> dict[str, Any]:
    """Return the words of a group and of all that is below it, by path."""
    return {path: _entry(path, command) for path, command in walk(group)}


def walk(command: click.Command, path: str = "") -> Iterator[tuple[str, click.Command]]:
    """Yield each command with the words that lead to it."""
    yield path, command
    if isinstance(command, click.Group):
        ctx = click.Context(command)
        for name in command.list_commands(ctx):
            below = command.get_command(ctx, name)
            if below is not None:
                yield from walk(below, f"{path} {name}".strip())


def _entry(path: str, command: click.Command) -> dict[str, Any]:
    parameters = command.params  # `--help` is added by click
    return {
        "group": isinstance(command, click.Group),
        "help": command.get_short_help_str(80),
        "options": [
            {
                "names": [*parameter.opts, *parameter.secondary_opts],
                "flag": parameter.is_flag,
                "many": parameter.multiple,
                "help": parameter.help or "",
                **_taken(path, parameter),
            }
            for parameter in parameters
            if isinstance(parameter, click.Option)
        ],
        "arguments": [
            {"name": parameter.name, "many": parameter.nargs == -1, **_taken(path, parameter)}
            for parameter in parameters
            if isinstance(parameter, click.Argument)
        ],
    }


def _taken(path: str, parameter: click.Parameter) -> dict[str, Any]:
    name = parameter.name or ""
    kind = _KINDS.get((path, name)) or _KINDS.get(("", name), "")
    choices = list(parameter.type.choices) if isinstance(parameter.type, click.Choice) else []
    if isinstance(parameter.type, click.Path):
        kind = "file" if parameter.type.file_okay else "folder"
    return {"kind": kind, "choices": choices}
