"""Whether a function, or a caller of one, changed by nothing but the name of an argument.

Not names of functions (`moving`). Pure: it compares texts. Invariant: where the
new name could mean something else already, the answer is no.
"""

from __future__ import annotations

import ast
import copy
from collections.abc import Iterator
from dataclasses import replace

from gitmemo.source import Unit

_SEES_LOCALS = frozenset({"locals", "vars", "dir", "eval", "exec"})
_SCOPES = (ast.ClassDef, ast.ListComp, ast.SetComp, ast.DictComp, ast.GeneratorExp)
_Function = ast.FunctionDef | ast.AsyncFunctionDef


def argument_names(unit: Unit) -> tuple[str, ...]:
    """Return the names of the arguments of a function."""
    names: dict[str, None] = {}
    for node in unit.nodes:
        if isinstance(node, _Function):
            names.update((argument.arg, None) for argument in _arguments(node))
    return tuple(names)


def has_renamed_argument(before: Unit, after: Unit, old: str, new: str) -> bool:
    """Whether a function is what it was, but that its argument `old` is `new`."""
    nodes = [copy.deepcopy(node) for node in before.nodes]
    for outer in nodes:
        if not isinstance(outer, _Function) or not _can_be_renamed(outer, old, new):
            return False
        for argument in _arguments(outer):
            argument.arg = new if argument.arg == old else argument.arg
        for node in (inner for statement in outer.body for inner in ast.walk(statement)):
            if isinstance(node, ast.Name) and node.id == old:
                node.id = new
    return replace(before, nodes=tuple(nodes)).source == after.source


def has_renamed_keyword(before: Unit, after: Unit, function: str, old: str, new: str) -> bool:
    """Whether code is what it was, but that it gives `function` the keyword `new` for `old`."""
    nodes = [copy.deepcopy(node) for node in before.nodes]
    for outer in nodes:
        for node in ast.walk(outer):
            if isinstance(node, ast.Call) and _last_name(node.func) == function:
                for keyword in node.keywords:
                    keyword.arg = new if keyword.arg == old else keyword.arg
    return replace(before, nodes=tuple(nodes)).source == after.source


def _can_be_renamed(function: _Function, old: str, new: str) -> bool:
    nodes = [inner for statement in function.body for inner in ast.walk(statement)]
    names = {node.id for node in nodes if isinstance(node, ast.Name)}
    if new in names or new in {argument.arg for argument in _arguments(function)}:
        return False
    return names.isdisjoint(_SEES_LOCALS) and old not in set(_bound_inside(nodes))


def _bound_inside(nodes: list[ast.AST]) -> Iterator[str]:
    """Yield the names that inner functions, classes and comprehensions bind, or declare."""
    for node in nodes:
        if isinstance(node, ast.Global | ast.Nonlocal):
            yield from node.names
        elif isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef | ast.Lambda):
            yield from (argument.arg for argument in _arguments(node))
            yield from _stored(node)
        elif isinstance(node, _SCOPES):
            yield from _stored(node)
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef | ast.ClassDef):
            yield node.name
        if isinstance(node, ast.ExceptHandler) and node.name:
            yield node.name
        if isinstance(node, ast.alias):
            yield node.asname or node.name.partition(".")[0]
        if isinstance(node, ast.MatchAs | ast.MatchStar) and node.name:
            yield node.name


def _stored(node: ast.AST) -> Iterator[str]:
    for inner in ast.walk(node):
        if isinstance(inner, ast.Name) and isinstance(inner.ctx, ast.Store):
            yield inner.id


def _arguments(function: _Function | ast.Lambda) -> list[ast.arg]:
    given = function.args
    extra = [argument for argument in (given.vararg, given.kwarg) if argument is not None]
    return [*given.posonlyargs, *given.args, *given.kwonlyargs, *extra]


def _last_name(node: ast.expr) -> str:
    if isinstance(node, ast.Attribute):
        return node.attr
    return node.id if isinstance(node, ast.Name) else ""
