"""What a results page holds, as plain data: tables by column, code by version, the graph.

Not where it comes from (`gathering`) nor how it is shown (`page`, `static`). Invariant: every number
in it that stands for a table, a column, a version or a content is a place in a list of it.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Literal, TypeAlias

from gitmemo.model.items import JsonValue
from gitmemo.report.cells import ID_DIGITS, Shown, with_id

Role: TypeAlias = Literal["input", "between", "result", "call"]
"""Whether values came from outside, were made on the way, are what the op returned, or are about the call."""


@dataclass(frozen=True, slots=True)
class Column:
    """One column: each different cell once, and for each row which it is.

    Attributes:
        own: Whether it is of the call itself, and not only of what led to it.
        cells: Without the ids of their values.
        ids: Those ids one after the other, blank where there is none; empty if no cell has one.
        at: Which cell each row has; None where each has the one in its place.
        constant: Whether all rows look alike in it.
        numeric: Whether there are numbers in it, and hardly anything else.
    """

    name: str
    role: Role
    own: bool
    cells: Sequence[Shown]
    ids: str
    at: Sequence[int] | None
    constant: bool
    numeric: bool

    def cell(self, row: int) -> Shown:
        """Return the cell of a row."""
        place = self.place(row)
        hid = self.ids[place * ID_DIGITS : (place + 1) * ID_DIGITS].strip()
        return with_id(self.cells[place], hid) if hid else self.cells[place]

    def place(self, row: int) -> int:
        """Return where in `cells` the one of a row is."""
        return row if self.at is None else self.at[row]

    def as_dict(self, *, rows: bool) -> dict[str, object]:
        """Return it as plain data, with or without its cells."""
        fields: dict[str, object] = {
            "name": self.name,
            "role": self.role,
            "own": self.own,
            "constant": self.constant,
            "numeric": self.numeric,
        }
        return fields | ({"cells": self.cells, "ids": self.ids, "at": self.at} if rows else {})


@dataclass(frozen=True, slots=True)
class TableOfOp:
    """The calls of an op, each with everything that led to it.

    Attributes:
        total: How many rows there are; those of the newest calls are in the table.
        codes: The versions behind a row, each set of them once; `code_at` says which a row has.
    """

    op: str
    name: str
    total: int
    columns: tuple[Column, ...]
    codes: Sequence[Sequence[int]]
    code_at: Sequence[int]

    def __len__(self) -> int:
        return len(self.code_at)

    def as_dict(self, *, rows: bool) -> dict[str, object]:
        """Return it as plain data, with or without its cells."""
        fields: dict[str, object] = {
            "op": self.op,
            "name": self.name,
            "rows": len(self),
            "total": self.total,
            "columns": [column.as_dict(rows=rows) for column in self.columns],
            "codes": self.codes,
        }
        return fields | ({"code_at": self.code_at} if rows else {})


@dataclass(frozen=True, slots=True)
class Code:
    """The versions behind the rows.

    Attributes:
        versions: `{"op", "id", "contents"}`, the latter places in `contents`.
        contents: `{"component", "id", "value", "text"}`.
    """

    versions: list[dict[str, object]] = field(default_factory=list)
    contents: list[dict[str, object]] = field(default_factory=list)


@dataclass(frozen=True, slots=True)
class Document:
    """A results page.

    Attributes:
        title: What the repository's folder is called.
        where: What is looked at.
        commit: None where there is none yet.
        dirty: Whether files differ from it; None where a revision is looked at.
        made: When, in UTC.
        calls: How many calls there are behind it.
        notes: What was left out, in sentences.
        open: The Python expression that opens the storage.
        tables: In the order of the computation.
        first: Which of them is shown first.
        graph: SVG, whose links lead to `#node-N`.
        nodes: For each N the op or the column that is meant.
        changes: What changed since a revision, if somebody asked.
    """

    title: str
    where: str
    commit: str | None
    dirty: bool | None
    made: str
    calls: int
    notes: tuple[str, ...]
    open: str
    tables: tuple[TableOfOp, ...]
    first: int
    code: Code
    graph: str
    nodes: tuple[dict[str, str], ...]
    changes: dict[str, JsonValue] | None = None

    def as_dict(self, *, rows: bool = True) -> dict[str, object]:
        """Return it as plain data, but for the graph; `rows=False` leaves cells and code out."""
        return {
            "title": self.title,
            "where": self.where,
            "commit": self.commit,
            "dirty": self.dirty,
            "made": self.made,
            "calls": self.calls,
            "notes": list(self.notes),
            "open": self.open,
            "tables": [table.as_dict(rows=rows) for table in self.tables],
            "first": self.first,
            "versions": self.code.versions,
            "contents": self.code.contents,
            "nodes": list(self.nodes),
            "changes": self.changes,
        }
