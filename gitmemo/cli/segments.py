"""Segments for people: found by path or name, shown, joined, and moved to a remote and back.

Not the facts of a world (`showing`). Invariant: a damaged segment is shown like any
other, with what is wrong with it on standard error.
"""

from __future__ import annotations

import json
import os
from collections.abc import Sequence
from pathlib import Path

import click

from gitmemo.cli.groups import Group
from gitmemo.cli.options import dry_run_option
from gitmemo.display.json_lines import json_line
from gitmemo.display.records import readable
from gitmemo.errors import AmbiguousId, CorruptSegment, SegmentUnreadable, UnknownId
from gitmemo.quantities import count, size
from gitmemo.short_ids import begins, short
from gitmemo.versions.finding import find_any
from gitmemo.workspace import Workspace, find
from gitmemo.world.files import segment_bytes, segments_in
from gitmemo.world.segments import damage, read_segment, segment_name
from gitmemo.world.spilled import whole
from gitmemo.world.stubs import Stub, read_stub

_NOTHING = (
    "nothing to compact: at least four small segments of one month are joined; "
    "one that holds 30 % or more of the month's facts is left as it is"
)

_STAGED = "staged: look at it with `git status`, then `git commit`"
_AMEND = (
    "if the last commit brought it and nobody has that commit yet, `git commit --amend` keeps the "
    "bytes out of git's history"
)


@click.group(cls=Group)
def index() -> None:
    """Look after the committed index of calls."""


@index.command()
@dry_run_option
def compact(dry_run: bool) -> None:
    """Join the segments of each month, on the default branch, and stage that for a commit.

    The facts stay the same. There are fewer files afterwards, but git's history keeps the
    old ones too, so `.git` grows.
    """
    from gitmemo.commits.compaction import plan_compaction, stage_compaction

    workspace = find()
    groups = plan_compaction(workspace.layout)
    for group in groups:
        folder = group.path.rpartition("/")[0]
        sizes = f"{size(group.bytes_before)} -> {size(len(group.output.data))}"
        click.echo(f"{folder}: {count(len(group.inputs), 'segment')} -> 1, {sizes}")
    if not groups:
        click.echo(_NOTHING, err=True)
    elif dry_run:
        click.echo("nothing was changed", err=True)
    else:
        stage_compaction(workspace.layout, groups)
        click.echo(_STAGED, err=True)


@index.command()
@click.argument("segments", nargs=-1, metavar="[SEGMENT]…")
@click.option("-r", "--remote", "remote_name", metavar="NAME", help="The remote.")
@dry_run_option
def spill(segments: tuple[str, ...], remote_name: str | None, dry_run: bool) -> None:
    """Move large segments to a remote, and stage the stubs that stay for a commit.

    SEGMENT is a path or the first digits of a name; without any, all that are as large as the setting
    `index.spill_above` says. In a clone, `gitmemo pull` fetches them; before that its results
    cannot be used. Git keeps what was committed.
    """
    from gitmemo.cli.transfers import Task, push_values
    from gitmemo.commits.spilling import encoded, plan_spilling, stage_stubs
    from gitmemo.sync.spilled import as_wanted

    workspace = find()
    layout = workspace.layout
    stubs = plan_spilling(layout, workspace.settings.spill_above, _meant(workspace, segments))
    if _planned(stubs, "to spill", dry_run=dry_run):
        config = workspace.remote(remote_name)
        for stub in stubs:
            workspace.world.blobs.put(encoded(workspace.root, stub))
        push_values(Task(workspace, config, list(map(as_wanted, stubs))), None, quiet=False)
        stage_stubs(layout, stubs)
        click.echo(_STAGED, err=True)
        click.echo(_AMEND, err=True)


@index.command()
@click.argument("segments", nargs=-1, metavar="[SEGMENT]…")
@click.option("-r", "--remote", "remote_name", metavar="NAME", help="The remote.")
@dry_run_option
def unspill(segments: tuple[str, ...], remote_name: str | None, dry_run: bool) -> None:
    """Put spilled segments back into git, all or some, and stage that for a commit."""
    from gitmemo.cli.transfers import Task, pull_values
    from gitmemo.commits.spilling import plan_restoring, stage_whole
    from gitmemo.sync.spilled import as_wanted

    workspace = find()
    stubs = plan_restoring(workspace.layout, _meant(workspace, segments))
    if _planned(stubs, "that is spilled", dry_run=dry_run):
        absent = workspace.world.blobs.missing({stub.blob for stub in stubs})
        wanted = [as_wanted(stub) for stub in stubs if stub.blob in absent]
        if wanted:
            pull_values(Task(workspace, workspace.remote(remote_name), wanted), None, quiet=False)
        stage_whole(workspace.layout, stubs)
        click.echo(_STAGED, err=True)


def _meant(workspace: Workspace, segments: Sequence[str]) -> list[str]:
    paths: list[str] = []
    for ident in segments:
        path = segment_meant(workspace, ident)
        if path is None:
            raise UnknownId(ident)
        paths.append(path)
    return paths


def _planned(stubs: Sequence[Stub], what: str, *, dry_run: bool) -> bool:
    """Say what is planned; return whether it is to be done."""
    for stub in stubs:
        click.echo(f"{stub.path}: {size(stub.size)}")
    if not stubs:
        click.echo(f"no segment {what}", err=True)
    elif dry_run:
        click.echo("nothing was changed", err=True)
    return bool(stubs) and not dry_run


def segment_meant(workspace: Workspace, ident: str) -> str | None:
    """Return the path in the repository of the segment that `ident` names, None if it names none.

    Raises:
        AmbiguousId: Several segments, or a segment and something else, begin like this.
    """
    if ident.endswith(".jsonl"):
        return _path_meant(workspace.root, ident)
    found = {name: path for name, path in segments_in(workspace.root) if begins(name, ident)}
    others = _others(workspace, ident) if found else []
    if len(found) + len(others) > 1:
        segments = (f"{short(name)} segment {path}" for name, path in found.items())
        raise AmbiguousId(ident, (*others, *segments))
    return next(iter(found.values()), None)


def show_segment(workspace: Workspace, path: str, *, as_json: bool) -> None:
    """Print a segment, and on standard error what is wrong with it.

    Raises:
        SegmentSpilled: It is spilled, and not on this machine.
    """
    found = segment_bytes(workspace.root, path)
    is_spilled = read_stub(path, found) is not None
    data = whole(workspace.layout, path, found)
    name = segment_name(path) or ""
    error = _damage(path, data)
    if as_json and error is not None:
        raise error
    if as_json:
        records = [json.loads(line) for line in read_segment(path, data)]
        fields = {
            "kind": "segment",
            "id": name,
            "path": path,
            "spilled": is_spilled,
            "records": records,
        }
        click.echo(json_line(fields))
        return
    state = " (spilled)" if is_spilled else ""
    click.echo(click.style(f"segment {name}{state}", fg="yellow"))
    click.echo("".join(f"{line}\n" for line in readable(data)), nl=False)
    if error is not None:
        click.echo(f"{click.style('damaged:', fg='red', bold=True)} {error}", err=True)


def _path_meant(root: Path, ident: str) -> str | None:
    for start in (Path.cwd(), root):
        target = Path(os.path.normpath(start / ident))
        if target.is_relative_to(root):
            path = target.relative_to(root).as_posix()
            if segment_name(path) and target.exists():
                return path
    return None


def _others(workspace: Workspace, ident: str) -> list[str]:
    """Return what else begins like `ident`; nothing where the world cannot be read."""
    try:
        workspace.world.enter()
        found = find_any(workspace.world, ident)
    except AmbiguousId as error:
        return list(error.candidates)
    except (UnknownId, SegmentUnreadable):
        return []
    return [f"{short(found.id)} {found}"]


def _damage(path: str, data: bytes) -> CorruptSegment | None:
    """Return the first thing that is wrong with a segment."""
    try:
        return next(damage(path, read_segment(path, data)), None)
    except CorruptSegment as error:
        return error
