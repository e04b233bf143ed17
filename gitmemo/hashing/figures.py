"""Figures of matplotlib, which have no content id: what they hold refers to itself everywhere.

Invariant: a figure is refused at once, in words that lead to the file that it can be saved as.
"""

from __future__ import annotations

from gitmemo.errors import FigureRefused
from gitmemo.hashing.encoding import Encoder
from gitmemo.hashing.registry import bases


def install_matplotlib() -> None:
    from matplotlib.figure import Figure

    @bases(Figure)
    def _figure(_: Encoder, value: object) -> bytes:
        raise FigureRefused(type(value).__qualname__, "", "a figure is no plain data")
