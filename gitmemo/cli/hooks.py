"""The command `hook`: what git's hooks call, and how they are installed.

Not what a hook does (`hook_run`). Invariant: `gitmemo hook status` succeeds only where every hook
can run.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING

import click

from gitmemo.cli.groups import Group
from gitmemo.cli.hook_run import REFUSED, run_hook
from gitmemo.cli.options import json_option
from gitmemo.display.json_lines import json_line
from gitmemo.display.text import printable
from gitmemo.errors import HookRefused

if TYPE_CHECKING:
    from gitmemo.git.hookfiles import HookFound


@click.group(cls=Group)
def hook() -> None:
    """Install, run or remove the git hooks."""


@hook.command(context_settings={"ignore_unknown_options": True})
@click.argument("name")
@click.argument("arguments", nargs=-1, type=click.UNPROCESSED)
@click.option("--no-export", is_flag=True, help="Put no calls into the commit; they stay pending.")
@click.option("--check", is_flag=True, help="Ask nothing: fail if a change is undecided.")
def run(name: str, arguments: tuple[str, ...], no_export: bool, check: bool) -> int:
    """Do what the git hook NAME is for. Called by the hook, not by people."""
    return run_hook(name, arguments, exports=not (no_export or check), checks=check)


@hook.command()
def install() -> None:
    """Install the hooks, or repair them after Python or gitmemo moved."""
    from gitmemo.commits.setup import install_hooks

    for line in install_hooks():
        click.echo(line)


@hook.command()
def uninstall() -> None:
    """Remove gitmemo's hooks and put back those that were there before."""
    from gitmemo.commits.setup import remove_hooks

    for line in remove_hooks():
        click.echo(line)


@hook.command()
@json_option
def status(as_json: bool) -> int:
    """Say which hooks are installed, whether they can run, and what to do about it."""
    from gitmemo.git.hookfiles import SOUND, HookState, hooks_folder, inspect, plan_install
    from gitmemo.git.repository import locate

    layout = locate()
    found = inspect(layout)
    is_sound = all(one.state in SOUND for one in found)
    if as_json:
        for one in found:
            click.echo(json_line(_fields(one)))
        return 0 if is_sound else REFUSED
    click.echo(f"hooks in {printable(str(hooks_folder(layout)))}")
    for line in _described(found):
        click.echo(line)
    for python in sorted({one.python for one in found if one.state is HookState.GONE}):
        click.echo(f"{printable(python)} is gone: without it hooks look for `gitmemo` on PATH")
    if is_sound:
        return 0
    try:
        plan_install(layout)
    except HookRefused as error:
        click.echo(f"{error.reason}: `gitmemo hook install` prints lines to add by hand")
    else:
        click.echo("`gitmemo hook install` installs and repairs them")
    return REFUSED


def _fields(one: HookFound) -> dict[str, object]:
    return {
        "hook": one.name,
        "path": str(one.path),
        "state": one.state.name.lower().replace("_", "-"),
        "said": one.state.value,
        "python": one.python or None,
        "earlier": None if one.earlier is None else str(one.earlier),
    }


def _described(found: Sequence[HookFound]) -> Iterator[str]:
    width = max(len(one.name) for one in found)
    for one in found:
        said = [one.state.value]
        if one.path.name != one.name:
            said.append(f"called by the pre-commit framework as {one.path.name}")
        if one.earlier is not None:
            said.append(f"runs {one.earlier.name} first")
        yield f"  {one.name:{width}}  {'; '.join(said)}"
