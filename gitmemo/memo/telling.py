"""Warnings that point at the line of the user's program.

Not what they say. Invariant: however deep the code that warns is, the place named is the first one
outside of gitmemo.
"""

from __future__ import annotations

import sys
import warnings
from typing import Final

_OURS: Final = ("gitmemo", "contextlib", "click")
"""Packages whose frames are not the user's: blocks are entered through an exit stack, or a command."""


def tell(warning: Warning) -> None:
    """Warn, as if the user's code that led here had done it."""
    frame, level = sys._getframe(1), 2
    while frame.f_back is not None and _is_ours(frame.f_back.f_globals.get("__name__")):
        frame, level = frame.f_back, level + 1
    warnings.warn(warning, stacklevel=level + 1)


def _is_ours(module: object) -> bool:
    return isinstance(module, str) and module.partition(".")[0] in _OURS
