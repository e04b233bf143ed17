"""Commands that list code: `versions` and `log`. They change nothing."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator

import click

from gitmemo.cli.looking import look_at
from gitmemo.cli.options import json_option, revision_options
from gitmemo.cli.screen import paged
from gitmemo.display.json_lines import json_line
from gitmemo.display.text import diff_lines, printable, table
from gitmemo.errors import UnknownComponent, UnknownOp
from gitmemo.model.components import Component
from gitmemo.model.spoken import named
from gitmemo.quantities import count, duration
from gitmemo.query import names_now
from gitmemo.short_ids import short
from gitmemo.versions.listing import (
    OpSummary,
    OpVersion,
    Shape,
    Versions,
    summaries,
    tallies_of,
    versions_of,
)
from gitmemo.versions.revisions import Revision, SourceHistory, Standing, histories_of
from gitmemo.workspace import View

_MOST_CHANGED = 3
_COLORS = {Standing.IN_FORCE: "cyan", Standing.CONTESTED: "red"}


@click.command()
@click.argument("op", required=False)
@click.option("-v", "--verbose", is_flag=True, help="Show the code of each version.")
@revision_options
@json_option
@paged
def versions(op: str | None, verbose: bool, rev: str | None, later: bool, as_json: bool) -> None:
    """List the versions of OP in which its calls ran; without OP, how many each op has.

    For each: its content id and semantic id (shared by versions that mean the
    same), its calls, the time that they took, when they ran, and whether it is
    valid for the files as they are (with --rev, as they were), or else what changed.
    """
    view = look_at(rev, later=later)
    now = names_now(view)
    if op is None:
        _show_summaries(summaries(view.world, view.code, now.op), as_json=as_json)
        return
    shape = Shape(view.project.module_name_of, plain=True)
    found = versions_of(view.world, now.resolve(op), view.code, shape, now.op)
    if as_json:
        for version in found:
            click.echo(json_line(version.as_dict(code=verbose)))
        return
    for line in _as_code(found) if verbose else _as_table(found):
        click.echo(line)
    if not found:
        click.echo(printable(repr(found)), err=True)


@click.command()
@click.argument("target", metavar="OP|COMPONENT")
@click.option("-p", "--patch", is_flag=True, help="Show what changed each time.")
@revision_options
@json_option
@paged
def log(target: str, patch: bool, rev: str | None, later: bool, as_json: bool) -> None:
    """Show the contents that code had, newest first, and what was decided about them.

    Of all components that calls of OP touched, or of one COMPONENT (`path:unit`,
    or its name alone). "now" marks what the files hold, committed or not; with
    --rev, what the revision holds.
    """
    view = look_at(rev, later=later)
    components, uses = _components(view, target)
    histories = histories_of(view.world, components, view.code)
    for history in histories:
        for revision in reversed(history):
            used = uses[history.component, revision.id]
            if as_json:
                for fields in _log_fields(revision, used):
                    click.echo(json_line(fields))
                continue
            for line in _log_lines(history, revision, used, patch=patch):
                click.echo(line)
    if histories and not as_json:
        click.echo(
            "newest first; with git: git log -p <ref>, see git for-each-ref refs/gitmemo/fn",
            err=True,
        )


# --- versions ---------------------------------------------------------------


def _show_summaries(found: Iterable[OpSummary], *, as_json: bool) -> None:
    rows = []
    for one in found:
        if as_json:
            click.echo(json_line(one.as_dict()))
        rows.append(
            (one.op, one.contents, one.semantic, one.valid, one.calls, duration(one.seconds))
        )
    if not rows:
        click.echo("no versioned call is stored here", err=True)
    elif not as_json:
        columns = ("op", "versions", "semantic", "valid now", "calls", "time")
        for line in table(columns, rows):
            click.echo(line)


def _as_table(found: Versions) -> Iterator[str]:
    rows = [
        (
            short(version.content_id),
            short(version.semantic_id),
            version.calls,
            duration(version.seconds),
            _moment(version.first),
            _moment(version.last),
        )
        for version in found
    ]
    columns = ("content", "semantic", "calls", "time", "first", "last")
    if not rows:
        return
    head, *lines = table(columns, rows)
    width = max(len(line) for line in (head, *lines))
    yield f"{head.ljust(width)}  now"
    for version, line in zip(found, lines, strict=True):
        yield f"{line.ljust(width)}  {_now(version)}"


def _now(version: OpVersion) -> str:
    if version.is_valid:
        return click.style("valid", fg="green")
    shown = ", ".join(version.changed[:_MOST_CHANGED])
    more = len(version.changed) - _MOST_CHANGED
    rest = f" and {more} more" if more > 0 else ""
    return click.style(printable(f"changed: {shown}{rest}"), fg="yellow")


def _as_code(found: Versions) -> Iterator[str]:
    for version in found:
        yield click.style(f"version {version.content_id}", fg="yellow")
        calls = f"{count(version.calls, 'call')}, {duration(version.seconds)}"
        when = f", {_moment(version.first)} to {_moment(version.last)}" if version.first else ""
        yield f"{calls}{when}, {_now(version)}"
        yield ""
        yield from map(printable, found.lines(version))


def _moment(text: str | None) -> str:
    """Return a moment of a record, to the second, as people read it."""
    return text[:19].replace("T", " ") if text else ""


# --- log --------------------------------------------------------------------


def _components(view: View, target: str) -> tuple[list[Component], Counter[tuple[str, str]]]:
    """Return the components that are meant, and how many calls used each of their contents."""
    world = view.world
    now = names_now(view)
    every = tallies_of(world, view.code, now.op)
    chosen: set[Component] = set()
    try:
        tallies = every[now.resolve(target)]
    except UnknownOp as error:
        try:
            decisions = world.decisions()
            found = named(target, {*world.about(), *decisions.moved()})
            chosen.update((found, *decisions.places(found)))
        except UnknownComponent as unknown:
            if error.ambiguous or (error.candidates and not unknown.candidates):
                raise error from None
            raise
        tallies = {}
    known = world.versions(set(tallies) if tallies else None)
    uses: Counter[tuple[str, str]] = Counter()
    for one in [tallies] if tallies else every.values():
        for ident, tally in one.items():
            for component, content in known[ident].pairs.items() if ident in known else ():
                uses[str(component), content.source.hex()] += tally.calls
                if tallies:
                    chosen.add(component)
    return sorted(chosen), uses


def _log_lines(
    history: SourceHistory, revision: Revision, used: int, *, patch: bool
) -> Iterator[str]:
    for ruling in reversed(revision.rulings):
        said = printable(f"{revision.component} {ruling.since()}")
        colored = click.style(said, fg=_COLORS.get(ruling.standing, "bright_black"))
        yield f"{click.style(short(ruling.listed[1]), fg='yellow')} {colored}"
    head = click.style("  now", fg="green") if revision.is_head else ""
    also = "".join(f"  also {place}" for place in revision.moved)
    line = printable(f"{revision.component} {count(used, 'call')}{also}")
    yield f"{click.style(short(revision.id), fg='yellow')} {line}{head}"
    if patch:
        yield from diff_lines(history.diff(revision))


def _log_fields(revision: Revision, used: int) -> Iterator[dict[str, object]]:
    for ruling in reversed(revision.rulings):
        yield {
            "component": revision.component,
            "content": ruling.new,
            "calls": 0,
            "decision": ruling.verdict,
            "old": ruling.old,
            "why": ruling.why or None,
            "id": ruling.id,
            "who": dict(ruling.who) or None,
            "standing": ruling.standing.value,
        }
    yield {
        "component": revision.component,
        "content": revision.id,
        "calls": used,
        "decision": None,
        "old": None,
        "why": None,
        "head": revision.is_head,
        "parents": list(revision.parents),
        "moved": list(revision.moved),
    }
