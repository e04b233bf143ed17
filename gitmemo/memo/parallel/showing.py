"""How far parallel calls are, where somebody shows it.

Not a display (`display.progress`), which this layer does not know: whoever shows it is in
`patterns.speaking`. Invariant: without one, nothing is shown.
"""

from __future__ import annotations

from gitmemo.patterns import speaking


def progress(doing: str, total: int, *, wanted: bool) -> speaking.Progress:
    """Return a block that shows how many of `total` calls are done; it is told of more."""
    return speaking.progress(doing, total) if wanted else speaking.Unseen()
