"""Commands that ask: `df`, `status`. They change nothing."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from functools import partial
from typing import TYPE_CHECKING

import click

from gitmemo.cli.looking import look_at
from gitmemo.cli.options import json_option, revision_options
from gitmemo.display.text import printable, table
from gitmemo.errors import UnknownOp
from gitmemo.frame import Table
from gitmemo.hashing.digest import to_hex
from gitmemo.model.facts import Call, Slot
from gitmemo.quantities import count, size
from gitmemo.query import (
    Selection,
    names_now,
    resolve_op,
    select,
    valid_calls,
    without_repeats,
)
from gitmemo.workspace import View, Workspace
from gitmemo.world.index import STATEMENT_KINDS

if TYPE_CHECKING:
    from gitmemo.changes.change import Change
    from gitmemo.model.contests import Contest
    from gitmemo.sync import Standing


@click.command()
@click.argument("ops", nargs=-1, required=True)
@revision_options
@click.option("--all", "every", is_flag=True, help="Also show calls of older code.")
@json_option
def df(ops: tuple[str, ...], rev: str | None, later: bool, every: bool, as_json: bool) -> None:
    """Show the calls of OPS as a table, one row per result, joined along the values that flowed.

    OPS are names like `train` or `analysis.train:train`. Shown are the calls that
    the code as it is would reuse. With --rev that is the code of the revision; what was
    committed after it is marked in a last column, committed_later.
    """
    view = look_at(rev, later=later)
    now = names_now(view)
    calls = now.calls(view.world.calls(view.code))
    selection = Selection(tuple(calls), ()) if every else valid_calls(view.world, calls, view.code)
    names = [_resolve(name, selection.calls, calls, now.former) for name in ops]
    result = select(selection.calls, names, None, view.later).table()
    for line in _as_json(result) if as_json else _as_text(view, result):
        click.echo(line)
    others = without_repeats(selection)
    stale = sum(call.op in names for call in others.stale)
    unreachable = sum(call.op in names for call in others.unreachable)
    if stale:
        click.echo(f"{count(stale, 'call')} of older code not shown (--all)", err=True)
    if unreachable:
        said = f"{count(unreachable, 'call')} on results of older code not shown (--all)"
        click.echo(said, err=True)


@click.command()
@click.option(
    "-r",
    "--remote",
    "asked",
    is_flag=False,
    flag_value="",
    metavar="[NAME]",
    help="Ask a remote too, the default one or NAME: what is not there, and what is not here.",
)
@revision_options
@json_option
def status(asked: str | None, rev: str | None, later: bool, as_json: bool) -> None:
    """Show what is stored, pending, made by older code, and missing on this machine.

    Of another revision: what is in it, as its own code judges it.
    """
    from gitmemo.commits.undecided import open_changes
    from gitmemo.git.hookfiles import is_installed
    from gitmemo.sync import missing_of
    from gitmemo.sync.advice import command

    view = look_at(rev, later=later)
    world, workspace = view.world, view.workspace
    every_record = names_now(view).calls(world.calls(view.code))
    selection = without_repeats(valid_calls(world, every_record, view.code))
    calls = (*selection.calls, *selection.stale, *selection.unreachable)
    every, current = Counter(c.op for c in calls), Counter(c.op for c in selection.calls)
    waiting = world.pending(view.code)
    pending = len(world.index.of_kinds(waiting, ("call",)))
    said = len(world.index.of_kinds(waiting, STATEMENT_KINDS))
    missing = missing_of(world, view.code)
    standing = None if asked is None else _standing(view, asked)
    undecided = [] if view.rev else open_changes(workspace)
    contested = world.decisions().contests()
    if as_json:
        fields = {
            "branch": world.place.branch,
            "commit": world.place.commit,
            "rev": view.rev,
            "calls": len(calls),
            "pending": pending,
            "committed_later": len(view.later),
            "pending_statements": said,
            "stale": len(selection.stale),
            "unreachable": len(selection.unreachable),
            "undecided": [str(change.component) for change in undecided],
            "contested": [str(contest.component) for contest in contested],
            "missing_values": len(missing),
            **({"remote": {"name": standing.remote, **standing.as_dict()}} if standing else {}),
            "ops": {op: {"calls": every[op], "current": current[op]} for op in sorted(every)},
        }
        click.echo(json.dumps(fields, ensure_ascii=False))
        return
    more = f"{len(view.later)} committed later" if view.rev else f"{pending} pending{_and(said)}"
    click.echo(f"{where(view)}: {count(len(calls), 'call')}, {more}")
    stale = Counter(call.op for call in selection.stale)
    fed = Counter(call.op for call in selection.unreachable)
    rows = [(op, current[op], stale[op], fed[op]) for op in sorted(every)]
    for line in table(("op", "current", "of older code", "on older results"), rows) if rows else ():
        click.echo(line)
    for line in _renamed(workspace, bool(selection.stale and not view.rev)):
        click.echo(printable(line))
    for line in _to_decide(undecided, contested):
        click.echo(line)
    if pending or said:
        what = "what is pending joins" if said else "pending calls join"
        click.echo(f"{what} the next commit; `gitmemo commit` makes one for that alone")
    if not view.rev and not is_installed(workspace.layout):
        click.echo("the git hooks are not installed in this clone: run `gitmemo init`", err=True)
    again = partial(command, revs=() if view.rev is None else (view.rev,))
    if missing:
        total = size(sum(item.size for item in missing))
        click.echo(f"{count(len(missing), 'value')} ({total}) not on this machine: {again('pull')}")
    for line in standing.lines(partial(again, remote=asked or None)) if standing else ():
        click.echo(printable(line))


def _standing(view: View, name: str) -> Standing:
    """Ask a remote, the default one if it has no name."""
    from gitmemo.sync import standing, values_of

    workspace = view.workspace
    return standing(workspace, workspace.remote(name or None), values_of(view.world, view.code))


def _and(said: int) -> str:
    return f", and {count(said, 'statement')} about code" if said else ""


def _renamed(workspace: Workspace, is_stale: bool) -> Iterator[str]:
    """Yield what will be recognised as renamed, or may have been, where calls seem to be older."""
    from gitmemo.commits.scenes import renames_since_head

    if not is_stale:
        return
    found, _ = renames_since_head(workspace)
    for old, to in found.pairs.items():
        yield printable(f"{old} is {to} now: the next commit recognises it (or: gitmemo decide)")
    if found.suggestions:
        yield from found.sentences()[-len(found.suggestions) :]


def where(view: View) -> str:
    """Say what is looked at."""
    place = view.world.place
    if view.rev is not None:
        return printable(f"{view.rev} at {(place.commit or '')[:9]}")
    branch = f"on {place.branch}" if place.branch else "detached"
    return branch + (f" at {place.commit[:9]}" if place.commit else " (no commit yet)")


def _to_decide(undecided: Sequence[Change], contested: Iterable[Contest]) -> Iterator[str]:
    from gitmemo.changes.contested import said_in

    if undecided:
        names = ", ".join(printable(str(change.component)) for change in undecided)
        yield f"undecided: {names} (gitmemo decide)"
    for contest in contested:
        name = printable(str(contest.component))
        yield f"contested: {name}; only the very same code matches (gitmemo decide)"
        yield from (f"  {printable(said)}" for said in said_in(contest))


# --- df ---------------------------------------------------------------------


def _resolve(
    name: str, current: Iterable[Call], every: Iterable[Call], former: Mapping[str, str]
) -> str:
    """Return an op's full name; of several with one short name those with current calls count."""
    try:
        return resolve_op(name, sorted({call.op for call in current}), former)
    except UnknownOp:
        return resolve_op(name, sorted({call.op for call in every}), former)


def _as_json(result: Table) -> Iterator[str]:
    mark = result.later_column
    for number, row in enumerate(result.rows):
        cells = {name: [json_value(slot) for slot in cell] for name, cell in row.items()}
        flat = {name: values[0] if len(values) == 1 else values for name, values in cells.items()}
        if mark is not None:
            flat[mark] = number in result.later
        yield json.dumps(flat, ensure_ascii=False)


def json_value(slot: Slot) -> object:
    """Return a result as JSON shows it: itself, or where it is kept."""
    return slot.inline.json if slot.inline else {"hid": to_hex(slot.hid), "cid": to_hex(slot.cid)}


def _as_text(view: View, result: Table) -> Iterator[str]:
    def shown(slot: Slot) -> object:
        if slot.inline:
            return slot.inline.json
        values = view.world.values(slot.cid)
        return f"<{values[0].codec} {size(values[0].size)}>" if values else "<not stored>"

    rows = [
        [_text_cell(row.get(name, ()), shown) for name in result.columns] for row in result.rows
    ]
    mark = result.later_column
    if mark is None:
        return table(result.columns, rows)
    marked = [[*row, "yes" if n in result.later else ""] for n, row in enumerate(rows)]
    return table((*result.columns, mark), marked)


def _text_cell(cell: Iterable[Slot], shown: Callable[[Slot], object]) -> object:
    values = [shown(slot) for slot in cell]
    if len(values) > 1:
        return "[" + ", ".join(map(str, values)) + "]"
    return values[0] if values else None
