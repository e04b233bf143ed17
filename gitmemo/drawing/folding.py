"""Large graphs made small enough to look at: groups, chains, and at last what is left out.

Not a layout. Invariant: between nodes that stay, there is a way in the folded graph exactly where
there was one before.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from typing import TypeAlias

from gitmemo.drawing.contracting import contracted
from gitmemo.drawing.graph import Edge, Graph, Node, State
from gitmemo.drawing.leaving_out import left_out
from gitmemo.quantities import count

Group: TypeAlias = tuple[str, ...]

MOST = 150
"""The most nodes of a picture that says something."""

_ROUNDS = 20  # what shrinks by less in each of them is not worth the time
_STEPS = ((3, 2), (2, 2), (2, 0))  # how large groups are, and what stays at both ends of chains
_FEW, _NAMED, _LONGEST = 3, 12, 36


@dataclass(frozen=True, slots=True)
class _Near:
    """The neighbours of each node, without itself."""

    before: dict[str, dict[str, None]]
    after: dict[str, dict[str, None]]


def folded(graph: Graph, most: int = MOST) -> Graph:
    """Return a graph of at most `most` nodes that says how much of it is hidden.

    First, variables that only one function takes are written into that function; then what has the
    same neighbours becomes one node, and so do chains; then nodes are gathered with the only one
    next to them on a side; what is still too much is left out.

    Args:
        most: At least 1.
    """
    found = graph
    if len(found.nodes) > most:
        found = _with_own_inputs(found)
    written = len(graph.nodes) - len(found.nodes)
    sizes: dict[str, Sequence[Node]] = {}
    for least, ends in _STEPS:
        found = _grouped(found, most, least, ends, sizes)
    if len(found.nodes) > most:
        found = _merged(found, contracted(found, most), sizes)
    if len(found.nodes) > most:
        found = left_out(found, most)
    if found is graph:
        return graph
    return replace(found, note=_note(graph, found, sizes, written))


def _grouped(
    graph: Graph, most: int, least: int, ends: int, members: dict[str, Sequence[Node]]
) -> Graph:
    """Return the graph with twins and chains as one node each, unless it is small enough before."""
    for _ in range(_ROUNDS):
        before = len(graph.nodes)
        if before > most:
            graph = _merged(graph, _twins(graph, _near(graph), least), members)
        if len(graph.nodes) > most:
            graph = _merged(graph, _chains(graph, _near(graph), least, ends), members)
        if len(graph.nodes) in (before, most):
            break
    return graph


def _note(graph: Graph, found: Graph, members: dict[str, Sequence[Node]], written: int) -> str:
    stays = {node.key for node in graph.nodes}
    own = sum(node.key in stays for node in found.nodes)
    inside = sum(len(members[node.key]) for node in found.nodes if node.key in members)
    total = count(len(graph.nodes), "node")
    said = [graph.note, f"{own} of {total} shown by {'its' if own == 1 else 'their'} own"]
    said += [f"{inside} in {count(len(found.nodes) - own, 'group')}"] if inside else []
    said += [f"{count(written, 'input')} written into functions"] if written else []
    rest = len(graph.nodes) - own - inside - written
    said += [f"{rest} left out"] if rest else []
    return "; ".join(text for text in said if text)


def _near(graph: Graph) -> _Near:
    before: dict[str, dict[str, None]] = {node.key: {} for node in graph.nodes}
    after: dict[str, dict[str, None]] = {node.key: {} for node in graph.nodes}
    for edge in graph.edges:
        if edge.source != edge.target:
            before[edge.target][edge.source] = None
            after[edge.source][edge.target] = None
    return _Near(before, after)


def _with_own_inputs(graph: Graph) -> Graph:
    """Write variables that come from outside and that one function takes into that function."""
    near = _near(graph)
    kinds = {node.key: node.kind for node in graph.nodes}
    loops = {edge.source for edge in graph.edges if edge.source == edge.target}
    own: dict[str, list[str]] = defaultdict(list)
    inside = set()
    for node in graph.nodes:
        users = near.after[node.key]
        if node.kind == "variable" and node.key not in loops and not near.before[node.key]:
            for user in users if len(users) == 1 else ():
                if kinds[user] == "function":
                    own[user].append(node.label)
                    inside.add(node.key)
    nodes = (
        replace(node, label=_call(node.label, own[node.key])) if own.get(node.key) else node
        for node in graph.nodes
        if node.key not in inside
    )
    edges = tuple(edge for edge in graph.edges if edge.source not in inside)
    return replace(graph, nodes=tuple(nodes), edges=edges)


def _call(name: str, arguments: Sequence[str]) -> str:
    text = ""
    for place, argument in enumerate(arguments):
        longer = f"{text}, {argument}" if text else argument
        if place and len(longer) + len(name) > _LONGEST:
            return f"{name}({text}, and {len(arguments) - place} more)"
        text = longer
    return f"{name}({text})"


def _twins(graph: Graph, near: _Near, least: int) -> list[Group]:
    """Return groups of nodes of one kind that have the same neighbours."""
    groups: dict[object, list[str]] = defaultdict(list)
    for node in graph.nodes:
        around = frozenset(near.before[node.key]), frozenset(near.after[node.key])
        groups[node.kind, around].append(node.key)
    return [tuple(group) for group in groups.values() if len(group) >= least]


def _chains(graph: Graph, near: _Near, least: int, ends: int) -> list[Group]:
    """Return runs of nodes without branches, but for so many nodes at both of their ends."""

    def is_link(key: str) -> bool:
        return len(near.before[key]) <= 1 and len(near.after[key]) <= 1

    links = {node.key for node in graph.nodes if is_link(node.key)}
    seen: set[str] = set()
    found = []
    for start in _beginnings(graph, near, links):
        run = []
        key: str | None = start
        while key is not None and key in links and key not in seen:
            seen.add(key)
            run.append(key)
            key = next(iter(near.after[key]), None)
        if len(run) >= least + 2 * ends:
            found.append(tuple(run[ends : len(run) - ends]))
    return found


def _beginnings(graph: Graph, near: _Near, links: set[str]) -> Iterable[str]:
    """Yield where runs begin; what is left after those is circles, which begin anywhere."""
    for node in graph.nodes:
        if node.key in links and not near.before[node.key].keys() & links:
            yield node.key
    yield from (node.key for node in graph.nodes if node.key in links)


def _merged(graph: Graph, groups: Sequence[Group], members: dict[str, Sequence[Node]]) -> Graph:
    """Return the graph with one node in place of each group; `members` learns what is in it."""
    if not groups:
        return graph
    nodes = {node.key: node for node in graph.nodes}
    into: dict[str, str] = {}
    new: dict[str, Node] = {}
    for group in groups:
        inside = [one for key in group for one in members.pop(key, (nodes[key],))]
        key = _free_key(f"{inside[0].key} and {len(inside) - 1} more", nodes)
        members[key] = inside
        new[key] = _group_node(key, inside)
        into |= dict.fromkeys(group, key)
    kept: dict[str, Node] = {}
    for node in graph.nodes:
        key = into.get(node.key, node.key)
        kept.setdefault(key, new.get(key, node))
    edges = _joined(graph.edges, into)
    return replace(graph, nodes=tuple(kept.values()), edges=edges)


def _free_key(wanted: str, taken: dict[str, Node]) -> str:
    while wanted in taken:
        wanted += "'"
    return wanted


def _group_node(key: str, inside: Sequence[Node]) -> Node:
    functions = sum(node.kind == "function" for node in inside)
    others = len(inside) - functions
    noun = "component" if any(node.kind == "component" for node in inside) else "variable"
    said = [count(functions, "function")] if functions else []
    said += [count(others, noun)] if others else []
    kind = "function" if functions else inside[0].kind
    names = [node.label for node in inside[:_NAMED]]
    if len(inside) > _NAMED:
        names.append(f"and {len(inside) - _NAMED} more")
    label = ", ".join(said if len(inside) > _FEW else names)
    return Node(key, label, kind, lines=tuple(names), state=_state(inside))


def _state(inside: Sequence[Node]) -> State:
    states = {node.state for node in inside}
    if len(states) == 1:
        return inside[0].state
    whole: tuple[tuple[State, State], ...] = (
        ("pending", "partly-pending"),
        ("stale", "partly-stale"),
        ("changed", "partly-changed"),
    )
    for state, partly in whole:
        if state in states or partly in states:
            return partly
    return "partly-changed"


def _joined(edges: Sequence[Edge], into: dict[str, str]) -> tuple[Edge, ...]:
    """Return the edges between groups, one where several lead from one to another."""
    kept: list[Edge] = []
    between: dict[tuple[str, str], Edge] = {}
    for edge in edges:
        a, b = into.get(edge.source, edge.source), into.get(edge.target, edge.target)
        if edge.source not in into and edge.target not in into:
            kept.append(edge)
        elif a != b:
            known = between.get((a, b))
            between[a, b] = (
                replace(edge, source=a, target=b) if known is None else _both(known, edge)
            )
    return (*kept, *between.values())


def _both(known: Edge, edge: Edge) -> Edge:
    label = known.label if known.label == edge.label else ""
    items = known.items and edge.items
    return replace(known, label=label, count=known.count + edge.count, items=items)
