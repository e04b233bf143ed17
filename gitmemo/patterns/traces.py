"""Traces: the calls that led to some values, as a graph of values and calls.

Not patterns: values are still there (`roles` forgets them). Invariant: the order has every value
after the call, or the collection, that it came from; a raw value is one node for each name of an
argument that it was, so that equal values in two roles never meet.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, field

from gitmemo.hashing.digest import Digest
from gitmemo.model.facts import Call, Slot
from gitmemo.model.items import OBJECT, Held, Item

Maker = Callable[[Digest], Call | None]
"""Returns the call that made the value of a history, or what it is in."""

Step = tuple[bool, int]
"""A call (True) or a node (False), by number."""


@dataclass(slots=True)
class Node:
    """A value.

    Attributes:
        role: For a raw value the name of the argument that it was; empty for others.
        call: The number of the call that returned it, with the name of the output.
        container: The node of the result that it was taken out of.
        elements: The nodes of what was put into it; its kind says what it is then.
    """

    held: Held
    role: str = ""
    call: tuple[int, str] | None = None
    container: int | None = None
    elements: tuple[int, ...] = ()
    kind: str | None = None


@dataclass(slots=True)
class Traced:
    """A call; the node of an output that nobody used is None."""

    call: Call
    inputs: tuple[tuple[str, int], ...]
    outputs: tuple[tuple[str, int | None], ...] = ()


@dataclass(slots=True)
class Trace:
    """What led to some values.

    Attributes:
        order: Calls and nodes in an order in which they can be computed.
    """

    nodes: list[Node] = field(default_factory=list)
    calls: list[Traced] = field(default_factory=list)
    order: list[Step] = field(default_factory=list)

    def raw_nodes(self, hid: Digest) -> list[int]:
        """Return the nodes of a raw value: one for each role that it has."""
        return [n for n, node in enumerate(self.nodes) if node.role and node.held.hid == hid]


def trace_of(values: Iterable[Held], maker: Maker) -> tuple[Trace, dict[Digest, int]]:
    """Return what led to `values`, and the nodes of those that have a history."""
    tracer = _Tracer(maker)
    wanted = [held for held in values if not held.is_raw]
    found = {held.hid: tracer.node(held, "") for held in wanted}
    tracer.run()
    return tracer.finished(list(found.values())), found


class _Tracer:
    """Follows values back to the calls that made them, and these to their arguments."""

    def __init__(self, maker: Maker) -> None:
        self._maker = maker
        self._trace = Trace()
        self._nodes: dict[tuple[str, Digest], int] = {}
        self._calls: dict[Digest, int] = {}
        self._around: dict[Digest, tuple[Held, Item]] = {}
        self._todo: list[int] = []

    def node(self, held: Held, role: str) -> int:
        """Return the node of a value, a new one if there is none; `role` counts for raw values."""
        key = (role if held.is_raw else "", held.hid)
        if key not in self._nodes:
            self._nodes[key] = len(self._trace.nodes)
            self._trace.nodes.append(Node(held, key[0]))
            if not key[0]:
                self._todo.append(self._nodes[key])
        return self._nodes[key]

    def run(self) -> None:
        while self._todo:
            number = self._todo.pop()
            node = self._trace.nodes[number]
            if node.call is None and node.container is None:
                self._follow(number, node)

    def _follow(self, number: int, node: Node) -> None:
        hid = node.held.hid
        made = self._maker(hid) if hid not in self._around else None
        if made is not None:
            self._add(made)
        if hid in self._around:
            around, item = self._around[hid]
            node.held = item
            node.container = self.node(around, "")
        elif made is not None:
            node.held = next(slot for slot in made.outputs if slot.hid == hid)
            node.call = self._calls[made.hid], node.held.name
        elif node.held.parts is not None and node.held.parts.items:
            # A name that no argument has: what is in a list is not what was passed alone.
            role = f"{node.held.name}[]" if isinstance(node.held, Slot) else "[]"
            items = node.held.parts.items
            node.kind = "set" if node.held.parts.kind == OBJECT else node.held.parts.kind
            if node.kind == "set":  # their order is that of a process, and means nothing
                items = tuple(sorted(items, key=lambda item: (item.cid, item.hid)))
            node.elements = tuple(self.node(item, role) for item in items)

    def _add(self, call: Call) -> None:
        if call.hid in self._calls:
            return
        self._calls[call.hid] = len(self._trace.calls)
        traced = Traced(call, ())
        self._trace.calls.append(traced)
        for slot in call.outputs:
            self._note_items(slot)
        traced.inputs = tuple((slot.name, self.node(slot, slot.name)) for slot in call.inputs)

    def _note_items(self, held: Held) -> None:
        """Note of what is in a result what it is in."""
        for item in (held.parts.items or ()) if held.parts else ():
            self._around[item.hid] = (held, item)
            self._note_items(item)

    def finished(self, asked: Iterable[int]) -> Trace:
        trace = self._trace
        for traced in trace.calls:
            traced.outputs = tuple(
                (slot.name, self._nodes.get(("", slot.hid))) for slot in traced.call.outputs
            )
        trace.order = _in_order(trace, asked)
        return trace


def _in_order(trace: Trace, asked: Iterable[int]) -> list[Step]:
    done: dict[Step, None] = {}
    entered: set[Step] = set()
    for start in asked:
        path = [((False, start), _before(trace, (False, start)))]
        entered.add((False, start))
        while path:  # a stack of our own: chains are long
            step, left = path[-1]
            below = next((one for one in left if one not in entered), None)
            if below is None:
                path.pop()
                done[step] = None
            else:
                entered.add(below)
                path.append((below, _before(trace, below)))
    return list(done)


def _before(trace: Trace, step: Step) -> Iterator[Step]:
    is_call, number = step
    if is_call:
        return iter([(False, node) for _, node in trace.calls[number].inputs])
    node = trace.nodes[number]
    if node.call is not None:
        return iter([(True, node.call[0])])
    inner = node.elements if node.container is None else (node.container,)
    return iter([(False, one) for one in inner])
