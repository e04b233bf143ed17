"""Where patterns are shown that a question is answered by.

Not how (`display`), which this layer does not know: the package sets `show` when it is imported.
Invariant: without anything to show them, patterns are matched in silence.
"""

from __future__ import annotations

from collections.abc import Callable


def _nothing(_text: str) -> None:
    return


show: Callable[[str], None] = _nothing
"""Shows a text where the program's output goes."""
