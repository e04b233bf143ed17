"""Graphs in the language of Graphviz.

Not images (`svg`; `rendering` runs Graphviz). Invariant: whatever names hold, each is one quoted
string, and different nodes have different ones.
"""

from __future__ import annotations

from collections.abc import Iterator

from gitmemo.drawing.colours import FILLS, LINE, fill_of
from gitmemo.drawing.graph import Direction, Edge, Graph, Node, State
from gitmemo.drawing.lettering import (
    address,
    details,
    edge_labels,
    heading,
    shown,
    tooltip,
)

_BORDERS: dict[State, str] = {
    "pending": "dashed",
    "partly-pending": "dashed",
    "stale": "dotted",
    "partly-stale": "dotted",
    "gone": "dashed",
}


def to_dot(graph: Graph, *, verbose: bool = False, direction: Direction = "TB") -> str:
    """Return the graph as text that `dot` reads."""
    names = _names(graph)
    labels = edge_labels(graph, verbose=verbose)
    lines = [
        "digraph {",
        f"  rankdir={direction};",
        '  node [fontname="Helvetica", fontsize=12, shape=box];',
        f'  edge [fontname="Helvetica", fontsize=10, color="{LINE}"];',
        *(f"  {name}={_quoted(text)};" for name, text in _about(graph)),
        *(f"  {names[node.key]}{_node(node, verbose=verbose)};" for node in graph.nodes),
        *(
            f"  {names[edge.source]} -> {names[edge.target]}{_edge(edge, label)};"
            for edge, label in zip(graph.edges, labels, strict=True)
        ),
        "}",
    ]
    return "\n".join(lines) + "\n"


def _about(graph: Graph) -> Iterator[tuple[str, str]]:
    if graph.title:
        yield "tooltip", graph.title
    if graph.note:
        yield "label", graph.note


def _names(graph: Graph) -> dict[str, str]:
    """Return what each node is called: its key where that can be shown, else with a number."""
    found, taken = {}, set()
    for number, node in enumerate(graph.nodes):
        name = _quoted(node.key)
        while name in taken:
            name = _quoted(f"{node.key} {number}")
            number += len(graph.nodes)
        taken.add(name)
        found[node.key] = name
    return found


def _node(node: Node, *, verbose: bool) -> str:
    link = address(node.link)
    styles = ["filled"]
    styles += ["rounded"] if node.kind == "variable" else []
    styles += [_BORDERS[node.state]] if node.state in _BORDERS else []
    lines = (heading(node), *details(node, verbose=verbose))
    parts = [
        f"label={_quoted(*lines)}",
        f'style="{",".join(styles)}"',
        f'fillcolor="{FILLS[fill_of(node)]}"',
        f"tooltip={_quoted(*tooltip(node).split(chr(10)))}",
        *(["peripheries=2"] if node.collection else []),
        *([f"URL={_quoted(link)}"] if link else []),
    ]
    return f" [{', '.join(parts)}]"


def _edge(edge: Edge, label: str) -> str:
    parts = [
        *([f"label={_quoted(label)}"] if label else []),
        *(["style=dotted"] if edge.items else []),
    ]
    return f" [{', '.join(parts)}]" if parts else ""


def _quoted(*lines: str) -> str:
    """Return lines as one quoted string; Graphviz reads entities of HTML in it as well."""
    cleaned = (
        shown(line).replace("\\", "\\\\").replace('"', '\\"').replace("&", "&amp;")
        for line in lines
    )
    return '"{}"'.format("\\n".join(cleaned))
