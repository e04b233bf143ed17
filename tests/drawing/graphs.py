"""Graphs to draw: a small one with everything in it, and any."""

from __future__ import annotations

import random
from typing import get_args

from hypothesis import strategies as st

from gitmemo.drawing import Edge, Graph, Kind, Node, State

HOSTILE = (
    "end",
    'a"b',
    "<script>alert(1)</script>",
    "two\nlines",
    "\x1b[31mred",
    "back\\",
    "]]>",
    "--> n0",
    "%%{init: {}}%%",
    "&amp;#quot;",
    "`code`",
    "\ud800",
    "\ufffe",
    "\u202eevil",
    "数据",
    "1. list",
    "__init__",
    "",
    "long " * 40,
)


def variable(key: str, count: int = 12, **more: object) -> Node:
    return Node(key, key, "variable", count, **more)  # type: ignore[arg-type]


def function(key: str, count: int = 12, **more: object) -> Node:
    return Node(key, key, "function", count, **more)  # type: ignore[arg-type]


PIPELINE = Graph(
    (
        variable("seed", 2),
        function("load", 2, versions=3, lines=("pipeline.py",)),
        variable("X", 2),
        variable("y", 2),
        variable("rate", 5),
        function("train", 12, state="partly-pending"),
        variable("model", 12, state="pending", link="https://example.org/model"),
        function("refine", 30, state="stale"),
        variable("models", 1, collection=True),
        function("compare", 1),
        variable("best", 1),
        variable("limit", 1),
    ),
    (
        Edge("seed", "load", "random_state"),
        Edge("load", "X", "output_0"),
        Edge("load", "y", "y"),
        Edge("X", "train", "X", 12),
        Edge("y", "train", "y"),
        Edge("rate", "train", "rate"),
        Edge("train", "model", "model"),
        Edge("model", "refine", "model"),
        Edge("refine", "model", "refined"),
        Edge("model", "models", items=True),
        Edge("models", "compare", "models"),
        Edge("limit", "compare", "low"),
        Edge("limit", "compare", "high"),
        Edge("compare", "best", "best"),
        Edge("refine", "refine", "itself"),
    ),
    "A pipeline",
)


@st.composite
def graphs(draw: st.DrawFn, most: int = 12, texts: st.SearchStrategy[str] | None = None) -> Graph:
    """Return any graph: circles, loops, parallel edges, parts, states, hostile names."""
    texts = st.sampled_from(HOSTILE) | st.text(max_size=20) if texts is None else texts
    count = draw(st.integers(0, most))
    nodes = tuple(
        Node(
            f"n{number}",
            draw(texts),
            draw(st.sampled_from(get_args(Kind))),
            draw(st.integers(0, 3)),
            tuple(draw(st.lists(texts, max_size=2))),
            draw(st.sampled_from(get_args(State))),
            draw(st.booleans()),
            draw(st.integers(0, 3)),
            draw(st.none() | texts),
        )
        for number in range(count)
    )
    ends = st.sampled_from([node.key for node in nodes]) if nodes else st.nothing()
    edge = st.builds(Edge, ends, ends, texts, st.integers(0, 3), st.booleans())
    edges = tuple(draw(st.lists(edge, max_size=2 * most))) if nodes else ()
    return Graph(nodes, edges, draw(texts), draw(texts))


def some(nodes: int, edges: int, span: int = 12, seed: int = 1) -> Graph:
    """Return a large graph in which edges lead at most `span` nodes on."""
    chance = random.Random(seed)
    made = tuple(
        (function if number % 2 else variable)(f"n{number}", number % 7) for number in range(nodes)
    )
    ends = {}
    for _ in range(edges):
        a = chance.randrange(nodes - 1)
        b = min(nodes - 1, a + 1 + chance.randrange(span))
        ends[a, b] = Edge(f"n{a}", f"n{b}", chance.choice(("", "name")))
    return Graph(made, tuple(ends.values()), "some")
