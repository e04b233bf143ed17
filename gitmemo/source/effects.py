"""Which module-level names a statement binds or may change.

Not which unit it belongs to (`statements`). Invariant: with doubt a statement
counts as changing a name: a needless change is better than a missed one.
"""

from __future__ import annotations

import ast
from collections.abc import Iterable
from enum import Enum


class How(Enum):
    """What a statement does to a name."""

    DEFINES = "def"
    CLASS = "class"
    BINDS = "binds"
    IMPORTS = "imports"
    STORES = "stores"  # into it: N.a = 1, N[0] = 1, N += 1, N.append(1)
    ASKS = "asks"  # by a name that ops have a method of: f.ref(1), f.table().head()
    PASSES = "passes"  # as an argument to a call that may change it: f(N)


# What an op is asked with. Nothing else: `f.register(int)(g)` and `f.cache_clear()` change `f`.
OP_METHODS = frozenset({"ref", "is_cached", "recompute", "forget", "table"})
_WEAKEST_FIRST = tuple(reversed(How))


def affected(statement: ast.stmt) -> dict[str, How]:
    """Return the module-level names that a statement binds or may mutate."""
    return affected_by([statement])


def affected_by(nodes: Iterable[ast.AST]) -> dict[str, How]:
    finder = _Effects()
    for node in nodes:
        finder.visit(node)
    return finder.names


class _Effects(ast.NodeVisitor):
    def __init__(self) -> None:
        self.names: dict[str, How] = {}

    def _note(self, name: str, how: How) -> None:
        known = self.names.get(name, how)
        self.names[name] = max(known, how, key=_WEAKEST_FIRST.index)

    def visit_Name(self, node: ast.Name) -> None:
        if not isinstance(node.ctx, ast.Load):
            self._note(node.id, How.BINDS)

    def visit_Attribute(self, node: ast.Attribute) -> None:
        self._store(node)

    def visit_Subscript(self, node: ast.Subscript) -> None:
        self._store(node)

    def _store(self, node: ast.Attribute | ast.Subscript) -> None:
        if not isinstance(node.ctx, ast.Load):
            self._note_root(node)
        self.generic_visit(node)

    def _note_root(self, node: ast.expr) -> None:
        found = _root(node)
        if found is not None:
            self._note(*found)

    def visit_AugAssign(self, node: ast.AugAssign) -> None:
        self._note_root(node.target)
        self.visit(node.value)

    def visit_AnnAssign(self, node: ast.AnnAssign) -> None:
        if node.value is not None:
            self.visit(node.target)
            self.visit(node.value)

    def visit_Expr(self, node: ast.Expr) -> None:
        """`X.method(...)` and `f(X)` as statements are there for what they change."""
        for call in ast.walk(node.value):
            if not isinstance(call, ast.Call):
                continue
            if isinstance(call.func, ast.Attribute):
                self._note_root(call)
            for argument in [*call.args, *(keyword.value for keyword in call.keywords)]:
                inner = argument.value if isinstance(argument, ast.Starred) else argument
                if isinstance(inner, ast.Name):
                    self._note(inner.id, How.PASSES)
        self.generic_visit(node)

    def visit_ExceptHandler(self, node: ast.ExceptHandler) -> None:
        self.generic_visit(node)  # its name is deleted at the end: no global

    def visit_Lambda(self, node: ast.Lambda) -> None:
        pass

    def visit_ListComp(self, node: ast.AST) -> None:
        for inner in ast.walk(node):
            if isinstance(inner, ast.NamedExpr) and isinstance(inner.target, ast.Name):
                self._note(inner.target.id, How.BINDS)

    visit_SetComp = visit_DictComp = visit_GeneratorExp = visit_ListComp


def _root(node: ast.expr) -> tuple[str, How] | None:
    """Return the name that a chain of attributes, items and calls begins with, and what is done to it.

    What a plain call returns is not what is called: `f(3).clear()` leaves `f` as it is.
    """
    how = How.STORES
    while isinstance(node, ast.Attribute | ast.Subscript | ast.Call):
        if isinstance(node, ast.Call):
            if isinstance(node.func, ast.Name):
                return None
            how = How.ASKS if _is_asking(node.func) else How.STORES
            node = node.func
        else:
            node = node.value
    return (node.id, how) if isinstance(node, ast.Name) else None


def _is_asking(function: ast.expr) -> bool:
    return (
        isinstance(function, ast.Attribute)
        and isinstance(function.value, ast.Name)
        and function.attr in OP_METHODS
    )
