"""What changed since a revision, as a page shows it.

Not how worlds are compared (`comparison`). Invariant: counts are of everything, also where not all
rows are listed.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Sequence
from dataclasses import dataclass

from gitmemo.comparison import (
    CallChange,
    ComparedRow,
    VersionChange,
    WorldDifference,
    compare,
    compared_rows,
)
from gitmemo.hashing.digest import Digest
from gitmemo.model.items import JsonValue
from gitmemo.report.cells import Cells
from gitmemo.workspace import View

MOST_ROWS = 500
"""So many calls of each kind are listed."""


@dataclass(frozen=True, slots=True)
class Since:
    """A revision to compare with.

    Attributes:
        old, new: Both without what was committed later, one looked at beside the other.
        before, after: What these are, in words.
    """

    old: View
    new: View
    before: str
    after: str


def changes_since(
    since: Since, ops: Collection[str], number: Callable[[str, Digest], int]
) -> dict[str, JsonValue]:
    """Return what changed, as plain data; only calls of `ops` count, if there are any.

    `number` gives a version of an op its place in the page's list of them.
    """
    found = compare(since.old, since.new, ops)
    cells = Cells(since.new.world, ())
    return {
        "before": since.before,
        "after": since.after,
        "same": found.same,
        **_calls(since, found, cells),
        "versions": [_version(one, number) for one in found.versions],
        "statements": len(found.statements),
        "most": MOST_ROWS,
    }


def _calls(since: Since, found: WorldDifference, cells: Cells) -> dict[str, JsonValue]:
    kinds: dict[str, Sequence[CallChange]] = {
        "changed": found.changed,
        "added": found.added,
        "removed": found.removed,
    }
    return {
        kind: {
            "count": len(rows),
            "rows": [
                _row(row, cells) for row in compared_rows(since.old, since.new, rows[:MOST_ROWS])
            ],
        }
        for kind, rows in kinds.items()
    }


def _row(row: ComparedRow, cells: Cells) -> JsonValue:
    given = [cell for cell in row.cells if not cell.is_result]
    made = [cell for cell in row.cells if cell.is_result and cell.differs]
    return {
        "op": row.change.call.op,
        "inputs": [[cell.name, cells.of(cell.new or cell.old)] for cell in given],
        "outputs": [[cell.name, cells.of(cell.old), cells.of(cell.new)] for cell in made],
    }


def _version(one: VersionChange, number: Callable[[str, Digest], int]) -> JsonValue:
    return {
        "op": one.op,
        "version": number(one.op, one.version),
        "new": one.is_new,
        "calls": one.calls,
        "changed": list(map(str, one.changed)),
    }
