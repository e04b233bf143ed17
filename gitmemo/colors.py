"""Whether what is shown is coloured, as far as the environment says.

Not the colouring (`display`, `cli`). Invariant: light, for every command asks.
"""

from __future__ import annotations

import os


def color_wanted() -> bool | None:
    """Return what the environment says of colours; None if each stream decides, as a terminal or not."""
    if os.environ.get("NO_COLOR"):
        return False
    if os.environ.get("FORCE_COLOR", "0") not in ("", "0"):
        return True
    return False if os.environ.get("TERM") == "dumb" else None
