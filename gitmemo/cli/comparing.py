"""The command `diff`: how two worlds differ, or two contents of code. It changes nothing."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Iterator, Sequence
from typing import TypeVar

import click

from gitmemo.cli.looking import look_at, where
from gitmemo.cli.options import Whole, json_option, revision_options
from gitmemo.cli.questions import json_cell, json_value, text_cell
from gitmemo.cli.screen import paged
from gitmemo.cli.showing import said
from gitmemo.codecs import from_inline, is_safe
from gitmemo.comparison import (
    CallChange,
    ComparedCell,
    ComparedRow,
    StatementChange,
    VersionChange,
    WorldDifference,
    compare,
    compared_rows,
)
from gitmemo.display.json_lines import json_line
from gitmemo.display.text import cut, diff_lines, printable, table
from gitmemo.errors import GitmemoError, UnknownOp
from gitmemo.errors.base import ExitCode
from gitmemo.frames import Cell
from gitmemo.hashing.digest import Digest, to_hex
from gitmemo.memo.clone_trust import CloneTrust
from gitmemo.memo.measuring import Distance, distance
from gitmemo.memo.trust import Values
from gitmemo.model.facts import Slot
from gitmemo.model.plain import told
from gitmemo.quantities import count
from gitmemo.query import names_now
from gitmemo.short_ids import short
from gitmemo.sync.advice import command
from gitmemo.versions.comparing import difference
from gitmemo.versions.finding import find_code
from gitmemo.workspace import View

_MOST = 20
_MOST_BYTES = 10_000_000
_LONGEST = 40
_WIDEST = 140
_OTHER = "~"
_T = TypeVar("_T")


@click.command()
@click.argument("first", metavar="REV|ID")
@click.argument("second", metavar="[REV|ID]", required=False)
@click.option("--code", is_flag=True, help="They are ids of code, not revisions.")
@click.option("--op", "ops", multiple=True, metavar="OP", help="Only calls of this op; repeatable.")
@click.option(
    "--limit",
    "most",
    type=Whole(min=0),
    metavar="N",
    help="Rows of each kind; 20 if omitted, 0 for all.",
)
@click.option("--exit-code", is_flag=True, help="Exit with 1 if anything differs.")
@click.option("-U", "--unified", type=Whole(min=0), default=3, help="With --code: context.")
@revision_options
@json_option
@paged
def diff(
    first: str,
    second: str | None,
    code: bool,
    ops: tuple[str, ...],
    most: int | None,
    exit_code: bool,
    unified: int,
    rev: str | None,
    later: bool,
    as_json: bool,
) -> int:
    """Show how the results of two revisions differ; the second is the work tree if omitted.

    A world shows what its own code would reuse, with what is pending in the work tree. Rows have the
    columns of `gitmemo df OP --back`, and are paired by what was asked for. With --code the two are
    ids of contents or versions of code, as `gitmemo versions` and `gitmemo log` show them, or their
    first digits.
    """
    if code:
        if second is None:
            raise click.UsageError("--code compares two ids")
        return _code(look_at(rev, later=later), first, second, unified, as_json=as_json)
    if rev is not None:
        raise click.UsageError("give both revisions as arguments: gitmemo diff REV REV")
    new = look_at(second, later=False)
    old = look_at(first, later=False, beside=new)
    found = compare(old, new, [_resolved(op, old, new) for op in ops])
    limit = None if most == 0 or (most is None and as_json) else most or _MOST
    printer = _Printer(old, new, limit)
    for line in printer.json(found) if as_json else printer.text(found):
        click.echo(line)
    return ExitCode.FAILED if exit_code and found else ExitCode.DONE


def _code(view: View, first: str, second: str, unified: int, *, as_json: bool) -> int:
    one, other = find_code(view.world, first), find_code(view.world, second)
    lines = list(difference(one, other, unified))
    if as_json:
        click.echo(json_line({"old": first, "new": second, "diff": lines}))
        return 0
    for line in diff_lines(lines):
        click.echo(line.removeprefix("  "))
    if not lines:
        click.echo("they are the same", err=True)
    return 0


def _resolved(op: str, old: View, new: View) -> str:
    """Return the full name of an op that one of the worlds has."""
    try:
        return names_now(new).resolve(op)
    except UnknownOp:
        return names_now(old).resolve(op)


class _Printer:
    """Says how two worlds differ; values are read for rows that are shown alone."""

    def __init__(self, old: View, new: View, most: int | None) -> None:
        self._old, self._new = old, new
        self._most = most
        self._values = Values(new.world, CloneTrust(new.workspace))

    def text(self, found: WorldDifference) -> Iterator[str]:
        """Yield lines for people: a summary, then what differs."""
        yield f"from {where(self._old)}"
        is_tree = self._new.rev is None
        yield f"to   {'the work tree, ' if is_tree else ''}{where(self._new)}"
        yield (
            f"calls: {len(found.added)} added, {len(found.removed)} removed, "
            f"{len(found.changed)} with other results, {found.same} the same"
        )
        yield f"versions: {_both(found.versions)}; decisions, renames, tags: {_both(found.statements)}"
        yield from self._unseen(found)
        yield from self._tables(found)
        yield from self._section("versions", found.versions, _version)
        yield from self._section("decisions, renames, tags", found.statements, _statement)

    def json(self, found: WorldDifference) -> Iterator[str]:
        """Yield one JSON object a line: a summary, then what differs."""
        old, new = self._old, self._new
        yield _json(
            kind="summary",
            old={"rev": old.rev, "commit": old.world.place.commit},
            new={"rev": new.rev, "commit": new.world.place.commit},
            added=len(found.added),
            removed=len(found.removed),
            changed=len(found.changed),
            same=found.same,
            versions=len(found.versions),
            decisions=len(found.statements),
            not_here=len({*self._absent(found, is_new=False), *self._absent(found, is_new=True)}),
        )
        for kind, rows in (
            ("changed", found.changed),
            ("added", found.added),
            ("removed", found.removed),
        ):
            for row in compared_rows(old, new, rows[: self._most]):
                yield _json(kind=kind, **self._fields(row.change), row=_as_rows(row))
        for version in found.versions[: self._most]:
            yield _json(
                kind="version",
                op=version.op,
                version=to_hex(version.version),
                side="new" if version.is_new else "old",
                calls=version.calls,
                changed=list(map(str, version.changed)),
            )
        for one in found.statements[: self._most]:
            yield _json(
                kind="decision",
                id=to_hex(one.record),
                side="new" if one.is_new else "old",
                says=list(said(one.statement)),
            )

    def _unseen(self, found: WorldDifference) -> Iterator[str]:
        """Yield what to know of values that are compared by their ids alone, if there are any."""
        of_each = [
            (view, self._absent(found, is_new=view is self._new)) for view in (self._old, self._new)
        ]
        absent = {cid for _, cids in of_each for cid in cids}
        if not absent:
            return
        are = "is" if len(absent) == 1 else "are"
        pulls = [command("pull", () if v.rev is None else (v.rev,)) for v, cids in of_each if cids]
        way = f": {' and '.join(pulls)}" if self._new.workspace.settings.remotes else ""
        yield printable(
            f"{count(len(absent), 'value')} of other results {are} not on this machine, and only "
            f"compared by id{way}"
        )

    def _absent(self, found: WorldDifference, *, is_new: bool) -> set[Digest]:
        """Return the contents of other results of one side whose bytes are not here."""
        world = self._new.world
        cids = {
            slot.cid
            for row in found.changed
            for _, old, new in row.outputs()
            if (slot := new if is_new else old) is not None and told(slot) is None
        }
        blobs = {cid: {value.blob for value in world.values(cid)} for cid in cids}
        absent = world.blobs.missing(set().union(*blobs.values()))
        return {cid for cid, named in blobs.items() if named and named <= absent}

    def _section(
        self, title: str, rows: Sequence[_T], lines: Callable[[_T], Iterator[str]]
    ) -> Iterator[str]:
        if not rows:
            return
        yield ""
        yield click.style(title, bold=True)
        for row in rows[: self._most]:
            yield from (f"  {printable(line)}" for line in lines(row))
        rest = 0 if self._most is None else len(rows) - self._most
        if rest > 0:
            yield f"  and {rest} more (--limit 0 shows all)"

    def _tables(self, found: WorldDifference) -> Iterator[str]:
        """Yield a table for each op whose calls differ, then how many rows are not shown."""
        kinds = (
            (_OTHER, "with other results", found.changed),
            ("+", "added", found.added),
            ("-", "removed", found.removed),
        )
        marks = {id(row): mark for mark, _, rows in kinds for row in rows}
        chosen = [row for _, _, rows in kinds for row in rows[: self._most]]
        by_op: dict[str, list[ComparedRow]] = defaultdict(list)
        for row in compared_rows(self._old, self._new, chosen):
            by_op[row.change.call.op].append(row)
        for op, several in sorted(by_op.items()):
            columns = list(dict.fromkeys(cell.name for row in several for cell in row.cells))
            yield ""
            yield click.style(printable(op), bold=True)
            cells = [[marks[id(row.change)], *self._line(row, columns)] for row in several]
            yield from table(("", *columns), cells, _WIDEST)
        for _, words, rows in kinds:
            rest = 0 if self._most is None else len(rows) - self._most
            if rest > 0:
                yield f"and {rest} more {words} (--limit 0 shows all)"

    def _line(self, row: ComparedRow, columns: Sequence[str]) -> Iterator[object]:
        cells = {cell.name: cell for cell in row.cells}
        is_whole = row.change.old is not None and row.change.new is not None
        for name in columns:
            cell = cells.get(name)
            if cell is None:
                yield None
            elif not (is_whole and cell.differs):
                yield text_cell(self._new, cell.new or cell.old)
            else:
                yield f"{self._text(cell.old)} -> {self._text(cell.new)}{self._far(cell)}"

    def _text(self, cell: Cell) -> str:
        shown = text_cell(self._new, cell) if cell else "nothing"
        return cut(shown if isinstance(shown, str) else repr(shown), _LONGEST)

    def _far(self, cell: ComparedCell) -> str:
        """Say how far two results are apart, where that is known."""
        if not cell.is_result or len(cell.old) != 1 or len(cell.new) != 1:
            return ""
        gap = self._distance(cell.old[0], cell.new[0])
        return f" ({gap})" if gap and str(gap) else ""

    def _fields(self, row: CallChange) -> dict[str, object]:
        fields: dict[str, object] = {
            "op": row.call.op,
            "inputs": {slot.name: json_value(slot) for slot in row.call.inputs},
        }
        if row.old is None or row.new is None:
            return fields | {"outputs": {slot.name: json_value(slot) for slot in row.call.outputs}}
        outputs = {}
        for name, old, new in row.outputs():
            gap = self._distance(old, new)
            outputs[name] = {
                "old": old and json_value(old),
                "new": new and json_value(new),
                "difference": gap.as_dict() if gap else None,
            }
        return fields | {"outputs": outputs}

    def _distance(self, old: Slot | None, new: Slot | None) -> Distance | None:
        """Return how far two results are apart; None where one is not here, is large, or runs code."""
        if old is None or new is None or not (self._is_plain(old) and self._is_plain(new)):
            return None
        try:
            return distance(self._value(old), self._value(new))
        except GitmemoError:  # missing or not trusted: the rows are worth showing all the same
            return None

    def _value(self, slot: Slot) -> object:
        plain = told(slot)
        return self._values.of_slot(slot) if plain is None else from_inline(plain.json)

    def _is_plain(self, slot: Slot) -> bool:
        """Whether a value can be read at no cost: unpickling could import the project's code."""
        known = self._new.world.values(slot.cid)
        return told(slot) is not None or (
            bool(known) and all(is_safe(v.codec) and v.size <= _MOST_BYTES for v in known)
        )


def _as_rows(row: ComparedRow) -> dict[str, object]:
    """Return the row in either world, as `gitmemo df --json` shows rows; None where there is none."""
    change = row.change
    return {
        "old": change.old and {cell.name: json_cell(cell.old) for cell in row.cells if cell.old},
        "new": change.new and {cell.name: json_cell(cell.new) for cell in row.cells if cell.new},
    }


def _version(one: VersionChange) -> Iterator[str]:
    sign = "+" if one.is_new else "-"
    because = f"; there {', '.join(map(str, one.changed))} is otherwise" if one.changed else ""
    yield f"{sign} {one.op} {short(one.version)}, {count(one.calls, 'call')}{because}"


def _statement(one: StatementChange) -> Iterator[str]:
    sign = "+" if one.is_new else "-"
    head, *rest = said(one.statement)
    yield f"{sign} {head}"
    yield from (f"    {line}" for line in rest)


def _both(rows: Sequence[VersionChange | StatementChange]) -> str:
    new = sum(row.is_new for row in rows)
    return f"{new} added, {len(rows) - new} gone"


def _json(**fields: object) -> str:
    return json_line(fields)
