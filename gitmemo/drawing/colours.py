"""The colours of pictures on a light ground, and which of them the state of a node has.

Not dashes and borders, which each format draws its own way. Invariant: every format fills the same
node with the same colour.
"""

from __future__ import annotations

from typing import TypeAlias

from gitmemo.drawing.graph import Node, State

Fill: TypeAlias = str
"""The kind of a node, or how it is filled because of its state."""

FILLS: dict[Fill, str] = {
    "variable": "#dbeafe",
    "function": "#fde9c9",
    "component": "#e3f1e3",
    "pending": "#f8e6a0",
    "some": "#fdf6d8",
    "stale": "#f9d5d1",
    "gone": "#dddfe2",
}
LINE, TEXT = "#6e7781", "#1f2328"

_BY_STATE: dict[State, Fill] = {
    "pending": "pending",
    "partly-pending": "some",
    "stale": "stale",
    "partly-stale": "some",
    "changed": "stale",
    "partly-changed": "some",
    "gone": "gone",
}


def fill_of(node: Node) -> Fill:
    """Return what a node is filled with: what its state says, else its kind.

    >>> fill_of(Node("f", "f", "function", state="changed"))
    'stale'
    """
    return _BY_STATE.get(node.state, node.kind)
