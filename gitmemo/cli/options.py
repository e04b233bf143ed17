"""Options that several commands share."""

from __future__ import annotations

import click

from gitmemo.cli import AS_JSON


def _note(ctx: click.Context, _parameter: click.Parameter, value: bool) -> bool:
    ctx.meta[AS_JSON] = value
    return value


json_option = click.option(
    "--json",
    "as_json",
    is_flag=True,
    callback=_note,
    is_eager=True,
    help="Print one JSON object per line; errors too.",
)
