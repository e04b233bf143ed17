"""A document that follows its world: made again when somebody asks for it and there is something new.

Not HTTP (`server`). Invariants: there is one document at a time, and it has a number; while a new one
cannot be made, the last one stays, with what is wrong.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Hashable
from dataclasses import dataclass
from threading import Lock

from gitmemo.errors import GitmemoError
from gitmemo.report.document import Document
from gitmemo.report.source import Source

SHORTEST_LOOK_S = 0.5
"""The world is not looked at more often, however many browsers ask."""
_REST = 5
"""News are told when so many times has passed what it took to make the document: a large one does not
keep the machine busy while a program adds call after call."""


@dataclass(frozen=True, slots=True)
class Edition:
    """A document as it was at one time.

    Attributes:
        seen: The mark of the world before the document was made.
        mark: Takes the mark that the world has now.
    """

    source: Source
    seen: Hashable
    mark: Callable[[], Hashable]


class Live:
    """The document that is shown of a world.

    Attributes:
        number: Of the document: another one has another number.
        is_old: Whether there was something new at the last look.
        problem: Why no newer document could be made, or nobody could look; empty if all is well.
    """

    def __init__(
        self, edit: Callable[[], Edition], clock: Callable[[], float] = time.monotonic
    ) -> None:
        """`edit` makes an edition of what there is now."""
        self._edit = edit
        self._clock = clock
        self._lock = Lock()
        self._make()
        self._looked = clock()
        self.number = 1
        self.is_old = False
        self.problem = ""

    @property
    def source(self) -> Source:
        """The rows of the document."""
        return self._edition.source

    @property
    def document(self) -> Document:
        """The document itself."""
        return self._edition.source.document

    def look(self) -> None:
        """Look whether there is something new, unless somebody just did."""
        with self._lock:
            is_due = self._clock() - self._made >= _REST * self._took
            if is_due and self._clock() - self._looked >= SHORTEST_LOOK_S:
                self._try(self._look)
                self._looked = self._clock()

    def renew(self) -> None:
        """Make the document again if there is something new."""
        with self._lock:
            self._try(self._look)
            if self.is_old:
                self._try(self._follow)

    def _look(self) -> None:
        self.is_old = self._edition.mark() != self._edition.seen

    def _make(self) -> None:
        start = self._clock()
        self._edition = self._edit()
        self._made = self._clock()
        self._took = self._made - start

    def _follow(self) -> None:
        self._make()
        self.number += 1
        self.is_old = False

    def _try(self, step: Callable[[], None]) -> None:
        try:
            step()
        except GitmemoError as error:  # half a merge, a damaged segment: it may pass
            self.problem = error.problem()
        else:
            self.problem = ""
