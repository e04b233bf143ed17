"""What `push`, `pull` and `fetch` do and say: values to and from remotes, histories to and from git.

Not which values (`sharing`). Invariant: results go to standard output, what is missing or wrong
to standard error, also where nothing else is said.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import contextmanager, nullcontext, suppress
from dataclasses import dataclass
from typing import TYPE_CHECKING, TypeAlias

import click

from gitmemo.display.progress import TransferLine
from gitmemo.display.text import printable
from gitmemo.errors import RemoteDenied, RemoteReadOnly
from gitmemo.quantities import count, size
from gitmemo.workspace import Workspace, remote_cache

if TYPE_CHECKING:
    from gitmemo.history import FetchReport
    from gitmemo.remotes import PullPlan, PullReport, PushPlan, PushReport, RemoteConfig, WantedBlob
    from gitmemo.remotes.pushing import Withheld

_ALL_IN_GIT = "nothing to send: what there is stands in the commits, and goes with `git push`"
Fields: TypeAlias = dict[str, object]
"""What a command has to say, as plain data."""


@dataclass(frozen=True, slots=True)
class Task:
    """What a command is about.

    Attributes:
        config: None where no remote is configured and nothing needs one.
        command: Gives the command that pushes or pulls just these values.
    """

    workspace: Workspace
    config: RemoteConfig | None
    wanted: list[WantedBlob]
    command: Callable[[str], str] = "gitmemo {}".format


def push_values(task: Task, jobs: int | None, *, quiet: bool, anew: bool = False) -> Fields:
    """Send what the remote lacks; `anew` where what was seen there may be gone."""
    from gitmemo import remotes
    from gitmemo.memo.clone_trust import CloneTrust

    config, workspace = task.config, task.workspace
    if config is None:
        return {"remote": None}
    cache = remote_cache(workspace.layout, config)
    if anew:
        remotes.forget_seen(config, cache)
    known = remotes.known_on(config, cache)
    unsent = {item.blob: item for item in task.wanted if item.blob not in known}
    with _line(f"{config.name}: sending", unsent.values(), quiet=quiet) as line:
        report = remotes.push(
            workspace.world.blobs,
            remotes.open_remote(config, workspace.root, workspace.keys(config.name)),
            task.wanted,
            cache=cache,
            jobs=jobs or remotes.JOBS,
            progress=line,
            trusts=CloneTrust(workspace).covers,
        )
    if report.sent or report.already_there:
        from gitmemo.cleaning.remote import identity

        remote = remotes.open_remote(config, workspace.root)
        with nullcontext() if report.sent else suppress(RemoteDenied, RemoteReadOnly):
            remotes.register(remote, identity(workspace.layout))
    _said(_sent(config, report, task.wanted), quiet=quiet)
    _warn_absent(report.absent)
    _warn_withheld(report.withheld)
    return {
        "remote": config.name,
        "sent": report.sent,
        "sent_bytes": report.sent_bytes,
        "already_there": report.already_there,
        "absent": len(report.absent),
        "withheld": len(report.withheld),
    }


def _sent(config: RemoteConfig, report: PushReport, wanted: Sequence[WantedBlob]) -> str:
    if not wanted:
        return f"{config.name}: {_ALL_IN_GIT}"
    if not report.sent and report.already_there:
        return (
            f"{config.name}: nothing to send: {count(report.already_there, 'value')} already there"
        )
    return (
        f"{config.name}: sent {count(report.sent, 'value')} ({size(report.sent_bytes)}), "
        f"{report.already_there} already there"
    )


def tell_push(task: Task, jobs: int | None, *, quiet: bool, anew: bool = False) -> Fields:
    """Say what a push would send."""
    from gitmemo import remotes
    from gitmemo.memo.clone_trust import CloneTrust

    config, workspace = task.config, task.workspace
    if config is None:
        return {"remote": None}
    plan, absent, withheld = remotes.planned_push(
        workspace.world.blobs,
        remotes.open_remote(config, workspace.root),
        task.wanted,
        cache=None if anew else remote_cache(workspace.layout, config),
        jobs=jobs or remotes.JOBS,
        trusts=CloneTrust(workspace).covers,
    )
    _said(
        f"{config.name}: {_ALL_IN_GIT}"
        if not task.wanted
        else f"{config.name}: would send {count(plan.blobs, 'value')} ({size(plan.size_bytes)}) in "
        f"{_objects(len(plan.packs), len(plan.singles))}, {plan.already_there} already there",
        quiet=quiet,
    )
    _warn_absent(absent)
    _warn_withheld(withheld)
    return {
        "dry_run": True,
        "remote": config.name,
        **_of_plan(plan),
        "send": plan.blobs,
        "send_bytes": plan.size_bytes,
        "already_there": plan.already_there,
        "absent": len(absent),
        "withheld": len(withheld),
    }


def pull_values(task: Task, jobs: int | None, *, quiet: bool) -> Fields:
    """Fetch what is not on this machine."""
    from gitmemo import remotes

    config, workspace = task.config, task.workspace
    if config is None:
        return _no_remote()
    from gitmemo.blobs.home import notes_folder
    from gitmemo.memo.clone_trust import awaiting_trust, untrusted_here
    from gitmemo.remotes.origins import note_origin

    blobs = workspace.world.blobs
    again = untrusted_here(workspace, config, task.wanted)
    absent = again | blobs.missing({item.blob for item in task.wanted})
    missing = {item.blob: item for item in task.wanted if item.blob in absent}
    note_origin(notes_folder(workspace.layout), config)
    with _line(f"{config.name}: fetching", missing.values(), quiet=quiet) as line:
        report = remotes.pull(
            blobs,
            remotes.open_remote(config, workspace.root, workspace.keys(config.name)),
            task.wanted,
            cache=remote_cache(workspace.layout, config),
            jobs=jobs or remotes.JOBS,
            progress=line,
            again=again,
        )
    _say_pulled(config, report, quiet=quiet)
    if not missing:
        _warn_nowhere(config)
    untrusted = awaiting_trust(workspace, config, task.wanted)
    if untrusted and not quiet:
        _tell_untrusted(config, untrusted)
    return {
        "remote": config.name,
        "fetched": report.stored,
        "fetched_bytes": report.stored_bytes,
        "already_here": report.already_here,
        "missing": len(report.missing),
        "untrusted": untrusted,
        "damaged": list(report.damaged),
    }


def _say_pulled(config: RemoteConfig, report: PullReport, *, quiet: bool) -> None:
    _said(
        f"{config.name}: fetched {count(report.stored, 'value')} ({size(report.stored_bytes)}), "
        f"{report.already_here} already here",
        quiet=quiet,
    )
    for damaged in report.damaged:
        click.echo(printable(f"damaged on the remote, taken from elsewhere: {damaged}"), err=True)
    _warn_missing(config, report.missing)


def _warn_nowhere(config: RemoteConfig) -> None:
    """Say that a directory which was not needed now is not there; services are not asked for nothing."""
    folder = config.root / config.folder
    if config.protocol is None and not folder.is_dir():
        said = (
            f"warning: nothing was needed of {config.name}, whose directory is not there: {folder}"
        )
        click.echo(printable(said), err=True)


def _tell_untrusted(config: RemoteConfig, values: int) -> None:
    wait = "waits" if values == 1 else "wait"
    click.echo(
        f"{count(values, 'value')} {wait} for your trust, for reading them can run code: gitmemo "
        f"remote trust {config.name}",
        err=True,
    )


def tell_pull(task: Task, jobs: int | None, *, quiet: bool) -> Fields:
    """Say what a pull would fetch."""
    from gitmemo import remotes

    config, workspace = task.config, task.workspace
    if config is None:
        return _no_remote()
    from gitmemo.memo.clone_trust import untrusted_here

    again = untrusted_here(workspace, config, task.wanted)
    plan = remotes.planned_pull(
        workspace.world.blobs,
        remotes.open_remote(config, workspace.root),
        task.wanted,
        cache=remote_cache(workspace.layout, config),
        jobs=jobs or remotes.JOBS,
        again=again,
    )
    missing = tuple(item for item in plan.missing if item.blob not in again)
    distinct = {item.blob: item for item in task.wanted}
    coming = [slot.blob for pack in plan.packs for span in pack.spans for slot in span.slots]
    coming += [item.blob for item in plan.singles]
    size_bytes = sum(distinct[blob].size for blob in coming)
    here = len(distinct) - len(coming) - len(missing)
    _said(
        f"{config.name}: would fetch {count(len(coming), 'value')} ({size(size_bytes)}) from "
        f"{_objects(len(plan.packs), len(plan.singles))}, {here} already here",
        quiet=quiet,
    )
    _warn_missing(config, missing)
    return {
        "dry_run": True,
        "remote": config.name,
        **_of_plan(plan),
        "fetch": len(coming),
        "fetch_bytes": size_bytes,
        "already_here": here,
        "missing": len(missing),
    }


def compare(task: Task, config: RemoteConfig, *, quiet: bool) -> Fields:
    """Ask what a remote holds, and say what is here and what is there."""
    from gitmemo.sync.standing import standing

    with TransferLine(config.name, 0, 0, is_quiet=quiet):
        found = standing(task.workspace, config, task.wanted)
    for line in found.lines(task.command):
        _said(line, quiet=quiet)
    return {"remote": config.name, **found.as_dict()}


def _no_remote() -> Fields:
    click.echo("no remote is configured: there are no values to fetch", err=True)
    return {"remote": None}


@contextmanager
def _line(doing: str, values: Iterable[WantedBlob], *, quiet: bool) -> Iterator[TransferLine]:
    sizes = [item.size for item in values]
    line = TransferLine(doing, sum(sizes), len(sizes), is_quiet=quiet)
    try:
        with line:
            yield line
    except KeyboardInterrupt:
        click.echo(
            f"{doing} was stopped after {line.moved}; that is kept, and the same command goes on",
            err=True,
        )
        raise


def _of_plan(plan: PushPlan | PullPlan) -> Fields:
    return {"packs": len(plan.packs), "large": len(plan.singles)}


def _objects(packs: int, large: int) -> str:
    return f"{count(packs, 'pack')} and {count(large, 'large object')}"


def _warn_absent(absent: tuple[WantedBlob, ...]) -> None:
    if absent:
        click.echo(
            f"{count(len(absent), 'value')} neither there nor here: run the program again, or push "
            "from the machine that has them",
            err=True,
        )


def _warn_withheld(withheld: Withheld) -> None:
    """Say what stays here: others would unpickle it, as if it came from this machine."""
    if not withheld:
        return
    from gitmemo.remotes.config import name_in

    names = sorted({name for _, origin in withheld if (name := name_in(origin)) is not None})
    trusted = " and ".join(f"gitmemo remote trust {name}" for name in names)
    click.echo(
        printable(
            f"{count(len(withheld), 'value')} not sent: reading them can run code, and they came "
            f"from where nothing is trusted here ({', '.join(names) or 'a key'}). "
            "If you trust everyone who can write there: "
            f"{trusted or 'gitmemo remote key NAME --file FILE'}"
        ),
        err=True,
    )


def _warn_missing(config: RemoteConfig, missing: tuple[WantedBlob, ...]) -> None:
    if missing:
        click.echo(
            f"{count(len(missing), 'value')} not on {config.name}: ask who has them to push",
            err=True,
        )


# --- function histories ----------------------------------------------------------

_NOTHING_NEW = "function histories are up to date"


def push_histories(workspace: Workspace, *, dry_run: bool, quiet: bool) -> Fields:
    """Send function histories to git."""
    from gitmemo.commits.histories import render_histories
    from gitmemo.sync.git_remotes import git_remote

    to = git_remote(workspace.layout)
    if not dry_run:
        render_histories(workspace)
    if to is None:
        if not quiet:
            click.echo("no git remote: function histories stay here", err=True)
        return {"git_remote": None}
    side_ref = workspace.settings.side_ref
    if dry_run:
        from gitmemo.sync.unshared import has_unshared_histories

        has_new = has_unshared_histories(workspace.layout, to, side_ref)
        said = "function histories would be sent" if has_new else _NOTHING_NEW
        _said(f"{to}: {said}", quiet=quiet)
        return {"git_remote": to, "histories": has_new}
    from gitmemo.history import Histories

    try:
        sent = Histories(workspace.layout).push(to, side_ref)
    except KeyboardInterrupt:
        said = "sending function histories was stopped; the same command goes on"
        click.echo(printable(f"{to}: {said}"), err=True)
        raise
    said = "function histories sent" if sent.pushed else _NOTHING_NEW
    _said(f"{to}: {said}", quiet=quiet)
    return {"git_remote": to, "histories": sent.pushed}


def fetch_histories(workspace: Workspace, *, quiet: bool) -> Fields:
    """Fetch function histories from git."""
    from gitmemo.sync.git_remotes import git_remote

    source = git_remote(workspace.layout)
    if source is None:
        return {"git_remote": None}
    from gitmemo.history import Histories

    fetched = Histories(workspace.layout).fetch(source, workspace.settings.side_ref)
    _said(f"{source}: {_histories(fetched)}", quiet=quiet)
    for problem in fetched.problems:
        click.echo(printable(f"{source}: skipped: {problem}"), err=True)
    return {"git_remote": source, "histories": len(fetched.changed)}


def _histories(fetched: FetchReport) -> str:
    if not fetched.found:
        return "no function histories there yet (`gitmemo push` sends them)"
    return f"{count(len(fetched.changed), 'function history', 'function histories')} fetched"


def _said(line: str, *, quiet: bool) -> None:
    if not quiet:
        click.echo(printable(line))
