"""Where it is shown what a running program does: patterns that answer a question, calls of a map.

Not how (`display`), which this layer does not know: the package sets `show` and `progress` when it is
imported. Invariant: without anything to show them, all of it happens in silence.
"""

from __future__ import annotations

from collections.abc import Callable
from contextlib import AbstractContextManager, nullcontext


def _nothing(_text: str) -> None:
    return


show: Callable[[str], None] = _nothing
"""Shows a text where the program's output goes."""


def _unseen(_doing: str, _total: int) -> AbstractContextManager[Callable[[int], None]]:
    return nullcontext(lambda _number: None)


progress: Callable[[str, int], AbstractContextManager[Callable[[int], None]]] = _unseen
"""Returns a block that shows how many of so many calls are done."""
