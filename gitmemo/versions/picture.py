"""What an op depends on, as a graph to be drawn.

Not what it depends on (`tree`), nor how graphs are drawn (`drawing`). Invariant: every component
is reached from the op.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from gitmemo.drawing import graph as drawing
from gitmemo.versions.tree import DependencyTree, State, Touched

Edge = tuple[str, str]

_STATES: dict[State, drawing.State] = {
    State.VALID: "",
    State.PARTLY: "partly-changed",
    State.CHANGED: "changed",
    State.GONE: "gone",
}


def graph_of(tree: DependencyTree) -> drawing.Graph:
    """Return the graph: the op above, each component below what names it."""
    op = drawing.Node(tree.op, tree.op.rpartition(":")[2], "function", lines=("op",))
    return drawing.Graph(
        (op, *map(_node, tree.touched)),
        tuple(drawing.Edge(a, b) for a, b in edges_of(tree)),
        f"{tree.op}: what its calls depend on",
    )


def _node(one: Touched) -> drawing.Node:
    lines = (one.component.path, *(("added by hand",) if one.by_hand else ()))
    name = str(one.component)
    return drawing.Node(
        name, one.component.unit, "component", lines=lines, state=_STATES[one.state]
    )


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
