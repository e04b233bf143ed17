"""`gitmemo deps`: what calls depend on beyond what is seen."""

from __future__ import annotations

import click

from gitmemo.cli.depending import add, remove


@click.group()
def deps() -> None:
    """Say what the calls of an op depend on."""


deps.add_command(add)
deps.add_command(remove)
