"""Graphs as SVG images, drawn by the standard library alone.

Not where things lie (`layout`). Invariants: the same graph gives the same bytes; an image needs no
font, script or address of others; and nothing is said by colour alone. Colours are attributes, so
that they hold where styles are stripped; a style for dark surroundings comes on top, and its names
begin with the image's own class, so that it changes nothing of a page around it.
"""

from __future__ import annotations

from collections.abc import Iterator
from html import escape

from gitmemo.drawing.colours import FILLS, LINE, TEXT, fill_of
from gitmemo.drawing.graph import Direction, Graph, Node, State
from gitmemo.drawing.layout import MARGIN, layout
from gitmemo.drawing.lettering import (
    address,
    cut,
    details,
    edge_labels,
    heading,
    shown,
    tooltip,
    width,
)
from gitmemo.drawing.plan import Box, Size
from gitmemo.drawing.routes import TIP, Route, Stroke

_LARGE, _SMALL, _LINE, _PADDING = 12, 10, 13, 10.0
_HEIGHT, _DOUBLE = 28.0, 3.0
_FONT = "Helvetica,Arial,'DejaVu Sans',sans-serif"

_LIGHT = {  # what, and its fill or stroke
    "ground": "#ffffff",
    "text": TEXT,
    "faint": "#57606a",
    "line": LINE,
    **FILLS,
}
_DARK = {
    "ground": "#16191d",
    "text": "#e6edf3",
    "faint": "#a5afba",
    "line": "#8b949e",
    "variable": "#1c3a5e",
    "function": "#54401a",
    "component": "#1f4328",
    "some": "#4b4420",
    "pending": "#66540d",
    "stale": "#67302b",
    "gone": "#43484e",
}
_DASHES: dict[State, str] = {  # of the border
    "pending": "5 3",
    "partly-pending": "9 3",
    "stale": "2 3",
    "partly-stale": "2 3",
    "gone": "5 3",
}
_SHARP = {"function": 3.0, "component": 6.0}


def to_svg(graph: Graph, *, verbose: bool = False, direction: Direction = "TB") -> str:
    """Return the graph as an image.

    Args:
        verbose: Whether nodes say their details and versions, and edges always their names.
        direction: From top to bottom, or from left to right.
    """
    labels = edge_labels(graph, verbose=verbose)
    sizes = [_size(node, verbose=verbose) for node in graph.nodes]
    widths = [width(label, _SMALL) if label else 0.0 for label in labels]
    found = layout(graph, sizes, widths, direction)
    note = cut(shown(graph.note), 200)
    wide = max(found.width, width(note, _SMALL) + 2 * MARGIN if note else 0.0)
    high = found.height + (_LINE + MARGIN if note else 0.0)
    parts = [
        f'<svg xmlns="http://www.w3.org/2000/svg" class="gitmemo-graph" width="{wide:.0f}" '
        f'height="{high:.0f}" viewBox="0 0 {wide:.0f} {high:.0f}" font-family="{_FONT}" '
        'text-anchor="middle">',
        _titled(shown(graph.title)),
        _style(),
        f'<rect class="ground" width="100%" height="100%" {_fill("ground")}/>',
    ]
    for route, label in zip(found.routes, labels, strict=True):
        parts += _edge(graph, route, label)
    for node, box in zip(graph.nodes, found.boxes, strict=True):
        parts += _node(node, box, verbose=verbose)
    if note:
        parts.append(_text(note, (wide / 2, high - MARGIN), _SMALL, "faint"))
    return "\n".join(part for part in [*parts, "</svg>"] if part) + "\n"


def _size(node: Node, *, verbose: bool) -> Size:
    smaller = details(node, verbose=verbose)
    widest = max([width(heading(node), _LARGE), *(width(s, _SMALL) for s in smaller)])
    height = _HEIGHT + _LINE * len(smaller)
    radius = _SHARP.get(node.kind, _HEIGHT / 2)
    both = 2 * _DOUBLE if node.collection else 0.0
    return Size(widest + 2 * _PADDING + both, height + both, radius)


def _style() -> str:
    """Return the colours for dark surroundings."""
    rules = [
        f".gitmemo-graph .{name}{{{'stroke' if name == 'line' else 'fill'}:{color}}}"
        for name, color in (*_DARK.items(), ("tip", _DARK["line"]))
    ]
    return f"<style>@media (prefers-color-scheme:dark){{{''.join(rules)}}}</style>"


def _fill(name: str) -> str:
    return f'fill="{_LIGHT[name]}"'


def _titled(text: str) -> str:
    return f"<title>{escape(text)}</title>" if text else ""


def _text(text: str, at: tuple[float, float], size: int, name: str) -> str:
    x, y = _n(at[0]), _n(at[1])
    return f'<text class="{name}" x="{x}" y="{y}" font-size="{size}" {_fill(name)}>{escape(text)}</text>'


def _node(node: Node, box: Box, *, verbose: bool) -> Iterator[str]:
    link = address(node.link)
    yield f'<a href="{escape(link)}">' if link else "<g>"
    yield _titled(tooltip(node))
    fill, dashes = fill_of(node), _DASHES.get(node.state, "")
    yield _rect(box, node.kind, fill, dashes, 0.0)
    if node.collection:
        yield _rect(box, node.kind, fill, dashes, _DOUBLE)
    smaller = details(node, verbose=verbose)
    y = box.y - _LINE * len(smaller) / 2 + 4
    yield _text(heading(node), (box.x, y), _LARGE, "text")
    for number, line in enumerate(smaller, 1):
        yield _text(line, (box.x, y + number * _LINE + 1), _SMALL, "faint")
    yield "</a>" if link else "</g>"


def _rect(box: Box, kind: str, fill: str, dashes: str, inset: float) -> str:
    wide, high = box.width - 2 * inset, box.height - 2 * inset
    radius = _SHARP.get(kind, _HEIGHT / 2) - (inset if kind == "variable" else 0)
    dashed = f' stroke-dasharray="{dashes}"' if dashes else ""
    return (
        f'<rect x="{_n(box.x - wide / 2)}" y="{_n(box.y - high / 2)}" width="{_n(wide)}" '
        f'height="{_n(high)}" rx="{_n(radius)}" class="{fill} line" {_fill(fill)} '
        f'stroke="{_LIGHT["line"]}"{dashed}/>'
    )


def _edge(graph: Graph, route: Route, label: str) -> Iterator[str]:
    edge = graph.edges[route.edge]
    yield "<g>"
    name = f" ({shown(edge.label)})" if edge.label else ""
    times = f" ×{edge.count}" if edge.count else ""
    items = ", through items" if edge.items else ""
    back = ", leads back" if route.is_back else ""
    yield _titled(f"{shown(edge.source)} → {shown(edge.target)}{name}{times}{items}{back}")
    if route.strokes:
        dashes = "0.1 4" if edge.items else "5 4" if route.is_back else ""
        dashed = f' stroke-dasharray="{dashes}"' if dashes else ""
        beads = ' stroke-width="2" stroke-linecap="round"' if edge.items else ""
        yield (
            f'<path class="line" d="{"".join(map(_path, route.strokes))}" fill="none" '
            f'stroke="{_LIGHT["line"]}"{beads}{dashed}/>'
        )
    yield _tip(route)
    if route.label:
        x, y = route.label
        yield _text(label, (x, y + 3.5), _SMALL, "faint")
    yield "</g>"


def _path(stroke: Stroke) -> str:
    letters = {1: "L", 3: "C"}
    start, *pieces = stroke
    drawn = (letters[len(piece)] + " ".join(map(_point, piece)) for piece in pieces)
    return f"M{_point(start[0])}{''.join(drawn)}"


def _tip(route: Route) -> str:
    """Return the tip of an arrow: a triangle that needs no name in a page with other images."""
    (x, y), (dx, dy) = route.tip, route.towards
    left = (x - dx * TIP - dy * TIP / 2, y - dy * TIP - dx * TIP / 2)
    right = (x - dx * TIP + dy * TIP / 2, y - dy * TIP + dx * TIP / 2)
    path = f"M{_point((x, y))}L{_point(left)}L{_point(right)}z"
    return f'<path class="tip" d="{path}" {_fill("line")}/>'


def _point(point: tuple[float, float]) -> str:
    return f"{_n(point[0])},{_n(point[1])}"


def _n(number: float) -> str:
    """Return a number with one digit after the point at most, and never `-0`."""
    text = f"{round(number, 1) + 0.0:.1f}"
    return text.removesuffix(".0")
