"""`gitmemo df`: stored calls as a table. It changes nothing."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable, Iterator, Mapping

import click

from gitmemo.cli.looking import look_at
from gitmemo.cli.options import json_option, revision_options
from gitmemo.display.text import table
from gitmemo.errors import UnknownOp
from gitmemo.frames import Table
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
from gitmemo.workspace import View


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
    result = select(selection.calls, names, view.later).table()
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
