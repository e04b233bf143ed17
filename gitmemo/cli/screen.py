"""What the terminal is like on which a command writes: colours, and a pager.

Not the writing. Invariant: where standard output is no terminal there is no pager, and no escape code
but those that somebody asked for.
"""

from __future__ import annotations

import functools
import os
import sys
from collections.abc import Callable
from typing import ParamSpec, TextIO, TypeVar

import click

from gitmemo.colors import color_wanted

AS_JSON = "gitmemo.json"
"""Where a command notes in its context that it was asked for JSON."""
_NO_PAGER = "gitmemo.no_pager"
_CHOICES = {"always": True, "never": False}
_P = ParamSpec("_P")
_T = TypeVar("_T")


def _note_color(ctx: click.Context, _parameter: click.Parameter, value: str) -> str:
    ctx.color = _CHOICES.get(value, color_wanted())
    return value


def _note_no_pager(ctx: click.Context, _parameter: click.Parameter, value: bool) -> bool:
    ctx.meta[_NO_PAGER] = value
    return value


color_option = click.option(
    "--color",
    type=click.Choice(["auto", "always", "never"]),
    default="auto",
    is_eager=True,
    expose_value=False,
    callback=_note_color,
    help="Colours; auto, if not given: on a terminal, but for NO_COLOR and FORCE_COLOR.",
)

no_pager_option = click.option(
    "--no-pager",
    is_flag=True,
    is_eager=True,
    expose_value=False,
    callback=_note_no_pager,
    help="Write long output to the terminal as it is.",
)


def paged(command: Callable[_P, _T]) -> Callable[_P, _T]:
    """Let a command that reads show what is longer than the screen in a pager."""

    @functools.wraps(command)
    def inner(*args: _P.args, **kwargs: _P.kwargs) -> _T:
        chosen = _pager()
        if chosen is None:
            return command(*args, **kwargs)
        from gitmemo.display.pager import paging

        # As git: leave if it fits, keep colours, leave the text on the screen.
        with paging(chosen, {"LESS": "FRX", "LV": "-c", **os.environ}):
            return command(*args, **kwargs)

    return inner


def is_terminal(stream: TextIO | None) -> bool:
    """Whether a stream is a terminal; one that whoever started the program has closed is none."""
    return stream is not None and stream.isatty()


def _pager() -> str | None:
    """Return the command of the pager that people want here; None for none."""
    from gitmemo.config import is_plain_terminal  # the list of commands needs none of it

    meta = click.get_current_context().meta
    if meta.get(_NO_PAGER) or meta.get(AS_JSON) or is_plain_terminal():
        return None
    if not (is_terminal(sys.stdin) and is_terminal(sys.stdout)):
        return None
    for name in ("GITMEMO_PAGER", "GIT_PAGER", "PAGER"):
        if name in os.environ:
            chosen = os.environ[name].strip()
            return None if chosen in ("", "cat") else chosen
    import shutil  # slow to import, and only people at a terminal need it

    return shutil.which("less")
