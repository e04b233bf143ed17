"""Text in pictures: which characters are shown, how wide they are, what a node says.

Not how any format quotes text. Invariant: what `shown` returns holds no character that could steer
a terminal or that XML forbids: names come from other people's files.
"""

from __future__ import annotations

import re
import unicodedata
from urllib.parse import urlsplit

from gitmemo.drawing.graph import Edge, Graph, Node

LONGEST = 44
"""The most characters of a line in a node; the tooltip has all."""

_WORDS = {
    "": "",
    "pending": "pending",
    "partly-pending": "partly pending",
    "stale": "stale",
    "partly-stale": "partly stale",
    "changed": "changed",
    "partly-changed": "changed for some calls",
    "gone": "gone",
}
_NARROW, _WIDE = frozenset("iIjlft.,:;'|!()[]{}-/\\ \"`"), frozenset("mwMW@%×…—")
_SPACES = re.compile(r"\s+")


def shown(text: str) -> str:
    """Return `text` on one line, with a sign in place of what cannot be shown.

    >>> shown("a\\n b\\x1b\\ud800")
    'a b��'
    """
    flat = _SPACES.sub(" ", text)
    return "".join(c if c.isprintable() else "\N{REPLACEMENT CHARACTER}" for c in flat)


def cut(text: str, most: int = LONGEST) -> str:
    """Return `text`, or as much of it as fits into `most` characters."""
    return text if len(text) <= most else f"{text[: most - 1]}…"


def width(text: str, size: float = 12) -> float:
    """Return how wide `text` is at most, in letters of `size` pixels of a usual font.

    The widest of the fonts that the pictures name decides, DejaVu Sans.
    """
    return sum(map(_width_of, text)) * size


def _width_of(character: str) -> float:
    if character in _NARROW:
        return 0.42
    if character in _WIDE:
        return 1.0
    if character.isascii():
        return 0.72 if character.isupper() else 0.64
    if unicodedata.combining(character):
        return 0.0
    return 1.05 if unicodedata.east_asian_width(character) in "WF" else 0.8


def heading(node: Node) -> str:
    """Return the first line of a node.

    >>> heading(Node("f", "train", "function", 12))
    'train ×12'
    """
    return _counted(cut(shown(node.label)), node.count)


def _counted(text: str, number: int) -> str:
    return f"{text} ×{number}".strip() if number else text


def details(node: Node, *, verbose: bool) -> tuple[str, ...]:
    """Return the smaller lines of a node: its state always, the others where they are wanted."""
    lines = [_WORDS[node.state]]
    if verbose:
        lines.append(f"({node.versions} versions)" if node.versions > 1 else "")
        lines += map(shown, node.lines)
    return tuple(cut(line) for line in lines if line)


def tooltip(node: Node) -> str:
    """Return all that is known about a node, as lines."""
    kind = "collection" if node.collection else node.kind
    name = _counted(shown(node.label), node.count)
    return "\n".join((f"{name} ({kind})", *details(node, verbose=True)))


def edge_label(edge: Edge, graph_label: str, *, verbose: bool) -> str:
    """Return what stands at an edge; a name that its variable has as well only if verbose.

    Args:
        graph_label: The label of the variable at one of its ends.
    """
    label = shown(edge.label)
    if label == shown(graph_label) and not verbose:
        label = ""
    label = cut(f"{label}[…]" if edge.items else label)
    return _counted(label, edge.count) if verbose else label


def edge_labels(graph: Graph, *, verbose: bool) -> list[str]:
    """Return what stands at each edge."""
    variables = {node.key: node.label for node in graph.nodes if node.kind == "variable"}
    return [
        edge_label(
            edge, variables.get(edge.source, variables.get(edge.target, "")), verbose=verbose
        )
        for edge in graph.edges
    ]


def address(link: str | None) -> str | None:
    """Return `link` if a picture may lead there: to the web or to a file beside it.

    >>> address("https://example.org/a"), address("calls/3.html"), address("javascript:alert(1)")
    ('https://example.org/a', 'calls/3.html', None)
    """
    if not link or not all(c.isascii() and c.isprintable() and c not in " \"'<>`\\" for c in link):
        return None
    try:
        scheme = urlsplit(link).scheme
    except ValueError:
        return None
    return link if scheme in ("", "http", "https") else None
