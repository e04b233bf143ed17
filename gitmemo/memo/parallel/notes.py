"""What is noted on exceptions of calls: which call raised it, and where.

Not who handles them (`mapping`, `batches`). Invariant: noting never raises, and an exception gets the
notes of one call of a map or batch, the first, however many calls raise that very object.
"""

from __future__ import annotations

import traceback
from collections.abc import Iterator, Sequence
from contextlib import suppress

BEFORE_ANY_CALL = "raised before any call was made: it is the same for all of them"
"""The note on what stops all calls alike."""
_MOST_IN_FULL = 5
"""How many of the exceptions that are raised together are printed with all that is known of them."""


class Noted:
    """The exceptions of one map or batch that have their notes."""

    def __init__(self) -> None:
        # Kept with the exceptions, so that their ids stay theirs.
        self._errors: dict[int, tuple[BaseException, str]] = {}

    def note(self, error: BaseException, call: str, trace: str = "") -> None:
        """Note the call on an exception, and where in a worker it was raised, if it has no notes of here.

        One that is frozen stays as it is.
        """
        if id(error) in self._errors:
            return
        where = f"in a worker:\n{trace.rstrip()}" if trace else ""
        self._errors[id(error)] = error, where
        with suppress(Exception):  # whatever its own attributes raise
            for text in (where, call) if where else (call,):
                error.add_note(text)

    def traces(self, errors: Sequence[BaseException]) -> tuple[str, ...]:
        """Return where each was raised, as text; those after the first few say it no more themselves.

        Python prints the first 15 of a group, and each of them with its traceback: hundreds of lines.
        """
        found = [self._trace(error) for error in errors]
        distinct = list({id(error): error for error in errors}.values())
        in_full = {id(one) for error in distinct[:_MOST_IN_FULL] for one in _behind(error)}
        for error in distinct[_MOST_IN_FULL:]:
            where = self._errors[id(error)][1] if id(error) in self._errors else ""
            with suppress(Exception):
                if where:
                    error.__notes__.remove(where)
            for one in _behind(error):
                if id(one) not in in_full:
                    with suppress(Exception):
                        one.__traceback__ = None
        return tuple(found)

    def _trace(self, error: BaseException) -> str:
        where = self._errors[id(error)][1] if id(error) in self._errors else ""
        return where.partition("\n")[2] or "".join(traceback.format_exception(error))


def _behind(error: BaseException) -> Iterator[BaseException]:
    """Yield an exception, and all that are printed with it."""
    todo, seen = [error], set[int]()
    while todo:
        one = todo.pop()
        if id(one) in seen:
            continue
        seen.add(id(one))
        yield one
        todo += [other for other in (one.__cause__, one.__context__) if other is not None]
        if isinstance(one, BaseExceptionGroup):
            todo += one.exceptions
