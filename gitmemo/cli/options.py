"""Options that several commands share."""

from __future__ import annotations

import sys
from collections.abc import Callable
from typing import TypeVar

import click

from gitmemo.cli.screen import AS_JSON, is_terminal
from gitmemo.errors import Aborted, NotConfirmed


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


class Whole(click.IntRange):
    """A whole number, which click calls an integer range."""

    name = "whole number"


class Number(click.FloatRange):
    """A number, which click calls a float range."""

    name = "number"


yes_option = click.option("-y", "--yes", is_flag=True, help="Do it, and ask nothing.")
dry_run_option = click.option(
    "-n", "--dry-run", is_flag=True, help="Only say what would be done, and ask nothing."
)


def confirm(what: str, *, yes: bool) -> None:
    """Go on if something that takes away is to be done; ask, if `--yes` was not said.

    Raises:
        NotConfirmed: Nobody can be asked.
        Aborted: Somebody said no.
    """
    if yes:
        return
    if not (is_terminal(sys.stdin) and is_terminal(sys.stderr)):
        raise NotConfirmed(what)
    if not click.confirm(f"{what}?", err=True):
        raise Aborted(what, "answer y to do it; --dry-run only says what would be done")


def refuse_both(*, yes: bool, dry_run: bool) -> None:
    """Refuse `--yes` together with `--dry-run`."""
    if yes and dry_run:
        raise click.UsageError("--dry-run does nothing, and --yes does it: say one of them")


user_option = click.option(
    "--user",
    metavar="TEXT",
    help="Only calls committed by somebody whose name or email has TEXT in it.",
)


remote_option = click.option(
    "-r",
    "--remote",
    "asked",
    is_flag=False,
    flag_value="",
    metavar="[NAME]",
    help="Ask a remote too, the default one or NAME: what is not there, and what is not here.",
)

_Command = TypeVar("_Command", bound=Callable[..., object])


def revision_options(command: _Command) -> _Command:
    """Let a command that reads look at another revision: it gets `rev` and `later`."""
    rev = click.option(
        "--rev", metavar="REV", help="Look at this branch, tag or commit, without a checkout."
    )
    later = click.option(
        "--later/--no-later",
        default=True,
        help="With --rev: also calls made with its code and committed later (the default), or not.",
    )
    return rev(later(command))
