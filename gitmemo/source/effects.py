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
    PASSES = "passes"  # as an argument to a call that may change it: f(N)


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
        if self.names.get(name) is not How.BINDS:
            known = self.names.get(name)
            self.names[name] = known if known is How.STORES and how is How.PASSES else how

    def visit_Name(self, node: ast.Name) -> None:
        if not isinstance(node.ctx, ast.Load):
            self._note(node.id, How.BINDS)

    def visit_Attribute(self, node: ast.Attribute) -> None:
        self._store(node)

    def visit_Subscript(self, node: ast.Subscript) -> None:
        self._store(node)

    def _store(self, node: ast.Attribute | ast.Subscript) -> None:
        root = _root_name(node)
        if root and not isinstance(node.ctx, ast.Load):
            self._note(root, How.STORES)
        self.generic_visit(node)

    def visit_AugAssign(self, node: ast.AugAssign) -> None:
        root = _root_name(node.target)
        if root:
            self._note(root, How.STORES)
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
            root = _root_name(call.func) if isinstance(call.func, ast.Attribute) else None
            if root:
                self._note(root, How.STORES)
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


def _root_name(node: ast.expr) -> str | None:
    while isinstance(node, ast.Attribute | ast.Subscript | ast.Call):
        node = node.func if isinstance(node, ast.Call) else node.value
    return node.id if isinstance(node, ast.Name) else None
