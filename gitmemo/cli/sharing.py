"""Commands that share: `push`, `pull`, `fetch`; what their words mean.

Not what is done then (`transfers`). Invariant: a push sends values first and git last, so that
nobody sees a history whose values are still on the way; a pull the other way round.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from functools import partial, wraps
from typing import TYPE_CHECKING, Concatenate, ParamSpec, TypeVar

import click

from gitmemo.cli.options import Whole, dry_run_option, json_option
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
from gitmemo.display.json_lines import json_line
from gitmemo.errors import RemoteUnknown, TargetAmbiguous, TargetUnknown, UnknownOp
from gitmemo.errors.base import ExitCode
from gitmemo.quantities import count, size
from gitmemo.workspace import Workspace, find

if TYPE_CHECKING:
    from gitmemo.remotes import RemoteConfig

_MOST_JOBS = 64
_Command = TypeVar("_Command", bound=Callable[..., object])
_Rest = ParamSpec("_Rest")
_Code = TypeVar("_Code")
"""The exit code of a command, if it says one."""


@dataclass(frozen=True, slots=True)
class _Asked:
    """Which values of which remote, and how to tell of it.

    Attributes:
        targets: Names of ops; the first may name the remote.
        remote: The remote, if it is said apart from them.
    """

    targets: tuple[str, ...]
    remote: str | None
    revs: tuple[str, ...]
    everything: bool
    is_quiet: bool
    as_json: bool

    @property
    def says_little(self) -> bool:
        """Whether only what is wrong is told on the way."""
        return self.is_quiet or self.as_json


def _choosing(command: Callable[Concatenate[_Asked, _Rest], _Code]) -> Callable[..., _Code]:
    """Let a command choose a remote and values."""

    @wraps(command)
    def asked(
        targets: tuple[str, ...],
        remote_name: str | None,
        revs: tuple[str, ...],
        everything: bool,
        quiet: bool,
        as_json: bool,
        *rest: _Rest.args,
        **options: _Rest.kwargs,
    ) -> _Code:
        words = _Asked(targets, remote_name, revs, everything, quiet, as_json)
        return command(words, *rest, **options)

    choosing: Callable[..., _Code] = asked
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
        choosing = option(choosing)
    return choosing


def _moving(command: _Command) -> _Command:
    """Let a command that moves values say how."""
    for option in (
        dry_run_option,
        click.option(
            "-j",
            "--jobs",
            type=Whole(1, _MOST_JOBS),
            help="Transfers at once; together they hold about 64 MB in memory.",
        ),
    ):
        command = option(command)
    return command


@click.command()
@_choosing
@_moving
@click.option("--anew", is_flag=True, help="Begin anew a remote whose directory is gone for good.")
def push(asked: _Asked, dry_run: bool, jobs: int | None, anew: bool) -> None:
    """Send the values of this world to a remote, then function histories to git.

    The first word may name the remote; the others name ops: then only the inputs and outputs of
    their calls are sent. Calls and code travel with `git push`.
    """
    from gitmemo.sync.choice import Choice
    from gitmemo.sync.spilled import spilled_segments

    workspace = find()
    task = _task(workspace, asked)
    task.wanted.extend(spilled_segments(workspace, Choice(asked.revs, asked.everything)))
    send = tell_push if dry_run else push_values
    fields = send(task, jobs, anew=anew, quiet=asked.says_little)
    fields |= push_histories(workspace, dry_run=dry_run, quiet=asked.says_little)
    _tell(fields, as_json=asked.as_json)


@click.command()
@_choosing
@_moving
def pull(asked: _Asked, dry_run: bool, jobs: int | None) -> int:
    """Fetch function histories from git, and the values of this world from a remote.

    The first word may name the remote; the others name ops: then only the inputs and outputs of
    their calls are fetched. The calls themselves come with `git pull`.
    """
    from gitmemo.sync.choice import Choice
    from gitmemo.sync.spilled import absent_segments

    workspace = find()
    # First, as decisions and texts may be needed to read what the values belong to.
    fields = {} if dry_run else fetch_histories(workspace, quiet=asked.says_little)
    # They say which values there are.
    segments = absent_segments(workspace, Choice(asked.revs, asked.everything))
    if segments:
        config = workspace.remote(_first_remote(workspace, asked))
        fields |= _pull_segments(
            Task(workspace, config, segments), jobs, dry_run=dry_run, quiet=asked.says_little
        )
        if dry_run:
            _tell(fields, as_json=asked.as_json)
            return 0
    task = _task(workspace, asked, only_missing=True)
    fields |= (tell_pull if dry_run else pull_values)(task, jobs, quiet=asked.says_little)
    _tell(fields, as_json=asked.as_json)
    is_incomplete = fields.get("missing") and not dry_run
    return ExitCode.DAMAGED if is_incomplete else ExitCode.DONE


@click.command()
@_choosing
def fetch(asked: _Asked) -> None:
    """Fetch function histories from git, and look what a remote holds; no values.

    As after `git fetch`, nothing that you see has changed; `gitmemo pull` fetches values.
    """
    workspace = find()
    fields = fetch_histories(workspace, quiet=asked.says_little)
    task = _task(workspace, asked)
    if task.config is not None:
        fields |= compare(task, task.config, quiet=asked.says_little)
    _tell(fields, as_json=asked.as_json)


# --- what is meant ---------------------------------------------------------------


def _task(workspace: Workspace, asked: _Asked, *, only_missing: bool = False) -> Task:
    from gitmemo.sync.advice import command
    from gitmemo.sync.choice import Choice, chosen

    name, ops = _aim(workspace, asked)
    if name is not None:
        workspace.remote(name)  # a name that is none is said before anything is read
    try:
        wanted = chosen(workspace, Choice(asked.revs, asked.everything, ops))
    except UnknownOp as error:
        if error.ambiguous or f"op:{error.name}" in asked.targets:
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
        partial(command, revs=asked.revs, everything=asked.everything, ops=ops, remote=name),
    )


def _pull_segments(task: Task, jobs: int | None, *, dry_run: bool, quiet: bool) -> Fields:
    if not quiet:
        total = size(sum(item.size for item in task.wanted))
        click.echo(f"{count(len(task.wanted), 'spilled segment')} ({total}):")
    if dry_run:
        click.echo("what values they name is known when they are here", err=True)
    found = (tell_pull if dry_run else pull_values)(task, jobs, quiet=quiet)
    return {"segments": found}


def _first_remote(workspace: Workspace, asked: _Asked) -> str | None:
    """Return the name of the remote, as `_aim` does where it cannot be an op's too."""
    targets = asked.targets
    if asked.remote is None and targets and targets[0] in workspace.settings.remotes:
        return targets[0]
    return asked.remote


def _aim(workspace: Workspace, asked: _Asked) -> tuple[str | None, tuple[str, ...]]:
    """Return the name of the remote, None for the default, and those of the ops."""
    words, name = list(asked.targets), _first_remote(workspace, asked)
    if name is not None and asked.remote is None:
        del words[0]
        if _is_op(workspace, name):
            raise TargetAmbiguous(name)
    return name, tuple(word.removeprefix("op:") for word in words)


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
        click.echo(json_line(fields))
