"""The rows of a document, asked page by page: filtered, sorted, and as points of a plot.

Not HTTP (`server`). Invariant: a question is answered from one document, never from two.
"""

from __future__ import annotations

from array import array
from collections import OrderedDict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from threading import Lock

from gitmemo.report.asking import filter_of, order_of
from gitmemo.report.cells import Shown
from gitmemo.report.document import Column, Document, TableOfOp

MOST_ROWS = 500
"""So many rows are answered at once."""
MOST_POINTS = 10_000
"""So many points are answered at once."""

_REMEMBERED = 8


@dataclass(frozen=True, slots=True)
class Question:
    """Which rows of a table, and in which order.

    Attributes:
        text: What some cell of a row has to contain, word by word.
        filters: What the cells of a column have to be, by the column's place.
        sort: The columns to sort by, the most important first, and whether upwards.
    """

    table: int
    text: str = ""
    filters: tuple[tuple[int, str], ...] = ()
    sort: tuple[tuple[int, bool], ...] = ()


class Source:
    """Answers questions about one document."""

    def __init__(self, document: Document) -> None:
        self.document = document
        self._answered: OrderedDict[Question, Sequence[int]] = OrderedDict()
        self._lock = Lock()

    def rows(self, asked: Question, start: int, most: int) -> dict[str, object]:
        """Return how many rows there are, and `most` of them from `start` on."""
        table = self._table(asked.table)
        found = self._found(asked)
        chosen = found[start : start + min(most, MOST_ROWS)]
        return {"total": len(found), "start": start, "rows": [_row(table, n) for n in chosen]}

    def numbered(self, table: int, numbers: Sequence[int]) -> dict[str, object]:
        """Return the rows with these numbers."""
        of = self._table(table)
        return {"rows": [_row(of, n) for n in numbers[:MOST_ROWS] if 0 <= n < len(of)]}

    def called(self, table: int, calls: Sequence[str]) -> dict[str, object]:
        """Return the rows of the calls with these ids, where there are such rows."""
        of = self._table(table)
        column, wanted = of.columns[of.call], frozenset(calls[:MOST_ROWS])
        places = {place for place, cell in enumerate(column.cells) if cell in wanted}
        numbers = [n for n in range(len(of)) if column.place(n) in places] if places else []
        return self.numbered(table, numbers)

    def points(self, asked: Question, columns: Sequence[int]) -> dict[str, object]:
        """Return the cells of some columns, of as many rows as a plot shows."""
        table = self._table(asked.table)
        found = self._found(asked)
        chosen = found[:MOST_POINTS]
        cells = [[table.columns[c].cell(n) for n in chosen] for c in columns]
        return {"total": len(found), "numbers": list(chosen), "cells": cells}

    def _table(self, number: int) -> TableOfOp:
        return self.document.tables[number]

    def _found(self, asked: Question) -> Sequence[int]:
        with self._lock:
            known = self._answered.get(asked)
            if known is not None:
                self._answered.move_to_end(asked)
                return known
        found = found_rows(self._table(asked.table), asked)
        with self._lock:
            self._answered[asked] = found
            while len(self._answered) > _REMEMBERED:
                self._answered.popitem(last=False)
        return found


def found_rows(table: TableOfOp, asked: Question) -> Sequence[int]:
    """Return the numbers of the rows that meet a question, in its order."""
    found: Sequence[int] = range(len(table))
    for place, wanted in asked.filters:
        test = filter_of(wanted)
        if test is not None:
            column = table.columns[place]
            found = _where(column, found, bytes(map(test, column.cells)))
    for word in asked.text.lower().split():
        found = _with_word(table, found, word)
    for place, upwards in reversed(asked.sort):
        found = _sorted(table.columns[place], found, upwards=upwards)
    return found


def _where(column: Column, rows: Sequence[int], passes: Sequence[int]) -> Sequence[int]:
    """Return the rows whose cells pass; `passes` says so of each different cell."""
    at = column.at
    return array("I", (n for n in rows if passes[n if at is None else at[n]]))


def _with_word(table: TableOfOp, rows: Sequence[int], word: str) -> Sequence[int]:
    passing = bytearray(len(table))
    for column in table.columns:
        having = bytearray(len(column.cells))
        for place in column.cells.having(word):
            having[place] = True
        if any(having):
            for n in _where(column, rows, having):
                passing[n] = True
    return array("I", (n for n in rows if passing[n]))


def _sorted(column: Column, rows: Sequence[int], *, upwards: bool) -> Sequence[int]:
    keys = [order_of(cell, upwards=upwards) for cell in column.cells]
    ranks = array("I", bytes(4 * len(keys)))
    rank, before = -1, None
    for place in sorted(range(len(keys)), key=keys.__getitem__):
        if keys[place] != before:
            rank, before = rank + 1, keys[place]
        ranks[place] = rank
    del keys
    at = column.at
    rank_of = ranks.__getitem__ if at is None else lambda n: ranks[at[n]]
    return array("I", sorted(rows, key=rank_of, reverse=not upwards))


def _row(table: TableOfOp, number: int) -> dict[str, object]:
    cells: list[Shown] = [column.cell(number) for column in table.columns]
    return {"n": number, "cells": cells, "code": table.code_at[number]}


def question_of(fields: Mapping[str, object], document: Document) -> Question:
    """Return what a browser asks.

    Raises:
        ValueError: It is no question about this document.
    """
    table = fields.get("table")
    if type(table) is not int or not 0 <= table < len(document.tables):
        raise ValueError("no such table")
    places = len(document.tables[table].columns)

    def pairs(name: str, kind: type) -> list[tuple[int, object]]:
        found = fields.get(name, [])
        if not isinstance(found, list):
            raise ValueError(name)
        for pair in found:
            is_pair = isinstance(pair, list) and len(pair) == 2
            if not is_pair or type(pair[0]) is not int or not isinstance(pair[1], kind):
                raise ValueError(name)
            if not 0 <= pair[0] < places:
                raise ValueError(name)
        return [(place, value) for place, value in found]

    return Question(
        table,
        str(fields.get("text", "")),
        tuple((place, str(value)) for place, value in pairs("filters", str)),
        tuple((place, bool(value)) for place, value in pairs("sort", bool)),
    )
