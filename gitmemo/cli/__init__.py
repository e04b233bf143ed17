"""The way into the command line: `gitmemo COMMAND`, the git hooks, and what a shell asks for after TAB.

Not the commands (`commands` lists them). Invariant: git waits for a hook twice in every commit,
so a hook loads what it uses, and not what only commands that people type need.
"""

from __future__ import annotations

import os
import sys
from collections.abc import Sequence
from typing import NoReturn


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the command line and return the exit code; see docs/reference.md for the codes."""
    have_streams()
    given = list(sys.argv[1:] if arguments is None else arguments)
    if is_called_by_git(given):
        from gitmemo.cli.hook_run import main as run

        return run(given[2], given[3:])
    if asked := os.environ.get("_GITMEMO_COMPLETE"):
        from gitmemo.cli.completing import main as complete

        return complete(asked)
    from gitmemo.cli.commands import main as command

    return command(given)


def enter() -> NoReturn:
    """Be the program `gitmemo`, also as git's hooks call it."""
    from gitmemo.cli.leaving import leave
    from gitmemo.collector import collect_seldom

    collect_seldom()
    leave(main())


def have_streams() -> None:
    """Let standard streams that whoever started the program has closed lead nowhere.

    Else the next file that is opened would stand in their place.
    """
    for name, mode in (("stdin", "r"), ("stdout", "w"), ("stderr", "w")):
        if getattr(sys, name) is None:
            opened = os.open(os.devnull, os.O_RDWR)
            os.set_inheritable(opened, True)
            setattr(sys, name, os.fdopen(opened, mode, encoding="utf-8"))


def is_called_by_git(arguments: Sequence[str]) -> bool:
    """Whether these are the words of our own hooks: `hook run NAME …`, without an option."""
    return (
        len(arguments) > 2
        and list(arguments[:2]) == ["hook", "run"]
        and not any(argument.startswith("-") for argument in arguments)
    )
