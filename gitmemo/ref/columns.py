"""Cells with refs among them, for pandas: not what stands in the cells (`frames`, `patterns`)."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from gitmemo.ref.atoms import Ref


def as_column(cells: Sequence[object]) -> Any:
    """Return cells so that pandas makes a column of them and does not look into refs.

    Of a list it asks numpy 1 to make an array, which asks each object for its own.
    """
    if not any(issubclass(kind, Ref) for kind in {type(cell) for cell in cells}):
        return cells
    import numpy as np

    column = np.empty(len(cells), dtype=object)
    for number, cell in enumerate(cells):
        column[number] = cell
    return column
