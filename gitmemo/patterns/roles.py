"""Roles: which values and calls of a trace are the same but for their values.

Not matching. Invariant: what is told apart differs in how it was made or used, however far away;
values themselves, and how many things of one kind a collection holds, tell nothing apart.
"""

from __future__ import annotations

from collections.abc import Hashable, Iterable, Iterator, Mapping, Sequence

from gitmemo.patterns.pattern import Atom, CallAtom, MemberAtom, Pattern
from gitmemo.patterns.traces import Node, Step, Trace

Roles = Mapping[Step, int]


def folded(trace: Trace) -> Roles:
    """Return the role of every call and value as a number; equal ones have one role.

    Colour refinement: each is coloured by the colours around it, forwards and backwards in the
    order of the computation, until nothing more is told apart.
    """
    colours: dict[Step, int] = dict.fromkeys(trace.order, 0)
    known: dict[Hashable, int] = {}
    users = _users(trace)
    count = 0
    while len(set(colours.values())) > count:
        count = len(set(colours.values()))
        for step in trace.order:
            seen = (colours[step], *_behind(trace, step, colours))
            colours[step] = known.setdefault(seen, len(known) + 1)
        for step in reversed(trace.order):
            ahead = frozenset((name, colours[user]) for name, user in users[step])
            colours[step] = known.setdefault((colours[step], ahead), len(known) + 1)
    return colours


def unfolded(trace: Trace) -> Roles:
    """Return a role of its own for everything."""
    return {step: number for number, step in enumerate(trace.order)}


def is_folded(roles: Roles) -> bool:
    """Whether anything shares a role."""
    return len(set(roles.values())) < len(roles)


def pattern_of(trace: Trace, roles: Roles, asked: Sequence[int]) -> tuple[Pattern, dict[int, int]]:
    """Return what the calls of a trace have in common with others: their roles without values.

    And the variable of each node. A result that nobody used is a variable, too.
    """
    variables = _Variables(roles)
    atoms: list[Atom] = []
    seen: set[int] = set()
    for step in trace.order:
        if roles[step] not in seen:
            seen.add(roles[step])
            atoms += _atoms(trace, step, variables)
    pattern = Pattern(tuple(dict.fromkeys(atoms)), tuple(map(variables.of, asked)))
    nodes = [number for is_call, number in trace.order if not is_call]
    return pattern, {node: variables.of(node) for node in nodes}


class _Variables:
    """Gives the roles of values numbers in the order in which they are met."""

    def __init__(self, roles: Roles) -> None:
        self._roles = roles
        self._numbers: dict[int, int] = {}
        self._count = 0

    def of(self, node: int) -> int:
        role = self._roles[False, node]
        if role not in self._numbers:
            self._numbers[role] = self.new()
        return self._numbers[role]

    def new(self) -> int:
        """Return the variable of a value that nobody used."""
        self._count += 1
        return self._count


def _atoms(trace: Trace, step: Step, variables: _Variables) -> Iterator[Atom]:
    is_call, number = step
    if is_call:
        traced = trace.calls[number]
        inputs = tuple((name, variables.of(node)) for name, node in traced.inputs)
        outputs = tuple(
            (name, variables.new() if node is None else variables.of(node))
            for name, node in traced.outputs
        )
        yield CallAtom(traced.call.op, traced.call.op_version, inputs, outputs)
        return
    node = trace.nodes[number]
    if node.container is not None:
        yield MemberAtom(variables.of(node.container), variables.of(number))
    for element in node.elements:
        yield MemberAtom(variables.of(number), variables.of(element), None, node.kind)


def _users(trace: Trace) -> dict[Step, list[tuple[str, Step]]]:
    """Return who used, or was made of, each call and value, and as what."""
    users: dict[Step, list[tuple[str, Step]]] = {step: [] for step in trace.order}
    for step in trace.order:
        is_call, number = step
        if is_call:
            for name, node in trace.calls[number].inputs:
                users[False, node].append((name, step))
            continue
        value = trace.nodes[number]
        if value.call is not None:
            users[True, value.call[0]].append((value.call[1], step))
        for inner in _around(value):
            users[False, inner].append(("", step))
    return users


def _around(value: Node) -> Iterable[int]:
    return value.elements if value.container is None else (value.container,)


def _behind(trace: Trace, step: Step, colours: Roles) -> Iterator[Hashable]:
    """Yield what a call or value says of itself and of what it came from."""
    is_call, number = step
    if is_call:
        traced = trace.calls[number]
        yield traced.call.op
        yield traced.call.op_version
        for name, node in traced.inputs:
            yield name, colours[False, node]
        return
    value = trace.nodes[number]
    yield value.kind
    if value.call is not None:
        yield value.call[1], colours[True, value.call[0]]
    yield value.container is not None
    yield frozenset(colours[False, inner] for inner in _around(value))
