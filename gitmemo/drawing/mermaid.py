"""Graphs in the language of Mermaid, which GitHub, GitLab and JupyterLab draw.

Not images (`svg`). Invariant: names are quoted, and every character that could end a quote, begin
a directive or be read as Markdown is an entity.
"""

from __future__ import annotations

import re
from collections.abc import Iterator

from gitmemo.drawing.colours import FILLS, LINE, TEXT, Fill, fill_of
from gitmemo.drawing.graph import Direction, Graph, Node
from gitmemo.drawing.lettering import address, details, edge_labels, heading, shown

# What has a meaning in Mermaid, HTML or Markdown; `_` only where it is not within a word, and
# what begins a list only before a space.
_MEANT = re.compile(r"[\"#<>&`:;{}|*~%$@\\^!]|(?<![A-Za-z0-9])_|_(?![A-Za-z0-9])|[-+.)](?= )")
_SHAPES = {"variable": ("([", "])"), "function": ("[", "]"), "component": ("(", ")")}
_DASHES: dict[Fill, str] = {"pending": "5 3", "some": "9 3", "stale": "2 3", "gone": "5 3"}


def to_mermaid(graph: Graph, *, verbose: bool = False, direction: Direction = "TB") -> str:
    """Return the graph as a flowchart."""
    names = {node.key: f"n{number}" for number, node in enumerate(graph.nodes)}
    classes = {node.key: fill_of(node) for node in graph.nodes}
    used = [name for name in FILLS if name in classes.values()]
    labels = edge_labels(graph, verbose=verbose)
    lines = [
        f"flowchart {direction}",
        *(f"  %% {_escaped(text)}" for text in (graph.title, graph.note) if text),
        *(
            f"  {names[node.key]}{_shape(node, verbose=verbose)}:::{classes[node.key]}"
            for node in graph.nodes
        ),
        *(
            f"  {names[edge.source]} {'-.->' if edge.items else '-->'}{_label(label)} {names[edge.target]}"
            for edge, label in zip(graph.edges, labels, strict=True)
        ),
        *_links(graph, names),
        *(f"  classDef {name} {_style(name)}" for name in used),
    ]
    return "\n".join(lines) + "\n"


def _style(name: Fill) -> str:
    dashes = f",stroke-dasharray:{_DASHES[name]}" if name in _DASHES else ""
    return f"fill:{FILLS[name]}{dashes},stroke:{LINE},color:{TEXT}"


def _shape(node: Node, *, verbose: bool) -> str:
    lines = (heading(node), *details(node, verbose=verbose))
    text = "<br>".join(_escaped(line) for line in lines) or " "
    opening, closing = ("[[", "]]") if node.collection else _SHAPES[node.kind]
    return f'{opening}"{text}"{closing}'


def _label(label: str) -> str:
    return f'|"{_escaped(label)}"|' if label else ""


def _links(graph: Graph, names: dict[str, str]) -> Iterator[str]:
    for node in graph.nodes:
        link = address(node.link)
        if link:
            yield f'  click {names[node.key]} href "{link}"'


def _escaped(text: str) -> str:
    return _MEANT.sub(lambda match: f"#{ord(match[0])};", shown(text))
