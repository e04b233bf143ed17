"""What pictures say, in every format, whatever names hold."""

from __future__ import annotations

import os
import re
import subprocess
import sys
from html.parser import HTMLParser
from xml.etree import ElementTree

import pytest
from drawing.graphs import HOSTILE, PIPELINE, function, graphs, some, variable
from hypothesis import given
from hypothesis import strategies as st

from gitmemo.drawing import (
    Edge,
    Graph,
    Node,
    to_dot,
    to_fragment,
    to_html,
    to_mermaid,
    to_svg,
    to_text,
)

SVG = "{http://www.w3.org/2000/svg}"
verbosities = st.booleans()


def texts(image: str) -> list[str]:
    return [element.text or "" for element in ElementTree.fromstring(image).iter(f"{SVG}text")]


def titles(image: str) -> list[str]:
    return [element.text or "" for element in ElementTree.fromstring(image).iter(f"{SVG}title")]


def test_an_image_says_names_counts_and_states() -> None:
    said = texts(to_svg(PIPELINE))
    assert {"load ×2", "train ×12", "partly pending", "pending", "stale"} <= set(said)
    assert {"random_state", "output_0", "low", "high", "refined", "itself", "[…]"} <= set(said)
    assert "X" not in said, "what the variable is called need not be said at the edge"
    assert "(3 versions)" not in said and "pipeline.py" not in said
    assert "A pipeline" in titles(to_svg(PIPELINE))
    assert "load ×2 (function)\n(3 versions)\npipeline.py" in titles(to_svg(PIPELINE))
    assert "X → train (X) ×12" in titles(to_svg(PIPELINE))


def test_a_verbose_image_says_all() -> None:
    said = set(texts(to_svg(PIPELINE, verbose=True)))
    assert {"(3 versions)", "pipeline.py", "X ×12", "y", "model", "refined"} <= said


def test_shapes_tell_apart_what_colours_do() -> None:
    root = ElementTree.fromstring(to_svg(PIPELINE))
    rects: dict[str, list[ElementTree.Element]] = {}
    for group in root.iter():
        name = group.find(f"{SVG}text")
        if name is not None and group.find(f"{SVG}rect") is not None:
            rects[(name.text or "").partition(" ")[0]] = group.findall(f"{SVG}rect")
    assert rects["seed"][0].get("rx") == "14" and rects["load"][0].get("rx") == "3"
    assert len(rects["models"]) == 2 and len(rects["model"]) == 1
    dashes = {
        rects[name][0].get("stroke-dasharray") for name in ("seed", "train", "model", "refine")
    }
    assert len(dashes) == 4


def test_an_image_needs_nothing_and_suits_the_dark() -> None:
    image = to_svg(PIPELINE)
    assert "prefers-color-scheme:dark" in image
    assert not re.search(r"<script|@import|url\(|<image|<use| id=| on[a-z]+=", image)
    addresses = set(re.findall(r"https?://[^\"<]*", image))
    assert addresses == {"http://www.w3.org/2000/svg", "https://example.org/model"}
    style = re.search(r"<style>(.*)</style>", image)
    assert style and all(
        rule.startswith(".gitmemo-graph ")
        for rule in re.findall(r"[^{}]+(?=\{(?:fill|stroke))", style[1])
    )


@pytest.mark.parametrize(
    "link",
    ["javascript:alert(1)", "JaVaScRiPt:x", "data:text/html,x", 'a"b', "a b", "file:///x", "//[x"],
)
def test_links_lead_to_the_web_or_nowhere(link: str) -> None:
    graph = Graph((Node("a", "a", "variable", 1, link=link),), ())
    for picture in (to_svg(graph), to_dot(graph), to_mermaid(graph), to_html(graph)):
        assert not re.search(r"<a |URL=|click ", picture)


@given(graphs(most=6), verbosities)
def test_images_are_xml_whatever_names_hold(graph: Graph, verbose: bool) -> None:
    root = ElementTree.fromstring(to_svg(graph, verbose=verbose))
    known = {"svg", "style", "rect", "g", "a", "title", "text", "path"}
    assert {element.tag.removeprefix(SVG) for element in root.iter()} <= known
    assert len(list(root.iter(f"{SVG}path"))) >= len(graph.edges)
    numbers = "".join(v for e in root.iter() for k, v in e.items() if k in ("d", "x", "y", "width"))
    assert "nan" not in numbers and "inf" not in numbers and "e" not in numbers


class Tags(HTMLParser):
    def __init__(self) -> None:
        super().__init__()
        self.found: set[str] = set()

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.found.add(tag)


@given(graphs(most=6))
def test_pages_hold_no_tags_of_others(graph: Graph) -> None:
    drawn = {"svg", "style", "rect", "g", "a", "title", "text", "path"}
    for text, frame in (
        (to_html(graph), {"html", "head", "meta", "body"}),
        (to_fragment(graph), {"div"}),
    ):
        tags = Tags()
        tags.feed(text)
        assert tags.found <= drawn | frame
        text.encode("utf-8")
    assert "Content-Security-Policy" in to_html(graph)


DOT_TOKEN = re.compile(r'"(?:[^"\\\n]|\\.)*"|[A-Za-z_][A-Za-z_0-9]*|\d+|->|[{}\[\];=,]|\s+')


def read_dot(text: str) -> tuple[dict[str, str], list[tuple[str, str]]]:
    """Read what `to_dot` writes: nodes with their labels, and edges."""
    tokens, at = [], 0
    while at < len(text):
        match = DOT_TOKEN.match(text, at)
        assert match, text[at : at + 40]
        at = match.end()
        if match[0].strip():
            tokens.append(match[0])
    assert tokens[:2] == ["digraph", "{"] and tokens[-1] == "}"
    nodes, edges = {}, []
    statement: list[str] = []
    for token in tokens[2:-1]:
        if token != ";":
            statement.append(token)
            continue
        if statement[0].startswith('"') and "->" in statement:
            edges.append((statement[0], statement[2]))
        elif statement[0].startswith('"'):
            nodes[statement[0]] = statement[statement.index("label") + 2]
        statement = []
    assert not statement
    return nodes, edges


@given(graphs(most=6), verbosities)
def test_graphviz_can_read_whatever_names_hold(graph: Graph, verbose: bool) -> None:
    nodes, edges = read_dot(to_dot(graph, verbose=verbose))
    assert len(nodes) == len(graph.nodes)
    names = dict(zip((node.key for node in graph.nodes), nodes, strict=True))
    assert edges == [(names[edge.source], names[edge.target]) for edge in graph.edges]


def test_keys_that_cannot_be_shown_stay_apart() -> None:
    keys = ("a\x01", "a\x02", "a� 1", "a�")
    nodes, _ = read_dot(to_dot(Graph(tuple(map(variable, keys)), ())))
    assert len(nodes) == 4


def test_dot_text() -> None:
    nodes, edges = read_dot(to_dot(PIPELINE, verbose=True))
    assert nodes['"load"'] == r'"load ×2\n(3 versions)\npipeline.py"'
    assert ('"model"', '"models"') in edges
    text = to_dot(PIPELINE, direction="LR")
    assert "rankdir=LR;" in text and 'URL="https://example.org/model"' in text
    assert "peripheries=2" in text and 'style="filled,rounded,dashed"' in text


MERMAID_LINE = re.compile(
    r"""flowchart\ (TB|LR)
    | \ \ %%\ [^"{}%]*
    | \ \ n\d+(\(\[|\[\[|\[|\()"[^"<>]*(<br>[^"<>]*)*"(\]\)|\]\]|\]|\)):::\w+
    | \ \ n\d+\ (-->|-\.->)(\|"[^"<>]*"\|)?\ n\d+
    | \ \ click\ n\d+\ href\ "[^"\s]*"
    | \ \ classDef\ \w+\ [\w:,\#\ -]+""",
    re.VERBOSE,
)


@given(graphs(most=6), verbosities)
def test_mermaid_text_is_lines_of_known_kinds(graph: Graph, verbose: bool) -> None:
    lines = to_mermaid(graph, verbose=verbose).removesuffix("\n").split("\n")
    for line in lines:
        assert MERMAID_LINE.fullmatch(line), line
        assert "%%{" not in line and "`" not in line
    assert sum("-->" in line or "-.->" in line for line in lines) == len(graph.edges)


@pytest.mark.parametrize("name", HOSTILE)
def test_mermaid_says_the_name(name: str) -> None:
    text = to_mermaid(Graph((variable(name, 0),), ()))
    label = re.search(r'n0\(\["(.*)"\]\)', text)
    assert label
    read = re.sub(r"#(\d+);", lambda match: chr(int(match[1])), label[1])
    shown = re.sub(r"\s+", " ", name)
    shown = "".join(c if c.isprintable() else "�" for c in shown)
    assert read.strip() == (shown if len(shown) <= 44 else shown[:43] + "…").strip()


def test_text_reads_like_a_program() -> None:
    assert to_text(PIPELINE) == (
        "# A pipeline\n"
        "X@output_0, y = load(random_state=seed)  # 2 calls, 3 versions\n"
        "model = train(X=X, y=y, rate=rate)  # 12 calls, partly pending\n"
        "models = [model, …]\n"
        "model@refined = refine(model=model, itself=refine)  # 30 calls, stale\n"
        "best = compare(models=models, low=limit, high=limit)  # 1 call\n"
    )


def test_text_of_merged_variables_items_and_what_stands_alone() -> None:
    graph = Graph(
        (
            variable("a"),
            variable("b"),
            variable("alone", 3),
            function("f", 2),
            variable("c"),
            variable("d"),
            Node("m.py:g", "g", "component"),
            Node("m.py:h", "h", "component"),
        ),
        (
            Edge("a", "f", "x"),
            Edge("b", "f", "x"),
            Edge("b", "f", "xs", items=True),
            Edge("f", "c", "out"),
            Edge("f", "d", "out"),
            Edge("m.py:g", "m.py:h"),
        ),
    )
    assert to_text(graph) == (
        "alone  # 3 values\nc | d@out = f(x=a | b, xs=[b, …])  # 2 calls\ng -> h\n"
    )
    assert "# a: 12 values\n" in to_text(graph, verbose=True)


@given(graphs(most=6), verbosities)
def test_text_cannot_steer_a_terminal(graph: Graph, verbose: bool) -> None:
    text = to_text(graph, verbose=verbose)
    assert all(c.isprintable() or c == "\n" for c in text)
    calls = sum(node.kind == "function" for node in graph.nodes)
    assert text.count("\n") >= calls


DIGEST = """
import hashlib
from drawing.graphs import PIPELINE, some
from gitmemo.drawing import folded, to_dot, to_mermaid, to_svg, to_text
graphs = (PIPELINE, some(120, 200), folded(some(600, 900, 30), 60))
for form in (to_svg, to_dot, to_mermaid, to_text):
    for graph in graphs:
        print(hashlib.sha256(form(graph, verbose=True).encode()).hexdigest())
"""


def test_the_same_graph_gives_the_same_bytes_in_every_process() -> None:
    def digests(seed: str) -> str:
        environment = {
            **os.environ,
            "PYTHONHASHSEED": seed,
            "PYTHONPATH": os.pathsep.join(sys.path),
        }
        done = subprocess.run(
            [sys.executable, "-c", DIGEST],
            env=environment,
            capture_output=True,
            text=True,
            check=True,
        )
        return done.stdout

    assert digests("1") == digests("2")
    assert len(set(digests("3").splitlines())) == 12


def test_small_and_large() -> None:
    assert texts(to_svg(Graph((), ()))) == []
    assert texts(to_svg(Graph((variable("x", 1),), ()))) == ["x ×1"]
    assert len(texts(to_svg(some(1000, 1300)))) >= 1000
    assert texts(to_svg(Graph((), (), note="nothing is hidden"))) == ["nothing is hidden"]
