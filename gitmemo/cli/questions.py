"""`gitmemo df`: stored calls as a table. It changes nothing."""

from __future__ import annotations

import csv
import io
from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import partial
from pathlib import Path

import click

from gitmemo.cli.looking import look_at
from gitmemo.cli.options import Whole, json_option, revision_options, user_option
from gitmemo.cli.screen import paged
from gitmemo.display.json_lines import json_line
from gitmemo.display.text import printable, table
from gitmemo.errors import TableNotWritten, UnknownOp, WrongQuestion
from gitmemo.frames import Cell, ComputationFrame, Table, plain_frame
from gitmemo.frames.naming import asked_once
from gitmemo.hashing.digest import Digest, to_hex
from gitmemo.model.facts import Call, Slot
from gitmemo.model.items import histories
from gitmemo.model.plain import as_json, told
from gitmemo.model.tags import SIGN
from gitmemo.plain_files import replace_file
from gitmemo.quantities import count
from gitmemo.query import (
    NEWEST_COUNTS,
    Selection,
    names_now,
    resolve_op,
    select,
    valid_calls,
    without_repeats,
)
from gitmemo.versions.spoken import names_in_program
from gitmemo.workspace import View
from gitmemo.world import tagging
from gitmemo.world.authors import authors_of
from gitmemo.world.glimpses import glimpse


@click.command()
@click.argument("ops", nargs=-1)
@click.option(
    "--where", metavar="CONDITION", help="Only rows that meet it: 'acc > 0.8 and n in (5, 10)'."
)
@click.option("--back", is_flag=True, help="Also show what led to the calls, however far back.")
@click.option(
    "--explode", is_flag=True, help="A row for each element of lists that were arguments."
)
@click.option(
    "--columns", multiple=True, metavar="NAMES", help="Show these columns only: 'n,lr,acc'."
)
@click.option(
    "--sort", multiple=True, metavar="NAMES", help="Sort by these columns; '-acc' sorts downwards."
)
@click.option("--limit", type=Whole(min=0), metavar="N", help="Show at most N rows.")
@user_option
@revision_options
@click.option("--all", "every", is_flag=True, help="Also show calls of older code.")
@click.option("--csv", "as_csv", is_flag=True, help="Print comma-separated values.")
@click.option(
    "--parquet",
    type=click.Path(dir_okay=False),
    metavar="FILE",
    help="Write a Parquet file instead.",
)
@json_option
@paged
def df(
    ops: tuple[str, ...],
    where: str | None,
    back: bool,
    explode: bool,
    columns: tuple[str, ...],
    sort: tuple[str, ...],
    limit: int | None,
    user: str | None,
    rev: str | None,
    later: bool,
    every: bool,
    as_csv: bool,
    parquet: str | None,
    as_json: bool,
) -> None:
    """Show the calls of OPS, of the only op if none is named, as a table, one row per result.

    They are joined along the values that flowed.

    OPS are names like `train` or `analysis.train:train`; or @NAME, the call that made the value
    with this tag. Shown are the calls that
    the code as it is would reuse; --all adds those of older code, with columns version and state
    that tell which these are. With --rev that is the code of the revision; what was
    committed after it is marked in a last column, committed_later.
    """
    if sum((as_json, as_csv, parquet is not None)) > 1:
        raise click.UsageError("--json, --csv and --parquet exclude each other.")
    if parquet == "-":
        raise click.UsageError("a Parquet file cannot be standard output: name a file")
    view = look_at(rev, later=later)
    chosen = ops or (_only_op(view),)
    found = asked(view, chosen, every=every)
    frame = found.frame
    frame = frame.where(authors_of(view.world).test(user)) if user else frame
    frame = frame.expand_back() if back else frame
    names = _listed(columns)
    if len(frame):
        frame = _sorted(frame.query(where) if where else frame, sort)
    elif where or sort or names:  # of no rows: what is misspelt is wrong all the same
        known = found.frame if len(found.frame) else asked(view, chosen, every=True).frame
        _check(known.expand_back() if back else known, where, sort, names)
        names = []
    result = frame.table(*names, explode=explode)
    if parquet is not None:
        write_parquet(result, parquet, limit)
    else:
        write = _as_json if as_json else _as_csv if as_csv else partial(_as_text, view)
        for line in write(result.head(limit)) if result.columns else ():
            click.echo(line)
    if limit is not None and len(result.rows) > limit:
        click.echo(f"{limit} of {count(len(result.rows), 'row')} shown (--limit)", err=True)
    for said in found.left_out():
        click.echo(said, err=True)
    if not (back or as_json or as_csv) and (apart := found.apart()):
        said = f"{apart[0]} shares no value with {', '.join(apart[1:])}, so their rows stand apart"
        click.echo(printable(f"{said}: name what is between them, or --back"), err=True)


def _only_op(view: View) -> str:
    """Return the op that has calls, if it is only one."""
    ops = sorted({call.op for call in names_now(view).calls(view.world.calls(view.code))})
    if len(ops) == 1:
        return ops[0]
    if ops:
        raise click.UsageError(f"name one of the ops that have calls, or some: {', '.join(ops)}")
    raise click.UsageError("no op has calls here yet: `gitmemo run` a program that calls one")


def _check(
    frame: ComputationFrame, where: str | None, sort: Sequence[str], names: Sequence[str]
) -> None:
    """Refuse a question that no frame of these calls could answer."""
    if len(frame):
        if where:
            frame.query(where)
        _sorted(frame, sort).table(*names)


@dataclass(frozen=True, slots=True)
class Asked:
    """The calls of ops that a command is about.

    Attributes:
        frame: The calls of these ops, and those that made tagged values.
        meant: What the command was given.
        selection: The calls of the code, and those of other code.
    """

    view: View
    frame: ComputationFrame
    meant: Meant
    selection: Selection

    def left_out(self) -> Iterator[str]:
        """Yield what to say of the calls of these ops that are not shown."""
        others = without_repeats(self.selection)
        stale = sum(map(self.meant.has, others.stale))
        unreachable = sum(map(self.meant.has, others.unreachable))
        if stale:
            older = f"{count(stale, 'call')} of older code not shown (--all)"
            yield f"{older}; if they still count: gitmemo decide" if self._is_any_open() else older
        if unreachable:
            yield f"{count(unreachable, 'call')} on results of older code not shown (--all)"
        other = [call for call in others.others if self.meant.has(call)]
        if other:
            yield other_values(other, others)

    def apart(self) -> list[str]:
        """Return the ops that share no value with the first one; its rows and theirs stand apart."""
        values: dict[str, set[Digest]] = {}
        for call in self.selection.calls:
            if self.meant.has(call):
                slots = (*call.inputs, *call.outputs)
                values.setdefault(call.op, set()).update(h for s in slots for h in histories(s))
        first, *_ = sorted(values) or [""]
        reached = values.pop(first, set())
        while near := [op for op, hids in values.items() if not hids.isdisjoint(reached)]:
            reached = reached.union(*(values.pop(op) for op in near))
        return [first, *sorted(values)] if values else []

    def _is_any_open(self) -> bool:
        """Whether there is something to decide in the work tree; it is not about revisions."""
        from gitmemo.commits.undecided import is_any_open

        return self.view.rev is None and is_any_open(self.view.workspace)


def other_values(calls: Collection[Call], selection: Selection) -> str:
    """Say that another value of a variable is why calls are not shown."""
    said = f"{count(len(calls), 'call')} of other values of {selection.otherwise(calls)}"
    return printable(f"{said} not shown (--all): {NEWEST_COUNTS}")


def asked(view: View, ops: Sequence[str], *, every: bool) -> Asked:
    """Return the calls of `ops`, of all ops if there are none; `every` for those of older code, too.

    Raises:
        UnknownOp, UnknownTag, TagContested, TaggedGone: There is no such op, or no value of that name.
    """
    now = names_now(view)
    calls = now.calls(view.world.calls(view.code))
    selection = valid_calls(view.world, calls, view.code)
    older = selection.states if every else {}
    selection = Selection(tuple(selection.every()), ()) if every else selection
    meant = meant_by(view, ops, selection.calls, calls, now.former)
    spoken = asked_once(names_in_program(view.world, view.project))
    frame = select(selection.calls, meant.ops, view.later, spoken, older)
    chosen = frozenset(call.hid for call in selection.calls if meant.has(call))
    return Asked(view, replace(frame, selected=chosen), meant, selection)


@dataclass(frozen=True, slots=True)
class Meant:
    """What a command is about.

    Attributes:
        ops: Full names of ops.
        hids: The calls that made the values whose tags were given.
        all: Whether nothing was given, and so every op is meant.
    """

    ops: frozenset[str]
    hids: frozenset[Digest]
    all: bool

    def has(self, call: Call) -> bool:
        """Whether a call is one of those that are meant."""
        return self.all or call.op in self.ops or call.hid in self.hids


def meant_by(
    view: View,
    given: Sequence[str],
    current: Collection[Call],
    every: Collection[Call],
    former: Mapping[str, str],
) -> Meant:
    """Return what is meant by names of ops and tags; a tag stands for the call that made the value.

    Raises:
        UnknownOp, UnknownTag, TagContested, TaggedGone: There is no such op, or no value of that name.
    """
    tags = [name for name in given if name.startswith(SIGN)]
    hids = frozenset(tagging.tagged(view.world, name).call.hid for name in tags)
    try:
        names = {resolved(name, current, every, former) for name in given if name not in tags}
    except UnknownOp as error:
        if was := _name_then(view, error.name, {call.op for call in every}):
            said = f"it was called {was} then, and is renamed since: ask for {was}"
            raise UnknownOp(error.name, (), False, said) from None
        raise
    return Meant(frozenset(names), hids, not given)


def _name_then(view: View, name: str, known: Collection[str]) -> str | None:
    """Return what an op was called in a revision, which does not know of its later name."""
    if view.rev is None:
        return None
    world = view.workspace.world
    world.enter()
    renamed = world.renames().former_ops().items()
    was = [old for old, now in renamed if old in known and name in (now, now.rpartition(":")[2])]
    return was[0] if was else None


def _listed(texts: Sequence[str]) -> list[str]:
    return [name.strip() for text in texts for name in text.split(",") if name.strip()]


def _sorted(frame: ComputationFrame, sort: Sequence[str]) -> ComputationFrame:
    names = _listed(sort)
    if not names:
        return frame
    upwards = [not name.startswith("-") for name in names]
    return frame.sort(*(name.removeprefix("-") for name in names), ascending=upwards)


def resolved(
    name: str, current: Iterable[Call], every: Iterable[Call], former: Mapping[str, str]
) -> str:
    """Return an op's full name; of several with one short name those with current calls count."""
    try:
        return resolve_op(name, sorted({call.op for call in current}), former)
    except UnknownOp:
        return resolve_op(name, sorted({call.op for call in every}), former)


def _as_json(result: Table) -> Iterator[str]:
    marks = result.marks()
    for number, row in enumerate(result.rows):
        flat = {name: json_cell(cell) for name, cell in row.items()}
        flat |= {name: said[number] for name, said in marks.items()}
        yield json_line(flat)


def _as_csv(result: Table) -> Iterator[str]:
    marks = result.marks()
    yield _csv_line([*result.columns, *marks])
    for number, row in enumerate(result.rows):
        cells = [_csv_cell(row.get(name, ())) for name in result.columns]
        yield _csv_line([*cells, *(said[number] for said in marks.values())])


def _csv_line(cells: Sequence[object]) -> str:
    # What ends lines is quoted in cells: here a lone `\r` too, which readers take for an end as well.
    line = io.StringIO(newline="")
    csv.writer(line, lineterminator="\r\n").writerow(cells)
    return line.getvalue().removesuffix("\r\n")


def _csv_cell(cell: Cell) -> object:
    plain = [plain_value(slot) for slot in cell]
    if not plain or plain == [None]:
        return ""
    if len(plain) == 1 and not isinstance(plain[0], list | dict):
        return plain[0]
    values = [as_json(value) for value in plain]
    return json_line(values if len(values) > 1 else values[0])


def write_parquet(result: Table, path: str, limit: int | None) -> None:
    """Write a table to a Parquet file, whole or not at all; what is no plain value is JSON there.

    Raises:
        WrongQuestion: pyarrow is not installed.
        TableNotWritten: There is no such folder, or the file cannot be written.
    """
    target = Path(path).resolve()
    if not target.parent.is_dir():
        raise TableNotWritten(path, f"there is no folder {target.parent}")
    frame = plain_frame(result.head(limit), plain_value)
    data = io.BytesIO()
    try:
        frame.to_parquet(data)
    except ImportError:
        raise WrongQuestion(
            "writing Parquet files needs pyarrow, which is not installed", "pip install pyarrow"
        ) from None
    try:
        replace_file(target.parent, target.name, data.getvalue())
    except OSError as error:
        raise TableNotWritten(path, error.strerror or str(error)) from error


def json_cell(cell: Cell) -> object:
    """Return the values of one variable in one row as JSON shows them."""
    values = [json_value(slot) for slot in cell]
    return values[0] if len(values) == 1 else {"each": values}


def json_value(slot: Slot) -> object:
    """Return a result as JSON shows it: itself, or where it is kept."""
    return as_json(plain_value(slot))


def plain_value(slot: Slot) -> object:
    """Return a result itself, or where it is kept."""
    plain = told(slot)
    return plain.json if plain else {"hid": to_hex(slot.hid), "cid": to_hex(slot.cid)}


def _as_text(view: View, result: Table) -> Iterator[str]:
    rows = [[text_cell(view, row.get(name, ())) for name in result.columns] for row in result.rows]
    marks = result.marks()
    for number, row in enumerate(rows):
        row += [_mark(said[number]) for said in marks.values()]
    return table((*result.columns, *marks), rows)


def _mark(said: object) -> object:
    if isinstance(said, bool):
        return "yes" if said else ""
    return said


def text_cell(view: View, cell: Cell) -> object:
    """Return the values of one variable in one row as a table shows them."""
    values = [_shown(view, slot) for slot in cell]
    if len(values) > 1:
        return "[" + ", ".join(map(str, values)) + "]"
    return values[0] if values else None


def _shown(view: View, slot: Slot) -> object:
    plain = told(slot)
    return plain.json if plain else f"<{glimpse(view.world, slot.cid)}>"
