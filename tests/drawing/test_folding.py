"""Large graphs are folded, and what is left tells the truth."""

from __future__ import annotations

from itertools import pairwise

import pytest
from drawing.graphs import PIPELINE, function, graphs, some, variable
from hypothesis import given
from hypothesis import strategies as st

from gitmemo.drawing import Edge, Graph, folded, to_text


def reached(graph: Graph) -> dict[str, set[str]]:
    """Return what each node leads to."""
    after: dict[str, set[str]] = {node.key: set() for node in graph.nodes}
    for edge in graph.edges:
        after[edge.source].add(edge.target)
    found = {}
    for start in after:
        seen, todo = set(), [start]
        while todo:
            new = after[todo.pop()] - seen
            seen |= new
            todo += new
        found[start] = seen
    return found


def check(graph: Graph, most: int) -> Graph:
    small = folded(graph, most)
    assert len(small.nodes) <= most
    assert len({node.key for node in small.nodes}) == len(small.nodes)
    before, after = reached(graph), reached(small)
    stays = {node.key for node in graph.nodes} & {node.key for node in small.nodes}
    for a in stays:
        for b in stays - {a}:
            assert (b in before[a]) == (b in after[a]), (a, b)
    assert small == folded(graph, most)
    return small


@given(graphs(most=16, texts=st.just("name")), st.integers(1, 14))
def test_what_stays_leads_where_it_led(graph: Graph, most: int) -> None:
    small = check(graph, most)
    assert (small is graph) == (len(graph.nodes) <= most)


@pytest.mark.parametrize(
    ("nodes", "edges", "span"), [(400, 500, 8), (400, 700, 400), (300, 200, 9)]
)
def test_large_graphs(nodes: int, edges: int, span: int) -> None:
    graph = some(nodes, edges, span)
    small = check(graph, 60)
    assert "of 400 nodes" in small.note or "of 300 nodes" in small.note
    assert len(small.nodes) / 2 < len(small.edges) < 4 * edges


def test_what_hangs_on_one_node_is_gathered_with_it() -> None:
    """A stem with a leaf at each node has neither twins nor chains; no part of it is lost."""
    stem, leaves = [f"f{n}" for n in range(40)], [f"g{n}" for n in range(40)]
    edges = (*map(Edge, stem, stem[1:]), *map(Edge, stem, leaves))
    small = check(Graph(tuple(map(function, stem + leaves)), edges), 9)
    assert len(small.nodes) == 9 and "left out" not in small.note


def test_an_edge_that_stands_for_a_way_is_no_other_way() -> None:
    """Of a crowded graph some is left out; no edge says what two others say."""
    small = check(some(120, 300, 40), 20)
    assert "left out" in small.note and any(edge.label == "…" for edge in small.edges)
    for edge in small.edges:
        rest = Graph(small.nodes, tuple(other for other in small.edges if other != edge))
        assert edge.label != "…" or edge.target not in reached(rest)[edge.source]


def test_inputs_go_into_their_functions_first() -> None:
    inputs = [variable(f"rate{number}", 3) for number in range(3)]
    graph = Graph(
        (*inputs, function("train"), variable("model")),
        (*(Edge(one.key, "train", one.key) for one in inputs), Edge("train", "model", "model")),
    )
    small = check(graph, 3)
    assert [node.label for node in small.nodes] == ["train(rate0, rate1, rate2)", "model"]
    assert small.note == "2 of 5 nodes shown by their own; 3 inputs written into functions"
    assert to_text(small).splitlines()[0] == "model = train(rate0, rate1, rate2)()  # 12 calls"


def test_what_has_the_same_neighbours_is_one_node() -> None:
    leaves = [variable(f"out{number}") for number in range(17)]
    graph = Graph(
        (variable("x"), function("f"), variable("y"), *leaves, function("g")),
        (
            *(Edge("x", "f"), Edge("x", "g"), Edge("f", "y"), Edge("y", "g")),
            *(Edge("f", leaf.key, leaf.key) for leaf in leaves),
        ),
    )
    small = check(graph, 6)
    group = small.nodes[3]
    assert group.label == "17 variables" and group.lines[:2] == ("out0", "out1")
    assert group.lines[-1] == "and 5 more"
    assert small.note.endswith("17 in 1 group")


def test_chains_are_one_node() -> None:
    names = [f"n{number}" for number in range(3000)]
    nodes = tuple((function if n % 2 else variable)(name) for n, name in enumerate(names))
    edges = tuple(Edge(a, b) for a, b in pairwise(names))
    small = folded(Graph(nodes, edges))
    assert [node.label for node in small.nodes] == [
        *("n1(n0)", "n2", "1498 functions, 1497 variables", "n2998", "n2999")
    ]
    circle = check(Graph(nodes[:300], (*edges[:299], Edge("n299", "n0"))), 150)
    assert [node.key for node in circle.nodes] == ["n0", "n1", "n2 and 295 more", "n298", "n299"]
    assert len(folded(circle, 1).nodes) == 1


def test_of_a_long_loop_its_beginning_and_end_stay() -> None:
    """Also where each step returns two values that the next one takes."""
    nodes, edges = [], []
    for n in range(100):
        nodes += [function(f"f{n}"), variable(f"a{n}"), variable(f"b{n}")]
        edges += [Edge(f"f{n}", f"{name}{n}", name) for name in "ab"]
        edges += [Edge(f"{name}{n - 1}", f"f{n}", name) for name in "ab" if n]
    labels = [node.label for node in check(Graph(tuple(nodes), tuple(edges)), 150).nodes]
    assert labels == ["f0", "a0, b0", "98 functions, 196 variables", "f99", "a99, b99"]


def test_states_of_a_group() -> None:
    nodes = (variable("a", state="pending"), variable("b", state="pending"), variable("c"))
    assert [node.state for node in folded(Graph(nodes[:2], ()), 1).nodes] == ["pending"]
    few = folded(Graph(nodes, ()), 1).nodes
    assert [(node.label, node.state) for node in few] == [("a, b, c", "partly-pending")]


def test_small_graphs_stay_as_they_are() -> None:
    assert folded(PIPELINE) is PIPELINE
