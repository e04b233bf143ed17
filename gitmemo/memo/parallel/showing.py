"""How far parallel calls are, where somebody shows it.

Not a display (`display.progress`), which this layer does not know: whoever shows it is in
`patterns.speaking`. Invariant: without one, nothing is shown.
"""

from __future__ import annotations

from collections.abc import Callable
from contextlib import AbstractContextManager, nullcontext

from gitmemo.patterns import speaking


def progress(
    doing: str, total: int, *, wanted: bool | None
) -> AbstractContextManager[Callable[[int], None]]:
    """Return a block that shows how many of `total` calls are done; its variable is told of more."""
    if wanted is False:
        return nullcontext(_silent)
    return speaking.progress(doing, total)


def _silent(_: int) -> None:
    return
