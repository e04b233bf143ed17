"""Where things lie in pictures: nothing on anything, lines that lead from node to node."""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence
from itertools import combinations, pairwise

import pytest
from drawing.graphs import PIPELINE, function, graphs, some, variable
from hypothesis import given
from hypothesis import strategies as st

from gitmemo.drawing import Direction, Edge, Graph
from gitmemo.drawing import layout as layout_module
from gitmemo.drawing.layout import Layout, layout
from gitmemo.drawing.placing import Ports, Room, across
from gitmemo.drawing.plan import Box, Size
from gitmemo.drawing.ranks import Pair
from gitmemo.drawing.routes import TIP, Route, Stroke
from gitmemo.drawing.rows import Rows

directions = st.sampled_from(("TB", "LR"))
PLAIN = st.sampled_from(("", "a", "name", "a longer name"))


def laid_out(graph: Graph, direction: Direction = "TB") -> Layout:
    sizes = [
        Size(30.0 + 9 * len(node.label), 28.0 + 13 * len(node.lines), 14 if number % 2 else 3)
        for number, node in enumerate(graph.nodes)
    ]
    labels = [7.0 * len(edge.label) for edge in graph.edges]
    return layout(graph, sizes, labels, direction)


def overlap(a: Box, b: Box) -> bool:
    return (
        abs(a.x - b.x) < (a.width + b.width) / 2 - 0.01
        and abs(a.y - b.y) < (a.height + b.height) / 2 - 0.01
    )


def points(stroke: Stroke) -> Iterator[tuple[float, float]]:
    """Yield points along a stroke, close enough to meet any box that it crosses."""
    at = stroke[0][0]
    for piece in stroke[1:]:
        controls = (at, *piece) if len(piece) == 3 else (at, at, piece[0], piece[0])
        for step in range(13):
            t = step / 12
            weights = ((1 - t) ** 3, 3 * t * (1 - t) ** 2, 3 * t**2 * (1 - t), t**3)
            yield (
                sum(w * x for w, (x, _) in zip(weights, controls, strict=True)),
                sum(w * y for w, (_, y) in zip(weights, controls, strict=True)),
            )
        at = piece[-1]


def is_inside(box: Box, point: tuple[float, float], by: float = 0.1) -> bool:
    return (
        abs(box.x - point[0]) < box.width / 2 - by and abs(box.y - point[1]) < box.height / 2 - by
    )


def from_edge(box: Box, radius: float, point: tuple[float, float]) -> float:
    """Return how far a point is from the border of a box with round corners."""
    x = abs(point[0] - box.x) - box.width / 2 + radius
    y = abs(point[1] - box.y) - box.height / 2 + radius
    return math.hypot(max(x, 0), max(y, 0)) + min(max(x, y), 0) - radius


def check(graph: Graph, direction: Direction) -> Layout:
    found = laid_out(graph, direction)
    for a, b in combinations(found.boxes, 2):
        assert not overlap(a, b)
    for box in found.boxes:
        assert box.x - box.width / 2 >= 0 and box.x + box.width / 2 <= found.width
        assert box.y - box.height / 2 >= 0 and box.y + box.height / 2 <= found.height
    number = {node.key: place for place, node in enumerate(graph.nodes)}
    for place, route in enumerate(found.routes):
        assert route.edge == place
        edge = graph.edges[place]
        check_route(found, route, number[edge.source], number[edge.target])
    check_labels(graph, found)
    check_lines(graph, found)
    return found


def check_route(found: Layout, route: Route, source: int, target: int) -> None:
    assert abs(from_edge(found.boxes[target], 3 if target % 2 == 0 else 14, route.tip)) < 0.1
    for stroke in route.strokes:
        for point in points(stroke):
            for number, box in enumerate(found.boxes):
                # a line may run along the round end of its own node
                assert not is_inside(box, point, 8 if number in (source, target) else 0.1)
    if source != target:
        ends = {route.strokes[0][0][0], route.strokes[-1][-1][-1]}
        behind = (route.tip[0] - TIP * route.towards[0], route.tip[1] - TIP * route.towards[1])
        assert any(abs(x - behind[0]) + abs(y - behind[1]) < 0.1 for x, y in ends)


def check_lines(graph: Graph, found: Layout) -> None:
    """Lines are one only where they come from one node: what leads back is for itself."""
    owner: dict[tuple[float, float], object] = {}
    for route in found.routes:
        edge = graph.edges[route.edge]
        corners = [piece[-1] for stroke in route.strokes for piece in stroke][1:-1]
        whose = route.edge if route.is_back or edge.label else edge.source
        for corner in () if edge.source == edge.target else corners:
            assert owner.setdefault(corner, whose) == whose or not edge.label


def check_labels(graph: Graph, found: Layout) -> None:
    boxes = []
    for route in found.routes:
        label = graph.edges[route.edge].label
        assert (route.label is not None) == bool(label)
        if route.label:
            boxes.append(Box(*route.label, 7.0 * len(label), 12.0))
    for a, b in combinations(boxes, 2):
        assert not overlap(a, b)
    for label_box in boxes:
        assert not any(overlap(label_box, box) for box in found.boxes)


@given(graphs(texts=PLAIN), directions)
def test_nothing_lies_on_anything_and_lines_lead_to_their_nodes(
    graph: Graph, direction: Direction
) -> None:
    check(graph, direction)


@pytest.mark.parametrize("seed", range(4))
def test_nothing_lies_on_anything_where_it_is_crowded(seed: int) -> None:
    check(some(36, 64, 9, seed), "LR" if seed % 2 else "TB")


@pytest.mark.parametrize("direction", ["TB", "LR"])
def test_a_pipeline_leads_one_way(direction: Direction) -> None:
    found = check(PIPELINE, direction)
    boxes = dict(zip((node.key for node in PIPELINE.nodes), found.boxes, strict=True))
    back = {PIPELINE.edges[route.edge].label for route in found.routes if route.is_back}
    assert back == {"refined", "itself"}
    for edge, route in zip(PIPELINE.edges, found.routes, strict=True):
        a, b = boxes[edge.source], boxes[edge.target]
        if not route.is_back:
            assert (a.y < b.y) if direction == "TB" else (a.x < b.x)


@given(graphs(texts=PLAIN))
def test_without_the_edges_that_lead_back_there_is_no_circle(graph: Graph) -> None:
    found = laid_out(graph)
    at = dict(zip((node.key for node in graph.nodes), found.boxes, strict=True))
    for edge, route in zip(graph.edges, found.routes, strict=True):
        if edge.source != edge.target and not route.is_back:
            assert at[edge.source].y < at[edge.target].y


def test_a_circle_is_cut_where_the_computation_comes_into_it() -> None:
    graph = Graph(
        (function("step"), variable("x"), function("init")),
        (Edge("x", "step", "x"), Edge("step", "x", "x"), Edge("init", "x", "x")),
    )
    assert [route.is_back for route in laid_out(graph).routes] == [False, True, False]


def test_few_lines_cross() -> None:
    """Two ladders whose nodes are told in the worst order are drawn apart."""
    names = [f"{side}{number}" for number in range(6) for side in "ab"]
    edges = [Edge(f"{side}{n}", f"{side}{n + 1}") for side in "ab" for n in range(5)]
    edges += [Edge("a0", "b5"), Edge("b0", "b2")]
    found = laid_out(Graph(tuple(map(variable, names)), tuple(edges)))
    at = dict(zip(names, found.boxes, strict=True))
    sides = {at[f"a{n}"].x < at[f"b{n}"].x for n in range(1, 6)}
    assert len(sides) == 1


def test_a_plain_chain_is_straight() -> None:
    nodes = tuple(variable("x" * (1 + number % 5) + str(number)) for number in range(20))
    edges = tuple(Edge(a.key, b.key) for a, b in pairwise(nodes))
    found = laid_out(Graph(nodes, edges))
    assert max(box.x for box in found.boxes) - min(box.x for box in found.boxes) < 1


def test_inputs_stand_next_to_what_uses_them() -> None:
    nodes = (variable("late"), variable("a"), function("f"), variable("b"), function("g"))
    edges = (Edge("a", "f"), Edge("f", "b"), Edge("b", "g"), Edge("late", "g"))
    found = laid_out(Graph(nodes, edges))
    assert found.boxes[0].y == found.boxes[3].y


@pytest.mark.parametrize("count", [0, 1, 40])
def test_nodes_without_edges_fill_a_page(count: int) -> None:
    found = check(Graph(tuple(variable(f"v{number}") for number in range(count)), ()), "TB")
    if count > 1:
        assert 0.3 < found.width / found.height < 4


def test_long_chains_with_an_input_for_all_of_them() -> None:
    """What is shared by far edges is drawn once: the picture grows with the chain, not its square."""
    nodes, edges = [variable("X")], []
    for number in range(400):
        nodes += [function(f"f{number}"), variable(f"v{number}")]
        edges += [Edge("X", f"f{number}", "X"), Edge(f"f{number}", f"v{number}")]
        if number:
            edges.append(Edge(f"v{number - 1}", f"f{number}"))
    found = laid_out(Graph(tuple(nodes), tuple(edges)))
    assert sum(len(stroke) for route in found.routes for stroke in route.strokes) < 10_000


@pytest.mark.parametrize("seed", range(3))
def test_stops_of_a_row_keep_apart(seed: int, monkeypatch: pytest.MonkeyPatch) -> None:
    """Where lines are drawn straight, they do not come over each other."""

    def checked(
        rows: Rows, steps: Sequence[Pair], rooms: Sequence[Room], at_ports: Ports
    ) -> list[float]:
        at = across(rows, steps, rooms, at_ports)
        for a, b in (pair for row in rows for pair in pairwise(row)):
            assert at[b] - at[a] > (rooms[a].across + rooms[b].across) / 2
        return at

    monkeypatch.setattr(layout_module, "across", checked)
    laid_out(some(150, 300, 30, seed))


@pytest.mark.parametrize("span", [8, 1000])
def test_a_thousand_nodes(span: int) -> None:
    graph = some(1000, 1300, span)
    found = laid_out(graph)
    lanes = sorted(found.boxes, key=lambda box: (box.y, box.x))
    for a, b in pairwise(lanes):
        assert a.y != b.y or not overlap(a, b)
