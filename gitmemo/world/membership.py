"""In which files the facts of a database are: segments, journals, and how far each was read.

Not what is asked of the facts (`index`). Invariant: a fact that is in a file is
in one of the file's spans, with the place where it was recorded.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator, Mapping, Sequence
from itertools import islice
from typing import TypeVar

from gitmemo.hashing import content_id
from gitmemo.model.lines import from_canonical_line, from_line
from gitmemo.world.forms import Drawn
from gitmemo.world.spans import Span, Spans, runs_of
from gitmemo.world.table import FactTable, as_json, sketch_of

_BATCH = 500
_T = TypeVar("_T")


class Membership(FactTable):
    """The facts of one database, and in which files they are."""

    def file(self, kind: str, folder: str, name: str) -> tuple[int, int]:
        """Return the id of a file of facts and how far it was loaded; make it known if it is new."""
        self.database.execute(
            "insert or ignore into file(kind, folder, name) values (?, ?, ?)", (kind, folder, name)
        )
        row = self.database.execute(
            "select id, loaded from file where kind = ? and folder = ? and name = ?",
            (kind, folder, name),
        ).fetchone()
        return row[0], row[1]

    def files(self, kind: str) -> dict[tuple[str, str], tuple[int, int]]:
        """Return the known files of a kind: `(folder, name)` to `(id, bytes loaded)`."""
        rows = self.rows("select folder, name, id, loaded from file where kind = ?", (kind,))
        return {(folder, name): (file, loaded) for folder, name, file, loaded in rows}

    def mark_loaded(self, file: int, size_bytes: int) -> None:
        """Note that `file` was read up to `size_bytes`."""
        self.database.execute("update file set loaded = ? where id = ?", (size_bytes, file))

    def rename_kind(self, file: int, kind: str) -> None:
        """Note that `file` is now one of another kind: it was moved, whole."""
        self.database.execute("update or ignore file set kind = ? where id = ?", (kind, file))

    def add_members(
        self, file: int, lines: Sequence[str], known: Mapping[str, int] | None = None
    ) -> None:
        """Add the facts of `lines` as members of `file`; known ones only become members.

        `known` are numbers of lines that were read from here, which need not be looked up.
        """
        here = known or {}
        numbers = {here[line] for line in lines if line in here} if here else set()
        for batch in _batches(line for line in lines if line not in here):
            numbers.update(self.add_drawn([self._checked(line) for line in batch]))
        self._add_spans(Span(file, *run, "", "", 0) for run in runs_of(sorted(numbers)))

    def add_placed(
        self, file: int, entries: Iterable[tuple[str, str, str, int]], *, committed: int
    ) -> None:
        """Add `(line, branch, commit, position in the file)`; what is before `committed` is told apart."""
        spans = Spans(file, committed)
        for batch in _batches(entries):
            numbers = self.add_drawn([self._written_here(line) for line, *_ in batch])
            for number, (_, branch, commit, position) in zip(numbers, batch, strict=True):
                spans.add(number, branch, commit, position)
        self._add_spans(spans.done())

    def _add_spans(self, spans: Iterable[Span]) -> None:
        self.database.executemany(
            "insert into span(file, first, last, branch, head, position) values (?, ?, ?, ?, ?, ?)",
            [(s.file, s.first, s.last, s.branch, s.commit, s.position) for s in spans],
        )

    def spans(self, files: Iterable[int]) -> list[Span]:
        """Return which facts are in `files`, and where."""
        rows = self.rows(
            "select file, first, last, branch, head, position from span"
            " where file in (select value from json_each(?))",
            (as_json(files),),
        )
        return [Span(*row) for row in rows]

    def runs(self, files: Iterable[int]) -> list[tuple[int, int]]:
        """Return the first and the last of each run of numbers in `files`."""
        listed = list(files)
        if not listed:
            return []
        return self.rows(
            "select first, last from span where file in (select value from json_each(?))",
            (as_json(listed),),
        )

    def members(self, files: Iterable[int]) -> set[int]:
        """Return the numbers of the facts in any of `files`."""
        numbers: set[int] = set()
        for first, last in self.runs(files):
            numbers.update(range(first, last + 1))
        return numbers

    def of_kinds(self, numbers: Iterable[int], kinds: Sequence[str]) -> set[int]:
        """Return those of `numbers` whose facts are of one of `kinds`."""
        rows = self.rows(
            "select fact.id from fact join shape on shape.id = fact.shape"
            " where shape.kind in (select value from json_each(?))"
            " and fact.id in (select value from json_each(?))",
            (json.dumps(list(kinds)), as_json(numbers)),
        )
        return {row[0] for row in rows}

    def _checked(self, line: str) -> Drawn:
        drawn = self.forms.drawn(line)
        return drawn or Drawn(sketch_of(from_canonical_line(line, content_id), line), line)

    def _written_here(self, line: str) -> Drawn:
        # This machine wrote it, and its check was compared: not as others' segments.
        return self.forms.drawn(line) or Drawn(sketch_of(from_line(line, content_id), line), line)


def _batches(items: Iterable[_T]) -> Iterator[list[_T]]:
    rest = iter(items)
    while batch := list(islice(rest, _BATCH)):
        yield batch
