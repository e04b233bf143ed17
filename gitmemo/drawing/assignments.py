"""Graphs as text for terminals: one line for each function, as if it were a program.

Not programs that run (patterns are printed as these). Invariant: the same graph gives the same
text, and no name in it can steer a terminal.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator

from gitmemo.drawing.graph import Edge, Graph, Node
from gitmemo.drawing.lettering import details, shown
from gitmemo.drawing.ranks import backward, topological
from gitmemo.quantities import count


def to_text(graph: Graph, *, verbose: bool = False) -> str:
    """Return the graph as assignments, `out@name = f(argument=variable | other)`.

    A name after `@` is what the function calls its output, where that differs from the variable.

    Args:
        verbose: Whether variables have lines of their own too, with how many values they have, and
            functions with their versions.
    """
    nodes = {node.key: node for node in graph.nodes}
    into, out_of = defaultdict[str, list[Edge]](list), defaultdict[str, list[Edge]](list)
    for edge in graph.edges:
        into[edge.target].append(edge)
        out_of[edge.source].append(edge)
    lines = [f"# {shown(text)}" for text in (graph.title,) if text]
    for key in _in_order(graph):
        node = nodes[key]
        if node.kind == "function":
            values = _outputs(nodes, out_of[key])
            call = f"{shown(node.label)}({_inputs(nodes, into[key])})"
            said = f"{values} = {call}" if values else call
            lines.append(_with_remark(said, _remarks(node, "call")))
            lines += [f"# {shown(node.label)}: {shown(line)}" for line in node.lines if verbose]
        else:
            lines += _variable(nodes, node, into[key], out_of[key], verbose=verbose)
    lines += [f"# {shown(text)}" for text in (graph.note,) if text]
    return "".join(f"{line}\n" for line in lines)


def _in_order(graph: Graph) -> Iterator[str]:
    number = {node.key: place for place, node in enumerate(graph.nodes)}
    pairs = [(number[e.source], number[e.target]) for e in graph.edges if e.source != e.target]
    reached = {b for _, b in pairs}
    starts = sorted(range(len(number)), key=lambda place: place in reached)
    back = backward(len(number), pairs, starts)
    downward = [pair for place, pair in enumerate(pairs) if place not in back]
    for place in topological(len(number), downward):
        yield graph.nodes[place].key


def _outputs(nodes: dict[str, Node], edges: list[Edge]) -> str:
    names = defaultdict[str, list[str]](list)
    for edge in edges:
        if nodes[edge.target].kind != "function":
            names[edge.label].append(_item(nodes[edge.target], edge))
    return ", ".join(
        " | ".join(variables)
        + (f"@{shown(label)}" if _is_name(label) and variables != [shown(label)] else "")
        for label, variables in names.items()
    )


def _is_name(label: str) -> bool:
    return bool(label) and not label.isdigit()


def _inputs(nodes: dict[str, Node], edges: list[Edge]) -> str:
    names = defaultdict[str, list[str]](list)
    for edge in edges:
        names[edge.label].append(_item(nodes[edge.source], edge))
    return ", ".join(
        (f"{shown(label)}=" if label else "") + " | ".join(variables)
        for label, variables in names.items()
    )


def _item(node: Node, edge: Edge) -> str:
    return f"[{shown(node.label)}, …]" if edge.items else shown(node.label)


def _variable(
    nodes: dict[str, Node], node: Node, into: list[Edge], out_of: list[Edge], *, verbose: bool
) -> Iterator[str]:
    """Yield a variable where it leads to others, stands alone, or is asked about."""
    remarks = _remarks(node, "value")
    name = shown(node.label)
    if verbose and remarks:
        yield f"# {name}: {', '.join(remarks)}"
    if not into and not out_of:
        yield _with_remark(name, remarks)
    others = [edge for edge in out_of if nodes[edge.target].kind != "function"]
    for edge in others:
        other = nodes[edge.target]
        if edge.items and other.collection:
            yield f"{shown(other.label)} = [{name}, …]"
        elif edge.items:
            yield f"{shown(other.label)} = {name}[…]"
    plain = [shown(nodes[edge.target].label) for edge in others if not edge.items]
    if plain:
        yield f"{name} -> {', '.join(plain)}"


def _remarks(node: Node, noun: str) -> list[str]:
    said = [count(node.count, noun)] if node.count else []
    said += [count(node.versions, "version")] if node.versions > 1 else []
    return [*said, *details(node, verbose=False)]


def _with_remark(line: str, remarks: list[str]) -> str:
    return f"{line}  # {', '.join(remarks)}" if remarks else line
