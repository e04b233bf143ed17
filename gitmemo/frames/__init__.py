"""Computation frames: calls as graphs of functions and variables, and as tables.

Invariant: a frame never sees a store; what it asks of one is in `backing`.
"""

from gitmemo.frames.backing import Backing
from gitmemo.frames.columns import Column, Mask
from gitmemo.frames.frame import ComputationFrame
from gitmemo.frames.rows import Cell
from gitmemo.frames.shown import plain_frame
from gitmemo.frames.tables import Table
from gitmemo.frames.universe import Universe

__all__ = [
    "Backing",
    "Cell",
    "Column",
    "ComputationFrame",
    "Mask",
    "Table",
    "Universe",
    "plain_frame",
]
