"""The marks of facts that are being added, while the database has no index of them.

Not what marks are made of (`table`). Invariant: it knows every fact that was added since it
was made, under its mark.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence


class Marks:
    """The numbers of facts, by mark."""

    def __init__(self) -> None:
        self._first: dict[int, int] = {}
        self._others: dict[int, list[int]] = {}  # few facts share their mark with one before

    def __len__(self) -> int:
        return len(self._first)

    def add(self, found: Sequence[tuple[int, int]]) -> None:
        """Add the mark and the number of each of some facts."""
        new = dict(found)
        if len(new) == len(found) and self._first.keys().isdisjoint(new):
            self._first.update(new)
            return
        for mark, number in found:
            if self._first.setdefault(mark, number) != number:
                self._others.setdefault(mark, []).append(number)

    def numbers(self, marks: Iterable[int]) -> list[int]:
        """Return the numbers of the facts with these marks."""
        return [
            number
            for mark in self._first.keys() & set(marks)
            for number in (self._first[mark], *self._others.get(mark, ()))
        ]
