"""What is noted on exceptions of calls: which call raised it, and where.

Not who handles them (`mapping`, `batches`). Invariant: noting never raises, and an exception gets the
notes of one call of a map or batch, the first, however many calls raise that very object.
"""

from __future__ import annotations

from contextlib import suppress


class Noted:
    """The exceptions of one map or batch that have their notes."""

    def __init__(self) -> None:
        self._errors: dict[int, BaseException] = {}  # kept, so that their ids stay theirs

    def note(self, error: BaseException, *texts: str) -> None:
        """Add notes to an exception, if it has none of here; one that is frozen stays as it is."""
        if id(error) in self._errors:
            return
        self._errors[id(error)] = error
        with suppress(Exception):  # whatever its own attributes raise
            for text in texts:
                error.add_note(text)
