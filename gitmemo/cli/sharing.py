"""Commands that share: `push`, `pull`, `fetch`; what their words mean.

Not what is done then (`transfers`). Invariant: a push sends values first and git last, so that
nobody sees a history whose values are still on the way; a pull the other way round.
"""

from __future__ import annotations

import json
from collections.abc import Callable
from functools import partial
from typing import TYPE_CHECKING, TypeVar

import click

from gitmemo.cli.options import json_option
from gitmemo.cli.transfers import (
    Fields,
    Task,
    compare,
    fetch_histories,
    pull_values,
    push_histories,
    push_values,
    tell_pull,
    tell_push,
)
from gitmemo.errors import RemoteUnknown, TargetAmbiguous, TargetUnknown, UnknownOp
from gitmemo.quantities import count, size
from gitmemo.workspace import Workspace, find

if TYPE_CHECKING:
    from gitmemo.remotes import RemoteConfig

_MOST_JOBS = 64
_MISSING = 4
_Command = TypeVar("_Command", bound=Callable[..., object])


def _choosing(command: _Command) -> _Command:
    """Let a command choose a remote and values."""
    for option in (
        click.argument("targets", nargs=-1, metavar="[NAME] [[op:]OP]…"),
        click.option("-r", "--remote", "remote_name", metavar="NAME", help="The remote."),
        click.option(
            "--rev",
            "revs",
            multiple=True,
            metavar="REV",
            help="The values of this branch, tag or commit instead; may be given several times.",
        ),
        click.option(
            "--all",
            "everything",
            is_flag=True,
            help="The values of every branch and tag, and of all pending calls.",
        ),
        click.option("-q", "--quiet", is_flag=True, help="Say only what is wrong."),
        json_option,
    ):
        command = option(command)
    return command


def _moving(command: _Command) -> _Command:
    """Let a command that moves values say how."""
    for option in (
        click.option("-n", "--dry-run", is_flag=True, help="Only say what would be done."),
        click.option(
            "-j",
            "--jobs",
            type=click.IntRange(1, _MOST_JOBS),
            help="Transfers at once; together they hold about 64 MB in memory.",
        ),
    ):
        command = option(command)
    return command


@click.command()
@_choosing
@_moving
def push(
    targets: tuple[str, ...],
    remote_name: str | None,
    revs: tuple[str, ...],
    everything: bool,
    dry_run: bool,
    jobs: int | None,
    quiet: bool,
    as_json: bool,
) -> None:
    """Send the values of this world to a remote, then function histories to git.

    The first word may name the remote; the others name ops: then only the inputs and outputs of
    their calls are sent. Calls and code travel with `git push`.
    """
    from gitmemo.sync.choice import Choice
    from gitmemo.sync.spilled import spilled_segments

    workspace = find()
    task = _task(workspace, targets, remote_name, revs, everything)
    task.wanted.extend(spilled_segments(workspace, Choice(revs, everything)))
    fields = (tell_push if dry_run else push_values)(task, jobs, quiet=quiet or as_json)
    fields |= push_histories(workspace, dry_run=dry_run, quiet=quiet or as_json)
    _tell(fields, as_json=as_json)


@click.command()
@_choosing
@_moving
def pull(
    targets: tuple[str, ...],
    remote_name: str | None,
    revs: tuple[str, ...],
    everything: bool,
    dry_run: bool,
    jobs: int | None,
    quiet: bool,
    as_json: bool,
) -> int:
    """Fetch function histories from git, and the values of this world from a remote.

    The first word may name the remote; the others name ops: then only the inputs and outputs of
    their calls are fetched. The calls themselves come with `git pull`.
    """
    from gitmemo.sync.choice import Choice
    from gitmemo.sync.spilled import absent_segments

    workspace = find()
    said = quiet or as_json
    # First, as decisions and texts may be needed to read what the values belong to.
    fields = {} if dry_run else fetch_histories(workspace, quiet=said)
    # They say which values there are.
    segments = absent_segments(workspace, Choice(revs, everything))
    if segments:
        config = workspace.remote(_first_remote(workspace, targets, remote_name))
        fields |= _pull_segments(
            Task(workspace, config, segments), jobs, dry_run=dry_run, quiet=said
        )
        if dry_run:
            _tell(fields, as_json=as_json)
            return 0
    task = _task(workspace, targets, remote_name, revs, everything, only_missing=True)
    fields |= (tell_pull if dry_run else pull_values)(task, jobs, quiet=said)
    _tell(fields, as_json=as_json)
    return _MISSING if fields.get("missing") and not dry_run else 0


@click.command()
@_choosing
def fetch(
    targets: tuple[str, ...],
    remote_name: str | None,
    revs: tuple[str, ...],
    everything: bool,
    quiet: bool,
    as_json: bool,
) -> None:
    """Fetch function histories from git, and look what a remote holds; no values.

    As after `git fetch`, nothing that you see has changed; `gitmemo pull` fetches values.
    """
    workspace = find()
    fields = fetch_histories(workspace, quiet=quiet or as_json)
    task = _task(workspace, targets, remote_name, revs, everything)
    if task.config is not None:
        fields |= compare(task, task.config, quiet=quiet or as_json)
    _tell(fields, as_json=as_json)


# --- what is meant ---------------------------------------------------------------


def _task(
    workspace: Workspace,
    targets: tuple[str, ...],
    remote_name: str | None,
    revs: tuple[str, ...],
    everything: bool,
    *,
    only_missing: bool = False,
) -> Task:
    from gitmemo.sync.advice import command
    from gitmemo.sync.choice import Choice, chosen

    name, ops = _aim(workspace, targets, remote_name)
    if name is not None:
        workspace.remote(name)  # a name that is none is said before anything is read
    try:
        wanted = chosen(workspace, Choice(revs, everything, ops))
    except UnknownOp as error:
        if error.ambiguous or f"op:{error.name}" in targets:
            raise
        near = error.candidates[0] if error.candidates else None
        raise TargetUnknown(error.name, tuple(workspace.settings.remotes), near) from None
    is_needed = bool(wanted)
    if only_missing:
        is_needed = bool(workspace.world.blobs.missing({item.blob for item in wanted}))
    return Task(
        workspace,
        _remote(workspace, name, needed=is_needed),
        wanted,
        partial(command, revs=revs, everything=everything, ops=ops, remote=name),
    )


def _pull_segments(task: Task, jobs: int | None, *, dry_run: bool, quiet: bool) -> Fields:
    if not quiet:
        total = size(sum(item.size for item in task.wanted))
        click.echo(f"{count(len(task.wanted), 'spilled segment')} ({total}):")
    if dry_run:
        click.echo("what values they name is known when they are here", err=True)
    found = (tell_pull if dry_run else pull_values)(task, jobs, quiet=quiet)
    return {"segments": found}


def _first_remote(
    workspace: Workspace, targets: tuple[str, ...], remote_name: str | None
) -> str | None:
    """Return the name of the remote, as `_aim` does where it cannot be an op's too."""
    if remote_name is None and targets and targets[0] in workspace.settings.remotes:
        return targets[0]
    return remote_name


def _aim(
    workspace: Workspace, targets: tuple[str, ...], remote_name: str | None
) -> tuple[str | None, tuple[str, ...]]:
    """Return the name of the remote, None for the default, and those of the ops."""
    words = list(targets)
    if remote_name is None and words and words[0] in workspace.settings.remotes:
        remote_name = words.pop(0)
        if _is_op(workspace, remote_name):
            raise TargetAmbiguous(remote_name)
    return remote_name, tuple(word.removeprefix("op:") for word in words)


def _is_op(workspace: Workspace, word: str) -> bool:
    from gitmemo.query import resolve_op

    workspace.world.enter()
    try:
        resolve_op(word, workspace.world.ops(), workspace.world.renames().former_ops())
    except UnknownOp as error:
        return error.ambiguous
    return True


def _remote(workspace: Workspace, name: str | None, *, needed: bool) -> RemoteConfig | None:
    """Return the remote, or None where none is configured and nothing needs one."""
    try:
        return workspace.remote(name)
    except RemoteUnknown:
        if name is not None or needed:
            raise
        return None


def _tell(fields: Fields, *, as_json: bool) -> None:
    if as_json:
        click.echo(json.dumps(fields, ensure_ascii=False))
