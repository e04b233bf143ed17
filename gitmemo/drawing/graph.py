"""A graph that can be drawn: functions, the variables between them, and what is said of both.

Not where it comes from (frames, dependencies), nor where its nodes lie (`layout`). Invariant: the
keys of its nodes are unique, and every edge joins two of them.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal, TypeAlias

Kind: TypeAlias = Literal["variable", "function", "component"]
State: TypeAlias = Literal[
    "", "pending", "partly-pending", "stale", "partly-stale", "changed", "partly-changed", "gone"
]
Direction: TypeAlias = Literal["TB", "LR"]


@dataclass(frozen=True, slots=True)
class Node:
    """A function or a variable with everything that a picture says about it.

    Attributes:
        key: What edges call it.
        count: Calls of a function, values of a variable; 0 is not shown.
        lines: Details: in the node where a picture is verbose, else in its tooltip.
        collection: Whether the values are lists, dictionaries or sets.
        versions: Of a function; shown where a picture is verbose.
        link: Where a click leads: an address on the web, or a relative one.
    """

    key: str
    label: str
    kind: Kind
    count: int = 0
    lines: tuple[str, ...] = ()
    state: State = ""
    collection: bool = False
    versions: int = 0
    link: str | None = None


@dataclass(frozen=True, slots=True)
class Edge:
    """A variable that enters a function, or what a function returned.

    Attributes:
        label: The name of the argument or of the output.
        items: Whether it leads through the items of a collection.
    """

    source: str
    target: str
    label: str = ""
    count: int = 0
    items: bool = False


@dataclass(frozen=True, slots=True)
class Graph:
    """Nodes in the order in which they are to be told, and the edges between them.

    Attributes:
        note: What is told below the picture, as how much of it is hidden.
    """

    nodes: tuple[Node, ...]
    edges: tuple[Edge, ...]
    title: str = ""
    note: str = ""
