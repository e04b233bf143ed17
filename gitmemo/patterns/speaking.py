"""Where it is shown what a running program does: patterns that answer a question, calls of a map.

Not how (`display`), which this layer does not know: the package sets `show` and `progress` when it is
imported. Invariant: without anything to show them, all of it happens in silence.
"""

from __future__ import annotations

from collections.abc import Callable
from types import TracebackType
from typing import Protocol


def _nothing(_text: str) -> None:
    return


show: Callable[[str], None] = _nothing
"""Shows a text where the program's output goes."""


class Progress(Protocol):
    """A block in which it is shown how many of so many calls are done; it may be entered again."""

    def __enter__(self) -> object:
        """Show it from now on."""
        ...

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
        /,
    ) -> None:
        """Leave nothing on the screen."""
        ...

    def __call__(self, *, done: int = 0, failed: int = 0, more: int = 0) -> None:
        """Note that so many are done besides, of which so many failed, and that there are more."""
        ...


class Unseen:
    """Nothing is shown."""

    def __enter__(self) -> None:
        return

    def __exit__(self, *_: object) -> None:
        return

    def __call__(self, *, done: int = 0, failed: int = 0, more: int = 0) -> None:
        """Do nothing."""


def _unseen(_doing: str, _total: int) -> Progress:
    return Unseen()


progress: Callable[[str, int], Progress] = _unseen
"""Returns a block that shows how many of so many calls are done."""
