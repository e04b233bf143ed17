"""A document that follows its world: made again when somebody asks for it and there is something new.

Not HTTP (`server`). Invariants: there is one document at a time, and it has a number; while a new one
cannot be made, the last one stays, with what is wrong.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Hashable
from dataclasses import dataclass, replace
from threading import Lock

from gitmemo.errors import GitmemoError
from gitmemo.report.document import Document
from gitmemo.report.source import Source

SHORTEST_LOOK_S = 0.5
"""The world is not looked at more often, however many browsers ask."""
_REST = 5
"""News are told when so many times has passed what it took to make the document, or to look: a large one
does not keep the machine busy while a program adds call after call."""


@dataclass(frozen=True, slots=True)
class Edition:
    """A document as it was at one time.

    Attributes:
        seen: The mark of the world before the document was made.
        mark: Takes the mark that the world has now.
        number: Another document has another number; `Live` counts.
    """

    source: Source
    seen: Hashable
    mark: Callable[[], Hashable]
    number: int = 1

    @property
    def document(self) -> Document:
        """The document itself."""
        return self.source.document


class Live:
    """The document that is shown of a world.

    Attributes:
        edition: What is shown. Who needs more than one thing of it reads it once: it is replaced.
        is_old: Whether there was something new at the last look.
    """

    def __init__(
        self, edit: Callable[[], Edition], clock: Callable[[], float] = time.monotonic
    ) -> None:
        """`edit` makes an edition of what there is now."""
        self._edit = edit
        self._clock = clock
        self._lock = Lock()
        self._rests_until = self._next_look = 0.0
        self._blind = ""
        self._stuck: _Stuck | None = None
        self.is_old = False
        self.edition = self._made()

    @property
    def problem(self) -> str:
        """Why no newer document could be made, or nobody could look; empty if all is well."""
        return self._stuck.problem if self._stuck else self._blind

    def look(self) -> None:
        """Look whether there is something new, unless somebody just did.

        Of a world of which no document could be made that stays said, until there is another one.
        """
        with self._lock:
            if self._clock() < max(self._rests_until, self._next_look):
                return
            mark = self._mark()
            if self._stuck and mark is not None and mark != self._stuck.mark:
                self._stuck = None

    def renew(self) -> None:
        """Make the document again if there is something new."""
        with self._lock:
            mark = self._mark()
            if not self.is_old:
                self._stuck = None
                return
            try:
                self.edition = replace(self._made(), number=self.edition.number + 1)
            except GitmemoError as error:  # half a merge, a damaged segment: it may pass
                self._stuck = _Stuck(mark, error.problem())
            else:
                self._stuck, self.is_old = None, False

    def _mark(self) -> Hashable:
        """Return the mark of the world, None if it cannot be taken; say whether it is another."""
        start = self._clock()
        try:
            mark = self.edition.mark()
        except GitmemoError as error:
            self._blind = error.problem()
            return None
        finally:
            now = self._clock()
            self._next_look = now + max(SHORTEST_LOOK_S, _REST * (now - start))
        self._blind = ""
        self.is_old = mark != self.edition.seen
        return mark

    def _made(self) -> Edition:
        start = self._clock()
        try:
            return self._edit()
        finally:
            now = self._clock()
            self._rests_until = now + _REST * (now - start)


@dataclass(frozen=True, slots=True)
class _Stuck:
    """A world, by its mark, of which no document could be made."""

    mark: Hashable
    problem: str
