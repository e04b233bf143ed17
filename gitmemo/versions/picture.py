"""Pictures of what an op depends on: SVG, and DOT text for Graphviz.

Not the graph itself (`tree`). Invariant: the same graph gives the same bytes,
and nothing but the standard library draws it.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from html import escape

from gitmemo.versions.tree import DependencyTree, State

_WIDTH_OF_LETTER, _HEIGHT, _GAP, _BETWEEN_ROWS, _MARGIN = 7.2, 38, 24, 44, 16
_SWEEPS = 6
_COLORS = {
    State.VALID: "#e3f1e3",
    State.PARTLY: "#fdf3d0",
    State.CHANGED: "#f9dcd9",
    State.GONE: "#e4e4e4",
}
Edge = tuple[str, str]


def to_dot(tree: DependencyTree) -> str:
    """Return the graph in the language of Graphviz."""
    lines = ["digraph dependencies {", "  rankdir=TB; node [shape=box, style=filled];"]
    lines.append(f'  {_quoted(tree.op)} [fillcolor="#dbe7f8", shape=ellipse];')
    for one in tree.touched:
        dashed = ', style="filled,dashed"' if one.by_hand else ""
        name = _quoted(str(one.component))
        lines.append(f'  {name} [fillcolor="{_COLORS[one.state]}"{dashed}];')
    lines += [f"  {_quoted(a)} -> {_quoted(b)};" for a, b in edges_of(tree)]
    return "\n".join([*lines, "}"]) + "\n"


def to_svg(tree: DependencyTree) -> str:
    """Return the graph as an image: the op above, each component below what names it."""
    nodes = [tree.op, *(str(one.component) for one in tree.touched)]
    edges = edges_of(tree)
    rows = _ordered(_rows(nodes, edges), edges)
    labels = {str(one.component): (one.component.unit, one.component.path) for one in tree.touched}
    labels[tree.op] = (tree.op.rpartition(":")[2], "op")
    widths = {name: _width(labels[name]) for name in nodes}
    places = _places(rows, widths)
    wide = max(x + widths[name] / 2 for name, (x, _) in places.items()) + _MARGIN
    high = max(y for _, y in places.values()) + _HEIGHT + _MARGIN
    fills = {str(one.component): (_COLORS[one.state], one.by_hand) for one in tree.touched}
    parts = [
        f'<svg xmlns="http://www.w3.org/2000/svg" width="{wide:.0f}" height="{high:.0f}" '
        f'viewBox="0 0 {wide:.0f} {high:.0f}" font-family="sans-serif" text-anchor="middle">',
        f"<title>{escape(_clean(tree.op))}: what its calls depend on</title>",
        '<defs><marker id="tip" markerWidth="8" markerHeight="8" refX="7" refY="3" orient="auto">'
        '<path d="M0,0 L7,3 L0,6 z" fill="#777"/></marker></defs>',
        *(_line(places[a], places[b]) for a, b in edges),
        *(
            _box(places[name], widths[name], labels[name], *fills.get(name, ("#dbe7f8", False)))
            for name in nodes
        ),
        "</svg>",
    ]
    return "\n".join(parts) + "\n"


def edges_of(tree: DependencyTree) -> list[Edge]:
    """Return who names whom; what no text names hangs on the op itself."""
    edges = [(str(one.component), str(used)) for one in tree.touched for used in one.uses]
    own = [str(one.component) for one in tree.touched if one.op == tree.op]
    reached = _reached(own, edges)
    loose = [str(o.component) for o in tree.touched if str(o.component) not in reached]
    roots = [name for name in loose if not any(b == name and a in loose for a, b in edges)]
    roots += [name for name in loose if name not in _reached(roots, edges)][:1]
    return [(tree.op, name) for name in (*own, *roots)] + edges


def _reached(start: Iterable[str], edges: Sequence[Edge]) -> set[str]:
    found, todo = set(start), list(start)
    while todo:
        at = todo.pop()
        new = {b for a, b in edges if a == at} - found
        found |= new
        todo += new
    return found


def _rows(nodes: Sequence[str], edges: Sequence[Edge]) -> list[list[str]]:
    """Put each node below all that name it; an edge back to an earlier node does not count."""
    after: dict[str, list[str]] = {name: [b for a, b in edges if a == name] for name in nodes}
    order: list[str] = []
    open_ones: set[str] = set()
    back: set[Edge] = set()
    todo = [(name, False) for name in reversed(nodes)]
    while todo:
        name, is_done = todo.pop()
        if is_done:
            open_ones.discard(name)
            order.append(name)
        elif name not in open_ones and name not in order:
            open_ones.add(name)
            todo.append((name, True))
            for other in after[name]:
                if other in open_ones:
                    back.add((name, other))
                elif other not in order:
                    todo.append((other, False))
    depth = dict.fromkeys(nodes, 0)
    for name in reversed(order):
        for other in after[name]:
            if (name, other) not in back and other != name:
                depth[other] = max(depth[other], depth[name] + 1)
    rows: list[list[str]] = [[] for _ in range(max(depth.values()) + 1)]
    for name in nodes:
        rows[depth[name]].append(name)
    return [row for row in rows if row]


def _ordered(rows: list[list[str]], edges: Sequence[Edge]) -> list[list[str]]:
    """Bring each row near to its neighbours, so that fewer lines cross."""
    for _ in range(_SWEEPS):
        at = {name: (i + 0.5) / len(row) for row in rows for i, name in enumerate(row)}
        near = {name: [at[a] for a, b in edges if b == name] for name in at}
        rows = [
            sorted(row, key=lambda n: sum(near[n]) / len(near[n]) if near[n] else at[n])
            for row in rows
        ]
    return rows


def _places(
    rows: Sequence[Sequence[str]], widths: Mapping[str, float]
) -> dict[str, tuple[float, float]]:
    """Return the middle of each box's upper edge."""
    totals = [sum(widths[name] for name in row) + _GAP * (len(row) - 1) for row in rows]
    found: dict[str, tuple[float, float]] = {}
    for number, row in enumerate(rows):
        x = _MARGIN + (max(totals) - totals[number]) / 2
        for name in row:
            found[name] = (x + widths[name] / 2, _MARGIN + number * (_HEIGHT + _BETWEEN_ROWS))
            x += widths[name] + _GAP
    return found


def _line(a: tuple[float, float], b: tuple[float, float]) -> str:
    top, bottom = a[1] + _HEIGHT, b[1]
    middle = (top + bottom) / 2
    return (
        f'<path d="M{a[0]:.1f},{top:.1f} C{a[0]:.1f},{middle:.1f} {b[0]:.1f},{middle:.1f} '
        f'{b[0]:.1f},{bottom:.1f}" fill="none" stroke="#777" marker-end="url(#tip)"/>'
    )


def _box(
    place: tuple[float, float], width: float, label: tuple[str, str], fill: str, dashed: bool
) -> str:
    x, y = place
    dashes = ' stroke-dasharray="4 3"' if dashed else ""
    name, where = (escape(_clean(text)) for text in label)
    return (
        f'<rect x="{x - width / 2:.1f}" y="{y:.1f}" width="{width:.1f}" height="{_HEIGHT}" rx="5" '
        f'fill="{fill}" stroke="#555"{dashes}/>'
        f'<text x="{x:.1f}" y="{y + 16:.1f}" font-size="12">{name}</text>'
        f'<text x="{x:.1f}" y="{y + 31:.1f}" font-size="10" fill="#555">{where}</text>'
    )


def _width(label: tuple[str, str]) -> float:
    return max(len(text) for text in label) * _WIDTH_OF_LETTER + _GAP


def _clean(text: str) -> str:
    """Return text that XML may hold: names come from other people's files."""
    return "".join(c if c.isprintable() else "\N{REPLACEMENT CHARACTER}" for c in text)


def _quoted(text: str) -> str:
    cleaned = _clean(text).replace("\\", "\\\\").replace('"', '\\"')
    return f'"{cleaned}"'
