"""Graphs as HTML: a page of its own, or a piece of a notebook.

Not tables of frames. Invariant: nothing is loaded and nothing runs; a page says so to the browser.
"""

from __future__ import annotations

from html import escape

from gitmemo.drawing.graph import Direction, Graph
from gitmemo.drawing.lettering import shown
from gitmemo.drawing.svg import to_svg

_POLICY = "default-src 'none'; style-src 'unsafe-inline'"


def to_html(graph: Graph, *, verbose: bool = False, direction: Direction = "TB") -> str:
    """Return the graph as a page that needs nothing else."""
    return page(shown(graph.title), to_svg(graph, verbose=verbose, direction=direction))


def to_fragment(graph: Graph, *, verbose: bool = False, direction: Direction = "TB") -> str:
    """Return the graph as a piece of a page, as notebooks show it: what is too large scrolls."""
    image = to_svg(graph, verbose=verbose, direction=direction)
    return f'<div style="overflow:auto;max-width:100%">{image}</div>'


def page(title: str, image: str) -> str:
    """Return a page with an image, which is SVG text."""
    return (
        '<!doctype html>\n<html lang="en">\n<head>\n<meta charset="utf-8">\n'
        f'<meta http-equiv="Content-Security-Policy" content="{_POLICY}">\n'
        '<meta name="viewport" content="width=device-width">\n'
        f"<title>{escape(title or 'gitmemo')}</title>\n"
        "<style>:root{color-scheme:light dark}body{margin:1em;font-family:sans-serif}</style>\n"
        f"</head>\n<body>\n{image}</body>\n</html>\n"
    )
