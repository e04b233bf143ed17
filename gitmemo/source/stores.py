"""Which code may change a global while it runs.

Not whether it did (`tracing.capture` compares values). A guess from the text
that can miss, and never names code that only reads. Invariant: the answer
depends on the statements alone.
"""

from __future__ import annotations

import ast
from collections.abc import Iterable

_READING = frozenset({"copy", "count", "get", "index", "items", "join", "keys", "values"})


def may_change(nodes: Iterable[ast.AST], name: str) -> bool:
    """Whether statements rebind `name`, store into it, or call a method of it.

    >>> may_change([ast.parse("lib.N += 1")], "N"), may_change([ast.parse("x = N + 1")], "N")
    (True, False)
    """
    return any(_changes(node, name) for top in nodes for node in ast.walk(top))


def _changes(node: ast.AST, name: str) -> bool:
    if isinstance(node, ast.Name | ast.Attribute | ast.Subscript):
        return isinstance(node.ctx, ast.Store | ast.Del) and _leads_to(node, name)
    if isinstance(node, ast.Call) and isinstance(node.func, ast.Attribute):
        return node.func.attr not in _READING and _leads_to(node.func.value, name)
    return False


def _leads_to(node: ast.AST, name: str) -> bool:
    """Whether an expression is the global, or something in it."""
    while isinstance(node, ast.Attribute | ast.Subscript):
        if isinstance(node, ast.Attribute) and node.attr == name:
            return True
        node = node.value
    return isinstance(node, ast.Name) and node.id == name


def binds_by_attribute(tree: ast.AST, name: str) -> bool:
    """Whether code sets an attribute of this name, perhaps of a module."""
    return any(
        isinstance(node, ast.Attribute) and node.attr == name and isinstance(node.ctx, ast.Store)
        for node in ast.walk(tree)
    )
