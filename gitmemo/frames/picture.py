"""The graph of a frame as something that can be drawn.

Not the drawing (`drawing`). Invariant: every call of the frame is counted at one function, and every
value that is shown at the variables that it belongs to.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Collection, Iterator, Sequence
from typing import TYPE_CHECKING

from gitmemo.drawing import Edge, Graph, Node, State
from gitmemo.hashing.digest import Digest, to_hex
from gitmemo.model.facts import Slot
from gitmemo.model.items import inside
from gitmemo.model.names import number_of_output
from gitmemo.model.plain import told

if TYPE_CHECKING:
    from gitmemo.frames.graph import FrameGraph

_MOST_VALUES = 5
_MOST_VERSIONS = 5
_LONGEST_VALUE = 24


def graph_of(frame: FrameGraph, pending: Collection[Digest] = ()) -> Graph:
    """Return the functions and variables of a frame, with how much went along each edge.

    `pending` are the calls that are not committed.
    """
    functions = {name: _function(frame, name, pending) for name in frame.functions}
    variables = {name: _variable(frame, name) for name in frame.variables}
    nodes = [*variables.values(), *functions.values()]
    return Graph(tuple(nodes), tuple(_edges(frame)))


def _function(frame: FrameGraph, name: str, pending: Collection[Digest]) -> Node:
    calls = frame.calls_of(name)
    versions = sorted({to_hex(call.version)[:12] for call in calls if call.version})
    waiting = sum(call.hid in pending for call in calls)
    state: State = ""
    if waiting:
        state = "pending" if waiting == len(calls) else "partly-pending"
    bare = name.removesuffix("()")
    op = frame.function(name).op
    lines = (*((op,) if op != bare else ()), *_versions(versions))
    return Node(f"f:{name}", bare, "function", len(calls), lines, state, versions=len(versions))


def _versions(ids: Sequence[str]) -> Iterator[str]:
    """Yield the beginnings of the content ids of versions, as `where(version=…)` takes them."""
    for ident in ids[:_MOST_VERSIONS]:
        yield f"version {ident}"
    if len(ids) > _MOST_VERSIONS:
        yield f"and {len(ids) - _MOST_VERSIONS} more"


def _variable(frame: FrameGraph, name: str) -> Node:
    slots = frame.elements(name)
    shown = [str(plain.json) for slot in slots[:_MOST_VALUES] if (plain := told(slot))]
    short = [text if len(text) <= _LONGEST_VALUE else text[:_LONGEST_VALUE] + "…" for text in shown]
    more = ", …" if len(slots) > len(short) and short else ""
    lines = (", ".join(short) + more,) if short else ()
    is_collection = bool(slots) and all(slot.parts is not None for slot in slots)
    return Node(f"v:{name}", name, "variable", len(slots), lines, collection=is_collection)


def _edges(frame: FrameGraph) -> list[Edge]:
    """Return the edges: from a function to its results, to it from what its arguments are.

    Those of arguments and results have their names, or the numbers of several without names; they
    are in the order in which calls have them.
    """
    counts: Counter[tuple[str, str, str, bool]] = Counter()
    places: dict[tuple[str, str, str, bool], int] = {}
    shown = set(frame.variables)
    names = {function: name for name, function in frame.functions.items()}
    for call in frame.calls:
        function = f"f:{names[frame.roles.function(call)]}"
        for place, slot in enumerate(call.inputs):
            variable = frame.names[frame.roles.argument(call, slot)]
            if variable in shown:
                key = (f"v:{variable}", function, slot.name, False)
                counts[key] += 1
                places[key] = min(place, places.get(key, place))
            for part in parts_of(frame, slot):
                if part in shown and part != variable:
                    counts[f"v:{part}", f"v:{variable}", "", True] += 1
        for place, slot in enumerate(call.outputs):
            variable = frame.names[frame.roles.output(call, slot)]
            if variable in shown:
                number = number_of_output(slot.name)
                label = slot.name if number is None else number if len(call.outputs) > 1 else ""
                key = (function, f"v:{variable}", label, False)
                counts[key] += 1
                places[key] = min(place, places.get(key, place))
    order = sorted(counts, key=lambda key: (places.get(key, 0), *key))
    return [
        Edge(source, target, label, counts[key], items)
        for key in order
        for source, target, label, items in [key]
    ]


def parts_of(frame: FrameGraph, slot: Slot) -> list[str]:
    """Return the variables that the elements of an argument are, if it is a collection of results."""
    if slot.parts is None or frame.roles.source(slot) is not None:
        return []
    found: dict[str, None] = {}
    for item in inside(slot):
        made = frame.universe.makers.get(item.hid)
        if made is not None and made[0].hid in frame.selected:
            found[frame.names[frame.roles.output(*made)]] = None
    return list(found)
