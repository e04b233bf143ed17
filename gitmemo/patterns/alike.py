"""From refs to the pattern of what was computed like them.

Not the trace or its folding (`traces`, `roles`): this module decides what the refs are in it.
Invariant: the refs themselves fit their pattern, among the calls that led to them.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

from gitmemo.errors import AmbiguousPattern, UnconstrainedVariable
from gitmemo.hashing.digest import Digest
from gitmemo.model.facts import Slot
from gitmemo.patterns.matching import matches
from gitmemo.patterns.pattern import Among, Pattern
from gitmemo.patterns.roles import Roles, folded, is_folded, pattern_of, unfolded
from gitmemo.patterns.stored import Stored
from gitmemo.patterns.traces import Maker, Trace, trace_of
from gitmemo.ref import Ref


@dataclass(frozen=True, slots=True)
class Called:
    """What the program calls values.

    Attributes:
        asked: The names of the refs that are asked about; None where one has no name.
        others: The names of other values, by history.
    """

    asked: Sequence[str | None]
    others: Mapping[Digest, str]


def alike(refs: Sequence[Ref[Any]], called: Called, maker: Maker) -> tuple[Pattern, dict[int, str]]:
    """Return the pattern that `refs` are columns of, and the names that the program has for variables.

    Raises:
        AmbiguousPattern: Two refs have one role, or a raw value has several.
        UnconstrainedVariable: No result was computed from a raw value.
    """
    slots = [Slot("value", ref._cid, ref._hid, ref._inline, ref._short) for ref in refs]
    trace, found = trace_of(slots, maker)
    spoken = [name or repr(ref) for name, ref in zip(called.asked, refs, strict=True)]
    asked = [
        found[ref._hid] if ref._hid in found else _raw_node(trace, ref, name, text)
        for ref, name, text in zip(refs, called.asked, spoken, strict=True)
    ]
    roles = folded(trace)
    _refuse_one_role(asked, roles, spoken)
    pattern, variables = pattern_of(trace, roles, asked)
    if is_folded(roles) and not _fits(pattern, trace, refs):
        # Some things are told apart by nothing but each other: they stay apart.
        pattern, variables = pattern_of(trace, unfolded(trace), asked)
    constrained = {variable for atom in pattern.atoms for variable in atom.variables}
    for variable, text in zip(pattern.asked, spoken, strict=True):
        if variable not in constrained:
            raise UnconstrainedVariable(text)
    return pattern, _names(trace, variables, pattern, called)


def _raw_node(trace: Trace, ref: Ref[Any], name: str | None, text: str) -> int:
    """Return the node of a raw value; among several roles the program's name for it decides."""
    nodes = trace.raw_nodes(ref._hid)
    by_role = {trace.nodes[node].role: node for node in nodes}
    if len(nodes) == 1:
        return nodes[0]
    if name in by_role:
        return by_role[name]
    if not nodes:
        raise UnconstrainedVariable(text)
    raise AmbiguousPattern(
        f"the value of {text} has several roles in the computation",
        tuple(f"the argument {role!r}" for role in sorted(by_role)),
        "call the variable like the argument that is meant, or say names=[…]",
    )


def _refuse_one_role(asked: Sequence[int], roles: Roles, spoken: Sequence[str]) -> None:
    held: dict[int, int] = {}
    for number, node in enumerate(asked):
        other = held.setdefault(roles[False, node], number)
        if asked[other] != node:
            raise AmbiguousPattern(
                "two refs have the same role in the computation, so that nothing tells their columns "
                "apart",
                (spoken[other], spoken[number]),
                "pass one of them, or say in `with storage.query():` how they differ",
            )


def _fits(pattern: Pattern, trace: Trace, refs: Sequence[Ref[Any]]) -> bool:
    """Whether the calls that led to `refs` are a match of their own pattern."""
    among = {
        variable: Among(hids=frozenset({ref._hid}))
        for variable, ref in zip(pattern.asked, refs, strict=True)
    }
    stored = Stored(traced.call for traced in trace.calls)
    return bool(matches(replace(pattern, among=among), stored))


def _names(
    trace: Trace, variables: Mapping[int, int], pattern: Pattern, called: Called
) -> dict[int, str]:
    """Return what the program calls variables: those that are asked about, then other results."""
    names: dict[int, str] = {}
    for name, variable in zip(called.asked, pattern.asked, strict=True):
        if name is not None:
            names.setdefault(variable, name)
    for node, variable in variables.items():
        value = trace.nodes[node]
        if not value.role and value.held.hid in called.others:
            names.setdefault(variable, called.others[value.held.hid])
    return names
