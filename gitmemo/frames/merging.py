"""Nodes of a frame made one: variables, or the parts that a function was split into.

Not the union of frames (`selecting.combined`). Invariant: merging all parts of a function takes back
what splitting it did, and no call comes or goes.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import TYPE_CHECKING, Any, TypeVar

from gitmemo.errors import NameTaken, WrongQuestion
from gitmemo.frames.arranging import merged
from gitmemo.frames.roles import Function, Variable

if TYPE_CHECKING:
    from gitmemo.frames.frame import ComputationFrame

V = TypeVar("V")


def merged_nodes(
    frame: ComputationFrame, nodes: Sequence[str], into: str | None
) -> ComputationFrame:
    """Return the frame in which these variables, or these parts of a function, are one."""
    functions = [frame.function(name) for name in nodes if frame.is_function(name)]
    if not nodes or (functions and len(functions) < len(nodes)):
        raise WrongQuestion(
            "what is merged are several variables, or several parts of one function",
            "merge the variables and the functions one after the other",
        )
    if not functions:
        return merged(frame, nodes, into)
    if len({one.op for one in functions}) > 1:
        raise WrongQuestion(
            f"{nodes[0]!r} and others are functions of several ops: they take different arguments",
            "merge their variables: `merge_vars`",
        )
    if into is not None and into in frame.nodes and into not in nodes:
        raise NameTaken(nodes[0], into)
    return _with_one_function(frame, functions, into)


def _with_one_function(
    frame: ComputationFrame, functions: Sequence[Function], into: str | None
) -> ComputationFrame:
    """Return the frame in which parts are the first of them, or the whole where none is left out."""
    layout, op = frame.layout, functions[0].op
    left = {one for one in frame.functions.values() if one.op == op} - set(functions)
    whole = Function(op, functions[0].part if left else "")
    parts = dict(layout.parts)
    for call in frame.calls:
        if frame.roles.function(call) in functions:
            parts[call.hid] = whole.part
    called = {one: name for one, name in layout.functions.items() if one not in functions}
    names = {**_of_whole(layout.names, functions, whole), **layout.names}
    hidden = layout.hidden | _of_whole(dict.fromkeys(layout.hidden), functions, whole).keys()
    layout = replace(
        layout,
        parts={hid: part for hid, part in parts.items() if part},
        functions={**called, whole: into} if into is not None else called,
        names=names,
        hidden=hidden,
        shown={**_of_whole(layout.shown, functions, whole), **layout.shown},
        sorted_by=tuple(
            (keys.union(_of_whole(dict.fromkeys(keys), functions, whole)), up)
            for keys, up in layout.sorted_by
        ),
    )
    return replace(frame, layout=layout, whole=None)


def _of_whole(
    said: Mapping[Any, V], functions: Sequence[Function], whole: Function
) -> dict[Any, V]:
    """Return what was said of the variables of parts, for those of the whole: of the first part first."""
    found: dict[Any, V] = {}
    for function in functions:
        for key, one in said.items():
            if isinstance(key, Variable) and key.function == function:
                found.setdefault(key._replace(function=whole), one)
    return found
