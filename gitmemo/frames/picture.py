"""The graph of a frame as something that can be drawn.

Not the drawing (`drawing`). Invariant: every call of the frame is counted at one function, and every
value that is shown at the variables that it belongs to.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Collection
from typing import TYPE_CHECKING

from gitmemo.drawing import Edge, Graph, Node, State
from gitmemo.hashing.digest import Digest
from gitmemo.model.facts import Slot
from gitmemo.model.items import inside
from gitmemo.model.plain import told

if TYPE_CHECKING:
    from gitmemo.frames.frame import ComputationFrame

_MOST_VALUES = 5
_LONGEST_VALUE = 24


def graph_of(frame: ComputationFrame, pending: Collection[Digest] = ()) -> Graph:
    """Return the functions and variables of a frame, with how much went along each edge.

    `pending` are the calls that are not committed.
    """
    functions = {name: _function(frame, name, pending) for name in frame.functions}
    variables = {name: _variable(frame, name) for name in frame.variables}
    nodes = [*variables.values(), *functions.values()]
    return Graph(tuple(nodes), tuple(_edges(frame)))


def _function(frame: ComputationFrame, name: str, pending: Collection[Digest]) -> Node:
    calls = frame.calls_of(name)
    versions = len({call.version for call in calls if call.version})
    waiting = sum(call.hid in pending for call in calls)
    state: State = ""
    if waiting:
        state = "pending" if waiting == len(calls) else "partly-pending"
    bare = name.removesuffix("()")
    op = frame.function(name).op
    lines = (op,) if op != bare else ()
    return Node(f"f:{name}", bare, "function", len(calls), lines, state, versions=versions)


def _variable(frame: ComputationFrame, name: str) -> Node:
    slots = frame.elements(name)
    shown = [str(plain.json) for slot in slots[:_MOST_VALUES] if (plain := told(slot))]
    short = [text if len(text) <= _LONGEST_VALUE else text[:_LONGEST_VALUE] + "…" for text in shown]
    more = ", …" if len(slots) > len(short) and short else ""
    lines = (", ".join(short) + more,) if short else ()
    is_collection = bool(slots) and all(slot.parts is not None for slot in slots)
    return Node(f"v:{name}", name, "variable", len(slots), lines, collection=is_collection)


def _edges(frame: ComputationFrame) -> list[Edge]:
    """Return the edges: from a function to its results, to it from what its arguments are."""
    counts: Counter[tuple[str, str, str, bool]] = Counter()
    shown = set(frame.variables)
    names = {function: name for name, function in frame.functions.items()}
    for call in frame.calls:
        function = f"f:{names[frame.roles.function(call)]}"
        for slot in call.inputs:
            variable = frame.names[frame.roles.argument(call, slot)]
            if variable in shown:
                counts[f"v:{variable}", function, slot.name, False] += 1
            for part in _parts(frame, slot):
                if part in shown and part != variable:
                    counts[f"v:{part}", f"v:{variable}", "", True] += 1
        for slot in call.outputs:
            variable = frame.names[frame.roles.output(call, slot)]
            if variable in shown:
                counts[function, f"v:{variable}", slot.name, False] += 1
    order = sorted(counts, key=lambda key: (key[0], key[1], key[2], key[3]))
    return [
        Edge(source, target, _label(label, source, target), counts[key], items)
        for key in order
        for source, target, label, items in [key]
    ]


def _label(label: str, source: str, target: str) -> str:
    """Return the name of an argument or result where the variable is called otherwise."""
    return "" if label in (source[2:], target[2:]) or label.startswith("output_") else label


def _parts(frame: ComputationFrame, slot: Slot) -> list[str]:
    """Return the variables that the elements of an argument are, if it is a collection of results."""
    if slot.parts is None or frame.roles.source(slot) is not None:
        return []
    found: dict[str, None] = {}
    for item in inside(slot):
        made = frame.universe.makers.get(item.hid)
        if made is not None and made[0].hid in frame.selected:
            found[frame.names[frame.roles.output(*made)]] = None
    return list(found)
